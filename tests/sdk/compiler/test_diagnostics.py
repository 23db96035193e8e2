"""Diagnostics: places in characters, the line and its caret, order, what counts as failing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from contractvm.errors import ContractVMError
from sdk.compiler.diagnostics import WIDEST, CompileError, Diagnostic, Reporter
from sdk.compiler.symbols import Span

PATH = Path("token.py")


def told(text: str, span: Span) -> Diagnostic:
    reporter = Reporter()
    reporter.add_source(PATH, text)
    reporter.error("CV031", span, "no", "so")
    return reporter.diagnostics()[0]


def test_columns_count_characters() -> None:
    text = 'x = "漢字" + y\n'
    reporter = Reporter()
    source = reporter.add_source(PATH, text)
    name = next(node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name) and node.id == "y")
    assert source.span(name) == Span(0, 1, 11, 1, 12)
    reporter.error("CV031", source.span(name), "no")
    found = reporter.diagnostics()[0]
    assert (found.line, found.column, found.end_line, found.end_column) == (1, 12, 1, 13)


def test_the_caret_is_under_what_is_meant() -> None:
    rows = str(told("a = 1.5\n", Span(0, 1, 4, 1, 7))).split("\n")
    assert rows == ["token.py:1:5: error[CV031]: no", " 1 | a = 1.5", "   |     ^^^", "  help: so"]


def test_the_caret_follows_tabs_and_wide_characters() -> None:
    rows = str(told("\tx漢 = 1\n", Span(0, 1, 5, 1, 6))).split("\n")
    assert rows[2] == "   | \t" + " " * 5 + "^"


def test_what_cannot_be_printed_is_replaced() -> None:
    assert "\x1b" not in str(told("a = '\x1b[31m'\n", Span(0, 1, 4, 1, 5)))


def test_a_long_line_is_cut_around_the_place() -> None:
    line = "x = " + "1 + " * 200 + "1.5"
    rows = str(told(line, Span(0, 1, len(line) - 3, 1, len(line)))).split("\n")
    assert len(rows[1]) <= WIDEST + 10
    assert rows[1].endswith("1.5")
    assert rows[2].endswith("^^^")
    assert len(rows[1]) == len(rows[2])


def test_several_lines_are_marked_to_the_end_of_the_first() -> None:
    assert str(told("f(\n  1)\n", Span(0, 1, 0, 2, 4))).split("\n")[2] == "   | ^^"


def test_a_place_beyond_the_file_shows_no_line() -> None:
    assert str(told("", Span(0, 1, 0, 1, 1))).split("\n") == ["token.py:1:1: error[CV031]: no", "  help: so"]


def test_the_definition_of_a_name_is_its_name() -> None:
    text = "class Token(Base):\n    async def to(self): pass\n"
    source = Reporter().add_source(PATH, text)
    token = ast.parse(text).body[0]
    assert isinstance(token, ast.ClassDef)
    assert source.name_span(token) == Span(0, 1, 6, 1, 11)
    method = token.body[0]
    assert isinstance(method, ast.AsyncFunctionDef)
    assert source.name_span(method) == Span(0, 2, 14, 2, 16)


def test_order_is_by_file_and_place_and_nothing_is_said_twice() -> None:
    reporter = Reporter()
    reporter.add_source(PATH, "a\nb\n")
    reporter.add_source(Path("base.py"), "c\n")
    reporter.error("CV002", Span(1, 1, 0, 1, 1), "third")
    reporter.error("CV001", Span(0, 2, 0, 2, 1), "second")
    reporter.warning("CV901", Span(0, 1, 0, 1, 1), "first")
    reporter.error("CV001", Span(0, 2, 0, 2, 1), "second")
    assert [found.message for found in reporter.diagnostics()] == ["first", "second", "third"]
    assert reporter.failed
    with pytest.raises(CompileError) as raised:
        reporter.check()
    assert isinstance(raised.value, ContractVMError)
    assert [found.message for found in raised.value.diagnostics] == ["second", "third"]
    assert str(raised.value).count("error[") == 2


def test_a_warning_fails_nothing() -> None:
    reporter = Reporter()
    reporter.add_source(PATH, "a\n")
    reporter.warning("CV901", Span(0, 1, 0, 1, 1), "slow")
    reporter.check()
    assert not reporter.failed
    assert reporter.diagnostics()[0].document() == {
        "code": "CV901",
        "severity": "warning",
        "message": "slow",
        "help": "",
        "path": "token.py",
        "line": 1,
        "column": 1,
        "endLine": 1,
        "endColumn": 2,
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_pythons_do(end: str) -> None:
    source = Reporter().add_source(PATH, f"a{end}b\x0cc{end}")
    assert source.line(2) == "b\x0cc"
    assert source.line(9) == ""
