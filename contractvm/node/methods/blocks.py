"""Blocks, transactions and receipts by number and hash."""

from __future__ import annotations

from typing import Any

from contractvm.chain import BlockId, UnknownBlock
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.shapes import block_document, receipt_document, transaction_document
from contractvm.node.values import BLOCK, BOOLEAN, HASH
from contractvm.types import Hash

rows = Rows()

FULL = Param("full", BOOLEAN, False)


@rows.method("eth_getBlockByNumber", Param("block", BLOCK), FULL, result="block or null")
def block_by_number(node: Node, block: BlockId, full: bool) -> dict[str, Any] | None:
    """A block by height or tag, its transactions whole or by hash."""
    try:
        return block_document(node.chain.block(block), full)
    except UnknownBlock:
        return None


@rows.method("eth_getBlockByHash", Param("hash", HASH), FULL, result="block or null")
def block_by_hash(node: Node, digest: Hash, full: bool) -> dict[str, Any] | None:
    """A block by its hash, its transactions whole or by hash."""
    return block_by_number(node, digest, full)


@rows.method("eth_getTransactionByHash", Param("hash", HASH), result="transaction or null")
def transaction_by_hash(node: Node, digest: Hash) -> dict[str, Any] | None:
    """A transaction in a block or in the pool."""
    included = node.chain.transaction(digest)
    if included is not None:
        fee = node.chain.header(included.block_number).base_fee
        return transaction_document(
            included.transaction, included.block_hash, included.block_number, included.index, fee
        )
    waiting = node.chain.pool.get(digest)
    return None if waiting is None else transaction_document(waiting)


@rows.method("eth_getTransactionReceipt", Param("hash", HASH), result="receipt or null")
def receipt(node: Node, digest: Hash) -> dict[str, Any] | None:
    """What came of a transaction; null while it is in no block."""
    found = node.chain.receipt(digest)
    return None if found is None else receipt_document(found, node.known_errors())
