"""`contractvm call` and `contractvm estimate`: run a message on the chain's state and drop what it changes.

Never: writes to the data directory, or has a node change anything.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import click

from contractvm.cli.chainlike import Chainlike
from contractvm.cli.facts import Failing, Outcome, Unsigned
from contractvm.cli.files import built
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.literals import call_data, constructor_data
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import hexed, number, show_json, show_pairs
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.signer import account_of, caller_of, gas_limit_option, sender_option, value_option
from contractvm.cli.tiers import tier_option
from contractvm.cli.traces import failure_of_call
from contractvm.cli.url import node_options
from contractvm.cli.values import checksum
from contractvm.types import Address
from sdk.abi import show
from sdk.abi_types import decode

REVERTED = 3
"""The code that Ethereum's clients know a revert by."""


@click.command(cls=Command)
@click.argument("to", metavar="TO")
@click.argument("signature", required=False, metavar="[SIGNATURE]")
@click.argument("args", nargs=-1)
@sender_option
@value_option
@gas_limit_option
@click.option("-b", "--block", default="latest", metavar="BLOCK", help="State to run on: a height, a hash or a tag.")
@tier_option
@node_options
@pass_settings
def call(
    settings: Settings,
    to: str,
    signature: str | None,
    args: tuple[str, ...],
    sender: str | None,
    value: int,
    gas_limit: int | None,
    block: str,
    tier: str,
) -> None:
    """Call a contract without changing anything.

    SIGNATURE names the function with the types of its ARGS and of what it returns; or it is raw calldata in hex.
    Prints one returned value a line. Ends with 1 if the call reverts.

    \b
    Examples:
      contractvm call 0x5FbD... 'balanceOf(address)(uint256)' 0xf39F...
      contractvm call 0x5FbD... 'name()(string)'
    """
    data, function = call_data(signature, args)
    with to_read(settings, tier) as chain:
        target, at = receiver(to, chain), block_id(block)
        message = Unsigned(caller_of(sender, chain), target, value, data, gas_limit)
        executed = chain.call(message, at)
        if not executed.ok:
            fail(settings, executed, failure_of_call(chain, message, at))
        if not executed.output and not chain.code(target, at):
            raise Problem(f"{checksum(target)} has no code at block {block}", "check the address, or deploy first")
    values = (
        list(decode([o.type for o in function.outputs], executed.output))
        if function is not None and function.outputs
        else None
    )
    if settings.json:
        show_json(
            {"result": values and [plain(v) for v in values], "data": hexed(executed.output), "gas": executed.gas}
        )
        return
    for line in [hexed(executed.output)] if values is None else [show(v) for v in values]:
        click.echo(line)
    if settings.verbose and executed.gas is not None:
        say(f"{number(executed.gas)} gas", label="note")


@click.command(cls=Command)
@click.argument("to", metavar="TO|FILE")
@click.argument("signature", required=False, metavar="[SIGNATURE]")
@click.argument("args", nargs=-1)
@click.option("--create", is_flag=True, help="Estimate deploying FILE; SIGNATURE is its constructor's.")
@click.option("--parts", is_flag=True, help="Show where the gas goes: instructions, storage, events, ...")
@sender_option
@value_option
@click.option("-b", "--block", default="pending", metavar="BLOCK", help="State to run on.  [default: pending]")
@tier_option
@node_options
@pass_settings
def estimate(
    settings: Settings,
    to: str,
    signature: str | None,
    args: tuple[str, ...],
    create: bool,
    parts: bool,
    sender: str | None,
    value: int,
    block: str,
    tier: str,
) -> None:
    """Find the smallest gas limit that succeeds.

    One gas less fails: both were run. Ends with 1 if no limit succeeds.

    \b
    Examples:
      contractvm estimate 0x5FbD... 'transfer(address,uint256)' 0x7099... 1
      contractvm estimate --create token.c 'constructor(uint256)' 1000ether
    """
    if create:
        artifact = built(Path(to))
        data = artifact.code + constructor_data(signature, args, artifact.interface.constructor)
    else:
        data = call_data(signature, args)[0]
    at = block_id(block)
    with to_read(settings, tier) as chain:
        target = None if create else receiver(to, chain)
        message = Unsigned(caller_of(sender, chain), target, value, data)
        try:
            found = chain.estimate(message, at)
        except Failing as failure:
            if failure.outcome is None:
                raise
            fail(settings, failure.outcome, failure_of_call(chain, message, at), failure.message)
        shares = chain.parts(replace(message, gas_limit=found.gas), at) if parts else []
    if settings.json:
        document = {"gas": found.gas, "gasUsed": found.used, "steady": found.steady}
        show_json(document | ({"parts": {part.name: part.gas for part in shares}} if parts else {}))
    elif settings.quiet:
        click.echo(found.gas)
    else:
        used = [] if found.used is None else [("gas used", number(found.used))]
        show_pairs([("gas limit", number(found.gas)), *used])
        for part in shares:
            click.echo(f"{number(part.gas):>20}  {part.name}")
    if found.steady is False:
        say("the code looks at the gas it has: another limit may spend another amount", label="warning")


def receiver(text: str, chain: Chainlike) -> Address:
    """An address or the number of a development account. Raises: Problem, with what a file name was meant for."""
    if Path(text).suffix in (".wasm", ".wat", ".c", ".py"):
        raise Problem(f"{text} is a file, an address was expected", f"deploy it first: contractvm deploy {text}")
    return account_of(text, chain)


def fail(settings: Settings, outcome: Outcome, places: list[str], message: str = "") -> NoReturn:
    """Say why a message failed, and where, and end with 1; `message` has the reason in other words."""
    if settings.json:
        code = REVERTED if outcome.reverted else -32000
        error = {"code": code, "message": outcome.reason, "data": hexed(outcome.output)}
        show_json({"error": error, "gas": outcome.gas, "backtrace": places})
    say(message or outcome.reason, "\n  ".join(places))
    click.get_current_context().exit(FAILED)


def plain(value: object) -> object:
    """A decoded value for JSON: integers as decimal text (they may have 256 bits), bytes as hex."""
    match value:
        case bool() | str():
            return value
        case int():
            return str(value)
        case bytes():
            return hexed(value)
        case list() | tuple():
            return [plain(item) for item in value]
    return show(value)
