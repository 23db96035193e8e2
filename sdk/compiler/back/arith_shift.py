"""Words of 256 bits shifted by any amount. Never: knows the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contractvm.wasm.module import I64
from sdk.compiler.back.arith_words import LEFT, OVERFLOW, WORD, equal, panic_if
from sdk.compiler.back.asm import Body, Routine

AMOUNT: Final = 4


def _fill(b: Body, signed: bool) -> None:
    """Push what comes in from above."""
    if signed:
        b.get(3)
        b.i64(63)
        b.op("i64.shr_s")
    else:
        b.i64(0)


def _by_limbs(b: Body, order: tuple[int, ...], fill: int) -> None:
    """Move whole limbs: by two where bit 7 of the amount says so, by one for bit 6, to the first of `order` first."""
    for bit, step in ((128, 2), (64, 1)):
        b.get(AMOUNT)
        b.i64(bit)
        b.do("i64.and", "i64.eqz", "i32.eqz")
        with b.if_():
            for i in range(4):
                b.get(order[i + step] if i + step < 4 else fill)
                b.set(order[i])


def _right(signed: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        with b.temporaries(I64) as (fill,):
            _fill(b, signed)
            b.set(fill)
            b.get(AMOUNT)
            b.i64(256)
            b.op("i64.ge_u")
            with b.if_():
                b.get(fill, fill, fill, fill)
                b.return_()
            _by_limbs(b, LEFT, fill)
            for i in range(4):
                b.get(i, AMOUNT)
                b.op("i64.shr_u")
                b.get(i + 1 if i < 3 else fill)
                # By 64 less the amount, in two steps: a shift by 64 would be none. Wasm takes amounts modulo 64.
                b.i64(63)
                b.get(AMOUNT)
                b.do("i64.sub", "i64.shl")
                b.i64(1)
                b.do("i64.shl", "i64.or")

    return write


def _left(checked: bool, signed: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        with b.temporaries(*WORD, I64) as (*value, zero):
            b.get(*LEFT)
            b.set(*value)
            b.get(AMOUNT)
            b.i64(256)
            b.op("i64.ge_u")
            with b.if_():
                for limb in LEFT:
                    b.i64(0)
                    b.set(limb)
            b.i64(0)
            b.set(zero)
            _by_limbs(b, (3, 2, 1, 0), zero)
            for i in (3, 2, 1, 0):
                b.get(i, AMOUNT)
                b.op("i64.shl")
                b.get(i - 1 if i else zero)
                b.i64(63)
                b.get(AMOUNT)
                b.do("i64.sub", "i64.shr_u")
                b.i64(1)
                b.do("i64.shr_u", "i64.or")
                b.set(i)
            if checked:
                b.get(*LEFT, AMOUNT)
                b.call(shift_right(signed))
                b.get(*value)
                b.call(equal(4))
                b.op("i32.eqz")
                panic_if(b, OVERFLOW)
            b.get(*LEFT)

    return write


def shift_right(signed: bool) -> Routine:
    """A word and an amount in bits: past the width 0, or -1 for negative words."""
    return Routine(f"shr_{'i' if signed else 'u'}256", (*WORD, I64), WORD, _right(signed))


def shift_left(signed: bool, checked: bool) -> Routine:
    """A word and an amount in bits. Panic 0x11 when bits are lost, if checked."""
    signed &= checked
    name = f"shl_{'i' if signed else 'u'}256{'' if checked else '_wrap'}"
    return Routine(name, (*WORD, I64), WORD, _left(checked, signed))
