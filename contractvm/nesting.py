"""Deep chains of contract calls: a fresh thread every few frames, and a recursion limit that fits what one may need.

A contract call's own depth is bounded by `Rules` (frame weights), the number of calls in each other by `call_depth`;
both far above what one stack is good for. So the outermost `FRAMES_ON_CALLER` calls stay on the thread that the
execution started on, and every further `FRAMES_A_THREAD` continue on a thread of their own, a leg, while their caller
waits. Compiled code takes real stack, so legs are sized for it, and a caller whose own stack is too small for its share
runs nothing but legs. `RaisedRecursionLimit` lifts Python's limit while executions are in flight.
Never: decides an outcome. Depth is counted elsewhere; running out of threads or stack is `Fatal`. Asks which tier runs.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Final, TypeVar

from contractvm.errors import Fatal
from contractvm.native import stack
from contractvm.rules import Limits

FRAMES_A_THREAD: Final = 32
"""Contract calls nested on one leg."""
FRAMES_ON_CALLER: Final = 8
"""Contract calls nested on the thread that an execution starts on: what fits the usual 8 MiB beside what is on it."""
SPARE_BYTES: Final = 1 << 20
"""Of a thread's C stack that no contract call counts on: what the caller has used already, and a thread's own start."""
PYTHON_FRAMES_A_CALL: Final = 24_000
"""More Python frames than any one contract call can have open: the stack weight allows 4,096 wasm calls, each of at
most five Python ones (two stubs, the loop for tail calls, a tail call, the function)."""
RECURSION_LIMIT: Final = FRAMES_A_THREAD * PYTHON_FRAMES_A_CALL
PAGE_BYTES: Final = 65_536
"""The largest page that a system of ours has; a stack is a whole number of them."""
RETRY_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 1.0

A = TypeVar("A")
R = TypeVar("R")

# Thread stack size and recursion limit belong to the process, so what guards them does too.
_stack_size_lock = threading.Lock()


@cache
def stack_bytes(frames: int, weight: int) -> int:
    """Of C stack for so many nested contract calls, each of which may use the whole of a budget of frame weights."""
    return frames * stack.need(weight) + SPARE_BYTES


STACK_BYTES: Final = stack_bytes(FRAMES_A_THREAD, Limits().stack_weight)
"""Address space of a leg's C stack under a chain's rules: 21 MiB. Calls in Python touch less than 128 KiB of it, and
untouched pages cost nothing."""


def roomy(wanted: int) -> bool:
    """Whether the calling thread's whole stack has as many bytes. Where nobody can say, nothing native runs: it has."""
    if sys.platform != "linux":
        return True
    try:
        return stack.size() >= wanted
    except OSError:
        return False  # A main thread without /proc. The threads it starts know where they stand.


def on_fresh_thread(function: Callable[[A], R], argument: A, wanted: int) -> R:
    """Return `function(argument)`, run on a leg of its own with `wanted` bytes of C stack.

    For a thread whose stack is large enough but used up by others. Raises: whatever the function raises; Fatal when no
    thread can be had.
    """
    return Legs(wanted).run(function, argument)


