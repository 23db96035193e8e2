"""What the state costs: the root by leaf at three sizes, from memory and from disk, opening again, and memory held.

Every figure is measured in a process of its own, so that one measurement's memory and caches are not another's. A
root's time is that of `Trie.update`: hashing the keys, reading and changing the branches, hashing them; the block's is
everything from an empty world to the synced batch. The peer of a root in memory is the same trie changed key by key,
as one that recomputes its root at every write does it. Never: asserts; the targets stand beside the figures.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from contractvm.crypto import keccak_function
from state.database import StateDB
from state.directory import open_store
from state.records import ACCOUNT_TRIE
from state.store import MemoryStore
from state.trie import Trie
from state.world import World
from tests.bench.report import Row

ROOT = Path(__file__).parents[2]
SIZES = (10_000, 100_000, 1_000_000)
BLOCKS, UPDATES = 21, 1_000
BUILD = 10_000  # accounts a block while building; more would make building the largest thing in memory


def run() -> Sequence[Row]:
    """Measure everything; minutes, most of them building a million accounts."""
    return list(_rows())


def _rows() -> Iterator[Row]:
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            kept = _child("build", folder, size)
            yield Row(f"building {size:,} accounts", kept["leaf"], "us a leaf, commit included")
            disk = _child("disk", folder, size)
            target = "30 us" if size == SIZES[-1] else None
            yield Row(f"root, {size:,} accounts, nodes from disk", disk["root"], "us a leaf", target=target)
            yield Row(f"block of {UPDATES:,}, {size:,} accounts, from disk, synced", disk["block"], "us an account")
            target = "300 MB" if size == SIZES[-1] else None
            yield Row(f"process, {size:,} accounts, from disk", disk["rss"], "MB", target=target)
            warm = _child("warm", folder, size)
            name = f"root, {size:,} accounts, nodes in memory"
            yield Row(name, warm["root"], "us a leaf", "key by key", warm["single"], target="15 us")
            if size == SIZES[-1]:
                again = _child("restart", folder, size)
                yield Row(f"open, read head and an account, {size:,} accounts", again["open"], "s", target="1 s")
    yield Row(
        "snapshot and revert of a few writes in memory", _child("restore", "", 0)["restore"], "us", target="100 us"
    )


def _child(what: str, folder: str, size: int) -> dict[str, float]:
    """Measure one thing in a new process."""
    command = [sys.executable, "-m", "tests.bench.state", what, folder, str(size)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _address(number: int) -> bytes:
    return b"%020d" % number


def _build(folder: Path, size: int) -> dict[str, float]:
    keccak = keccak_function()
    start = time.perf_counter()
    with open_store(folder, create=True) as store:
        state = StateDB(store, keccak)
        for low in range(0, size, BUILD):
            world = World(state.view())
            for number in range(low, min(low + BUILD, size)):
                world.set_balance(_address(number), 10**18 + number)
            state.commit(state.prepare(world, low // BUILD))
    return {"leaf": (time.perf_counter() - start) / size * 1e6}


class _RootClock:
    """Adds up the time spent in `Trie.update`, from now on and in this process."""

    def __init__(self) -> None:
        self.seconds = 0.0
        update = Trie.update

        def timed(trie: Trie, changes: Mapping[bytes, bytes | None], writes: dict[bytes, bytes | None]) -> bytes:
            start = time.perf_counter()
            try:
                return update(trie, changes, writes)
            finally:
                self.seconds += time.perf_counter() - start

        setattr(Trie, "update", timed)  # noqa: B010 - a measuring process of its own may


def _disk(folder: Path, size: int) -> dict[str, float]:
    """Blocks of random transfers on a process that begins with nothing in memory."""
    with open_store(folder, create=False) as store:
        clock = _RootClock()
        state = StateDB(store, keccak_function())
        times = [_block(state, clock, size) for _ in range(BLOCKS)]
    root, whole = (sorted(column)[BLOCKS // 2] for column in zip(*times, strict=True))
    return {"root": root / UPDATES * 1e6, "block": whole / UPDATES * 1e6, "rss": _peak()}


def _peak() -> float:
    """The most memory that this process has held, in MB.

    Linux counts what a process held before `exec` into `ru_maxrss`: of a child that is its parent's peak, so it is
    asked for the peak of this program's memory alone.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    (peak,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def _block(state: StateDB, clock: _RootClock, size: int) -> tuple[float, float]:
    """Return the seconds that a block's root took, and the whole of it: world, root, batch, sync."""
    height = (state.height or 0) + 1
    chance = random.Random(height)
    start, before = time.perf_counter(), clock.seconds
    world = World(state.view())
    for _ in range(UPDATES):
        world.set_balance(_address(chance.randrange(size)), chance.randrange(10**20))
    state.commit(state.prepare(world, height), sync=True)
    return clock.seconds - before, time.perf_counter() - start


def _warm(folder: Path, size: int) -> dict[str, float]:
    """The root alone, with the records it needs already read: the second time over the same accounts."""
    keccak = keccak_function()
    with open_store(folder, create=False) as store:
        chance = random.Random(size)
        records: dict[bytes, bytes | None] = {}

        def read(key: bytes) -> bytes | None:
            if key not in records:
                records[key] = store.get(key)
            return records[key]

        trie = Trie(read, ACCOUNT_TRIE, lambda key: None, keccak)
        changes: dict[bytes, bytes | None] = {}
        times = []
        for _ in range(BLOCKS):
            changes = {_address(chance.randrange(size)): chance.randbytes(110) for _ in range(UPDATES)}
            trie.update(changes, {})
            start = time.perf_counter()
            trie.update(changes, {})
            times.append((time.perf_counter() - start) / len(changes))
        start = time.perf_counter()
        for key, value in changes.items():
            writes: dict[bytes, bytes | None] = {}
            trie.update({key: value}, writes)
            records.update(writes)
        single = (time.perf_counter() - start) / len(changes)
    return {"root": sorted(times)[BLOCKS // 2] * 1e6, "single": single * 1e6}


def _restart(folder: Path, size: int) -> dict[str, float]:
    start = time.perf_counter()
    with open_store(folder, create=False) as store:
        state = StateDB(store, keccak_function())
        account = state.view().account(_address(size // 2))
        took = time.perf_counter() - start
    if account is None:
        raise LookupError(f"account {size // 2} is gone")
    return {"open": took}


def _restore() -> dict[str, float]:
    """A test's snapshot and revert: a block of four writes between them."""
    state = StateDB(MemoryStore(), keccak_function())
    world = World(state.view())
    for number in range(1000):
        world.set_balance(_address(number), number)
    state.commit(state.prepare(world, 0))
    times = []
    for turn in range(201):
        start = time.perf_counter()
        point = state.snapshot()
        taken = time.perf_counter() - start
        world = World(state.view())
        for number in range(4):
            world.set_balance(_address(turn * 4 + number), 7)
        state.commit(state.prepare(world, 1))
        start = time.perf_counter()
        state.restore(point)
        times.append(taken + time.perf_counter() - start)
    return {"restore": sorted(times)[100] * 1e6}


def _measure(what: str, folder: str, size: int) -> dict[str, float]:
    if what == "restore":
        return _restore()
    return {"build": _build, "disk": _disk, "warm": _warm, "restart": _restart}[what](Path(folder), size)


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
