"""The object cache: what is kept comes back whole, what is not trusted does not, whatever others do to the folder."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from contractvm.native import cache as module
from contractvm.native.cache import ABANDONED, HEADER, Entry, ObjectCache
from tests.sources import ROOT

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))
CONTENT = b"object code " * 100


@pytest.fixture
def cache(tmp_path: Path) -> ObjectCache:
    return ObjectCache(tmp_path / "root")


def file_of(cache: ObjectCache, key: bytes = KEY, kind: str = ".object") -> Path:
    assert cache.folder is not None
    return cache.folder / f"{key.hex()}{kind}"


def keys(cache: ObjectCache) -> list[bytes]:
    return [entry.key for entry in cache.entries()]


def test_what_was_put_comes_back(cache: ObjectCache) -> None:
    assert cache.get(KEY) is None and cache.entries() == [] and cache.size == 0
    assert cache.root is not None and not cache.root.exists(), "looking makes nothing"
    cache.put(KEY, CONTENT)
    cache.put(OTHER, b"")
    assert cache.get(KEY) == CONTENT and cache.get(OTHER) == b""
    assert ObjectCache(cache.root).get(KEY) == CONTENT
    assert cache.size == len(CONTENT) + 2 * HEADER.size
    cache.put(KEY, b"newer")
    assert cache.get(KEY) == b"newer" and cache.problem is None
    cache.forget(KEY)
    cache.forget(KEY)
    assert cache.get(KEY) is None and keys(cache) == [OTHER]


def test_only_this_user_may_enter(cache: ObjectCache) -> None:
    before = os.umask(0)
    try:
        cache.put(KEY, CONTENT)
    finally:
        os.umask(before)
    assert cache.root is not None and cache.folder is not None
    for path, mode in ((cache.root, 0o700), (cache.folder, 0o700), (file_of(cache), 0o600)):
        assert stat.S_IMODE(path.stat().st_mode) == mode, path


def test_a_refusal_is_remembered_until_there_is_an_object(cache: ObjectCache) -> None:
    assert cache.get_refusal(KEY) is None
    cache.put_refusal(KEY, "compiling took more than 30 s")
    assert cache.get_refusal(KEY) == "compiling took more than 30 s" and cache.get(KEY) is None
    [entry] = cache.entries()
    assert entry.refusal == "compiling took more than 30 s" and entry.key == KEY
    cache.put(KEY, CONTENT)
    assert cache.get_refusal(KEY) is None and cache.get(KEY) == CONTENT
    cache.put_refusal(KEY, "x" * 100_000)
    assert cache.get(KEY) == CONTENT, "a compile that overran elsewhere costs no object"
    assert len(cache.get_refusal(KEY) or "") == module.LONGEST_REASON
    cache.forget(KEY)
    assert cache.entries() == []


def test_a_key_has_32_bytes(cache: ObjectCache) -> None:
    cache.put(KEY, CONTENT)
    for wrong in (b"", KEY[:31], KEY + b"\0"):
        with pytest.raises(ValueError, match="32 bytes"):
            cache.get(wrong)


def test_every_damaged_byte_and_every_length_is_found(cache: ObjectCache) -> None:
    cache.put(KEY, b"content")
    path = file_of(cache)
    whole = path.read_bytes()
    damaged = [whole[:i] + bytes([byte ^ 1]) + whole[i + 1 :] for i, byte in enumerate(whole)]
    damaged += [whole[:length] for length in range(len(whole))] + [whole + b"\0", b""]
    for content in damaged:
        path.write_bytes(content)
        path.chmod(0o600)
        assert cache.get(KEY) is None
        assert not path.exists(), "what cannot be used is removed"
    cache.put(KEY, b"content")
    assert cache.get(KEY) == b"content"


def test_a_file_of_another_key_or_kind_is_not_taken(cache: ObjectCache) -> None:
    cache.put(KEY, CONTENT)
    file_of(cache).rename(file_of(cache, OTHER))
    assert cache.get(OTHER) is None
    cache.put_refusal(KEY, "no")
    file_of(cache, kind=".refusal").rename(file_of(cache))
    assert cache.get(KEY) is None and cache.entries() == []


def be_a_link(path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def be_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def be_a_socket(path: Path) -> None:
    path.unlink()
    before = Path.cwd()
    os.chdir(path.parent)  # the name alone, since a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(before)


def be_writable_by(who: int) -> Callable[[Path], None]:
    return lambda path: path.chmod(0o600 | who)


@pytest.mark.parametrize(
    "spoil",
    [be_a_link, be_a_pipe, be_a_socket, be_writable_by(0o020), be_writable_by(0o002)],
    ids=["link", "pipe", "socket", "group", "world"],
)
def test_what_another_user_could_have_written_is_refused_and_removed(
    cache: ObjectCache, spoil: Callable[[Path], None]
) -> None:
    cache.put(KEY, CONTENT)
    spoil(file_of(cache))
    assert cache.get(KEY) is None
    assert not os.path.lexists(file_of(cache))
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) == CONTENT


def test_another_users_file_in_our_folder(cache: ObjectCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(KEY, CONTENT)
    real = os.fstat

    def as_if_not_ours(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return found
        fields = list(found)
        fields[stat.ST_UID] += 1
        return os.stat_result(fields)

    monkeypatch.setattr(os, "fstat", as_if_not_ours)
    assert cache.get(KEY) is None
    monkeypatch.undo()
    assert not file_of(cache).exists()


def test_a_folder_in_its_place_only_costs_that_entry(cache: ObjectCache) -> None:
    cache.put(OTHER, CONTENT)
    file_of(cache).mkdir()
    assert cache.get(KEY) is None
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) is None and cache.get(OTHER) == CONTENT
    assert "directory" in (cache.problem or "")


@pytest.mark.parametrize("which", ["root", "objects"])
def test_a_folder_others_may_write_to_is_not_used(cache: ObjectCache, which: str) -> None:
    cache.put(KEY, CONTENT)
    assert cache.root is not None and cache.folder is not None
    folder = cache.root if which == "root" else cache.folder
    folder.chmod(0o777)
    assert cache.get(KEY) is None and cache.entries() == [] and cache.clear() == 0
    assert f"chmod go-w {folder}" in (cache.problem or "")
    cache.put(OTHER, CONTENT)
    folder.chmod(0o700)
    assert keys(cache) == [KEY] and cache.get(KEY) == CONTENT


def test_a_folder_of_another_user_is_not_used(cache: ObjectCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(KEY, CONTENT)
    owner = os.stat(file_of(cache)).st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1000)
    assert cache.get(KEY) is None
    if owner:
        assert "another user" in (cache.problem or "")
    monkeypatch.undo()


def test_objects_behind_a_link_are_not_used(cache: ObjectCache, tmp_path: Path) -> None:
    cache.put(KEY, CONTENT)
    assert cache.folder is not None
    cache.folder.rename(tmp_path / "elsewhere")
    cache.folder.symlink_to(tmp_path / "elsewhere")
    assert cache.get(KEY) is None and cache.problem is not None
    cache.put(OTHER, CONTENT)
    assert len(list((tmp_path / "elsewhere").iterdir())) == 1


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        cache = ObjectCache(root)
        cache.put(KEY, CONTENT)
        assert cache.get(KEY) is None and cache.entries() == [] and cache.clear() == 0
        assert "CONTRACTVM_CACHE" in (cache.problem or "")


def test_a_disk_that_fails_keeps_nothing(cache: ObjectCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same way for a full disk, a quota and a read-only one."""
    cache.put(KEY, CONTENT)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    cache.put(OTHER, CONTENT)
    monkeypatch.undo()
    assert "No space left" in (cache.problem or "")
    assert cache.folder is not None and len(list(cache.folder.iterdir())) == 1, "nothing half-written stays"
    assert cache.get(KEY) == CONTENT and cache.get(OTHER) is None
    cache.put(OTHER, CONTENT)
    assert cache.get(OTHER) == CONTENT and cache.problem is None


