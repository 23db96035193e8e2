"""Blocks, transactions and receipts by number, hash and place; whole, as headers, or as the bytes that are hashed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from contractvm.archive import Included
from contractvm.block import Block, Header
from contractvm.chain import BlockId, Pruned, UnknownBlock
from contractvm.node.fault import SERVER, Fault
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.shapes import (
    block_document,
    header_document,
    pending_document,
    receipt_document,
    transaction_document,
)
from contractvm.node.values import BLOCK, BOOLEAN, HASH, U64, data_hex
from contractvm.receipt import logs_bloom
from contractvm.transaction import Transaction
from contractvm.types import Hash

rows = Rows()

AT = Param("block", BLOCK)
BLOCK_HASH = Param("hash", HASH)
FULL = Param("full", BOOLEAN, False)
INDEX = Param("index", U64)
TX_HASH = Param("hash", HASH)

Document = dict[str, Any]
PENDING = "pending"
T = TypeVar("T")


def block_of(node: Node, block: BlockId) -> Block | None:
    """A block; None when there is none. Raises: Pruned."""
    try:
        return node.chain.block(block)
    except Pruned:
        raise
    except UnknownBlock:
        return None


def header_of(node: Node, block: BlockId) -> Header | None:
    """A block's header; None when there is none. Raises: Pruned."""
    try:
        return node.chain.header(block)
    except Pruned:
        raise
    except UnknownBlock:
        return None


def pending(node: Node) -> tuple[Header, list[Transaction]]:
    """The next block as it would be: its header, and what waits and fits, as far as gas limits tell."""
    chain = node.chain
    head, context = chain.head, chain.context(PENDING)
    header = Header(
        parent_hash=head.hash,
        coinbase=context.coinbase,
        number=context.number,
        gas_limit=context.gas_limit,
        timestamp=context.timestamp,
        base_fee=context.base_fee,
    )
    selection, left = chain.pool.select(context.base_fee, chain.world().nonce), context.gas_limit
    transactions: list[Transaction] = []
    while left >= chain.executor.prices.base and (tx := selection.next()) is not None:
        if tx.gas_limit > left:
            selection.skip()
        else:
            transactions.append(tx)
            left -= tx.gas_limit
    return header, transactions


def count(node: Node, block: BlockId) -> str | None:
    """Transactions of a block."""
    if block == PENDING:
        return hex(len(pending(node)[1]))
    found = block_of(node, block)
    return None if found is None else hex(len(found.transactions))


def at_index(node: Node, block: BlockId, index: int) -> Document | None:
    """A block's transaction by its place."""
    if block == PENDING:
        waiting = pending(node)[1]
        return transaction_document(waiting[index]) if index < len(waiting) else None
    found = block_of(node, block)
    if found is None or index >= len(found.transactions):
        return None
    header = found.header
    tx, fee = found.transactions[index], header.base_fee
    return transaction_document(tx, header.hash, header.number, index, fee, header.timestamp)


def raw_at_index(node: Node, block: BlockId, index: int) -> str | None:
    """The bytes of a block's transaction by its place."""
    found = block_of(node, block)
    return None if found is None or index >= len(found.transactions) else data_hex(found.transactions[index].encode())


def paced(node: Node, what: str, header: Header, write: Callable[[], T]) -> T | Awaitable[T]:
    """What `write` makes of a whole block, later when blocks as full as this one have taken long."""
    return node.pace.run((what, header.gas_used.bit_length()), write)


@rows.method("eth_getBlockByNumber", AT, FULL, result="block or null")
def block_by_number(node: Node, block: BlockId, full: bool) -> Document | Awaitable[Document | None] | None:
    """A block by height or tag, its transactions whole or by hash."""
    if block == PENDING:
        return pending_document(*pending(node), full)
    header = header_of(node, block)
    if header is None:
        return None

    def write() -> Document | None:
        # By its own name, not by its height: another one may stand there since.
        found = block_of(node, block if isinstance(block, bytes) else header.number)
        return None if found is None else block_document(found, full)

    return paced(node, "full block" if full else "block", header, write)


@rows.method("eth_getBlockByHash", BLOCK_HASH, FULL, result="block or null")
def block_by_hash(node: Node, digest: Hash, full: bool) -> Document | Awaitable[Document | None] | None:
    """A block by its hash, its transactions whole or by hash."""
    return block_by_number(node, digest, full)


@rows.method("eth_getHeaderByNumber", AT, result="header or null")
def header_by_number(node: Node, block: BlockId) -> Document | None:
    """A block's header by height or tag."""
    found = header_of(node, block)
    return None if found is None else header_document(found)


@rows.method("eth_getHeaderByHash", BLOCK_HASH, result="header or null")
def header_by_hash(node: Node, digest: Hash) -> Document | None:
    """A block's header by its hash."""
    return header_by_number(node, digest)


@rows.method("eth_getBlockTransactionCountByNumber", AT, result="quantity or null")
def count_by_number(node: Node, block: BlockId) -> str | None:
    """Number of transactions of a block by height or tag."""
    return count(node, block)


@rows.method("eth_getBlockTransactionCountByHash", BLOCK_HASH, result="quantity or null")
def count_by_hash(node: Node, digest: Hash) -> str | None:
    """Number of transactions of a block by its hash."""
    return count(node, digest)


