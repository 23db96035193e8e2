"""Whether a new version of a contract can be put where the old one's storage is, field by field.

    for problem in compare(fields_of(old), fields_of(new)): print(problem)

A layout is what the compiler writes as NAME.layout.json: fields by qualified name, each with the bytes that its keys
begin with, its type, and how keys and values are encoded. An entry of fixed size is kept without the zeros at its end,
so what grows at its end reads as zeros there: a wider unsigned number, further members of a struct or of an enum.
Source: `sdk.compiler.layout`.
Never: looks at a chain. What is stored is what the old layout says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contractvm.dataclass import dataclass
from sdk.errors import BuildError

Layout = Mapping[str, Any]
Fields = Mapping[str, Layout]
"""A layout's fields by name."""
KEYS = ("name", "prefix", "type")
"""What every field of a layout says of itself."""
FORGOTTEN = frozenset({"transient", "const"})
"""Kinds of fields that no later transaction finds."""


@dataclass(frozen=True, slots=True)
class Incompatible:
    """A field that the new version would read wrongly, or not at all."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def fields_of(layout: Layout, name: str) -> dict[str, Layout]:
    """The fields of a layout that was read from `name`. Raises: BuildError for what is no layout."""
    fields = layout.get("fields")
    if not isinstance(fields, list):
        raise BuildError(f"{name}: no storage layout: an object with a list of fields expected")
    found: dict[str, Layout] = {}
    for field in fields:
        if not isinstance(field, dict) or not all(isinstance(field.get(key), str) for key in KEYS):
            raise BuildError(f"{name}: a field of a storage layout has a name, a prefix and a type, not {field!r}")
        if field.get("kind") not in FORGOTTEN:
            found[field["name"]] = field
    return found


def compare(old: Fields, new: Fields) -> list[Incompatible]:
    """What is wrong with putting `new` in the place of `old`, in the old layout's order, then the new one's."""
    found = []
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            found.append(Incompatible(name, _gone(before, old, new)))
        elif before["prefix"] != after["prefix"]:
            reason = f"it was kept under {before['prefix']} and is now looked for under {after['prefix']}"
            found.append(Incompatible(name, reason))
        elif detail := _difference(before, after):
            reason = f"what was kept as {before['type']} would be read as {after['type']}"
            found.append(Incompatible(name, reason if detail == CHANGED else f"{reason}: {detail}"))
    taken = {field["prefix"]: name for name, field in old.items()}
    for name, after in new.items():
        other = taken.get(after["prefix"], name)
        if other != name and name not in old:
            reason = f"it is new, but its keys are those of the old {other}; give it another name"
            found.append(Incompatible(name, reason))
    return found


CHANGED = "another type"


def _difference(before: Layout, after: Layout) -> str:
    """Why what one field kept is not what the other reads; nothing when it is."""
    if before.get("encoding") is None or after.get("encoding") is None:
        return "" if before["type"] == after["type"] else CHANGED
    return difference(before["encoding"], after["encoding"], alone=True)


def difference(old: Layout, new: Layout, alone: bool) -> str:
    """The same of two encodings. `alone`: nothing follows in the entry, so that it may grow at its end."""
    if old == new:
        return ""
    if old.get("is") != new.get("is"):
        return CHANGED
    match old.get("is"):
        case "uint":
            return "" if alone and new["bits"] > old["bits"] else CHANGED
        case "enum":
            lost = [name for name, number in old["values"].items() if new["values"].get(name) != number]
            return f"{old['name']}.{lost[0]} is gone or has another number" if lost else ""
        case "struct":
            return _members(old, new, alone)
        case "tuple":
            return _sequence(old["items"], new["items"], alone)
        case "list":
            return difference(old["item"], new["item"], alone)
        case "array":
            return _array(old, new, alone)
        case "map":
            return difference(old["key"], new["key"], alone=False) or difference(old["value"], new["value"], alone)
    return CHANGED


def _members(old: Layout, new: Layout, alone: bool) -> str:
    """Two structs: a member may have a new name, but no other place."""
    before, after = ([member["name"] for member in encoding["members"]] for encoding in (old, new))
    for i, name in enumerate(before):
        if name in after and after.index(name) != i:
            return f"{old['name']}.{name} has another place"
    types = [[member["type"] for member in encoding["members"]] for encoding in (old, new)]
    return _sequence(types[0], types[1], alone)


def _sequence(old: list[Layout], new: list[Layout], alone: bool) -> str:
    """Parts one behind the other: new ones may follow where nothing else does and all have fixed sizes."""
    if len(new) < len(old) or (len(new) > len(old) and not (alone and all(map(_fixed, new)))):
        return f"{len(old)} parts became {len(new)}"
    for i, (before, after) in enumerate(zip(old, new, strict=False)):
        if detail := difference(before, after, alone and i == len(new) - 1 and _fixed(after)):
            return detail
    return ""


def _array(old: Layout, new: Layout, alone: bool) -> str:
    if old["entry"] != new["entry"] or new["length"] < old["length"] or (new["length"] > old["length"] and not alone):
        return f"{old['length']} items became {new['length']}"
    return difference(old["item"], new["item"], alone and not old["entry"])


def _fixed(encoding: Layout) -> bool:
    """Whether every value has one size."""
    match encoding.get("is"):
        case "string" | "list" | "map":
            return False
        case "bytes":
            return "size" in encoding
        case "struct":
            return all(_fixed(member["type"]) for member in encoding["members"])
        case "tuple":
            return all(map(_fixed, encoding["items"]))
        case "array":
            return _fixed(encoding["item"])
    return True


def _gone(before: Layout, old: Fields, new: Fields) -> str:
    """Why a field that is not there any more matters, with a guess at its new name."""
    added = [name for name, field in new.items() if name not in old and not _difference(before, field)]
    guess = f"; if {added[0]} is its new name, keep the old one: keys come from names" if added else ""
    return f"it is gone, and what lies under {before['prefix']} would be left behind{guess}"
