"""Files as they come: encodings, sizes, nesting, what is no Python."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import pytest

from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.parse import DEEPEST, LARGEST_FILE, parse


def parsed(folder: Path, data: bytes) -> list[str]:
    path = folder / "token.py"
    path.write_bytes(data)
    reporter = Reporter()
    source, tree = parse(path, reporter)
    assert reporter.failed or tree is not None
    assert source.index == 0
    return [f"{found.line} {found.code} {found.message}" for found in reporter.diagnostics()]


def test_utf8_with_or_without_a_mark(tmp_path: Path) -> None:
    assert parsed(tmp_path, "x = 'é'\n".encode()) == []
    assert parsed(tmp_path, b"\xef\xbb\xbfx = 1\n") == []
    assert parsed(tmp_path, b"# -*- coding: utf-8 -*-\n") == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x = 1\ny = '\xff'\n", "2 CV001 the file is not UTF-8"),
        (b"x = 1\n\0\n", "2 CV001 the file has a NUL byte"),
        (b"# coding: latin-1\nx = 1\n", "1 CV001 the file says that its encoding is latin-1"),
        (b"\n# vim: set fileencoding=cp1252 :\n", "2 CV001 the file says that its encoding is cp1252"),
        (b"x" * (LARGEST_FILE + 1), "1 CV003 the file has 1,048,577 bytes, and 1,048,576 are the limit"),
        ("x = 1\n".encode("utf-16"), "1 CV001 the file is not UTF-8"),
    ],
)
def test_bytes_that_are_refused(data: bytes, said: str, tmp_path: Path) -> None:
    assert parsed(tmp_path, data) == [said]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    reporter = Reporter()
    assert parse(tmp_path / "no.py", reporter)[1] is None
    found = reporter.diagnostics()[0]
    assert (found.code, found.line) == ("CV001", 1)
    assert "No such file" in found.message


def test_a_folder(tmp_path: Path) -> None:
    reporter = Reporter()
    assert parse(tmp_path, reporter)[1] is None
    assert reporter.diagnostics()[0].code == "CV001"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("if x:\n    y = 1\n      z = 2\n", 3),
        ("if x:\n\ty = 1\n        z = 2\n", 3),
        ("def f(a=1, b): pass\n", 1),
        ("x = (\n", 1),
        ("x = 'a\n", 1),
        ("\nx = 08\n", 2),
        ("f(**a, *b)\n", 1),
        ("x = $\n", 1),
    ],
)
def test_what_is_no_python(text: str, line: int, tmp_path: Path) -> None:
    said = parsed(tmp_path, text.encode())
    assert [row.split()[:2] for row in said] == [[str(line), "CV002"]]


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 150 + "1" + ")" * 150,
        "x = " + "[" * 5_000 + "]" * 5_000,
        "x = " + "-" * 20_000 + "1",
        "x = " + "1 + " * 20_000 + "1",
        "x = " + "a." * 20_000 + "b",
        "x = a" + "()" * 20_000,
        "x = " + "not " * 20_000 + "a",
        "x = " + "lambda: " * 5_000 + "1",
        "if a: pass\n" + "elif a: pass\n" * 3_000,
        "".join(" " * i + "if a:\n" for i in range(90)) + " " * 90 + "pass\n",
    ],
    ids=["parentheses", "lists", "minus", "sum", "attributes", "calls", "not", "lambda", "elif", "blocks"],
)
def test_depth_never_reaches_pythons_own_limits(text: str, tmp_path: Path) -> None:
    said = parsed(tmp_path, text.encode())
    codes = {row.split()[1] for row in said}
    assert codes <= {"CV002", "CV003"}


def test_depth_is_counted(tmp_path: Path) -> None:
    assert parsed(tmp_path, b"x = " + b"-" * (DEEPEST - 4) + b"1\n") == []
    assert parsed(tmp_path, b"x = " + b"-" * DEEPEST + b"1\n") == [
        f"1 CV003 this is nested more than {DEEPEST} levels deep"
    ]


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f"])
def test_marks_that_turn_text_around(mark: str, tmp_path: Path) -> None:
    """In comments and texts too: what is read is what runs."""
    said = "2 CV006 this mark shows text in another order than it has"
    assert parsed(tmp_path, f"x = 1\n# {mark}y = 2\n".encode()) == [said]
    assert parsed(tmp_path, f"x = 1\ny = 'a{mark}b'\n".encode()) == [said]
    assert parsed(tmp_path, b"y = '\\u202e'\n") == []


def test_names_are_ascii_and_texts_need_not_be(tmp_path: Path) -> None:
    assert parsed(tmp_path, "x = 'é漢'  # ü\n".encode()) == []
    said = parsed(tmp_path, "import a as é\nf(ü=1).ö\ndef ä(ß): pass\nclass Ω: pass\n".encode())
    assert [row.split()[:3] for row in said] == [
        ["1", "CV006", "é"],
        ["2", "CV006", "ö"],
        ["2", "CV006", "ü"],
        ["3", "CV006", "ä"],
        ["3", "CV006", "ß"],
        ["4", "CV006", "Ω"],
    ]


def test_a_number_of_thousands_of_digits(tmp_path: Path) -> None:
    digits = (sys.get_int_max_str_digits() or 4300) + 1
    assert parsed(tmp_path, b"\nx = " + b"1" * digits + b"\n") == ["2 CV004 the number has too many digits"]


def test_nothing_is_warned_of(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parsed(tmp_path, rb"x = '\d'") == []
