"""The README does what it says: its captures, its contract, its test, its embedding example."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readme import README, comparable, contract, fresh
from tests.sources import ROOT


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_captures_are_what_the_commands_print() -> None:
    """After a change of prices or words: `python -m tests.readme`."""
    pytest.importorskip("wasmtime", reason="the extra 'wat' is not installed")
    pytest.importorskip("ziglang", reason="the extra 'c' is not installed")
    text = README.read_text(encoding="utf-8")
    assert comparable(fresh(text)) == comparable(text), "stale: run python -m tests.readme"


def test_the_contract_passes_the_test_beside_it(tmp_path: Path) -> None:
    source, test, _ = blocks("python")
    assert source == contract()
    (tmp_path / "vault.py").write_text(source)
    (tmp_path / "test_vault.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr


def test_embedding_works() -> None:
    pytest.importorskip("ziglang", reason="the extra 'c' is not installed")
    *_, example = blocks("python")
    said = re.findall(r"#> (.*)", example)
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:-1] == said
