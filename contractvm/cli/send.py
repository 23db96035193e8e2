"""`contractvm deploy` and `contractvm send`: sign, submit, make a block, show the receipt.

A transaction whose estimate fails is not sent at all; one sent with `--gas-limit` is mined whatever happens.
Never: leaves a transaction waiting; each command makes its block at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from contractvm.chain import Chain
from contractvm.cli.call import estimated, receiver
from contractvm.cli.files import built
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.ledger import reason, receipt_document, show_receipt
from contractvm.cli.literals import call_data, constructor_data
from contractvm.cli.opened import debug_line, to_write
from contractvm.cli.output import number, show_json, show_pairs
from contractvm.cli.problem import FAILED, USAGE, Problem, say
from contractvm.cli.signer import Signer, sending_options, signer_of
from contractvm.cli.tiers import tier_option
from contractvm.cli.values import checksum
from contractvm.errors import Fatal
from contractvm.execute import Message
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction, TxType
from contractvm.types import Address


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("constructor", required=False, metavar="[CONSTRUCTOR]")
@click.argument("args", nargs=-1)
@sending_options
@tier_option
@pass_settings
def deploy(
    settings: Settings,
    /,
    file: Path,
    constructor: str | None,
    args: tuple[str, ...],
    sender: str | None,
    private_key: str | None,
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
    signer = signer_of(sender, private_key)
    artifact = built(file)
    code = artifact.code
    data = code + constructor_data(constructor, args, artifact.interface.constructor)
    with to_write(settings, tier) as chain:
        receipt = transact(chain, signer, None, data, Sending(**sending))
        if receipt.ok and receipt.created is not None and not settings.json:
            if settings.quiet:
                click.echo(checksum(receipt.created))
            else:
                show_pairs(
                    [
                        ("contract", checksum(receipt.created)),
                        ("transaction", "0x" + receipt.transaction_hash.hex()),
                        ("block", number(receipt.block_number)),
                        ("gas", number(receipt.gas_used)),
                        ("code", f"{number(len(code))} bytes"),
                    ]
                )
            return
        finish(settings, chain, receipt, {"codeSize": len(code)})


@click.command(cls=Command)
@click.argument("to", metavar="TO")
@click.argument("signature", required=False, metavar="[SIGNATURE]")
@click.argument("args", nargs=-1)
@sending_options
@tier_option
@pass_settings
def send(
    settings: Settings,
    /,
    to: str,
    signature: str | None,
    args: tuple[str, ...],
    sender: str | None,
    private_key: str | None,
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
    signer = signer_of(sender, private_key)
    target = receiver(to)
    data, _ = call_data(signature, args)
    with to_write(settings, tier) as chain:
        finish(settings, chain, transact(chain, signer, target, data, Sending(**sending)), {})


@dataclass(frozen=True, slots=True)
class Sending:
    """The options of a transaction as given; what is None is chosen when it is sent. Amounts in wei, limits in gas."""

    value: int
    gas_limit: int | None
    gas_price: int | None
    priority_gas_price: int | None
    nonce: int | None
    legacy: bool


def transact(chain: Chain, signer: Signer, to: Address | None, data: bytes, sending: Sending) -> Receipt:
    """Sign, submit and mine one transaction. Raises: Rejected; Problem when it could only fail."""
    if to is not None and data and not chain.world().code(to) and sending.gas_limit is None:
        raise Problem(
            f"{checksum(to)} has no code, so the call would do nothing",
            "check the address; --gas-limit sends it all the same",
        )
    gas_limit = sending.gas_limit
    if gas_limit is None:
        gas_limit = estimated(chain, Message(signer.address, to, sending.value, data)).gas
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
    ).sign(signer.secret)
    chain.executor.check(tx, chain.world(), chain.context("pending"), chain.head.gas_limit)
    digest = chain.submit(tx)
    chain.debug = debug_line
    chain.produce()
    receipt = chain.receipt(digest)
    if receipt is None:
        raise Fatal(f"transaction 0x{digest.hex()} passed every check and was not mined")
    return receipt


def finish(settings: Settings, chain: Chain, receipt: Receipt, more: dict[str, object]) -> None:
    """Show a receipt; end with 1 if the transaction failed."""
    if settings.json:
        show_json(receipt_document(receipt) | more)
    elif settings.quiet:
        click.echo("0x" + receipt.transaction_hash.hex())
    else:
        included = chain.transaction(receipt.transaction_hash)
        if included is None:
            raise Fatal("a mined transaction is not on the chain")
        show_receipt(receipt, included.transaction)
    if not receipt.ok:
        say(f"the transaction was mined but {reason(receipt)}")
        click.get_current_context().exit(FAILED)
