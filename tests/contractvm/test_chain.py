"""The chain: genesis, blocks, what is kept and found again, reading at any height, time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contractvm.block import EMPTY_TRIE, Header, indexed_root
from contractvm.chain import Chain, UnknownBlock
from contractvm.crypto import ORDER
from contractvm.devaccounts import BALANCE
from contractvm.errors import Invalid, Rejected
from contractvm.execute import Message
from contractvm.genesis import Allocation, Genesis
from contractvm.host import Host
from contractvm.machine import Status
from contractvm.rejections import AlreadyKnown, NonceTooLow, WrongChain
from state.directory import open_store
from state.store import MemoryStore
from tests.contractvm.chains import ALICE, CAROL, TRANSFER, deploy, open_chain, send
from tests.contractvm.fake import host_call, init


@pytest.fixture
def chain() -> Iterator[Chain]:
    with open_chain() as opened:
        yield opened


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


@pytest.mark.parametrize(
    "bad", [{"chain_id": 0}, {"timestamp": -1}, {"gas_limit": 4_999}, {"base_fee": 2**63}, {"extra_data": bytes(33)}]
)
def test_a_genesis_that_no_header_could_hold(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^genesis: "):
        Genesis(**bad)


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


def test_an_object_is_held_to_what_its_bytes_would_be(chain: Chain) -> None:
    signed = TRANSFER.sign(ALICE.secret)
    high = replace(signed, s=ORDER - signed.s, y_parity=1 - signed.y_parity)
    assert high.sender == ALICE.address
    for bad in (high, TRANSFER, replace(TRANSFER, nonce=2**64).impersonate(ALICE.address)):
        with pytest.raises(Rejected):
            chain.submit(bad)
    assert len(chain.pool) == 0


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
    seen: list[list[bytes]] = []

    def look(host: Host, entry: str) -> bytes:
        number, found = host.env.number, []
        for asked in (number, number - 1, 1, max(number - 256, 0), max(number - 257, 0)):
            length = host_call(host, "block_hash", asked, 0)
            found.append(bytes(host.memory.data[:32]) if length == 32 else b"")
        seen.append(found)
        return b""

    with open_chain(look=look) as chain:
        address = deploy(chain, "look")
        first, genesis = chain.head.hash, chain.block(0).hash
        chain.call(Message(to=address), "pending")
        assert seen[-1] == [b"", first, first, genesis, genesis]
        for _ in range(260):
            chain.produce()
        chain.call(Message(to=address), "pending")
        assert seen[-1] == [b"", chain.head.hash, b"", chain.block(262 - 256).hash, b""]
        chain.call(Message(to=address), 2)
        assert seen[-1] == [b"", first, first, genesis, genesis]


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


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_readers_see_whole_blocks_while_one_is_made(kind: str, tmp_path: Path) -> None:
    wrong: list[object] = []
    done = threading.Event()
    with open_chain(MemoryStore() if kind == "memory" else open_store(tmp_path / "c", create=True)) as chain:
        address = deploy(chain)

        def read() -> None:
            while not done.is_set():
                block = chain.block()
                receipts = chain.receipts(block.number)
                counted = chain.world(block.number).storage(address, b"n")
                called = chain.call(Message(to=address), block.number).output
                whole = len(receipts) == len(block.transactions) == (2 if block.number > 1 else 1)
                expected = 1 + 2 * (block.number - 1)
                if not whole or [int.from_bytes(n, "big") for n in (counted, called)] != [expected, expected + 1]:
                    wrong.append((block.number, receipts, counted, called))

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for _ in range(40):
            for _ in range(2):
                send(chain, replace(TRANSFER, to=address, value=0))
            chain.produce()
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def test_time(chain: Chain) -> None:
    assert chain.produce().header.timestamp == 1_700_000_000
    assert chain.produce().header.timestamp == 1_700_000_001
    chain.clock.increase(100)
    assert chain.produce().header.timestamp == 1_700_000_100
    chain.clock.set_next(1_800_000_000, chain.head.timestamp)
    assert chain.context("pending").timestamp == 1_800_000_000
    assert chain.produce().header.timestamp == 1_800_000_000
    assert chain.produce().header.timestamp == 1_800_000_001
    chain.clock.set_next(1_850_000_000, chain.head.timestamp)
    assert chain.edit(lambda world: None).header.timestamp == 1_850_000_000
    assert chain.produce().header.timestamp == 1_850_000_001
    assert chain.produce(timestamp=1_900_000_000).header.timestamp == 1_900_000_000
    for bad in (1_900_000_000, 5):
        with pytest.raises(ValueError, match="not after"):
            chain.produce(timestamp=bad)
        with pytest.raises(ValueError, match="not after"):
            chain.clock.set_next(bad, chain.head.timestamp)
    with pytest.raises(ValueError, match="back"):
        chain.clock.increase(-1)


def test_headers_are_facts() -> None:
    with pytest.raises(AttributeError):
        Header().number = 5  # type: ignore[misc]
