"""Moments of a chain that a test comes back to, each under a number that is never given twice.

Source: `evm_snapshot` and `evm_revert`: going back to one uses it up, and those taken after it.
Never: goes back itself; `chain` does.
"""

from __future__ import annotations

from contractvm.clock import Time
from contractvm.dataclass import dataclass
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.database import Restorepoint


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A height to come back to, with what waited, what time it was, and what gas was to cost."""

    height: int
    block_hash: Hash
    waiting: tuple[Transaction, ...]
    time: Time
    base_fee: int
    """Wei a gas of the next block, which its header alone does not say after changes that took no time."""
    point: Restorepoint | None
    """In memory, what to put back at the cost of what was written since; on disk blocks are undone one by one."""


class Snapshots:
    """The snapshots of one open chain."""

    __slots__ = ("_kept", "_last")

    def __init__(self) -> None:
        self._kept: dict[int, Snapshot] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._kept)

    def items(self) -> list[tuple[int, Snapshot]]:
        """Each with its number, the oldest first."""
        return list(self._kept.items())

    def keep(self, snapshot: Snapshot) -> int:
        """Remember it; return its number."""
        self._last += 1
        self._kept[self._last] = snapshot
        return self._last

    def find(self, number: int) -> Snapshot:
        """The one of that number. Raises: KeyError when there is none."""
        return self._kept[number]

    def use_up(self, number: int) -> None:
        """Forget it, and those taken after it."""
        self._kept = {kept: snapshot for kept, snapshot in self._kept.items() if kept < number}

    def forget_above(self, height: int) -> None:
        """Forget those of blocks that are gone."""
        self._kept = {number: kept for number, kept in self._kept.items() if kept.height <= height}
