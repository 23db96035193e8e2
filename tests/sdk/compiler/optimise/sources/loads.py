# ruff: noqa: F403, F405
"""Repeated loads of storage, with and without changes between."""

from sdk import *


class Point(Struct):
    x: u64
    y: u64


class Log(Event):
    a: u256
    b: u256


class Loads(Contract):
    n: Public[u256]
    k: Public[u8]
    m: Public[Map[u8, u256]]
    nested: Public[Map[u8, Map[u8, u256]]]
    points: Public[Map[u8, Point]]
    text: Public[String]
    items: Public[List[u256]]

    def bump(self) -> u256:
        self.n += 1
        return self.n

    def touch(self, key: u8) -> u256:
        self.m[key] += 10
        return self.m[key]

    @external
    def same_key(self, a: u8, b: u8, amount: u256) -> u256:
        if self.m[a] < amount:
            self.m[a] = amount
        self.m[a] -= amount
        self.m[b] += amount
        self.m[a] += 1
        return self.m[a] + self.m[b]

    @external
    def calls_between(self) -> tuple[u256, u256]:
        before = self.n
        sum_ = self.n + self.bump() + self.n
        return before, sum_ + self.n

    @external
    def augmented_by_a_call(self) -> u256:
        self.n += self.bump()
        self.m[1] += self.touch(1)
        return self.n * 1000 + self.m[1]

    @external
    def key_from_storage(self, a: u8) -> u256:
        self.k = a % 3
        self.m[self.k] = 5
        self.k = 2
        self.m[self.k] += 7
        return self.m[self.k] + self.m[0] + self.m[1]

    @external
    def key_that_moves(self, a: u8) -> u256:
        i = a % 4
        self.m[i] = 3
        total = self.m[i]
        i += 1
        total += self.m[i]
        self.m[i] = 4
        return total * 100 + self.m[i]

    @external
    def skipped(self, a: u256, yes: bool) -> u256:
        if yes and self.n > a:
            self.n = a
        b: u256 = self.n if a > 5 else 3
        if a > 7 or self.n == 2:
            self.n += 2
        return b + self.n

    @external
    def branches(self, a: u256) -> u256:
        if a > 3:
            self.n = 4
        elif a > 2:
            return self.n
        else:
            self.m[3] = a
        self.m[3] += self.n
        return self.m[3] + self.n

    @external
    def loops(self, a: u8) -> u256:
        i: u8 = 0
        while i < self.k % 5 + 3:
            if i == a:
                break
            if i == 1:
                i += 1
                continue
            self.n += self.m[2] % 100
            self.m[2] = self.n % 7
            i += 1
        for j in range(u64(a % 4)):
            self.nested[1][u8(j)] += self.n % 10
            self.nested[1][0] += self.nested[1][u8(j)]
        return self.n + self.m[2] + self.nested[1][0]

    @external
    def members(self, a: u8) -> u64:
        self.points[a].x = 5
        self.points[a].y += 2
        self.points[a].x += self.points[a].y % 3
        whole = self.points[a].copy()
        self.points[a].y = 1
        return whole.x + whole.y + self.points[a].x + self.points[a].y

    @external
    def whole_member(self, a: u8) -> u64:
        before = self.points[a].x
        self.points[a] = Point(9, 8)
        after = self.points[a].x
        del self.points[a]
        return before % 7 + after * 10 + self.points[a].x

    @external
    def texts(self, more: String) -> String:
        self.text = more + "!"
        first = self.text
        self.text += self.text
        emit(Log(self.n, self.n + 1))
        return first + self.text

    @external
    def listed(self, a: u256) -> u256:
        total: u256 = 0
        self.items.append(a % 10)
        i: u64 = 0
        while i < len(self.items):
            total += self.items[i]
            i += 1
        j: u64 = 0
        while j < len(self.items):
            j += 1
            if len(self.items) > 4:
                total += self.items.pop()
        return total * 10 + u256(len(self.items))

    @external
    def order_of_reverts(self, a: u256, i: u64) -> u256:
        x = a // (a % 3) + self.items[i] + self.items[i]
        self.items[i] += x % 5
        return self.items[i] + self.items[i]

    @external
    def deleted(self, a: u8) -> tuple[u256, bool]:
        self.m[a] = 6
        x = self.m[a]
        del self.m[a]
        return x + self.m[a], a in self.m
