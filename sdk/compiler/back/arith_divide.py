"""Division of words: quotients and remainders of up to 512 bits by 256, rounded down as Python does.

Operands of one limb divide in hardware. Otherwise long division by digits of 32 bits in a scratch area, because wasm
divides 64 bits by 64. Division by zero reverts with Panic 0x12, checked or not.
Source: Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D. Never: knows the language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back.arith_words import (
    LEFT,
    MAGNITUDE,
    RIGHT,
    WORD,
    add,
    any_bit,
    equal,
    fold,
    multiply,
    panic_if,
    signed_result,
)
from sdk.compiler.back.asm import Body, Routine

DIVISION_BY_ZERO: Final = 0x12
# The scratch area: the dividend with a digit for normalising (and its remainder afterwards), divisor, quotient.
DIVIDEND, DIVISOR, QUOTIENT, AREA = 0, 72, 104, 168


def scratch(b: Body) -> int:
    """The address of the area."""
    return b.assembly.area("divide", AREA)


def _digit(b: Body, index: int, at: int, name: str = "i64.load32_u") -> None:
    """Push digit number `index` (an i32 local) of what starts at `at`."""
    _address(b, index)
    b.load(name, scratch(b) + at)


def _address(b: Body, index: int) -> None:
    b.get(index)
    b.i32(2)
    b.op("i32.shl")


def _step(b: Body, local: int, by: int) -> None:
    b.get(local)
    b.i32(by)
    b.op("i32.add")
    b.set(local)


def _shift_left(b: Body, at: int, count: int, shift: int, digit: int) -> None:
    """Shift `count` (a local) digits from `at` left by less than 32 bits (an i64 local)."""
    with b.temporaries(I64) as (carry,):
        b.i64(0)
        b.set(carry)
        b.i32(0)
        b.set(digit)
        with b.loop() as again:
            _address(b, digit)
            _digit(b, digit, at)
            b.get(shift)
            b.op("i64.shl")
            b.get(carry)
            b.op("i64.or")
            b.tee(carry)
            b.store("i64.store32", scratch(b) + at)
            b.get(carry)
            b.i64(32)
            b.op("i64.shr_u")
            b.set(carry)
            _step(b, digit, 1)
            b.get(digit, count)
            b.op("i32.lt_u")
            b.br_if(again)


def _divide(b: Body) -> None:
    """Algorithm D on the scratch area: local 0 is the number of dividend digits, whose next one is 0.

    Leaves the quotient in its place and the remainder, still shifted, in the dividend's; returns the shift in bits.
    """
    m = 0
    with (
        b.temporaries(I32, I32, I32, I32) as (n, i, j, k),
        b.temporaries(I64, I64, I64, I64, I64, I64) as (shift, first, guess, rest, carry, borrow),
    ):
        area = scratch(b)
        b.i32(8)
        b.set(n)
        with b.loop() as shorter:  # the divisor is not 0
            _step(b, n, -1)
            _digit(b, n, DIVISOR, "i32.load")
            b.op("i32.eqz")
            b.br_if(shorter)
        _digit(b, n, DIVISOR)
        b.op("i64.clz")
        b.i64(32)
        b.op("i64.sub")
        b.set(shift)
        _step(b, n, 1)
        _shift_left(b, DIVISOR, n, shift, k)
        _step(b, m, 1)
        _shift_left(b, DIVIDEND, m, shift, k)
        _step(b, n, -1)
        _digit(b, n, DIVISOR)
        b.set(first)
        _step(b, n, 1)
        b.get(m, n)
        b.do("i32.sub")
        b.set(j)
        with b.loop() as next_digit:
            _step(b, j, -1)
            b.get(j, n)
            b.op("i32.add")
            b.set(i)
            _guess(b, i, n, first, guess, rest)
            _subtract_product(b, j, n, guess, (k, carry, borrow))
            # The guess is at most one too large here: then add the divisor back.
            _address(b, i)
            _digit(b, i, DIVIDEND)
            b.get(carry)
            b.do("i64.sub")
            b.get(borrow)
            b.do("i64.sub")
            b.tee(rest)
            b.store("i64.store32", area + DIVIDEND)
            b.get(rest)
            b.i64(0)
            b.op("i64.lt_s")
            with b.if_():
                b.get(guess)
                b.i64(1)
                b.op("i64.sub")
                b.set(guess)
                _add_back(b, i, j, n, (k, carry))
            _address(b, j)
            b.get(guess)
            b.store("i64.store32", area + QUOTIENT)
            b.get(j)
            b.br_if(next_digit)
        b.get(shift)


def _guess(b: Body, i: int, n: int, first: int, guess: int, rest: int) -> None:
    """Steps D3: a digit of the quotient from the first two of the dividend, corrected by the third."""
    area = scratch(b)
    with b.temporaries(I64) as (two,):
        _digit(b, i, DIVIDEND)
        b.i64(32)
        b.op("i64.shl")
        _address(b, i)
        b.load("i64.load32_u", area + DIVIDEND - 4)
        b.op("i64.or")
        b.set(two)
        b.get(two, first)
        b.op("i64.div_u")
        b.set(guess)
        b.get(two, guess, first)
        b.do("i64.mul", "i64.sub")
        b.set(rest)
        b.get(n)
        b.i32(1)
        b.op("i32.gt_u")
        with b.if_(), b.block() as right, b.loop() as again:
            # While guess is 2^32 or guess * second > rest * 2^32 + third: one less.
            b.get(guess)
            b.i64(0xFFFFFFFF)
            b.op("i64.gt_u")
            with b.if_((I32,)):
                b.i32(1)
                b.otherwise()
                b.get(guess)
                _address(b, n)
                b.load("i64.load32_u", area + DIVISOR - 8)
                b.op("i64.mul")
                b.get(rest)
                b.i64(32)
                b.op("i64.shl")
                _address(b, i)
                b.load("i64.load32_u", area + DIVIDEND - 8)
                b.do("i64.or", "i64.gt_u")
            b.op("i32.eqz")
            b.br_if(right)
            b.get(guess)
            b.i64(1)
            b.op("i64.sub")
            b.set(guess)
            b.get(rest, first)
            b.op("i64.add")
            b.tee(rest)
            b.i64(0xFFFFFFFF)
            b.op("i64.le_u")
            b.br_if(again)


def _subtract_product(b: Body, j: int, n: int, guess: int, work: tuple[int, int, int]) -> None:
    """Step D4: divisor times guess off the dividend's digits from `j` on; leaves what is still to be taken off."""
    k, carry, borrow = work
    area = scratch(b)
    with b.temporaries(I32, I64) as (at, digit):
        b.i64(0)
        b.set(carry)
        b.i64(0)
        b.set(borrow)
        b.i32(0)
        b.set(k)
        with b.loop() as again:
            b.get(j, k)
            b.op("i32.add")
            b.set(at)
            b.get(guess)
            _digit(b, k, DIVISOR)
            b.op("i64.mul")
            b.get(carry)
            b.op("i64.add")
            b.set(carry)
            _address(b, at)
            _digit(b, at, DIVIDEND)
            b.get(carry)
            b.i64(0xFFFFFFFF)
            b.do("i64.and", "i64.sub")
            b.get(borrow)
            b.op("i64.sub")
            b.tee(digit)
            b.store("i64.store32", area + DIVIDEND)
            b.get(digit)
            b.i64(63)
            b.op("i64.shr_u")
            b.set(borrow)
            b.get(carry)
            b.i64(32)
            b.op("i64.shr_u")
            b.set(carry)
            _step(b, k, 1)
            b.get(k, n)
            b.op("i32.lt_u")
            b.br_if(again)


