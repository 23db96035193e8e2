"""Sources that the checker refuses, each with every word that it says: the text files beside this one.

A case is a line `=== name`, a source, a line `---` and the diagnostics. A source of statements alone is the body of a
method (`sdk.compiler.codes.EXAMPLE`). `python -m tests.sdk.compiler.check.cases` writes the diagnostics anew, to
be read before they are committed.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sdk.compiler import check_file, codes

HERE = Path(__file__).parent
CASE = re.compile(r"^=== ([^\n]+)\n(.*?)(?=^=== |\Z)", re.S | re.M)


@dataclass(frozen=True, slots=True)
class Case:
    file: str
    name: str
    source: str
    expected: str


def cases() -> Iterator[Case]:
    """Every case of every file."""
    for file in sorted(HERE.glob("*.txt")):
        for name, text in CASE.findall(file.read_text()):
            source, _, expected = text.partition("---\n")
            yield Case(file.stem, name, source.strip("\n"), expected.strip("\n"))


def said(source: str, folder: Path) -> str:
    """What is said about a source, with the file called `case.py`."""
    path = folder / "case.py"
    path.write_text(codes.source(source))
    text = "\n\n".join(map(str, check_file(path).diagnostics))
    return text.replace(str(path), "case.py")


def write() -> None:
    """Write all diagnostics anew."""
    texts: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in cases():
            row = f"=== {case.name}\n{case.source}\n---\n{said(case.source, Path(folder))}\n\n"
            texts[case.file] = texts.get(case.file, "") + row
    for file, text in texts.items():
        (HERE / f"{file}.txt").write_text(text.rstrip("\n") + "\n")


if __name__ == "__main__":
    write()
