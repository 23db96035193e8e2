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
import struct
import sys
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError
from contractvm.native import image
from contractvm.native.elf import BadObject, Machine

MACHINES: Mapping[str, Machine] = MappingProxyType({"x86_64": Machine.X86_64, "aarch64": Machine.AARCH64})
"""What the kernel calls a machine -> what an object is made for."""

_ADDRESS = struct.Struct("<Q")
_NOTHING: Mapping[str, bytes] = MappingProxyType({})
_MAP_FAILED = 2**64 - 1
_PYBUF_WRITE = 0x200


class NoExecutableMemory(ContractVMError):
    """The system gives this process no memory for machine code: the native tier cannot serve here."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Loaded:
    """An object in memory. Its pages go when this goes: whoever uses an address keeps it.

    `symbols`: absolute addresses of the global symbols. `size`: bytes mapped. `pages`: what holds the mapping, by
    reference counts alone: a builtin made of a method table in it must hold it as its module, since the collector may
    clear everything else of a cycle before the builtin, which reads its table once more when it goes.
    """

    symbols: Mapping[str, int]
    size: int
    pages: mmap.mmap


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
    """Map an object, ready to be called: a linked one, or one as LLVM makes them, which is linked first.

    `fill`: content of named data symbols, no longer than the symbol, written before the pages become read-only.

    Raises:
        BadObject: the bytes are no object for this machine, see `image`, `elf` and `link`.
        NoExecutableMemory: the system is not supported, or refuses memory.
    """
    reason = why_not()
    if reason is not None:
        raise NoExecutableMemory(reason)
    made = image.read(data if data.startswith(image.MAGIC) else image.made(data, mmap.PAGESIZE))
    if made.machine is not _machine():
        raise BadObject(f"an object for {made.machine.name} on {_machine().name}")
    if made.page != mmap.PAGESIZE:
        raise BadObject(f"an object for pages of {made.page} bytes, not {mmap.PAGESIZE}")
    pages = _fresh(made.size)
    base = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    pages[: len(made.content)] = made.content
    put = _ADDRESS.pack_into
    for place, value in zip(made.places, made.values, strict=True):
        put(pages, place, base + value)
    for name, content in fill.items():
        _fill(made, pages, name, content)
    flush = _flusher()
    if flush is not None:
        flush(base, base + made.text)
    if made.text:
        _protect(base, made.text, mmap.PROT_READ | mmap.PROT_EXEC)
    if made.size > made.text:
        _protect(base + made.text, made.size - made.text, mmap.PROT_READ)
    symbols = {name: base + at for name, (at, _) in made.symbols.items()}
    return Loaded(MappingProxyType(symbols), made.size, pages)


def _fill(made: image.Image, pages: mmap.mmap, name: str, content: bytes) -> None:
    """Write the content of a data symbol. Raises: BadObject when it finds no room."""
    at, size = made.symbols.get(name, (0, -1))
    if size < 0:
        raise BadObject(f"the object has no symbol {name!r} to fill")
    if at < made.text or len(content) > size:
        raise BadObject(f"symbol {name!r} is no data of {len(content)} bytes or more")
    pages[at : at + len(content)] = content


def _fresh(size: int) -> mmap.mmap:
    """Map `size` fresh writable bytes, zero. Raises: NoExecutableMemory when there are none."""
    # All of it is written at once: given page by page, each first touch of one would be an interruption.
    flags, protection = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE, mmap.PROT_READ | mmap.PROT_WRITE
    try:
        return mmap.mmap(-1, size, flags=flags, prot=protection)
    except OSError as error:
        raise NoExecutableMemory(f"no {size} bytes of memory for machine code: {error}") from error


def _protect(address: int, size: int, protection: int) -> None:
    """Change what may be done with whole pages.

    Raises:
        NoExecutableMemory: the system forbids it.
    """
    if _mprotect()(address, size, protection):
        code = ctypes.get_errno()
        advice = "; a security policy forbids it (SELinux execmem, PaX)" if code in (errno.EACCES, errno.EPERM) else ""
        raise NoExecutableMemory(f"memory cannot be made executable: {os.strerror(code)}{advice}")


@cache
def _mprotect() -> Callable[[int, int, int], int]:
    """The C library's mprotect(address, size, protection)."""
    made = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, use_errno=True)
    return made(("mprotect", ctypes.CDLL(None, use_errno=True)))


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
