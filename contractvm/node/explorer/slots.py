"""Slots of storage in words: which field, under which keys, with which value.

Never: guesses; without a layout a slot is its key and its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contractvm.node.artifacts import Known
from sdk.compiler.layout_decode import Stored

ADDRESS_BYTES = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """A value for a page: `kind` is `address`, `bytes`, `text`, `number`, `truth`, or `parts` with named parts."""

    kind: str
    value: Any
    parts: tuple[tuple[str, Shown], ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot; `field` is empty where the layout does not tell. `length` says that it is the length of a list.

    Of one that was changed `old` and `raw_old` are what was there before; None and empty: nothing.
    """

    key: bytes
    raw: bytes
    field: str = ""
    path: tuple[Shown, ...] = ()
    value: Shown | None = None
    length: bool = False
    raw_old: bytes = b""
    old: Shown | None = None


def slot_of(known: Known | None, key: bytes, value: bytes) -> Slot:
    """What a slot holds."""
    stored = known.map.entry(key, value) if known is not None else None
    if stored is None:
        return Slot(key, value)
    return Slot(key, value, name_of(stored), tuple(map(shown, stored.path)), shown(stored.value), stored.is_length)


def change_of(known: Known | None, key: bytes, before: bytes, after: bytes) -> Slot:
    """What a slot held and holds."""
    change = known.map.changed(key, before, after) if known is not None else None
    if change is None:
        return Slot(key, after, raw_old=before)
    old, new = (None if stored is None else shown(stored.value) for stored in (change.before, change.after))
    path = tuple(map(shown, change.entry.path))
    return Slot(key, after, name_of(change.entry), path, new, change.entry.is_length, before, old)


def name_of(stored: Stored) -> str:
    """A field without its contract."""
    return stored.field.rpartition(".")[2]


def shown(value: Any) -> Shown:
    """A decoded value. Twenty bytes are shown as an address, which all but a bytes20 are."""
    match value:
        case bool():
            return Shown("truth", value)
        case int():
            return Shown("number", value)
        case str():
            return Shown("text", value)
        case bytes():
            return Shown("address" if len(value) == ADDRESS_BYTES else "bytes", value)
        case dict():
            return Shown("parts", value, tuple((str(name), shown(part)) for name, part in value.items()))
        case list() | tuple():
            return Shown("parts", value, tuple((str(at), shown(part)) for at, part in enumerate(value)))
    return Shown("text", str(value))
