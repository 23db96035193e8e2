"""The store on LevelDB: the only module that imports plyvel.

Keeps the contract of `state.store.Store`. Paranoid checks are on: a damaged log or table is an error at open, never a
silently shorter chain (a log cut off in its last record, which is what a killed process leaves, is no damage). A
write that fails leaves the handle refusing further writes, because LevelDB would append after the torn record and a
later recovery could then drop what came behind it. Compression is off: most bytes here are hashes.

LevelDB's own lock is lost when the same process tries to open a database twice (closing the second descriptor drops
the first one's POSIX lock); `state.directory` therefore holds a lock of its own around every store it opens.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import plyvel

from state.errors import DISK_REASONS, StoreCorrupt, StoreError, StoreFull, StoreLocked

CACHE_BYTES = 32 << 20
WRITE_BUFFER_BYTES = 8 << 20
BLOOM_BITS = 10
OPEN_FILES = 256

_FAILURES = (plyvel.Error, OSError, RuntimeError)


def _refuse(path: Path, error: Exception, doing: str) -> NoReturn:
    """Raise what plyvel's `error` means to the person who owns `path`."""
    if isinstance(error, RuntimeError):
        raise StoreError(f"{path}: the store is closed; open it again") from error
    raw = error.args[0] if error.args else ""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    if isinstance(error, plyvel.CorruptionError):
        raise StoreCorrupt(f"{path}: damaged, found while {doing} ({text}); restore a copy of it") from error
    if "LOCK:" in text and "NotFound" not in text:
        raise StoreLocked(f"{path}: in use by another process; stop it or use another directory ({text})") from error
    if "does not exist" in text or "NotFound" in text or "No such file" in text:
        raise StoreCorrupt(f"{path}: files are missing, found while {doing} ({text}); restore a copy of it") from error
    if isinstance(error, OSError):
        if doing != "writing" and not any(reason in text for reason in DISK_REASONS):
            raise StoreCorrupt(
                f"{path}: a file is unusable, found while {doing} ({text}); restore a copy of it"
            ) from error
        raise StoreFull(f"{path}: the disk failed while {doing} ({text}); make room, then open it again") from error
    raise StoreError(f"{path}: LevelDB failed while {doing} ({text})") from error


class _LevelReader:
    """Reads of an open database or of one of its snapshots."""

    __slots__ = ("_path", "_source")

    def __init__(self, path: Path, source: Any) -> None:
        self._path = path
        self._source = source

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        try:
            value: bytes | None = self._source.get(key, verify_checksums=True)
        except _FAILURES as error:
            _refuse(self._path, error, "reading")
        return value

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`."""
        for cursor, key in self._walk(start, stop, reverse):
            yield key, cursor.value()

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`."""
        for _, key in self._walk(start, stop, reverse):
            yield key

    def _walk(self, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[tuple[Any, bytes]]:
        # plyvel's own ranged iterator, walking backwards, drops a single key that equals `start`; hence the raw one.
        try:
            with self._source.raw_iterator(verify_checksums=True) as cursor:
                if not reverse:
                    cursor.seek(start)
                    step = cursor.next
                else:
                    _seek_before(cursor, stop)
                    step = cursor.prev
                while cursor.valid():
                    key: bytes = cursor.key()
                    if key < start or (stop is not None and key >= stop):
                        return
                    yield cursor, key
                    step()
        except _FAILURES as error:
            _refuse(self._path, error, "iterating")


def _seek_before(cursor: Any, stop: bytes | None) -> None:
    """Put `cursor` on the last key below `stop`, or make it invalid."""
    if stop is not None:
        cursor.seek(stop)
        if cursor.valid():
            cursor.prev()
            return
    cursor.seek_to_last()


class LevelSnapshot(_LevelReader):
    """A `LevelStore` as it was at one moment."""

    __slots__ = ()

    def close(self) -> None:
        """Let go of what the snapshot kept from compaction."""
        self._source.close()


class LevelStore(_LevelReader):
    """An open LevelDB database.

    Args:
        path: the database's own folder.
        create: make the database when there is none; otherwise its absence is `StoreCorrupt`.

    Raises:
        StoreLocked: it is open already.
        StoreCorrupt: its log or tables are damaged, or missing and not to be created.
        StoreFull: the folder cannot be written.
    """

    __slots__ = ("_broken",)
    backend = "leveldb"

    def __init__(self, path: Path, *, create: bool) -> None:
        self._broken = ""
        try:
            source = plyvel.DB(
                str(path),
                create_if_missing=create,
                paranoid_checks=True,
                write_buffer_size=WRITE_BUFFER_BYTES,
                max_open_files=OPEN_FILES,
                lru_cache_size=CACHE_BYTES,
                bloom_filter_bits=BLOOM_BITS,
                compression=None,
            )
        except _FAILURES as error:
            _refuse(path, error, "opening")
        super().__init__(path, source)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        """Write all of `puts` or nothing; None deletes. With `sync`, return when it would survive a power cut.

        Raises:
            StoreFull: the batch is not in the store, and this handle takes no more writes.
        """
        if self._broken:
            raise StoreFull(f"{self._path}: an earlier write failed ({self._broken}); make room, then open it again")
        try:
            batch = self._source.write_batch(sync=sync)
            put, delete = batch.put, batch.delete
            for key, value in puts.items():
                if value is None:
                    delete(key)
                else:
                    put(key, value)
            batch.write()
        except _FAILURES as error:
            if not isinstance(error, RuntimeError):
                self._broken = str(error)
            _refuse(self._path, error, "writing")

    def snapshot(self) -> LevelSnapshot:
        """Return the store as it is now."""
        try:
            return LevelSnapshot(self._path, self._source.snapshot())
        except _FAILURES as error:
            _refuse(self._path, error, "taking a snapshot")

    def close(self) -> None:
        """Let go of files and the lock; closing twice is allowed."""
        self._source.close()
