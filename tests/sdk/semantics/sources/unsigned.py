# ruff: noqa: F403, F405
"""Arithmetic of one unsigned width; the test puts other widths in u64's place."""

from sdk import *


class Unsigned(Contract):
    @external
    @view
    def add(self, a: u64, b: u64) -> u64:
        return a + b

    @external
    @view
    def sub(self, a: u64, b: u64) -> u64:
        return a - b

    @external
    @view
    def mul(self, a: u64, b: u64) -> u64:
        return a * b

    @external
    @view
    def divide(self, a: u64, b: u64) -> tuple[u64, u64]:
        return a // b, a % b

    @external
    @view
    def power(self, a: u64, n: u8) -> u64:
        result: u64 = a**n
        return result

    @external
    @view
    def cube(self, a: u64) -> tuple[u64, u64]:
        return pow(a, 3), a**3

    @external
    @view
    def shift(self, a: u64, n: u16) -> tuple[u64, u64]:
        return a >> n, a << n

    @external
    @view
    def shift_right(self, a: u64, n: u256) -> u64:
        return a >> n

    @external
    @view
    def shift_by_three(self, a: u64) -> tuple[u64, u64]:
        return a >> 3, a << 3

    @external
    @view
    def bits(self, a: u64, b: u64) -> tuple[u64, u64, u64]:
        return a & b, a | b, a ^ b

    @external
    @view
    def compare(self, a: u64, b: u64) -> tuple[bool, bool, bool, bool, bool, bool]:
        return a < b, a <= b, a > b, a >= b, a == b, a != b

    @external
    @view
    def chain_of(self, a: u64, b: u64, c: u64) -> bool:
        return a < b <= c != a

    @external
    @view
    def modular(self, a: u64, b: u64, m: u64) -> u64:
        return pow(a, b, m)

    @external
    @view
    def least(self, a: u64, b: u64) -> tuple[u64, u64, u64]:
        return min(a, b), max(a, b, 7), min(a, 100)

    @external
    @view
    def wrapped(self, a: u64, b: u64) -> tuple[u64, u64, u64]:
        with unchecked():
            return a + b, a - b, a * b

    @external
    @view
    def wrapped_shift(self, a: u64, n: u8) -> tuple[u64, u64]:
        with unchecked():
            return a << n, a**n

    @external
    @view
    def wrapped_division(self, a: u64, b: u64) -> u64:
        with unchecked():
            return a // b

    @external
    @view
    def steps(self, a: u64, b: u64) -> u64:
        a += b
        a *= 3
        a -= b
        a //= 2
        a %= 100
        a <<= 1
        a |= 1
        a ^= b & 15
        a >>= 1
        a **= 2
        return a

    @external
    @view
    def mixed(self, a: u64, b: u64, c: u64) -> u64:
        return (a + b) * c - a // (b + 1) + (c % 7 if a > b else c)

    @external
    @view
    def with_literals(self, a: u64) -> tuple[u64, u64, u64, u64]:
        return a + 1, a * 2, 200 - a, 100 // (a + 1)

    @external
    @view
    def ends(self) -> tuple[u64, u64]:
        return min_value(u64), max_value(u64)

    @external
    @view
    def from_wide(self, x: u256) -> u64:
        return u64(x)

    @external
    @view
    def from_signed(self, x: i256) -> u64:
        return u64(x)

    @external
    @view
    def to_signed(self, x: u64) -> i64:
        return i64(x)

    @external
    @view
    def low_bits(self, x: u256, y: i256) -> tuple[u64, u64]:
        with unchecked():
            return u64(x), u64(y)

    @external
    @view
    def to_others(self, x: u64) -> tuple[u256, i256, u64]:
        return u256(x), i256(x), u64(x > 5)
