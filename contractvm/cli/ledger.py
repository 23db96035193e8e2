"""`contractvm receipt` and `contractvm block`: what the chain remembers of transactions.

Names in JSON are Ethereum's; amounts in wei are decimal text, gas and heights are numbers. Never: writes.
"""

from __future__ import annotations

import click

from contractvm.block import Block
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.literals import revert_reason
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import hexed, number, show_json, show_pairs, show_table
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.values import checksum, ether, hex_bytes
from contractvm.machine import Status
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction
from contractvm.types import Hash


@click.command(cls=Command)
@click.argument("transaction", metavar="HASH")
@pass_settings
def receipt(settings: Settings, transaction: str) -> None:
    """Show a transaction's receipt.

    Ends with 1 if there is no such transaction, or if it failed.
    """
    digest = hash_of(transaction)
    with to_read(settings) as chain:
        found, included = chain.receipt(digest), chain.transaction(digest)
    if found is None or included is None:
        raise Problem(
            f"no transaction 0x{digest.hex()} on this chain",
            f"its data directory is {settings.data}; --data names another",
        )
    if settings.json:
        show_json(receipt_document(found))
    else:
        show_receipt(found, included.transaction)
    if not found.ok:
        say(f"the transaction failed: {reason(found)}")
        click.get_current_context().exit(FAILED)


@click.command(cls=Command)
@click.argument("which", default="latest", metavar="[BLOCK]")
@pass_settings
def block(settings: Settings, which: str) -> None:
    """Show a block.

    BLOCK is a height, a hash, or a tag such as latest (the default) or earliest.
    """
    with to_read(settings) as chain:
        found = chain.block(block_id(which))
        receipts = chain.receipts(found.number)
    if settings.json:
        show_json(block_document(found))
        return
    show_pairs(block_pairs(found))
    if receipts and not settings.quiet:
        click.echo()
        rows = [
            (r.index, hexed(r.transaction_hash), "ok" if r.ok else r.status.name.lower(), number(r.gas_used))
            for r in receipts
        ]
        show_table(("", "transaction", "status", "gas"), rows, right=(0, 3))


def hash_of(text: str) -> Hash:
    """Raises: Problem unless `text` is 32 bytes of hex."""
    try:
        digest = hex_bytes(text)
    except click.BadParameter as error:
        raise Problem(error.message, "a transaction's hash is 0x and 64 hex digits") from None
    if len(digest) != 32:
        raise Problem(f"{text!r} is {len(digest)} bytes", "a transaction's hash is 32: 0x and 64 hex digits")
    return Hash(digest)


def reason(receipt: Receipt) -> str:
    """Why a mined transaction failed, in words."""
    if receipt.trap is not None:
        return f"trapped: {receipt.trap}"
    if receipt.status is Status.REVERT:
        return f"reverted: {revert_reason(receipt.output)}"
    return receipt.detail or receipt.status.name.lower().replace("_", " ")


def show_receipt(receipt: Receipt, tx: Transaction) -> None:
    """A receipt for people, with the gas in its parts."""
    to = checksum(receipt.to) if receipt.to is not None else "(new contract)"
    show_pairs(
        [
            ("status", "success" if receipt.ok else f"failed: {reason(receipt)}"),
            ("transaction", hexed(receipt.transaction_hash)),
            ("block", f"{number(receipt.block_number)}, transaction {receipt.index}"),
            ("from", checksum(receipt.sender)),
            ("to", to),
            *([("contract", checksum(receipt.created))] if receipt.created is not None else []),
            ("value", f"{ether(tx.value)} ether"),
            ("gas", f"{number(receipt.gas_used)} of {number(tx.gas_limit)} at {number(receipt.gas_price)} wei"),
            ("fee", f"{ether(receipt.gas_used * receipt.gas_price)} ether"),
        ]
    )
    for index, log in enumerate(receipt.logs):
        click.echo()
        pairs = [(f"log {receipt.log_index + index}", checksum(log.address))]
        pairs += [(f"topic {i}", "0x" + topic.hex()) for i, topic in enumerate(log.topics)]
        show_pairs([*pairs, ("data", hexed(log.data))])


def receipt_document(receipt: Receipt) -> dict[str, object]:
    """A receipt for programs."""
    trap = receipt.trap
    return {
        "transactionHash": hexed(receipt.transaction_hash),
        "status": int(receipt.ok),
        "outcome": receipt.status.name.lower(),
        "blockNumber": receipt.block_number,
        "blockHash": hexed(receipt.block_hash),
        "transactionIndex": receipt.index,
        "type": receipt.type,
        "from": checksum(receipt.sender),
        "to": receipt.to and checksum(receipt.to),
        "contractAddress": receipt.created and checksum(receipt.created),
        "gasUsed": receipt.gas_used,
        "cumulativeGasUsed": receipt.cumulative_gas,
        "effectiveGasPrice": str(receipt.gas_price),
        "logs": [
            {
                "address": checksum(log.address),
                "topics": [hexed(topic) for topic in log.topics],
                "data": hexed(log.data),
                "logIndex": receipt.log_index + index,
            }
            for index, log in enumerate(receipt.logs)
        ],
        "error": None if receipt.ok else reason(receipt),
        "revertData": hexed(receipt.output) if receipt.status is Status.REVERT else None,
        "trap": trap
        and {
            "kind": trap.code,
            "function": trap.place.function,
            "name": trap.place.name,
            "offset": trap.place.offset,
        },
    }


def block_pairs(block: Block) -> list[tuple[str, object]]:
    header = block.header
    return [
        ("block", number(header.number)),
        ("hash", hexed(header.hash)),
        ("parent", hexed(header.parent_hash)),
        ("time", f"{header.timestamp} s"),
        ("state root", hexed(header.state_root)),
        ("base fee", f"{number(header.base_fee)} wei"),
        ("gas", f"{number(header.gas_used)} of {number(header.gas_limit)}"),
        ("transactions", number(len(block.transactions))),
    ]


def block_document(block: Block) -> dict[str, object]:
    """A block for programs: header fields and transaction hashes."""
    h = block.header
    return {
        "number": h.number,
        "hash": hexed(h.hash),
        "parentHash": hexed(h.parent_hash),
        "timestamp": h.timestamp,
        "miner": checksum(h.coinbase),
        "stateRoot": hexed(h.state_root),
        "transactionsRoot": hexed(h.transactions_root),
        "receiptsRoot": hexed(h.receipts_root),
        "logsBloom": hexed(h.logs_bloom),
        "baseFeePerGas": str(h.base_fee),
        "gasLimit": h.gas_limit,
        "gasUsed": h.gas_used,
        "size": block.size,
        "transactions": [hexed(tx.hash) for tx in block.transactions],
    }
