"""The store on RocksDB, LevelDB's descendant: the only module that imports rocksdict.

Serves where plyvel has no wheel and keeps the same contract (`state.store.Store`), in rocksdict's raw mode: bytes in,
bytes out. One background job, one info log, no statistics: the defaults are meant for servers. The log is recovered as
LevelDB does with paranoid checks: a torn last record is what a killed process leaves, anything else is `StoreCorrupt`.

rocksdict raises plain `Exception` for whatever RocksDB reports, so this one module has to catch it; each such clause
encloses a single call into rocksdict and turns what it caught into a `StoreError`.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import NoReturn, Self
from weakref import WeakSet

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DbClosedError,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    RdictIter,
    Snapshot,
    WriteBatch,
    WriteOptions,
)

from state.errors import DISK_REASONS, StoreCorrupt, StoreError, StoreFull, StoreLocked
from state.ordered import successor

CACHE_BYTES = 32 << 20
WRITE_BUFFER_BYTES = 8 << 20
BLOOM_BITS = 10
OPEN_FILES = 256

_LONGEST_STEP = 256  # keys a walk reads at once from a snapshot's shared cursor


def _refuse(path: Path, error: Exception, doing: str) -> NoReturn:
    """Raise what rocksdict's `error` means to the person who owns `path`."""
    text = str(error)
    if isinstance(error, DbClosedError):
        raise StoreError(f"{path}: the store is closed; open it again") from error
    if text.startswith("Corruption"):
        raise StoreCorrupt(f"{path}: damaged, found while {doing} ({text}); restore a copy of it") from error
    if "lock file" in text or "lock hold by" in text:
        raise StoreLocked(f"{path}: in use by another process; stop it or use another directory ({text})") from error
    if "does not exist" in text or "No such file" in text or text.startswith("NotFound"):
        raise StoreCorrupt(f"{path}: files are missing, found while {doing} ({text}); restore a copy of it") from error
    if text.startswith("IO error"):
        if doing != "writing" and not any(reason in text for reason in DISK_REASONS):
            raise StoreCorrupt(
                f"{path}: a file is unusable, found while {doing} ({text}); restore a copy of it"
            ) from error
        raise StoreFull(f"{path}: the disk failed while {doing} ({text}); make room, then open it again") from error
    raise StoreError(f"{path}: RocksDB failed while {doing} ({text})") from error


def _options(create: bool) -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(Cache(CACHE_BYTES))
    table.set_bloom_filter(BLOOM_BITS, False)
    options = Options(raw_mode=True)
    options.create_if_missing(create)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.none())
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_open_files(OPEN_FILES)
    options.set_max_background_jobs(1)
    options.set_max_file_opening_threads(1)
    options.set_keep_log_file_num(1)
    options.set_stats_dump_period_sec(0)
    options.set_stats_persist_period_sec(0)
    options.set_paranoid_checks(True)
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    return options


