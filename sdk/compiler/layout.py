"""How a contract's fields lie in storage: keys, values, the layout that tools read, what an upgrade must not change.

A key is two bytes of the hash of the field's qualified name, and the keys of the maps and the indices of the lists that
lead to the value. The prefix has one length for all, so keys of two fields never meet; never does order matter. Two
fields with one prefix are refused (`clashes`). Byte order is key order:

- unsigned up to 64 bits: big-endian in full width; wider: a length byte and the number without leading zeros;
- signed: full width, big-endian, the sign bit turned; bool, enums: one byte; addresses and bytesN: their bytes;
- Bytes and String: as they are where nothing follows; otherwise 00 becomes 00 FF and 00 00 ends them;
- tuples: item by item.

A value: its parts one behind the other, little-endian in full width, bool and enums one byte; a type of fixed size
without its trailing zero bytes. So the default has no bytes, which is absence. Bytes, String and lists inside a value
are 4 bytes of length and the content; Bytes and String alone are their content. A list in a field, in a map or in such
a list has its length (u32) under its key and each item under key and index (4 bytes, big-endian); so has an array of
more than `PACKED` bytes, without a length. Everything else is one entry.
Source: docs/language.md, "Map". Never: code (`back.storage` writes that).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from contractvm.crypto import keccak256
from sdk.compiler.symbols import Field
from sdk.compiler.tree import Program
from sdk.compiler.types import (
    Address,
    Array,
    Bool,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    List,
    Map,
    Nothing,
    Remote,
    String,
    Struct,
    Tuple,
    Type,
)

PREFIX_BYTES: Final = 2
INDEX_BYTES: Final = 4
LENGTH_BYTES: Final = 4
PACKED: Final = 64
"""Bytes of the largest array that is one entry: two units of storage."""
NARROW: Final = 64
"""Bits of the widest unsigned key in full width."""
Layout = dict[str, Any]


def prefix(qualified: str) -> bytes:
    """What every key of a field begins with. Never all FF, so that every key has one that is greater than all below."""
    digest = keccak256(qualified.encode())
    start = digest[:PREFIX_BYTES]
    return digest[PREFIX_BYTES : 2 * PREFIX_BYTES] if start == b"\xff" * PREFIX_BYTES else start


def clashes(fields: Iterable[Field]) -> list[tuple[Field, Field]]:
    """Pairs of fields whose prefixes are the same: one must be renamed."""
    seen: dict[bytes, Field] = {}
    found = []
    for field in fields:
        first = seen.setdefault(prefix(field.qualified), field)
        if first is not field:
            found.append((first, field))
    return found


def parts(type_: Type) -> tuple[Type, ...] | None:
    """The types of the parts of a tuple, a struct or an array, None for what has no parts of fixed number."""
    match type_:
        case Tuple(items):
            return items
        case Struct(members=members):
            return tuple(member.type for member in members)
        case Array(item, length):
            return (item,) * length
    return None


def fixed_bytes(type_: Type) -> int | None:
    """Bytes of a value in storage before zeros are cut off; None where it has no fixed size."""
    match type_:
        case Int(bits):
            return bits // 8
        case Bool() | Enum():
            return 1
        case Address() | Remote():
            return 20
        case FixedBytes(size):
            return size
        case Bytes() | String() | List() | Map() | Nothing():
            return None
        case Array(item, length):
            one = fixed_bytes(item)
            return None if one is None else one * length
    sizes = [fixed_bytes(part) for part in parts(type_) or ()]
    return None if None in sizes else sum(size or 0 for size in sizes)


def least_bytes(type_: Type) -> int:
    """Bytes of a value's default inside another one: a length of 0 for what has no fixed size."""
    size = fixed_bytes(type_)
    if size is not None:
        return size
    if isinstance(type_, Array):
        return type_.length * least_bytes(type_.item)
    inside = parts(type_)
    return LENGTH_BYTES if inside is None else sum(map(least_bytes, inside))


def is_entry(type_: Type) -> bool:
    """Whether a field, a map's value or a list's item of a type is one entry of storage."""
    match type_:
        case Map() | List() | Nothing():
            return False
        case Array():
            size = fixed_bytes(type_)
            return size is not None and size <= PACKED
    return True


def is_long(type_: Type) -> bool:
    """Whether a key has no bound but the chain's."""
    match type_:
        case Bytes() | String():
            return True
        case Tuple(items):
            return any(map(is_long, items))
    return False


def key_bytes(type_: Type) -> int:
    """The most bytes that a key without Bytes or String has."""
    match type_:
        case Int(bits, signed):
            return bits // 8 + (bits > NARROW and not signed)
        case Tuple(items):
            return sum(map(key_bytes, items))
    return fixed_bytes(type_) or 0


# The layout as tools read it


def layout(program: Program) -> Layout:
    """The storage layout for JSON.

    `fields` have `name` (qualified), `type` as the source says it, `kind`, `prefix` and `encoding`; an encoding is an
    object whose `is` says what it is, with its parts inside. Structs and enums are named there, not looked up.
    """
    return {
        "contract": program.name,
        "fields": [
            {
                "name": field.qualified,
                "type": str(field.type),
                "kind": field.kind.value,
                "prefix": f"0x{prefix(field.qualified).hex()}",
                "encoding": encoding(field.type),
            }
            for field in program.fields
        ],
    }


def encoding(type_: Type) -> Layout:
    """A type's encoding for JSON: what `decode_entry` needs, and what has to stay as it is."""
    match type_:
        case Int(bits, signed):
            return {"is": "int" if signed else "uint", "bits": bits}
        case Bool():
            return {"is": "bool"}
        case Address() | Remote():
            return {"is": "address"}
        case FixedBytes(size):
            return {"is": "bytes", "size": size}
        case Bytes():
            return {"is": "bytes"}
        case String():
            return {"is": "string"}
        case Enum(name=name, members=members):
            return {"is": "enum", "name": name, "values": dict(members)}
        case Tuple(items):
            return {"is": "tuple", "items": list(map(encoding, items))}
        case Struct(name=name, members=members):
            inside = [{"name": member.name, "type": encoding(member.type)} for member in members]
            return {"is": "struct", "name": name, "members": inside}
        case List(item):
            return {"is": "list", "item": encoding(item)}
        case Array(item, length):
            return {"is": "array", "item": encoding(item), "length": length, "entry": is_entry(type_)}
        case Map(key, value):
            return {"is": "map", "key": encoding(key), "value": encoding(value)}
        case Nothing():
            raise ValueError("nothing is not stored")
