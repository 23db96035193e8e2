# ruff: noqa: F403, F405
"""Statements: branches, loops, assignment, evaluation order, calls of the contract's own functions."""

from sdk import *

LIMIT: Const[u64] = 5


class Stepped(Event):
    at: Indexed[u64]
    total: u256


class TooMany(Error):
    have: u64
    limit: u64


def tripled(x: u256, plus: u256 = 1) -> u256:
    return 3 * x + plus


class Base(Contract):
    trail: Public[u256]

    def note(self, digit: u256) -> u256:
        with unchecked():
            self.trail = self.trail * 10 + digit
        return digit

    def weight(self) -> u256:
        return 1


class Flow(Base):
    count: Public[u64]

    def weight(self) -> u256:
        return super().weight() + 1

    def yes(self, digit: u256) -> bool:
        self.note(digit)
        return True

    def no(self, digit: u256) -> bool:
        self.note(digit)
        return False

    @external
    def branch(self, x: u8) -> u256:
        if x < 10:
            return self.note(1)
        elif x == 10:
            self.note(2)
        elif x > 200:
            return self.note(3)
        else:
            self.note(4)
        return self.note(5)

    @external
    def logic(self, a: bool, b: bool) -> bool:
        first = (self.yes(1) if a else self.no(2)) and (self.yes(3) if b else self.no(4))
        second = (a and self.no(5)) or (not b and self.yes(6))
        return first or second

    @external
    def chained(self, a: u256, b: u256, c: u256) -> bool:
        return self.note(a % 10) < self.note(b % 10) < self.note(c % 10)

    @external
    def order(self, a: u256, b: u256) -> u256:
        x, y = self.note(1), self.note(2)
        x, y = y + a % 100, x + b % 100
        return tripled(self.note(3), plus=self.note(4)) + x * self.note(5) - y % 3

    @external
    def down(self, n: u8) -> u256:
        total: u256 = 0
        left = n
        while True:
            if left == 0:
                break
            left -= 1
            if left % 3 == 0:
                continue
            total += u256(left)
        return total

    @external
    def ranges(self, a: u64, b: u64) -> tuple[u64, u64, u64, u64]:
        total: u64 = 0
        for i in range(a % 10):
            total += i
        steps: u64 = 0
        for i in range(a % 7, b % 30, 3):
            steps += i + 1
        back: u64 = 0
        for i in range(b % 10, a % 3, -2):
            back = back * 2 + i
        nested: u64 = 0
        for i in range(LIMIT):
            for j in range(i):
                if j == 3:
                    break
                if i + j == a % 8:
                    continue
                nested += i * j + 1
        return total, steps, back, nested

    @external
    def early(self, xs: List[u64], want: u64) -> u64:
        for at, x in enumerate(xs):
            if x == want:
                return at
        return max_value(u64)

    @external
    def climb(self, by: u64) -> u64:
        self.count += by
        if self.count > 100:
            raise TooMany(self.count, limit=100)
        assert self.count != 50, "fifty"
        assert self.count != 60
        emit(Stepped(self.count, tripled(u256(by))))
        return self.count

    @external
    @view
    def factorial(self, n: u8) -> u256:
        return self.product(u256(n % 64))

    def product(self, n: u256) -> u256:
        return 1 if n < 2 else n * self.product(n - 1)

    @external
    @view
    def optional(self, a: u256, b: u256 = 7, c: bool = True) -> u256:
        return a % 1000 + (b if c else 0) + self.weight()

    @external
    @view
    def declared(self, flag: bool) -> u256:
        x: u256
        if flag:
            x = 4
        else:
            x = 5
        return x * x

    @external
    @payable
    def paid(self) -> tuple[u256, bool]:
        return msg.value, self.balance >= msg.value
