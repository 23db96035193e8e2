"""Entries of storage, read with a contract's layout: for viewers.

    decode_entry(layout, key, value)  ->  Stored("Token.balance_of", (b"...",), 5)

Source: `sdk.compiler.layout`, which says how keys and values look. Never: reads storage.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from contractvm.dataclass import dataclass
from sdk.compiler.layout import INDEX_BYTES, LENGTH_BYTES, NARROW, PREFIX_BYTES, Layout

Value: TypeAlias = Any
"""int, bool, bytes, str, a tuple, a list, or a dict of a struct's fields; an enum's member by name."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What an entry is: of a field, after the keys and indices in `path`."""

    field: str
    path: tuple[Value, ...]
    value: Value
    is_length: bool = False
    """Whether it is the length of the list there."""


class Unreadable(ValueError):
    """An entry that is not of this layout."""


class _Bytes:
    """Bytes that are taken from the front; behind the end of a value are zeros."""

    def __init__(self, content: bytes, padded: bool) -> None:
        self.content = content
        self.padded = padded
        self.at = 0

    def take(self, size: int) -> bytes:
        part = self.content[self.at : self.at + size]
        if len(part) < size and not self.padded:
            raise Unreadable(f"{size} bytes expected at byte {self.at}, {len(part)} found")
        self.at += size
        return part.ljust(size, b"\0")

    def rest(self) -> bytes:
        part, self.at = self.content[self.at :], len(self.content)
        return part

    @property
    def ended(self) -> bool:
        return self.at >= len(self.content)


def decode_entry(layout: Layout, key: bytes, value: bytes) -> Stored | None:
    """What an entry is; None when no field has its prefix. Raises: Unreadable."""
    start = f"0x{key[:PREFIX_BYTES].hex()}"
    field = next((field for field in layout["fields"] if field["prefix"] == start), None)
    if field is None:
        return None
    left = _Bytes(key[PREFIX_BYTES:], padded=False)
    path: list[Value] = []
    encoding = field["encoding"]
    while True:
        if encoding["is"] == "map":
            path.append(_key(encoding["key"], left, is_entry(encoding["value"])))
            encoding = encoding["value"]
        elif encoding["is"] == "list" and left.ended:
            return Stored(field["name"], tuple(path), int.from_bytes(value, "little"), is_length=True)
        elif encoding["is"] in ("list", "array") and not is_entry(encoding):
            path.append(int.from_bytes(left.take(INDEX_BYTES), "big"))
            encoding = encoding["item"]
        else:
            break
    if not left.ended:
        raise Unreadable(f"{field['name']}: {len(left.rest())} bytes more than its keys have")
    if encoding["is"] == "string" or (encoding["is"] == "bytes" and "size" not in encoding):
        return Stored(field["name"], tuple(path), _text(encoding, value))
    return Stored(field["name"], tuple(path), _value(encoding, _Bytes(value, padded=True)))


def is_entry(encoding: Layout) -> bool:
    """Whether a value of this encoding is one entry."""
    return bool(encoding.get("entry", encoding["is"] not in ("list", "map")))


def _text(encoding: Layout, content: bytes) -> Value:
    return content.decode(errors="replace") if encoding["is"] == "string" else content


def _key(encoding: Layout, left: _Bytes, last: bool) -> Value:
    match encoding["is"]:
        case "uint":
            wide = encoding["bits"] > NARROW
            return int.from_bytes(left.take(left.take(1)[0] if wide else encoding["bits"] // 8), "big")
        case "int":
            bits = encoding["bits"]
            return int.from_bytes(left.take(bits // 8), "big") - (1 << bits - 1)
        case "tuple":
            items = encoding["items"]
            return tuple(_key(item, left, last and at == len(items)) for at, item in enumerate(items, 1))
        case "string" | "bytes" if "size" not in encoding:
            return _text(encoding, left.rest() if last else _escaped(left))
    return _value(encoding, left)


def _escaped(left: _Bytes) -> bytes:
    found = bytearray()
    while True:
        byte = left.take(1)
        if byte == b"\0" and left.take(1) == b"\0":
            return bytes(found)
        found += byte


def _value(encoding: Layout, left: _Bytes) -> Value:
    match encoding["is"]:
        case "uint" | "int" as kind:
            return int.from_bytes(left.take(encoding["bits"] // 8), "little", signed=kind == "int")
        case "bool":
            return left.take(1) != b"\0"
        case "address":
            return left.take(20)
        case "enum":
            number = left.take(1)[0]
            return next((name for name, value in encoding["values"].items() if value == number), number)
        case "bytes" if "size" in encoding:
            return left.take(encoding["size"])
        case "bytes" | "string":
            return _text(encoding, left.take(_length(left)))
        case "tuple":
            return tuple(_value(item, left) for item in encoding["items"])
        case "struct":
            return {member["name"]: _value(member["type"], left) for member in encoding["members"]}
        case "list":
            return [_value(encoding["item"], left) for _ in range(_length(left))]
        case "array":
            return [_value(encoding["item"], left) for _ in range(encoding["length"])]
    raise Unreadable(f"no encoding is called {encoding['is']!r}")


def _length(left: _Bytes) -> int:
    """Raises: Unreadable for more than there can be."""
    length = int.from_bytes(left.take(LENGTH_BYTES), "little")
    if length > len(left.content):
        raise Unreadable(f"a length of {length} in a value of {len(left.content)} bytes")
    return length
