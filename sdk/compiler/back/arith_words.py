"""Integers of 256 bits in four i64: sums, differences, products, comparisons; and bytes turned round.

Each operation is a routine on locals 0 to 3 (the left side, the low limb first) and 4 to 7 (the right one). `wrap`
names those that compute modulo 2^256; the others revert with Panic 0x11 when the result does not fit. Products have a
path for factors of one limb and one for two, because most amounts are that small.
Source: Knuth, The Art of Computer Programming, volume 2, 4.3.1; the wide-arithmetic proposal.
Never: knows the language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back.asm import Body, Routine, Types
from sdk.compiler.back.writer import panic

OVERFLOW: Final = 0x11
WORD: Final[Types] = (I64,) * 4
LEFT, RIGHT = (0, 1, 2, 3), (4, 5, 6, 7)


def fold(b: Body, locals_: Sequence[int], name: str = "i64.or") -> None:
    """Push locals combined by a commutative instruction."""
    b.get(locals_[0])
    for local in locals_[1:]:
        b.get(local)
        b.op(name)


def any_bit(b: Body, locals_: Sequence[int]) -> None:
    """Push an i32: whether any of the locals is not 0."""
    fold(b, locals_)
    b.i64(0)
    b.op("i64.ne")


def panic_if(b: Body, code: int) -> None:
    with b.if_():
        panic(b, code)


def _add(signed: bool, checked: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        with b.temporaries(I64, I64, I64, I64) as total:
            low, high = total[:2], total[2:]
            b.get(0, 1, 4, 5)
            b.op("i64.add128")
            b.set(*low)
            b.get(2, 3, 6, 7)
            b.op("i64.add128")
            less_limbs(b, low, LEFT[:2])
            b.op("i64.extend_i32_u")
            b.i64(0)
            b.op("i64.add128")
            b.set(*high)
            if checked and signed:
                b.get(3, high[1])
                b.op("i64.xor")
                b.get(7, high[1])
                b.do("i64.xor", "i64.and")
                b.i64(0)
                b.op("i64.lt_s")
                panic_if(b, OVERFLOW)
            elif checked:
                # The sum is less than a summand exactly when it wrapped.
                less_limbs(b, total, LEFT)
                panic_if(b, OVERFLOW)
            b.get(*total)

    return write


def less_limbs(b: Body, left: Sequence[int], right: Sequence[int], signed: bool = False) -> None:
    """Push an i32: whether limbs are less than as many others."""
    last = len(left) - 1
    for i in range(len(left)):
        b.get(left[i], right[i])
        b.op("i64.lt_s" if signed and i == last else "i64.lt_u")
        if i:
            b.get(left[i], right[i])
            b.do("i64.eq", "select")


def _sub(signed: bool, checked: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        if checked and not signed:
            less_limbs(b, LEFT, RIGHT)
            panic_if(b, OVERFLOW)
        b.get(0, 1, 4, 5)
        b.op("i64.sub128")
        b.get(2, 3, 6, 7)
        b.op("i64.sub128")
        less_limbs(b, LEFT[:2], RIGHT[:2])
        b.op("i64.extend_i32_u")
        b.i64(0)
        b.op("i64.sub128")
        if checked and signed:
            with b.temporaries(I64) as (top,):
                b.tee(top)
                b.get(3, 7)
                b.op("i64.xor")
                b.get(3, top)
                b.do("i64.xor", "i64.and")
                b.i64(0)
                b.op("i64.lt_s")
                panic_if(b, OVERFLOW)

    return write


def _product(b: Body, total: Sequence[int], over: int | None) -> None:
    """Add all products of limbs whose place is below `len(total)`; what is carried out is or-ed into `over`."""
    with b.temporaries(I64) as (carry,):
        for i in range(4):
            fresh = True
            for j in range(min(4, len(total) - i)):
                b.get(LEFT[i], RIGHT[j])
                b.op("i64.mul_wide_u")
                if i:
                    b.get(total[i + j])
                    b.i64(0)
                    b.op("i64.add128")
                if not fresh:
                    b.get(carry)
                    b.i64(0)
                    b.op("i64.add128")
                b.set(total[i + j], carry)
                fresh = False
            if i + 4 < len(total):
                b.get(carry)
                b.set(total[i + 4])
            elif over is not None:
                b.get(over, carry)
                b.op("i64.or")
                b.set(over)


def _mul(checked: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        fold(b, (1, 2, 3, 5, 6, 7))
        b.op("i64.eqz")
        with b.if_():
            b.get(0, 4)
            b.op("i64.mul_wide_u")
            b.i64(0)
            b.i64(0)
            b.return_()
        fold(b, (2, 3, 6, 7))
        b.op("i64.eqz")
        with b.if_():
            b.get(0, 1, 4, 5)
            b.call(MUL_128)
            b.return_()
        with b.temporaries(I64, I64, I64, I64, I64) as (*total, over):
            if checked:
                for upper, others in ((3, (5, 6, 7)), (2, (6, 7)), (1, (7,))):
                    b.get(upper)
                    b.i64(0)
                    b.op("i64.ne")
                    any_bit(b, others)
                    b.op("i32.and")
                    if upper != 3:
                        b.op("i32.or")
                panic_if(b, OVERFLOW)
            _product(b, total, over if checked else None)
            if checked:
                any_bit(b, (over,))
                panic_if(b, OVERFLOW)
            b.get(*total)

    return write


def _mul_128(b: Body) -> None:
    """Parameters a0 a1 b0 b1; the whole product."""
    with b.temporaries(I64, I64, I64, I64, I64, I64) as (low, mid, high, top, x, y):
        b.get(0, 2)
        b.op("i64.mul_wide_u")
        b.set(low, mid)
        b.get(1, 3)
        b.op("i64.mul_wide_u")
        b.set(high, top)
        for left, right in ((0, 3), (1, 2)):
            # x:y, at place 1: into mid, then its carry and y into high and top.
            b.get(left, right)
            b.op("i64.mul_wide_u")
            b.set(x, y)
            b.get(mid, x)
            b.op("i64.add")
            b.set(mid)
            b.get(high, top, y)
            b.i64(0)
            b.op("i64.add128")
            b.get(mid, x)
            b.do("i64.lt_u", "i64.extend_i32_u")
            b.i64(0)
            b.op("i64.add128")
            b.set(high, top)
        b.get(low, mid, high, top)


def _mul_512(b: Body) -> None:
    """Writes the whole product of two words to the address in local 8, 64 bytes little-endian."""
    with b.temporaries(*(I64,) * 8) as total:
        _product(b, total, None)
        for i, limb in enumerate(total):
            b.get(8, limb)
            b.store("i64.store", 8 * i)


def _mul_signed(checked: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        with b.temporaries(I64, *WORD) as (sign, *total):
            b.get(3, 7)
            b.op("i64.xor")
            b.set(sign)
            for side in (LEFT, RIGHT):
                b.get(*side)
                b.call(MAGNITUDE)
                b.set(*side)
            b.get(*LEFT, *RIGHT)
            b.call(multiply(False, checked))
            b.set(*total)
            b.get(*total, sign)
            b.call(signed_result(checked))

    return write


def _signed_result(checked: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        b.get(4)
        b.i64(0)
        b.op("i64.lt_s")
        with b.if_():
            for _ in range(4):
                b.i64(0)
            b.get(*LEFT)
            b.call(subtract(False, False))
            b.set(*LEFT)
            if checked:  # of 0 it is 0; of more than 2^255 it seems positive
                b.get(3)
                b.i64(-1)
                b.op("i64.gt_s")
                any_bit(b, LEFT)
                b.op("i32.and")
                panic_if(b, OVERFLOW)
            b.get(*LEFT)
            b.return_()
        if checked:
            b.get(3)
            b.i64(0)
            b.op("i64.lt_s")
            panic_if(b, OVERFLOW)
        b.get(*LEFT)

    return write


def _magnitude(b: Body) -> None:
    b.get(3)
    b.i64(0)
    b.op("i64.ge_s")
    with b.if_():
        b.get(*LEFT)
        b.return_()
    for _ in range(4):
        b.i64(0)
    b.get(*LEFT)
    b.call(subtract(False, False))


MUL_128: Final = Routine("mul_128", (I64,) * 4, WORD, _mul_128)
MUL_512: Final = Routine("mul_512", (*WORD, *WORD, I32), (), _mul_512)
MAGNITUDE: Final = Routine("magnitude_256", WORD, WORD, _magnitude)
"""The absolute value as an unsigned word: of the least it is 2^255."""


def _named(operation: str, signed: bool, checked: bool) -> str:
    return f"{operation}_{'i' if signed else 'u'}256{'' if checked else '_wrap'}"


def add(signed: bool, checked: bool) -> Routine:
    signed &= checked  # wrapped, they are the same
    return Routine(_named("add", signed, checked), WORD + WORD, WORD, _add(signed, checked))


def subtract(signed: bool, checked: bool) -> Routine:
    signed &= checked
    return Routine(_named("sub", signed, checked), WORD + WORD, WORD, _sub(signed, checked))


def multiply(signed: bool, checked: bool) -> Routine:
    signed &= checked
    return Routine(_named("mul", signed, checked), WORD + WORD, WORD, _mul_signed(checked) if signed else _mul(checked))


def signed_result(checked: bool) -> Routine:
    """A magnitude and an i64 whose sign is the result's -> the result. Panic 0x11 when it does not fit, if checked."""
    return Routine(_named("signed", True, checked), (*WORD, I64), WORD, _signed_result(checked))


