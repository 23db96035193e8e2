"""Numbers by hash, in 16 bytes an entry: for millions of entries where a dict would take ten times as much.

An entry is the first 8 bytes of the hash and the number's 8; two hashes may begin alike, so `find` gives candidates and
whoever asks compares. Entries lie in buckets by the hash's last bits, in the order in which they came. Adding an entry
costs the same however many there are. One thread adds and removes; any thread finds.
"""

from collections.abc import Iterator
from typing import Final

_BUCKETS: Final = 1 << 12
_PREFIX: Final = 8
_ENTRY: Final = 16


class HashIndex:
    """A multimap from hashes of at least ten bytes to numbers below 2**64."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: list[bytearray | None] = [None] * _BUCKETS

    def add(self, digest: bytes, number: int) -> None:
        """Put in a number."""
        at = int.from_bytes(digest[-2:], "big") % _BUCKETS
        bucket = self._buckets[at]
        if bucket is None:
            bucket = self._buckets[at] = bytearray()
        bucket += digest[:_PREFIX] + number.to_bytes(8, "big")

    def find(self, digest: bytes) -> Iterator[int]:
        """Yield the numbers of all entries whose hashes may be this one."""
        bucket = self._buckets[int.from_bytes(digest[-2:], "big") % _BUCKETS]
        if bucket is None:
            return
        entries = bytes(bucket)  # removing on another thread moves entries
        at = entries.find(digest[:_PREFIX])
        while at >= 0:
            if at % _ENTRY == 0:
                yield int.from_bytes(entries[at + _PREFIX : at + _ENTRY], "big")
            at = entries.find(digest[:_PREFIX], at + 1)

    def remove(self, digest: bytes, number: int) -> None:
        """Take out an entry; no effect when it is not there."""
        bucket = self._buckets[int.from_bytes(digest[-2:], "big") % _BUCKETS]
        if bucket is None:
            return
        entry = digest[:_PREFIX] + number.to_bytes(8, "big")
        at = bucket.find(entry)
        while at >= 0 and at % _ENTRY:
            at = bucket.find(entry, at + 1)
        if at >= 0:
            del bucket[at : at + _ENTRY]
