"""What people write in a form's fields, read as values of an ABI.

An address, a number, a text or bytes is written as it is; numbers take a unit (`1.5 ether`). Lists and tuples are JSON:
`["0x5fbd...", 3]`. Never: guesses a type, or makes a float of a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from contractvm.node.explorer.request import Wrong
from sdk.abi import Parameter, Value
from sdk.abi_types import AddressType, Array, Bool, Bytes, FixedBytes, Integer, Tuple, Type

UNITS: Final = {"wei": 0, "gwei": 9, "ether": 18, "eth": 18}
LONGEST: Final = 120
"""Characters of a number."""
DEEPEST: Final = 100
"""Lists inside one another."""
_AMOUNT: Final = re.compile(r"(-?)([0-9][0-9_,]*)(?:\.([0-9]+))?\s*([a-z]*)", re.IGNORECASE)
_HEX: Final = re.compile(r"-?0x[0-9a-f]+", re.IGNORECASE)
_BYTES: Final = re.compile(r"0x(?:[0-9a-f]{2})*", re.IGNORECASE)


def arguments(parameters: Sequence[Parameter], form: Mapping[str, str]) -> list[Value]:
    """The arguments of a call from the fields `0`, `1` ... Raises: Wrong, naming the argument."""
    return [argument(parameter, form.get(str(at), ""), at) for at, parameter in enumerate(parameters)]


def argument(parameter: Parameter, text: str, at: int) -> Value:
    """One argument. Raises: Wrong."""
    where = f"{parameter.name or f'argument {at + 1}'} ({parameter.type.name})"
    try:
        return value_of(parameter.type, text)
    except ValueError as error:
        raise Wrong(f"{where}: {error}") from None


def amount(text: str, name: str) -> int | None:
    """A number below 2**256 from a field that may be empty. Raises: Wrong."""
    if not text.strip():
        return None
    try:
        found = number(text)
    except ValueError as error:
        raise Wrong(f"{name}: {error}") from None
    if not 0 <= found < 1 << 256:
        raise Wrong(f"{name}: {text.strip()!r} is out of range")
    return found


def value_of(type_: Type, text: str) -> Value:
    """A value from its field. Raises: ValueError."""
    if isinstance(type_, Bytes) and type_.text:
        return text
    text = text.strip()
    if isinstance(type_, Array | Tuple):
        # Counted here: JSON may be as deep as the recursion limit, which others raise above what a stack holds.
        if max(accumulate((c in "[{") - (c in "]}") for c in text), default=0) > DEEPEST:
            raise ValueError("too many lists inside one another")
        try:
            return part_of(type_, json.loads(text, parse_float=str, parse_constant=str))
        except json.JSONDecodeError as error:
            raise ValueError(f"a list is written as JSON, such as [1, 2]: {error}") from None
    if not text:
        raise ValueError("nothing is written here")
    return part_of(type_, text)


def part_of(type_: Type, value: Any) -> Value:
    """A value, or a part of one, from what JSON or a field gave. Raises: ValueError."""
    match type_:
        case Array():
            items = _list(value)
            if type_.length is not None and len(items) != type_.length:
                raise ValueError(f"{type_.length} items are wanted, {len(items)} given")
            return [part_of(type_.item, item) for item in items]
        case Tuple():
            items = _list(value)
            if len(items) != len(type_.items):
                raise ValueError(f"{len(type_.items)} parts are wanted, {len(items)} given")
            return tuple(part_of(each, item) for each, item in zip(type_.items, items, strict=True))
        case Integer():
            return number(value) if isinstance(value, str) else _exactly(value, int, "a number")
        case Bool():
            return _boolean(value)
        case AddressType():
            return _bytes(value, 20)
        case FixedBytes(size):
            return _bytes(value, size)
        case Bytes(text=True):
            return _exactly(value, str, "a text")
    return _bytes(value, None)


def number(text: str) -> int:
    """A whole number: decimal, hex, or with a unit. Raises: ValueError."""
    text = text.strip()
    if len(text) > LONGEST:
        raise ValueError(f"a number of {len(text)} characters is too long")
    if _HEX.fullmatch(text):
        return int(text, 16)
    match = _AMOUNT.fullmatch(text)
    if match is None or (match[4] and match[4].lower() not in UNITS):
        raise ValueError(f"{text!r} is no number; write 1000, 0x3e8, or an amount such as 1.5 ether")
    places = UNITS[match[4].lower()] if match[4] else 0
    decimals = (match[3] or "").rstrip("0")
    if len(decimals) > places:
        raise ValueError(f"{text!r} is not a whole number{' of wei' if match[4] else ''}")
    whole = int(re.sub("[_,]", "", match[2]) + decimals.ljust(places, "0"))
    return -whole if match[1] else whole


def _bytes(value: Any, size: int | None) -> bytes:
    if not isinstance(value, str) or not _BYTES.fullmatch(value.strip()):
        raise ValueError("write 0x and an even number of hex digits")
    content = bytes.fromhex(value.strip()[2:])
    if size is not None and len(content) != size:
        raise ValueError(f"{size} bytes are wanted, {len(content)} given")
    return content


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError("write true or false")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else _exactly(value, list, "a list in JSON")


def _exactly(value: Any, kind: type, words: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{words} is wanted, not {str(value)[:60]!r}")
    return value
