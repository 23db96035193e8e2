"""The record cache: bounded, keeps what is used, and never changes a root."""

import random

from state.cache import Cache
from state.database import StateDB
from state.store import MemoryStore
from state.world import World
from tests.state.support import keccak


def nothing(key: bytes) -> None:
    """Has no record."""


def test_what_is_used_stays_and_the_rest_goes() -> None:
    cache = Cache(100_000, nothing)
    for number in range(10_000):
        cache.update({b"%d" % number: bytes(100)})
        assert cache.get(b"0") == bytes(100)
    assert cache.get(b"5") is None
    assert cache.get(b"9999") == bytes(100)
    kept = sum(cache.get(b"%d" % number) is not None for number in range(10_000))
    assert kept * 300 < 110_000


def test_dropped_records_are_gone_from_both_generations() -> None:
    cache = Cache(4000, nothing)
    for number in range(12):
        cache.update({b"%d" % number: bytes(100)})
    for number in range(12):
        cache.update({b"%d" % number: None})
    assert all(cache.get(b"%d" % number) is None for number in range(12))
    cache.update({b"k": b"v"})
    cache.clear()
    assert cache.get(b"k") is None


def test_what_is_not_here_is_read_from_below_and_kept() -> None:
    asked: list[bytes] = []

    def below(key: bytes) -> bytes | None:
        asked.append(key)
        return b"v" if key == b"k" else None

    cache = Cache(4000, below)
    assert [cache.get(key) for key in (b"k", b"k", b"none", b"none")] == [b"v", b"v", None, None]
    assert asked == [b"k", b"none", b"none"]


def test_a_newer_record_hides_an_older_one() -> None:
    cache = Cache(2000, nothing)
    cache.update({b"k": b"old"})
    for number in range(4):
        cache.update({b"%d" % number: bytes(100)})  # "k" is of the old generation now
    cache.update({b"k": b"new"})
    assert cache.get(b"k") == b"new"
    for number in range(40):
        cache.update({b"%d" % number: bytes(100)})
    assert cache.get(b"k") in (None, b"new")


def test_a_batch_leaves_no_more_than_its_last_records() -> None:
    cache = Cache(4000, nothing)
    cache.update({b"%d" % number: bytes(100) for number in range(100)})
    kept = [number for number in range(100) if cache.get(b"%d" % number) is not None]
    assert kept[-1] == 99
    assert len(kept) * 300 < 4500


class Disk(MemoryStore):
    """A store whose trie records are cached, as those of a store on disk are."""

    backend = "disk"


def test_roots_do_not_depend_on_the_cache() -> None:
    """Small enough that every block evicts; accounts come and go, so that records are written, dropped, and read."""
    roots = []
    for size in (0, 3000, 1 << 20):
        state = StateDB(Disk(), keccak, cache_bytes=size)
        chance = random.Random(3)
        for height in range(40):
            world = World(state.view())
            for _ in range(30):
                address = bytes((chance.randrange(200),)) * 20
                if chance.random() < 0.3:
                    world.destroy(address)
                else:
                    world.set_balance(address, chance.randrange(1, 1000))
            world.end_transaction()
            state.commit(state.prepare(world, height))
        roots.append(state.root)
    assert roots[0] == roots[1] == roots[2]
