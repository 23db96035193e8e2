"""Where a thread's C stack lies: on the main thread, on threads of any size, under any limit, in a fork."""

from __future__ import annotations

import functools
import itertools
import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path
from typing import TypeVar

import pytest

from contractvm.native import stack
from contractvm.native.stack import CROSSING_BYTES, MAIN_BYTES, bounds, lend, need, size
from tests.sources import ROOT
from tests.threads import on_thread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the native tier's loader is for Linux")

T = TypeVar("T")
KIB, MIB = 1 << 10, 1 << 20
PROGRAM = """
import threading
from contractvm.native.stack import bounds, size
print(size())
low, high = bounds()
text = open("/proc/self/maps").read().splitlines()
mapped = next(line for line in text if line.endswith("[stack]")).split()[0]
start, end = (int(address, 16) for address in mapped.split("-"))
assert start <= high <= end and low < high, (mapped, low, high)
thread = threading.Thread(target=lambda: print(size()))
thread.start()
thread.join()
"""


class Probe:
    """Reads a thread's stack pointer from outside, while the thread waits for the answer."""

    def __init__(self) -> None:
        self._asked, self._answered = threading.Semaphore(0), threading.Lock()
        self._answered.acquire()
        self._task, self._found = 0, 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stack_pointer(self) -> int:
        """Where the calling thread's stack has got to, plus what it takes to wait for a lock."""
        self._task = threading.get_native_id()
        self._asked.release()
        self._answered.acquire()
        return self._found

    def close(self) -> None:
        self._task = 0
        self._asked.release()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            self._asked.acquire()
            if not self._task:
                return
            # "running", or the number of a system call, its six arguments, the stack pointer and the next instruction.
            words = Path(f"/proc/self/task/{self._task}/syscall").read_text().split()
            while len(words) < 9:
                time.sleep(0.001)
                words = Path(f"/proc/self/task/{self._task}/syscall").read_text().split()
            self._found = int(words[7], 16)
            self._answered.release()


def descend(probe: Probe, levels: int) -> list[int]:
    """Stack pointers of this level and those below, each entered by a builtin that calls back into Python."""
    found = [probe.stack_pointer()]
    if not levels:
        return found
    return functools.reduce(lambda so_far, _: so_far + descend(probe, levels - 1), (0,), found)


@pytest.mark.parametrize("kib", [64, 256, 1024, 24 * 1024])
def test_a_threads_stack_is_where_its_frames_are(kib: int) -> None:
    probe = Probe()
    (low, high), pointer, again = on_thread(kib * KIB, lambda: (bounds(), probe.stack_pointer(), bounds()))
    probe.close()
    assert low < pointer < high
    assert (low, high) == again
    # No upper bound: a C library may give a thread the larger stack of one that has ended.
    assert kib * KIB - 16 * KIB <= high - low


def test_this_threads_stack_is_where_its_frames_are() -> None:
    probe = Probe()
    pointer = probe.stack_pointer()
    probe.close()
    low, high = bounds()
    assert low < pointer < high
    assert size() == high - low <= MAIN_BYTES


def test_every_thread_has_its_own() -> None:
    """Threads that live at the same time share nothing; one after another, each is looked at anew."""
    barrier = threading.Barrier(4)

    def look() -> tuple[int, int]:
        barrier.wait(10)
        return bounds()

    found: list[tuple[int, int]] = []
    threads = [threading.Thread(target=lambda: found.append(look())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted([*found, bounds()])
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))
    probe = Probe()
    for kib in (64, 512, 128, 2048, 64):
        (low, high), pointer = on_thread(kib * KIB, lambda: (bounds(), probe.stack_pointer()))
        assert low < pointer < high
    probe.close()


class Borrower:
    """Keeps bounds until told not to."""

    def __init__(self) -> None:
        self.kept: tuple[int, int] | None = None

    def borrow(self) -> None:
        self.kept = lend(self)

    def forget_stack(self) -> None:
        self.kept = None


def test_a_borrower_is_told_when_a_thread_ends() -> None:
    """Before its addresses can become another stack, that is, once it has been joined at the latest."""
    kept, short_lived = Borrower(), Borrower()
    gone = weakref.ref(short_lived)

    def borrow() -> tuple[tuple[int, int] | None, tuple[int, int]]:
        nonlocal short_lived
        kept.borrow()
        short_lived.borrow()
        del short_lived
        return kept.kept, bounds()

    known, there = on_thread(MIB, borrow)
    assert known == there != bounds()
    assert kept.kept is None
    assert gone() is None, "a thread that knows its borrowers does not keep them"
    kept.borrow()
    on_thread(MIB, bounds)
    assert kept.kept == bounds(), "another thread's end is no reason"


@pytest.mark.parametrize(
    ("limit", "main", "thread"),
    [("8192", 8 * MIB, 8 * MIB), ("1024", MIB, MIB), ("65536", 64 * MIB, 64 * MIB), ("unlimited", MAIN_BYTES, None)],
)
def test_the_process_limit(limit: str, main: int, thread: int | None) -> None:
    """The main thread's stack is as large as RLIMIT_STACK, but no larger than Linux keeps free for it."""
    command = f"ulimit -S -s {limit} && exec {sys.executable} -c '{PROGRAM}'"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    if "ulimit" in done.stderr:
        pytest.skip(f"no such limit to be had: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    sizes = [int(line) for line in done.stdout.split()]
    assert main - 64 * KIB <= sizes[0] <= main
    assert thread is None or thread - 64 * KIB <= sizes[1] <= thread


def test_a_forked_child_stands_on_the_same_stack() -> None:
    def child() -> int:
        before = bounds()
        process = os.fork()
        if process == 0:
            stack._kept.bounds = None
            os._exit(0 if bounds() == before else 1)
        return os.waitpid(process, 0)[1]

    assert on_thread(MIB, child) == 0
    assert child() == 0


def test_what_it_cannot_know_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stack._ask() == bounds()
    monkeypatch.setattr(sys, "platform", "beos")
    with pytest.raises(OSError, match="portable tier"):
        stack._ask()


def test_what_lies_between_two_contracts_is_counted() -> None:
    """From a builtin through Python to the next one takes a small part of what is set aside for it."""
    probe = Probe()
    pointers = on_thread(4 * MIB, lambda: descend(probe, 32))
    probe.close()
    steps = [one - other for one, other in itertools.pairwise(pointers)]
    assert len(steps) == 32
    assert 0 < max(steps) * 8 < CROSSING_BYTES
    assert need(262_144) == 512 * KIB + CROSSING_BYTES
