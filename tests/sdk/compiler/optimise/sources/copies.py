# ruff: noqa: F403, F405
"""Copies that can be left out, beside those that cannot."""

from sdk import *


class Point(Struct):
    x: u64
    items: List[u64]


class Seen(Event):
    items: List[u64]
    x: u64


class Copies(Contract):
    point: Point
    lists: Map[u8, List[u64]]
    board: Array[u64, Literal[3]]

    def spoil(self, xs: List[u64]) -> u64:
        xs.append(99)
        xs[0] = 98
        return 1

    def given(self, xs: List[u64]) -> List[u64]:
        return xs.copy()

    @external
    def stored(self, xs: List[u64]) -> List[u64]:
        self.lists[1] = xs.copy()
        xs.append(7)
        self.lists[2] = xs.copy()
        self.lists[u8(self.spoil(xs))] = xs.copy()
        return self.lists[1].copy()

    @external
    def both(self, xs: List[u64]) -> tuple[List[u64], List[u64]]:
        ys = xs.copy()
        ys.append(1)
        self.lists[3] = ys.copy()
        ys.append(2)
        return xs.copy(), self.lists[3].copy()

    @external
    @view
    def encoded(self, xs: List[u64]) -> tuple[Bytes, bool]:
        xs.append(5)
        data = abi_encode(xs.copy(), self.spoil(xs), xs.copy())
        return data, xs.copy() == self.given(xs)

    @external
    def made(self, xs: List[u64]) -> Point:
        p = Point(1, xs.copy())
        xs.append(3)
        self.point = Point(2, xs.copy())
        q = self.point.copy()
        q.items.append(4)
        emit(Seen(q.items.copy(), self.point.x))
        p.x += u64(len(self.point.items.copy())) + q.x
        return p

    @external
    @view
    def passed(self, xs: List[u64]) -> tuple[u64, u64]:
        xs.append(1)
        a = self.spoil(xs.copy())
        b = xs[0]
        self.spoil(xs)
        return a + b, xs[0]

    @external
    @view
    def returned(self, xs: List[u64]) -> List[u64]:
        ys = self.given(xs)
        xs.append(6)
        ys.append(7)
        return ys

    @external
    def array(self, at: u8, value: u64) -> Array[u64, Literal[3]]:
        before = self.board.copy()
        self.board[at] = value
        before[at] += 1
        return before
