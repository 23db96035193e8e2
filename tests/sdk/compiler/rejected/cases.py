"""Sources that the front end refuses, each with every word that it says: the text files beside this one.

`python -m tests.sdk.compiler.rejected.cases` writes the diagnostics anew, to be read before they are committed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sdk.compiler.diagnostics import CompileError, Reporter
from sdk.compiler.front.load import load
from tests.sdk.compiler.cases import Case, cases_in, write, written

HERE = Path(__file__).parent


def cases() -> Iterator[Case]:
    return cases_in(HERE)


def said(source: str, folder: Path) -> str:
    """What the front end says about a source, with the file called `case.py`."""
    path = written(source, folder)
    reporter = Reporter()
    with contextlib.suppress(CompileError):  # the reporter has it
        load(path, None, reporter)
    text = "\n\n".join(map(str, reporter.diagnostics()))
    return text.replace(str(path), "case.py").replace(str(folder.resolve()), "PROJECT")


if __name__ == "__main__":
    write(HERE, said)
