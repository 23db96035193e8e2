"""Byte strings in order, in memory: a sorted set and a set of disjoint gaps.

`SortedKeys` answers "the next key at or after this one" in logarithmic time while keys come and go; the memory store
and the storage overlay stand on it. `Gaps` remembers stretches of key space that are known to hold nothing worth a
visit, so that an iterator passes ten thousand removed keys in one step. Neither knows what a key means; neither is
safe to change from two threads at once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

_CHUNK = 512  # keys a chunk after a split; inserting moves at most twice as many pointers


def successor(key: bytes) -> bytes:
    """Return the smallest byte string greater than `key`."""
    return key + b"\x00"


def prefix_end(prefix: bytes) -> bytes | None:
    """Return the smallest byte string greater than every one that starts with `prefix`, or None if there is none."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes((trimmed[-1] + 1,)) if trimmed else None


class SortedKeys:
    """A set of byte strings in byte order, kept as a list of short sorted lists."""

    __slots__ = ("_chunks", "_lasts", "_size")

    def __init__(self, keys: Iterable[bytes] = ()) -> None:
        ordered = sorted(set(keys))
        self._chunks = [ordered[i : i + _CHUNK] for i in range(0, len(ordered), _CHUNK)]
        self._lasts = [chunk[-1] for chunk in self._chunks]
        self._size = len(ordered)

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            yield from chunk

    def __contains__(self, key: bytes) -> bool:
        return self.above(key, inclusive=True) == key

    def add(self, key: bytes) -> None:
        """Put `key` in; no effect when it is there."""
        if not self._chunks:
            self._chunks.append([key])
            self._lasts.append(key)
            self._size = 1
            return
        at = min(bisect_left(self._lasts, key), len(self._lasts) - 1)
        chunk = self._chunks[at]
        place = bisect_left(chunk, key)
        if place < len(chunk) and chunk[place] == key:
            return
        chunk.insert(place, key)
        self._size += 1
        if len(chunk) > 2 * _CHUNK:
            self._chunks.insert(at + 1, chunk[_CHUNK:])
            del chunk[_CHUNK:]
            self._lasts.insert(at, chunk[-1])
        self._lasts[at] = chunk[-1]
        if at + 1 < len(self._lasts):
            self._lasts[at + 1] = self._chunks[at + 1][-1]

    def discard(self, key: bytes) -> None:
        """Take `key` out; no effect when it is not there."""
        at = bisect_left(self._lasts, key)
        if at == len(self._lasts):
            return
        chunk = self._chunks[at]
        place = bisect_left(chunk, key)
        if chunk[place] != key:
            return
        del chunk[place]
        self._size -= 1
        if chunk:
            self._lasts[at] = chunk[-1]
        else:
            del self._chunks[at]
            del self._lasts[at]

    def above(self, key: bytes, *, inclusive: bool) -> bytes | None:
        """Return the smallest key greater than `key` (or equal to it, if `inclusive`), None when there is none."""
        find = bisect_left if inclusive else bisect_right
        at = find(self._lasts, key)
        if at == len(self._lasts):
            return None
        chunk = self._chunks[at]
        return chunk[find(chunk, key)]

    def below(self, key: bytes | None, *, inclusive: bool) -> bytes | None:
        """Return the greatest key less than `key` (or equal to it, if `inclusive`); the last one for `key` None."""
        if not self._chunks:
            return None
        if key is None:
            return self._lasts[-1]
        find = bisect_right if inclusive else bisect_left
        at = min(bisect_left(self._lasts, key), len(self._lasts) - 1)
        place = find(self._chunks[at], key)
        if place:
            return self._chunks[at][place - 1]
        return self._chunks[at - 1][-1] if at else None


class Gaps:
    """Disjoint half-open stretches `[start, end)` of key space; an end of None is the end of all keys."""

    __slots__ = ("_ends", "_starts")

    def __init__(self) -> None:
        self._starts = SortedKeys()
        self._ends: dict[bytes, bytes | None] = {}

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[tuple[bytes, bytes | None]]:
        for start in self._starts:
            yield start, self._ends[start]

    def clear(self) -> None:
        """Forget every gap."""
        self._starts = SortedKeys()
        self._ends.clear()

    def end_of(self, key: bytes) -> bytes | None:
        """Return where the gap that holds `key` ends (None: never); `key` itself when no gap holds it."""
        start = self._starts.below(key, inclusive=True)
        if start is None:
            return key
        end = self._ends[start]
        return key if end is not None and end <= key else end

    def start_of(self, until: bytes | None) -> bytes | None:
        """Return the start of the gap that holds what lies directly below `until`; `until` itself when none does.

        `until` None stands for the end of all keys.
        """
        start = self._starts.below(until, inclusive=False)
        if start is None:
            return until
        end = self._ends[start]
        if end is None:
            return start
        return start if until is not None and until <= end else until

    def add(self, start: bytes, end: bytes | None) -> None:
        """Add `[start, end)`, joining it with every gap it overlaps or touches; an empty stretch adds nothing."""
        if end is not None and end <= start:
            return
        before = self._starts.below(start, inclusive=True)
        if before is not None:
            reach = self._ends[before]
            if reach is None:
                return
            if reach >= start:
                start = before
                if end is not None and reach > end:
                    end = reach
        at = self._starts.above(start, inclusive=True)
        while at is not None and (end is None or at <= end):
            reach = self._ends.pop(at)
            self._starts.discard(at)
            if end is not None and (reach is None or reach > end):
                end = reach
            at = self._starts.above(start, inclusive=True)
        self._starts.add(start)
        self._ends[start] = end

    def split(self, key: bytes) -> None:
        """Take the single point `key` out of the gap that holds it, if one does."""
        start = self._starts.below(key, inclusive=True)
        if start is None:
            return
        end = self._ends[start]
        if end is not None and end <= key:
            return
        if start == key:
            self._starts.discard(start)
            del self._ends[start]
        else:
            self._ends[start] = key
        self.add(successor(key), end)
