"""Whether a new version of a contract can be put where the old one's storage is, field by field.

    for problem in compare(old_layout, new_layout): print(problem)

A layout is what the compiler writes as NAME.layout.json: fields by qualified name, each with the bytes that its keys
begin with, its type, and how keys and values are encoded.
Never: looks at a chain. What is stored is what the old layout says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdk.errors import BuildError

Layout = Mapping[str, Any]
KEYS = ("name", "prefix", "type")
"""What every field of a layout says of itself."""


@dataclass(frozen=True, slots=True)
class Incompatible:
    """A field that the new version would read wrongly, or not at all."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


def fields_of(layout: Layout, name: str) -> dict[str, Mapping[str, Any]]:
    """The fields of a layout that was read from `name`. Raises: BuildError for what is no layout."""
    fields = layout.get("fields")
    if not isinstance(fields, list):
        raise BuildError(f"{name}: no storage layout: an object with a list of fields expected")
    found: dict[str, Mapping[str, Any]] = {}
    for field in fields:
        if not isinstance(field, dict) or not all(isinstance(field.get(key), str) for key in KEYS):
            raise BuildError(f"{name}: a field of a storage layout has a name, a prefix and a type, not {field!r}")
        found[field["name"]] = field
    return found


def compare(old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> list[Incompatible]:
    """What is wrong with putting `new` in the place of `old`, in the old layout's order, then the new one's."""
    found = []
    for name, before in old.items():
        after = new.get(name)
        if after is None:
            found.append(Incompatible(name, _gone(before, old, new)))
        elif before["prefix"] != after["prefix"]:
            reason = f"it was kept under {before['prefix']} and is now looked for under {after['prefix']}"
            found.append(Incompatible(name, reason))
        elif not _same(before, after):
            found.append(Incompatible(name, f"what was kept as {before['type']} would be read as {after['type']}"))
    taken = {field["prefix"]: name for name, field in old.items()}
    for name, after in new.items():
        other = taken.get(after["prefix"], name)
        if other != name and name not in old:
            reason = f"it is new, but its keys are those of the old {other}; give it another name"
            found.append(Incompatible(name, reason))
    return found


def _same(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether both versions encode a field alike; a struct may have another name, but no other members."""
    if before.get("encoding") is None or after.get("encoding") is None:
        return bool(before["type"] == after["type"])
    return bool(before["encoding"] == after["encoding"])


def _gone(before: Mapping[str, Any], old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]) -> str:
    """Why a field that is not there any more matters, with a guess at its new name."""
    added = [name for name, field in new.items() if name not in old and _same(before, field)]
    guess = f"; if {added[0]} is its new name, keep the old one: keys come from names" if added else ""
    return f"it is gone, and what lies under {before['prefix']} would be left behind{guess}"
