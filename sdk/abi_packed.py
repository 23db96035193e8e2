"""Two other encodings of the ABI's types: Solidity's `abi.encodePacked`, and the topic of an indexed value.

    encode_packed([parse_type("uint16"), parse_type("string")], [3, "ab"]) == b"\\x00\\x03ab"

Source: Solidity, "Contract ABI Specification", sections "Non-standard Packed Mode" and "Encoding of Indexed Event
Parameters".
Never: decodes; neither encoding says where a value ends.
"""

from __future__ import annotations

from collections.abc import Sequence

from contractvm.crypto import keccak256
from sdk.abi_types import (
    WORD,
    ABIError,
    AddressType,
    Array,
    Bool,
    Bytes,
    FixedBytes,
    Integer,
    Tuple,
    Type,
    Value,
    to_sequence,
)


def encode_packed(types: Sequence[Type], values: Sequence[Value], at: str = "argument") -> bytes:
    """Join values without padding and lengths; items of arrays are padded to 32 bytes. Raises: ABIError.

    As in Solidity, tuples, arrays of arrays and arrays of `bytes` or `string` have no packed form.
    """
    if len(types) != len(values):
        raise ABIError(f"{at}s: {len(types)} wanted, {len(values)} given")
    return b"".join(
        _packed(type_, value, f"{at}[{i}]") for i, (type_, value) in enumerate(zip(types, values, strict=True))
    )


def _packed(type_: Type, value: Value, at: str) -> bytes:
    match type_:
        case Integer(bits=bits):
            return type_.encode(value, at)[WORD - bits // 8 :]
        case Bool():
            return type_.encode(value, at)[WORD - 1 :]
        case AddressType():
            return type_.encode(value, at)[WORD - 20 :]
        case FixedBytes(size=size):
            return type_.encode(value, at)[:size]
        case Bytes():
            return _content(type_, value, at)
        case Array(item=Integer() | Bool() | AddressType() | FixedBytes()):
            encoded = type_.encode(value, at)
            return encoded if type_.length is not None else encoded[WORD:]
    raise ABIError(f"{at}: {type_.name} has no packed form; elementary types and arrays of words have")


def topic_of(type_: Type, value: Value) -> bytes:
    """The 32 bytes that stand for an indexed value: itself if it fits one word, otherwise a hash. Raises: ABIError."""
    match type_:
        case Bytes():
            return keccak256(_content(type_, value, "topic"))
        case Array() | Tuple():
            return keccak256(_in_place(type_, value, "topic"))
    return type_.encode(value, "topic")


def _in_place(type_: Type, value: Value, at: str) -> bytes:
    """Contents one behind the other, each padded to words, without offsets and lengths."""
    match type_:
        case Bytes():
            raw = _content(type_, value, at)
            return raw.ljust(-(-len(raw) // WORD) * WORD, b"\0")
        case Array(item=item):
            return b"".join(_in_place(item, inner, at) for inner in to_sequence(value, type_.name, at))
        case Tuple(items=items):
            values = to_sequence(value, type_.name, at)
            return b"".join(_in_place(item, inner, at) for item, inner in zip(items, values, strict=True))
    return type_.encode(value, at)


def _content(type_: Bytes, value: Value, at: str) -> bytes:
    encoded = type_.encode(value, at)
    return encoded[WORD : WORD + int.from_bytes(encoded[:WORD], "big")]
