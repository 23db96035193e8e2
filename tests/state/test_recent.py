"""What the last blocks wrote, in memory: the same as the store's, for the views of that version alone."""

import pytest

from state import recent
from state.database import StateDB
from state.recent import UNKNOWN, Recent
from state.store import MemoryStore
from state.world import World
from tests.state.support import CountingStore, keccak

A, B = b"a" * 20, b"b" * 20


def committed(state: StateDB, height: int, balance: int, value: bytes) -> None:
    world = World(state.view())
    world.set_balance(A, balance)
    world.set_storage(A, b"k", value)
    state.commit(state.prepare(world, height))


def read(world: World) -> tuple[int, bytes]:
    return world.balance(A), world.storage(A, b"k")


def test_each_view_reads_its_own_height() -> None:
    state = StateDB(MemoryStore(), keccak)
    views = []
    for height, value in enumerate([b"one", b"two", b"", b"four"]):
        committed(state, height, height, value)
        views.append(state.view())
    assert [read(World(view)) for view in views] == [(0, b"one"), (1, b"two"), (2, b""), (3, b"four")]
    state.revert_to(1)
    assert read(World(state.view())) == (1, b"two")
    assert read(World(views[3])) == (3, b"four")


def test_what_was_just_written_is_not_asked_of_the_store() -> None:
    store = CountingStore(MemoryStore())
    state = StateDB(store, keccak)
    committed(state, 0, 7, b"v")
    view = state.view()
    store.write({key: b"" for key, _ in store.iterate(b"\x01", b"\x03")})
    assert read(World(view)) == (7, b"v")
    assert read(World(StateDB(MemoryStore(), keccak).view())) == (0, b"")


def test_a_record_read_while_a_block_is_written_is_not_believed() -> None:
    """The writer's thread may go on between any two steps of a reader's: it is the version that comes first."""
    kept = Recent()
    kept.advance({A: b"1"})
    version, seen = kept.version, []

    class Watched(dict[bytes, bytes | None]):
        def update(self, *args: object, **kwargs: object) -> None:
            seen.append(kept.version)

    kept.records = Watched(kept.records)
    kept.advance({A: b"2"})
    assert seen == [version + 1]


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RECENT_BYTES", 4_000)
    kept = Recent()
    for _ in range(100):
        kept.advance({A: bytes(100)})
    assert kept.records.get(A, UNKNOWN) == bytes(100), "overwriting is not growing"
    for number in range(100):
        kept.advance({number.to_bytes(20, "big"): bytes(100)})
        assert len(kept.records) < 15
    kept.advance({B: bytes(5_000)})
    assert kept.records.get(B, UNKNOWN) is UNKNOWN


def test_a_new_world_has_read_what_the_last_block_changed() -> None:
    """From memory: neither the store nor, on a forked chain, another node is asked on the way."""
    store = CountingStore(MemoryStore())
    state = StateDB(store, keccak)
    world = World(state.view())
    world.set_code(B, b"code that nobody has asked for")
    state.commit(state.prepare(world, 0))
    committed(state, 1, 7, b"v")
    view = state.view()
    store.write({key: b"" for key, _ in store.iterate(b"\x00", b"\x20")})
    world = World(view)
    state.read_ahead(world)
    assert world.kept == 1 + 1 + 1, "the account, its value, and the empty code"
    assert read(world) == (7, b"v")
    assert world.kept == 3


def test_the_changes_of_a_large_block_are_not_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "FEW", 3)
    state = StateDB(MemoryStore(), keccak)
    for many in (3, 4):
        world = World(state.view())
        for number in range(many):
            world.set_balance(bytes([number]) * 20, many)
        state.commit(state.prepare(world, many))
        world = World(state.view())
        state.read_ahead(world)
        assert world.kept == 1 + (many if many == 3 else 0)


def test_what_was_forgotten_is_not_read_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RECENT_BYTES", 100)
    kept = Recent()
    kept.advance({A: bytes(100)})
    assert not kept.records and not kept.last
