"""Traps of coalesced bounds checks: which access was it, and what had the run done before it?

Compiled code may check once, before the first of several accesses off one address, that the farthest of them lies in
memory. When that fails, one of them traps, or something between them does, and the exact one is found by the reference
tier: it executes the run from the first access on, with the operands and locals that the compiled code left in the
context. Straight-line code without a call always arrives at the trap.
Source: design of the engine. Never: runs code that does not trap.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from contractvm.errors import Fatal, TrapCode
from contractvm.native.context import REPLAY_WORDS, SPILL, TRACE
from contractvm.wasm import interpreter
from contractvm.wasm.instance import Instance
from contractvm.wasm.llvmlayout import Layout
from contractvm.wasm.module import Code
from contractvm.wasm.opcodes import BY_NAME

SPAN: Final = 256
"""Instructions that one check may look ahead."""
_GET, _SET, _TEE = (BY_NAME[f"local.{name}"].code for name in ("get", "set", "tee"))


def locals_read(code: Code, start: int, end: int) -> list[int]:
    """The locals whose values instructions `start` to `end`, both included, take from before."""
    found: list[int] = []
    written = set()
    for op, imm in zip(code.ops[start : end + 1], code.imms[start : end + 1], strict=True):
        if op == _GET and imm not in written and imm not in found:
            found.append(imm)  # type: ignore[arg-type]
        elif op == _SET or op == _TEE:
            written.add(imm)
    return sorted(found)


def header(end: int, height: int) -> int:
    """The first word that compiled code leaves: the farthest access, and how many operands follow; then the locals."""
    return end << 32 | height


def replay(instance: Instance, layout: Layout, context: bytearray) -> TrapCode:
    """Find the trap, give back the gas of what its run did not execute, and correct the place noted.

    Raises: Fatal when there is no trap.
    """
    word = struct.unpack_from("<Q", context, TRACE)[0]
    index, start = word >> 32, (word & 0xFFFF_FFFF) - 1
    first, *words = struct.unpack_from(f"<{REPLAY_WORDS}Q", context, SPILL)
    end, height = first >> 32, first & 0xFFFF_FFFF
    compiled = instance.compiled
    function = compiled.function(index)
    types = compiled.module.signature(index).params + function.locals
    locals_: list[Any] = [0] * len(types)
    for n, value in zip(locals_read(function.code, start, end), words[height:], strict=False):
        locals_[n] = value
    _take_globals(instance, layout, context)
    trap, at = interpreter.resume(instance, index, start, words[:height], locals_)
    _give_globals(instance, layout, context)
    if trap is None or not start <= at <= end:
        raise Fatal(f"a bounds check of function {index} failed at instruction {start} and nothing trapped up to {end}")
    instance.meter.left += compiled.plan(index).refund[at]
    struct.pack_into("<Q", context, TRACE, index << 32 | (at + 1))
    return trap.code


def _take_globals(instance: Instance, layout: Layout, context: bytearray) -> None:
    """Let the reference tier see the globals that lie in the context."""
    for place, variable in zip(layout.globals, instance.globals, strict=True):
        if not place.cell:
            size = "<I" if place.kind == "i" else "<Q"
            variable.cell.cell_contents = struct.unpack_from(size, context, place.at)[0]


def _give_globals(instance: Instance, layout: Layout, context: bytearray) -> None:
    for place, variable in zip(layout.globals, instance.globals, strict=True):
        if not place.cell:
            struct.pack_into("<Q", context, place.at, variable.cell.cell_contents)
