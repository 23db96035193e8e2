"""Events, errors, `assert` and `raise`: compared with `sdk.abi`."""

from __future__ import annotations

from typing import Any

import pytest

from contractvm.crypto import keccak256
from sdk.abi import Error, Event
from sdk.testing import Deployed, MockChain, Reverted, reverts
from tests.sdk.compiler.back.sources import deployed

SOURCE = """
class Point(Struct):
    x: u64
    y: i24

class Moved(Event):
    from_: Indexed[Address]
    to: Indexed[Address]
    value: u256

class Kinds(Event):
    a: Indexed[i16]
    b: Indexed[bytes5]
    c: bool
    d: Indexed[bool]
    e: i72

class Texts(Event):
    a: Indexed[String]
    b: String
    c: Indexed[Bytes]
    d: List[u16]

class Objects(Event):
    a: Indexed[Point]
    b: Indexed[List[String]]
    c: Indexed[Array[Point, Literal[2]]]
    d: Point

class Pairs(Event):
    a: Indexed[tuple[u8, Bytes]]
    b: tuple[u8, Bytes]

class Bare(Event):
    pass

class Note(Event, anonymous=True):
    a: Indexed[u8]
    b: String

class Insufficient(Error):
    have: u256
    want: u64

class Wrong(Error):
    who: Address
    why: String
    points: List[Point]

class Plain(Error):
    pass

class Emits(Contract):
    order: List[u8]

    def step(self, n: u8) -> u8:
        self.order.append(n)
        return n

    @external
    def moved(self, to: Address, value: u256) -> None:
        emit(Moved(msg.sender, to, value))
        emit(Moved(to, msg.sender, value // 2))

    @external
    def kinds(self, a: i16, b: bytes5, c: bool, d: bool, e: i72) -> None:
        emit(Kinds(a, b, c, d, e))
        emit(Kinds(1, b"abcde", False, True, 5))

    @external
    def texts(self, a: String, b: String, c: Bytes, d: List[u16]) -> None:
        emit(Texts(a, b, c, d))

    @external
    def objects(self, a: Point, b: List[String], c: Array[Point, Literal[2]], d: Point) -> None:
        emit(Objects(a, b, c, d))

    @external
    def pairs(self, a: u8, b: Bytes) -> None:
        emit(Pairs((a, b), (a, b)))

    @external
    def bare(self, text: String) -> None:
        emit(Bare())
        emit(Note(7, text))

    @external
    def ordered(self) -> List[u8]:
        emit(Kinds(d=self.step(1) == 1, a=i16(self.step(2)), c=True, b=b"12345", e=i72(self.step(3))))
        return self.order.copy()

    @external
    def fail(self, kind: u8, who: Address, text: String, points: List[Point]) -> u8:
        if kind == 0:
            raise Insufficient(want=u64(self.step(1)), have=2**255)
        if kind == 1:
            raise Wrong(who, text, points)
        if kind == 2:
            raise Plain()
        if kind == 3:
            raise Revert(text)
        if kind == 4:
            raise Revert("a reason that is longer than thirty-two bytes are")
        assert kind != 5, text
        assert kind != 6
        assert kind < 7 or kind > 8, "seven or eight"
        assert self.check(kind, points), "no"
        return kind

    def check(self, kind: u8, points: List[Point]) -> bool:
        if kind == 9:
            raise Insufficient(u256(len(points)), 1)
        return True
"""


@pytest.fixture(scope="module", params=["reference", "portable"])
def c(request: pytest.FixtureRequest) -> Deployed:
    return deployed(MockChain(tier=request.param), SOURCE)


def logs(receipt: Any) -> list[tuple[list[bytes], bytes]]:
    return [([bytes(topic) for topic in log.topics], bytes(log.data)) for log in receipt.logs]


def encoded(text: str, *values: Any) -> tuple[list[bytes], bytes]:
    topics, data = Event.parse(text).encode_log(*values)
    return list(topics), data


MOVED = "event Moved(address indexed from, address indexed to, uint256 value)"
KINDS = "event Kinds(int16 indexed a, bytes5 indexed b, bool c, bool indexed d, int72 e)"
TEXTS = "event Texts(string indexed a, string b, bytes indexed c, uint16[] d)"
OBJECTS = (
    "event Objects((uint64 x, int24 y) indexed a, string[] indexed b, (uint64,int24)[2] indexed c, (uint64,int24) d)"
)
PAIRS = "event Pairs((uint8,bytes) indexed a, (uint8,bytes) b)"


def test_events_of_words(c: Deployed) -> None:
    to = b"\xfe" * 20
    sender = bytes(c.chain.accounts[0])
    assert logs(c.moved.tx(to, 2**256 - 1)) == [
        encoded(MOVED, sender, to, 2**256 - 1),
        encoded(MOVED, to, sender, 2**255 - 1),
    ]
    for values in ((-1, b"\1\2\3\4\5", True, False, -(2**71)), (2**15 - 1, bytes(5), False, True, 0)):
        assert logs(c.kinds.tx(*values)) == [encoded(KINDS, *values), encoded(KINDS, 1, b"abcde", False, True, 5)]


def test_events_of_texts_and_objects(c: Deployed) -> None:
    for texts in (("", "", b"", []), ("tag", "t" * 33, b"\0" * 70, [1, 2**16 - 1])):
        assert logs(c.texts.tx(*texts)) == [encoded(TEXTS, *texts)]
    for objects in (
        ((1, -1), ["a", "b" * 40, ""], [(2, 3), (4, -5)], (6, 7)),
        ((0, 0), [], [(0, 0), (0, 0)], (0, 0)),
    ):
        assert logs(c.objects.tx(*objects)) == [encoded(OBJECTS, *objects)]
    assert logs(c.pairs.tx(5, b"x" * 31)) == [encoded(PAIRS, (5, b"x" * 31), (5, b"x" * 31))]


def test_events_without_fields_and_without_a_signature(c: Deployed) -> None:
    bare, note = logs(c.bare.tx("hello"))
    assert bare == ([keccak256(b"Bare()")], b"")
    assert note[0] == [(7).to_bytes(32, "big")]
    assert note[1] == Error.parse("error E(string b)").encode("hello")[4:]


def test_fields_are_evaluated_as_they_are_written(c: Deployed) -> None:
    receipt = c.ordered.tx()
    assert receipt.value == [1, 2, 3]
    assert logs(receipt) == [encoded(KINDS, 2, b"12345", True, True, 3)]


def test_errors(c: Deployed) -> None:
    who, points = b"\7" * 20, [(1, -2), (2**64 - 1, 2**23 - 1)]

    def data(kind: int, text: str = "text") -> bytes:
        with pytest.raises(Reverted) as caught:
            c.fail(kind, who, text, points)
        return bytes(caught.value.data)

    assert data(0) == Error.parse("Insufficient(uint256,uint64)").encode(2**255, 1)
    assert data(1) == Error.parse("Wrong(address,string,(uint64,int24)[])").encode(who, "text", points)
    assert data(2) == keccak256(b"Plain()")[:4]
    assert data(9) == Error.parse("Insufficient(uint256,uint64)").encode(2, 1)
    text = Error.parse("Error(string)")
    for reason in ("", "x" * 31, "x" * 32, "x" * 33, "é" * 500):
        assert data(3, reason) == data(5, reason) == text.encode(reason)
    assert data(4) == text.encode("a reason that is longer than thirty-two bytes are")
    assert data(7) == data(8) == text.encode("seven or eight")
    with reverts("Panic", code=0x01):
        c.fail(6, who, "", [])
    assert c.fail(11, who, "", []) == 11
