"""Transactions sent: signed elsewhere, signed here with a development key, or not signed at all."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

from contractvm.node.arrival import receipt_when_mined
from contractvm.node.fault import PARAMS, Fault
from contractvm.node.fill import Draft, draft_of
from contractvm.node.methods.calls import kind_of
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.shapes import transaction_document
from contractvm.node.values import ANY, DATA, OBJECT, TEXT, U64
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash

rows = Rows()

RAW = Param("transaction", DATA)
FIELDS = Param("transaction", OBJECT)
Taken = Hash | Awaitable[Hash]
"""A hash, now or when its block is there."""


def answered(taken: Taken) -> str | Awaitable[str]:
    """A hash as it is written, now or later."""
    return "0x" + taken.hex() if isinstance(taken, bytes) else _later(taken)


async def _later(taken: Awaitable[Hash]) -> str:
    return "0x" + (await taken).hex()


async def _whole(taken: Taken) -> Hash:
    return taken if isinstance(taken, bytes) else await taken


def draft(node: Node, fields: Mapping[str, Any]) -> Draft:
    """What a client describes; without `from` it is the first development account's. Raises: Fault."""
    return draft_of(fields, node.chain.chain_id, next(iter(node.keys), None))


def impersonates(node: Node, sender: Address) -> bool:
    """Whether this account may send without a key."""
    return sender in node.impersonated or node.impersonate_all


def signed(node: Node, tx: Transaction, sender: Address) -> Transaction:
    """The transaction as its sender sends it. Raises: Fault when there is neither a key nor leave to do without."""
    secret = node.keys.get(sender)
    if secret is not None:
        done = tx.sign(secret)
        done.keep_sender(sender)
        return done
    if impersonates(node, sender):
        return unsigned(tx, sender)
    raise no_signer(sender)


def unsigned(tx: Transaction, sender: Address) -> Transaction:
    """The transaction as sent by anybody. Raises: Fault for the zero address, which nothing could tell from nobody."""
    if not any(sender):
        raise Fault(PARAMS, "the zero address cannot send transactions")
    return tx.impersonate(sender)


def no_signer(sender: Address) -> Fault:
    """Nobody signs for this account."""
    return Fault(
        PARAMS,
        f"No Signer available: this node has no key of 0x{sender.hex()}; send from one of eth_accounts, sign the "
        "transaction and use eth_sendRawTransaction, or allow it with anvil_impersonateAccount",
    )


async def gas_of(node: Node, wish: Draft) -> int:
    """The gas limit that was named, or the least that succeeds once what the sender sent before is in a block.

    Raises: CannotSucceed, Rejected.
    """
    if wish.gas is not None:
        return wish.gas
    waiting = node.chain.pool.of(wish.sender)
    if waiting and node.miner.automine:
        await node.miner.mined(waiting[-1].hash)
    message, most = wish.message, node.chain.gas_limit
    gas = node.pace.run(kind_of("estimate", message), lambda: node.caller.estimate(message, "pending", most).gas)
    return await gas if isinstance(gas, Awaitable) else gas


def take(node: Node, wish: Draft, *, keyless: bool = False) -> Taken:
    """Complete, sign and take a transaction, after what the same account sent before. Raises: Fault, Rejected."""
    sender = wish.sender

    def finish(gas: int) -> Taken:
        tx = wish.complete(node.chain, gas)
        return node.take(unsigned(tx, sender) if keyless else signed(node, tx, sender))

    if not keyless and sender not in node.keys and not impersonates(node, sender):
        raise no_signer(sender)
    if wish.gas is not None and node.turns.free(sender):
        return finish(wish.gas)

    async def turn() -> list[Taken]:
        # In a list, so that the turn ends when the transaction is taken and not when it is mined.
        return [finish(await gas_of(node, wish))]

    task = node.turns.after(sender, turn)

    async def whole() -> Hash:
        return await _whole((await task)[0])

    return whole()


@rows.method("eth_sendRawTransaction", RAW, result="hash")
def send_raw(node: Node, raw: bytes) -> str | Awaitable[str]:
    """Take a signed transaction; with automining, answer when it is in a block."""
    return answered(node.send(raw))


@rows.method("eth_sendRawTransactionSync", RAW, Param("milliseconds", U64, None), result="receipt")
async def send_raw_sync(node: Node, raw: bytes, milliseconds: int | None) -> dict[str, Any]:
    """Take a signed transaction and answer with its receipt, or with error 4 when there is none in time."""
    digest = await _whole(node.send(raw))
    return await receipt_when_mined(node, digest, None if milliseconds is None else milliseconds / 1000)


@rows.method("eth_sendTransaction", FIELDS, result="hash", aliases=["wallet_sendTransaction"])
def send(node: Node, fields: Mapping[str, Any]) -> str | Awaitable[str]:
    """Complete a transaction, sign it with a development key, and take it; impersonated accounts need no key."""
    return answered(take(node, draft(node, fields)))


@rows.method("eth_sendTransactionSync", FIELDS, Param("milliseconds", U64, None), result="receipt")
async def send_sync(node: Node, fields: Mapping[str, Any], milliseconds: int | None) -> dict[str, Any]:
    """Send as eth_sendTransaction does and answer with the receipt."""
    digest = await _whole(take(node, draft(node, fields)))
    return await receipt_when_mined(node, digest, None if milliseconds is None else milliseconds / 1000)


@rows.method("eth_sendUnsignedTransaction", FIELDS, result="hash")
def send_unsigned(node: Node, fields: Mapping[str, Any]) -> str | Awaitable[str]:
    """Take a transaction of any account as if it had been signed."""
    return answered(take(node, draft(node, fields), keyless=True))


@rows.method("personal_sendTransaction", FIELDS, Param("password", TEXT, ""), result="hash")
def personal_send(node: Node, fields: Mapping[str, Any], password: str) -> str | Awaitable[str]:
    """Send as eth_sendTransaction does; development keys have no password."""
    return send(node, fields)


@rows.method("eth_fillTransaction", FIELDS, Param("block", ANY, None), result="transaction and its bytes, not signed")
async def fill(node: Node, fields: Mapping[str, Any], block: object) -> dict[str, Any]:
    """Complete a transaction without signing or sending it."""
    wish = draft(node, fields)
    tx = wish.complete(node.chain, await gas_of(node, wish))
    return {"raw": "0x" + tx.encode().hex(), "tx": transaction_document(tx.unsigned_by(wish.sender))}


@rows.method("eth_signTransaction", FIELDS, result="signed transaction")
async def sign(node: Node, fields: Mapping[str, Any]) -> str:
    """Complete a transaction and sign it with a development key, without sending it."""
    wish = draft(node, fields)
    secret = node.keys.get(wish.sender)
    if secret is None:
        raise no_signer(wish.sender)
    return "0x" + wish.complete(node.chain, await gas_of(node, wish)).sign(secret).encode().hex()
