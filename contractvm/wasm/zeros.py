"""Zero bytes in a bytearray, in place: the pages of a linear memory when it grows, and when it is used again.

In Python alone they are an assignment from other zeros. Those must be there first, a call's `bytes(n)` in pages fresh
from the system from some hundred kilobytes on, and are copied twice: growing by 64 pages takes a hundred times as
long, clearing two pages four times. So CPython's `PyByteArray_Resize` and C's `memset` do it; a single page, what most
contracts have, takes less time to be made anew in the same object than the two calls take to get there.
Never: keeps an address. Any change of length may move the bytes, and so may `renew`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

SMALL = 65_536
"""Bytes that are made anew. More would go back to the system meanwhile, and come from it page fault by page fault."""
_make: Final = bytearray.__init__


def renew(data: bytearray, size: int) -> None:
    """Leave so many bytes, all zero, of data that are as long or longer.

    Raises: BufferError, when somebody has a view of data that are small or too long.
    """
    if size <= SMALL:
        _make(data, size)
        return
    if len(data) > size:
        del data[size:]
    address, memset, _ = _functions()
    memset(address(data), 0, size)


def extend(data: bytearray, count: int) -> None:
    """Add zero bytes at the end. Raises: BufferError while somebody has a view of the data, MemoryError."""
    address, memset, resize = _functions()
    size = len(data)
    resize(data, size + count)
    memset(address(data) + size, 0, count)


@cache
def _functions() -> tuple[
    Callable[[bytearray], int], Callable[[int, int, int], object], Callable[[bytearray, int], object]
]:
    """Where a bytearray's bytes are; C's memset; what changes a bytearray's length."""
    import ctypes  # only an execution needs it, an import of contractvm should not pay for it

    address = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(("PyByteArray_AsString", ctypes.pythonapi))
    found = ctypes.cast(ctypes.memset, ctypes.c_void_p).value or 0
    memset = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)(found)
    kind = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_ssize_t)
    return address, memset, kind(("PyByteArray_Resize", ctypes.pythonapi))
