"""The chain: genesis, blocks, what is kept and found again, time, going back, and stores that are not ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.block import EMPTY_TRIE, Header, indexed_root
from contractvm.chain import Chain, UnknownBlock
from contractvm.devaccounts import BALANCE, dev_accounts
from contractvm.errors import Fatal, Invalid, Rejected, Revert
from contractvm.execute import Message
from contractvm.genesis import Allocation, Genesis
from contractvm.host import Host
from contractvm.identity import IncompatibleChain
from contractvm.machine import Status
from contractvm.rejections import AlreadyKnown, NonceTooLow, WrongChain
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash
from state.directory import open_store
from state.errors import StoreFull, StoreLocked
from state.store import MemoryStore, Store
from tests.contractvm.fake import Contract, FakeMachine, host_call, init, poke, store

ALICE, BOB, CAROL = dev_accounts()[:3]
TRANSFER = Transaction(max_fee=2 * 10**9, max_tip=3, gas_limit=100_000, to=BOB.address, value=5, chain_id=31_337)


def adder(host: Host, entry: str) -> bytes:
    """Counts its calls under `n` and logs each; call data `no` reverts."""
    if host.call.input == b"no":
        raise Revert(b"no")
    count = int.from_bytes(host.world.storage(host.self_address, b"n"), "big") + 1
    store(host, b"n", count.to_bytes(4, "big"))
    poke(host, 0, b"counted".ljust(32))
    host_call(host, "log", 0, 1, 0, 7)
    return count.to_bytes(4, "big")


def clock() -> float:
    """A clock that stands."""
    return 1_700_000_000.0


def open_chain(where: Store | None = None, genesis: Genesis | None = None, **contracts: Contract) -> Chain:
    """A chain on fake machines with a clock that stands."""
    machine = FakeMachine({"adder": adder, **contracts})
    return Chain(MemoryStore() if where is None else where, genesis, machines=[machine], clock=clock)


@pytest.fixture
def chain() -> Iterator[Chain]:
    with open_chain() as opened:
        yield opened


def send(chain: Chain, tx: Transaction, who: int = 0) -> Hash:
    """Sign with the next nonce and submit."""
    account = dev_accounts()[who]
    return chain.submit(replace(tx, nonce=chain.next_nonce(account.address)).sign(account.secret))


def deploy(chain: Chain, name: str = "adder") -> Address:
    """Deploy in a block of its own."""
    digest = send(chain, replace(TRANSFER, to=None, value=0, data=init(name), gas_limit=1_000_000))
    chain.produce()
    receipt = chain.receipt(digest)
    assert receipt is not None and receipt.created is not None
    return receipt.created


def test_genesis(chain: Chain) -> None:
    head = chain.head
    assert (head.number, head.gas_limit, head.base_fee, chain.chain_id) == (0, 30_000_000, 10**9, 31_337)
    assert chain.world().balance(ALICE.address) == BALANCE
    assert chain.block(0).hash == head.hash
    assert head.state_root != EMPTY_TRIE
    with open_chain() as another:
        assert another.head.hash == head.hash


def test_a_genesis_with_a_contract() -> None:
    contract = Allocation(7, 1, init("adder")[:-1], {b"n": b"\0\0\0\x05"})
    with open_chain(genesis=Genesis(chain_id=5, alloc={CAROL.address: contract})) as chain:
        assert chain.call(Message(to=CAROL.address)).output == b"\0\0\0\x06"
        assert chain.chain_id == 5
    with pytest.raises(Invalid):
        open_chain(genesis=Genesis(alloc={CAROL.address: Allocation(code=init("nobody"))}))
    with pytest.raises(ValueError, match="room for 32"):
        open_chain(genesis=Genesis(extra_data=bytes(33)))


def test_a_block(chain: Chain) -> None:
    parent = chain.head
    digests = [send(chain, TRANSFER), send(chain, TRANSFER, 1)]
    block = chain.produce(coinbase=CAROL.address)
    assert [tx.hash for tx in block.transactions] == digests
    header = block.header
    assert (header.parent_hash, header.number, header.gas_used) == (parent.hash, 1, 42_000)
    assert (header.timestamp, header.coinbase, header.base_fee) == (1_700_000_000, CAROL.address, 875_000_000)
    assert header.transactions_root == indexed_root([tx.encode() for tx in block.transactions])
    assert chain.head == header
    assert len(chain.pool) == 0
    for at in (1, block.hash, "latest", "safe", "finalized"):
        assert chain.block(at) == block
    receipts = chain.receipts(1)
    assert [r.transaction_hash for r in receipts] == digests
    assert [r.cumulative_gas for r in receipts] == [21_000, 42_000]
    for index, digest in enumerate(digests):
        receipt, included = chain.receipt(digest), chain.transaction(digest)
        assert receipt == receipts[index]
        assert (receipt.block_hash, receipt.block_number, receipt.index) == (block.hash, 1, index)
        assert included is not None
        assert (included.transaction, included.block_hash, included.index) == (
            block.transactions[index],
            block.hash,
            index,
        )
    assert chain.world().balance(CAROL.address) == BALANCE + 2 * 21_000 * 3
    assert chain.world(0).balance(CAROL.address) == BALANCE


def test_logs_fill_the_bloom_and_count_through_the_block(chain: Chain) -> None:
    address = deploy(chain)
    for _ in range(3):
        send(chain, replace(TRANSFER, to=address, value=0))
    header = chain.produce().header
    receipts = chain.receipts()
    assert [r.log_index for r in receipts] == [0, 1, 2]
    assert [r.logs[0].data for r in receipts] == [b"counted"] * 3
    assert header.logs_bloom != bytes(256)
    assert chain.world().storage(address, b"n") == b"\0\0\0\x04"
    assert chain.world(1).storage(address, b"n") == b"\0\0\0\x01"


def test_a_failed_transaction_has_a_receipt(chain: Chain) -> None:
    address = deploy(chain)
    digest = send(chain, replace(TRANSFER, to=address, data=b"no"))
    chain.produce()
    receipt = chain.receipt(digest)
    assert receipt is not None
    assert (receipt.ok, receipt.status, receipt.output, receipt.logs) == (False, Status.REVERT, b"no", ())


def test_unknown_things(chain: Chain) -> None:
    assert chain.receipt(bytes(32)) is None
    assert chain.transaction(bytes(32)) is None
    for at in (1, -1, bytes(32), "newest"):
        with pytest.raises(UnknownBlock, match="the head is 0"):
            chain.block(at)


def test_submission(chain: Chain) -> None:
    raw = TRANSFER.sign(ALICE.secret).encode()
    digest = chain.submit(raw)
    assert digest in chain.pool
    with pytest.raises(AlreadyKnown):
        chain.submit(raw)
    chain.produce()
    with pytest.raises(AlreadyKnown, match="in a block"):
        chain.submit(raw)
    with pytest.raises(NonceTooLow):
        chain.submit(replace(TRANSFER, value=6).sign(ALICE.secret))
    with pytest.raises(WrongChain):
        chain.submit(replace(TRANSFER, chain_id=1).sign(ALICE.secret).encode())
    with pytest.raises(Rejected):
        chain.submit(raw[:-1])


def test_what_cannot_be_paid_any_more_leaves_the_pool(chain: Chain) -> None:
    rich = replace(TRANSFER, value=BALANCE * 2 // 3)
    first, second = send(chain, rich), send(chain, rich)
    block = chain.produce()
    assert [tx.hash for tx in block.transactions] == [first]
    assert second not in chain.pool


def test_a_full_block_leaves_the_rest_waiting() -> None:
    with open_chain(genesis=Genesis(gas_limit=50_000)) as chain:
        for _ in range(5):
            send(chain, replace(TRANSFER, gas_limit=21_000))
        assert [len(chain.produce().transactions) for _ in range(4)] == [2, 2, 1, 0]


def test_the_base_fee_moves(chain: Chain) -> None:
    assert chain.next_base_fee == 875_000_000
    chain.produce()
    assert chain.head.base_fee == 875_000_000
    assert chain.next_base_fee == 765_625_000


def test_contracts_see_block_hashes() -> None:
    seen: list[list[bytes | None]] = []

    def look(host: Host, entry: str) -> bytes:
        number = host.env.number
        seen.append([host.env.block_hash(n) for n in (number, number - 1, 0, max(number - 257, -1))])
        return b""

    with open_chain(look=look) as chain:
        address = deploy(chain, "look")
        chain.call(Message(to=address), "pending")
        assert seen[-1] == [None, chain.head.hash, chain.block(0).hash, None]
        for _ in range(260):
            chain.produce()
        chain.call(Message(to=address), "pending")
        assert seen[-1] == [None, chain.head.hash, None, None]
        chain.call(Message(to=address), 2)
        assert seen[-1] == [None, chain.block(1).hash, chain.block(0).hash, None]


def test_calls_read_any_height_and_change_nothing(chain: Chain) -> None:
    address = deploy(chain)
    send(chain, replace(TRANSFER, to=address, value=0))
    chain.produce()
    root = chain.head.state_root
    assert chain.call(Message(to=address)).output == b"\0\0\0\x03"
    assert chain.call(Message(to=address), 1).output == b"\0\0\0\x02"
    assert chain.call(Message(to=address), "pending").output == b"\0\0\0\x03"
    assert chain.call(Message(to=address), "earliest").output == b""
    assert chain.estimate(Message(to=address)).gas > 21_000
    chain.produce()
    assert chain.head.state_root == root


# Time


def test_time(chain: Chain) -> None:
    assert chain.produce().header.timestamp == 1_700_000_000
    assert chain.produce().header.timestamp == 1_700_000_001
    chain.increase_time(100)
    assert chain.produce().header.timestamp == 1_700_000_100
    chain.set_next_timestamp(1_800_000_000)
    assert chain.context("pending").timestamp == 1_800_000_000
    assert chain.produce().header.timestamp == 1_800_000_000
    assert chain.produce().header.timestamp == 1_800_000_001
    assert chain.produce(timestamp=1_900_000_000).header.timestamp == 1_900_000_000
    for bad in (1_900_000_000, 5):
        with pytest.raises(ValueError, match="not after"):
            chain.produce(timestamp=bad)
        with pytest.raises(ValueError, match="not after"):
            chain.set_next_timestamp(bad)
    with pytest.raises(ValueError, match="back"):
        chain.increase_time(-1)


# Development


def test_impersonation(chain: Chain) -> None:
    address = deploy(chain)
    chain.edit(lambda world: world.set_balance(address, 10**18))
    digest = chain.submit(replace(TRANSFER, nonce=1).impersonate(address))
    block = chain.produce()
    receipt = chain.receipt(digest)
    assert receipt is not None and receipt.ok
    assert receipt.sender == address
    assert chain.block(block.number).transactions[0].sender == address
    with pytest.raises(Rejected):
        chain.submit(block.transactions[0].encode())


def test_an_edit_is_a_block(chain: Chain) -> None:
    block = chain.edit(lambda world: world.set_balance(CAROL.address, 3))
    assert (block.number, block.transactions) == (1, ())
    assert chain.world().balance(CAROL.address) == 3
    assert chain.world(0).balance(CAROL.address) == BALANCE
    with pytest.raises(Rejected, match="no machine"):
        chain.check_code(b"\x60")
    with pytest.raises(Invalid):
        chain.check_code(init("nobody"))


def fingerprint(chain: Chain) -> tuple[object, ...]:
    """What can be seen of a chain's end."""
    head = chain.head
    return (
        head.hash,
        [chain.block(number).hash for number in range(head.number + 1)],
        [receipt.transaction_hash for number in range(head.number + 1) for receipt in chain.receipts(number)],
        [chain.world().balance(account.address) for account in dev_accounts()],
        [tx.hash for tx in chain.pool],
        chain.now,
    )


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_snapshots(kind: str, tmp_path: Path) -> None:
    with open_chain(MemoryStore() if kind == "memory" else open_store(tmp_path / "c", create=True)) as chain:
        address = deploy(chain)
        waiting = send(chain, TRANSFER, 2)
        chain.increase_time(50)
        before = fingerprint(chain)
        first = chain.snapshot()
        gone = send(chain, replace(TRANSFER, to=address, value=0))
        block = chain.produce()
        second = chain.snapshot()
        chain.set_next_timestamp(1_800_000_000)
        chain.produce()
        chain.revert(first)
        assert fingerprint(chain) == before
        assert chain.receipt(gone) is None and chain.transaction(gone) is None
        assert waiting in chain.pool
        with pytest.raises(UnknownBlock):
            chain.block(block.hash)
        for used in (first, second):
            with pytest.raises(KeyError):
                chain.revert(used)
        send(chain, replace(TRANSFER, to=address, value=0))
        chain.produce()
        assert chain.world().storage(address, b"n") == b"\0\0\0\x02"


