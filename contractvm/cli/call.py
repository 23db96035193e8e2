"""`contractvm call` and `contractvm estimate`: run a message on the chain's state and drop what it changes.

Never: writes to the data directory.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from contractvm.chain import Chain
from contractvm.cli.files import built
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.literals import call_data, constructor_data, revert_reason
from contractvm.cli.opened import block_id, debug_line, to_read
from contractvm.cli.output import hexed, number, show_json, show_pairs
from contractvm.cli.parts import Part, gas_by_part
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.signer import account_of, gas_limit_option, sender_option, value_option
from contractvm.cli.tiers import tier_option
from contractvm.cli.values import checksum
from contractvm.estimate import CannotSucceed, Estimate
from contractvm.execute import Executed, Message
from contractvm.machine import Status
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
    target = receiver(to)
    data, function = call_data(signature, args)
    caller = account_of(sender or "0")
    with to_read(settings, tier) as chain:
        at = block_id(block)
        if not chain.world(at).code(target):
            raise Problem(f"{checksum(target)} has no code at block {block}", "check the address, or deploy first")
        chain.debug = debug_line
        executed = chain.call(Message(caller, target, value, data, gas_limit), at)
    if not executed.ok:
        fail(settings, executed)
    values = (
        list(decode([o.type for o in function.outputs], executed.output))
        if function is not None and function.outputs
        else None
    )
    if settings.json:
        show_json(
            {"result": values and [plain(v) for v in values], "data": hexed(executed.output), "gas": executed.gas_used}
        )
        return
    for line in [hexed(executed.output)] if values is None else [show(v) for v in values]:
        click.echo(line)
    if settings.verbose:
        say(f"{number(executed.gas_used)} gas", label="note")


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
        target, data = None, artifact.code + constructor_data(signature, args, artifact.interface.constructor)
    else:
        target, data = receiver(to), call_data(signature, args)[0]
    caller = account_of(sender or "0")
    with to_read(settings, tier) as chain:
        message = Message(caller, target, value, data)
        try:
            found = estimated(chain, message, block)
        except CannotSucceed as failure:
            if failure.executed is None or not settings.json:
                raise
            fail(settings, failure.executed)
        shares = shares_of(chain, replace(message, gas_limit=found.gas), block) if parts else []
    if settings.json:
        document = {"gas": found.gas, "gasUsed": found.executed.gas_used, "steady": found.steady}
        show_json(document | ({"parts": {part.name: part.gas for part in shares}} if parts else {}))
    elif settings.quiet:
        click.echo(found.gas)
    else:
        show_pairs([("gas limit", number(found.gas)), ("gas used", number(found.executed.gas_used))])
        for part in shares:
            click.echo(f"{number(part.gas):>20}  {part.name}")
    if not found.steady:
        say("the code looks at the gas it has: another limit may spend another amount", label="warning")


def shares_of(chain: Chain, message: Message, block: str) -> list[Part]:
    """Where a message's gas goes, on the state at a block."""
    at = block_id(block)
    return gas_by_part(chain.rules, message, lambda: chain.world(at), chain.context(at))[1]


def receiver(text: str) -> Address:
    """An address or the number of a development account. Raises: Problem, with what a file name was meant for."""
    if Path(text).suffix in (".wasm", ".wat", ".c"):
        raise Problem(f"{text} is a file, an address was expected", f"deploy it first: contractvm deploy {text}")
    return account_of(text)


def estimated(chain: Chain, message: Message, block: str = "pending") -> Estimate:
    """The chain's estimate, a failure told with its reason. Raises: CannotSucceed, Rejected."""
    try:
        return chain.estimate(message, block_id(block))
    except CannotSucceed as failure:
        executed = failure.executed
        if executed is None or executed.status is not Status.REVERT:
            raise
        raise CannotSucceed(f"execution reverted: {revert_reason(executed.output)}", executed) from None


def fail(settings: Settings, executed: Executed) -> None:
    """Say why a message failed and end with 1."""
    reason = reason_of(executed)
    if settings.json:
        code = REVERTED if executed.status is Status.REVERT else -32000
        show_json(
            {"error": {"code": code, "message": reason, "data": hexed(executed.output)}, "gas": executed.gas_used}
        )
    say(reason)
    click.get_current_context().exit(FAILED)


def reason_of(executed: Executed) -> str:
    if executed.status is Status.REVERT:
        return f"execution reverted: {revert_reason(executed.output)}"
    if executed.trap is not None:
        return f"execution trapped: {executed.trap}"
    return f"execution failed: {executed.detail or executed.status.name.lower().replace('_', ' ')}"


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