def less(count: int, signed: bool, turned: bool) -> Routine:
    """Whether the left `count` limbs are less than the right ones, or `turned`, greater."""

    def write(b: Body) -> None:
        left, right = tuple(range(count)), tuple(range(count, 2 * count))
        less_limbs(b, *((right, left) if turned else (left, right)), signed)

    name = f"{'greater' if turned else 'less'}_{'i' if signed else 'u'}{64 * count}"
    return Routine(name, (I64,) * (2 * count), (I32,), write)


def less_bytes(count: int, turned: bool) -> Routine:
    """As `less`, of bytes as they lie in memory: the first byte counts most."""

    def write(b: Body) -> None:
        for i in range(2 * count):
            b.get(i)
            b.call(SWAP)
            b.set(i)
        left, right = tuple(reversed(range(count))), tuple(reversed(range(count, 2 * count)))
        less_limbs(b, *((right, left) if turned else (left, right)))

    name = f"{'greater' if turned else 'less'}_bytes{8 * count}"
    return Routine(name, (I64,) * (2 * count), (I32,), write)


def equal(count: int) -> Routine:
    """Whether two values of `count` i64 each are the same."""

    def write(b: Body) -> None:
        for i in range(count):
            b.get(i, count + i)
            b.op("i64.xor")
            if i:
                b.op("i64.or")
        b.op("i64.eqz")

    return Routine(f"equal_{count}", (I64,) * (2 * count), (I32,), write)