def _walk(cursor: RdictIter, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[bytes]:
    """Move `cursor` over `[start, stop)` and yield each key; its value can be read at each step."""
    # No bounds in ReadOptions: rocksdict encodes those as if the database were not in raw mode.
    if reverse:
        step = cursor.prev
        if stop is None:
            cursor.seek_to_last()
        else:
            cursor.seek_for_prev(stop)
            if cursor.valid() and cursor.key() == stop:
                step()
    else:
        cursor.seek(start)
        step = cursor.next
    while cursor.valid():
        key: bytes = cursor.key()
        if key < start or (stop is not None and key >= stop):
            return
        yield key
        step()


class RocksSnapshot:
    """A `RocksStore` as it was at one moment.

    rocksdict's own snapshot serves look-ups, but its iterators read the database as it is now. A RocksDB iterator is
    itself a view of the moment it was made, so one made together with the snapshot serves the walks, which share it a
    few keys at a time.
    """

    __slots__ = ("__weakref__", "_cursor", "_lock", "_path", "_snapshot")

    def __init__(self, path: Path, snapshot: Snapshot, cursor: RdictIter) -> None:
        self._path = path
        self._snapshot: Snapshot | None = snapshot
        self._cursor: RdictIter | None = cursor
        self._lock = Lock()

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        if self._snapshot is None:
            raise StoreError(f"{self._path}: the snapshot is closed; take a new one from the store")
        try:
            value: bytes = self._snapshot[key]
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            if str(error) == "key not found":
                return None
            _refuse(self._path, error, "reading")
        return value

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`."""
        for key in self.keys(start, stop, reverse):
            value = self.get(key)
            if value is None:
                raise StoreCorrupt(f"{self._path}: key {key.hex()} is in order but has no value; restore a copy of it")
            yield key, value

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`."""
        count = 1
        while True:
            found = self._step(start, stop, reverse, count)
            yield from found
            if len(found) < count:
                return
            if reverse:
                stop = found[-1]
            else:
                start = successor(found[-1])
            count = min(count * 2, _LONGEST_STEP)

    def close(self) -> None:
        """Let go of what the snapshot kept from compaction."""
        with self._lock:
            self._snapshot = self._cursor = None

    def _step(self, start: bytes, stop: bytes | None, reverse: bool, count: int) -> list[bytes]:
        with self._lock:
            if self._cursor is None:
                raise StoreError(f"{self._path}: the snapshot is closed; take a new one from the store")
            try:
                found = list(islice(_walk(self._cursor, start, stop, reverse), count))
                self._cursor.status()
            except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
                _refuse(self._path, error, "iterating")
            return found


class RocksStore:
    """An open RocksDB database; arguments and errors as `state.level.LevelStore`."""

    __slots__ = ("_broken", "_db", "_lock", "_path", "_snapshots")
    backend = "rocksdb"

    def __init__(self, path: Path, *, create: bool) -> None:
        self._broken = ""
        self._path = path
        self._lock = Lock()  # between a batch and the making of a snapshot, which takes two steps
        self._snapshots: WeakSet[RocksSnapshot] = WeakSet()  # each keeps the database open as long as it lives
        try:
            self._db = Rdict(str(path), _options(create))
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(path, error, "opening")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(self._path, error, "reading")
        return value

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`, as of the first step."""
        yield from self.snapshot().iterate(start, stop, reverse)

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`, as of the first step."""
        yield from self.snapshot().keys(start, stop, reverse)

    def write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        """Write all of `puts` or nothing; None deletes. With `sync`, return when it would survive a power cut.

        Raises:
            StoreFull: the batch is not in the store, and this handle takes no more writes.
        """
        if self._broken:
            raise StoreFull(f"{self._path}: an earlier write failed ({self._broken}); make room, then open it again")
        batch = WriteBatch(raw_mode=True)
        put, delete = batch.put, batch.delete
        for key, value in puts.items():
            if value is None:
                delete(key)
            else:
                put(key, value)
        options = WriteOptions()
        options.sync = sync
        try:
            with self._lock:
                self._db.write(batch, options)
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            if not isinstance(error, DbClosedError):
                self._broken = str(error)
            _refuse(self._path, error, "writing")

    def snapshot(self) -> RocksSnapshot:
        """Return the store as it is now."""
        try:
            with self._lock:
                snapshot = RocksSnapshot(self._path, self._db.snapshot(), self._db.iter())
                self._snapshots.add(snapshot)
                return snapshot
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(self._path, error, "taking a snapshot")

    def close(self) -> None:
        """Let go of files and the lock; closing twice is allowed.

        Raises:
            StoreCorrupt: tidying up in the background came upon damage.
        """
        with self._lock:
            snapshots = list(self._snapshots)
        for snapshot in snapshots:
            snapshot.close()
        try:
            self._db.close()
        except DbClosedError:
            return
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(self._path, error, "closing")
