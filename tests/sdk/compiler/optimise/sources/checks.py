# ruff: noqa: F403, F405
"""Checks that cannot fail, beside those that can."""

from sdk import *


class Checks(Contract):
    kept: Public[u8]

    @external
    @view
    def guarded(self, a: u8, b: u8) -> u8:
        if a < b:
            return b - a
        return a - b

    @external
    @view
    def guarded_wrong(self, a: u8, b: u8) -> u8:
        if a < b:
            return a - b
        return b - a

    @external
    @view
    def moved(self, a: u8, b: u8) -> u8:
        assert a >= b, "less"
        a -= 1
        return a - b

    @external
    @view
    def chained(self, a: u8, b: u8, c: u8) -> tuple[u8, u8]:
        assert a <= b < c
        return c - a, b + 1

    @external
    @view
    def ranged(self, a: u16) -> u8:
        x = a % 16
        y = u8(x) * 17
        return y + u8(a & 15) - u8(a // 256 // 255)

    @external
    @view
    def widened(self, a: u8, b: u8) -> u16:
        return u16(a) * u16(b) + u16(a)

    @external
    @view
    def widened_too_far(self, a: u8, b: u8) -> u16:
        return u16(a) * u16(b) + u16(a) * 2

    @external
    @view
    def counted(self, a: u64, b: u64) -> u64:
        total: u64 = 0
        for i in range(b % 8, a % 16):
            total += i + 1
        for i in range(a % 16, b % 8, -1):
            total += i - 1
        return total

    @external
    @view
    def counted_to_the_end(self, a: u64) -> u64:
        total: u64 = 0
        for i in range(a, max_value(u64)):
            total = i + 1
            if total > a:
                break
        return total

    @external
    @view
    def looped(self, a: u8, b: u8) -> u8:
        i = a
        while i < b:
            i += 1
            if i == 200:
                break
        return i - a

    @external
    @view
    def looped_down(self, a: u8, step: u8) -> u8:
        while a > step:
            a -= step + 1
        return a

    @external
    @view
    def chosen(self, a: u8, b: u8) -> u8:
        return (a - b if a > b else b - a) + min(a, b) - max(a, b)

    @external
    @view
    def least(self, a: u8, b: u8) -> u8:
        c = min(a, b)
        d = max(a, b)
        return (a - c) + (d - b) + (d - c)

    @external
    @view
    def halves(self, a: u8, b: u8) -> u8:
        c = a // 2
        d = a - c
        e = a % b
        return d + (b - e)

    @external
    @view
    def signed(self, a: i8, b: i8) -> i8:
        if a >= 0 and b >= 0:
            return a - b
        if a > -128:
            return -a
        return a // b

    @external
    @view
    def nested(self, a: u8, b: u8, c: u8) -> u8:
        if a > b:
            if b > c:
                return a - c
            return a - b
        if a == b:
            return a - b + c
        return c - a

    @external
    @view
    def forgotten(self, a: u8, b: u8) -> u8:
        if a > b:
            b = 250
        else:
            a = 200
        return a - b

    @external
    @view
    def wrapped(self, a: u8, b: u8) -> tuple[u8, u8]:
        with unchecked():
            c = a - b
        d: u8 = a - c if a >= c else 0
        return c, d

    @external
    @view
    def powers(self, a: u8, n: u8) -> tuple[u64, u64]:
        return u64(a % 4) ** (n % 16), u64(a) << (n % 70)

    @external
    def stored(self, a: u8) -> u8:
        assert self.kept >= a or self.kept == 0
        if self.kept >= a:
            self.kept -= a
        else:
            self.kept = a
        return self.kept
