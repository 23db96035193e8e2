"""The flat records that the last blocks wrote, in memory: what the next block reads is mostly among them.

All latest views share them. `version` counts commits, and it moves before the records do: a view that finds the version
it was taken at after it has read a record knows that this record is not a later block's. Bounded by forgetting
everything at once. Never: knows a record that the store does not hold.
"""

from collections.abc import Mapping
from typing import Final

RECENT_BYTES: Final = 16 << 20
FEW: Final = 64
"""Records of a small block."""
UNKNOWN: Final = b"unknown"
"""Stands for a record that is not here; told from a record of the same bytes by identity."""
_ENTRY_BYTES = 200  # of Python objects around a key and a record


class Recent:
    """Records by key, None for those that are gone. One thread advances; any thread reads `records`, then `version`."""

    __slots__ = ("_bytes", "last", "records", "version")

    def __init__(self) -> None:
        self.records: dict[bytes, bytes | None] = {}
        self.last: Mapping[bytes, bytes | None] = {}
        """Those of the last block alone, if they are few."""
        self.version = 0
        self._bytes = 0

    def advance(self, records: Mapping[bytes, bytes | None]) -> None:
        """Go to the next version, in which `records` were written."""
        self.version += 1
        self.records.update(records)
        self._bytes += _size(records)
        if self._bytes > RECENT_BYTES:
            # What was overwritten is counted twice so far.
            self._bytes = _size(self.records)
            if self._bytes > RECENT_BYTES // 2:
                self.records, self._bytes = {}, 0
        self.last = records if self.records and len(records) <= FEW else {}

    def forget(self) -> None:
        """Go to the next version, knowing nothing."""
        self.version += 1
        self.records, self.last, self._bytes = {}, {}, 0


def _size(records: Mapping[bytes, bytes | None]) -> int:
    return sum([len(key) + len(record or b"") + _ENTRY_BYTES for key, record in records.items()])
