"""`contractvm cache`: what it lists and clears, and what it says where there is no cache to be had."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from contractvm.native.cache import LIMIT, ObjectCache
from tests.contractvm.cli.conftest import Cli

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONTRACTVM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def full(root: Path) -> ObjectCache:
    """A cache with an object used in 2001 and a younger refusal."""
    cache = ObjectCache()
    cache.put(KEY, bytes(5000))
    assert cache.folder is not None
    os.utime(cache.folder / f"{KEY.hex()}.object", (1_000_000_000, 1_000_000_000))
    cache.put_refusal(OTHER, "compilation took\nmore than 30 s")
    return cache


def test_looking_makes_nothing(cli: Cli, root: Path) -> None:
    assert "0 objects" in cli("cache").out
    assert cli("cache", "path").out.strip() == str(root / "objects")
    assert cli("cache", "path", "--json").json == {"folder": str(root / "objects")}
    assert cli("cache", "clear", "--json").json == {"files": 0, "bytes": 0}
    assert not root.exists()


def test_listed_for_people(cli: Cli, full: ObjectCache) -> None:
    shown = cli("cache")
    assert shown.code == 0 and shown.err == ""
    header, refusal, kept, _, folder, size = shown.out.splitlines()
    assert header.split() == ["last", "used", "bytes", "key"]
    assert OTHER.hex()[:16] in refusal and refusal.endswith("refused: compilation took more than 30 s")
    assert KEY.hex()[:16] in kept and "5,080" in kept and "2001-09-0" in kept
    assert folder == f"folder  {full.folder}"
    assert size.startswith(f"size    {full.size:,} bytes of {LIMIT:,}, 1 objects, 1 refusals")
    assert cli("cache", "list") == shown


def test_listed_for_programs(cli: Cli, full: ObjectCache) -> None:
    listed = cli("cache", "--json").json
    assert listed["bytes"] == full.size and listed["limit"] == LIMIT and listed["problem"] is None
    refusal, kept = listed["entries"]
    assert kept == {"key": "0x" + KEY.hex(), "bytes": 5080, "lastUse": 1_000_000_000, "refused": None}
    assert refusal["refused"] == "compilation took\nmore than 30 s"
    assert cli("cache", "-q").out.split() == [OTHER.hex(), KEY.hex()]


def test_clearing_says_what_went(cli: Cli, full: ObjectCache) -> None:
    size = full.size
    assert cli("cache", "clear").out == f"2 files removed, {size:,} bytes\n"
    assert full.entries() == [] and cli("cache", "clear").out == "0 files removed, 0 bytes\n"
    full.put(KEY, b"x")
    assert cli("cache", "clear", "-q").out == "1\n"


def test_a_folder_that_others_may_write_to(cli: Cli, full: ObjectCache) -> None:
    assert full.folder is not None
    full.folder.chmod(0o777)
    listed = cli("cache")
    assert listed.code == 0 and "warning: " in listed.err and "chmod go-w" in listed.err
    cli("cache", "clear").failed("not cleared", "chmod go-w")
    assert len(list(full.folder.iterdir())) == 2


def test_without_a_place(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTRACTVM_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "")
    assert "CONTRACTVM_CACHE" in cli("cache").err
    cli("cache", "path").failed("no home directory", "CONTRACTVM_CACHE")
    assert cli("cache", "--json").json["folder"] is None
    assert cli("cache", "clear").code == 0


def test_another_word(cli: Cli, root: Path) -> None:
    cli("cache", "purge").failed("purge", "clear", code=2)
