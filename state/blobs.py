"""A log of bytes that a process need not hold in memory: what is old goes to temporary files that have no name.

Bytes are appended, read by place, cut off at the end and forgotten from the start. The youngest are in memory; each
full segment goes to a file of its own, which is gone with the process, however that ends. Nothing here survives it.
One thread appends, cuts and forgets; any thread reads.
"""

import tempfile
import weakref
from threading import Lock
from typing import IO, Final

from state.errors import StoreError, StoreFull

SEGMENT_BYTES: Final = 4 << 20


class BlobLog:
    """Bytes by place; the first place is 0 and places never change.

    Args:
        segment_bytes: how many of the youngest bytes are in memory at most, longer single blobs apart.
    """

    def __init__(self, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._segment_bytes = segment_bytes
        self._files: list[tuple[int, IO[bytes]]] = []  # place of the first byte, and the file
        self._young = bytearray()
        self._start = 0  # place of the first byte in memory
        self._lock = Lock()
        weakref.finalize(self, _close_all, self._files)

    @property
    def end(self) -> int:
        """The place of the next byte."""
        return self._start + len(self._young)

    def append(self, blob: bytes) -> int:
        """Keep a blob and return its place.

        Raises:
            StoreFull: the directory for temporary files has no room; the blob is not kept.
        """
        with self._lock:
            if self._young and len(self._young) + len(blob) > self._segment_bytes:
                self._put_away()
            place = self._start + len(self._young)
            self._young += blob
            return place

    def read(self, place: int, size: int) -> bytes:
        """Return `size` bytes of one blob, which was not cut off or forgotten.

        Raises:
            StoreError: there are not so many bytes; the file was changed by somebody else, or the log is closed.
        """
        with self._lock:
            if place >= self._start:
                at = place - self._start
                found = bytes(self._young[at : at + size])
            else:
                start, file = next(((s, f) for s, f in reversed(self._files) if s <= place), (0, None))
                found = b"" if file is None else _read(file, place - start, size)
        if len(found) != size:
            raise StoreError(f"{size} bytes at {place} of a chain in memory are not there; start the node again")
        return found

    def cut(self, end: int) -> None:
        """Let `end` be the place of the next byte; what was there and behind it is gone."""
        with self._lock:
            while end < self._start and self._files:
                start, file = self._files.pop()
                # Read back rather than written over: all of a file is older than what is in memory.
                self._young = bytearray(_read(file, 0, max(end - start, 0)))
                self._start = start
                file.close()
            del self._young[max(end - self._start, 0) :]

    def forget(self, start: int) -> None:
        """Let go of files that hold only bytes before a place."""
        with self._lock:
            ends = [place for place, _ in self._files[1:]] + [self._start]
            gone = sum(1 for place in ends if place <= start)
            for _, file in self._files[:gone]:
                file.close()
            del self._files[:gone]

    def close(self) -> None:
        """Let go of everything; closing twice is allowed."""
        with self._lock:
            _close_all(self._files)
            self._start, self._young = self._start + len(self._young), bytearray()

    def _put_away(self) -> None:
        try:
            file = tempfile.TemporaryFile(prefix="contractvm-", buffering=0)  # noqa: SIM115 - lives as long as its blobs
            try:
                _write_all(file, self._young)
            except BaseException:
                file.close()
                raise
        except OSError as error:
            raise StoreFull(
                f"{tempfile.gettempdir()}: no room for the blocks of a chain in memory ({error.strerror}); "
                "make room, name another directory in TMPDIR, or keep fewer blocks"
            ) from error
        self._files.append((self._start, file))
        self._start, self._young = self._start + len(self._young), bytearray()


def _close_all(files: list[tuple[int, IO[bytes]]]) -> None:
    for _, file in files:
        file.close()
    files.clear()


def _read(file: IO[bytes], place: int, size: int) -> bytes:
    file.seek(place)
    return file.read(size)


def _write_all(file: IO[bytes], content: bytearray) -> None:
    view = memoryview(content)
    while view:
        written = file.write(view)
        view = view[written:]
