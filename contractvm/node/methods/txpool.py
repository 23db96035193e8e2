"""What waits in the pool: pending where a block may take it, queued behind a gap of nonces."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.shapes import transaction_document
from contractvm.node.values import ADDRESS
from contractvm.transaction import Transaction
from contractvm.types import Address

rows = Rows()

BySender = dict[str, dict[str, Any]]
Lines = dict[str, dict[str, str]]
T = TypeVar("T")

FEW: Final = 500
"""Transactions that are written down on the event loop's thread."""


def written(node: Node, write: Callable[[], T]) -> T | Awaitable[T]:
    """What `write` makes of the pool, later when that is large. The pool may change meanwhile."""
    return write() if len(node.chain.pool) <= FEW else node.pace.elsewhere(write)


def waiting(node: Node) -> tuple[list[Transaction], list[Transaction]]:
    """(pending, queued), each by sender in nonce order."""
    return node.chain.pool.content(node.chain.world().nonce)


def by_nonce(transactions: Iterable[Transaction]) -> dict[str, Any]:
    """The transactions of one sender, whole, under their nonces."""
    return {str(tx.nonce): transaction_document(tx) for tx in transactions}


def by_sender(transactions: Iterable[Transaction]) -> BySender:
    """Whole, under sender and nonce."""
    found: BySender = {}
    for tx in transactions:
        found.setdefault("0x" + tx.sender.hex(), {})[str(tx.nonce)] = transaction_document(tx)
    return found


def summary(tx: Transaction) -> str:
    """A transaction in one line, as geth writes it."""
    to = "contract creation" if tx.to is None else "0x" + tx.to.hex()
    return f"{to}: {tx.value} wei + {tx.gas_limit} gas × {tx.max_fee} wei"


@rows.method("txpool_status", result="counts")
def status(node: Node) -> dict[str, str] | Awaitable[dict[str, str]]:
    """How many transactions wait."""

    def write() -> dict[str, str]:
        pending, queued = waiting(node)
        return {"pending": hex(len(pending)), "queued": hex(len(queued))}

    return written(node, write)


@rows.method("txpool_content", result="transactions by sender and nonce")
def content(node: Node) -> dict[str, BySender] | Awaitable[dict[str, BySender]]:
    """All that waits, whole."""

    def write() -> dict[str, BySender]:
        pending, queued = waiting(node)
        return {"pending": by_sender(pending), "queued": by_sender(queued)}

    return written(node, write)


@rows.method("txpool_contentFrom", Param("address", ADDRESS), result="transactions by nonce")
def content_from(node: Node, sender: Address) -> dict[str, dict[str, Any]] | Awaitable[dict[str, dict[str, Any]]]:
    """All that waits of one sender, whole."""

    def write() -> dict[str, dict[str, Any]]:
        pending, queued = waiting(node)
        return {
            "pending": by_nonce(tx for tx in pending if tx.sender == sender),
            "queued": by_nonce(tx for tx in queued if tx.sender == sender),
        }

    return written(node, write)


@rows.method("txpool_inspect", result="lines by sender and nonce")
def inspect(node: Node) -> dict[str, Lines] | Awaitable[dict[str, Lines]]:
    """All that waits, a line each."""

    def write() -> dict[str, Lines]:
        return {kind: by_line(found) for kind, found in zip(("pending", "queued"), waiting(node), strict=True)}

    return written(node, write)


def by_line(transactions: Iterable[Transaction]) -> Lines:
    """In a line each, under sender and nonce."""
    lines: Lines = {}
    for tx in transactions:
        lines.setdefault("0x" + tx.sender.hex(), {})[str(tx.nonce)] = summary(tx)
    return lines