def test_a_snapshot_keeps_what_the_next_block_would_refuse() -> None:
    with open_chain(genesis=Genesis(gas_limit=42_000)) as chain:
        low = send(chain, replace(TRANSFER, max_fee=900_000_000, max_tip=1, gas_limit=21_000), 2)
        for _ in range(2):
            for who in (0, 1):
                send(chain, replace(TRANSFER, gas_limit=21_000), who)
            chain.produce()
        assert chain.next_base_fee > 900_000_000
        kept = chain.snapshot()
        chain.pool.clear()
        chain.revert(kept)
        assert low in chain.pool


def test_rewind(chain: Chain) -> None:
    hashes = [chain.head.hash]
    for _ in range(4):
        send(chain, TRANSFER)
        hashes.append(chain.produce().hash)
    later = chain.snapshot()
    chain.rewind(2)
    assert chain.head.hash == hashes[2]
    assert chain.world().nonce(ALICE.address) == 2
    with pytest.raises(UnknownBlock):
        chain.rewind(3)
    with pytest.raises(KeyError):
        chain.revert(later)
    with pytest.raises(UnknownBlock):
        chain.rewind(-1)


# What is on disk


def test_it_is_all_there_again(tmp_path: Path) -> None:
    with open_chain(open_store(tmp_path / "c", create=True)) as chain:
        address = deploy(chain)
        digest = send(chain, replace(TRANSFER, to=address, value=0))
        chain.produce()
        before, receipt = fingerprint(chain), chain.receipt(digest)
    with open_chain(open_store(tmp_path / "c", create=False)) as chain:
        assert fingerprint(chain) == before
        assert chain.receipt(digest) == receipt
        assert chain.world(1).storage(address, b"n") == b"\0\0\0\x01"
        send(chain, replace(TRANSFER, to=address, value=0))
        chain.produce()
        assert chain.world().storage(address, b"n") == b"\0\0\0\x03"


