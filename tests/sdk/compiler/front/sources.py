"""Loads sources that a test writes down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sdk.compiler.diagnostics import CompileError, Reporter
from sdk.compiler.front.declared import Unit
from sdk.compiler.front.load import load


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Make files, `from sdk import *` in front of those that import nothing from sdk."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        is_source = path.suffix == ".py" and "sdk import" not in text
        path.write_text(f"from sdk import *\n{text}" if is_source else text)


def declared(folder: Path, text: str, contract: str | None = None) -> Unit:
    """The declarations of one file without an error."""
    write(folder, {"main.py": text})
    reporter = Reporter()
    unit = load(folder / "main.py", contract, reporter)
    assert reporter.diagnostics() == []
    return unit


def errors(folder: Path, files: Mapping[str, str], contract: str | None = None, main: str = "main.py") -> list[str]:
    """What is said about files: `file:line code message | help`."""
    write(folder, files)
    reporter = Reporter()
    try:
        load(folder / main, contract, reporter)
    except CompileError as error:
        assert reporter.failed == bool(error.diagnostics)
    return [
        f"{found.path.name}:{found.line} {found.code} {found.message} | {found.help}"
        for found in reporter.diagnostics()
    ]
