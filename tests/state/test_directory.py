"""The data directory: what it refuses, what it completes, and that it is held by one process at a time."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from state import directory
from state.directory import DirectoryStore, default_backend, open_store
from state.errors import StoreCorrupt, StoreError, StoreForeign, StoreFull, StoreLocked
from tests.sources import ROOT
from tests.state.support import DISK_BACKENDS, need


@pytest.fixture(params=DISK_BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    need(request.param)
    return str(request.param)


def listing(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def identity(folder: Path, **changes: object) -> None:
    """Change facts in the identity file of `folder`."""
    file = folder / "IDENTITY"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def copy_as_killed(folder: Path, copy: Path) -> None:
    """Copy an open directory as a killed process leaves it; once more if the database tidied up meanwhile."""
    for _ in range(100):
        shutil.rmtree(copy, ignore_errors=True)
        with suppress(shutil.Error, FileNotFoundError):
            before = sorted((path.name, path.stat().st_size) for path in (folder / "db").iterdir())
            shutil.copytree(folder, copy)
            if sorted((path.name, path.stat().st_size) for path in (folder / "db").iterdir()) == before:
                return
    raise AssertionError(f"{folder} does not come to rest")


def test_a_new_directory_is_made_with_its_parents_and_kept(tmp_path: Path, backend: str) -> None:
    folder = tmp_path / "some" / "where"
    with open_store(folder, create=True, backend=backend) as store:
        assert store.backend == backend
        store.write({b"k": b"v"}, sync=True)
        assert [key for key, _ in store.iterate(b"", None)] == list(store.keys(b"", None)) == [b"k"]
    assert sorted(path.name for path in folder.iterdir()) == ["IDENTITY", "LOCK", "SEAL", "db"]
    with open_store(folder, create=False) as store:
        assert (store.backend, store.get(b"k")) == (backend, b"v")
        assert store.snapshot().get(b"k") == b"v"


def test_a_new_directory_takes_leveldb_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "find_spec", lambda module: module if module == "rocksdict" else None)
    assert default_backend() == "rocksdb"
    monkeypatch.setattr(directory, "find_spec", lambda module: module)
    assert default_backend() == "leveldb"
    monkeypatch.setattr(directory, "find_spec", lambda module: None)
    with pytest.raises(StoreError, match="install plyvel"):
        default_backend()


def test_an_existing_directory_keeps_its_backend(tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(tmp_path, create=True, backend=backend).close()
    other = next(name for name in DISK_BACKENDS if name != backend)
    before = listing(tmp_path)
    with pytest.raises(StoreForeign, match=f"kept by {backend}, not {other}"):
        open_store(tmp_path, create=True, backend=other)
    monkeypatch.setattr(directory, "find_spec", lambda module: None)
    with pytest.raises(StoreForeign, match=f"kept by {backend}, but .* is not installed here; install it"):
        open_store(tmp_path, create=False)
    assert listing(tmp_path) == before


def test_an_unknown_backend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreForeign, match="no backend is named 'sqlite'; choose leveldb or rocksdb"):
        open_store(tmp_path, create=True, backend="sqlite")


def test_without_create_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreForeign, match="there is no such data directory"):
        open_store(tmp_path / "none", create=False)
    with pytest.raises(StoreForeign, match="there is no data directory in it"):
        open_store(tmp_path, create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_is_not_utf_8(tmp_path: Path) -> None:
    with pytest.raises(StoreForeign, match="udcff': the path is not UTF-8"):
        open_store(tmp_path / "chain\udcff", create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", [["notes.txt"], ["LOCK", "db"], ["IDENTITY.new", "CURRENT"]])
def test_a_foreign_directory_is_left_as_it_was(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("mine")
    before = listing(tmp_path)
    stranger = sorted(set(names) - {"LOCK", "IDENTITY.new"})[0]
    for create in (False, True):
        with pytest.raises(StoreForeign, match=f"not a contractvm data directory, it holds {stranger}"):
            open_store(tmp_path, create=create)
    assert listing(tmp_path) == before


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreForeign, match="cannot be read as a directory"):
        open_store(tmp_path / "file", create=True)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", StoreCorrupt, "it is no JSON"),
        ('{"what": "contractvm data dir', StoreCorrupt, "it is no JSON"),
        ("\xff\xfe", StoreCorrupt, "it is no JSON"),
        ("[]", StoreForeign, "not the identity"),
        ('{"what": "something else", "format": 1}', StoreForeign, "not the identity"),
    ],
)
def test_a_damaged_identity_is_named_and_kept(
    tmp_path: Path, text: str, error: type[StoreError], message: str, backend: str
) -> None:
    open_store(tmp_path, create=True, backend=backend).close()
    (tmp_path / "IDENTITY").write_bytes(text.encode("latin-1"))
    before = listing(tmp_path)
    with pytest.raises(error, match=f"{tmp_path}/IDENTITY: .*{message}"):
        open_store(tmp_path, create=True)
    assert listing(tmp_path) == before


def test_another_format_is_refused(tmp_path: Path, backend: str) -> None:
    open_store(tmp_path, create=True, backend=backend).close()
    for version in (2, 0, "1", None):
        identity(tmp_path, format=version)
        with pytest.raises(StoreForeign, match=f"format {version!r}, this version reads 1"):
            open_store(tmp_path, create=True)
    identity(tmp_path, format=1, backend="sqlite", stage="ready")
    with pytest.raises(StoreCorrupt, match="backend 'sqlite' and stage 'ready' make no sense"):
        open_store(tmp_path, create=True)


def test_a_directory_that_was_cut_short_in_the_making_is_completed(tmp_path: Path, backend: str) -> None:
    """Each state that a killed process can leave between the first file and the last."""
    made = tmp_path / "made"
    with open_store(made, create=True, backend=backend) as store:
        store.write({b"k": b"v"})
    ready = (made / "IDENTITY").read_text()
    creating = ready.replace("ready", "creating")
    stages: dict[str, dict[str, str]] = {
        "empty": {},
        "locked": {"LOCK": ""},
        "aside": {"LOCK": "", "IDENTITY.new": creating[:9]},
        "named": {"LOCK": "", "IDENTITY": creating},
        "opened": {"LOCK": "", "IDENTITY": creating, "IDENTITY.new": ready[:5]},
    }
    for stage, files in stages.items():
        folder = tmp_path / stage
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        with open_store(
            folder, create="IDENTITY" not in files, backend=None if "IDENTITY" in files else backend
        ) as store:
            store.write({b"k": b"v"})
        assert (folder / "IDENTITY").read_text() == ready
        with open_store(folder, create=False) as store:
            assert store.get(b"k") == b"v"


def test_a_ready_directory_without_its_database_is_damage(tmp_path: Path, backend: str) -> None:
    with open_store(tmp_path, create=True, backend=backend) as store:
        store.write({b"k": b"v"}, sync=True)
    (tmp_path / "db" / "CURRENT").unlink()
    with pytest.raises(StoreCorrupt, match=f"{tmp_path}/db: files are missing"):
        open_store(tmp_path, create=True)
    for file in (tmp_path / "db").iterdir():
        file.unlink()
    (tmp_path / "db").rmdir()
    with pytest.raises(StoreCorrupt, match="the database is gone"):
        open_store(tmp_path, create=True)
    assert not (tmp_path / "db").exists()


def test_a_directory_is_ready_from_its_first_write_on(tmp_path: Path, backend: str) -> None:
    """Killed before it, the next one starts over; emptied after it, what was there has been lost."""
    for _ in range(2):
        with open_store(tmp_path, create=True, backend=backend) as store:
            assert '"creating"' in (tmp_path / "IDENTITY").read_text()
    with open_store(tmp_path, create=True) as store:
        store.write({b"k": b"v"})
        assert '"ready"' in (tmp_path / "IDENTITY").read_text()
        store.write({b"k": None})
    for _ in range(2):
        with pytest.raises(StoreCorrupt, match=f"{tmp_path}/db: it held records and holds none"):
            open_store(tmp_path, create=True)


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "zeros"])
def test_a_log_that_lost_records_since_it_was_closed_is_found(tmp_path: Path, backend: str, damage: str) -> None:
    """The databases take such a log for a shorter history, and would open on it without a word."""
    for number in range(3):
        with open_store(tmp_path, create=True, backend=backend) as store:
            for part in range(20):
                store.write({b"%d-%d" % (number, part): bytes(1000)}, sync=True)
    log = max((tmp_path / "db").glob("*.log"), key=lambda path: path.stat().st_size)
    content = log.read_bytes()
    if backend == "rocksdb" and damage != "gone":
        assert content == b"", "closing it leaves nothing in a log that could be lost"
        return
    log.unlink()
    if damage != "gone":
        log.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "zeros": bytes(len(content))}[damage])
    before = listing(tmp_path)
    with pytest.raises(StoreCorrupt, match=f"{tmp_path}/db.*(is gone|other ones than now|no log)"):
        open_store(tmp_path, create=True)
    assert listing(tmp_path) == before
    if damage == "gone":
        return
    (tmp_path / "SEAL").unlink()  # what the message offers
    with open_store(tmp_path, create=False) as store:
        assert store.get(b"0-0") is not None
        assert store.get(b"2-19") is None


@pytest.mark.parametrize("pattern", ["*.ldb", "*.sst", "MANIFEST-*"])
@pytest.mark.parametrize("damage", ["empty", "folder", "loop"])
def test_a_file_that_became_something_else_is_damage_and_not_a_full_disk(
    tmp_path: Path, backend: str, pattern: str, damage: str
) -> None:
    for number in range(2):
        with open_store(tmp_path, create=True, backend=backend) as store:
            store.write({b"%d" % number: bytes(1000)}, sync=True)
    found = list((tmp_path / "db").glob(pattern))
    if not found:
        assert pattern != "MANIFEST-*", "each backend has tables of its own name"
        return
    found[0].unlink()
    if damage == "empty":
        found[0].touch()
    elif damage == "folder":
        found[0].mkdir()
    else:
        found[0].symlink_to(found[0].name)
    with pytest.raises(StoreCorrupt, match=f"{tmp_path}/db"), open_store(tmp_path, create=False) as store:
        list(store.iterate(b"", None))


def test_a_seal_is_about_the_closing_it_was_made_at(tmp_path: Path, backend: str) -> None:
    """Opened again and killed, the logs are others; and a seal without its bytes, as a power cut leaves it, is none."""
    with open_store(tmp_path / "a", create=True, backend=backend) as store:
        store.write({b"a": b"1"}, sync=True)
    for _ in range(3):
        with open_store(tmp_path / "a", create=False) as store:
            store.write({b"b": bytes(5000)}, sync=True)
            copy_as_killed(tmp_path / "a", tmp_path / "b")
        with open_store(tmp_path / "b", create=False) as store:
            assert store.get(b"b") == bytes(5000)
    (tmp_path / "a" / "SEAL").write_bytes(b"")
    with open_store(tmp_path / "a", create=False) as store:
        assert store.get(b"a") == b"1"


@pytest.mark.parametrize("pattern", ["MANIFEST-*", "CURRENT", "*.log"])
def test_damaged_database_files_are_named(tmp_path: Path, backend: str, pattern: str) -> None:
    copy = tmp_path / "copy"
    with open_store(tmp_path / "open", create=True, backend=backend) as store:
        for number in range(50):
            store.write({b"%d" % number: bytes(2000)}, sync=True)
        copy_as_killed(tmp_path / "open", copy)
    file = max((copy / "db").glob(pattern), key=lambda path: path.stat().st_size)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    for at in range(middle, min(middle + 8, len(content))):
        content[at] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=f"{copy}/db: (damaged|files are missing)"):
        open_store(copy, create=False)


def test_one_flipped_bit_of_a_value_is_found_when_it_is_read(tmp_path: Path, backend: str) -> None:
    value = os.urandom(100)
    with open_store(tmp_path, create=True, backend=backend) as store:
        store.write({b"key": value})
        for number in range(100):
            store.write({b"%d" % number: os.urandom(100_000)})  # enough for the key to leave the log for a table
    open_store(tmp_path, create=False).close()  # closing may cut that short; opening finishes it
    tables = [path for path in (tmp_path / "db").iterdir() if path.suffix in (".ldb", ".sst")]
    tables = [path for path in tables if value in path.read_bytes()]
    assert len(tables) == 1
    content = bytearray(tables[0].read_bytes())
    content[content.index(value) + 50] ^= 1
    tables[0].write_bytes(content)
    store = open_store(tmp_path, create=False)
    try:
        for read in (lambda: store.get(b"key"), lambda: list(store.iterate(b"key", b"kez")), lambda: copied(store)):
            with pytest.raises(StoreCorrupt, match=f"{tmp_path}/db: damaged"):
                read()
    finally:
        with suppress(StoreCorrupt):  # RocksDB may come upon it once more while it tidies up
            store.close()


def copied(store: DirectoryStore) -> bytes | None:
    """The value, through a snapshot."""
    return store.snapshot().get(b"key")


def test_a_damaged_table_is_found_when_it_is_read(tmp_path: Path, backend: str) -> None:
    with open_store(tmp_path, create=True, backend=backend) as store:
        for number in range(40):
            store.write({b"%d-%d" % (number, i): os.urandom(5000) for i in range(100)})
    tables = [path for path in (tmp_path / "db").iterdir() if path.suffix in (".ldb", ".sst")]
    assert tables
    for table in tables:
        content = bytearray(table.read_bytes())
        for at in range(1000, len(content) - 20_000, 3000):
            content[at] ^= 0xFF
        table.write_bytes(content)
    with pytest.raises(StoreCorrupt, match=f"{tmp_path}/db: damaged"), open_store(tmp_path, create=False) as store:
        for number in range(40):
            for i in range(100):
                store.get(b"%d-%d" % (number, i))
    with pytest.raises(StoreCorrupt, match=f"{tmp_path}/db: damaged"), open_store(tmp_path, create=False) as store:
        list(store.iterate(b"", None))


HOLDER = """
import sys
from state.directory import open_store
with open_store(sys.argv[1], create=False) as store:
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_refused(tmp_path: Path, backend: str) -> None:
    with open_store(tmp_path, create=True, backend=backend) as store:
        store.write({b"k": b"v"})
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    holder = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        before = listing(tmp_path)
        for _ in range(3):
            with pytest.raises(StoreLocked, match=f"{tmp_path}: in use by another process; stop it"):
                open_store(tmp_path, create=True)
        assert listing(tmp_path) == before
    finally:
        holder.communicate("")
    with open_store(tmp_path, create=False) as store:
        assert store.get(b"k") == b"v"


def test_a_refused_second_opening_here_does_not_let_another_process_in(tmp_path: Path, backend: str) -> None:
    """POSIX drops a process's locks on a file when it closes any descriptor of it; LevelDB's own lock is lost so."""
    with open_store(tmp_path, create=True, backend=backend):
        with pytest.raises(StoreLocked):
            open_store(tmp_path, create=False)
        other = subprocess.run(
            [sys.executable, "-c", HOLDER, str(tmp_path)],
            cwd=ROOT,
            input="",
            capture_output=True,
            text=True,
            check=False,
        )
        assert "StoreLocked" in other.stderr
        assert other.stdout == ""
    open_store(tmp_path, create=False).close()


def test_a_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    def full(_: object, __: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(StoreFull, match=r"cannot be written \(No space left on device\)"):
        open_store(tmp_path / "new", create=True, backend=backend)
    monkeypatch.undo()
    with open_store(tmp_path / "new", create=True, backend=backend) as store:
        store.write({b"k": b"v"})
