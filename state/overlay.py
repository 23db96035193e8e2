"""A store laid over records that never change: what is written stays in memory, what is not is read from below.

So a chain goes on from a state that somebody else keeps, and a state is gone back from without touching it. A record
that was removed is remembered as such, or the one below would show again.
"""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Final, Self

from state.store import MemorySnapshot, MemoryStore, Reader

_GONE: Final = b"gone"
"""Stands for a removed record; told from a record of the same bytes by identity."""


class OverlaySnapshot:
    """An overlay as it was at one moment."""

    __slots__ = ("_base", "above")

    def __init__(self, above: MemorySnapshot, base: Reader) -> None:
        self.above = above
        self._base = base

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        value = self.above.get(key)
        if value is None:
            return self._base.get(key)
        return None if value is _GONE else value

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`."""
        for key in self.keys(start, stop, reverse):
            value = self.get(key)
            if value is not None:
                yield key, value

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`."""
        mine, below = self.above.keys(start, stop, reverse), self._base.keys(start, stop, reverse)
        one, other = next(mine, None), next(below, None)
        while one is not None or other is not None:
            if one is None or (other is not None and (other > one if reverse else other < one)):
                if other is not None:
                    yield other
                other = next(below, None)
                continue
            if other == one:
                other = next(below, None)
            if self.above.get(one) is not _GONE:
                yield one
            one = next(mine, None)

    def close(self) -> None:
        """Let go of what the snapshot kept alive."""
        self.above.close()


class OverlayStore:
    """A store in memory over `base`, which no one changes."""

    __slots__ = ("_above", "_base")
    backend = "memory"

    def __init__(self, base: Reader) -> None:
        self._above = MemoryStore()
        self._base = base

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        value = self._above.get(key)
        if value is None:
            return self._base.get(key)
        return None if value is _GONE else value

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`, as of the first step."""
        yield from self.snapshot().iterate(start, stop, reverse)

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`, as of the first step."""
        yield from self.snapshot().keys(start, stop, reverse)

    def write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        """Write all of `puts`; None deletes. `sync` has nothing to wait for."""
        below = self._base.get
        self._above.write(
            {key: _GONE if value is None and below(key) is not None else value for key, value in puts.items()}
        )

    def snapshot(self) -> OverlaySnapshot:
        """Return the store as it is now."""
        return OverlaySnapshot(self._above.snapshot(), self._base)

    def restore(self, snapshot: OverlaySnapshot) -> None:
        """Put every key back to what `snapshot` holds; it stays valid."""
        self._above.restore(snapshot.above)

    def close(self) -> None:
        """Refuse further use; what lies below is the caller's."""
        self._above.close()
