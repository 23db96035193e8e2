"""The seal: what a database's logs and manifest were when it was closed, so that opening notices what was lost since.

LevelDB and RocksDB keep young records in a log alone. A log that was deleted, emptied or cut at a record's end looks to
them like one that was never written: they open without a word on an older state, or on none, and tidy the rest away;
RocksDB takes the end of a manifest so as well. So closing notes the length and CRC-32 of these files in a file beside
the database, and opening compares, before the database is touched. A killed process leaves no new seal; then only the
absence of every log is found here, because at least one exists from the first opening on.

Never: guards against malice, which could write a seal too, or repairs anything.
"""

import json
import os
import zlib
from pathlib import Path

from state.errors import StoreCorrupt

_CHUNK = 1 << 20


def check(database: Path, seal: Path) -> None:
    """Compare the folder `database` with the file `seal`, where there is one that is about it.

    Raises: StoreCorrupt, naming the file that is gone or is not what it was.
    """
    if not any(database.glob("*.log")):
        raise StoreCorrupt(f"{database}: files are missing, it has no log (*.log); restore a copy of it")
    for name, was in _read(database, seal).items():
        file = database / name
        now = _of(file) if file.is_file() else None
        if now != was:
            what = "is gone" if now is None else f"had {was[0]} bytes when it was closed, and other ones than now"
            raise StoreCorrupt(
                f"{file}: {what}; restore a copy of it, or remove {seal} to go on with what is left, if anything"
            )


def write(database: Path, seal: Path) -> None:
    """Note what the files of a closed database are. Raises: OSError; then an older seal is about other files."""
    current = _current(database)
    files = [database / current, *database.glob("*.log")]
    facts = {"current": current, "files": {file.name: _of(file) for file in files}}
    aside = seal.with_name(seal.name + ".new")
    aside.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    os.replace(aside, seal)


def _read(database: Path, seal: Path) -> dict[str, list[int]]:
    """The files that are sealed; none when the database was opened since, which gives it another manifest."""
    try:
        facts = json.loads(seal.read_bytes())
        current = _current(database)
    except (OSError, ValueError):  # no seal, or one that a power cut left without its bytes
        return {}
    if not isinstance(facts, dict) or facts.get("current") != current or not isinstance(facts.get("files"), dict):
        return {}
    return dict(facts["files"])


def _current(database: Path) -> str:
    """The name of the manifest in force; every opening writes a new one."""
    return (database / "CURRENT").read_bytes().decode("latin-1").strip()


def _of(file: Path) -> list[int]:
    """Length in bytes and CRC-32."""
    length = crc = 0
    with file.open("rb") as content:
        while chunk := content.read(_CHUNK):
            length += len(chunk)
            crc = zlib.crc32(chunk, crc)
    return [length, crc]
