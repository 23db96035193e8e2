"""What the compiler says about a source: errors and warnings with a code, a place, the line, a caret and the way out.

A `Reporter` collects, so that all of a file's errors come at once; whoever finds one says it and goes on as if it were
not there. Lines count from 1. Columns count characters: from 0 in a `Span`, from 1 in a `Diagnostic`, as editors do.
Source: docs/language.md, "Errors". Never: decides what is wrong, or prints.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from contractvm.dataclass import dataclass
from sdk.compiler.symbols import Span
from sdk.errors import BuildError

MOST = 1_000
"""Findings that are kept: whoever has more mends these first."""
WIDEST = 160
"""Characters of a source line that are shown."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that takes part: `index` is what a `Span` calls it."""

    index: int
    path: Path
    text: str
    lines: tuple[str, ...]

    def span(self, node: ast.stmt | ast.expr | ast.arg | ast.keyword | ast.alias | ast.excepthandler) -> Span:
        """Where a node stands; what is longer than a line is cut at the first line's end."""
        line, end_line = node.lineno, node.end_lineno or node.lineno
        return Span(
            self.index,
            line,
            self._characters(line, node.col_offset),
            end_line,
            self._characters(end_line, node.end_col_offset or node.col_offset),
        )

    def name_span(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Span:
        """The name that a definition defines, on the line of its `def` or `class`."""
        line = self.line(node.lineno)
        start = line.find(node.name, self._characters(node.lineno, node.col_offset) + 3)
        if start < 0:
            return self.span(node)
        return Span(self.index, node.lineno, start, node.lineno, start + len(node.name))

    def line(self, number: int) -> str:
        """A line without its end; empty beyond the file's."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def _characters(self, line: int, offset: int) -> int:
        """A column in characters from ast's, which counts bytes of UTF-8."""
        text = self.line(line)
        return offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore"))


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `severity` is `error`, or `warning` for a lint, which fails nothing."""

    code: str
    message: str
    help: str
    path: Path
    line: int
    column: int
    end_line: int
    end_column: int
    severity: str = "error"
    excerpt: str = field(default="", repr=False, compare=False)
    """The source's line."""

    @property
    def heading(self) -> str:
        """`path:line:column: error[CV031]: message`, the line that editors match."""
        return f"{self.path}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}"

    def __str__(self) -> str:
        """Heading, the line with a caret under what is meant, and help."""
        rows = [self.heading]
        if self.excerpt.strip():
            number = str(self.line)
            shown, marks = self._marked()
            rows += [f" {number} | {shown}", f" {' ' * len(number)} | {marks}"]
        if self.help:
            rows.append(f"  help: {self.help}")
        return "\n".join(rows)

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "path": str(self.path),
            "line": self.line,
            "column": self.column,
            "endLine": self.end_line,
            "endColumn": self.end_column,
        }

    def _marked(self) -> tuple[str, str]:
        """(the line, as much of it as fits, what cannot be printed replaced; the carets below it)."""
        line = "".join(c if c.isprintable() else "\t" if c == "\t" else "\ufffd" for c in self.excerpt)
        start = min(self.column - 1, len(line))
        end = self.end_column - 1 if self.end_line == self.line else len(line.rstrip())
        first = max(0, min(start - WIDEST // 4, len(line) - WIDEST))
        shown = line[first : first + WIDEST]
        head = shown[: start - first]
        marked = shown[start - first : max(end, start + 1) - first]
        before = "".join("\t" if c == "\t" else " " * _cells(c) for c in head)
        return shown, before + "^" * max(1, sum(map(_cells, marked)))


def _cells(character: str) -> int:
    """How many columns of a terminal a character takes."""
    return 2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1


class CompileError(BuildError):
    """A source with errors: all of them, in order of place. The text is what a terminal shows."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__("\n\n".join(map(str, diagnostics)))
        self.diagnostics = list(diagnostics)


class Reporter:
    """Collects what is said about the files of one compilation; the same said twice counts once."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self._said: dict[Diagnostic, None] = {}

    def add_source(self, path: Path, text: str) -> Source:
        """Take a file in; its index is the number of those before."""
        lines = tuple(line.rstrip("\r") for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        source = Source(len(self.sources), path, text, lines)
        self.sources.append(source)
        return source

    def error(self, code: str, span: Span, message: str, help: str = "") -> None:
        """Say what is wrong at a place (`source.span(node)`) and what to write instead."""
        self._say("error", code, span, message, help)

    def warning(self, code: str, span: Span, message: str, help: str = "") -> None:
        """Say what is legal and probably not meant."""
        self._say("warning", code, span, message, help)

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(said.severity == "error" for said in self._said)

    def diagnostics(self) -> list[Diagnostic]:
        """Everything said, by file and place."""
        order = {source.path: source.index for source in self.sources}
        last = len(order)
        return sorted(self._said, key=lambda said: (order.get(said.path, last), said.line, said.column, said.code))

    def adopt(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Take over what was said in another compilation."""
        self._said.update(dict.fromkeys(diagnostics))

    def check(self) -> None:
        """Raises: CompileError with every error, if there is one."""
        errors = [said for said in self.diagnostics() if said.severity == "error"]
        if errors:
            raise CompileError(errors)

    def _say(self, severity: str, code: str, span: Span, message: str, help_: str) -> None:
        if len(self._said) >= MOST:
            return
        source = self.sources[span.file]
        said = Diagnostic(
            code,
            message,
            help_,
            source.path,
            span.line,
            span.column + 1,
            span.end_line,
            span.end_column + 1,
            severity,
            source.line(span.line),
        )
        self._said.setdefault(said)
