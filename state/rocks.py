"""The store on RocksDB, LevelDB's descendant: the only module that imports rocksdict.

Serves where plyvel has no wheel and keeps the same contract (`state.store.Store`), in rocksdict's raw mode: bytes in,
bytes out. One background job, one info log, no statistics: the defaults are meant for servers. The log is recovered as
LevelDB does with paranoid checks: a torn last record is what a killed process leaves, anything else is `StoreCorrupt`.

rocksdict raises plain `Exception` for whatever RocksDB reports, so this one module has to catch it; each such clause
encloses a single call into rocksdict and turns what it caught into a `StoreError`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DbClosedError,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    RdictIter,
    ReadOptions,
    Snapshot,
    WriteBatch,
    WriteOptions,
)

from state.errors import StoreCorrupt, StoreError, StoreFull, StoreLocked

CACHE_BYTES = 32 << 20
WRITE_BUFFER_BYTES = 8 << 20
BLOOM_BITS = 10
OPEN_FILES = 256


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


class _RocksReader:
    """Reads of an open database or of one of its snapshots."""

    __slots__ = ("_path", "_source")

    def __init__(self, path: Path, source: "Rdict | Snapshot") -> None:
        self._path = path
        self._source = source

    def get(self, key: bytes) -> bytes | None:
        """Return the value at `key`, None when there is none."""
        try:
            value: bytes = self._source[key]
        except KeyError:
            return None
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(self._path, error, "reading")
        return value

    def iterate(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Yield `(key, value)` for `start <= key < stop`."""
        for cursor in self._walk(start, stop, reverse):
            yield cursor.key(), cursor.value()

    def keys(self, start: bytes, stop: bytes | None, reverse: bool = False) -> Iterator[bytes]:
        """Yield the keys for `start <= key < stop`."""
        for cursor in self._walk(start, stop, reverse):
            yield cursor.key()

    def _walk(self, start: bytes, stop: bytes | None, reverse: bool) -> Iterator[RdictIter]:
        if stop is not None and stop <= start:
            return
        cursor = self._cursor(start, stop)
        if not reverse:
            cursor.seek(start)
        elif stop is None:
            cursor.seek_to_last()
        else:
            cursor.seek_for_prev(stop)
        while cursor.valid():
            yield cursor
            if reverse:
                cursor.prev()
            else:
                cursor.next()
        try:
            cursor.status()
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(self._path, error, "iterating")

    def _cursor(self, start: bytes, stop: bytes | None) -> RdictIter:
        bounds = ReadOptions()
        bounds.set_iterate_lower_bound(start)
        if stop is not None:
            bounds.set_iterate_upper_bound(stop)
        try:
            return self._source.iter(bounds)
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(self._path, error, "iterating")


class RocksSnapshot(_RocksReader):
    """A `RocksStore` as it was at one moment."""

    __slots__ = ()

    def close(self) -> None:
        """Let go of what the snapshot kept from compaction."""
        del self._source


class RocksStore(_RocksReader):
    """An open RocksDB database; arguments and errors as `state.level.LevelStore`."""

    __slots__ = ("_broken", "_db")
    backend = "rocksdb"

    def __init__(self, path: Path, *, create: bool) -> None:
        self._broken = ""
        try:
            self._db = Rdict(str(path), _options(create))
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(path, error, "opening")
        super().__init__(path, self._db)

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
            self._db.write(batch, options)
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            self._broken = str(error)
            _refuse(self._path, error, "writing")

    def snapshot(self) -> RocksSnapshot:
        """Return the store as it is now."""
        try:
            return RocksSnapshot(self._path, self._db.snapshot())
        except Exception as error:  # noqa: BLE001 - all that rocksdict ever raises
            _refuse(self._path, error, "taking a snapshot")

    def close(self) -> None:
        """Let go of files and the lock; closing twice is allowed."""
        try:
            self._db.close()
        except DbClosedError:
            return
