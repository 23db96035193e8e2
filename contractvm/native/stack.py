"""The C stack under native code: where the calling thread's lies, and how much of it compiled code may ask for.

Compiled wasm keeps its frames on the thread's own stack, where running over ends the process. So the frames of an
object are measured when it is made (`STACK_RATIO`), threads are sized for them (`contractvm.nesting`), and the entry
of every native call compares its stack pointer with `bounds` and refuses when less than its need is left.
Source: pthread_getattr_np(3), setrlimit(2) RLIMIT_STACK; Linux, Documentation/mm (a stack keeps a gap to its
neighbours). Never: switches stacks, or decides an outcome; where depth ends is counted in frame weights.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Final, Protocol
from weakref import WeakSet

STACK_RATIO: Final = 2
"""Bytes of native stack that a wasm frame may take for each unit of its weight; a larger frame refuses the object."""
CROSSING_BYTES: Final = 128 << 10
"""Of C stack for whatever else runs in a contract's frame: the way from one contract's native code to the next one's,
or a host function at its deepest (a database's read, a signature's check), and the reserve of 32 KiB that Python 3.14
keeps. The way takes under 1 KiB, RocksDB's reads some 44 KiB, more than any other host function."""
MAIN_BYTES: Final = 64 << 20
"""Of the main thread's stack, no more counts than this. Its pages are not reserved: Linux keeps other mappings at least
128 MiB away, whatever a limit raised later may promise."""
ATTRIBUTES_BYTES: Final = 256
"""Room for a pthread_attr_t, whose size differs between C libraries (at most 64 bytes so far)."""


def need(weight: int) -> int:
    """Bytes of C stack that one native call with this budget of frame weights can take, the way to it included."""
    return weight * STACK_RATIO + CROSSING_BYTES


def bounds() -> tuple[int, int]:
    """Lowest and highest address of the calling thread's stack; it grows down from the second to the first.

    Asked once a thread, then kept as long as the thread lives: a soft RLIMIT_STACK that the process lowers below what
    it had is not noticed on its main thread. A stack pointer outside of these bounds is on no stack that this knows.
    Raises: OSError when they cannot be had: on a system other than Linux, or on a main thread without /proc.
    """
    return _kept.bounds or _look()[0]


def size() -> int:
    """Bytes of the calling thread's whole stack, used or not. Raises: OSError, as `bounds`."""
    return _kept.size or _look()[1]


class Borrower(Protocol):
    """Keeps what `lend` told it until it is told to forget. It is hashed by identity and can be referred to weakly."""

    def forget_stack(self) -> None:
        """The thread has ended; its addresses may become another, smaller stack."""


def lend(borrower: Borrower) -> tuple[int, int]:
    """`bounds`, for whoever keeps them beyond this call; it is not kept alive. Raises: OSError, as `bounds`."""
    found = bounds()
    borrowers = _kept.borrowers
    if borrowers is None:
        borrowers = _kept.borrowers = _Borrowers()
    borrowers.known.add(borrower)
    return found


class _Borrowers:
    """Those who know a thread's bounds. It belongs to the thread alone, and so it ends with it."""

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: WeakSet[Borrower] = WeakSet()

    def __del__(self) -> None:
        if sys.is_finalizing():
            return  # nothing will run any more, and what this stands on may be gone
        for borrower in list(self.known):
            borrower.forget_stack()


class _Kept(threading.local):
    """What each thread has found out about itself. It is gone when the thread is."""

    bounds: tuple[int, int] | None = None
    size: int = 0
    borrowers: _Borrowers | None = None


def _look() -> tuple[tuple[int, int], int]:
    """Find out about the calling thread. Return its stack's bounds and size. Raises: OSError."""
    low, high = _kept.bounds = _ask()
    _kept.size = high - low
    return (low, high), high - low


def _ask() -> tuple[int, int]:
    """`bounds`, from the C library. Raises: OSError."""
    if sys.platform != "linux":
        raise OSError(f"where a thread's stack lies is not known on {sys.platform}; use the portable tier")
    # Only an execution needs ctypes, and an import of contractvm should not pay for it.
    import ctypes

    library = ctypes.pythonapi
    attributes = ctypes.create_string_buffer(ATTRIBUTES_BYTES)
    # On Linux a thread's identity in Python is its pthread_t.
    error = library.pthread_getattr_np(ctypes.c_void_p(threading.get_ident()), attributes)
    if error:
        raise OSError(error, f"pthread_getattr_np: {os.strerror(error)}; is /proc mounted?")
    address, length, guard = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_size_t()
    try:
        for error in (
            library.pthread_attr_getstack(attributes, ctypes.byref(address), ctypes.byref(length)),
            library.pthread_attr_getguardsize(attributes, ctypes.byref(guard)),
        ):
            if error:
                raise OSError(error, f"a thread's stack: {os.strerror(error)}")
    finally:
        library.pthread_attr_destroy(attributes)
    # Older C libraries count the guard pages as part of the stack. Leaving them out twice costs a page.
    low, high = (address.value or 0) + guard.value, (address.value or 0) + length.value
    if threading.get_native_id() == os.getpid():
        low = max(low, high - MAIN_BYTES)
    return low, high


# Facts about the calling thread, not about what it computes: there is nobody to hand them down.
_kept = _Kept()
