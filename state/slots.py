"""One account's storage as a world has changed it, with its keys in order when somebody iterates.

The hard case is an iterator over keys that were removed: ten thousand removals, then `iter_next` past them again and
again, each for the price of one read. So, from the first ordered look-up on, the changed keys that are alive are kept
sorted, and stretches of the base that hold nothing but changed keys are remembered as gaps: each removed base key is
passed once, and never again until a rollback brings it back.
"""

from collections.abc import Callable
from typing import TypeAlias

from state.ordered import Gaps, SortedKeys, successor

Seek: TypeAlias = Callable[[bytes | None], "bytes | None"]
"""Finds the base's first key at or after a key; walking back, its last key before one (None: the last of all)."""


class Slots:
    """Changed slots of one account: `rows` has the value by key, empty where it was removed."""

    __slots__ = ("_gaps", "_live", "rows", "wiped")

    def __init__(self, *, wiped: bool) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.wiped = wiped
        """Whether the base's storage of this account is gone, all of it."""
        self._live: SortedKeys | None = None
        self._gaps: Gaps  # made with `_live`: few transactions iterate

    def put(self, key: bytes, value: bytes) -> None:
        """Set `key` to `value`; the caller has journaled what was there."""
        self.rows[key] = value
        if self._live is not None:
            if value:
                self._live.add(key)
            else:
                self._live.discard(key)

    def restore(self, key: bytes, old: bytes | None) -> None:
        """Put `key` back to `old`; None means that this world had not changed it."""
        if old is not None:
            self.put(key, old)
            return
        del self.rows[key]
        if self._live is not None:
            self._live.discard(key)
            self._gaps.split(key)

    def next_key(self, key: bytes | None, inclusive: bool, seek: Seek) -> bytes | None:
        """Return the smallest live key above `key` (or equal to it, if `inclusive`); None asks from the first key."""
        start = b"" if key is None else key if inclusive else successor(key)
        changed = self._in_order().above(start, inclusive=True)
        if self.wiped:
            return changed
        while True:
            passed = self._gaps.end_of(start)
            if passed is None or (changed is not None and passed > changed):
                return changed
            found = seek(passed)
            if found is None or found not in self.rows:
                break
            start = successor(found)
            self._gaps.add(passed, start)
        if found is None:
            return changed
        return found if changed is None else min(found, changed)

    def previous_key(self, key: bytes | None, inclusive: bool, seek: Seek) -> bytes | None:
        """Return the greatest live key below `key` (or equal to it, if `inclusive`); None asks from the last key."""
        until = successor(key) if key is not None and inclusive else key
        changed = self._in_order().below(until, inclusive=False)
        if self.wiped:
            return changed
        while True:
            until = self._gaps.start_of(until)
            if changed is not None and until is not None and until <= changed:
                return changed
            found = seek(until)
            if found is None or found not in self.rows:
                break
            self._gaps.add(found, until)
            until = found
        if found is None:
            return changed
        return found if changed is None else max(found, changed)

    def _in_order(self) -> SortedKeys:
        if self._live is None:
            self._live = SortedKeys(key for key, value in self.rows.items() if value)
            self._gaps = Gaps()
        return self._live
