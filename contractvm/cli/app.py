"""`contractvm`: the table of commands, each module imported when its command runs, and the edge where errors end.

Never: imports the engine. `contractvm --help` answers from the table alone.
"""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from contractvm.cli.frame import COLOURS, Context, common_options
from contractvm.cli.problem import reader_gone, report

START, MODULES, CHAIN, READ, HERE = "Start", "Modules", "Chain", "Read the chain", "This installation"


class Entry(NamedTuple):
    """Where a command lives and its line in the help."""

    module: str
    section: str
    summary: str


COMMANDS = {
    "demo": Entry("demo", START, "Show everything once, on a chain of its own."),
    "new": Entry("new", START, "Start a contract project: source, test, README."),
    "build": Entry("build", START, "Build contracts from .py, .c, Cargo.toml or .wat."),
    "check": Entry("check", START, "Check contracts in Python without building them."),
    "explain": Entry("explain", START, "Explain a code of the Python compiler; list all."),
    "stubs": Entry("stubs", START, "Write a .pyi with the exact types of a contract's functions."),
    "upgrade-check": Entry("upgrade_check", START, "Name the storage fields that an upgrade would break."),
    "run": Entry("run", MODULES, "Run an export of any module; print result, gas and time."),
    "inspect": Entry("inspect", MODULES, "Show imports, exports, limits, floats, code with gas."),
    "deploy": Entry("send", CHAIN, "Deploy a contract from its source or .wasm."),
    "send": Entry("send", CHAIN, "Send a transaction and mine it."),
    "wallet": Entry("wallet", CHAIN, "Keep accounts of your own, their keys encrypted."),
    "console": Entry("console", CHAIN, "Work with a chain in Python."),
    "node": Entry("node", CHAIN, "Serve a local chain to Ethereum's clients."),
    "accounts": Entry("accounts", READ, "List the development accounts and their balances."),
    "call": Entry("call", READ, "Call a contract without changing anything."),
    "estimate": Entry("call", READ, "Find the smallest gas limit that succeeds."),
    "receipt": Entry("ledger", READ, "Show a transaction's receipt."),
    "logs": Entry("logs", READ, "Show what contracts have logged."),
    "trace": Entry("traces", READ, "Show a transaction's calls, storage and events."),
    "block": Entry("ledger", READ, "Show a block."),
    "verify": Entry("verify", READ, "Check that a contract was built from a source."),
    "storage": Entry("storage", READ, "Show a contract's storage, with proofs if asked."),
    "rpc": Entry("rpc", READ, "Call any method of a node."),
    "doctor": Entry("doctor", HERE, "Check this installation: tiers, cache, versions."),
    "cache": Entry("cache", HERE, "List or clear the cache of compiled objects."),
}


class Root(click.Group):
    """The group that knows its commands by name and imports them by need."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = getattr(importlib.import_module(f"contractvm.cli.{entry.module}"), cmd_name.replace("-", "_"))
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section in (START, MODULES, CHAIN, READ, HERE):
            with formatter.section(section):
                formatter.write_dl(
                    [(name, entry.summary) for name, entry in COMMANDS.items() if entry.section == section]
                )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in COMMANDS or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = difflib.get_close_matches(name, COMMANDS)
        guess = f"did you mean {near[0]!r}?" if near else f"commands are: {', '.join(COMMANDS)}"
        raise click.UsageError(f"no such command {name!r}; {guess}", ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that went away ends it in silence, before click has another opinion."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return reader_gone()


def show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """Print the version and what it stands on."""
    if not value or ctx.resilient_parsing:
        return
    from contractvm import __version__

    python = ".".join(map(str, sys.version_info[:3]))
    click.echo(f"contractvm {__version__} (python {python}, {sys.platform})")
    ctx.exit()


@click.pass_context
def help_alone(ctx: click.Context) -> None:
    """`contractvm` without a command."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


root = Root(
    "contractvm",
    help="Deterministic, gas-metered WebAssembly contracts on a local chain kept in one directory.",
    epilog="Start with: contractvm demo",
    params=[
        *common_options(hidden=False),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=show_version,
            help="Show the version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=False,
    invoke_without_command=True,
    callback=help_alone,
)


def asked_for_colours(argv: Sequence[str]) -> bool | None:
    """What `--color` says; None leaves it to the terminal. NO_COLOR in the environment counts where nothing is said.

    Read before click does, because an error in the options themselves is coloured too. Source: no-color.org.
    """
    asked = None
    for index, word in enumerate(argv):
        if word.startswith("--color="):
            asked = word.removeprefix("--color=")
        elif word == "--color" and index + 1 < len(argv):
            asked = argv[index + 1]
    if asked is None and os.environ.get("NO_COLOR"):
        return False
    return COLOURS.get(asked or "auto")


def run(argv: Sequence[str]) -> int:
    """Run one command line and return the exit code. The only place that catches everything."""
    debug, colours = "--debug" in argv, asked_for_colours(argv)
    try:
        code: Any = root.main(list(argv), prog_name="contractvm", standalone_mode=False, color=colours)
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except SystemExit as stop:  # click's own exits: a closed pipe
        return stop.code if isinstance(stop.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - the edge: nothing may leave as a traceback
        return report(error, debug, colours)
    return code if isinstance(code, int) else 0
