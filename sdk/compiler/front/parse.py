"""From a file to a syntax tree: bytes to text to `ast`, with bounds, and every failure a diagnostic with its place.

Source: The Python Language Reference, "Lexical analysis", of which only UTF-8 is taken. Never: runs what it reads, or
warns by way of Python's `warnings`.
"""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

from sdk.compiler.diagnostics import Reporter, Source
from sdk.compiler.symbols import Span

LARGEST_FILE = 1 << 20
"""Bytes."""
DEEPEST = 100
"""Levels of nesting in a syntax tree: 90 terms in a sum, 90 `elif`. Whoever walks it may recurse."""
WIDEST_INTEGER = 256
"""Bits of one literal; what a calculation of literals gives may be wider on the way."""

CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
"""Marks of text direction."""
FIRST = 1


def parse(path: Path, reporter: Reporter) -> tuple[Source, ast.Module | None]:
    """Read and parse a file; None when that failed, which has been reported."""
    try:
        data = path.read_bytes()
    except OSError as error:
        source = reporter.add_source(path, "")
        reporter.error("CV001", at_line(source, FIRST), f"the file cannot be read: {error.strerror}", "check its path")
        return source, None
    source, readable = decode(path, data, reporter)
    if not readable:
        return source, None
    tree = parse_text(source, reporter)
    if tree is None or not shallow(tree, source, reporter):
        return source, None
    if not source.text.isascii():
        check_characters(tree, source, reporter)
    return source, tree


def decode(path: Path, data: bytes, reporter: Reporter) -> tuple[Source, bool]:
    """The text of a file's bytes, and whether it can be looked at."""
    text = data[:LARGEST_FILE].decode("utf-8-sig", errors="replace")
    source = reporter.add_source(path, text)
    if len(data) > LARGEST_FILE:
        reporter.error(
            "CV003",
            at_line(source, FIRST),
            f"the file has {len(data):,} bytes, and {LARGEST_FILE:,} are the limit",
            "split it into modules",
        )
        return source, False
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reporter.error("CV001", at_line(source, line), "the file is not UTF-8", "save it as UTF-8")
        return source, False
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        reporter.error("CV001", at_line(source, line), "the file has a NUL byte", "save it as plain text")
        return source, False
    for number, row in enumerate(data.split(b"\n", 2)[:2], 1):
        declared = CODING.match(row)
        if declared and declared[1].lower().replace(b"_", b"-") not in (b"utf-8", b"utf8", b"ascii", b"us-ascii"):
            encoding = declared[1].decode()
            reporter.error(
                "CV001",
                at_line(source, number),
                f"the file says that its encoding is {encoding}",
                "save it as UTF-8 and remove the line",
            )
            return source, False
    return source, True


def parse_text(source: Source, reporter: Reporter) -> ast.Module | None:
    """The tree of a text. Python's own message where it is no Python."""
    try:
        if "\\" not in source.text:
            return ast.parse(source.text)
        with warnings.catch_warnings():  # escapes that mean nothing: their text is what Python takes
            warnings.simplefilter("ignore")
            return ast.parse(source.text)
    except SyntaxError as error:
        line = max(1, error.lineno or 1)
        column = max(0, (error.offset or 1) - 1)
        end_line = max(line, error.end_lineno or line)
        end = max(column + 1, (error.end_offset or 0) - 1) if end_line == line else (error.end_offset or 1) - 1
        message = (error.msg or "invalid syntax").split(" (<unknown>")[0]
        if "integer string conversion" in message:
            reporter.error("CV004", at_line(source, line), "the number has too many digits", "256 bits are the limit")
        else:
            span = Span(source.index, line, column, end_line, max(end, 0))
            reporter.error("CV002", span, message, "this is no Python; Python's own parser says so")
    except (RecursionError, MemoryError):  # the parser's own bounds, which lie far above DEEPEST
        too_deep(source, at_line(source, FIRST), reporter)
    return None


def check_characters(tree: ast.Module, source: Source, reporter: Reporter) -> None:
    """Report names with letters of other alphabets and marks that turn text around: what is read is what runs.

    Source: Unicode Technical Report 36, "Unicode Security Considerations".
    """
    for number, line in enumerate(source.lines, 1):
        column = next((at for at, character in enumerate(line) if character in TURNING), None)
        if column is not None:
            span = Span(source.index, number, column, number, column + 1)
            help_ = "remove it, or write it as \\u202e in text"
            reporter.error("CV006", span, "this mark shows text in another order than it has", help_)
    for node in ast.walk(tree):
        name = written(node)
        if not name.isascii() and isinstance(node, ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias):
            span = source.span(node)
            if span.end_line > span.line:
                span = at_line(source, span.line)
            reporter.error(
                "CV006", span, f"{name} has letters that are not ASCII", "names have a to z, A to Z, 0 to 9, _"
            )


def written(node: ast.AST) -> str:
    """The name that a node writes; empty when it writes none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
            return name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.alias(name=name, asname=asname):
            return asname or name
    return ""


def shallow(tree: ast.Module, source: Source, reporter: Reporter) -> bool:
    """Whether nothing is nested deeper than `DEEPEST`; counts without recursion."""
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST + 1):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return True
    deep = next((node for node in level if isinstance(node, ast.expr | ast.stmt)), None)
    too_deep(source, source.span(deep) if deep is not None else at_line(source, FIRST), reporter)
    return False


def too_deep(source: Source, span: Span, reporter: Reporter) -> None:
    reporter.error(
        "CV003",
        span,
        f"this is nested more than {DEEPEST} levels deep",
        "give parts of it names, or move them to functions",
    )


def at_line(source: Source, line: int) -> Span:
    """A whole line."""
    return Span(source.index, line, 0, line, max(1, len(source.line(line))))
