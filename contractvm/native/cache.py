"""The object cache: compiled code on disk, one file a key, private to the user, the least recently used thrown away.

    ROOT/objects/<key in hex>.object     header, then the object
    ROOT/objects/<key in hex>.refusal    header, then why this code cannot be had natively (UTF-8)

ROOT is `$CONTRACTVM_CACHE`, else `$XDG_CACHE_HOME/contractvm`, else `~/.cache/contractvm`. What lies here becomes
machine code of this process, so everything is checked on the open descriptor before a byte is used: folders and file
belong to this user, nobody else may write to them, and the content has the digest in its header. What fails is removed
and counts as absent. Files appear by rename and vanish by unlink: any number of processes share a cache without a lock.

Source: XDG base directory specification 0.8 (places, mode 0700). Never: raises because of the disk; a cache that cannot
be used is an empty one that keeps nothing, and `problem` says why. Never: touches a file that is not its own.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from contractvm.dataclass import dataclass

LIMIT: Final = 256 << 20
"""Bytes kept unless the caller says otherwise."""
LONGEST_REASON: Final = 4096
"""Bytes of a refusal's reason."""
SPARE: Final = 8
"""Eviction frees an eighth of the limit at once, so that not every put of a full cache has to evict."""
LOOKS: Final = 64
"""The folder is looked through once for so large a part of the limit that is put in: a look at thousands of files takes
longer than everything else about a put."""
ABANDONED: Final = 3600
"""Seconds after which a temporary file's writer is taken to be dead."""

KEY_BYTES: Final = 32
FORMAT: Final = 1
HEADER: Final = struct.Struct("<8sII32s32s")
"""Magic, format, kind, key, SHA-256 of the content."""
MAGIC: Final = b"\x7fcvmobj\n"

OBJECT, REFUSAL, TEMPORARY = ".object", ".refusal", ".new"
KINDS: Final = {OBJECT: 1, REFUSAL: 2}
FOLDER: Final = "objects"
OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
READ: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
NOT_OURS: Final = (errno.ELOOP, errno.ENXIO, errno.EACCES)
"""How the attempt to open a symbolic link, a socket or an unreadable file ends; this cache makes none of them."""
DIRECTORY: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)


class Unusable(Exception):
    """This cache cannot be used as it is; the message names the place and the way out. Stays in this module."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its key, bytes on disk with the header, last use in seconds of the epoch, a refusal's reason."""

    key: bytes
    size: int
    last_use: int
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """What one look at the folder tells of a file; `last_use` in nanoseconds of the epoch."""

    name: str
    size: int
    last_use: int


def default_root() -> Path:
    """Where the cache is when nobody says. Raises: Unusable, when this user has no home directory."""
    if named := os.environ.get("CONTRACTVM_CACHE"):
        return Path(named).absolute()
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the specification: a relative path is to be ignored
        return Path(base, "contractvm")
    home = os.path.expanduser("~") if os.environ.get("HOME", "set") else ""
    if not os.path.isabs(home):
        raise Unusable("there is no home directory to keep a cache in; set CONTRACTVM_CACHE to a folder of your own")
    return Path(home, ".cache", "contractvm")


