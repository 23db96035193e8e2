"""`contractvm console`: Python on an open chain, with its accounts and contracts at hand.

IPython's prompt where it is installed, Python's own otherwise. Never: sends anything by itself.
"""

from __future__ import annotations

import code
import re
import sys
from collections.abc import Iterable
from typing import Any

import click

from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import to_write
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.session import Session
from contractvm.cli.tiers import tier_option
from contractvm.cli.url import node_options
from contractvm.cli.values import checksum
from contractvm.errors import ContractVMError
from sdk.errors import BuildError
from sdk.testing.contract import Deployed
from state.errors import StoreError

TOLD = (Problem, ContractVMError, BuildError, StoreError, click.ClickException)
"""Errors that are said in a line, because they are not the console's user's to debug."""
SHOWN = 20
"""Contracts named in the greeting."""


@click.command(cls=Command)
@click.option("-c", "source", metavar="CODE", help="Run this and end, instead of asking.")
@tier_option
@node_options
@pass_settings
def console(settings: Settings, source: str | None, tier: str) -> None:
    """Work with a chain in Python.

    There are chain, accounts, deploy, and contracts by name, where their builds are known. A data directory is held for
    as long as the console is open.

    \b
    Examples:
      contractvm console -r http://127.0.0.1:8545
      contractvm console -c "chain.balance(accounts[1])"
    """
    with to_write(settings, tier) as chain:
        session = Session(chain)
        names = named(session.contracts())
        namespace: dict[str, Any] = {
            **names,
            "chain": session,
            "accounts": session.accounts,
            "deploy": session.deploy,
        }
        if source is not None:
            shell = Plain(namespace)
            shell.run(source)
            if shell.failed:
                click.get_current_context().exit(FAILED)
        else:
            interact(namespace, greeting(session, names))


def named(contracts: Iterable[Deployed]) -> dict[str, Deployed]:
    """Contracts by a name that can be typed: `Token` is `token`, the one before it `token_1`."""
    found: dict[str, Deployed] = {}
    for contract in contracts:
        word = re.sub(r"\W", "_", repr(contract).partition("(")[0]).lower()
        word = word if word.isidentifier() else f"contract_{word}"
        if word in ("chain", "accounts", "deploy"):
            word += "_"
        earlier = found.get(word)
        if earlier is not None:
            count = next(n for n in range(1, len(found) + 2) if f"{word}_{n}" not in found)
            found[f"{word}_{count}"] = earlier
        found[word] = contract
    return found


def greeting(session: Session, names: dict[str, Deployed]) -> str:
    """What is at hand."""
    lines = [f"{session!r}", "chain  accounts  deploy(file, ...)  chain.at(address)"]
    lines += [f"{name}  {checksum(contract.address)}" for name, contract in list(names.items())[:SHOWN]]
    if len(names) > SHOWN:
        lines.append(f"... and {len(names) - SHOWN} more: chain.contracts()")
    return "\n".join(lines)


def interact(namespace: dict[str, Any], banner: str) -> None:
    """Ask and answer until the user leaves."""
    try:
        from IPython.terminal.embed import InteractiveShellEmbed
    except ImportError:
        say(
            "IPython is not installed, so this is Python's own prompt",
            "pip install 'contractvm[console]'",
            label="note",
        )
        Plain(namespace).interact(banner, "")
        return

    def told(shell: Any, kind: type[BaseException], error: BaseException, trace: Any, tb_offset: Any = None) -> None:
        tell(error)

    shell: Any = InteractiveShellEmbed(user_ns=namespace, banner1=banner + "\n", exit_msg="", confirm_exit=False)  # type: ignore[no-untyped-call]
    shell.set_custom_exc(TOLD, told)
    shell()


class Plain(code.InteractiveConsole):
    """Python's own prompt, and what runs `-c`."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace, "<console>")
        self.failed = False

    def run(self, source: str) -> None:
        """Run some code; the value of a single expression is printed."""
        try:
            compiled = compile(source, "<console>", "single")
        except SyntaxError:
            try:
                compiled = compile(source, "<console>", "exec")
            except SyntaxError as error:
                raise Problem(f"-c: {error.msg} in line {error.lineno}", "check the code and its quotes") from None
        self.runcode(compiled)

    def showtraceback(self) -> None:
        """What is the user's own is shown with its traceback, our refusals in a line."""
        self.failed = True
        error = sys.exc_info()[1]
        if isinstance(error, TOLD):
            tell(error)
        else:
            super().showtraceback()


def tell(error: BaseException) -> None:
    """Say a refusal."""
    if isinstance(error, Problem):
        say(error.message, error.way_out)
    else:
        say(error.format_message() if isinstance(error, click.ClickException) else str(error) or type(error).__name__)
