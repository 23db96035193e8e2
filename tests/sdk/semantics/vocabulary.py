"""What made up programs are made of: the contract around them, its fields by type, lines with gaps to fill.

In braces stands the type of what is filled in, or `point` and `list` for variables. Never: chooses.
"""

from __future__ import annotations

WIDTHS = ("u8", "u64", "u128", "u256", "i8", "i64", "i256", "u24", "i72")
FIELDS = """
    a: Public[u256]
    b: u64
    c: i64
    d: u8
    e: i256
    f: bool
    g: u128
    items: List[u64]
    wide: List[i256]
    board: Array[u8, Literal[4]]
    table: Map[u8, u256]
    signs: Map[i64, i64]
    deep: Map[u8, Map[bool, u64]]
    point: Point
    points: Map[u64, Point]
    text: String
    blob: Bytes
    tag: bytes4
    names: Map[String, u8]

    def __init__(self) -> None:
        self.a, self.b, self.c, self.d = 2**200 + 7, 2, -3, 3
        self.e, self.g = -(2**100), 2**90
        self.items = [5, 2**63, 7, 11]
        self.wide = [-1, 2**254, 3, -(2**255)]
        self.board = [1, 200, 0, 4]
        self.table[1] = 9
        self.table[3] = 2**255
        self.signs[1] = -(2**63)
        self.points[2] = Point(4, -4)
        self.text, self.blob = "ab", b"\\x00\\xffsome"

    @external
    @view
    def look(self) -> tuple[u256, u64, i64, u8, i256, bool, u128, List[u64], List[i256], Array[u8, Literal[4]]]:
        numbers = self.items.copy()
        for at, key in enumerate(self.points):
            numbers.append(at + key % 3 + self.points[key].x % 5)
        for name, times in self.names.items():
            numbers.append(u64(len(name.encode())) + u64(times))
        for sign in self.signs:
            numbers.append(u64(sign & 255))
        board = self.board.copy()
        return self.a, self.b, self.c, self.d, self.e, self.f, self.g, numbers, self.wide.copy(), board

    def nudge(self, point: Point, by: u64) -> u64:
        point.x += by
        point.y -= 1
        return point.x ^ u64(abs(point.y))

    def grown(self, numbers: List[u64], by: u64) -> List[u64]:
        numbers.append(by)
        return numbers[by % 3 :]

    @external
    @view
    def read(self) -> tuple[String, Bytes, bytes4, Point]:
        return self.text, self.blob, self.tag, self.point.copy()

"""
HEAD = """from sdk import *


class Point(Struct):
    x: u64
    y: i64 = 0


class Noted(Event):
    at: Indexed[u64]
    what: i256


class Fails(Error):
    code: u8


class Program(Contract):"""
STATE = {
    "u256": ["self.a", "self.table[{u8}]"],
    "u64": ["self.b", "self.point.x", "self.points[{u64}].x", "self.items[{u64} % 4]", "self.deep[{u8}][{bool}]"],
    "i64": ["self.c", "self.point.y", "self.signs[{i64}]"],
    "u8": ["self.d", "self.board[{u8} % 5]"],
    "i256": ["self.e", "self.wide[{u64} % 4]"],
    "bool": ["self.f"],
    "u128": ["self.g"],
}
"""Places of a type; in braces the types of what must be worked out."""
TESTS = [
    '(self.text == "ab")',
    '(self.tag < b"abcd")',
    "(self.blob != abi_encode({u8}, self.text))",
    "(self.text in self.names)",
    "(self.tag != bytes4(keccak256(self.blob)))",
]
"""Questions about texts and bytes."""
TEXTS = [
    'self.text = self.text + "zoë"',
    "self.text = self.blob[:0].decode()",
    "self.blob = self.blob[{u64}:{u64}] + encode_packed({u8}, self.tag, {u64})",
    "self.blob = abi_encode(self.text, self.point, self.tag)[{u64} * 32 :]",
    "self.tag = bytes4(keccak256(self.blob + self.text.encode()))",
    "self.names[self.text] = {u8}",
    "del self.names[self.text]",
]
"""What changes texts and bytes."""
IN_MEMORY = [
    "{point}.x += {u64}",
    "{point}.y = {i64}",
    "self.b ^= self.nudge({point}, {u64})",
    "self.b, {point}.x = {point}.x, self.b",
    "{point} = self.points[{u64}].copy()",
    "{point} = Point({u64})",
    "{list}.append({u64})",
    "self.b ^= {list}[{u64}]",
    "{list}[{u64}] -= {point}.x",
    "{list} = self.grown({list}, {u64})",
    "{list} = {list}[{u64} : {u64}]",
    "self.b ^= {list}.pop() + len({list})",
    "self.b ^= max({list}) - min({list})",
    "self.f = {list} == self.items or {u64} in {list}",
    "self.f = {point} != self.point",
    "for at, x in enumerate({list}): self.b ^= x ^ at",
]
"""What is done with a struct and a list that are variables."""
STORING = ["self.points[{u64}] = {point}.copy()", "self.items = {list}.copy()", "self.point = {point}.copy()"]
KEYED = ("table", "signs", "deep", "points")
LISTS = {"items": "u64", "wide": "i256"}
