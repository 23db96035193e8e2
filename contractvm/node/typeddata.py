"""Structured data as wallets sign it: the digest of a typed message under its domain.

Source: EIP-712; what MetaMask's `eth_signTypedData_v4` adds to it: arrays, and structs that are null. Strict: a value
that does not fit its type is refused with its place, never trimmed or padded.
Never: signs, or takes a value for something that it might also have been.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contractvm.crypto import keccak256
from contractvm.node.fault import Fault, bad_params
from contractvm.node.values import address, data, mapping, shown

DOMAIN: Final = "EIP712Domain"
DEEPEST: Final = 32
"""Structs and arrays within one another."""
MOST_TYPES: Final = 1_000
_DOMAIN_FIELDS: Final = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}
_ARRAY: Final = re.compile(r"(.*)\[([1-9][0-9]{0,8})?\]\Z", re.DOTALL)
_NUMBER: Final = re.compile(r"(u?)int([1-9][0-9]{0,2})?\Z")
_FIXED_BYTES: Final = re.compile(r"bytes([1-9][0-9]?)\Z")
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,78}\Z")
_HEX: Final = re.compile(r"-?0[xX][0-9a-fA-F]{1,64}\Z")
_NULL_STRUCT: Final = bytes(32)

Fields = tuple[tuple[str, str], ...]
"""(name, type) of each field of a struct."""


@dataclass(frozen=True, slots=True)
class TypedData:
    """A message of a primary type under a domain, and all types that are named."""

    types: Mapping[str, Fields]
    primary: str
    domain: Mapping[str, Any]
    message: Mapping[str, Any]

    @staticmethod
    def read(document: Mapping[str, Any]) -> TypedData:
        """Read the object that clients send. Raises: Fault."""
        primary = document.get("primaryType")
        domain = mapping(document.get("domain"))
        types = _types_of(mapping(document.get("types")), domain)
        if not isinstance(primary, str) or primary not in types:
            raise bad_params(f"primaryType: {shown(primary)} is none of the types")
        message = {} if primary == DOMAIN else mapping(document.get("message"))
        return TypedData(types, primary, domain, message)

    @property
    def digest(self) -> bytes:
        """The 32 bytes that are signed. Raises: Fault for a value that does not fit its type."""
        content = b"\x19\x01" + self._struct(DOMAIN, self.domain, "domain", 0)
        if self.primary != DOMAIN:
            content += self._struct(self.primary, self.message, "message", 0)
        return keccak256(content)

    def encode_type(self, name: str) -> str:
        """A struct as it is hashed: itself, then all that it leads to, by name."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            struct = waiting.pop()
            if struct not in found:
                found.add(struct)
                waiting += [core for _, kind in self.types[struct] if (core := _core(kind)) in self.types]
        found.discard(name)
        return "".join(
            f"{struct}({','.join(f'{kind} {field}' for field, kind in self.types[struct])})"
            for struct in (name, *sorted(found))
        )

    def _struct(self, name: str, values: object, place: str, depth: int) -> bytes:
        if not isinstance(values, dict):
            raise bad_params(f"{place}: {shown(values)} is no {name}")
        parts = [keccak256(self.encode_type(name).encode())]
        for field, kind in self.types[name]:
            parts.append(self._value(kind, values.get(field), f"{place}.{field}", depth + 1))
        return keccak256(b"".join(parts))

    def _value(self, kind: str, value: object, place: str, depth: int) -> bytes:
        """The 32 bytes that stand for a value."""
        if depth > DEEPEST:
            raise bad_params(f"{place}: over {DEEPEST} structs and arrays within one another")
        if kind in self.types:
            return _NULL_STRUCT if value is None else self._struct(kind, value, place, depth)
        array = _ARRAY.match(kind)
        if array is None:
            return _atom(kind, value, place)
        inner, count = array.group(1), array.group(2)
        if not isinstance(value, list) or (count is not None and len(value) != int(count)):
            raise bad_params(f"{place}: {shown(value)} is no {kind}")
        words = [self._value(inner, item, f"{place}[{number}]", depth + 1) for number, item in enumerate(value)]
        return keccak256(b"".join(words))


def _types_of(given: Mapping[str, Any], domain: Mapping[str, Any]) -> dict[str, Fields]:
    """The structs by name. A domain that is not described has the fields that it gives. Raises: Fault."""
    if len(given) > MOST_TYPES:
        raise bad_params(f"types: {len(given)} of them; the limit is {MOST_TYPES}")
    types: dict[str, Fields] = {}
    if DOMAIN not in given:
        types[DOMAIN] = tuple((name, kind) for name, kind in _DOMAIN_FIELDS.items() if domain.get(name) is not None)
    for name, fields in given.items():
        if not _NAME.match(name) or _is_atom(name):
            raise bad_params(f"types: {shown(name)} is no name of a struct")
        if not isinstance(fields, list):
            raise bad_params(f"types.{name}: {shown(fields)} is no list of fields")
        read: list[tuple[str, str]] = []
        for field in fields:
            match field:
                case {"name": str(called), "type": str(kind)}:
                    read.append((called, kind))
                case _:
                    raise bad_params(f"types.{name}: {shown(field)} is no field, an object of name and type")
        types[name] = tuple(read)
    for name, structure in types.items():
        for called, kind in structure:
            core = _core(kind)
            if core not in types and not _is_atom(core):
                raise bad_params(f"types.{name}.{called}: there is no type {shown(kind)}")
    return types


def _core(kind: str) -> str:
    """The type that an array is of, however deep; any other as it is."""
    return kind.partition("[")[0] if _ARRAY.match(kind) else kind


def _is_atom(kind: str) -> bool:
    if kind in ("bool", "address", "string", "bytes"):
        return True
    number, fixed = _NUMBER.match(kind), _FIXED_BYTES.match(kind)
    if number:
        return int(number.group(2) or 256) in range(8, 257, 8)
    return fixed is not None and int(fixed.group(1)) <= 32


def _atom(kind: str, value: object, place: str) -> bytes:
    """The 32 bytes of a value that is no struct and no array. Raises: Fault."""
    try:
        if kind == "string" and isinstance(value, str):
            return keccak256(value.encode())
        if kind == "bytes":
            return keccak256(data(value))
        if kind == "address":
            return address(value).rjust(32, b"\0")
        if kind == "bool" and isinstance(value, bool):
            return value.to_bytes(32, "big")
        fixed, number = _FIXED_BYTES.match(kind), _NUMBER.match(kind)
        if fixed and len(content := data(value)) == int(fixed.group(1)):
            return content.ljust(32, b"\0")
        if number:
            return _integer(value, int(number.group(2) or 256), signed=not number.group(1)).to_bytes(32, "big")
    except (Fault, UnicodeEncodeError):
        pass
    raise bad_params(f"{place}: {shown(value)} is no {kind}")


def _integer(value: object, bits: int, *, signed: bool) -> int:
    """A number as 256 bits of two's complement; large ones are written as text. Raises: Fault."""
    number = None
    if isinstance(value, int) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and (_DECIMAL.match(value) or _HEX.match(value)):
        number = int(value, 16) if "x" in value.lower() else int(value)
    least, most = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if number is None or not least <= number <= most:
        raise bad_params(f"{shown(value)} does not fit")
    return number % (1 << 256)
