"""Sources that the checker refuses, each with every word that it says: the text files beside this one.

`python -m tests.sdk.compiler.check.cases` writes the diagnostics anew, to be read before they are committed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sdk.compiler import check_file
from tests.sdk.compiler.cases import Case, cases_in, write, written

HERE = Path(__file__).parent


def cases() -> Iterator[Case]:
    return cases_in(HERE)


def said(source: str, folder: Path) -> str:
    """What is said about a source, with the file called `case.py`."""
    path = written(source, folder)
    text = "\n\n".join(map(str, check_file(path).diagnostics))
    return text.replace(str(path), "case.py")


if __name__ == "__main__":
    write(HERE, said)
