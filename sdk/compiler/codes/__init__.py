"""Every code that the compiler can say, with what it means, a wrong example and the right one: `contractvm explain`.

Ranges: CV0xx files and syntax, CV1xx declarations, CV2xx types, CV3xx effects and storage, CV4xx the ABI, CV9xx lints.
Rows are text, in the modules beside this one, read when somebody asks:

    CV031 fractions
    What it means, in a paragraph.
    wrong:
        self.total = 1.5
    right:
        self.total = 3 // 2

An example without a class, a function or an import is the body of a method with the parameters `EXAMPLE` shows. The
tests compile every example: the wrong one gives this code, the right one none; every code in the compiler has a row.
Never: imported while a contract compiles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from textwrap import dedent, indent
from types import MappingProxyType

from contractvm.dataclass import dataclass

PARTS = ("files", "python", "statements", "declarations", "annotations", "types", "effects", "abi", "lints")
"""Modules with a text `ROWS`."""

EXAMPLE = """\
class Example(Contract):
    total: u256
    small: u8
    names: Map[Address, u256]
    items: List[u256]

    @external
    def f(self, x: u256, xs: List[u256], data: Bytes, text: String, yes: bool, to: Address) -> None:
"""
"""What an example of a few statements stands in."""

ROW = re.compile(r"^(CV\d{3}) ([^\n]+)\n(.*?)(?=^CV\d{3} |\Z)", re.S | re.M)
WHOLE = re.compile(r"^(class|def|async|from|import|type|@|[A-Z_]+\b[^\n]*Const|[A-Z_]+ = )", re.M)


@dataclass(frozen=True, slots=True)
class Code:
    """A row. The examples are as people read them; `wrong` or `right` is empty where no source shows it."""

    code: str
    title: str
    text: str
    wrong: str
    right: str

    def __str__(self) -> str:
        """What `contractvm explain` prints."""
        rows = [f"{self.code}: {self.title}", "", self.text]
        for label, example in (("wrong", self.wrong), ("right", self.right)):
            if example:
                rows += ["", f"{label}:", indent(example, "    ")]
        return "\n".join(rows)


def table() -> Mapping[str, Code]:
    """Every row by its code, in order."""
    rows = [row for part in PARTS for row in parse(import_module(f"sdk.compiler.codes.{part}").ROWS)]
    return MappingProxyType({row.code: row for row in sorted(rows, key=lambda row: row.code)})


def parse(text: str) -> list[Code]:
    """The rows in a part's text."""
    found = []
    for code, title, rest in ROW.findall(text):
        meaning, _, examples = rest.partition("wrong:\n")
        wrong, _, right = examples.partition("right:\n")
        found.append(Code(code, title, " ".join(meaning.split()), dedent(wrong).strip("\n"), dedent(right).strip("\n")))
    return found


def source(example: str) -> str:
    """An example as a file that can be compiled."""
    body = example if WHOLE.search(example) else EXAMPLE + indent(example, " " * 8)
    return body + "\n" if re.search(r"^from sdk", body, re.M) else f"from sdk import *\n\n{body}\n"
