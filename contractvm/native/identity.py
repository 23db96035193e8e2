"""What an object depends on besides its code: the key under which it is cached.

An object is one machine's: made by some LLVM for some processor, and its glue for some CPython. All of them are in the
key, so that an object is never met by a process it was not made for; it is simply not found there, and another is made.
Never: imports llvmlite, whose import costs more than all else a process does with its cache.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Final

CPUINFO: Final = "/proc/cpuinfo"
CPU_FIELDS: Final = frozenset(
    (
        *("vendor_id", "cpu family", "model", "model name", "stepping", "flags"),  # x86-64
        *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features"),  # aarch64
    )
)
"""What does not change while the machine runs; clock rates and microcode are left out."""

RECORD: Final = ".dist-info"
"""How pip's record of an installed package is named, behind the version: `llvmlite-0.50.0.dist-info`."""


def cache_key(code_hash: bytes, rules_digest: bytes, generator: bytes) -> bytes:
    """The 32 bytes that name an object: of the code, under these rules, by this generator (its `sources_digest`)."""
    return digest(code_hash, rules_digest, generator, surroundings())


def digest(*parts: bytes) -> bytes:
    """SHA-256 over parts that cannot run into one another, 32 bytes."""
    whole = sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "little"))
        whole.update(part)
    return whole.digest()


@cache
def surroundings() -> bytes:
    """What this process would compile with and for, 32 bytes."""
    words = (llvmlite_version() or "none", cpu(), sys.byteorder, python_abi())
    return digest(*(word.encode() for word in words))


def python_abi() -> str:
    """Which CPython's structures the glue reads: `cpython-311`, with letters for unusual builds."""
    return f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}-{sys.maxsize:x}"


@cache
def cpu() -> str:
    """The processor: its architecture, and a digest of model and features.

    Where /proc does not tell them, the host's name stands in: then an object at least stays on its machine.
    """
    system = os.uname() if hasattr(os, "uname") else None
    if system is None:
        return "unknown"
    known = first_processor()
    lines = [line for line in known.splitlines() if line.partition(":")[0].strip() in CPU_FIELDS]
    told = "\n".join(lines) if lines else f"host {system.nodename}"
    return f"{system.machine}-{sha256(told.encode()).hexdigest()[:16]}"


def first_processor() -> str:
    """The first processor's part of /proc/cpuinfo, without the others': the kernel writes each when it is read."""
    text = b""
    try:
        with open(CPUINFO, "rb", buffering=0) as file:
            while b"\n\n" not in text and (more := file.read(4096)):
                text += more
    except OSError:
        return ""
    return text.partition(b"\n\n")[0].decode("utf-8", "replace")


@cache
def llvmlite_version() -> str | None:
    """The version of the installed llvmlite, which fixes its LLVM's; None when there is none.

    Read off the name of the folder beside the package: importlib.metadata says the same after an import of 28 ms.
    """
    spec = find_spec("llvmlite")
    if spec is None or not spec.submodule_search_locations:
        return None
    site = Path(spec.submodule_search_locations[0]).parent
    found = [name.removesuffix(RECORD).removeprefix("llvmlite-") for name in os.listdir(site) if is_record(name)]
    if len(found) == 1:
        return found[0]
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("llvmlite")
    except PackageNotFoundError:
        return f"at {site}"


def is_record(name: str) -> bool:
    """Whether a folder is pip's record of an installed llvmlite."""
    return name.startswith("llvmlite-") and name.endswith(RECORD)


def sources_digest(files: Iterable[Path]) -> bytes:
    """A digest of a generator's sources, so that what an older one made is not found. Raises: OSError."""
    named = sorted((path.name, path) for path in files)
    return digest(*(part for name, path in named for part in (name.encode(), path.read_bytes())))
