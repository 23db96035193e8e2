"""Load a relocatable object into executable memory, without a linker and without LLVM.

Follows POSIX mmap and mprotect: pages are writable while the image is built, then text is read-execute and all else
read-only; never is a page writable and executable. The object's bytes are not trusted to be well formed (`BadObject`),
but its code is: whoever calls an address has to know where the object came from. Runs nothing itself.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import sys
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from contractvm.errors import ContractVMError
from contractvm.native import elf, link
from contractvm.native.elf import BadObject, Machine

MACHINES: Mapping[str, Machine] = MappingProxyType({"x86_64": Machine.X86_64, "aarch64": Machine.AARCH64})
"""What the kernel calls a machine -> what an object is made for."""

_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_MAP_FAILED = 2**64 - 1
_PYBUF_WRITE = 0x200


class NoExecutableMemory(ContractVMError):
    """The system gives this process no memory for machine code: the native tier cannot serve here."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Loaded:
    """An object in memory. Its pages go when this goes: whoever uses an address keeps it.

    `symbols`: absolute addresses of the global symbols. `size`: bytes mapped.
    """

    symbols: Mapping[str, int]
    size: int


def supported() -> bool:
    """Whether this interpreter and system can run loaded objects."""
    return why_not() is None


def why_not() -> str | None:
    """The reason why objects cannot be loaded here, for people; None where they can."""
    if sys.platform != "linux":
        return f"native code is for Linux, this is {sys.platform}"
    if sys.implementation.name != "cpython" or "t" in sys.abiflags:
        return "native code is for CPython with its global lock"
    if sys.maxsize < 2**63 - 1:
        return "native code is for a 64-bit Python"
    if os.uname().machine not in MACHINES:
        return f"native code is for {' and '.join(MACHINES)}, this is {os.uname().machine}"
    if _machine() is Machine.AARCH64 and _flusher() is None:
        return "libgcc_s.so.1 is missing: native code needs its __clear_cache on this machine"
    return None


def load(data: bytes, fill: Mapping[str, bytes] = _NOTHING) -> Loaded:
    """Map an object, ready to be called.

    `fill`: content of named data symbols, no longer than the symbol, written before the pages become read-only.

    Raises:
        BadObject: the bytes are no object for this machine, see `elf` and `link`.
        NoExecutableMemory: the system is not supported, or refuses memory.
    """
    reason = why_not()
    if reason is not None:
        raise NoExecutableMemory(reason)
    obj = elf.read(data)
    if obj.machine is not _machine():
        raise BadObject(f"an object for {obj.machine.name} on {_machine().name}")
    layout = link.lay_out(obj, mmap.PAGESIZE)
    system = _system()
    base = system.map(layout.size)
    try:
        symbols = link.place(obj, layout, system.view(base, layout.size, _PYBUF_WRITE), base, fill)
        flush = _flusher()
        if flush is not None:
            flush(base, base + layout.text)
        if layout.text:
            system.protect(base, layout.text, mmap.PROT_READ | mmap.PROT_EXEC)
        if layout.size > layout.text:
            system.protect(base + layout.text, layout.size - layout.text, mmap.PROT_READ)
        loaded = Loaded(MappingProxyType(symbols), layout.size)
        # Not at exit: code that runs later than this module's end must still find its pages.
        weakref.finalize(loaded, system.unmap, base, layout.size).atexit = False
    except BaseException:
        system.unmap(base, layout.size)
        raise
    return loaded


@dataclass(frozen=True, slots=True)
class _System:
    """The C library's calls that Python has no other name for."""

    mmap: Callable[[None, int, int, int, int, int], int]
    mprotect: Callable[[int, int, int], int]
    unmap: Callable[[int, int], int]
    view: Callable[[int, int, int], memoryview]

    def map(self, size: int) -> int:
        """Address of `size` fresh writable bytes, zero.

        Raises:
            NoExecutableMemory: there are none.
        """
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        address = self.mmap(None, size, protection, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        if address == _MAP_FAILED:
            raise NoExecutableMemory(f"no {size} bytes of memory for machine code: {os.strerror(ctypes.get_errno())}")
        return address

    def protect(self, address: int, size: int, protection: int) -> None:
        """Change what may be done with whole pages.

        Raises:
            NoExecutableMemory: the system forbids it.
        """
        if self.mprotect(address, size, protection):
            code = ctypes.get_errno()
            advice = (
                "; a security policy forbids it (SELinux execmem, PaX)" if code in (errno.EACCES, errno.EPERM) else ""
            )
            raise NoExecutableMemory(f"memory cannot be made executable: {os.strerror(code)}{advice}")


@cache
def _system() -> _System:
    libc = ctypes.CDLL(None, use_errno=True)
    pointer, size, integer = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    made = ctypes.CFUNCTYPE(ctypes.c_uint64, pointer, size, integer, integer, integer, ctypes.c_long, use_errno=True)
    changed = ctypes.CFUNCTYPE(integer, pointer, size, integer, use_errno=True)
    gone = ctypes.CFUNCTYPE(integer, pointer, size)
    seen = ctypes.PYFUNCTYPE(ctypes.py_object, pointer, ctypes.c_ssize_t, integer)
    return _System(
        made(("mmap", libc)),
        changed(("mprotect", libc)),
        gone(("munmap", libc)),
        seen(("PyMemoryView_FromMemory", ctypes.pythonapi)),
    )


@cache
def _machine() -> Machine:
    return MACHINES[os.uname().machine]


@cache
def _flusher() -> Callable[[int, int], None] | None:
    """What makes written bytes visible as instructions (start, end); None where the processor does it by itself."""
    if _machine() is not Machine.AARCH64:
        return None
    try:
        libgcc = ctypes.CDLL("libgcc_s.so.1")
        return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(("__clear_cache", libgcc))
    except (OSError, AttributeError):
        return None
