"""Which changes of a field an upgrade may make: what grows at an entry's end, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from sdk.upgrade import compare, difference, fields_of

Encoding = dict[str, Any]
BYTES: Encoding = {"is": "bytes"}
BOOL: Encoding = {"is": "bool"}


def uint(bits: int) -> Encoding:
    return {"is": "uint", "bits": bits}


def struct(*members: tuple[str, Encoding]) -> Encoding:
    return {"is": "struct", "name": "S", "members": [{"name": name, "type": type_} for name, type_ in members]}


def mapped(key: Encoding, value: Encoding) -> Encoding:
    return {"is": "map", "key": key, "value": value}


def enum(**values: int) -> Encoding:
    return {"is": "enum", "name": "E", "values": values}


def array(item: Encoding, length: int, entry: bool = True) -> Encoding:
    return {"is": "array", "item": item, "length": length, "entry": entry}


def listed(item: Encoding) -> Encoding:
    return {"is": "list", "item": item}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (uint(64), uint(256)),
        (mapped(uint(64), uint(8)), mapped(uint(64), uint(16))),
        (enum(A=0), enum(A=0, B=1)),
        (struct(("a", uint(8))), struct(("a", uint(8)), ("b", BOOL))),
        (struct(("a", uint(8))), struct(("renamed", uint(8)))),
        (struct(("a", BOOL), ("b", uint(8))), struct(("a", BOOL), ("b", uint(64)))),
        (listed(uint(8)), listed(uint(16))),
        (array(uint(8), 2), array(uint(8), 3)),
        (array(uint(256), 5, entry=False), array(uint(256), 9, entry=False)),
        ({"is": "tuple", "items": [BOOL]}, {"is": "tuple", "items": [BOOL, BOOL]}),
    ],
)
def test_what_may_grow(old: Encoding, new: Encoding) -> None:
    assert difference(old, new, alone=True) == ""
    assert difference(new, old, alone=True) or old["is"] == new["is"] == "struct"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (uint(64), uint(32), "another type"),
        (uint(64), {"is": "int", "bits": 64}, "another type"),
        ({"is": "int", "bits": 8}, {"is": "int", "bits": 16}, "another type"),
        (mapped(uint(64), BOOL), mapped(uint(128), BOOL), "another type"),
        (enum(A=0, B=1), enum(A=0, C=1), "E.B is gone or has another number"),
        (struct(("a", BOOL), ("b", BOOL)), struct(("b", BOOL), ("a", BOOL)), "S.a has another place"),
        (struct(("a", BOOL), ("b", BOOL)), struct(("a", BOOL)), "2 parts became 1"),
        (struct(("a", BYTES)), struct(("a", BYTES), ("b", BOOL)), "1 parts became 2"),
        (struct(("a", uint(8)), ("b", BOOL)), struct(("a", uint(16)), ("b", BOOL)), "another type"),
        (array(uint(8), 2), array(uint(16), 2), "another type"),
        (array(uint(8), 60), array(uint(8), 90, entry=False), "60 items became 90"),
        (array(struct(("a", BOOL)), 2), array(struct(("a", BOOL), ("b", BOOL)), 2), "1 parts became 2"),
        (array(uint(8), 3), array(uint(8), 2), "3 items became 2"),
        ({"is": "bytes", "size": 4}, {"is": "bytes", "size": 5}, "another type"),
        (BYTES, {"is": "string"}, "another type"),
    ],
)
def test_what_may_not_change(old: Encoding, new: Encoding, reason: str) -> None:
    assert difference(old, new, alone=True) == reason


def test_the_reason_stands_behind_the_types() -> None:
    def layout(type_: str, encoding: Encoding, kind: str = "storage") -> dict[str, Any]:
        field = {"name": "T.x", "prefix": "0x0001", "type": type_, "kind": kind, "encoding": encoding}
        return fields_of({"fields": [field]}, "T")

    (problem,) = compare(layout("E", enum(A=0)), layout("E", enum(B=0)))
    assert str(problem) == "T.x: what was kept as E would be read as E: E.A is gone or has another number"
    assert compare(layout("u8", uint(8), "transient"), layout("bool", BOOL)) == []
