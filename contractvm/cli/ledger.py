"""`contractvm receipt` and `contractvm block`: what the chain remembers of transactions.

Names in JSON are Ethereum's; amounts in wei are decimal text, gas and heights are numbers. Never: writes.
"""

from __future__ import annotations

from collections.abc import Mapping

import click

from contractvm.cli.chainlike import Chainlike
from contractvm.cli.facts import Entry, Mined, Sealed
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.opened import block_id, to_read
from contractvm.cli.output import hexed, number, show_json, show_pairs, show_table
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.traces import failure_of
from contractvm.cli.url import node_options
from contractvm.cli.values import checksum, ether, hash_of


@click.command(cls=Command)
@click.argument("transaction", metavar="HASH")
@node_options
@pass_settings
def receipt(settings: Settings, transaction: str) -> None:
    """Show a transaction's receipt.

    Ends with 1 if there is no such transaction, or if it failed.
    """
    digest = hash_of(transaction)
    with to_read(settings) as chain:
        found = chain.receipt(digest)
        if found is None:
            raise Problem(
                f"no transaction 0x{digest.hex()} on {chain.name}", "--data names another directory, -r a node"
            )
        show_mined(settings, chain, found)


def show_mined(settings: Settings, chain: Chainlike, mined: Mined, more: Mapping[str, object] | None = None) -> None:
    """Show a receipt; of a transaction that failed say why and where, and end with 1."""
    places = [] if mined.ok else failure_of(chain, mined)
    if settings.json:
        show_json(receipt_document(mined) | dict(more or {}) | ({} if mined.ok else {"backtrace": places}))
    elif settings.quiet:
        click.echo(hexed(mined.transaction_hash))
    else:
        show_receipt(mined)
    if not mined.ok:
        say(f"the transaction was mined but {mined.reason}", "\n  ".join(places))
        click.get_current_context().exit(FAILED)


@click.command(cls=Command)
@click.argument("which", default="latest", metavar="[BLOCK]")
@node_options
@pass_settings
def block(settings: Settings, which: str) -> None:
    """Show a block.

    BLOCK is a height, a hash, or a tag such as latest (the default) or earliest.
    """
    with to_read(settings) as chain:
        found = chain.block(block_id(which))
        outcomes = [] if settings.json or settings.quiet else chain.outcomes(found.number)
    if settings.json:
        show_json(block_document(found))
        return
    show_pairs(block_pairs(found))
    if outcomes:
        click.echo()
        rows = [(m.index, hexed(m.transaction_hash), m.outcome, number(m.gas_used)) for m in outcomes]
        show_table(("", "transaction", "status", "gas"), rows, right=(0, 3))


def show_receipt(mined: Mined) -> None:
    """A receipt for people, with the gas in its parts."""
    show_pairs(
        [
            ("status", "success" if mined.ok else f"failed: {mined.reason}"),
            ("transaction", hexed(mined.transaction_hash)),
            ("block", f"{number(mined.block_number)}, transaction {mined.index}"),
            ("from", checksum(mined.sender)),
            ("to", checksum(mined.to) if mined.to is not None else "(new contract)"),
            *([("contract", checksum(mined.created))] if mined.created is not None else []),
            ("value", f"{ether(mined.value)} ether"),
            ("gas", f"{number(mined.gas_used)} of {number(mined.gas_limit)} at {number(mined.gas_price)} wei"),
            ("fee", f"{ether(mined.gas_used * mined.gas_price)} ether"),
        ]
    )
    for log in mined.logs:
        click.echo()
        show_pairs(log_pairs(log, f"log {log.index}"))


def log_pairs(log: Entry, label: str) -> list[tuple[str, object]]:
    """A log for people, as its bytes."""
    topics = [(f"topic {i}", hexed(topic)) for i, topic in enumerate(log.topics)]
    return [(label, checksum(log.address)), *topics, ("data", hexed(log.data))]


def receipt_document(mined: Mined) -> dict[str, object]:
    """A receipt for programs."""
    return {
        "transactionHash": hexed(mined.transaction_hash),
        "status": int(mined.ok),
        "outcome": mined.outcome,
        "blockNumber": mined.block_number,
        "blockHash": hexed(mined.block_hash),
        "transactionIndex": mined.index,
        "type": mined.type,
        "from": checksum(mined.sender),
        "to": mined.to and checksum(mined.to),
        "contractAddress": mined.created and checksum(mined.created),
        "gasUsed": mined.gas_used,
        "cumulativeGasUsed": mined.cumulative_gas,
        "effectiveGasPrice": str(mined.gas_price),
        "logs": [log_document(log) for log in mined.logs],
        "error": mined.reason or None,
        "revertData": hexed(mined.revert_data),
        "trap": mined.trap and dict(mined.trap),
    }


def log_document(log: Entry) -> dict[str, object]:
    """A log for programs, as part of its receipt."""
    return {
        "address": checksum(log.address),
        "topics": [hexed(topic) for topic in log.topics],
        "data": hexed(log.data),
        "logIndex": log.index,
    }


def block_pairs(block: Sealed) -> list[tuple[str, object]]:
    return [
        ("block", number(block.number)),
        ("hash", hexed(block.hash)),
        ("parent", hexed(block.parent_hash)),
        ("time", f"{block.timestamp} s"),
        ("state root", hexed(block.state_root)),
        ("base fee", f"{number(block.base_fee)} wei"),
        ("gas", f"{number(block.gas_used)} of {number(block.gas_limit)}"),
        ("transactions", number(len(block.transactions))),
    ]


def block_document(block: Sealed) -> dict[str, object]:
    """A block for programs: header fields and transaction hashes."""
    return {
        "number": block.number,
        "hash": hexed(block.hash),
        "parentHash": hexed(block.parent_hash),
        "timestamp": block.timestamp,
        "miner": checksum(block.coinbase),
        "stateRoot": hexed(block.state_root),
        "transactionsRoot": hexed(block.transactions_root),
        "receiptsRoot": hexed(block.receipts_root),
        "logsBloom": hexed(block.logs_bloom),
        "baseFeePerGas": str(block.base_fee),
        "gasLimit": block.gas_limit,
        "gasUsed": block.gas_used,
        "size": block.size,
        "transactions": [hexed(digest) for digest in block.transactions],
    }