def _swap(b: Body) -> None:
    """Swap halves of ever larger groups: bytes in pairs, pairs in fours, fours."""
    for bits, mask in ((8, 0x00FF00FF00FF00FF), (16, 0x0000FFFF0000FFFF)):
        b.get(0)
        b.i64(bits)
        b.op("i64.shr_u")
        b.i64(mask)
        b.op("i64.and")
        b.get(0)
        b.i64(mask)
        b.op("i64.and")
        b.i64(bits)
        b.do("i64.shl", "i64.or")
        b.set(0)
    b.get(0)
    b.i64(32)
    b.op("i64.rotl")


SWAP: Final = Routine("swap_bytes", (I64,), (I64,), _swap)
"""Turns the eight bytes of an i64 round."""


def _swap_unless_zeros(b: Body, high: Sequence[int]) -> None:
    """Turn two locals round; zeros, as the high limbs of most amounts are, stay as they are."""
    b.get(*high)
    b.op("i64.or")
    b.i64(0)
    b.op("i64.ne")
    with b.if_():
        for local in high:
            b.get(local)
            b.call(SWAP)
            b.set(local)


def _load_word(b: Body) -> None:
    with b.temporaries(I64, I64) as high:
        for i in range(2):
            b.get(0)
            b.load("i64.load", 24 - 8 * i)
            b.call(SWAP)
        for local, offset in zip(high, (8, 0), strict=True):
            b.get(0)
            b.load("i64.load", offset)
            b.set(local)
        _swap_unless_zeros(b, high)
        b.get(*high)


LOAD_WORD: Final = Routine("load_word", (I32,), WORD, _load_word)
"""The 32 bytes big-endian at an address, as limbs."""


def _store_word(b: Body) -> None:
    _swap_unless_zeros(b, (3, 4))
    for i in range(4):
        b.get(0)
        b.get(1 + i)
        if i < 2:
            b.call(SWAP)
        b.store("i64.store", 24 - 8 * i)


STORE_WORD: Final = Routine("store_word", (I32, *WORD), (), _store_word)
"""Writes limbs as 32 bytes big-endian to an address."""
