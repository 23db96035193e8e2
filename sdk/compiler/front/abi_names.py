"""How the source's names become the ABI's: camelCase, ALL_CAPS as they are, without a `_` at the end.

Source: docs/language.md, "The ABI". Never: hashes.
"""

from __future__ import annotations

from sdk.compiler import types
from sdk.compiler.types import Type


def camel_case(name: str) -> str:
    """`transfer_from` -> `transferFrom`, `from_` -> `from`, `MAX_SUPPLY` stays, and so does a `_` in front."""
    plain = name.rstrip("_")
    if plain.isupper():
        return plain
    body = plain.lstrip("_")
    first, *rest = body.split("_")
    return plain[: len(plain) - len(body)] + first + "".join(part[:1].upper() + part[1:] for part in rest)


def getter_parameters(type_: Type) -> tuple[Type, ...]:
    """What the getter of a `Public` field asks for: a key for each map, a u64 for each list and array."""
    match type_:
        case types.Map(key, value):
            return (key, *getter_parameters(value))
        case types.List(item) | types.Array(item):
            return (types.U64, *getter_parameters(item))
    return ()