def test_both_stores_give_the_same_blocks(tmp_path: Path) -> None:
    heads = []
    for where in (MemoryStore(), open_store(tmp_path / "c", create=True)):
        with open_chain(where) as chain:
            address = deploy(chain)
            send(chain, replace(TRANSFER, to=address, value=0))
            chain.produce()
            heads.append(chain.head.hash)
    assert heads[0] == heads[1]


def touched(store: Store) -> dict[bytes, bytes]:
    """All that a store holds."""
    return dict(store.iterate(b"", None))


def test_another_chain_is_refused_untouched() -> None:
    kept = MemoryStore()
    open_chain(kept)
    before = touched(kept)
    with pytest.raises(IncompatibleChain, match="chain id is 31337, not 5"):
        open_chain(kept, Genesis(chain_id=5))
    other = contract_rules()
    other = replace(other, limits=replace(other.limits, locals=7))
    with pytest.raises(IncompatibleChain, match="made under rules"):
        Chain(kept, rules=other, machines=[])
    assert touched(kept) == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({b"Ci": None}, "no chain of ours"),
        ({b"Ci": b"junk"}, "identity record is damaged"),
        ({b"Ci": b"\x81\xa6format\x02"}, "format 2; this version reads format 1"),
        ({b"Ci": b"\x81\xa6format\x01"}, "lacks a field"),
        ({b"Ch": None}, "no head"),
    ],
)
def test_a_foreign_or_damaged_store_is_refused_untouched(change: Mapping[bytes, bytes | None], says: str) -> None:
    kept = MemoryStore()
    open_chain(kept)
    kept.write(change)
    before = touched(kept)
    with pytest.raises(IncompatibleChain, match=says):
        open_chain(kept)
    assert touched(kept) == before


