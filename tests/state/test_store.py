"""The contract of `Store`, on every backend that is installed here."""

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.errors import StoreError, StoreLocked
from state.store import MemoryStore, Reader, Store
from tests.state.support import BACKENDS, DISK_BACKENDS, make_store

KEYS = st.binary(min_size=1, max_size=2).map(lambda key: bytes(byte & 0x83 for byte in key))
BATCHES = st.dictionaries(KEYS, st.none() | st.binary(max_size=3), max_size=6)
BOUNDS = st.tuples(KEYS | st.just(b""), KEYS | st.none(), st.booleans())

Model = dict[bytes, bytes]


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with make_store(request.param, tmp_path / "db") as made:
        yield made


def same(reader: Reader, model: Model, start: bytes, stop: bytes | None, reverse: bool) -> None:
    """Check one range, and every key, of `reader` against `model`."""
    wanted = sorted((k, v) for k, v in model.items() if k >= start and (stop is None or k < stop))
    if reverse:
        wanted.reverse()
    assert list(reader.iterate(start, stop, reverse)) == wanted
    assert list(reader.keys(start, stop, reverse)) == [key for key, _ in wanted]
    for key in (start, b"\x80", b"\x01\x02"):
        assert reader.get(key) == model.get(key)


@pytest.mark.parametrize("backend", BACKENDS)
@given(st.lists(st.tuples(BATCHES, st.booleans(), st.integers(0, 5), BOUNDS), max_size=12))
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reads_and_snapshots_follow_a_model(
    backend: str,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[dict[bytes, bytes | None], bool, int, tuple[bytes, bytes | None, bool]]],
) -> None:
    with make_store(backend, tmp_path_factory.mktemp("db")) as store:
        model: Model = {}
        views: list[tuple[Reader, Model]] = [(store, model)]
        for batch, keep, drop, bounds in steps:
            store.write(batch, sync=False)
            for key, value in batch.items():
                if value is None:
                    model.pop(key, None)
                else:
                    model[key] = value
            if keep:
                views.append((store.snapshot(), dict(model)))
            if 0 < drop < len(views):
                del views[drop]  # a snapshot that is merely dropped must not disturb the others
            for reader, expected in views:
                same(reader, expected, *bounds)


def test_an_empty_value_is_a_value(store: Store) -> None:
    store.write({b"k": b""})
    assert store.get(b"k") == b""
    assert list(store.iterate(b"", None)) == [(b"k", b"")]
    store.write({b"k": None, b"missing": None}, sync=True)
    assert store.get(b"k") is None


def test_iterating_sees_the_first_step_only(store: Store) -> None:
    store.write({bytes((i,)): b"old" for i in range(100)})
    for reverse in (False, True):
        walk = store.iterate(b"", None, reverse)
        seen = [next(walk)]
        store.write({bytes((i,)): b"new" for i in range(0, 100, 2)} | {bytes((i,)): None for i in range(1, 100, 2)})
        seen += walk
        assert len(seen) == 100
        assert {value for _, value in seen} == {b"old"}
        store.write({bytes((i,)): b"old" for i in range(100)})


def test_walks_over_one_snapshot_do_not_disturb_each_other(store: Store) -> None:
    store.write({bytes((i,)): bytes((i,)) for i in range(200)})
    snapshot = store.snapshot()
    store.write({bytes((i,)): None for i in range(200)})
    up, down = snapshot.keys(b"", None), snapshot.keys(b"", None, reverse=True)
    pairs = list(zip(up, down, strict=True))
    assert pairs == [(bytes((i,)), bytes((199 - i,))) for i in range(200)]
    assert list(store.keys(b"", None)) == []
    snapshot.close()


def test_a_big_value(store: Store) -> None:
    value = bytes(range(256)) * 4096
    store.write({b"big": value}, sync=True)
    assert store.get(b"big") == value


def test_closing(store: Store) -> None:
    store.write({b"k": b"v"})
    snapshot = store.snapshot()
    snapshot.close()
    with pytest.raises(StoreError, match="closed"):
        snapshot.get(b"k")
    with pytest.raises(StoreError, match="closed"):
        list(snapshot.keys(b"", None))
    store.close()
    store.close()
    write = lambda: store.write({b"k": b"w"})  # noqa: E731
    for use in (lambda: store.get(b"k"), write, write, store.snapshot):
        with pytest.raises(StoreError, match="closed"):
            use()
    with pytest.raises(StoreError, match="closed"):
        list(store.iterate(b"", None))


