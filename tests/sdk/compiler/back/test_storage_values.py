"""Every type as a value in storage: what is written is read again, and lies as the layout says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.types import Address
from sdk.testing import Deployed, MockChain
from tests.sdk.compiler.back.sources import artifact_of, entries, raw_entries

HEAD = """
class Color(Enum):
    RED = 0
    GREEN = 1
    BLUE = 7

class Point(Struct):
    x: u64
    y: i24

class Shape(Struct):
    name: String
    points: List[Point]
    color: Color
    area: u256
    raw: Bytes

class Deep(Struct):
    inner: Point
    pair: tuple[u8, String]
    three: Array[u16, Literal[3]]
"""
BYTES20 = st.binary(min_size=20, max_size=20)
POINT = st.tuples(st.integers(0, 2**64 - 1), st.integers(-(2**23), 2**23 - 1))
TEXT = st.text(max_size=40)
SHAPE = st.tuples(
    TEXT, st.lists(POINT, max_size=4), st.sampled_from([0, 1, 7]), st.integers(0, 2**256 - 1), st.binary(max_size=40)
)
VALUES: dict[str, tuple[st.SearchStrategy[Any], Any]] = {
    **{
        f"u{bits}": (st.one_of(st.integers(0, 2**bits - 1), st.integers(0, min(300, 2**bits - 1))), 0)
        for bits in (8, 16, 24, 40, 48, 56, 64, 72, 128, 136, 160, 248, 256)
    },
    **{
        f"i{bits}": (st.one_of(st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1), st.integers(-3, 3)), 0)
        for bits in (8, 16, 24, 56, 64, 72, 128, 136, 192, 200, 256)
    },
    "bool": (st.booleans(), False),
    "Address": (BYTES20, bytes(20)),
    "bytes1": (st.binary(min_size=1, max_size=1), bytes(1)),
    "bytes7": (st.binary(min_size=7, max_size=7), bytes(7)),
    "bytes13": (st.binary(min_size=13, max_size=13), bytes(13)),
    "bytes32": (st.binary(min_size=32, max_size=32), bytes(32)),
    "Bytes": (st.binary(max_size=200), b""),
    "String": (TEXT, ""),
    "Color": (st.sampled_from([0, 1, 7]), 0),
    "Point": (POINT, (0, 0)),
    "Shape": (SHAPE, ("", [], 0, 0, b"")),
    "Deep": (
        st.tuples(POINT, st.tuples(st.integers(0, 255), TEXT), st.lists(st.integers(0, 65535), min_size=3, max_size=3)),
        ((0, 0), (0, ""), [0, 0, 0]),
    ),
    "tuple[u8, bool, Address]": (st.tuples(st.integers(0, 255), st.booleans(), BYTES20), (0, False, bytes(20))),
    "tuple[u256, Bytes, u8]": (
        st.tuples(st.integers(0, 2**256 - 1), st.binary(max_size=50), st.integers(0, 255)),
        (0, b"", 0),
    ),
    "List[u256]": (st.lists(st.integers(0, 2**256 - 1), max_size=5), []),
    "List[String]": (st.lists(TEXT, max_size=5), []),
    "List[Shape]": (st.lists(SHAPE, max_size=3), []),
    "List[List[u8]]": (st.lists(st.lists(st.integers(0, 255), max_size=4), max_size=3), []),
    "Array[u8, Literal[9]]": (st.lists(st.integers(0, 255), min_size=9, max_size=9), [0] * 9),
    "Array[u256, Literal[3]]": (st.lists(st.integers(0, 2**256 - 1), min_size=3, max_size=3), [0] * 3),
    "Array[Point, Literal[2]]": (st.lists(POINT, min_size=2, max_size=2), [(0, 0)] * 2),
    "Array[String, Literal[2]]": (st.lists(TEXT, min_size=2, max_size=2), ["", ""]),
}
SHARED = ("Point", "Shape", "Deep", "List", "Array")


def source(type_: str) -> str:
    copy = ".copy()" if type_.startswith(SHARED) else ""
    whole = f"return self.field{copy}"
    result = type_
    return f"""{HEAD}
class Keeps(Contract):
    field: {type_}
    other: u8

    @external
    def put(self, value: {type_}) -> None:
        self.field = value{copy}

    @external
    @view
    def get(self) -> {result}:
        {whole}

    @external
    def clear(self) -> None:
        del self.field
"""


def plain(value: Any) -> Any:
    """What the kit decoded, as tuples, lists and plain values."""
    if isinstance(value, dict):
        return tuple(map(plain, value.values()))
    if isinstance(value, list):
        return list(map(plain, value))
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return bytes(value) if isinstance(value, bytes) else value


@pytest.fixture(scope="module", params=VALUES)
def keeps(request: pytest.FixtureRequest) -> tuple[str, MockChain, Deployed, dict[str, Any]]:
    made, layout = artifact_of(source(request.param))
    chain = MockChain(tier="portable")
    return request.param, chain, chain.deploy(made), layout


def test_a_value_is_read_as_it_was_written(keeps: tuple[str, MockChain, Deployed, dict[str, Any]]) -> None:
    type_, chain, contract, layout = keeps
    strategy, default = VALUES[type_]
    assert plain(contract.get()) == default

    @settings(max_examples=15, deadline=None)
    @given(strategy)
    def tried(value: Any) -> None:
        contract.put(value)
        assert plain(contract.get()) == value
        stored = entries(chain, Address(contract.address), layout)
        assert (not stored) == (value == default)
        if not type_.startswith(("List", "Array[u256", "Array[String", "Array[Point")) and stored:
            expected = {0: "RED", 1: "GREEN", 7: "BLUE"}[value] if type_ == "Color" else value
            if type_ not in ("Shape", "Deep"):
                assert plain(stored["Keeps.field",]) == expected
        if not type_.startswith(("Bytes", "String", "Shape", "Deep", "tuple[u256, B", "List", "Array[String")):
            assert all(content[-1] for content in raw_entries(chain, Address(contract.address)).values())
        if value != default:
            contract.clear()
            assert not raw_entries(chain, Address(contract.address))
            assert plain(contract.get()) == default

    tried()
