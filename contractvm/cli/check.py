"""`contractvm check`: the errors and warnings of contracts in Python, for people and for editors.

Never: writes a file, or makes code.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contractvm.cli.files import read_bytes
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import show_json
from contractvm.cli.problem import FAILED, Problem

if TYPE_CHECKING:
    from sdk.compiler import Checked, Diagnostic

POLL_SECONDS = 0.2
BEGUN, DONE = "checking ...", "done:"
"""What an editor's problem matcher waits for: docs/editors.md."""


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--watch", is_flag=True, help="Stay, and check again when a file changes.")
@pass_settings
def check(settings: Settings, files: tuple[Path, ...], watch: bool) -> None:
    """Check contracts in Python without building them.

    Every error and warning, with its place, the line and what to write instead. Ends with 1 when there is an error.
    With --json one object; with --watch one object a line for each time.

    \b
    Examples:
      contractvm check contracts/token/token.py
      contractvm check --watch contracts/*.py
      contractvm explain CV031
    """
    for file in files:
        if file.suffix != ".py":
            raise Problem(f"{file}: only contracts in Python are checked", f"contractvm build {file} has the others")
        read_bytes(file)
    if not watch:
        if not show(settings, look(files).diagnostics):
            click.get_current_context().exit(FAILED)
        return
    known = files
    while True:
        if not settings.json:
            click.echo(BEGUN)
        before = stamps(known)
        checked = look(files)
        if checked.files != known:  # imports came or went
            known, before = checked.files, stamps(checked.files)
        show(settings, checked.diagnostics)
        if not settings.json:
            click.echo(f"{DONE} waiting for changes")
        wait(known, before)


def wait(files: tuple[Path, ...], before: list[tuple[int, int]]) -> None:
    """Return when files have changed and changed no more: an editor may empty one before it fills it."""
    last = before
    while last == before or last != stamps(files):
        last = stamps(files)
        time.sleep(POLL_SECONDS)


def look(files: tuple[Path, ...]) -> Checked:
    """What the compiler says about files, once where several import one."""
    from sdk.compiler import Checked, check_file

    each = [check_file(file) for file in files]
    found = dict.fromkeys(diagnostic for checked in each for diagnostic in checked.diagnostics)
    return Checked(tuple(found), tuple(dict.fromkeys(file for checked in each for file in checked.files)))


def show(settings: Settings, found: tuple[Diagnostic, ...]) -> bool:
    """Print what was found; whether there is no error."""
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    if settings.json:
        show_json({"ok": not errors, "diagnostics": [diagnostic.document() for diagnostic in found]})
        return not errors
    for diagnostic in found:
        text = diagnostic.heading if settings.quiet else str(diagnostic) + "\n"
        head, code, rest = text.partition(f"{diagnostic.severity}[{diagnostic.code}]")
        colour = "red" if diagnostic.severity == "error" else "yellow"
        click.echo(head + click.style(code, fg=colour, bold=True) + rest)
    if not settings.quiet:
        codes = sorted({diagnostic.code for diagnostic in found})
        more = f"; contractvm explain {codes[0]} says more" if codes else ""
        click.echo(f"{count(errors, 'error')}, {count(len(found) - errors, 'warning')}{more}")
    return not errors


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def stamps(files: tuple[Path, ...]) -> list[tuple[int, int]]:
    """When files were changed (nanoseconds) and their sizes; zeros for one that is gone, as while an editor saves."""
    found = []
    for file in files:
        try:
            status = file.stat()
            found.append((status.st_mtime_ns, status.st_size))
        except FileNotFoundError:
            found.append((0, 0))
    return found
