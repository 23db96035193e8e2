"""A process killed while it writes, and a disk that is full: nothing acknowledged is lost, nothing is half there."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from state.database import StateDB
from state.directory import open_store
from state.records import ACCOUNT, ACCOUNT_TRIE
from state.store import MemoryStore
from state.world import World
from tests.sources import ROOT
from tests.state.support import DISK_BACKENDS, keccak, need

# Commits blocks that each touch 20 accounts and 20 slots, and says so after each commit.
WRITER = """
import sys
from contractvm.crypto import keccak_function
from state.database import StateDB
from state.directory import open_store
from tests.state.test_crash import play
with open_store(sys.argv[1], create=True, backend=sys.argv[2]) as store:
    state = StateDB(store, keccak_function())
    print("open", -1 if state.height is None else state.height, flush=True)
    while True:
        print("kept", play(state, sync=sys.argv[3] == "sync"), flush=True)
"""


def play(state: StateDB, *, sync: bool) -> int:
    """Commit the next block, which depends on its height alone; return the height."""
    height = 0 if state.height is None else state.height + 1
    world = World(state.view())
    chance = random.Random(height)
    for _ in range(20):
        address = bytes((chance.randrange(60),)) * 20
        world.set_balance(address, height)
        world.set_storage(address, b"%d" % chance.randrange(40), chance.choice([b"", b"%d" % height]))
    state.commit(state.prepare(world, height), {b"block": b"%d" % height}, sync=sync)
    return height


def root_at(height: int) -> tuple[bytes, MemoryStore]:
    """Return the root after blocks 0 to `height`, and a store that holds them."""
    store = MemoryStore()
    state = StateDB(store, keccak)
    for _ in range(height + 1):
        play(state, sync=False)
    return state.root, store


@pytest.mark.parametrize("backend", DISK_BACKENDS)
@pytest.mark.parametrize("sync", ["sync", "lazy"])
def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path, backend: str, sync: str) -> None:
    """The short form, five kills; the chain's own tests have the long one."""
    need(backend)
    folder = tmp_path / "data"
    chance = random.Random(7)
    kept = -1
    for _ in range(5):
        command = [sys.executable, "-c", WRITER, str(folder), backend, sync]
        writer = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        word, found = writer.stdout.readline().split()
        assert word == "open"
        assert int(found) >= kept, "a block that was acknowledged before the kill is gone"
        for _ in range(chance.randrange(1, 12)):
            kept = int(writer.stdout.readline().split()[1])
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                kept = int(line.split()[1])
        writer.wait()
        writer.stdout.close()
    with open_store(folder, create=False) as store:
        state = StateDB(store, keccak)
        assert state.height is not None
        assert state.height >= kept
        assert store.get(b"block") == b"%d" % state.height, "the batch is there whole"
        root, wanted = root_at(state.height)
        assert state.root == root
        assert dict(store.iterate(ACCOUNT, b"\xff")) == dict(wanted.iterate(ACCOUNT, b"\xff"))
        assert next(store.keys(ACCOUNT_TRIE, None), None) is not None


# Writes until the file-size limit stops it, then tries again, and reports what it was told.
FILLER = """
import resource, signal, sys
from state.directory import open_store
from state.errors import StoreFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
kept = -1
with open_store(sys.argv[1], create=True, backend=sys.argv[2]) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    try:
        for number in range(1000):
            store.write({b"%d" % number: bytes(10_000), b"last": b"%d" % number}, sync=True)
            kept = number
    except StoreFull as error:
        print(kept, error)
    try:
        store.write({b"more": b"v"})
    except StoreFull as error:
        print(error)
"""


@pytest.mark.parametrize("backend", DISK_BACKENDS)
@pytest.mark.skipif(os.name != "posix", reason="limits a process's file size by setrlimit, which only POSIX has")
def test_a_full_disk_is_an_error_and_loses_nothing(tmp_path: Path, backend: str) -> None:
    need(backend)
    folder = tmp_path / "data"
    command = [sys.executable, "-c", FILLER, str(folder), backend]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    first, second = run.stdout.splitlines()
    kept, message = first.split(" ", 1)
    assert message.startswith(f"{folder}/db: the disk failed while writing")
    assert message.endswith("make room, then open it again")
    assert "an earlier write failed" in second
    assert int(kept) > 5
    with open_store(folder, create=False) as store:
        assert store.get(b"more") is None
        last = int(store.get(b"last") or b"-1")
        assert last >= int(kept)
        assert all(store.get(b"%d" % number) == bytes(10_000) for number in range(last + 1))
        assert store.get(b"%d" % (last + 1)) is None, "half a batch"
        store.write({b"more": b"v"}, sync=True)
        assert store.get(b"more") == b"v"


def test_a_commit_that_fails_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    state = StateDB(store, keccak)
    play(state, sync=False)
    rows, root = dict(store.iterate(b"", None)), state.root

    def refuse(_: object, __: object = False) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write", refuse)
    with pytest.raises(OSError, match="No space"):
        play(state, sync=False)
    monkeypatch.undo()
    assert (state.height, state.root) == (0, root)
    assert dict(store.iterate(b"", None)) == rows
    assert play(state, sync=False) == 1
    assert state.root == root_at(1)[0]