class _Raised:
    """The limit that executions in flight share, what it was before the first of them, and how many they are."""

    __slots__ = ("before", "inside", "limit", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = self.before = self.limit = 0


_raised = _Raised()  # not on the class: a class that changes makes every look at it slow


class RaisedRecursionLimit:
    """`with`: Python's recursion limit is at least `RECURSION_LIMIT`; the last to leave puts the old one back.

    The limit is the process's own, and so is the count of those inside.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        raised = _raised
        with raised.lock:
            if not raised.inside:
                raised.before = before = sys.getrecursionlimit()
                raised.limit = RECURSION_LIMIT if before < RECURSION_LIMIT else before
                sys.setrecursionlimit(raised.limit)
            raised.inside += 1

    def __exit__(self, *_: object) -> None:
        raised = _raised
        with raised.lock:
            raised.inside -= 1
            if not raised.inside and sys.getrecursionlimit() == raised.limit:
                sys.setrecursionlimit(raised.before)


def untie(error: BaseException) -> None:
    """Take an error's traceback from it and free its frames one by one.

    Freed by the interpreter, thousands of frames in each other recurse in C (CPython 3.13): more than a small thread's
    stack holds. For errors that are a contract's doing, whose place is known by other means.
    """
    entries = []
    entry, error.__traceback__ = error.__traceback__, None
    while entry is not None:
        entries.append(entry)
        entry = entry.tb_next
    for entry in entries:
        entry.tb_next = None
    entry = None
    while entries:  # the innermost first: its frame holds the others
        entries.pop()


class Legs:
    """The threads that one execution's chain of calls stands on, the deepest last."""

    __slots__ = ("_idents", "_stack_bytes")

    def __init__(self, stack_bytes: int = STACK_BYTES) -> None:
        """`stack_bytes`: of C stack for each leg."""
        self._idents: list[int] = []
        self._stack_bytes = stack_bytes

    def run(self, function: Callable[[A], R], argument: A) -> R:
        """Return `function(argument)`, run on a fresh thread while this one waits.

        Whatever it raises is raised here. An interrupt of the waiting thread is passed on to the deepest leg, which
        alone is running, and leaves here when the legs have unwound. Raises: Fatal when no thread can be had.
        """
        box: list[R] = []
        failure: list[BaseException] = []
        done = threading.Lock()
        done.acquire()

        def leg() -> None:
            self._idents.append(threading.get_ident())
            try:
                box.append(function(argument))
            except BaseException as error:  # noqa: BLE001 - it is not handled here but carried to the waiting thread
                failure.append(error)
            finally:
                self._idents.pop()
                done.release()

        thread = threading.Thread(target=leg, name="contract calls", daemon=True)
        try:
            start_sized(thread, self._stack_bytes)
        except RuntimeError as error:
            raise Fatal(f"no thread for a deeper contract call: {error}; raise the process's limits") from error
        try:
            _wait(thread, done)
        except BaseException:
            while not self._end(thread, done):
                pass
            raise
        if failure:
            raise failure[0]
        if not box:
            raise Fatal("a thread of a contract call ended without a result")
        return box[0]

    def _end(self, thread: threading.Thread, done: threading.Lock) -> bool:
        """Interrupt the deepest leg; whether this thread's own has ended soon after."""
        # Whoever waits may be told again, by an impatient user or by a thread that waits for it in turn. It must not
        # leave before its legs have: they are at work on its data.
        try:
            self._interrupt_deepest()
            return done.acquire(timeout=RETRY_SECONDS) or not thread.is_alive()
        except KeyboardInterrupt:
            return False

    def _interrupt_deepest(self) -> None:
        # Only an interrupted run pays for importing ctypes; a leg that waits for a deeper one would not notice.
        import ctypes

        idents = self._idents[-1:]
        for ident in idents:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(KeyboardInterrupt))


def _wait(thread: threading.Thread, done: threading.Lock) -> None:
    """Wait for a leg. Not `Thread.join`: interrupted, it takes a running thread for ended (CPython before 3.13)."""
    # An interrupt that strikes a leg in its last lines can keep it from releasing `done`; hence the look.
    while not done.acquire(timeout=LOOK_SECONDS):
        if not thread.is_alive():
            return


def start_sized(thread: threading.Thread, stack_bytes: int) -> None:
    """Start a thread with that many bytes of C stack, rounded up to whole pages; 0 for the system's own choice.

    The size is the process's setting, so that it is set and put back under a lock. Raises: RuntimeError from
    `Thread.start`.
    """
    with _stack_size_lock:
        before = threading.stack_size(-(-stack_bytes // PAGE_BYTES) * PAGE_BYTES)
        try:
            thread.start()
        finally:
            threading.stack_size(before)
