"""Bounded caches of the writing thread: of records, in two generations, and of the paths of keys.

A look-up promotes into the young generation; when that is half of the allowance it becomes the old one and what was
old is forgotten. That approximates least-recently-used at the cost of one dict look-up.
"""

from collections.abc import Mapping
from typing import Final

from state.merkle import Keccak, path_of
from state.trie_records import LookUp

_ENTRY_BYTES: Final = 200  # of Python objects around a key and a record
_MOST_PATHS: Final = 1 << 15  # some 8 MiB
_LONGEST_KEY: Final = 64  # of those whose paths are kept: bounds them in bytes


class Cache:
    """Records by key, of at most about `limit` bytes of memory; others are read from below, and kept."""

    __slots__ = ("_below", "_half", "_old", "_young", "_young_bytes")

    def __init__(self, limit: int, below: LookUp) -> None:
        self._half = limit // 2
        self._below = below
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}
        self._young_bytes = 0

    def get(self, key: bytes) -> bytes | None:
        """Return the record at `key`, None when there is none."""
        record = self._young.get(key)
        if record is None:
            record = self._old.pop(key, None)
            if record is None:
                record = self._below(key)
            if record is not None:
                self.update({key: record})
        return record

    def update(self, records: Mapping[bytes, bytes | None]) -> None:
        """Keep each record at its key, and forget the keys that have None."""
        young, size = self._young, self._young_bytes
        for key, record in records.items():
            if record is None:
                young.pop(key, None)
                self._old.pop(key, None)
                continue
            young[key] = record
            size += len(key) + len(record) + _ENTRY_BYTES
            if size > self._half:
                self._old, young, size = young, {}, 0
        self._young, self._young_bytes = young, size

    def clear(self) -> None:
        """Forget everything."""
        self._young.clear()
        self._old.clear()
        self._young_bytes = 0


class Paths:
    """The paths of keys that were lately asked for: blocks change the same accounts and slots again and again."""

    __slots__ = ("_keccak", "_known")

    def __init__(self, keccak: Keccak) -> None:
        self._keccak = keccak
        self._known: dict[bytes, bytes] = {}

    def of(self, key: bytes) -> bytes:
        """Return the path of `key` in a trie."""
        path = self._known.get(key)
        if path is None:
            path = path_of(self._keccak(key))
            if len(self._known) >= _MOST_PATHS:
                self._known.clear()
            if len(key) <= _LONGEST_KEY:
                self._known[key] = path
        return path
