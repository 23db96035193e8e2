"""The table of codes: every code in the compiler has a row, every row's examples do what they say."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sdk.compiler
from sdk.compiler import check_file, codes
from tests.sdk.compiler.rejected.cases import cases

COMPILER = Path(sdk.compiler.__file__).parent
ROWS = codes.table()
WITHOUT_EXAMPLE = {"CV001", "CV003", "CV005", "CV014", "CV127", "CV129"}
"""What needs several files, or bytes that are no text; `front` has tests of each."""


def used() -> Iterator[str]:
    """Every code that stands in the compiler's source, outside the table."""
    for file in sorted(COMPILER.rglob("*.py")):
        if COMPILER / "codes" in file.parents:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = node.value
                if len(text) == 5 and text.startswith("CV") and text[2:].isdigit():
                    yield text


def test_every_code_has_a_row_and_every_row_is_used() -> None:
    assert set(used()) == set(ROWS)


def test_every_row_has_text_and_examples() -> None:
    for row in ROWS.values():
        assert row.title, row.code
        assert row.text, row.code
        assert bool(row.wrong) != (row.code in WITHOUT_EXAMPLE), row.code


def found(example: str, folder: Path) -> set[str]:
    path = folder / "example.py"
    path.write_text(codes.source(example))
    return {diagnostic.code for diagnostic in check_file(path).diagnostics}


@pytest.mark.parametrize("code", [code for code, row in ROWS.items() if row.wrong])
def test_the_wrong_example_is_wrong_in_that_way_alone(code: str, tmp_path: Path) -> None:
    if code == "CV049" and sys.version_info < (3, 12):
        pytest.skip("Python 3.11 has no type statement: there it is no syntax")
    if code == "CV126":
        pytest.skip("a file without a contract can be checked; tests.sdk.compiler.front builds it")
    assert found(ROWS[code].wrong, tmp_path) == {code}


@pytest.mark.parametrize("code", [code for code, row in ROWS.items() if row.right])
def test_the_right_example_is_right(code: str, tmp_path: Path) -> None:
    assert found(ROWS[code].right, tmp_path) == set()


def test_a_body_alone_becomes_a_contract() -> None:
    assert "class Example(Contract):" in codes.source("self.total = 1")
    assert codes.source("class A(Contract):\n    x: u8").startswith("from sdk import *\n")


def test_every_row_of_the_front_end_has_a_case() -> None:
    raised = {word[6:11] for case in cases() for word in case.expected.split() if word.startswith("error[CV")}
    front = {code for code in ROWS if code < "CV200"} | {"CV401", "CV402", "CV403", "CV404"}
    assert front - raised - WITHOUT_EXAMPLE - {"CV049", "CV138"} == set()