def _add_back(b: Body, i: int, j: int, n: int, work: tuple[int, int]) -> None:
    """Step D6."""
    k, carry = work
    area = scratch(b)
    with b.temporaries(I32) as (at,):
        b.i64(0)
        b.set(carry)
        b.i32(0)
        b.set(k)
        with b.loop() as again:
            b.get(j, k)
            b.op("i32.add")
            b.set(at)
            _address(b, at)
            _digit(b, at, DIVIDEND)
            _digit(b, k, DIVISOR)
            b.op("i64.add")
            b.get(carry)
            b.op("i64.add")
            b.tee(carry)
            b.store("i64.store32", area + DIVIDEND)
            b.get(carry)
            b.i64(32)
            b.op("i64.shr_u")
            b.set(carry)
            _step(b, k, 1)
            b.get(k, n)
            b.op("i32.lt_u")
            b.br_if(again)
        _address(b, i)
        _digit(b, i, DIVIDEND)
        b.get(carry)
        b.op("i64.add")
        b.store("i64.store32", area + DIVIDEND)


DIVIDE: Final = Routine("divide", (I32,), (I64,), _divide)


def remainder_limbs(b: Body, shift: int) -> None:
    """Push the remainder's limbs, shifted back by an i64 local of less than 32 bits."""
    area = scratch(b)
    for i in range(4):
        b.i32(area)
        b.load("i64.load", DIVIDEND + 8 * i)
        b.get(shift)
        b.op("i64.shr_u")
        b.i32(area)
        b.load("i64.load", DIVIDEND + 8 * i + 8)
        # By 64 less the shift, in two steps: a shift by 64 would be none.
        b.i64(63)
        b.get(shift)
        b.do("i64.sub", "i64.shl")
        b.i64(1)
        b.do("i64.shl", "i64.or")


