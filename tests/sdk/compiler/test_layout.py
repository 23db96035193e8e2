"""Keys, values and the layout that tools read."""

from __future__ import annotations

import json

import pytest

from contractvm.crypto import keccak256
from sdk.compiler import layout as layouts
from sdk.compiler.layout import clashes, encoding, fixed_bytes, is_entry, layout, least_bytes, prefix
from sdk.compiler.layout_decode import Stored, Unreadable, decode_entry
from sdk.compiler.symbols import Field, Kind, Span
from sdk.compiler.types import (
    ADDRESS,
    BOOL,
    BYTES,
    STRING,
    U64,
    U256,
    Array,
    Enum,
    FixedBytes,
    Int,
    List,
    Map,
    Member,
    Struct,
    Tuple,
    Type,
)
from tests.sdk.compiler.back.sources import program_of

POINT = Struct("Point", "m.Point", (Member("x", U64), Member("y", Int(24, True))))
NAMED = Struct("Named", "m.Named", (Member("name", STRING), Member("at", POINT), Member("ids", List(U64))))
COLOR = Enum("Color", "m.Color", (("RED", 0), ("BLUE", 7)))


def field(name: str, type_: Type) -> Field:
    return Field(name, f"T.{name}", type_, Kind.STORAGE, False, Span(0, 1, 0, 1, 1))


def one(type_: Type) -> layouts.Layout:
    """The layout of a contract with one field `T.f`."""
    return {"fields": [{"name": "T.f", "prefix": f"0x{prefix('T.f').hex()}", "encoding": encoding(type_)}]}


def read(type_: Type, key: bytes, value: bytes) -> Stored:
    found = decode_entry(one(type_), prefix("T.f") + key, value)
    assert found is not None
    return found


def test_prefixes_are_of_names() -> None:
    assert prefix("Token.balance_of") == keccak256(b"Token.balance_of")[:2]
    assert prefix("Token.balance_of") != prefix("Other.balance_of")


def test_a_prefix_is_never_all_ff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "keccak256", lambda _: b"\xff\xff\x12\x34" + bytes(28))
    assert prefix("any") == b"\x12\x34"


def test_two_fields_of_one_prefix_are_found() -> None:
    names = {}
    for i in range(2000):
        start = prefix(f"T.f{i}")
        if start in names:
            break
        names[start] = i
    else:
        pytest.fail("2000 names have 2000 prefixes of two bytes")
    first, second = field(f"f{names[start]}", U64), field(f"f{i}", U64)
    assert clashes([first, field("other", U64), second]) == [(first, second)]
    assert clashes([first, field("other", U64)]) == []


@pytest.mark.parametrize(
    ("type_", "fixed", "least", "entry"),
    [
        (Int(24), 3, 3, True),
        (BOOL, 1, 1, True),
        (COLOR, 1, 1, True),
        (FixedBytes(13), 13, 13, True),
        (STRING, None, 4, True),
        (POINT, 11, 11, True),
        (NAMED, None, 19, True),
        (Tuple((U256, ADDRESS)), 52, 52, True),
        (List(U64), None, 4, False),
        (Array(U64, 8), 64, 64, True),
        (Array(U64, 9), 72, 72, False),
        (Array(STRING, 2), None, 8, False),
        (Map(U64, U64), None, 4, False),
    ],
)
def test_sizes(type_: Type, fixed: int | None, least: int, entry: bool) -> None:
    assert (fixed_bytes(type_), is_entry(type_)) == (fixed, entry)
    if not isinstance(type_, Map):
        assert least_bytes(type_) == least