class ObjectCache:
    """Objects and refusals by 32-byte key, in one folder that several processes and threads may use at once."""

    def __init__(self, folder: Path | None = None, limit: int = LIMIT) -> None:
        """`folder` is the cache's root, made when something is first kept; `limit` in bytes, headers counted."""
        self.limit = limit
        self.root: Path | None = None
        self._lost: str | None = None
        self._unseen = int.from_bytes(os.urandom(4), "little") * (limit // LOOKS) >> 32
        """Bytes put in since the folder was looked through. Each process begins somewhere between two looks, so that
        many short ones look as often, together, as a long one."""
        try:
            self.root = default_root() if folder is None else folder.absolute()
        except Unusable as problem:
            self._lost = str(problem)

    @property
    def folder(self) -> Path | None:
        """Where the files are, whether or not it exists yet; None when there is no place for them."""
        return None if self.root is None else self.root.joinpath(FOLDER)

    @property
    def problem(self) -> str | None:
        """Why this cache keeps nothing or finds nothing, in words that name the way out; None when all is well."""
        try:
            with self._open(create=False) as at:
                if not os.access(
                    ".", os.W_OK | os.X_OK, dir_fd=at, effective_ids=os.access in os.supports_effective_ids
                ):
                    return f"{self.folder}: cannot be written; set CONTRACTVM_CACHE to a folder of your own"
        except FileNotFoundError:
            return self._cannot_be_made() or self._lost
        except (Unusable, OSError) as error:
            return self._words(error)
        return self._lost

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self._files())

    def get(self, key: bytes) -> bytes | None:
        """The object kept under `key`; None when there is none that can be trusted."""
        return self._get(key, OBJECT)

    def get_refusal(self, key: bytes) -> str | None:
        """Why the code of this `key` cannot be had natively, when that is known."""
        reason = self._get(key, REFUSAL)
        return None if reason is None else reason.decode("utf-8", "replace")

    def put(self, key: bytes, content: bytes) -> None:
        """Keep an object, in place of what was known of `key`; above the limit the least recently used go."""
        self._put(key, OBJECT, content)

    def put_refusal(self, key: bytes, reason: str) -> None:
        """Remember that the code of this `key` is not to be compiled again, and why. An object that is there stays."""
        self._put(key, REFUSAL, reason.encode("utf-8", "backslashreplace")[:LONGEST_REASON])

    def forget(self, key: bytes) -> None:
        """Remove what is known of `key`."""
        with suppress(Unusable, OSError), self._open(create=False) as at:
            for kind in KINDS:
                remove(at, file_name(key, kind))

    def entries(self) -> list[Entry]:
        """What is kept, the most recently used first. Looking is no use."""
        listed = []
        for file in sorted(self._files(), key=lambda file: (-file.last_use, file.name)):
            stem, kind = os.path.splitext(file.name)
            if kind in KINDS:
                key, reason = bytes.fromhex(stem), None
                if kind == REFUSAL:
                    reason = (self._get(key, REFUSAL, touch=False) or b"").decode("utf-8", "replace")
                listed.append(Entry(key, file.size, file.last_use // 10**9, reason))
        return listed

    def clear(self) -> int:
        """Remove everything; return how many files went."""
        gone = 0
        with suppress(Unusable, OSError), self._open(create=False) as at:
            for file in files_in(at):
                gone += remove(at, file.name)
        return gone

    def _get(self, key: bytes, kind: str, touch: bool = True) -> bytes | None:
        with suppress(Unusable, OSError), self._open(create=False) as at:
            name = file_name(key, kind)
            try:
                descriptor = os.open(name, READ, dir_fd=at)
            except OSError as error:
                if error.errno in NOT_OURS:
                    remove(at, name)
                return None
            try:
                content = checked_content(descriptor, key, kind, self.limit)
                if content is None:
                    remove(at, name)
                elif touch:
                    with suppress(OSError):
                        os.utime(descriptor)
            finally:
                os.close(descriptor)
            return content
        return None

    def _put(self, key: bytes, kind: str, content: bytes) -> None:
        header = HEADER.pack(MAGIC, FORMAT, KINDS[kind], key, sha256(content).digest())
        name = file_name(key, kind)
        if len(header) + len(content) > self.limit:
            return
        try:
            with self._open(create=True) as at:
                written = write(at, name, header, content)
                if kind == OBJECT:
                    remove(at, file_name(key, REFUSAL))
                self._unseen += written.st_size
                if self._unseen > self.limit // LOOKS:
                    self._unseen = 0
                    evict(at, self.limit, name, written)
            self._lost = None
        except FileNotFoundError:  # cleared or removed by another process at this moment: nothing is kept
            return
        except (Unusable, OSError) as error:
            self._lost = self._words(error)

    def _files(self) -> list[File]:
        with suppress(Unusable, OSError), self._open(create=False) as at:
            return list(files_in(at))
        return []

    @contextmanager
    def _open(self, create: bool) -> Iterator[int]:
        """The folder's descriptor, for one operation. Raises: OSError, Unusable."""
        if self.root is None:
            raise Unusable(self._lost)
        if os.open not in os.supports_dir_fd or not hasattr(os, "geteuid"):
            raise Unusable(f"{self.root}: objects are cached on POSIX systems only")
        if create:
            make(self.root)
        outer = os.open(self.root, DIRECTORY)
        try:
            check_folder(outer, self.root)
            if create:
                with suppress(FileExistsError):
                    os.mkdir(FOLDER, 0o700, dir_fd=outer)
            at = os.open(FOLDER, DIRECTORY | os.O_NOFOLLOW, dir_fd=outer)
        finally:
            os.close(outer)
        try:
            check_folder(at, self.root, FOLDER)
            yield at
        finally:
            os.close(at)

    def _cannot_be_made(self) -> str | None:
        """Why a folder that does not exist yet could not be made; it is not tried, looking makes nothing."""
        parent = self.folder
        while parent is not None and parent != parent.parent and not parent.exists():
            parent = parent.parent
        if parent is None or os.access(parent, os.W_OK | os.X_OK):
            return None
        return f"{self.folder}: cannot be made, {parent} is not writable; set CONTRACTVM_CACHE to a folder of your own"

    def _words(self, error: Exception) -> str:
        if isinstance(error, OSError):
            return f"{self.folder}: {error.strerror}; set CONTRACTVM_CACHE to a folder of your own"
        return str(error)


def file_name(key: bytes, kind: str) -> str:
    """Raises: ValueError when `key` is not 32 bytes."""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a cache key is {KEY_BYTES} bytes, not {len(key)}")
    return key.hex() + kind


def make(folder: Path) -> None:
    """Make a folder and its parents, for this user alone. Raises: OSError."""
    if not folder.is_dir():
        if folder.parent != folder:
            make(folder.parent)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)


def check_folder(descriptor: int, root: Path, *below: str) -> None:
    """Raises: Unusable when another user owns the folder or may write to it."""
    found = os.fstat(descriptor)
    if found.st_uid in (os.geteuid(), 0) and not found.st_mode & OTHERS_WRITE:
        return
    path = root.joinpath(*below)
    if found.st_uid not in (os.geteuid(), 0):
        raise Unusable(f"{path}: belongs to another user; set CONTRACTVM_CACHE to a folder of your own")
    raise Unusable(f"{path}: other users may write to it, and code is run from there; chmod go-w {path}")


def checked_content(descriptor: int, key: bytes, kind: str, limit: int) -> bytes | None:
    """What an open file holds behind its header; None when it is not this user's file for this key, whole."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & OTHERS_WRITE:
        return None
    if not HEADER.size <= found.st_size <= max(limit, LIMIT):
        return None
    header = os.read(descriptor, HEADER.size)
    content = os.read(descriptor, found.st_size - HEADER.size)
    expected = HEADER.pack(MAGIC, FORMAT, KINDS[kind], key, sha256(content).digest())
    return content if header == expected else None


def write(at: int, name: str, header: bytes, content: bytes) -> os.stat_result:
    """Write a file aside and rename it; nothing of it stays if that fails. Raises: OSError."""
    aside = f"{os.urandom(16).hex()}{TEMPORARY}"
    descriptor = os.open(aside, WRITE, 0o600, dir_fd=at)
    try:
        with open(descriptor, "wb") as file:
            file.write(header)
            file.write(content)
            file.flush()
            written = os.fstat(descriptor)
        os.replace(aside, name, src_dir_fd=at, dst_dir_fd=at)
    except BaseException:
        remove(at, aside)
        raise
    return written


def remove(at: int, name: str) -> bool:
    """Remove a file, and say whether it went: another process may have been faster."""
    with suppress(OSError):
        os.unlink(name, dir_fd=at)
        return True
    return False


def files_in(at: int) -> Iterator[File]:
    """The cache's own files, temporary ones too. Raises: OSError."""
    with os.scandir(at) as found:
        for entry in found:
            stem, kind = os.path.splitext(entry.name)
            if kind in (OBJECT, REFUSAL, TEMPORARY) and len(stem) in (32, 64) and not stem.strip("0123456789abcdef"):
                with suppress(OSError):
                    state = entry.stat(follow_symlinks=False)
                    yield File(entry.name, state.st_size, state.st_mtime_ns)


def evict(at: int, limit: int, newest: str, written: os.stat_result) -> None:
    """Throw out what was not used longest when the whole is above `limit` bytes, and what dead writers left.

    `newest` stays; its time of writing is the folder's idea of now. Raises: OSError.
    """
    files = []
    for file in files_in(at):
        if not file.name.endswith(TEMPORARY):
            files.append(file)
        elif file.last_use < written.st_mtime_ns - ABANDONED * 10**9:
            remove(at, file.name)
    whole = sum(file.size for file in files)
    if whole <= limit:
        return
    for file in sorted(files, key=lambda file: file.last_use):
        if whole <= limit - limit // SPARE:
            return
        if file.name != newest:
            remove(at, file.name)
            whole -= file.size
