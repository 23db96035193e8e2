"""Integers of up to 64 bits in one i64, extended by zeros or by the sign: operations on the two operands on the stack.

Sums and products of up to 63 and 32 bits cannot wrap an i64, so looking whether the result is in range is enough; the
others look at what wrapped. Never: knows the language's syntax.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from contractvm.wasm.module import I64
from sdk.compiler.back.arith_divide import DIVISION_BY_ZERO
from sdk.compiler.back.arith_words import OVERFLOW, panic_if
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.types import Int

Write = Callable[[Body, Int, bool], None]
"""Writes an operation of a type, checked or wrapping: two operands on the stack become the result."""


def extend(b: Body, bits: int) -> None:
    """Extend the low bits of the i64 on the stack by their sign."""
    if bits in (8, 16, 32):
        b.op(f"i64.extend{bits}_s")
    elif bits < 64:
        for name in ("i64.shl", "i64.shr_s"):
            b.i64(64 - bits)
            b.op(name)


def normalise(b: Body, type_: Int) -> None:
    """Make the i64 on the stack a value of the type by its low bits."""
    if type_.signed:
        extend(b, type_.bits)
    elif type_.bits < 64:
        b.i64(type_.high)
        b.op("i64.and")


def in_range(b: Body, type_: Int) -> None:
    """Panic 0x11 unless the i64 on the stack, exact as an i64, is a value of the type; for less than 64 bits."""
    with b.temporaries(I64) as (value,):
        b.tee(value)
        if type_.signed:
            b.get(value)
            extend(b, type_.bits)
            b.op("i64.ne")
        else:
            b.i64(type_.high)
            b.op("i64.gt_u")
        panic_if(b, OVERFLOW)
        b.get(value)


def _finish(b: Body, type_: Int, checked: bool) -> None:
    if checked:
        in_range(b, type_)
    else:
        normalise(b, type_)


def _add(b: Body, type_: Int, checked: bool) -> None:
    if type_.bits < 64 or not checked:
        b.op("i64.add")
        _finish(b, type_, checked)
        return
    with b.temporaries(I64, I64, I64) as (left, right, total):
        b.set(left, right)
        b.get(left, right)
        b.op("i64.add")
        if type_.signed:
            b.set(total)
            b.get(left, total)
            b.op("i64.xor")
            b.get(right, total)
            b.do("i64.xor", "i64.and")
            b.i64(0)
            b.op("i64.lt_s")
        else:
            b.tee(total)
            b.get(left)
            b.op("i64.lt_u")
        panic_if(b, OVERFLOW)
        b.get(total)


def _sub(b: Body, type_: Int, checked: bool) -> None:
    if not checked or (type_.signed and type_.bits < 64):
        b.op("i64.sub")
        _finish(b, type_, checked)
        return
    with b.temporaries(I64, I64) as (left, right):
        b.set(left, right)
        b.get(left, right)
        if type_.signed:
            b.op("i64.xor")
            b.get(left)
            b.get(left, right)
            b.do("i64.sub", "i64.xor", "i64.and")
            b.i64(0)
            b.op("i64.lt_s")
        else:
            b.op("i64.lt_u")
        panic_if(b, OVERFLOW)
        b.get(left, right)
        b.op("i64.sub")


def _mul(b: Body, type_: Int, checked: bool) -> None:
    if type_.bits <= 32 or not checked:
        b.op("i64.mul")
        _finish(b, type_, checked)
        return
    with b.temporaries(I64, I64) as (low, high):
        b.op("i64.mul_wide_s" if type_.signed else "i64.mul_wide_u")
        b.set(low, high)
        b.get(high)
        if type_.signed:
            b.get(low)
            b.i64(63)
            b.do("i64.shr_s", "i64.ne")
        else:
            b.i64(0)
            b.op("i64.ne")
        panic_if(b, OVERFLOW)
        b.get(low)
    if type_.bits < 64:
        in_range(b, type_)


def _divide_unsigned(name: str) -> Write:
    def write(b: Body, type_: Int, checked: bool) -> None:
        with b.temporaries(I64) as (right,):
            b.tee(right)
            b.op("i64.eqz")
            panic_if(b, DIVISION_BY_ZERO)
            b.get(right)
            b.op(name)

    return write


def _floordiv(b: Body, type_: Int, checked: bool) -> None:
    if type_.signed:
        name = f"div_{type_}{'' if checked else '_wrap'}"
        b.call(Routine(name, (I64, I64), (I64,), lambda b: _divide_signed(b, type_, checked)))
    else:
        _divide_unsigned("i64.div_u")(b, type_, checked)


def _divide_signed(b: Body, type_: Int, checked: bool) -> None:
    left, right = 0, 1
    b.get(right)
    b.op("i64.eqz")
    panic_if(b, DIVISION_BY_ZERO)
    b.get(right)
    b.i64(-1)
    b.op("i64.eq")
    with b.if_():  # the one quotient that may not fit, and that wasm traps on
        if checked:
            b.get(left)
            b.i64(type_.low)
            b.op("i64.eq")
            panic_if(b, OVERFLOW)
        b.i64(0)
        b.get(left)
        b.op("i64.sub")
        normalise(b, type_)
        b.return_()
    b.get(left, right)
    b.op("i64.div_s")
    b.get(left, right)
    b.op("i64.rem_s")
    b.i64(0)
    b.op("i64.ne")
    b.get(left, right)
    b.op("i64.xor")
    b.i64(0)
    b.do("i64.lt_s", "i32.and", "i64.extend_i32_u", "i64.sub")


def _mod(b: Body, type_: Int, checked: bool) -> None:
    if type_.signed:
        b.call(MOD_SIGNED)
    else:
        _divide_unsigned("i64.rem_u")(b, type_, checked)


def _mod_signed(b: Body) -> None:
    left, right = 0, 1
    with b.temporaries(I64) as (rest,):
        b.get(right)
        b.op("i64.eqz")
        panic_if(b, DIVISION_BY_ZERO)
        b.get(left, right)
        b.op("i64.rem_s")
        b.set(rest)
        # Python's rest has the divisor's sign.
        b.get(rest, right)
        b.i64(0)
        b.get(rest)
        b.i64(0)
        b.op("i64.ne")
        b.get(rest, right)
        b.op("i64.xor")
        b.i64(0)
        b.do("i64.lt_s", "i32.and", "select", "i64.add")


MOD_SIGNED: Final = Routine("mod_i64", (I64, I64), (I64,), _mod_signed)
"""Remainders of narrower types are those of their values as i64."""

OPERATIONS: Final[Mapping[str, Write]] = MappingProxyType(
    {"add": _add, "sub": _sub, "mul": _mul, "floordiv": _floordiv, "mod": _mod}
)


def shift_left(type_: Int, checked: bool) -> Routine:
    """A value and an amount in bits (unsigned) -> the value shifted; Panic 0x11 when bits are lost, if checked."""

    def write(b: Body) -> None:
        value, amount = 0, 1
        b.get(amount)
        b.i64(type_.bits)
        b.op("i64.ge_u")
        with b.if_():
            if checked:
                b.get(value)
                b.i64(0)
                b.op("i64.ne")
                panic_if(b, OVERFLOW)
            b.i64(0)
            b.return_()
        with b.temporaries(I64) as (result,):
            b.get(value, amount)
            b.op("i64.shl")
            normalise(b, type_)
            b.set(result)
            if checked:
                b.get(result, amount)
                b.op("i64.shr_s" if type_.signed else "i64.shr_u")
                b.get(value)
                b.op("i64.ne")
                panic_if(b, OVERFLOW)
            b.get(result)

    return Routine(f"shl_{type_}{'' if checked else '_wrap'}", (I64, I64), (I64,), write)


def shift_right(b: Body, type_: Int) -> None:
    """A value and an amount on the stack -> the value shifted: past the width 0, or -1 for negative ones."""
    with b.temporaries(I64) as (amount,):
        b.set(amount)
        if type_.signed:
            b.get(amount)
            b.i64(63)
            b.get(amount)
            b.i64(63)
            b.do("i64.lt_u", "select", "i64.shr_s")
        else:
            b.get(amount)
            b.op("i64.shr_u")
            b.i64(0)
            b.get(amount)
            b.i64(64)
            b.do("i64.lt_u", "select")