def store_limbs(b: Body, locals_: tuple[int, ...], at: int) -> None:
    """Write limbs in locals to the area from `at` on."""
    for i, local in enumerate(locals_):
        b.i32(scratch(b))
        b.get(local)
        b.store("i64.store", at + 8 * i)


def zero_digits(b: Body, at: int, limbs: int) -> None:
    """Write zeros to the area from `at` on."""
    for i in range(limbs):
        b.i32(scratch(b))
        b.i64(0)
        b.store("i64.store", at + 8 * i)


def _divide_words(remainder: bool) -> Callable[[Body], None]:
    def write(b: Body) -> None:
        fold(b, RIGHT)
        b.op("i64.eqz")
        panic_if(b, DIVISION_BY_ZERO)
        fold(b, (1, 2, 3, 5, 6, 7))
        b.op("i64.eqz")
        with b.if_():
            b.get(0, 4)
            b.op("i64.rem_u" if remainder else "i64.div_u")
            for _ in range(3):
                b.i64(0)
            b.return_()
        store_limbs(b, LEFT, DIVIDEND)
        zero_digits(b, DIVIDEND + 32, 1)
        store_limbs(b, RIGHT, DIVISOR)
        if not remainder:
            zero_digits(b, QUOTIENT, 4)  # only those that there are will be written
        b.i32(8)
        b.call(DIVIDE)
        if remainder:
            with b.temporaries(I64) as (shift,):
                b.set(shift)
                remainder_limbs(b, shift)
        else:
            b.op("drop")
            for i in range(4):
                b.i32(scratch(b))
                b.load("i64.load", QUOTIENT + 8 * i)

    return write


def _divide_signed(remainder: bool, checked: bool) -> Callable[[Body], None]:
    """Rounded down: where signs differ and something is left, the quotient is one less, the rest the divisor's."""

    def write(b: Body) -> None:
        with b.temporaries(I64, *WORD, *WORD, *WORD) as (sign, *found):
            left, right, result = tuple(found[:4]), tuple(found[4:8]), tuple(found[8:])
            b.get(3, 7)
            b.op("i64.xor")
            b.set(sign)
            b.get(*LEFT)
            b.call(MAGNITUDE)
            b.set(*left)
            b.get(*RIGHT)
            b.call(MAGNITUDE)
            b.set(*right)
            b.get(*left, *right)
            b.call(divide(remainder))
            b.set(*result)
            if remainder:
                # The rest has the dividend's sign; another sign than the divisor's is mended by the divisor.
                b.get(*result, 3)
                b.call(signed_result(False))
                b.set(*result)
                any_bit(b, result)
                b.get(sign)
                b.i64(0)
                b.do("i64.lt_s", "i32.and")
                with b.if_():
                    b.get(*result, *RIGHT)
                    b.call(add(False, False))
                    b.set(*result)
                b.get(*result)
                return
            b.get(sign)
            b.i64(0)
            b.op("i64.lt_s")
            with b.if_():
                b.get(*result, *right)
                b.call(multiply(False, False))
                b.get(*left)
                b.call(equal(4))
                b.op("i32.eqz")
                with b.if_():
                    b.get(*result)
                    b.i64(1)
                    for _ in range(3):
                        b.i64(0)
                    b.call(add(False, False))
                    b.set(*result)
            b.get(*result, sign)
            b.call(signed_result(checked))

    return write


def divide(remainder: bool) -> Routine:
    """The quotient or the remainder of two unsigned words. Panic 0x12 for a divisor of 0."""
    return Routine("mod_u256" if remainder else "div_u256", WORD + WORD, WORD, _divide_words(remainder))


def divide_signed(remainder: bool, checked: bool) -> Routine:
    """As `divide`, of signed words, rounded down. Panic 0x11 for the least by -1, if checked."""
    checked &= not remainder
    name = f"{'mod' if remainder else 'div'}_i256{'' if checked else '_wrap'}"
    return Routine(name, WORD + WORD, WORD, _divide_signed(remainder, checked))
