"""How a call is undone: with data that lie in memory, with `Error(string)`, or without anything.

Source: Solidity, "Panic via assert and Error via require"; `writer.panic` for panics.
Never: returns; code behind these calls is not reached.
"""

from __future__ import annotations

from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler.back.arith_words import SWAP
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.writer import ALLOCATE

REASON_HEAD: Final = 68
"""Bytes of `Error(string)` before the text: selector, offset, length."""


def _malformed(b: Body) -> None:
    b.i32(0)
    b.i32(0)
    b.host("revert")
    b.unreachable()


NOTHING: Final = Routine("revert_nothing", (), (), _malformed)
"""Revert without data: input or returned data that are not well-formed."""


def _reason(b: Body) -> None:
    """The head ends at a multiple of four bytes, so the allocation begins four bytes early."""
    with b.temporaries(I32, I32) as (at, size):
        b.get(1)
        b.i32(31)
        b.op("i32.add")
        b.i32(-32)
        b.op("i32.and")
        b.i32(REASON_HEAD)
        b.op("i32.add")
        b.set(size)
        b.get(size)
        b.call(ALLOCATE)
        b.set(at)
        b.get(at)
        b.i32(int.from_bytes(bytes.fromhex("08c379a0"), "little"))
        b.store("i32.store")
        b.get(at)
        b.i32(32)
        b.store("i32.store8", 35)
        b.get(at)
        b.get(1)
        b.op("i64.extend_i32_u")
        b.call(SWAP)
        b.store("i64.store", 60)
        b.get(at)
        b.i32(REASON_HEAD)
        b.op("i32.add")
        b.get(0, 1)
        b.op("memory.copy")
        b.get(at, size)
        b.host("revert")
        b.unreachable()


REASON: Final = Routine("revert_reason", (I32, I32), (), _reason)
"""Address and length of a text: revert with `Error(text)`."""


def reason(b: Body, text: str) -> None:
    """Revert with a constant reason."""
    content = text.encode()
    b.i32(b.assembly.constant(content))
    b.i32(len(content))
    b.call(REASON)
    b.unreachable()


def refuse_unless_zero(b: Body) -> None:
    """Revert without data when the i64 on the stack is not 0."""
    b.i64(0)
    b.op("i64.ne")
    refuse_if(b)


def refuse_if(b: Body) -> None:
    """Revert without data when the i32 on the stack is not 0."""
    with b.if_():
        b.call(NOTHING)
        b.unreachable()