def test_another_backend_is_refused(tmp_path: Path) -> None:
    kept = MemoryStore()
    open_chain(kept)
    moved = open_store(tmp_path / "c", create=True)
    moved.write(touched(kept))
    with pytest.raises(IncompatibleChain, match="made on memory"):
        open_chain(moved)
    moved.close()


def test_two_writers(tmp_path: Path) -> None:
    with open_chain(open_store(tmp_path / "c", create=True)) as chain:
        with pytest.raises(StoreLocked):
            open_store(tmp_path / "c", create=False)
        chain.produce()


class FullDisk(MemoryStore):
    """A store whose disk fills up when told."""

    full = False

    def write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        if self.full:
            raise StoreFull("no space left")
        super().write(puts, sync)


def test_a_full_disk_makes_no_block() -> None:
    disk = FullDisk()
    with open_chain(disk) as chain:
        chain.produce()
        digest = send(chain, TRANSFER)
        before, kept = fingerprint(chain), touched(disk)
        disk.full = True
        with pytest.raises(StoreFull):
            chain.produce()
        with pytest.raises(StoreFull):
            chain.edit(lambda world: world.set_balance(BOB.address, 1))
        assert fingerprint(chain) == before
        assert touched(disk) == kept
        disk.full = False
        chain.produce()
        assert chain.receipt(digest) is not None


