"""Files of cases: sources that the compiler refuses, each with every word that it says.

A case is a line `=== name`, a source, a line `---` and the diagnostics. A source of statements alone is the body of a
method (`sdk.compiler.codes.EXAMPLE`).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sdk.compiler import codes

CASE = re.compile(r"^=== ([^\n]+)\n(.*?)(?=^=== |\Z)", re.S | re.M)


@dataclass(frozen=True, slots=True)
class Case:
    file: str
    name: str
    source: str
    expected: str


def cases_in(folder: Path) -> Iterator[Case]:
    """Every case of every file."""
    for file in sorted(folder.glob("*.txt")):
        for name, text in CASE.findall(file.read_text()):
            source, _, expected = text.partition("---\n")
            yield Case(file.stem, name, source.strip("\n"), expected.strip("\n"))


def written(source: str, folder: Path) -> Path:
    """A case's source as a file."""
    path = folder / "case.py"
    path.write_text(codes.source(source))
    return path


def write(folder: Path, said: Callable[[str, Path], str]) -> None:
    """Write all diagnostics anew: `said` gives them, of a source and a folder to put it in."""
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for case in cases_in(folder):
            row = f"=== {case.name}\n{case.source}\n---\n{said(case.source, Path(scratch))}\n\n"
            texts[case.file] = texts.get(case.file, "") + row
    for file, text in texts.items():
        (folder / f"{file}.txt").write_text(text.rstrip("\n") + "\n")


def check_cases(found: list[Case]) -> None:
    """Each has a name of its own, and help with everything that it says. Raises: AssertionError."""
    names = [(case.file, case.name) for case in found]
    assert len(names) == len(set(names))
    for case in found:
        said = len(re.findall(r"^\S+:\d+:\d+: (?:error|warning)\[", case.expected, re.M))
        assert said and said == len(re.findall(r"^  help: \S", case.expected, re.M)), case.name
