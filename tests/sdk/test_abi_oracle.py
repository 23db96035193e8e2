"""The ABI against `eth-abi`, the encoder of web3.py: random types and values both ways, and data that was damaged.

Where the two may differ is written down: eth-abi gives addresses as hex text; refuses text that is not UTF-8, offsets
into the heads and a last value without its padding, all of which Solidity reads; reads data whose offsets overlap; and
packs items of arrays without the padding that Solidity gives them.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.abi import ABIError, decode, encode, encode_packed
from sdk.abi_types import AddressType, Array, Bool, Bytes, FixedBytes, Integer, Tuple, Type, Value
from tests.sdk.abi_values import TYPES, damage, elementary_types, values_of

eth_abi = pytest.importorskip("eth_abi", reason="eth-abi is not installed: pip install eth-abi")
eth_exceptions = pytest.importorskip("eth_abi.exceptions")
eth_packed = pytest.importorskip("eth_abi.packed")

WORD = 32


def theirs(type_: Type, value: Value) -> Value:
    """A value as eth-abi gives it: tuples for arrays too, addresses as text."""
    match type_:
        case AddressType() if isinstance(value, bytes):
            return "0x" + value.hex()
        case Array(item=item) if isinstance(value, (list, tuple)):
            return tuple(theirs(item, inner) for inner in value)
        case Tuple(items=items) if isinstance(value, (list, tuple)):
            return tuple(theirs(item, inner) for item, inner in zip(items, value, strict=True))
    return value


def all_theirs(types: Sequence[Type], values: Sequence[Value]) -> tuple[Value, ...]:
    return tuple(theirs(type_, value) for type_, value in zip(types, values, strict=True))


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[list[Type], tuple[Value, ...]]:
    types = draw(st.lists(TYPES, max_size=4))
    return types, tuple(draw(values_of(type_)) for type_ in types)


@given(typed_values())
@settings(max_examples=1500, deadline=None)
def test_encodings_are_the_same_both_ways(case: tuple[list[Type], tuple[Value, ...]]) -> None:
    types, values = case
    names = [type_.name for type_ in types]
    encoded = encode(types, values)
    assert encoded == eth_abi.encode(names, values)
    assert decode(types, encoded) == values
    assert eth_abi.decode(names, encoded) == all_theirs(types, values)


@given(typed_values(), st.data())
@settings(max_examples=1500, deadline=None)
def test_damaged_data_is_read_the_same_or_refused(
    case: tuple[list[Type], tuple[Value, ...]], data: st.DataObject
) -> None:
    types, values = case
    damaged = data.draw(damage(encode(types, values)))
    try:
        ours: tuple[Value, ...] | None = decode(types, damaged)
        reason = ""
    except ABIError as error:
        ours, reason = None, str(error)
    try:
        padded = damaged + bytes(WORD - 1) if ours is not None else damaged
        other: tuple[Value, ...] | None = eth_abi.decode([type_.name for type_ in types], padded)
    except eth_exceptions.InvalidPointer:  # an offset into the heads, which Solidity follows
        return
    except (eth_exceptions.DecodingError, OverflowError):
        other = None
    except UnicodeDecodeError:
        return
    if other is None:
        assert ours is None, f"eth-abi refuses what gives {ours!r}"
    elif ours is None:
        assert "overlap" in reason or "offset or length" in reason or "do not fit" in reason, reason
    else:
        assert all_theirs(types, ours) == other


@given(st.lists(elementary_types(), max_size=4), st.data())
@settings(max_examples=1000, deadline=None)
def test_packed_encodings_are_the_same(types: list[Type], data: st.DataObject) -> None:
    values = [data.draw(values_of(type_)) for type_ in types]
    assert encode_packed(types, values) == eth_packed.encode_packed([type_.name for type_ in types], values)


def test_items_of_packed_arrays_are_padded_as_in_solidity() -> None:
    # abi.encodePacked(uint16(0x12), new uint16[](2) with 0x34 and 0x56) in Solidity.
    packed = encode_packed([Integer(16, False), Array(Integer(16, False), None)], [0x12, [0x34, 0x56]])
    assert packed == b"\0\x12" + (0x34).to_bytes(32, "big") + (0x56).to_bytes(32, "big")
    assert encode_packed([Array(Integer(8, True), 1)], [[-1]]) == b"\xff" * 32


@pytest.mark.parametrize(
    "type_",
    [Tuple((Bool(),)), Array(Bytes(True), None), Array(Array(Bool(), 2), None), Array(Tuple((Bool(),)), 1)],
    ids=lambda type_: type_.name,
)
def test_what_solidity_does_not_pack(type_: Type) -> None:
    with pytest.raises(ABIError, match="has no packed form"):
        encode_packed([type_], [[]])


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Integer(8, False), 256),
        (Integer(8, True), -129),
        (Integer(256, False), -1),
        (FixedBytes(2), b"abc"),
        (Bool(), 1),
        (Bytes(False), "text"),
        (Bytes(True), b"bytes"),
        (Array(Bool(), 2), [True]),
        (Tuple((Bool(), Bool())), (True,)),
    ],
    ids=lambda case: getattr(case, "name", None),
)
def test_values_that_both_refuse(type_: Type, value: Value) -> None:
    with pytest.raises(ABIError):
        encode([type_], [value])
    with pytest.raises(eth_exceptions.EncodingError):
        eth_abi.encode([type_.name], [value])
