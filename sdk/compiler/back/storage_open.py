"""Routines that write the parts of a key whose length depends on their value.

Source: `sdk.compiler.layout`, the encoding of keys. Never: leaves the area that its caller names.
"""

from __future__ import annotations

from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler.back.arith_words import STORE_WORD, SWAP
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.reverts import reason
from sdk.compiler.back.writer import WORD


def _too_long(b: Body) -> None:
    reason(b, "key too long")


TOO_LONG: Final = Routine("key_too_long", (), (), _too_long)


def _wide(b: Body) -> None:
    """A number below 2^64 is shifted to the start of a word; a larger one is written whole and moved."""
    with b.temporaries(I32) as (size,):
        b.get(2, 3, 4)
        b.do("i64.or", "i64.or", "i64.eqz")
        with b.if_((I32,)):
            b.get(1)
            b.do("i64.clz", "i32.wrap_i64")
            b.i32(3)
            b.op("i32.shr_u")
            b.set(size)
            b.get(0)
            b.get(1)
            b.call(SWAP)
            b.get(size)
            b.i32(3)
            b.do("i32.shl", "i64.extend_i32_u", "i64.shr_u")
            b.store("i64.store", 1)
            b.i32(8)
            b.get(size)
            b.op("i32.sub")
            b.otherwise()
            word = b.assembly.area("storage.word", 32)
            b.i32(word)
            b.get(1, 2, 3, 4)
            b.call(STORE_WORD)
            # Leading zero bytes: of the highest limb that is not 0, and eight for each above it.
            b.get(4)
            b.do("i64.eqz")
            with b.if_((I32,)):
                b.get(3)
                b.do("i64.eqz")
                with b.if_((I32,)):
                    b.i32(16)
                    b.get(2)
                    b.do("i64.clz", "i32.wrap_i64")
                    b.i32(3)
                    b.do("i32.shr_u", "i32.add")
                    b.otherwise()
                    b.i32(8)
                    b.get(3)
                    b.do("i64.clz", "i32.wrap_i64")
                    b.i32(3)
                    b.do("i32.shr_u", "i32.add")
                b.otherwise()
                b.get(4)
                b.do("i64.clz", "i32.wrap_i64")
                b.i32(3)
                b.op("i32.shr_u")
            b.set(size)
            b.get(0)
            b.i32(1)
            b.op("i32.add")
            b.get(size)
            b.i32(word)
            b.op("i32.add")
            b.i32(32)
            b.get(size)
            b.op("i32.sub")
            b.op("memory.copy")
            b.i32(32)
            b.get(size)
            b.op("i32.sub")
        b.set(size)
        b.get(0, size)
        b.store("i32.store8")
        b.get(0, size)
        b.op("i32.add")
        b.i32(1)
        b.op("i32.add")


WIDE: Final = Routine("key_wide", (I32, *WORD), (I32,), _wide)
"""Address and limbs -> address behind: a length byte and the number, big-endian."""


def _room(b: Body, longest: int) -> None:
    """Revert when `longest` bytes for a byte, and two more, do not fit between locals 0 and 3."""
    b.get(2)
    b.op("i64.extend_i32_u")
    b.i64(longest)
    b.op("i64.mul")
    b.get(3, 0)
    b.do("i32.sub", "i64.extend_i32_u")
    b.i64(2)
    b.do("i64.sub", "i64.gt_s")
    with b.if_():
        b.call(TOO_LONG)
        b.unreachable()


def _raw(b: Body) -> None:
    _room(b, 1)
    b.get(0, 1, 2)
    b.op("memory.copy")
    b.get(0, 2)
    b.op("i32.add")


RAW: Final = Routine("key_raw", (I32, I32, I32, I32), (I32,), _raw)
"""Address, content, its length, the area's end -> address behind: the bytes as they are."""


def _escaped(b: Body) -> None:
    """Copy a byte at a time; behind a zero goes an FF."""
    _room(b, 2)
    with b.temporaries(I32) as (end,):
        b.get(1, 2)
        b.op("i32.add")
        b.set(end)
        with b.block() as done, b.loop() as again:
            b.get(1, end)
            b.op("i32.eq")
            b.br_if(done)
            b.get(0, 1)
            b.load("i32.load8_u")
            b.store("i32.store8")
            b.get(0)
            b.i32(1)
            b.op("i32.add")
            b.set(0)
            b.get(1)
            b.load("i32.load8_u")
            b.op("i32.eqz")
            with b.if_():
                b.get(0)
                b.i32(0xFF)
                b.store("i32.store8")
                b.get(0)
                b.i32(1)
                b.op("i32.add")
                b.set(0)
            b.get(1)
            b.i32(1)
            b.op("i32.add")
            b.set(1)
            b.br(again)
        b.get(0)
        b.i32(0)
        b.store("i32.store16")
        b.get(0)
        b.i32(2)
        b.op("i32.add")


ESCAPED: Final = Routine("key_escaped", (I32, I32, I32, I32), (I32,), _escaped)
"""As `RAW`: zeros are told apart from the two that end it."""
