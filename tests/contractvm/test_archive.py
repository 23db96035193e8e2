"""Where a chain's blocks are: both archives tell the same, whatever was added, taken back and forgotten."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm import spill
from contractvm.chain import Chain, Pruned, UnknownBlock
from contractvm.clock import Clock
from contractvm.heights import BLOCKS_BEHIND
from contractvm.spill import SpillArchive
from state.blobs import BlobLog
from state.database import HeightError
from state.directory import open_store
from state.errors import StoreError, StoreFull
from state.hashindex import HashIndex
from state.history import FORGOTTEN_TOGETHER
from state.store import MemoryStore
from state.world import World
from tests.contractvm.chains import ALICE, BOB, TRANSFER, adder, fingerprint, open_chain, send
from tests.contractvm.fake import FakeMachine, init


def spilling(segment_bytes: int = 300) -> Chain:
    """A chain in memory whose blocks go to files almost at once."""
    store = MemoryStore()
    archive = SpillArchive(store, log=BlobLog(segment_bytes))
    machines = [FakeMachine({"adder": adder})]
    return Chain(store, machines=machines, clock=Clock(lambda: 1_700_000_000.0), archive=archive)


def seen(chain: Chain) -> list[object]:
    """Everything that a chain tells of its blocks, from the oldest kept on."""
    told: list[object] = [fingerprint(chain) if chain.oldest == 0 else chain.head.hash]
    for number in range(chain.head.number + 1):
        try:
            block = chain.block(number)
        except Pruned as error:
            told.append(str(error))
            continue
        receipts = chain.receipts(number)
        told += [block.hash, block.header, chain.height(block.hash), receipts]
        for tx in block.transactions:
            told += [chain.transaction(tx.hash), chain.receipt(tx.hash), tx.encode()]
    return told


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("make"), st.integers(0, 7)),
        st.tuples(st.just("rewind"), st.integers(0, 3)),
        st.tuples(st.just("keep"), st.just(0)),
        st.tuples(st.just("return"), st.integers(1, 4)),
        st.tuples(st.just("catch up"), st.just(0)),
    ),
    max_size=14,
)


@given(STEPS)
@settings(deadline=None, max_examples=40)
def test_both_archives_tell_the_same(steps: list[tuple[str, int]]) -> None:
    with patch.object(spill, "_FEW", 3), open_chain() as plain, spilling() as spilled:
        for what, number in steps:
            for chain in (plain, spilled):
                if what == "make":
                    for _ in range(number):
                        send(chain, replace(TRANSFER, to=None, value=0, data=init("adder"), gas_limit=500_000))
                    chain.produce()
                elif what == "rewind":
                    chain.rewind(max(0, chain.head.number - number))
                elif what == "keep":
                    chain.snapshot()
                elif what == "catch up":
                    chain.catch_up()
                else:
                    with suppress(KeyError):
                        chain.revert(number)
            assert seen(plain) == seen(spilled)


@pytest.mark.parametrize("kind", ["memory", "spilled", "disk"])
def test_what_is_old_is_forgotten_in_steps(kind: str, tmp_path: Path) -> None:
    if kind == "spilled":
        chain = spilling()
    else:
        chain = open_chain(MemoryStore() if kind == "memory" else open_store(tmp_path / "c", create=True))
    with chain:
        digests, hashes = [], [chain.head.hash]
        for _ in range(BLOCKS_BEHIND + 60):
            digests.append(send(chain, TRANSFER))
            hashes.append(chain.produce().hash)
        head = chain.head.number
        assert not chain.prune(head)
        steps = 1
        while chain.prune(20, most=50):
            steps += 1
        assert steps == -(-(head - 20) // 50)
        assert chain.oldest == head - 20
        first = head - 20 - BLOCKS_BEHIND
        for number in range(1, head + 1):
            kept = number >= first
            assert (chain.receipt(digests[number - 1]) is not None) is kept
            assert (chain.transaction(digests[number - 1]) is not None) is kept
            if kept:
                assert chain.block(number).hash == chain.block(hashes[number]).hash == hashes[number]
                continue
            with pytest.raises(Pruned, match=f"only those from {first} to {head}"):
                chain.block(number)
            with pytest.raises(UnknownBlock):
                chain.header(hashes[number])
        assert chain.header(0).hash == hashes[0]
        assert chain.context(head - 20).block_hash(head - 20 - BLOCKS_BEHIND) == hashes[first]
        with pytest.raises(HeightError, match=f"only from {head - 20} to {head}"):
            chain.world(head - 21)
        assert chain.world(head - 20).nonce(ALICE.address) == head - 20
        with pytest.raises(HeightError):
            chain.rewind(head - 21)
        chain.rewind(head - 20)
        send(chain, TRANSFER)
        assert chain.produce().number == head - 19
        assert chain.world().nonce(ALICE.address) == head - 19


def test_large_blocks_are_forgotten_one_by_one() -> None:
    def grow(world: World) -> None:
        for key in range(FORGOTTEN_TOGETHER):
            world.set_storage(BOB.address, key.to_bytes(4, "big"), bytes([chain.head.number + 1]))

    with spilling(1 << 20) as chain:
        for _ in range(4):
            chain.edit(grow)
        reached = []
        while chain.prune(1):
            reached.append(chain.oldest)
        assert [*reached, chain.oldest] == [1, 2, 3]
        assert chain.world(3).storage(BOB.address, bytes(4)) == b"\3"


def test_what_was_forgotten_stays_so(tmp_path: Path) -> None:
    with open_chain(open_store(tmp_path / "c", create=True)) as chain:
        for _ in range(BLOCKS_BEHIND + 9):
            chain.produce()
        chain.prune(4, most=1_000)
        before = seen(chain)
    with open_chain(open_store(tmp_path / "c", create=False)) as chain:
        assert seen(chain) == before
        assert chain.oldest == BLOCKS_BEHIND + 5


def test_states_alone_are_forgotten() -> None:
    with spilling() as chain:
        digest = send(chain, TRANSFER)
        for _ in range(BLOCKS_BEHIND + 60):
            chain.produce()
        chain.prune(3, blocks=False, most=1_000)
        assert chain.oldest == chain.head.number - 3
        assert chain.block(1).transactions[0].hash == digest
        assert chain.receipt(digest) is not None


def test_a_snapshot_of_a_block_that_was_forgotten_is_void() -> None:
    with spilling() as chain:
        chain.produce()
        snapshot = chain.snapshot()
        for _ in range(BLOCKS_BEHIND + 60):
            chain.produce()
        chain.prune(3, most=1_000)
        before = seen(chain)
        with pytest.raises(Pruned, match="snapshot is void"):
            chain.revert(snapshot)
        assert seen(chain) == before


def test_no_room_for_blocks_makes_no_block(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with spilling() as chain:
        chain.produce()
        digest = send(chain, TRANSFER)
        before = seen(chain)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        with pytest.raises(StoreFull, match="TMPDIR"):
            chain.produce()
        assert seen(chain) == before
        chain.catch_up()
        assert seen(chain) == before
        monkeypatch.undo()
        chain.produce()
        assert chain.receipt(digest) is not None
        assert chain.world().balance(BOB.address) > 0


def test_what_is_old_can_be_forgotten_when_there_is_no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with spilling() as chain:
        for _ in range(BLOCKS_BEHIND + 60):
            chain.produce()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
        with pytest.raises(StoreFull):
            while True:
                chain.produce()
        head = chain.head.number
        while chain.prune(3):
            pass
        assert chain.oldest == head - 3
        assert chain.block(head).number == head


@pytest.mark.parametrize(("count", "later"), [(spill._FEW, True), (spill._FEW + 1, False)])
def test_short_blocks_are_put_away_later(count: int, later: bool) -> None:
    store, log = MemoryStore(), BlobLog()
    with Chain(store, machines=[FakeMachine({})], archive=SpillArchive(store, log=log)) as chain:
        chain.catch_up()
        for _ in range(count):
            send(chain, TRANSFER)
        start = log.end
        chain.produce()
        assert (log.end == start) is later
        chain.catch_up()
        assert log.end > start
        assert chain.receipts() == tuple(chain.receipt(tx.hash) for tx in chain.block().transactions)


def test_nothing_is_caught_up_with_while_another_thread_writes() -> None:
    log = BlobLog()
    store = MemoryStore()
    with Chain(store, machines=[FakeMachine({})], archive=SpillArchive(store, log=log)) as chain:
        chain.catch_up()
        chain.produce()
        start, entered, leave = log.end, threading.Event(), threading.Event()

        def write(world: World) -> None:
            entered.set()
            leave.wait(10)

        writer = threading.Thread(target=lambda: chain.edit(write))
        writer.start()
        entered.wait(10)
        chain.catch_up()
        assert log.end == start
        leave.set()
        writer.join()
        assert log.end > start


def test_going_back_to_what_is_not_kept_changes_nothing(tmp_path: Path) -> None:
    with open_chain(open_store(tmp_path / "c", create=True)) as chain:
        snapshot = chain.snapshot()
        for _ in range(BLOCKS_BEHIND + 9):
            chain.produce()
        chain.prune(4, most=1_000)
        chain.next_base_fee = 12_345
        before = seen(chain)
        for height in (0, 1):
            with pytest.raises((HeightError, Pruned)):
                chain.rewind(height)
        with pytest.raises((HeightError, Pruned)):
            chain.revert(snapshot)
        assert seen(chain) == before
        assert chain.next_base_fee == 12_345


class TestLog:
    """The log of bytes under it."""

    @given(st.lists(st.tuples(st.sampled_from(["add", "cut", "forget"]), st.integers(0, 40)), max_size=40))
    @settings(deadline=None, max_examples=80)
    def test_follows_a_model(self, steps: list[tuple[str, int]]) -> None:
        log, model, start = BlobLog(30), b"", 0
        blobs: list[tuple[int, bytes]] = []
        for what, number in steps:
            if what == "add":
                blob = random.Random(number + len(model)).randbytes(number)
                assert log.append(blob) == len(model)
                blobs.append((len(model), blob))
                model += blob
            elif what == "cut" and blobs:
                place = blobs[number % len(blobs)][0]
                if place >= start:
                    log.cut(place)
                    model = model[:place]
                    blobs = [(at, blob) for at, blob in blobs if at < place]
            elif what == "forget" and blobs:
                start = max(start, blobs[number % len(blobs)][0])
                log.forget(start)
            assert log.end == len(model)
            for at, blob in blobs:
                if at >= start and at + len(blob) <= len(model):
                    assert log.read(at, len(blob)) == blob
        log.close()
        log.close()

    def test_what_is_not_there_is_an_error(self) -> None:
        log = BlobLog(10)
        log.append(b"0123456789")
        log.append(b"abc")
        with pytest.raises(StoreError):
            log.read(10, 4)
        log.close()
        with pytest.raises(StoreError):
            log.read(0, 3)


def test_an_index_finds_hashes_that_begin_alike() -> None:
    index = HashIndex()
    alike = [b"\1" * 8 + bytes([at]) * 22 + b"\7\7" for at in range(5)]
    for at, digest in enumerate(alike):
        index.add(digest, at)
    assert list(index.find(alike[0])) == [0, 1, 2, 3, 4]
    index.remove(alike[2], 2)
    index.remove(alike[2], 2)
    index.remove(b"\2" * 32, 9)
    assert list(index.find(alike[0])) == [0, 1, 3, 4]
    assert list(index.find(b"\1" * 32)) == []
