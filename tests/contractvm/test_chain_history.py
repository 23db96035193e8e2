"""Development on a chain: edits, impersonation, snapshots, and going back as if nothing had been."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.chain import Chain, UnknownBlock
from contractvm.devaccounts import BALANCE, dev_accounts
from contractvm.errors import Invalid, Rejected
from contractvm.genesis import Genesis
from state.directory import open_store
from state.store import MemoryStore
from tests.contractvm.chains import ALICE, CAROL, TRANSFER, deploy, fingerprint, open_chain, send
from tests.contractvm.fake import init


@pytest.fixture
def chain() -> Iterator[Chain]:
    with open_chain() as opened:
        yield opened


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
        chain.executor.check_code(b"\x60")
    with pytest.raises(Invalid):
        chain.executor.check_code(init("nobody"))


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_snapshots(kind: str, tmp_path: Path) -> None:
    with open_chain(MemoryStore() if kind == "memory" else open_store(tmp_path / "c", create=True)) as chain:
        address = deploy(chain)
        waiting = send(chain, TRANSFER, 2)
        chain.clock.increase(50)
        before = fingerprint(chain)
        first = chain.snapshot()
        gone = send(chain, replace(TRANSFER, to=address, value=0))
        block = chain.produce()
        second = chain.snapshot()
        chain.clock.set_next(1_800_000_000, chain.head.timestamp)
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


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_a_snapshot_keeps_what_gas_was_to_cost(kind: str, tmp_path: Path) -> None:
    with open_chain(MemoryStore() if kind == "memory" else open_store(tmp_path / "c", create=True)) as chain:
        # A change that takes no time leaves the next block's base fee as it was, which its header does not say.
        chain.edit(lambda world: world.set_balance(CAROL.address, 3), timeless=True)
        for fee in (chain.next_base_fee, 7 * 10**9):
            chain.next_base_fee = fee
            kept = chain.snapshot()
            chain.revert(kept)
            assert chain.next_base_fee == fee
            kept = chain.snapshot()
            for _ in range(2):
                chain.produce()
            chain.revert(kept)
            assert chain.next_base_fee == fee
        assert chain.produce().header.base_fee == 7 * 10**9


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
