# ruff: noqa: F403, F405
"""Structs, enums, tuples, lists and arrays, in memory and in storage."""

from sdk import *


class Color(Enum):
    RED = 0
    GREEN = 1
    BLUE = 5


class Point(Struct):
    x: u64
    y: i32 = -1


class Shape(Struct):
    name: String
    center: Point
    corners: List[Point]
    color: Color


class Objects(Contract):
    point: Public[Point]
    shape: Shape
    last: Public[tuple[u256, bool]]
    numbers: Public[List[u256]]
    small: List[u8]
    board: Public[Array[u16, Literal[5]]]
    grid: List[List[u64]]
    texts: List[String]
    color: Public[Color]

    def bump(self, p: Point) -> None:
        p.x += 1

    @external
    @view
    def aliases(self, x: u64) -> tuple[u64, u64, u64, i32]:
        p = Point(x)
        q = p.copy()
        self.bump(q)
        self.bump(q)
        r = Point(y=5, x=q.x)
        r.x *= 2
        return p.x, q.x, r.x, p.y

    @external
    def store(self, x: u64, y: i32) -> bool:
        self.point = Point(x, y)
        self.point.y += 1
        p = self.point.copy()
        p.x = 0
        return self.point == p

    @external
    def draw(self, name: String, xs: List[u64], color: Color) -> Shape:
        shape = Shape(name, Point(1, 2), [], color)
        for x in xs:
            shape.corners.append(Point(x))
        shape.center.x = len(shape.corners)
        self.shape = shape.copy()
        self.shape.corners.append(Point(9, 9))
        return shape

    @external
    @view
    def drawn(self) -> Shape:
        return self.shape.copy()

    @external
    @view
    def echo(self, shape: Shape, pair: tuple[u8, String]) -> tuple[Shape, tuple[u8, String]]:
        return shape.copy(), pair

    @external
    def move(self, i: u64, x: u64) -> u64:
        at = i % 8
        self.shape.corners[at].x = x
        self.shape.corners[at].y -= 1
        return len(self.shape.corners)

    @external
    def swap(self, a: u256, b: bool) -> tuple[bool, u256]:
        before = self.last
        self.last = (a, b)
        x, y = before
        return y, x + self.last[0] % 7

    @external
    def push(self, x: u256) -> u64:
        self.numbers.append(x)
        self.small.append(u8(x % 256))
        return len(self.numbers)

    @external
    def pop(self) -> tuple[u256, u8]:
        return self.numbers.pop(), self.small.pop()

    @external
    def set(self, i: u8, x: u256) -> u256:
        self.numbers[i % 8] += x
        self.small[i % 8] = 7
        return self.numbers[i % 8]

    @external
    @view
    def all(self) -> tuple[List[u256], List[u8], u64, bool]:
        return self.numbers.copy(), self.small.copy(), len(self.numbers), 7 in self.small

    @external
    def replace(self, xs: List[u256]) -> u256:
        self.numbers = xs.copy()
        return sum(self.numbers)

    @external
    @view
    def extremes(self, xs: List[i16]) -> tuple[i16, i16, i16]:
        return min(xs), max(xs), sum(xs)

    @external
    @view
    def sliced(self, xs: List[u32], i: u64, j: u64) -> tuple[List[u32], List[u32], List[u32]]:
        return xs[i:j], xs[:i], xs[j:]

    @external
    @view
    def built(self, n: u8, flag: bool) -> List[u64]:
        xs: List[u64] = [1, 2]
        ys: List[u64] = [0] * 3
        for i in range(u64(n % 8)):
            xs.append(i * i)
        ys[1] = len(xs)
        return xs if flag else ys

    @external
    def mark(self, i: u64, x: u16) -> Array[u16, Literal[5]]:
        self.board[i] += x
        board: Array[u16, Literal[5]] = [0] * 5
        if board == self.board:
            board[4] = 1
        return self.board.copy()

    @external
    @view
    def total(self, xs: Array[u64, Literal[3]]) -> tuple[u64, u64, bool]:
        return sum(xs), len(xs), 5 in xs

    @external
    def nest(self, i: u64, x: u64) -> u64:
        if i >= len(self.grid):
            self.grid.append([x])
        else:
            self.grid[i].append(x)
        return sum(self.grid[len(self.grid) - 1])

    @external
    @view
    def nested(self, i: u64, j: u64) -> u64:
        return self.grid[i % 4][j % 4]

    @external
    def say(self, text: String) -> List[String]:
        self.texts.append(text)
        if len(self.texts) > 3:
            self.texts.pop()
            self.texts[0] = text + "!"
        return self.texts.copy()

    @external
    def paint(self, color: Color) -> tuple[u8, bool]:
        before = self.color
        self.color = color
        return before.value, self.color == Color.BLUE

    @external
    def paint_number(self, n: u256) -> Color:
        self.color = Color(n)
        return self.color

    @external
    def reset(self) -> None:
        del self.point
        del self.numbers
        del self.small
        del self.shape
        self.board = [0, 0, 1, 0, 0]