UNPRIVILEGED = """
import os, sys
from contractvm.native.cache import ObjectCache
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
cache = ObjectCache()
cache.put(bytes(32), b"x")
cache.put_refusal(bytes(32), "x")
print([cache.get(bytes(32)), cache.get_refusal(bytes(32)), cache.entries(), cache.clear(), cache.size])
print(cache.problem)
"""


@pytest.mark.parametrize("case", ["read-only", "no home", "empty home", "no absolute home"])
def test_without_a_place_it_works_as_absent(case: str, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o555)
    environment = {
        "read-only": {"XDG_CACHE_HOME": str(tmp_path / "locked")},
        "no home": {"HOME": str(tmp_path / "locked" / "gone")},
        "empty home": {"HOME": ""},
        "no absolute home": {"HOME": "relative"},
    }[case]
    environment |= {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    found, problem = done.stdout.splitlines()
    assert found == "[None, None, [], 0, 0]"
    assert "CONTRACTVM_CACHE" in problem


@pytest.mark.parametrize(
    ("environment", "root"),
    [
        ({"CONTRACTVM_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"CONTRACTVM_CACHE": "", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/contractvm"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/c"}, "/c/.cache/contractvm"),
        ({"HOME": "/c"}, "/c/.cache/contractvm"),
    ],
)
def test_where_it_is(environment: dict[str, str], root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTRACTVM_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ObjectCache().folder == Path(root, "objects")


def aged(cache: ObjectCache, key: bytes, seconds: int, kind: str = ".object") -> None:
    """Make a file that much older."""
    path = file_of(cache, key, kind)
    when = path.stat().st_mtime - seconds
    os.utime(path, (when, when))


def numbered(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    size = 1000
    cache = ObjectCache(tmp_path, limit=10 * (size + HEADER.size))
    for number in range(10):
        cache.put(numbered(number), bytes(size))
        aged(cache, numbered(number), 100 - number)
    assert len(cache.entries()) == 10
    assert cache.get(numbered(0)) is not None, "a hit makes it the youngest"
    cache.put(numbered(10), bytes(size))
    left = set(keys(cache))
    assert {numbered(0), numbered(10)} <= left and numbered(1) not in left
    assert cache.size <= cache.limit and len(left) >= 8
    assert keys(cache)[-1] == min(left - {numbered(0)}), "oldest last"


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path, limit=1000)
    cache.put(KEY, bytes(1000 - HEADER.size))
    cache.put(OTHER, bytes(1001 - HEADER.size))
    assert keys(cache) == [KEY]


def test_leftovers_of_dead_writers_go(cache: ObjectCache) -> None:
    cache.put(KEY, CONTENT)
    assert cache.folder is not None
    dead, alive = cache.folder / f"{'0' * 32}.new", cache.folder / f"{'1' * 32}.new"
    for path, age in ((dead, ABANDONED + 10), (alive, ABANDONED - 100)):
        path.write_bytes(b"half")
        when = path.stat().st_mtime - age
        os.utime(path, (when, when))
    ObjectCache(cache.root, limit=64 * HEADER.size).put(OTHER, CONTENT)
    assert not dead.exists() and alive.exists()
    assert sorted(keys(cache)) == [KEY, OTHER]
    assert cache.clear() == 3 and not alive.exists()


def test_clearing_touches_nothing_of_others(cache: ObjectCache) -> None:
    cache.put(KEY, CONTENT)
    cache.put_refusal(OTHER, "no")
    assert cache.folder is not None
    strangers = [cache.folder / name for name in ("notes.txt", "x.object", f"{'A' * 64}.object", f"{'0' * 64}.o")]
    for path in strangers:
        path.touch()
    assert cache.clear() == 2 and cache.entries() == []
    assert all(path.exists() for path in strangers)


def test_looking_is_no_use(cache: ObjectCache) -> None:
    cache.put(KEY, CONTENT)
    cache.put_refusal(OTHER, "no")
    aged(cache, KEY, 100)
    aged(cache, OTHER, 50, ".refusal")
    first = cache.entries()
    assert cache.entries() == first and [entry.key for entry in first] == [OTHER, KEY]
    assert isinstance(first[0], Entry) and first[0].last_use - first[1].last_use in (49, 50, 51)


MANY = """
import sys
from hashlib import sha256
from pathlib import Path
from contractvm.native.cache import ObjectCache
root, seed = Path(sys.argv[1]), int(sys.argv[2])
cache = ObjectCache(root, limit=40_000)
hits = 0
for step in range(400):
    key = ((seed + step) * 7 % 23).to_bytes(32, "big")
    content = key * (10 + key[-1] * 10)
    found = cache.get(key)
    assert found is None or found == content
    hits += found is not None
    cache.put(key, content)
    if step % 37 == seed:
        cache.put_refusal(key, "no")
        assert cache.get_refusal(key) in (None, "no")
        cache.entries()
    if step % 151 == seed:
        cache.clear()
    if step % 11 == seed:
        cache.forget(key)
assert hits and cache.problem is None, (hits, cache.problem)
"""


def test_many_processes_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MANY, str(tmp_path / "new" / "root")]
    running = [
        subprocess.Popen([*command, str(seed)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for seed in range(6)
    ]
    for process in running:
        said, _ = process.communicate()
        assert process.returncode == 0, said
    cache = ObjectCache(tmp_path / "new" / "root")
    assert cache.size <= 40_000 and cache.folder is not None
    assert not list(cache.folder.glob("*.new"))


def test_nothing_stays_open(cache: ObjectCache) -> None:
    cache.put(KEY, CONTENT)
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        cache.get(KEY)
        cache.get(OTHER)
        cache.put(KEY, CONTENT)
        cache.entries()
        assert cache.problem is None
    assert len(os.listdir("/dev/fd")) == before


def test_the_folder_is_looked_through_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for a part of the limit that is put in, by one process or, on the whole, by many."""
    looks: list[str] = []
    monkeypatch.setattr(module, "evict", lambda at, limit, name, written: looks.append(name))
    content, each = bytes(1_000 - HEADER.size), 1_000
    limit = 64 * 20 * each
    one = ObjectCache(tmp_path / "one", limit)
    for n in range(210):
        one.put(n.to_bytes(32, "big"), content)
    assert 9 <= len(looks) <= 11
    looks.clear()
    for n in range(400):
        ObjectCache(tmp_path / "many", limit).put(n.to_bytes(32, "big"), content)
    assert 1 <= len(looks) <= 60, "a twentieth of them, by chance"
