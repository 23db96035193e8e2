"""Storage layouts that clients send: looked through before anything is decoded with them.

Source: `sdk.compiler.layout`, which says how a layout is written. Never: decodes an entry; `sdk.compiler.layout_decode`
does, and trusts what it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from contractvm.node.fault import bad_params
from contractvm.node.values import mapping, shown

MOST_FIELDS: Final = 4_096
MOST_PARTS: Final = 16_384
"""Words that one entry can be made of; what takes no bytes counts, too."""
LISTED: Final = 64
"""Items that a list inside an entry counts for."""
DEEPEST: Final = 32


def checked_layout(given: object) -> Mapping[str, Any] | None:
    """A layout that entries can be decoded with; None where there is none. Raises: Fault."""
    if given is None:
        return None
    layout = mapping(given)
    fields = layout.get("fields")
    if not isinstance(fields, list) or len(fields) > MOST_FIELDS:
        raise bad_params(f"layout: fields is no list of at most {MOST_FIELDS}")
    for number, field in enumerate(fields):
        at = f"layout: field {number}"
        if not isinstance(field, dict) or not all(isinstance(field.get(name), str) for name in ("name", "prefix")):
            raise bad_params(f"{at} has no name or no prefix")
        if _parts(field.get("encoding"), at, 0) > MOST_PARTS:
            raise bad_params(f"{at} has entries of over {MOST_PARTS} words")
    return layout


def _parts(encoding: object, at: str, depth: int) -> int:
    """How many words an encoding's entry is made of. Raises: Fault for one that cannot be decoded with."""
    if not isinstance(encoding, dict) or depth > DEEPEST:
        raise bad_params(f"{at}: {shown(encoding)} is no encoding")
    inside = depth + 1
    match encoding:
        case {"is": "bool" | "address" | "string"}:
            return 1
        case {"is": "int" | "uint", "bits": int(bits)} if 8 <= bits <= 256 and not bits % 8:
            return 1
        case {"is": "bytes", "size": int(size)} if 0 <= size <= 1 << 16:
            return 1 + size // 32
        case {"is": "bytes"} if "size" not in encoding:
            return 1
        case {"is": "enum", "values": dict(values)} if all(isinstance(value, int) for value in values.values()):
            return 1
        case {"is": "tuple", "items": list(items)}:
            return 1 + sum(_parts(item, at, inside) for item in items)
        case {"is": "struct", "members": list(members)}:
            if not all(isinstance(member, dict) and isinstance(member.get("name"), str) for member in members):
                raise bad_params(f"{at}: a struct's member has no name")
            return 1 + sum(_parts(member.get("type"), at, inside) for member in members)
        case {"is": "list", "item": item}:
            return _parts(item, at, inside) * (LISTED if depth else 1)
        case {"is": "array", "item": item, "length": int(length), "entry": bool(entry)} if 0 <= length < 1 << 32:
            one = _parts(item, at, inside)
            return one * length if entry or depth else one
        case {"is": "map", "key": key, "value": value}:
            return _parts(key, at, inside) + _parts(value, at, inside)
    raise bad_params(f"{at}: {shown(encoding)} is no encoding")
