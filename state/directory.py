"""The data directory: one folder that says what it is, held by one process at a time.

    IDENTITY   JSON: what the folder is, its format version, its backend, and whether its making was finished
    LOCK       held with flock while the store is open
    SEAL       what the database's logs and manifest were when it was closed (`state.seal`)
    db/        the database's own files

`IDENTITY` is replaced atomically (written aside, synced, renamed, the folder synced). It is written as `creating`
before the database exists and as `ready` after the first write to it, so that a process killed in between leaves a
folder that the next one completes, while a `ready` folder whose database is gone or holds nothing is an error and never
a silently empty chain. A folder with anything else in it is refused and left as it was.

What the records mean (chain id, schedule) is checked by whoever opens the chain in it.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from state import seal
from state.errors import StoreCorrupt, StoreError, StoreForeign, StoreFull, StoreLocked
from state.store import Store

try:
    import fcntl
except ImportError:  # not a POSIX system: there the database's own lock is mandatory and needs no help
    fcntl = None  # type: ignore[assignment]

FORMAT = 1
_WHAT = "contractvm data directory"
_IDENTITY = "IDENTITY"
_LOCK = "LOCK"
_SEAL = "SEAL"
_DATABASE = "db"
_MODULES = {"leveldb": "plyvel", "rocksdb": "rocksdict"}


def default_backend() -> str:
    """Return the backend for a new directory: `leveldb` where plyvel is installed, else `rocksdb`.

    Raises:
        StoreError: neither plyvel nor rocksdict is installed.
    """
    for backend, module in _MODULES.items():
        if find_spec(module) is not None:
            return backend
    raise StoreError("no database library is installed; install plyvel (LevelDB) or rocksdict (RocksDB)")


def open_store(path: str | os.PathLike[str], *, create: bool, backend: str | None = None) -> "DirectoryStore":
    """Open the data directory at `path`.

    Args:
        path: the folder; its parents are made too when `create` is set.
        create: make the directory when there is none. A half-made one is completed either way.
        backend: `leveldb` or `rocksdb`; None takes the directory's own, or `default_backend()` for a new one.

    Raises:
        StoreForeign: there is no directory and none to be made, it holds other things, or is of another backend or
            format. Nothing in it was touched.
        StoreLocked: it is open already, here or in another process.
        StoreCorrupt: its identity or its database is damaged.
        StoreFull: it could not be written.
    """
    folder = Path(path)
    if backend is not None and backend not in _MODULES:
        raise StoreForeign(f"{folder}: no backend is named {backend!r}; choose {' or '.join(_MODULES)}")
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError:
        raise StoreForeign(f"{str(folder)!a}: the path is not UTF-8, which the database needs; name another") from None
    _look(folder, create, backend)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _hold(folder)
    except OSError as error:
        raise StoreFull(f"{folder}: cannot be written ({error.strerror}); check its owner and free space") from error
    try:
        store, ready = _open(folder, backend)
        return DirectoryStore(folder, store, lock, ready)
    except BaseException:
        lock.close()
        raise


def _look(folder: Path, create: bool, backend: str | None) -> None:
    """Refuse a folder that is not ours, or not as asked for, before anything in it is touched."""
    if not folder.exists():
        if create:
            return
        raise StoreForeign(f"{folder}: there is no such data directory; create it, or name the right one")
    try:
        names = {entry.name for entry in folder.iterdir()}
    except OSError as error:
        raise StoreForeign(f"{folder}: cannot be read as a directory ({error.strerror}); name another") from error
    if _IDENTITY in names:
        _identity(folder, backend)
    elif strangers := sorted(names - {_LOCK, _IDENTITY + ".new"}):
        shown = ", ".join(strangers[:3])
        raise StoreForeign(f"{folder}: not a contractvm data directory, it holds {shown}; name an empty or new one")
    elif not create:
        raise StoreForeign(f"{folder}: there is no data directory in it; create it, or name the right one")


def _open(folder: Path, backend: str | None) -> tuple[Store, bool]:
    """Open the database of a folder that we hold the lock of; also whether its making was finished."""
    database = folder / _DATABASE
    if (folder / _IDENTITY).exists():
        kept, ready = _identity(folder, backend)
        if find_spec(_MODULES[kept]) is None:
            raise StoreForeign(f"{folder}: kept by {kept}, but {_MODULES[kept]} is not installed here; install it")
    else:
        kept, ready = backend or default_backend(), False
        _write_identity(folder, kept, ready=False)
    store = _database(kept, database, folder / _SEAL, create=not ready)
    if any(True for _ in store.keys(b"", None)) is ready:
        return store, ready
    try:
        if ready:
            raise StoreCorrupt(
                f"{database}: it held records and holds none, its files were lost; restore a copy of {folder}, "
                "or remove it to start a new chain"
            )
        _write_identity(folder, kept, ready=True)
    except BaseException:
        store.close()
        raise
    return store, True


def _database(backend: str, path: Path, sealed: Path, *, create: bool) -> Store:
    if not create:
        if not path.is_dir():
            raise StoreCorrupt(f"{path}: the database is gone from its data directory; restore a copy of it")
        try:
            seal.check(path, sealed)
        except OSError as error:
            raise StoreCorrupt(f"{path}: cannot be read ({error.strerror}); check its owner") from error
    if backend == "leveldb":
        from state.level import LevelStore

        return LevelStore(path, create=create)
    from state.rocks import RocksStore

    return RocksStore(path, create=create)


def _identity(folder: Path, backend: str | None) -> tuple[str, bool]:
    """Return the backend of `folder` and whether its making was finished."""
    file = folder / _IDENTITY
    try:
        facts = json.loads(file.read_bytes())
    except OSError as error:
        raise StoreCorrupt(f"{file}: cannot be read ({error.strerror}); check its owner") from error
    except ValueError as error:
        raise StoreCorrupt(f"{file}: damaged, it is no JSON ({error}); restore a copy of it") from error
    if not isinstance(facts, dict) or facts.get("what") != _WHAT:
        raise StoreForeign(f"{file}: not the identity of a contractvm data directory; name another directory")
    version, kept, stage = facts.get("format"), facts.get("backend"), facts.get("stage")
    if version != FORMAT:
        raise StoreForeign(f"{folder}: format {version!r}, this version reads {FORMAT}; use the version that made it")
    if kept not in _MODULES or stage not in ("creating", "ready"):
        raise StoreCorrupt(f"{file}: damaged, backend {kept!r} and stage {stage!r} make no sense; restore a copy of it")
    if backend is not None and backend != kept:
        raise StoreForeign(f"{folder}: kept by {kept}, not {backend}; open it without naming a backend")
    return kept, stage == "ready"


def _write_identity(folder: Path, backend: str, *, ready: bool) -> None:
    facts = {"what": _WHAT, "format": FORMAT, "backend": backend, "stage": "ready" if ready else "creating"}
    aside = folder / (_IDENTITY + ".new")
    try:
        with open(aside, "w", encoding="utf-8") as file:
            json.dump(facts, file)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, folder / _IDENTITY)
        _sync_folder(folder)
        _sync_folder(folder.parent)
    except OSError as error:
        raise StoreFull(f"{folder}: cannot be written ({error.strerror}); check its owner and free space") from error


def _sync_folder(folder: Path) -> None:
    if fcntl is None:  # only POSIX lets a folder be opened and synced
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _hold(folder: Path) -> IO[bytes]:
    """Return the open lock file of `folder`; closing it lets go."""
    file = open(folder / _LOCK, "ab")  # noqa: SIM115 - lives as long as the store
    if fcntl is None:
        return file
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        if isinstance(error, BlockingIOError):
            raise StoreLocked(f"{folder}: in use by another process; stop it or use another data directory") from error
        raise
    return file


class DirectoryStore:
    """The store of a data directory, together with the lock on it."""

    __slots__ = ("_closed", "_folder", "_lock", "_store", "get", "iterate", "keys", "snapshot", "write")
    write: Callable[..., None]

    def __init__(self, folder: Path, store: Store, lock: IO[bytes], ready: bool) -> None:
        self._folder = folder
        self._store = store
        self._lock = lock
        self._closed = False
        # Bound here rather than forwarded: a read is the most frequent thing a chain does.
        self.get = store.get
        self.iterate = store.iterate
        self.keys = store.keys
        self.write = store.write if ready else self._first_write
        self.snapshot = store.snapshot

    def _first_write(self, puts: Mapping[bytes, bytes | None], sync: bool = False) -> None:
        """Write, synced whatever was asked for; from then on the directory is known to hold something."""
        self._store.write(puts, True)
        _write_identity(self._folder, self.backend, ready=True)
        self.write = self._store.write

    @property
    def backend(self) -> str:
        """`leveldb` or `rocksdb`."""
        return self._store.backend

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files and the lock; closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        try:
            self._store.close()
            with suppress(OSError):  # without room for a seal there is none; everything else was written and synced
                seal.write(self._folder / _DATABASE, self._folder / _SEAL)
        finally:
            self._lock.close()
