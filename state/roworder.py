"""The order of the keys of dicts: kept for each first byte apart, and only for those that somebody walks.

What the first byte stands for is the caller's; the state's accounts, storage and tries differ in it, and most of them
are never walked in order. So a key costs nothing here until one like it is asked for, and then the others still do not.
Belongs to whoever holds the lock on the dicts.
"""

from collections.abc import Collection, Mapping
from typing import Final

from state.ordered import SortedKeys

_SORT_ANEW: Final = 8
"""More than one in so many keys changed: sorting all is quicker than placing each."""


class RowOrder:
    """Finds the neighbours of keys in `rows`, by first byte.

    `changed` has a set for each first byte whose keys are kept in order; keys that come or go are to be put there.
    """

    __slots__ = ("_kept", "_rows", "changed")

    def __init__(self, rows: Mapping[bytes, Collection[bytes]]) -> None:
        self._rows = rows
        self._kept: dict[bytes, SortedKeys] = {}
        self.changed: dict[bytes, set[bytes]] = {}

    def above(self, key: bytes, stop: bytes | None, *, inclusive: bool) -> bytes | None:
        """Return the smallest key above `key` (or equal to it, if `inclusive`) that is below `stop`."""
        first = key[:1]
        for tag in sorted(self._rows):
            if tag < first or (stop is not None and tag >= stop):
                continue
            found = self._order(tag).above(max(key, tag), inclusive=inclusive or key < tag)
            if found is not None:
                return found if stop is None or found < stop else None
        return None

    def below(self, key: bytes | None, start: bytes, *, inclusive: bool) -> bytes | None:
        """Return the greatest key below `key` (or equal to it, if `inclusive`) that is not below `start`.

        `key` None stands for the end of all keys.
        """
        first = start[:1]
        for tag in sorted(self._rows, reverse=True):
            if tag < first or (key is not None and tag > key):
                continue
            found = self._order(tag).below(key, inclusive=inclusive)
            if found is not None:
                return found if found >= start else None
        return None

    def _order(self, tag: bytes) -> SortedKeys:
        """The keys that begin with a byte, those that came since placed and those that went taken out."""
        changed, kept, rows = self.changed.get(tag), self._kept.get(tag), self._rows[tag]
        if kept is None or changed is None or len(changed) * _SORT_ANEW > len(kept):
            kept = self._kept[tag] = SortedKeys(rows)
        else:
            for key in changed:
                if key in rows:
                    kept.add(key)
                else:
                    kept.discard(key)
        self.changed[tag] = set()
        return kept
