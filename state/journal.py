"""The undo log: every change to the world is written down with what it replaced, so that any of them can be taken back.

A checkpoint is the log's length. Rolling back to it costs what was changed since, not what the world holds, and
checkpoints nest without being told about each other (after evmone's `state.checkpoint()` and ref-fvm's history map).
The log keeps a reference to each replaced value, never a copy.
"""

from collections.abc import Callable, Hashable
from typing import Any, Protocol, TypeAlias, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Restorable(Protocol):
    """Something other than a dict that can put one entry back to an earlier value."""

    def restore(self, key: Any, old: Any) -> None:
        """Put `key` back to `old`; None means that there was no entry."""


Entry: TypeAlias = tuple[dict[Any, Any] | Restorable, Any, Any]
"""A table, a key, and what stood there."""


class Journal:
    """An undo log over any number of tables: plain dicts, whose values are never None, and what restores itself."""

    __slots__ = ("_log", "record")

    def __init__(self) -> None:
        self._log: list[Entry] = []
        self.record: Callable[[Entry], None] = self._log.append
        """Write down that a table's key is about to change from a value; None when it has no entry there."""

    def put(self, table: dict[K, V], key: K, value: V) -> None:
        """Set `key` of `table` to `value`, which must not be None."""
        self.record((table, key, table.get(key)))
        table[key] = value

    def checkpoint(self) -> int:
        """Return the mark that `rollback` goes back to."""
        return len(self._log)

    def keep(self, mark: int, table: object, other: object, kind: type) -> None:
        """Forget those changes since `mark` that were made to neither of two tables, nor to one of a kind.

        They will not be taken back, and later marks are void.
        """
        log = self._log
        log[mark:] = [e for e in log[mark:] if (to := e[0]) is table or type(to) is kind or to is other]

    def rollback(self, mark: int) -> None:
        """Take back every change recorded since `checkpoint` returned `mark`, the latest first.

        Raises:
            ValueError: `mark` lies beyond the log, so it is from another journal or was rolled back already.
        """
        log = self._log
        if not 0 <= mark <= len(log):
            raise ValueError(f"checkpoint {mark} is not in this journal of {len(log)} changes")
        undone = log[mark:]
        del log[mark:]
        undone.reverse()
        for table, key, old in undone:
            if not isinstance(table, dict):
                table.restore(key, old)
            elif old is None:
                del table[key]
            else:
                table[key] = old
