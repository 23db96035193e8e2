"""Powers of words, modulo 2^256 or another word: square and multiply.

Source: Knuth, The Art of Computer Programming, volume 2, 4.6.3, algorithm A. Never: knows the language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contractvm.wasm.module import I64
from sdk.compiler.back.arith_divide import (
    DIVIDE,
    DIVIDEND,
    DIVISION_BY_ZERO,
    DIVISOR,
    divide,
    remainder_limbs,
    scratch,
    store_limbs,
    zero_digits,
)
from sdk.compiler.back.arith_words import LEFT, MUL_512, RIGHT, WORD, fold, multiply, panic_if
from sdk.compiler.back.asm import Body, Routine


def _mul_mod(b: Body) -> None:
    """Parameters: two factors and the modulus, a word each."""
    modulus = (8, 9, 10, 11)
    fold(b, modulus)
    b.op("i64.eqz")
    panic_if(b, DIVISION_BY_ZERO)
    b.get(*LEFT, *RIGHT)
    b.i32(scratch(b) + DIVIDEND)
    b.call(MUL_512)
    zero_digits(b, DIVIDEND + 64, 1)
    store_limbs(b, modulus, DIVISOR)
    b.i32(16)
    b.call(DIVIDE)
    with b.temporaries(I64) as (shift,):
        b.set(shift)
        remainder_limbs(b, shift)


MUL_MOD: Final = Routine("mul_mod", WORD * 3, WORD, _mul_mod)


def _halve(b: Body) -> None:
    """Shift the word in locals 4 to 7 right by one bit."""
    for i in range(4):
        b.get(RIGHT[i])
        b.i64(1)
        b.op("i64.shr_u")
        if i < 3:
            b.get(RIGHT[i + 1])
            b.i64(63)
            b.do("i64.shl", "i64.or")
        b.set(RIGHT[i])


def _power(product: Callable[[Body], None]) -> Callable[[Body], None]:
    """Base and exponent, a word each: square and multiply. `product` multiplies the two words on the stack.

    The base is squared only while bits of the exponent are left, so that a square that does not fit is one that is
    needed. Every base but 0, 1 and -1 then ends by its ninth square at the latest; checked or not, 256 steps are all.
    """

    def write(b: Body) -> None:
        with b.temporaries(*WORD) as result:
            b.i64(1)
            b.set(result[0])
            for limb in result[1:]:
                b.i64(0)
                b.set(limb)
            with b.block() as done, b.loop() as again:
                b.get(RIGHT[0])
                b.op("i32.wrap_i64")
                b.i32(1)
                b.op("i32.and")
                with b.if_():
                    b.get(*result, *LEFT)
                    product(b)
                    b.set(*result)
                _halve(b)
                fold(b, RIGHT)
                b.op("i64.eqz")
                b.br_if(done)
                b.get(*LEFT, *LEFT)
                product(b)
                b.set(*LEFT)
                b.br(again)
            b.get(*result)

    return write


def power(signed: bool, checked: bool) -> Routine:
    """Base (signed or not) to an unsigned exponent. Panic 0x11 when it does not fit, if checked."""
    signed &= checked
    name = f"pow_{'i' if signed else 'u'}256{'' if checked else '_wrap'}"
    return Routine(name, WORD + WORD, WORD, _power(lambda b: b.call(multiply(signed, checked))))


def _pow_mod(b: Body) -> None:
    """Base, exponent, modulus: a word each; the base is reduced first, and modulo 1 everything is 0."""
    modulus = (8, 9, 10, 11)
    b.get(*LEFT, *modulus)
    b.call(divide(True))
    b.set(*LEFT)

    def product(b: Body) -> None:
        b.get(*modulus)
        b.call(MUL_MOD)

    _power(product)(b)
    b.get(*modulus)
    b.call(divide(True))


POW_MOD: Final = Routine("pow_mod", WORD * 3, WORD, _pow_mod)
