"""What can go wrong between the state and the disk that keeps it.

Four situations a person can act on, each its own class; every message names the path and the way out. Nothing here
is ever raised for what a contract or a transaction did: those never reach the disk (design, section 9: `Fatal` is for
our bugs and broken disks).
"""


class StoreError(Exception):
    """The store cannot serve. Its subclasses say why; the message names the path and what to do."""


class StoreLocked(StoreError):
    """Another process (or another open handle in this one) holds the data directory."""


class StoreCorrupt(StoreError):
    """The bytes on disk are not what was written: a checksum, a missing file, a record that does not parse."""


class StoreForeign(StoreError):
    """The directory is not ours, or is of another backend or format version. Nothing in it was touched."""


class StoreFull(StoreError):
    """A write did not reach the disk (no space, file-size limit, I/O error). The batch is not in the store."""


DISK_REASONS = (
    "Disk quota exceeded",
    "File too large",
    "Input/output error",
    "No space left on device",
    "Permission denied",
    "Read-only file system",
    "Too many open files",
)
"""What the system says when the disk or the process refuses, as opposed to a file that is not what it should be.

The databases' errors carry the system's words and not its number.
"""