@rows.method("eth_getUncleCountByBlockNumber", AT, result="quantity or null")
def uncle_count_by_number(node: Node, block: BlockId) -> str | None:
    """Number of uncles of a block: this chain has none."""
    return None if header_of(node, block) is None else "0x0"


@rows.method("eth_getUncleCountByBlockHash", BLOCK_HASH, result="quantity or null")
def uncle_count_by_hash(node: Node, digest: Hash) -> str | None:
    """Number of uncles of a block: this chain has none."""
    return uncle_count_by_number(node, digest)


@rows.method("eth_getUncleByBlockNumberAndIndex", AT, INDEX, result="null")
def uncle_by_number(node: Node, block: BlockId, index: int) -> None:
    """An uncle of a block: this chain has none."""


@rows.method("eth_getUncleByBlockHashAndIndex", BLOCK_HASH, INDEX, result="null")
def uncle_by_hash(node: Node, digest: Hash, index: int) -> None:
    """An uncle of a block: this chain has none."""


@rows.method("eth_getTransactionByHash", TX_HASH, result="transaction or null")
def transaction_by_hash(node: Node, digest: Hash) -> Document | None:
    """A transaction in a block or in the pool."""
    found = node.chain.transaction(digest)
    if found is not None:
        return included_document(node, found)
    waiting = node.chain.pool.get(digest)
    return None if waiting is None else transaction_document(waiting)


def included_document(node: Node, found: Included) -> Document:
    """A transaction in a block."""
    header = node.chain.header(found.block_number)
    return transaction_document(
        found.transaction, found.block_hash, header.number, found.index, header.base_fee, header.timestamp
    )


@rows.method("eth_getTransactionByBlockNumberAndIndex", AT, INDEX, result="transaction or null")
def transaction_by_number_and_index(node: Node, block: BlockId, index: int) -> Document | None:
    """A transaction by its place in a block of some height or tag."""
    return at_index(node, block, index)


@rows.method("eth_getTransactionByBlockHashAndIndex", BLOCK_HASH, INDEX, result="transaction or null")
def transaction_by_hash_and_index(node: Node, digest: Hash, index: int) -> Document | None:
    """A transaction by its place in a block of some hash."""
    return at_index(node, digest, index)


@rows.method("eth_getTransactionReceipt", TX_HASH, result="receipt or null")
def receipt(node: Node, digest: Hash) -> Document | None:
    """What came of a transaction; null while it is in no block."""
    found = node.chain.receipt(digest)
    if found is None:
        return None
    return receipt_document(found, node.known_errors(), node.chain.header(found.block_number).timestamp)


@rows.method("eth_getBlockReceipts", AT, result="list of receipts or null")
def block_receipts(node: Node, block: BlockId) -> list[Document] | Awaitable[list[Document]] | None:
    """What came of all transactions of a block, in order."""
    header = header_of(node, block)
    if header is None:
        return None
    errors = node.known_errors()

    def write() -> list[Document]:
        return [receipt_document(one, errors, header.timestamp) for one in node.chain.receipts(header.number)]

    return paced(node, "receipts", header, write)


# The bytes themselves, so that clients can check every hash.


@rows.method("eth_getRawTransactionByHash", TX_HASH, result="data or null", aliases=["debug_getRawTransaction"])
def raw_transaction(node: Node, digest: Hash) -> str | None:
    """A transaction as it was sent."""
    found = node.chain.transaction(digest)
    tx = node.chain.pool.get(digest) if found is None else found.transaction
    return None if tx is None else data_hex(tx.encode())


@rows.method("eth_getRawTransactionByBlockNumberAndIndex", AT, INDEX, result="data or null")
def raw_by_number_and_index(node: Node, block: BlockId, index: int) -> str | None:
    """A transaction as it was sent, by its place in a block of some height or tag."""
    return raw_at_index(node, block, index)


@rows.method("eth_getRawTransactionByBlockHashAndIndex", BLOCK_HASH, INDEX, result="data or null")
def raw_by_hash_and_index(node: Node, digest: Hash, index: int) -> str | None:
    """A transaction as it was sent, by its place in a block of some hash."""
    return raw_at_index(node, digest, index)


def known(block: BlockId) -> BlockId:
    """A block whose bytes are fixed. Raises: Fault for the pending one."""
    if block == PENDING:
        raise Fault(SERVER, "the pending block has no bytes yet; ask for latest")
    return block


@rows.method("debug_getRawHeader", AT, result="data")
def raw_header(node: Node, block: BlockId) -> str:
    """A block's header in RLP; its Keccak-256 is the block's hash."""
    return data_hex(node.chain.header(known(block)).encode())


@rows.method("debug_getRawBlock", AT, result="data")
def raw_block(node: Node, block: BlockId) -> str:
    """A block in RLP, as peers would send it."""
    return data_hex(node.chain.block(known(block)).encode())


@rows.method("debug_getRawReceipts", AT, result="list of data")
def raw_receipts(node: Node, block: BlockId) -> list[str]:
    """A block's receipts as consensus encodes them: the leaves under receiptsRoot."""
    return [data_hex(one.encode(logs_bloom(one.logs))) for one in node.chain.receipts(known(block))]
