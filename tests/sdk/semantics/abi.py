"""Values of the language as Solidity's ABI has them. The encoder is `sdk.abi`, which is checked against eth-abi.

Follows docs/language.md, "The ABI" and "Functions of the language". Never: imports the compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contractvm.crypto import keccak256
from sdk.abi import ABIError, decode, encode, parse_types
from tests.sdk.semantics.values import (
    Account,
    BytesLiteral,
    Fixed,
    IllTyped,
    Member,
    Num,
    Remote,
    Reverted,
    Seq,
    TupleT,
    Type,
    abi_type,
    from_plain,
    plain,
    type_of,
)


def encoded(types: Sequence[Type], values: Sequence[Any]) -> bytes:
    """As `abi.encode`."""
    return encode(parse_types(f"({','.join(map(abi_type, types))})"), [plain(value) for value in values])


def decoded(data: bytes, type_: Type) -> Any:
    """One value, or a tuple of several. Raises: Reverted for data that are malformed."""
    types = type_.items if isinstance(type_, TupleT) else (type_,)
    try:
        found = decode(parse_types(f"({','.join(map(abi_type, types))})"), data)
    except ABIError:
        raise Reverted(b"") from None
    values = tuple(from_plain(value, one) for value, one in zip(found, types, strict=True))
    return values if isinstance(type_, TupleT) else values[0]


def packed(values: Sequence[Any]) -> bytes:
    """As `abi.encodePacked`."""
    return b"".join(map(packed_one, values))


def packed_one(value: Any, inside: bool = False) -> bytes:
    """`inside` a list, where every item takes whole words."""
    match value:
        case bool():
            data = bytes([value])
        case Num():
            data = (value.n % (1 << value.type.bits)).to_bytes(value.type.bits // 8, "big")
        case Member():
            data = bytes([value.n])
        case Fixed(data) if inside:
            return data.ljust(32, b"\0")
        case Account(data) | Fixed(data) | Remote(data=data):
            pass
        case str():
            return value.encode()
        case bytes() if not isinstance(value, BytesLiteral):
            return value
        case Seq(items=items):
            return b"".join(packed_one(item, inside=True) for item in items)
        case _:
            raise IllTyped(f"packing {value!r}")
    if inside and isinstance(value, Num) and value.type.signed and value.n < 0:
        return data.rjust(32, b"\xff")
    return data.rjust(32, b"\0") if inside else data


def reason(text: str) -> Reverted:
    """Solidity's Error(string)."""
    return Reverted(bytes.fromhex("08c379a0") + encode(parse_types("(string)"), [text]))


def selector(name: str, types: Sequence[Type]) -> bytes:
    return keccak256(f"{name}({','.join(map(abi_type, types))})".encode())[:4]


def custom(name: str, values: Sequence[Any]) -> Reverted:
    """A custom error."""
    types = [type_of(value) for value in values]
    return Reverted(selector(name, types) + encoded(types, values))
