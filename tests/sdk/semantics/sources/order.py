# ruff: noqa: F403, F405
"""What comes first, what is worked out once, and whose function it is: cases that a compiler gets wrong."""

from sdk import *

STEP: Const[u64] = 3
WIDE: Const[u256] = 2**255 // 3
NAMES: Const[u64] = STEP * 2 + 1


class Pair(Struct):
    left: u64
    right: u64 = NAMES


class Trail(Event):
    first: u64
    second: Indexed[u64]
    third: u64


class Wrong(Error):
    a: u64
    b: u64


def doubled(x: u8) -> u8:
    return x * 2


class Root(Contract):
    trail: Public[List[u64]]

    def who(self) -> u64:
        return 1

    def step(self, n: u64) -> u64:
        self.trail.append(n)
        return n


class Left(Root):
    left: u64

    def who(self) -> u64:
        return 10 * super().who() + 2


class Right(Root):
    right: u64

    def who(self) -> u64:
        return 10 * super().who() + 3


class Order(Left, Right):
    fixed: Public[Immutable[u256]]
    place: Public[Immutable[Address]]
    word: Public[Immutable[bytes4]]
    items: List[u64]
    table: Map[u64, u64]
    pair: Pair
    flag: Public[bool]
    small: u8
    depth: Transient[u64]
    seen: Transient[List[u8]]

    def __init__(self) -> None:
        self.fixed = WIDE
        self.place = msg.sender
        self.word = b"word"
        self.items = [1, 2, 3]

    def who(self) -> u64:
        return 10 * super().who() + 4

    @external
    def resolution(self) -> tuple[u64, u64]:
        return self.who(), self.step(7)

    @external
    def reset(self) -> None:
        del self.trail

    @external
    def index_once(self, i: u64) -> List[u64]:
        self.items[self.step(i % 4)] += self.step(100)
        self.table[self.step(i % 3)] += self.step(5) * 2
        return self.trail.copy()

    @external
    def value_first(self, i: u64) -> List[u64]:
        self.items[self.step(i % 4)] = self.step(9)
        self.table[self.step(1)] = self.table[self.step(2)] + self.step(3)
        return self.trail.copy()

    @external
    def named(self, a: u64) -> tuple[u64, u64, List[u64]]:
        p = Pair(right=self.step(a), left=self.step(2))
        emit(Trail(third=self.step(3), first=self.step(4), second=self.step(5)))
        q = self.make(b=self.step(6), a=self.step(7))
        return p.left, q.right, self.trail.copy()

    def make(self, a: u64, b: u64 = STEP) -> Pair:
        return Pair(a, b)

    @external
    def refuse(self, a: u64) -> None:
        raise Wrong(b=self.step(a), a=self.step(a // 2))

    @external
    def chain_once(self, a: u64, b: u64, c: u64) -> tuple[bool, List[u64]]:
        held = self.step(a) <= self.step(b) < self.step(c) <= self.step(a)
        return held, self.trail.copy()

    @external
    def sides(self, a: u64) -> tuple[u64, List[u64]]:
        x = self.step(a % 100) + self.step(2) * self.step(3) - min(self.step(4), self.step(5))
        return x, self.trail.copy()

    @external
    def swapped(self, i: u64, j: u64) -> List[u64]:
        a, b = i % 3, j % 3
        self.items[a], self.items[b] = self.items[b], self.items[a]
        a, b = b, a
        self.items[a], a = a, self.items[b]
        return self.items.copy()

    @external
    def growing(self, n: u8) -> List[u64]:
        for at, x in enumerate(self.items):
            if len(self.items) < u64(n % 12):
                self.items.append(x + at)
        return self.items.copy()

    @external
    def shrinking(self) -> u64:
        total: u64 = 0
        for x in self.items:
            total += x
            if len(self.items) > 1:
                self.items.pop()
        return total

    @external
    @view
    def lexical(self, x: u8) -> u8:
        with unchecked():
            return doubled(x) + 200

    @external
    @view
    def narrowed(self, x: u64, y: i64) -> tuple[u8, i8, u16, i16]:
        with unchecked():
            return u8(x), i8(y), u16(y), i16(x)

    @external
    @view
    def inside_out(self, x: u8) -> u8:
        with unchecked():
            y = x + 100
        return y + 100

    @external
    def forget(self, flag: bool, n: u8) -> tuple[bool, u8, u64]:
        before, small, right = self.flag, self.small, self.pair.right
        self.flag, self.small = flag, n
        self.pair = Pair(3)
        if n % 2 == 0:
            del self.flag
            del self.small
            del self.pair
        return before, small, right

    @external
    @view
    def fixed_ones(self) -> tuple[u256, bytes4, bool, u64]:
        return self.fixed, self.word, self.place == msg.sender, NAMES

    @external
    def deeper(self, n: u8) -> tuple[u64, List[u8]]:
        self.depth += 1
        self.seen.append(n)
        if n % 8 > 0:
            d, _s = self.deeper(n % 8 - 1)
            self.depth = d
        return self.depth, self.seen.copy()

    @external
    def by_reference(self, xs: List[u64], p: Pair) -> tuple[List[u64], Pair, List[u64]]:
        ys = xs.copy()
        self.change(xs, p)
        self.change(xs, p)
        self.change(ys, Pair(0))
        return xs.copy(), p.copy(), ys

    def change(self, xs: List[u64], p: Pair) -> None:
        xs.append(len(xs))
        xs[0] = 9
        p.left = len(xs)

    @external
    @view
    def nested(self, xss: List[List[u16]]) -> tuple[List[List[u16]], u64]:
        total: u64 = 0
        made: List[List[u16]] = [[1]]
        for xs in xss:
            total += u64(sum(xs)) if len(xs) > 0 else 1000
            made.append(xs.copy())
        made[0].append(7)
        return made, total

    @external
    @view
    def leaves(self, n: u64) -> u64:
        found: u64 = 0
        for i in range(n % 20):
            for j in range(i):
                if i * j == 12:
                    found = i
                    break
                if j > 5:
                    return 99
            if found > 0:
                break
            found += 0
        while found < 50:
            found += 7
            if found % 2 == 0:
                continue
            found += 1
        return found
