"""The undo log: every change to the world is written down with what it replaced, so that any of them can be taken back.

A checkpoint is the log's length. Rolling back to it costs what was changed since, not what the world holds, and
checkpoints nest without being told about each other (after evmone's `state.checkpoint()` and ref-fvm's history map).
The log keeps a reference to each replaced value, never a copy.
"""

from collections.abc import Callable, Hashable
from typing import Any, Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Restorable(Protocol):
    """What the journal writes to: something that can put one entry back to an earlier value."""

    def restore(self, key: Any, old: Any) -> None:
        """Put `key` back to `old`; None means that there was no entry."""


class Journal:
    """An undo log over any number of tables."""

    __slots__ = ("_log", "record")

    def __init__(self) -> None:
        self._log: list[tuple[Restorable, Any, Any]] = []
        self.record: Callable[[tuple[Restorable, Any, Any]], None] = self._log.append
        """Write down that a table's key is about to change from a value; None when it has no entry there."""

    def checkpoint(self) -> int:
        """Return the mark that `rollback` goes back to."""
        return len(self._log)

    def rollback(self, mark: int) -> None:
        """Take back every change recorded since `checkpoint` returned `mark`, the latest first.

        Raises:
            ValueError: `mark` lies beyond the log, so it is from another journal or was rolled back already.
        """
        log = self._log
        if not 0 <= mark <= len(log):
            raise ValueError(f"checkpoint {mark} is not in this journal of {len(log)} changes")
        while len(log) > mark:
            table, key, old = log.pop()
            table.restore(key, old)


class Table(Generic[K, V]):
    """A dict whose changes are journaled. Read `rows` directly; write through `put`."""

    __slots__ = ("_record", "rows")

    def __init__(self, journal: Journal) -> None:
        self._record = journal.record
        self.rows: dict[K, V] = {}

    def put(self, key: K, value: V) -> None:
        """Set `key` to `value`, which must not be None."""
        rows = self.rows
        self._record((self, key, rows.get(key)))
        rows[key] = value

    def restore(self, key: K, old: V | None) -> None:
        """Put `key` back to `old`; None means that there was no entry."""
        if old is None:
            del self.rows[key]
        else:
            self.rows[key] = old
