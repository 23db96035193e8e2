"""Determinism: one history has the same outcomes, gas, logs and roots in every process, tier, store and Python.

The history is `tests/determinism/scenario.py`; each variant runs it in a process of its own and must print, line for
line, what this Python prints on the memory store. 1,024 nested contract calls are its last step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contractvm.machine import Status
from tests.determinism.pythons import MINORS, Unavailable, environment
from tests.determinism.scenario import STEPS
from tests.sources import ROOT
from tests.tiers import NATIVE, each_tier

SOURCE = ROOT / "tests/determinism/everything.wat"
STORES = {"leveldb": "plyvel", "rocksdb": "rocksdict"}
Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wasmtime = pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    path = tmp_path_factory.mktemp("code") / "everything.wasm"
    path.write_bytes(bytes(wasmtime.wat2wasm(SOURCE.read_text(encoding="utf-8"))))
    return path


@pytest.fixture(scope="module")
def tell(code: Path) -> Callable[..., Lines]:
    """`tell("--tier", "reference", hashseed=1)` runs the history in a process and returns its lines."""

    def run(*words: object, hashseed: int = 0, python: Path | str = sys.executable) -> Lines:
        command = [str(python), "-m", "tests.determinism.scenario", str(code), *map(str, words)]
        variables = os.environ | {"PYTHONHASHSEED": str(hashseed)}
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture(scope="module")
def expected(tell: Callable[..., Lines]) -> Lines:
    """The history of this Python, portable tier, memory store."""
    return tell()


def same(found: Lines, expected: Lines) -> None:
    """Compare line by line, so that a difference names its step."""
    for one, other in zip(found, expected, strict=True):
        assert one == other


def test_the_history_is_worth_comparing(expected: Lines) -> None:
    """It has successes, reverts, traps of many kinds, logs, and as many nested calls as there may be."""
    lines = {line["step"]: line for line in expected}
    assert len(lines) == len(STEPS) + 5
    assert {line["status"] for line in expected} == {"OK", "REVERT", "TRAP", "OUT_OF_GAS"}
    assert len({line["trap"][0] for line in expected if line["trap"]}) >= 8
    assert lines["log"]["logs"][0] == 5
    assert len({line["root"] for line in expected}) == len(expected) - 1, "the last step is a call, it changes nothing"
    assert lines["nest"]["frames"] == 1_025, "the outermost frame and 1,024 in it"
    assert lines["nest"]["last status"] == Status.DEPTH


@pytest.mark.parametrize("hashseed", [1, 4_294_967_295])
def test_hash_seeds(tell: Callable[..., Lines], expected: Lines, hashseed: int) -> None:
    same(tell(hashseed=hashseed), expected)


@each_tier()
def test_tiers(tell: Callable[..., Lines], expected: Lines, tier: str) -> None:
    same(tell("--tier", tier), expected)


@pytest.mark.parametrize("store", STORES)
def test_stores(tell: Callable[..., Lines], expected: Lines, store: str, tmp_path: Path) -> None:
    pytest.importorskip(STORES[store], reason=f"{STORES[store]} has no wheel here")
    same(tell("--store", store, tmp_path / "data"), expected)


@each_tier()
@pytest.mark.parametrize("minor", MINORS)
def test_pythons(tell: Callable[..., Lines], expected: Lines, minor: int, tier: str, tmp_path: Path) -> None:
    """Other Pythons, each on the database that it has wheels for, with whatever cryptography it has."""
    if sys.version_info[:2] == (3, minor):
        pytest.skip(f"this is Python 3.{minor}")
    try:
        python = environment(minor, *([NATIVE] if tier == NATIVE else []))
    except Unavailable as reason:
        pytest.skip(str(reason))
    backend = "leveldb" if minor < 13 and sys.platform == "linux" else "rocksdb"
    same(tell("--tier", tier, "--store", backend, tmp_path / "data", python=python), expected)