def test_our_own_bug_makes_no_block() -> None:
    def broken(host: Host, entry: str) -> bytes:
        if entry == "call":
            raise Fatal("a bug")
        return b""

    with open_chain(broken=broken) as chain:
        address = deploy(chain, "broken")
        digest = send(chain, replace(TRANSFER, to=address))
        with pytest.raises(Fatal):
            chain.produce()
        assert chain.head.number == 1
        assert chain.pool.drop(digest)
        assert chain.produce().number == 2


def test_a_lost_header_is_fatal() -> None:
    kept = MemoryStore()
    with open_chain(kept) as chain:
        digest = send(chain, TRANSFER)
        chain.produce()
        chain.produce()
        kept.write({b"Cb" + (1).to_bytes(8, "big"): None})
        with pytest.raises(Fatal, match="damaged"):
            chain.receipt(digest)
        with pytest.raises(Fatal, match="missing"):
            chain.header(1)


# Against a model

moves = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.sampled_from(["mine", "keep", "back"]), st.just(0), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(moves)
def test_going_back_is_as_if_it_had_not_been(plan: list[tuple[str, int, int]]) -> None:
    """A chain with snapshots and reverts ends like one that never made the reverted moves."""
    done: list[list[tuple[str, int, int]]] = [[]]
    with open_chain() as chain, open_chain() as straight:
        kept: list[int] = []
        for move in plan:
            if move[0] == "keep":
                kept.append(chain.snapshot())
                done.append([])
            elif move[0] == "back":
                if kept:
                    chain.revert(kept.pop())
                    done.pop()
            else:
                play(chain, move)
                done[-1].append(move)
        for move in (move for part in done for move in part):
            play(straight, move)
        assert fingerprint(chain) == fingerprint(straight)


def play(chain: Chain, move: tuple[str, int, int]) -> None:
    """Send a transfer or mine a block."""
    what, who, whom = move
    if what == "mine":
        chain.produce()
    else:
        send(chain, replace(TRANSFER, to=dev_accounts()[whom].address), who)


def test_headers_are_facts() -> None:
    with pytest.raises(AttributeError):
        Header().number = 5  # type: ignore[misc]
