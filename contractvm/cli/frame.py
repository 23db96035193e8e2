"""The frame every command stands in: the options valid anywhere on the line, colours of the help, negative numbers.

Never: knows what any command does.
"""

from __future__ import annotations

import difflib
import functools
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_DATA = ".contractvm"
COLOURS = {"auto": None, "always": True, "never": False}
NEGATIVE = re.compile(r"-(\d|0[xX])")
COMMON = "contractvm_"
ALSO = "Also: --data DIR, --json, -q, -v, --color WHEN, --debug (see contractvm --help)."


@dataclass(frozen=True, slots=True)
class Settings:
    """What the options valid anywhere said. `data` is the chain's directory, `named` whether somebody named it, and
    `data_given` whether this command line did. `url` is `-r`'s, `timeout` in seconds."""

    data: Path
    named: bool = False
    data_given: bool = False
    url: str | None = None
    timeout: float = 30.0
    json: bool = False
    quiet: bool = False
    verbose: int = 0


def remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Keep an option given before or after the command's name: the one nearest to the command wins."""
    source = ctx.get_parameter_source(str(param.name))
    if source is not None and source.name == "COMMANDLINE":
        ctx.find_root().meta[str(param.name)] = value


def common_options(hidden: bool) -> list[click.Parameter]:
    """The options valid anywhere; shown in the help of `contractvm` itself."""

    def option(*names: str, **rest: Any) -> click.Option:
        # A name of its own, so that a command may have a parameter called `data`.
        own_name = COMMON + names[-1].removeprefix("--")
        return click.Option([*names, own_name], expose_value=False, callback=remember, hidden=hidden, **rest)

    return [
        option(
            "--data", metavar="DIR", help=f"The chain's directory.  [env: CONTRACTVM_DATA; default: {DEFAULT_DATA}]"
        ),
        option("--json", is_flag=True, help="Print one JSON object on standard output."),
        option("-q", "--quiet", is_flag=True, help="Print the result alone."),
        option("-v", "--verbose", count=True, help="Print more; repeat for more still."),
        option("--color", type=click.Choice(list(COLOURS)), help="When to use colours.  [default: auto]"),
        option("--debug", is_flag=True, help="Show the traceback of an error."),
    ]


def settings_of(ctx: click.Context) -> Settings:
    """The settings as the whole command line gives them."""
    meta = ctx.find_root().meta
    given = meta.get(f"{COMMON}data")
    data = given or os.environ.get("CONTRACTVM_DATA")
    return Settings(
        data=Path(data or DEFAULT_DATA),
        named=bool(data),
        data_given=bool(given),
        url=meta.get(f"{COMMON}url"),
        timeout=meta.get(f"{COMMON}timeout", 30.0),
        json=meta.get(f"{COMMON}json", False),
        quiet=meta.get(f"{COMMON}quiet", False),
        verbose=meta.get(f"{COMMON}verbose", 0),
    )


def pass_settings(function: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Hand the command its `Settings` first."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(settings_of(click.get_current_context()), *args, **kwargs)

    return wrapper


class Formatter(click.HelpFormatter):
    """Click's help with coloured headings; colours vanish where the output is no terminal."""

    def write_heading(self, heading: str) -> None:
        super().write_heading(click.style(heading, fg="green", bold=True))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(click.style(prog, bold=True), args, click.style(prefix or "Usage: ", fg="green", bold=True))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(click.style(first, fg="cyan"), second) for first, second in rows], col_max, col_spacing)


class Context(click.Context):
    formatter_class = Formatter


class Command(click.Command):
    """A command with the common options, negative numbers as arguments, and unknown options refused with a guess."""

    context_class = Context

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += common_options(hidden=True)
        self.context_settings = {"ignore_unknown_options": True, **self.context_settings}
        self.epilog = self.epilog or ALSO

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, then tell negative numbers (arguments) from options nobody knows (errors)."""
        after = args[args.index("--") + 1 :] if "--" in args else []
        words = args[: len(args) - len(after)]
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError:
            # A misspelt option leaves its value over as an argument; the option is what to name.
            for word in words:
                if word.startswith("--") and word != "--":
                    self.refuse_option(ctx, word)
            raise
        for param in self.params:
            if isinstance(param, click.Argument):
                value = ctx.params.get(str(param.name))
                for word in value if isinstance(value, tuple) else (value,):
                    if isinstance(word, str) and word not in after:
                        self.refuse_option(ctx, word)
        return rest

    def refuse_option(self, ctx: click.Context, word: str) -> None:
        """Raises: click.NoSuchOption when `word` was meant as an option."""
        name = word.split("=", 1)[0]
        known = [opt for param in self.get_params(ctx) for opt in param.opts if opt.startswith("--")]
        if word.startswith("-") and len(word) > 1 and not NEGATIVE.match(word) and name not in known:
            raise click.NoSuchOption(name, possibilities=difflib.get_close_matches(name, known), ctx=ctx)
