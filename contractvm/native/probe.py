"""The smallest thing to compile: whether worker, LLVM, loader and executable memory work here, told by trying.

A generator as a machine has one, whose module is a single function that adds a constant. Never: imports LLVM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contractvm.errors import ContractVMError
from contractvm.native import loader
from contractvm.native.protocol import Job
from contractvm.native.translation import Translation

NAME: Final = "contractvm_probe"
STACK: Final = 256
"""Bytes that an addition may take, whatever the pipeline thinks of it."""
ADDEND: Final = 40_030_201
ARGUMENT: Final = 1 << 40


class ProbeFailed(ContractVMError):
    """What was compiled runs and is wrong."""


def generate(payload: bytes) -> Translation:
    """A function that adds the number in `payload` (little-endian) to its argument, modulo 2**64."""
    addend = int.from_bytes(payload, "little")
    ir = f"define i64 @{NAME}(i64 %x) uwtable {{\n  %sum = add i64 %x, {addend}\n  ret i64 %sum\n}}\n"
    return Translation(ir, {NAME: STACK})


def job() -> Job:
    """The probe as a job for the compile worker."""
    return Job(f"{__name__}:generate", ADDEND.to_bytes(8, "little"))


def try_out(compiler: Callable[[Job], bytes]) -> int:
    """Compile the probe, load it, call it; return the object's bytes.

    `compiler` is a `Compiler`'s `compile`. Raises: what that raises, BadObject, NoExecutableMemory, ProbeFailed.
    """
    data = compiler(job())
    loaded = loader.load(data)
    import ctypes

    function = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)(loaded.symbols[NAME])
    if (answer := function(ARGUMENT)) != ARGUMENT + ADDEND:
        raise ProbeFailed(f"the probe's answer is {answer}, not {ARGUMENT + ADDEND}: reinstall llvmlite")
    return len(data)
