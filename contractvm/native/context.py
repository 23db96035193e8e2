"""What compiled code finds in its hands: the context of an instance, and the table of functions it calls.

A context is a block of 64-bit fields that belongs to one instance; compiled code gets its address as first argument.
Its first part is the same for every machine (`FIELDS`), what follows is the machine's. Compiled code names no symbol
outside its object: whatever it needs of CPython and libc it calls through `API`, an array of pointers that the loader
writes into the object before it is protected. Every function there is part of CPython's exported C API in all versions
from 3.11 on, so an object does not depend on the version.

Never: imports LLVM, a machine, or the loader.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

FIELDS: Final = (
    "reserve",  # milligas not handed over yet
    "slice",  # milligas handed over at once
    "trap",  # why a call failed: 0, a code of TRAPS, or EXCEPTION
    "trap_gas",  # milligas that the failing code held
    "noted",  # places noted in `trace`
    "base",  # address of the memory's first byte
    "size",  # bytes of memory
    "memory",  # the bytearray
    "cell",  # the meter's cell
    "host",  # first argument of a contract's host functions
    "tick",  # called when a slice is used up
    "fail",  # called to raise what `trap` says
    "room",  # called when the thread's stack is not the one known; updates `stack_low` and `stack_high`
    "stack_low",  # lowest address of the thread's stack
    "stack_high",
    "stack_need",  # bytes that must be left to enter
    "held",  # a dict that keeps alive what compiled code refers to
    "indirect",  # called for `call_indirect` where the fast path does not serve
    "leave",  # called for a tail call to a function of the host or of another instance
    "leave_indirect",  # called for a tail call through a table, where the fast path does not serve
    "reenter",  # called for a call of a function that may leave so: only Python follows it
    "output",  # where in memory the output of a frame that has ended by itself lies
    "output_size",
)
TAIL_CALL: Final = 1 << 23
"""In a place noted: the call that failed was a tail call."""
TRACE_LENGTH: Final = 32
"""Places noted of a failing call, the innermost first."""
WORD: Final = 8
OFFSET: Final[Mapping[str, int]] = MappingProxyType({name: WORD * n for n, name in enumerate(FIELDS)})
"""Bytes from the start of a context to a field."""
TRACE: Final = WORD * len(FIELDS)
SPILL: Final = TRACE + WORD * TRACE_LENGTH
"""Where code that fails leaves what finding out why takes."""
REPLAY_WORDS: Final = 40
HEADER: Final = SPILL + WORD * REPLAY_WORDS
"""Bytes that all machines' contexts share."""

FAILED: Final = -(1 << 62)
"""What a call returns in place of its gas when it did not end well. Not the smallest integer: what is charged to it
before anybody looks must not wrap around."""
MOST_GAS: Final = 1 << 61
"""Milligas that compiled code can count."""

OUT_OF_GAS, UNREACHABLE, DIVIDE_BY_ZERO, OVERFLOW, MEMORY, STACK, NO_ROOM, EXCEPTION, REPLAY = range(1, 10)
"""Codes of the field `trap`. EXCEPTION: a Python exception is set. NO_ROOM: nothing ran, the stack is used up.
REPLAY: which trap it is has to be found out from what was left at SPILL."""
FINISHED, REVERTED = 10, 11
"""Codes of `trap` that are no fault: the frame has ended itself, and its output lies in memory. The entry returns the
output of one that FINISHED."""

SLICE: Final = 10_000_000_000
"""Milligas between two looks at signals and waiting threads: about 10 ms."""

FUNCTIONS: Final = (
    "PyByteArray_AsString",
    "PyByteArray_Size",
    "PyCell_Get",
    "PyCell_Set",
    "PyLong_FromLongLong",
    "PyLong_FromUnsignedLongLong",
    "PyLong_AsLongLong",
    "PyLong_AsUnsignedLongLongMask",
    "PyLong_FromVoidPtr",
    "PyObject_Vectorcall",
    "PyErr_Occurred",
    "PyErr_SetString",
    "PyBytes_FromStringAndSize",
    "PyTuple_New",
    "PyTuple_SetItem",
    "PyTuple_GetItem",
    "PyDict_SetItem",
    "PyMemoryView_FromObject",
    "Py_IncRef",
    "Py_DecRef",
)
OBJECTS: Final = ("_Py_NoneStruct", "PyExc_TypeError")
LIBC: Final = ("memmove", "memset")
API: Final = (*FUNCTIONS, *OBJECTS, *LIBC)
API_SYMBOL: Final = "contractvm.api"
METHODS_SYMBOL: Final = "contractvm.methods"
"""Array of PyMethodDef, one for each function that can be entered from outside, in the machine's order."""
METHOD_BYTES: Final = 32


@cache
def api() -> bytes:
    """The addresses that `API` names, as an object's array wants them."""
    libc = ctypes.CDLL(None)
    addresses = [_address(ctypes.pythonapi, name) for name in FUNCTIONS]
    addresses += [ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, name)) for name in OBJECTS]
    addresses += [_address(libc, name) for name in LIBC]
    # An exception class is known by a variable that holds it.
    at = FUNCTIONS.__len__() + OBJECTS.index("PyExc_TypeError")
    addresses[at] = ctypes.c_void_p.in_dll(ctypes.pythonapi, "PyExc_TypeError").value or 0
    return struct.pack(f"<{len(addresses)}Q", *addresses)


def _address(library: ctypes.CDLL, name: str) -> int:
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
