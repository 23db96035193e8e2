"""One transaction: what it asked for, what came of it, and what happened inside."""

from __future__ import annotations

from contractvm.node.explorer import decoded
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.pages.block import digits
from contractvm.node.explorer.request import Missing, Page
from contractvm.node.shapes import why


def digest_of(text: str) -> bytes:
    """A transaction's hash. Raises: Missing."""
    digest = digits(text)
    if digest is None or len(digest) != 32:
        raise Missing(f"{text[:80]!r} is no hash of a transaction: 0x and 64 hex digits")
    return digest


def overview(lens: Lens, text: str) -> Page:
    """A transaction in a block or in the pool. Raises: Missing."""
    digest = digest_of(text)
    included, receipt = lens.chain.transaction(digest), lens.chain.receipt(digest)
    if included is None or receipt is None:
        return waiting(lens, digest)
    tx = included.transaction
    told = lens.creation(tx, receipt.created) if tx.to is None else lens.call(tx.to, tx.data)
    failure = None
    if not receipt.ok:
        failure = decoded.error(lens.errors(tx.to), receipt.output) if receipt.output else None
    facts = {
        "tx": tx,
        "receipt": receipt,
        "header": lens.chain.header(receipt.block_number),
        "told": told,
        "events": [(log, lens.event(log)) for log in receipt.logs],
        "failure": failure,
        "why": "" if receipt.ok else why(receipt, lens.errors(tx.to)),
        "intrinsic": tx.intrinsic_gas(lens.chain.executor.prices),
        "method": lens.method(tx),
        "tab": "overview",
    }
    return Page("transaction.html", facts)


def waiting(lens: Lens, digest: bytes) -> Page:
    """A transaction that waits. Raises: Missing."""
    tx = lens.chain.pool.get(digest)  # type: ignore[arg-type]
    if tx is None:
        raise Missing(
            f"no transaction 0x{digest.hex()} is in a kept block or in the pool; "
            "it may have been dropped, or the chain was set back"
        )
    return Page("waiting.html", {"tx": tx, "told": lens.call(tx.to, tx.data), "method": lens.method(tx)})
