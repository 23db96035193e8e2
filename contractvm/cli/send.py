"""`contractvm deploy` and `contractvm send`: sign, submit, see it mined, show the receipt.

A transaction whose estimate fails is not sent at all; one sent with `--gas-limit` is mined whatever happens.
Never: leaves a transaction of its own waiting in a directory; each command makes its block at once. A node makes blocks
as it was told to, and is waited for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from contractvm.cli.call import receiver
from contractvm.cli.chainlike import Chainlike
from contractvm.cli.facts import Failing, Mined, Unsigned
from contractvm.cli.files import built
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.ledger import show_mined
from contractvm.cli.literals import call_data, constructor_data
from contractvm.cli.opened import to_write
from contractvm.cli.output import number, show_pairs
from contractvm.cli.problem import USAGE, Problem
from contractvm.cli.signer import WHO, Signer, Wanted, sending_options, signer_of
from contractvm.cli.tiers import tier_option
from contractvm.cli.traces import failure_of_call
from contractvm.cli.url import node_options
from contractvm.cli.values import checksum
from contractvm.transaction import Transaction, TxType
from contractvm.types import Address


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("constructor", required=False, metavar="[CONSTRUCTOR]")
@click.argument("args", nargs=-1)
@sending_options
@tier_option
@node_options
@pass_settings
def deploy(
    settings: Settings,
    /,
    file: Path,
    constructor: str | None,
    args: tuple[str, ...],
    tier: str,
    **sending: Any,
) -> None:
    """Deploy a contract from its source or .wasm.

    Sources are built first. CONSTRUCTOR is the types of the constructor's ARGS; a source that declares them needs none.
    With --tier native the contract is compiled before the command ends, and every later command finds it so.

    \b
    Examples:
      contractvm deploy counter.wat
      contractvm deploy token.py 1000ether --from 1
      contractvm deploy build/token.wasm 'constructor(uint256)' 1000ether
    """
    wanted = wanted_of(sending)
    artifact = built(file)
    code = artifact.code
    data = code + constructor_data(constructor, args, artifact.interface.constructor)
    with to_write(settings, tier) as chain:
        chain.check_runs_wasm()
        mined = transact(chain, signer_of(wanted, chain), None, data, Sending(**sending))
        if mined.ok:
            chain.remember(artifact)
        if not mined.ok or mined.created is None or settings.json:
            show_mined(settings, chain, mined, {"codeSize": len(code)})
        elif settings.quiet:
            click.echo(checksum(mined.created))
        else:
            show_pairs(
                [
                    ("contract", checksum(mined.created)),
                    ("transaction", "0x" + mined.transaction_hash.hex()),
                    ("block", number(mined.block_number)),
                    ("gas", number(mined.gas_used)),
                    ("code", f"{number(len(code))} bytes"),
                ]
            )


@click.command(cls=Command)
@click.argument("to", metavar="TO")
@click.argument("signature", required=False, metavar="[SIGNATURE]")
@click.argument("args", nargs=-1)
@sending_options
@tier_option
@node_options
@pass_settings
def send(
    settings: Settings,
    /,
    to: str,
    signature: str | None,
    args: tuple[str, ...],
    tier: str,
    **sending: Any,
) -> None:
    """Send a transaction and mine it.

    TO is an address or the number of a development account. SIGNATURE names the function and its types, or is raw
    calldata in hex; without it only --value is sent. Ends with 1 if the transaction reverts, mined or not.

    \b
    Examples:
      contractvm send 1 --value 1.5ether
      contractvm send 0x5FbD... 'transfer(address,uint256)' 0x7099... 5ether
    """
    wanted = wanted_of(sending)
    data, _ = call_data(signature, args)
    with to_write(settings, tier) as chain:
        signer, target = signer_of(wanted, chain), receiver(to, chain)
        show_mined(settings, chain, transact(chain, signer, target, data, Sending(**sending)))


def wanted_of(options: dict[str, Any]) -> Wanted:
    """Who is to send, taken out of a command's options."""
    return Wanted(**{name: options.pop(name) for name in WHO})


@dataclass(frozen=True, slots=True)
class Sending:
    """The options of a transaction as given; what is None is chosen when it is sent. Amounts in wei, limits in gas."""

    value: int
    gas_limit: int | None
    gas_price: int | None
    priority_gas_price: int | None
    nonce: int | None
    legacy: bool


def transact(chain: Chainlike, signer: Signer, to: Address | None, data: bytes, sending: Sending) -> Mined:
    """Sign, submit and see mined one transaction. Raises: Rejected; Problem when it could only fail."""
    if to is not None and data and sending.gas_limit is None and not chain.code(to):
        raise Problem(
            f"{checksum(to)} has no code, so the call would do nothing",
            "check the address; --gas-limit sends it all the same",
        )
    gas_limit = sending.gas_limit
    if gas_limit is None:
        gas_limit = estimated(chain, Unsigned(signer.address, to, sending.value, data))
    tip = sending.priority_gas_price or 0
    if sending.legacy and sending.priority_gas_price is not None:
        raise Problem("a --legacy transaction has no tip", "leave --priority-gas-price out", code=USAGE)
    price = sending.gas_price if sending.gas_price is not None else 2 * chain.next_base_fee + tip
    if tip > price:
        raise Problem(f"the tip, {tip} wei a gas, is above the highest price, {price}", "raise --gas-price", code=USAGE)
    tx = Transaction(
        type=TxType.LEGACY if sending.legacy else TxType.DYNAMIC_FEE,
        nonce=sending.nonce if sending.nonce is not None else chain.next_nonce(signer.address),
        max_fee=price,
        max_tip=price if sending.legacy else tip,
        gas_limit=gas_limit,
        to=to,
        value=sending.value,
        data=data,
        chain_id=chain.chain_id,
    )
    if signer.secret is None:
        return chain.mined(chain.send_unlocked(tx, signer.address))
    return chain.mined(chain.send(tx.sign(signer.secret)))


def estimated(chain: Chainlike, message: Unsigned) -> int:
    """The least gas limit. Raises: Failing, which says where in the source."""
    try:
        return chain.estimate(message, "pending").gas
    except Failing as failure:
        if failure.outcome is None:
            raise
        places = failure_of_call(chain, message, "pending")
        raise Failing(failure.message, failure.outcome, "\n  ".join(places) or failure.way_out) from None
