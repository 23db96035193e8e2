"""The store: ordered bytes with an atomic batch and snapshots, as a protocol, and the one kept in memory.

Everything the chain remembers is in one `Store`; what a key means is no concern of this module. `MemoryStore` serves
tests, `MockChain` and scratch runs; `state.level` and `state.rocks` keep the same contract on disk. The contract:

- a batch is seen whole or not at all, by readers of a snapshot and after a crash;
- `iterate` walks `[start, stop)` in byte order and sees the store as it was at the first step;
- one thread writes; any thread may read, and a snapshot never changes.

A store never interprets, compresses or caches values on its own account.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from types import TracebackType
from typing import Final, Protocol, Self
from weakref import ref

from state.errors import StoreError
from state.layers import MISSING, Holder, Layer
from state.ordered import SortedKeys, successor
from state.roworder import RowOrder

_NONE: Final[Mapping[bytes, bytes]] = {}
_FIRST_STEP = 1
_LONGEST_STEP = 2_048
_LOOKED_AT = 8  # layers from the youngest on; one that is let go later stays as it is


class Reader(Protocol):
    """Ordered bytes that can be read."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop` in byte order, backwards if `reverse`; `stop` None: all."""

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys alone, as `iterate` does, without reading values."""


class Snapshot(Reader, Protocol):
    """The store as it was at one moment."""

    def close(self) -> None:
        """Let go; reading afterwards is an error. Dropping the last reference does the same."""


class Store(Reader, Protocol):
    """A place that keeps ordered bytes."""

    @property
    def backend(self) -> str:
        """`memory`, `leveldb` or `rocksdb`."""

    def write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        """Write all of `puts` or nothing; None deletes. With `sync`, return when it would survive a power cut.

        Raises:
            StoreFull: the batch did not reach the disk; the store takes no more writes until it is opened again.
        """

    def snapshot(self) -> Snapshot:
        """Return the store as it is now."""

    def close(self) -> None:
        """Let go of files and locks; closing twice is allowed."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class MemoryStore:
    """A store in a dict, with keys put in order when order is first asked for.

    A snapshot costs nothing until the store is written; then each first write of a key saves the old value once, in
    the layer of the youngest living snapshot. Older snapshots read through the younger layers. A layer lives as long
    as some snapshot needs it, so that dropped snapshots leave nothing behind; what an old snapshot alone needs of many
    layers is joined into one.
    """

    backend = "memory"

    def __init__(self) -> None:
        # By first byte: one dict for all would be resized when the largest part of it need not be.
        self._rows: dict[bytes, dict[bytes, bytes]] = {}
        self._order = RowOrder(self._rows)
        self._youngest: ref[Layer] | None = None
        self._joined = 0  # odd while layers are being joined
        self._lock = Lock()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        if self._closed:
            self._check()
        return self._rows.get(key[:1], _NONE).get(key)

    def getter(self, first: bytes) -> Callable[[bytes], bytes | None]:
        """Return what `get` is for keys that begin with this byte, at a fifth of its cost; it outlives `close`."""
        return self._rows.setdefault(first, {}).get

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`, as of the first step."""
        yield from self.snapshot().iterate(start, stop, reverse)

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`, as of the first step."""
        yield from self.snapshot().keys(start, stop, reverse)

    def write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        """Write all of `puts`; None deletes. `sync` has nothing to wait for."""
        self._check()
        with self._lock:
            self._put(puts)

    def snapshot(self) -> "MemorySnapshot":
        """Return the store as it is now; costs the same however full it is."""
        self._check()
        with self._lock:
            layer = self._youngest() if self._youngest is not None else None
            if layer is None or layer.saved:
                layer = Layer(layer)
                self._youngest = ref(layer)
            snapshot = MemorySnapshot(self, layer.hold())
            self._join(layer)
            return snapshot

    def _join(self, younger: Layer) -> None:
        """Give what is saved in layers that no snapshot holds itself to those before them. The lock is held."""
        for _ in range(_LOOKED_AT):
            layer = younger.older()
            before = None if layer is None else layer.older()
            if layer is None or before is None:
                return
            if layer.held():
                younger = layer
                continue
            self._joined += 1
            before.join(layer, lambda key: self._rows.get(key[:1], _NONE).get(key) is None)
            self._joined += 1

    def restore(self, snapshot: "MemorySnapshot") -> list[bytes]:
        """Put every key back to what `snapshot` holds, in one batch, and return the keys that were put back.

        Costs what was written since, not what the store holds. The snapshot stays valid.
        """
        self._check()
        with self._lock:
            past = snapshot.past()
            self._put(past)
            return list(past)

    def close(self) -> None:
        """Refuse further use; the memory goes with the object."""
        self._closed = True

    def _check(self) -> None:
        if self._closed:
            raise StoreError("the memory store is closed; make a new one")

    def _put(self, puts: Mapping[bytes, bytes | None]) -> None:
        layer = self._youngest() if self._youngest is not None else None
        saved = None if layer is None else layer.saved
        rows_of, kept = self._rows, self._order.changed
        for key, value in puts.items():
            tag = key[:1]
            rows = rows_of.get(tag)
            if rows is None:
                rows = rows_of[tag] = {}
            old = rows.get(key)
            if saved is not None:
                saved.setdefault(key, old)  # before the row changes: a reader on another thread looks at the row first
            if value is not None:
                rows[key] = value
                if old is not None:
                    continue
            elif old is not None:
                del rows[key]
            else:
                continue
            if tag in kept:
                kept[tag].add(key)


class _Changes:
    """What keys held before they were changed, and in order those that held anything: up to so much of a layer."""

    __slots__ = ("gone", "last", "past", "size")

    def __init__(self, past: dict[bytes, bytes | None], last: Layer, size: int) -> None:
        self.past = past
        self.gone = SortedKeys(key for key, value in past.items() if value is not None)
        self.last = last
        self.size = size


class MemorySnapshot:
    """A `MemoryStore` as it was at one moment."""

    __slots__ = ("_changes", "_holder", "_store")

    def __init__(self, store: MemoryStore, holder: Holder) -> None:
        self._store = store
        self._holder: Holder | None = holder
        self._changes: _Changes | None = None

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        store = self._store
        joined = store._joined
        value = self._look(key)
        if joined & 1 or store._joined != joined:
            with store._lock:
                value = self._look(key)
        return value

    def _look(self, key: bytes) -> bytes | None:
        """`get`, as long as no layers are joined meanwhile."""
        now = self._store._rows.get(key[:1], _NONE).get(key)
        layer: Layer | None = (self._holder or self._first()).layer
        while layer is not None:
            value = layer.saved.get(key, MISSING)
            if value is not MISSING:
                return value
            layer = layer.next
        return now

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`."""
        for key in self.keys(start, stop, reverse):
            value = self.get(key)
            if value is not None:
                yield key, value

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`."""
        step = _FIRST_STEP
        while stop is None or start < stop:
            found = self._step(start, stop, reverse, step)
            yield from found
            if len(found) < step:
                return
            if reverse:
                stop = found[-1]
            else:
                start = successor(found[-1])
            step = min(step * 2, _LONGEST_STEP)

    def close(self) -> None:
        """Let go of what the snapshot kept alive."""
        self._holder = self._changes = None

    def past(self) -> dict[bytes, bytes | None]:
        """Return what each key written since held at this snapshot."""
        past: dict[bytes, bytes | None] = {}
        for layer in self._layers():
            for key, value in layer.saved.items():
                past.setdefault(key, value)
        return past

    def _first(self) -> Holder:
        """What leads to the first layer. Raises: StoreError."""
        if self._holder is None:
            raise StoreError("the snapshot is closed; take a new one from the store")
        return self._holder

    def _layers(self) -> Iterable[Layer]:
        layer: Layer | None = self._first().layer
        while layer is not None:
            yield layer
            layer = layer.next

    def _changed(self) -> "_Changes":
        """What was changed since, worked out anew only when there is more of it. The store's lock is held."""
        *_, last = self._layers()
        size = len(last.saved)
        known = self._changes
        if known is None or known.last is not last or known.size != size:
            known = self._changes = _Changes(self.past(), last, size)
        return known

    def _step(self, start: bytes, stop: bytes | None, reverse: bool, count: int) -> list[bytes]:
        """Return the first `count` keys of the range as this snapshot has them."""
        with self._store._lock:
            changes = self._changed()
            past, gone = changes.past, changes.gone
            order = self._store._order
            found: list[bytes] = []
            edge: bytes | None = stop if reverse else start
            inclusive = not reverse
            while len(found) < count:
                if reverse:
                    key = _later(order.below(edge, start, inclusive=inclusive), gone.below(edge, inclusive=inclusive))
                else:
                    at = edge or b""
                    key = _earlier(order.above(at, stop, inclusive=inclusive), gone.above(at, inclusive=inclusive))
                if key is None or key < start or (stop is not None and key >= stop):
                    break
                if past.get(key, b"") is not None:
                    found.append(key)
                edge, inclusive = key, False
            return found


def _earlier(one: bytes | None, other: bytes | None) -> bytes | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _later(one: bytes | None, other: bytes | None) -> bytes | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
