"""RLP against ethereum/tests and itself, msgpack against its own canonical form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.codec import (
    MAX_DEPTH,
    Encodable,
    Item,
    Packable,
    PackError,
    RLPError,
    decode,
    decode_uint,
    encode,
    encode_uint,
    pack,
    unpack,
)
from tests.state.support import unhex, vectors

ITEMS: st.SearchStrategy[Item] = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5))
VALUES: st.SearchStrategy[Packable] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


def encodable(value: Any) -> Encodable:
    """A vector's input: text, number, `#` and a big number, or a list."""
    if isinstance(value, list):
        return [encodable(child) for child in value]
    if isinstance(value, str):
        return int(value[1:]) if value.startswith("#") else value.encode()
    assert isinstance(value, int)
    return value


def test_rlp_vectors() -> None:
    cases = vectors("RLPTests/rlptest.json")
    for name, case in cases.items():
        data = unhex(case["out"])
        assert encode(encodable(case["in"])) == data, name
        assert encode(decode(data)) == data, name
    assert len(cases) == 28


@pytest.mark.parametrize("file", ["RLPTests/invalidRLPTest.json", "RLPTests/RandomRLPTests/example.json"])
def test_rlp_verdict_vectors(file: str) -> None:
    for name, case in vectors(file).items():
        data = unhex(case["out"])
        if case["in"] == "VALID":
            assert encode(decode(data)) == data
        else:
            assert case["in"] == "INVALID"
            with pytest.raises(RLPError, match="offset"):
                print(name, decode(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x81\x7f", "stands for itself"),
        (b"\xb8\x37" + bytes(55), "takes the short header"),
        (b"\xf8\x37" + bytes(55), "takes the short header"),
        (b"\xb9\x00\x38" + bytes(56), "length starts with a zero byte"),
        (b"\xf9\x00\x38" + bytes(56), "length starts with a zero byte"),
        (b"\xb8\x38" + bytes(55), "ends at 58, beyond 57"),
        (b"\xc2\x82\x01\x01", "ends at 4, beyond 3"),
        (b"\xbf" + b"\xff" * 8, "beyond 9"),
        (b"\xbf\xff", "ends at 9, beyond 2"),
    ],
)
def test_each_other_form_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(RLPError, match=reason):
        decode(data)


@given(ITEMS)
def test_rlp_round_trip(item: Item) -> None:
    assert decode(encode(item)) == item


@given(st.binary(max_size=60))
def test_what_decodes_is_canonical(data: bytes) -> None:
    try:
        item = decode(data)
    except RLPError:
        return
    assert encode(item) == data


@given(ITEMS, st.data())
def test_damaged_rlp_is_refused_or_is_another_item(item: Item, data: st.DataObject) -> None:
    whole = encode(item)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(RLPError):
        decode(whole[:cut])
    with pytest.raises(RLPError, match=f"offset {len(whole)}: 1 bytes follow"):
        decode(whole + b"\x00")


def test_deep_rlp_ends_by_count_not_by_recursion() -> None:
    deep = b"\xc0"
    for _ in range(MAX_DEPTH - 1):
        deep = _wrap(deep)
    decode(deep)
    with pytest.raises(RLPError, match="nest deeper"):
        decode(_wrap(deep))
    for _ in range(5000):
        deep = _wrap(deep)
    with pytest.raises(RLPError, match="nest deeper"):
        decode(deep)
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(RLPError, match="nest deeper"):
        encode(nested)
    while nested:
        nested = nested[0]


def _wrap(data: bytes) -> bytes:
    size = len(data)
    if size < 56:
        return bytes((0xC0 + size,)) + data
    length = encode_uint(size)
    return bytes((0xF7 + len(length),)) + length + data


def test_rlp_refuses_what_has_no_form() -> None:
    for value in ("text", 1.5, None, True, -1, bytearray(b"x"), {"a": 1}):
        with pytest.raises(RLPError):
            encode(value)  # type: ignore[arg-type]
        with pytest.raises(RLPError):
            encode([value])  # type: ignore[list-item]


@given(st.integers(0, 2**300))
def test_uint(value: int) -> None:
    data = encode_uint(value)
    assert decode_uint(data) == value
    assert not data.startswith(b"\x00")
    assert decode(encode(value)) == data
    with pytest.raises(RLPError, match="zero byte"):
        decode_uint(b"\x00" + data)


@given(VALUES)
def test_msgpack_round_trip(value: Packable) -> None:
    data = pack(value)
    assert unpack(data) == value
    assert pack(unpack(data)) == data


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 9)))
def test_msgpack_does_not_depend_on_insertion(value: dict[str, Packable]) -> None:
    assert pack(value) == pack(dict(reversed(value.items())))


@given(st.binary(max_size=60))
def test_what_unpacks_is_canonical(data: bytes) -> None:
    try:
        value = unpack(data)
    except PackError:
        return
    assert pack(value) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xcb" + bytes(8),  # a float of 64 bits
        b"\xca" + bytes(4),  # a float of 32 bits
        b"\xcc\x01",  # 1 in a longer form
        b"\xc4\x01",  # bytes cut off
        b"\x82\xa1b\x01\xa1a\x02",  # keys out of order
        b"\x81\x01\x02",  # a key that is no text
        b"\x82\xa1a\x01\xa1a\x02",  # a key twice
        b"\xd4\x01\x00",  # an extension
        b"\xd6\xff" + bytes(4),  # a timestamp
        b"\xc1",  # unused
        b"\x01\x01",  # one value and more
        b"\xd9\x01a",  # text in a longer form
        b"\xa1\xff",  # text that is no UTF-8
        b"\x91" * 5000 + b"\x90",
    ],
)
def test_msgpack_refuses_other_forms(data: bytes) -> None:
    with pytest.raises(PackError):
        unpack(data)


def test_msgpack_refuses_what_has_no_form() -> None:
    nested: list[Any] = []
    for _ in range(MAX_DEPTH + 1):
        nested = [nested]
    for value in (1.0, 2**64, -(2**63) - 1, {1: 2}, {"a": {b"b": 1}}, object(), {1}, nested, "\ud800"):
        with pytest.raises(PackError):
            pack(value)  # type: ignore[arg-type]