def test_reading_while_another_thread_writes(store: Store) -> None:
    """Every snapshot taken in one thread shows whole batches of the other: all keys carry the same number."""
    keys = [bytes((i,)) for i in range(20)]
    store.write(dict.fromkeys(keys, b"0"))
    done, torn = Event(), []

    def read() -> None:
        while not done.is_set():
            snapshot = store.snapshot()
            got = {snapshot.get(key) for key in keys}
            walked = {value for _, value in snapshot.iterate(b"", None)}
            if len(got) != 1 or walked != got:
                torn.append((got, walked))
            snapshot.close()

    readers = [Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(300):
        store.write(dict.fromkeys(keys, b"%d" % number))
    done.set()
    for reader in readers:
        reader.join()
    assert not torn


@pytest.mark.parametrize("backend", DISK_BACKENDS)
def test_what_is_written_is_there_after_opening_again(backend: str, tmp_path: Path) -> None:
    with make_store(backend, tmp_path / "db") as store:
        store.write({b"a": b"1", b"b": b"2"})
        store.write({b"a": None}, sync=True)
    with make_store(backend, tmp_path / "db", create=False) as store:
        assert list(store.iterate(b"", None)) == [(b"b", b"2")]
        assert store.backend == backend


@pytest.mark.parametrize("backend", DISK_BACKENDS)
def test_a_database_opens_once(backend: str, tmp_path: Path) -> None:
    with (
        make_store(backend, tmp_path / "db"),
        pytest.raises(StoreLocked, match=f"{tmp_path}/db: in use by another process; stop it"),
    ):
        make_store(backend, tmp_path / "db")


def test_memory_snapshots_that_are_dropped_cost_nothing() -> None:
    store = MemoryStore()
    store.write({b"k": b"0"})
    for number in range(1000):
        store.snapshot()
        store.write({b"k": b"%d" % number})
    kept = store.snapshot()
    for number in range(1000):
        store.write({b"k": b"x%d" % number})
    assert kept.get(b"k") == b"999"
    assert kept.past() == {b"k": b"999"}


def test_memory_restore_costs_what_was_written_and_can_be_repeated() -> None:
    store = MemoryStore()
    store.write({b"%d" % i: b"old" for i in range(1000)})
    outer = store.snapshot()
    store.write({b"5": b"outer"})
    inner = store.snapshot()
    store.write({b"5": b"inner", b"6": None, b"new": b"inner"})
    assert sorted(store.restore(inner)) == [b"5", b"6", b"new"]
    assert (store.get(b"5"), store.get(b"6"), store.get(b"new")) == (b"outer", b"old", None)
    store.write({b"7": b"again"})
    assert b"7" in store.restore(inner)
    assert store.get(b"7") == b"old"
    store.restore(outer)
    assert dict(store.iterate(b"", None)) == {b"%d" % i: b"old" for i in range(1000)}
    assert inner.get(b"5") == b"outer", "a younger snapshot still shows its own moment"


def test_what_reads_keys_of_one_first_byte_sees_each_write() -> None:
    with MemoryStore() as store:
        get = store.getter(b"a")
        assert get(b"a1") is None
        assert list(store.keys(b"", None)) == []
        store.write({b"a1": b"1", b"b1": b"2"})
        assert get(b"a1") == b"1"
        assert list(store.keys(b"", None)) == [b"a1", b"b1"]
        store.write({b"a1": None})
        assert get(b"a1") is None
        assert list(store.keys(b"", None)) == [b"b1"]


def test_old_snapshots_cost_what_differs_and_not_what_came_and_went() -> None:
    store = MemoryStore()
    store.write({b"hot": b"0", b"cold": b"0"})
    old = store.snapshot()
    reader = store.snapshot()
    for number in range(500):
        store.write({b"hot": b"%d" % number, b"new%d" % number: b"x", b"new%d" % (number - 3): None})
        reader = store.snapshot()
    layers = list(old._layers())
    assert len(layers) <= 4
    assert sum(len(layer.saved) for layer in layers) < 20
    assert dict(old.iterate(b"", None)) == {b"hot": b"0", b"cold": b"0"}
    assert reader.get(b"hot") == b"499"
    store.restore(old)
    assert dict(store.iterate(b"", None)) == {b"hot": b"0", b"cold": b"0"}


def test_readers_of_old_snapshots_are_not_disturbed_by_joining() -> None:
    chance = random.Random(4)
    store = MemoryStore()
    model: Model = {}
    keys = [b"%d" % number for number in range(40)]
    held: list[tuple[Reader, Model]] = []
    wrong: list[tuple[bytes, bytes | None, bytes | None]] = []
    done = Event()

    def read(seed: int) -> None:
        mine = random.Random(seed)
        while not done.is_set():
            for snapshot, then in tuple(held):
                key = mine.choice(keys)
                found = snapshot.get(key)
                if found != then.get(key):
                    wrong.append((key, found, then.get(key)))

    threads = [Thread(target=read, args=(seed,)) for seed in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for round_ in range(1_500):
            batch = {key: chance.choice([None, b"%d" % round_]) for key in chance.sample(keys, 6)}
            store.write(batch)
            for key, value in batch.items():
                model.pop(key, None)
                if value is not None:
                    model[key] = value
            if round_ % 100 == 0:
                held.append((store.snapshot(), dict(model)))
            elif round_ % 170 == 0:
                del held[chance.randrange(len(held))]
            passing = store.snapshot()
            assert passing.get(keys[0]) == model.get(keys[0])
    finally:
        done.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert not wrong
