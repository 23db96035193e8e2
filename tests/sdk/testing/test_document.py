"""docs/testing.md: its contract and tests are taken from there and run, and so are its commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from sdk.bindings import stub
from sdk.compiler import compile_file
from tests.sdk.conftest import need
from tests.sdk.testing.conftest import ROOT, Run

TEXT = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
BROKEN = "test_broken.py"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def files() -> dict[str, str]:
    """Every Python block by the name on its first line, which is no part of the file."""
    found = {}
    for block in blocks("python"):
        first, rest = block.split("\n", 1)
        assert re.fullmatch(r"# \w+\.py", first), f"a block begins with its file's name, not with {first!r}"
        found[first[2:]] = rest
    return found


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """The page's files, in a folder."""
    for name, content in files().items():
        (pytester.path / name).write_text(content, encoding="utf-8")
    return pytester.path


def test_every_block_is_run() -> None:
    languages = set(re.findall(r"^```(\w+)$", TEXT, re.MULTILINE))
    assert languages == {"python", "console", "text"}
    assert len(files()) == len(blocks("python"))


@pytest.mark.parametrize("command", [line[2:] for block in blocks("console") for line in block.splitlines()])
def test_the_examples_pass_with_every_flag(project: Path, inside: Run, command: str) -> None:
    program, *flags = shlex.split(command)
    assert program == "pytest"
    (project / BROKEN).unlink()
    if "--gas-snapshot-check" in flags:
        assert inside("--gas-snapshot", process=True).ret == pytest.ExitCode.OK
    result = inside(*flags, process=True)
    assert result.ret == pytest.ExitCode.OK
    tests = sum(len(re.findall(r"^(?:def test_|class Test)", text, re.MULTILINE)) for text in files().values())
    result.assert_outcomes(passed=tests - 1)
    if "--contract-coverage" in flags:
        assert (project / "contracts.lcov").read_text().startswith("SF:bank.py\n")


def test_a_failure_tells_what_the_page_says(project: Path, inside: Run) -> None:
    result = inside(BROKEN, process=True)
    result.assert_outcomes(failed=1)
    told = re.sub(r"  \[[0-9,]+ gas\]", "", result.stdout.str())
    (shown,) = blocks("text")
    assert shown in told + "\n"


@pytest.mark.slow
def test_the_examples_are_typed(project: Path) -> None:
    need("mypy", "test")
    (project / "bank_abi.pyi").write_text(stub("Bank", compile_file(project / "bank.py").interface), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--explicit-package-bases", "."]
    done = subprocess.run(
        command, cwd=project, env=os.environ | {"MYPYPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


def test_the_page_names_every_flag(inside: Run) -> None:
    ours = re.search(r"^smart contracts:\n(.*?)^\S", inside("--help").stdout.str(), re.DOTALL | re.MULTILINE)
    assert ours is not None
    flags = re.findall(r"^  (--[a-z-]+)", ours[1], re.MULTILINE)
    assert len(flags) == 8
    for flag in flags:
        assert f"`{flag}" in TEXT, flag