def test_values() -> None:
    assert read(U256, b"", b"\5\1") == Stored("T.f", (), 261)
    assert read(Int(24, True), b"", b"\xff\xff\xff").value == -1
    assert read(BOOL, b"", b"\1").value is True
    assert read(COLOR, b"", b"\7").value == "BLUE"
    assert read(ADDRESS, b"", b"\1").value == b"\1" + bytes(19)
    assert read(FixedBytes(4), b"", b"ab").value == b"ab\0\0"
    assert read(BYTES, b"", b"\0\1\0").value == b"\0\1\0"
    assert read(STRING, b"", "é".encode()).value == "é"
    assert read(POINT, b"", b"\5").value == {"x": 5, "y": 0}
    name = b"\2\0\0\0hi"
    ids = b"\1\0\0\0" + (9).to_bytes(8, "little")
    expected = {"name": "hi", "at": {"x": 3, "y": -1}, "ids": [9]}
    assert read(NAMED, b"", name + (3).to_bytes(8, "little") + b"\xff\xff\xff" + ids).value == expected
    assert read(NAMED, b"", name).value == {"name": "hi", "at": {"x": 0, "y": 0}, "ids": []}
    assert read(Array(Int(16), 3), b"", b"\1\0\2").value == [1, 2, 0]


def test_keys() -> None:
    def keyed(key: Type, raw: bytes) -> object:
        return read(Map(key, U64), raw, b"\1").path[0]

    assert keyed(U64, (5).to_bytes(8, "big")) == 5
    assert keyed(U256, b"\2\1\0") == 256
    assert keyed(U256, b"\0") == 0
    assert keyed(Int(8, True), b"\x7f") == -1
    assert keyed(Int(128, True), b"\x80" + bytes(15)) == 0
    assert keyed(STRING, b"a\0b") == "a\0b"
    assert keyed(Tuple((BYTES, STRING)), b"a\0\xffb\0\0c\0") == (b"a\0b", "c\0")
    nested = Map(ADDRESS, Map(STRING, List(Array(U64, 9))))
    key = b"\1" * 20 + b"k\0\0" + (3).to_bytes(4, "big") + (8).to_bytes(4, "big")
    assert read(nested, key, b"\4") == Stored("T.f", (b"\1" * 20, "k", 3, 8), 4)
    assert read(nested, key[:23], b"\4") == Stored("T.f", (b"\1" * 20, "k"), 4, is_length=True)


def test_what_is_not_of_the_layout() -> None:
    assert decode_entry(one(U64), b"zz", b"") is None
    for type_, key, value in (
        (U64, b"more", b"\1"),
        (Map(U64, U64), b"\0\0", b"\1"),
        (Map(U256, U64), b"\5\0", b"\1"),
        (List(U64), b"\0", b"\1"),
        (Struct("S", "m.S", (Member("text", STRING),)), b"", b"\xff\xff\xff\xff"),
        (Struct("S", "m.S", (Member("ids", List(U64)),)), b"", b"\xff\xff\xff\x7f"),
    ):
        with pytest.raises(Unreadable):
            read(type_, key, value)


def test_the_layout_is_json() -> None:
    program = program_of("""
    class Kind(Enum):
        NONE = 0
        SOME = 4

    class Point(Struct):
        x: u64
        kind: Kind

    class Base(Contract):
        owner: Immutable[Address]

        def __init__(self) -> None:
            self.owner = msg.sender

    class T(Base):
        LIMIT: Const[u64] = 3
        points: Map[String, List[Point]]
        depth: Transient[u8]

        def __init__(self) -> None:
            super().__init__()

        @external
        def f(self, key: String) -> u64:
            self.depth += 1
            self.points[key].append(Point(1, Kind.SOME))
            return self.points[key][0].x
    """)
    made = json.loads(json.dumps(layout(program)))
    assert made["contract"] == "T"
    found = {one["name"]: (one["type"], one["kind"], one["prefix"]) for one in made["fields"]}
    assert found == {
        "Base.owner": ("Address", "immutable", f"0x{prefix('Base.owner').hex()}"),
        "T.points": ("Map[String, List[Point]]", "storage", f"0x{prefix('T.points').hex()}"),
        "T.depth": ("u8", "transient", f"0x{prefix('T.depth').hex()}"),
    }
    points = next(one for one in made["fields"] if one["name"] == "T.points")
    assert points["encoding"] == {
        "is": "map",
        "key": {"is": "string"},
        "value": {
            "is": "list",
            "item": {
                "is": "struct",
                "name": "Point",
                "members": [
                    {"name": "x", "type": {"is": "uint", "bits": 64}},
                    {"name": "kind", "type": {"is": "enum", "name": "Kind", "values": {"NONE": 0, "SOME": 4}}},
                ],
            },
        },
    }
