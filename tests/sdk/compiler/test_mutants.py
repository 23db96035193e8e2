"""Whatever the source is: errors with places in it, or a module that a chain takes; never a bug of the compiler."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import pytest

from sdk.build import build
from sdk.compiler import CompileError, check_file
from tests.sdk.compiler.mutants import contracts, mutant

EACH = 10


def look(text: str, path: Path) -> bool:
    """Whether a source is valid; asserts what holds for all."""
    path.write_text(text)
    found = check_file(path).diagnostics
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for diagnostic in found:
        assert diagnostic.path == path
        assert 1 <= diagnostic.line <= diagnostic.end_line <= len(lines)
        assert 1 <= diagnostic.column <= len(lines[diagnostic.line - 1]) + 1
        assert (diagnostic.line, diagnostic.column) < (diagnostic.end_line, diagnostic.end_column)
        assert diagnostic.message
        assert "\n" not in diagnostic.message
        assert str(diagnostic)
    valid = not any(diagnostic.severity == "error" for diagnostic in found)
    assert all(builds(path, name) for name in named(text)) == valid
    return valid


def named(text: str) -> list[str | None]:
    """The contracts that can be asked for, None the last: a file is looked through as a whole, and built one by one."""
    try:
        with warnings.catch_warnings():  # of escapes that mean nothing
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return [None]
    found = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [None, *(node.name for node in found if [getattr(base, "id", "") for base in node.bases] == ["Contract"])]


def builds(path: Path, contract: str | None) -> bool:
    try:
        build(path, contract)
    except CompileError:
        return False
    return True


def test_every_example_is_looked_at(tmp_path: Path) -> None:
    texts = contracts()
    valid = [look(text, tmp_path / "example.py") for text in texts]
    assert len(valid) - valid.count(True) == sum("class Wrong" in text or "class Alias" in text for text in texts)


@pytest.mark.parametrize("first", range(0, 60, EACH))
def test_mutants(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + EACH):
        look(mutant(seed), tmp_path / "mutant.py")


def test_some_mutants_are_valid_and_some_are_not(tmp_path: Path) -> None:
    """Otherwise the others would show little."""
    path = tmp_path / "mutant.py"
    valid = 0
    for seed in range(40):
        path.write_text(mutant(seed))
        valid += not any(found.severity == "error" for found in check_file(path).diagnostics)
    assert 4 <= valid <= 36


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 5000, 100))
def test_many_mutants(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + 100):
        look(mutant(seed), tmp_path / "mutant.py")
