# ruff: noqa: F403, F405
"""Arithmetic of one signed width; the test puts other widths in i64's place."""

from sdk import *


class Signed(Contract):
    @external
    @view
    def add(self, a: i64, b: i64) -> i64:
        return a + b

    @external
    @view
    def sub(self, a: i64, b: i64) -> i64:
        return a - b

    @external
    @view
    def mul(self, a: i64, b: i64) -> i64:
        return a * b

    @external
    @view
    def divide(self, a: i64, b: i64) -> i64:
        return a // b

    @external
    @view
    def remainder(self, a: i64, b: i64) -> i64:
        return a % b

    @external
    @view
    def power(self, a: i64, n: u8) -> i64:
        result: i64 = a**n
        return result

    @external
    @view
    def left(self, a: i64, n: u16) -> i64:
        return a << n

    @external
    @view
    def right(self, a: i64, n: u16) -> i64:
        return a >> n

    @external
    @view
    def bits(self, a: i64, b: i64) -> tuple[i64, i64, i64, i64]:
        return a & b, a | b, a ^ b, ~a

    @external
    @view
    def negative(self, a: i64) -> i64:
        return -a

    @external
    @view
    def absolute(self, a: i64) -> i64:
        return abs(a)

    @external
    @view
    def compare(self, a: i64, b: i64) -> tuple[bool, bool, bool, bool, bool]:
        return a < b, a <= b, a > b, a == b, a > -3

    @external
    @view
    def least(self, a: i64, b: i64) -> tuple[i64, i64]:
        return min(a, b, -1), max(a, b, -1)

    @external
    @view
    def wrapped(self, a: i64, b: i64) -> tuple[i64, i64, i64, i64, i64]:
        with unchecked():
            return a + b, a - b, a * b, -a, abs(a)

    @external
    @view
    def wrapped_division(self, a: i64, b: i64) -> tuple[i64, i64]:
        with unchecked():
            return a // b, a % b

    @external
    @view
    def wrapped_shift(self, a: i64, n: u8) -> tuple[i64, i64]:
        with unchecked():
            return a << n, a**n

    @external
    @view
    def with_literals(self, a: i64) -> tuple[i64, i64, i64]:
        return a // -3, a % -3, 5 - a

    @external
    @view
    def steps(self, a: i64, b: i64) -> i64:
        a -= b
        a *= -2
        a //= 3
        a %= -7
        a ^= b
        a >>= 2
        return a

    @external
    @view
    def from_wide(self, x: i256) -> i64:
        return i64(x)

    @external
    @view
    def from_unsigned(self, x: u256) -> i64:
        return i64(x)

    @external
    @view
    def low_bits(self, x: u256, y: i256) -> tuple[i64, i64]:
        with unchecked():
            return i64(x), i64(y)

    @external
    @view
    def to_others(self, x: i64) -> tuple[i256, bool]:
        return i256(x), x >= 0

    @external
    @view
    def ends(self) -> tuple[i64, i64]:
        return min_value(i64), max_value(i64)
