"""What storage gives to the parts of the back end that work on places anywhere, and the statement that walks a map.

Source: `writer.StorageParts`. Never: does the work (`storage_places`, `storage_walk`, `storage_maps`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Final

from sdk.compiler.back import storage_entry, storage_walk
from sdk.compiler.back.operand import Held
from sdk.compiler.back.storage_items import Entry
from sdk.compiler.back.storage_maps import for_map
from sdk.compiler.back.storage_places import resolve
from sdk.compiler.back.writer import Addressed, Write, Writer
from sdk.compiler.tree import Expression, ForEach, ForMap, Place


class Storage:
    """What the parts of the back end that work on places anywhere ask for; see `writer.StorageParts`."""

    def address(self, w: Writer, place: Place) -> AbstractContextManager[Addressed]:
        return resolve(w, place)

    def load(self, w: Writer, place: Place) -> None:
        with resolve(w, place) as target:
            target.load()

    def store(self, w: Writer, place: Place) -> None:
        """The value waits on the stack, under what evaluating the place leaves there."""
        with w.spilled(place.type) as locals_, resolve(w, place) as target:
            if isinstance(target, Entry):
                storage_entry.save(w.b, target.key, target.type, Held(locals_))
            else:
                w.b.get(*locals_)
                target.store()

    def delete(self, w: Writer, place: Place) -> None:
        with resolve(w, place) as target:
            target.delete()

    def length(self, w: Writer, place: Place) -> None:
        storage_walk.length(w, place)

    def append(self, w: Writer, place: Place, value: Expression) -> None:
        storage_walk.append(w, place, value)

    def pop(self, w: Writer, place: Place) -> None:
        storage_walk.pop(w, place)

    def contains(self, w: Writer, place: Place, key: Expression) -> None:
        storage_walk.contains(w, place, key)

    def for_each(self, w: Writer, node: ForEach) -> None:
        storage_walk.for_each(w, node)


STORAGE: Final = Storage()
STATEMENTS: Final[Mapping[type, Write]] = MappingProxyType({ForMap: for_map})
