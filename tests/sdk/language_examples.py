"""The examples of docs/language.md: sources, and what must come out of them.

A line `#> name = ...` does something, `#> call reverts what` expects a reason (a text, an error with fields, or a
Panic's code), any other `#> ...` is run and must be true, unless it is a call alone. `#> rejected` means that nothing
compiles it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from tests.sources import ROOT

PAGE = ROOT / "docs" / "language.md"


@dataclass(frozen=True)
class Example:
    """One block; `line` is where it begins in the page."""

    name: str
    line: int
    source: str
    expected: tuple[str, ...]

    @property
    def rejected(self) -> bool:
        return self.expected == ("rejected",)

    @property
    def contract(self) -> str:
        """The last contract of the block."""
        return [node.name for node in ast.parse(self.source).body if isinstance(node, ast.ClassDef)][-1]


def examples() -> Iterator[Example]:
    text = PAGE.read_text(encoding="utf-8")
    for found in re.finditer(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        lines = found[1].splitlines()
        source = "\n".join(line for line in lines if not line.startswith("#>")).strip() + "\n"
        if not source.startswith("from sdk"):
            source = "from sdk import *\n\n" + source
        names = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
        line = text.count("\n", 0, found.start()) + 1
        yield Example(
            f"{names[-1]}:{line}", line, source, tuple(line[2:].strip() for line in lines if line[:2] == "#>")
        )


Expect = Callable[[ast.expr], AbstractContextManager[object]]


def check(line: str, names: dict[str, Any], expect: Expect) -> None:
    """One expectation; `expect` opens a block in which the given reason must come."""
    call, reverts, what = line.partition(" reverts ")
    tree = ast.parse(call).body[0]
    if reverts:
        with expect(ast.parse(what, mode="eval").body):
            eval(call, names)
    elif not isinstance(tree, ast.Expr):
        exec(call, names)
    elif isinstance(tree.value, ast.Compare):
        names = {**names, "left": eval(ast.unparse(tree.value.left), names)}
        tree.value.left = ast.Name("left")
        assert eval(ast.unparse(tree), names), f"{call}: the left side is {names['left']!r}"
    else:
        assert eval(call, names) or isinstance(tree.value, ast.Call), call
