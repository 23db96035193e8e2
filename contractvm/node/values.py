"""Values as Ethereum's JSON has them: `0x` quantities without leading zeros, `0x` data, blocks by tag, number or hash.

Reading is lenient where clients differ (numbers as numbers or hex, absent as null) and strict where meaning is
at stake. Source: execution-apis schemas; EIP-1474; EIP-1898 for blocks as objects. Never: looks at a chain.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from contractvm.chain import BlockId
from contractvm.node.fault import bad_params
from contractvm.types import Address, Hash

TAGS: Final = ("latest", "pending", "earliest", "safe", "finalized")
_PREFIXES: Final = ("0x", "0X")
_HEX: Final = re.compile(r"0[xX][0-9a-fA-F]*\Z")
_DECIMAL: Final = re.compile(r"[0-9]+\Z")
_OUTERMOST: Final = reprlib.Repr()
_OUTERMOST.maxlevel = 2
_LONGEST: Final = 80
"""Characters of a wrong value that its error repeats."""
SLOT_BYTES: Final = 32
"""Of the key and of the value of a slot that has a number."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of parameter: how it is read, and its JSON schema. `read` raises: Fault."""

    name: str
    read: Callable[[Any], Any]
    schema: Schema


def quantity_hex(number: int) -> str:
    """A quantity as it is written."""
    return hex(number)


def data_hex(content: bytes) -> str:
    """Bytes as they are written."""
    return "0x" + content.hex()


def shown(value: object) -> str:
    """A wrong value, for its error: cut short."""
    # Of what has members only the outermost are written: others may be nested more deeply than Python can follow.
    text = repr(value) if not isinstance(value, dict | list) else _OUTERMOST.repr(value)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def quantity(value: object) -> int:
    """A whole number of zero or more: hex text, decimal text, or a JSON number. Raises: Fault."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and len(value) <= 66:
        try:
            number = int(value, 16) if _HEX.match(value) else int(value) if _DECIMAL.match(value) else -1
        except ValueError:
            number = -1
        if number >= 0:
            return number
    raise bad_params(f"{shown(value)} is no quantity; write it as hex, such as 0x1f")


def u64(value: object) -> int:
    """A quantity below 2**64. Raises: Fault."""
    number = quantity(value)
    if number >> 64:
        raise bad_params(f"{shown(value)} is above 64 bits")
    return number


def u256(value: object) -> int:
    """A quantity below 2**256. Raises: Fault."""
    number = quantity(value)
    if number >> 256:
        raise bad_params(f"{shown(value)} is above 256 bits")
    return number


def data(value: object) -> bytes:
    """Bytes from hex. Raises: Fault."""
    if isinstance(value, str) and value.startswith(_PREFIXES):
        try:
            content = bytes.fromhex(value[2:])
        except ValueError:
            content = b""
        if 2 * len(content) + 2 == len(value):  # else there are spaces in between, which Python passes over
            return content
    raise bad_params(f"{shown(value)} is no data; write it as 0x and an even number of hex digits")


def address(value: object) -> Address:
    """Twenty bytes, in any mix of cases. Raises: Fault."""
    return _address(value) if isinstance(value, str) and len(value) == 42 else _address_of(value)


def _address_of(value: object) -> Address:
    content = data(value)
    if len(content) != 20:
        raise bad_params(f"{shown(value)} is no address: {len(content)} bytes instead of 20")
    return Address(content)


_address: Final[Callable[[str], Address]] = lru_cache(4_096)(_address_of)
"""The same ones come again and again."""


def hash32(value: object) -> Hash:
    """Thirty-two bytes. Raises: Fault."""
    content = data(value)
    if len(content) != 32:
        raise bad_params(f"{shown(value)} is no hash: {len(content)} bytes instead of 32")
    return Hash(content)


def boolean(value: object) -> bool:
    """Raises: Fault."""
    if isinstance(value, bool):
        return value
    raise bad_params(f"{shown(value)} is neither true nor false")


def text(value: object) -> str:
    """Raises: Fault."""
    if isinstance(value, str):
        return value
    raise bad_params(f"{shown(value)} is no text")


def block(value: object) -> BlockId:
    """A tag, a height, a hash, or EIP-1898's object. Raises: Fault."""
    match value:
        case None:
            return "latest"
        case str() if value in TAGS:
            return value
        case str() if len(value) == 66:
            return hash32(value)
        case {"blockHash": digest}:
            return hash32(digest)
        case {"blockNumber": number} if not isinstance(number, dict):
            return block(number)
        case str() | int() if not isinstance(value, bool):
            return u64(value)
    raise bad_params(f"{shown(value)} is no block; give a tag ({', '.join(TAGS)}), a number or a hash")


def mapping(value: object) -> Mapping[str, Any]:
    """Raises: Fault."""
    if isinstance(value, dict):
        return value
    raise bad_params(f"{shown(value)} is no object")


def storage_key(value: object) -> bytes:
    """A key of storage: a slot number, whose key is 32 bytes, or `0x` and the bytes of any key. Raises: Fault.

    Hex with an odd number of digits, or with at most two, is a number: nobody writes a key's bytes so.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 256:
        return value.to_bytes(SLOT_BYTES, "big")
    if isinstance(value, str) and value[:2] in ("0x", "0X"):
        digits = value[2:]
        if len(digits) % 2 or len(digits) == 2:
            try:
                return int(digits, 16).to_bytes(SLOT_BYTES, "big")
            except (ValueError, OverflowError):
                raise bad_params(f"{shown(value)} is no storage key") from None
        return data(value)
    raise bad_params(f"{shown(value)} is no storage key; give a slot number or the key's bytes in hex")


def storage_keys(value: object) -> tuple[bytes, ...]:
    """The keys that this may mean where slots are read, the likelier first. Raises: Fault.

    Clients write slot numbers as hex of any length, so that hex of an even number of digits without a leading zero is
    both a number and the bytes of a shorter key: whoever reads takes the one that has a value.
    """
    key = storage_key(value)
    if 2 <= len(key) < SLOT_BYTES and key[0] >> 4:
        return key.rjust(SLOT_BYTES, b"\0"), key
    return (key,)


def anything(value: Any) -> Any:
    """Whatever it is; the method reads it."""
    return value


_Q: Final[Schema] = {"type": "string", "pattern": "^0x(0|[1-9a-f][0-9a-f]*)$"}
_BYTES: Final[Schema] = {"type": "string", "pattern": "^0x([0-9a-fA-F]{2})*$"}

QUANTITY: Final = Kind("quantity", quantity, _Q)
U64: Final = Kind("quantity", u64, _Q)
U256: Final = Kind("quantity", u256, _Q)
DATA: Final = Kind("data", data, _BYTES)
ADDRESS: Final = Kind("address", address, {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"})
HASH: Final = Kind("hash", hash32, {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"})
BOOLEAN: Final = Kind("boolean", boolean, {"type": "boolean"})
TEXT: Final = Kind("text", text, {"type": "string"})
OBJECT: Final = Kind("object", mapping, {"type": "object"})
ANY: Final = Kind("any", anything, {})
BLOCK: Final = Kind(
    "block",
    block,
    {"oneOf": [{"type": "string", "enum": list(TAGS)}, _Q, {"type": "object"}], "default": "latest"},
)
