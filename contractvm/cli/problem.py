"""What goes wrong at the edge, and how it is said: one line that names the place, one that names the way out.

Exit codes: 0 done, 1 refused or failed (a mined revert too), 2 wrong usage, 130 interrupted, 141 reader gone.
Never: a traceback, unless `--debug` asks for it.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback

import click

FAILED, USAGE, INTERRUPTED, READER_GONE = 1, 2, 130, 141
LONGEST_LINE = 400
"""Characters of a line; what quotes hostile input may be longer."""


class Problem(Exception):
    """A refusal by the command line itself: what is wrong, and what to do about it."""

    def __init__(self, message: str, way_out: str = "", *, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.way_out = way_out


def say(message: str, way_out: str = "", *, label: str = "error", colours: bool | None = None) -> None:
    """Print a diagnostic on standard error; `colours` None asks the command's context, then the terminal."""
    colour = {"error": "red", "warning": "yellow", "note": "cyan", "debug": "magenta"}[label]
    lines = [line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + " ..." for line in message.split("\n")]
    click.echo(f"{click.style(label + ':', fg=colour, bold=True)} " + "\n".join(lines), err=True, color=colours)
    if way_out:
        click.echo(f"  {way_out}", err=True)


def report(error: BaseException, debug: bool = False, colours: bool | None = None) -> int:
    """Say what `error` means to a person and return the exit code."""
    if debug and not isinstance(error, click.exceptions.Exit | click.exceptions.Abort):
        traceback.print_exception(error, file=sys.stderr)
    match error:
        case KeyboardInterrupt() | click.exceptions.Abort():
            return INTERRUPTED
        case BrokenPipeError():
            return reader_gone()
        case Problem():
            say(error.message, error.way_out, colours=colours)
            return error.code
        case click.UsageError():
            where = error.ctx.command_path if error.ctx else "contractvm"
            say(error.format_message(), f"try: {where} --help", colours=colours)
            return USAGE
        case click.ClickException():
            say(error.format_message(), colours=colours)
        case MemoryError():
            say("out of memory", "lower --gas, or give the process more memory", colours=colours)
        case OSError() if error.errno == errno.ENOSPC:
            say(
                f"the disk is full{of_file(error)}",
                "free some space; what was done before stands, and `contractvm block` shows what was mined",
            )
        case OSError() if error.strerror:
            say(f"{error.strerror}{of_file(error)}")
        case _:
            return report_domain(error, colours)
    return FAILED


def report_domain(error: BaseException, colours: bool | None) -> int:
    """The project's own errors, imported only now that one may be here."""
    from contractvm.errors import ContractVMError, Fatal
    from gas.schedule import ScheduleError
    from state.errors import StoreError

    found = getattr(error, "diagnostics", None)
    if found:  # of the compiler: each says what it is, where, and how to mend it
        click.echo(str(error), err=True)
        number = f"{len(found)} error{'s' * (len(found) > 1)}"
        say(f"{number}; contractvm explain {found[0].code} says more", label="note", colours=colours)
    elif isinstance(error, ContractVMError | StoreError | ScheduleError) and not isinstance(error, Fatal):
        say(str(error) or type(error).__name__, colours=colours)
    else:
        say(
            f"{type(error).__name__}: {error}",
            "this is a bug of contractvm, not of your contract; run again with --debug and report what it prints",
            colours=colours,
        )
    return FAILED


def of_file(error: OSError) -> str:
    return f": {error.filename}" if error.filename is not None else ""


def reader_gone() -> int:
    """The reader of our output closed it (`| head`): stop without a word, also at interpreter exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return READER_GONE
