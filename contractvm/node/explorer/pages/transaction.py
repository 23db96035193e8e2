"""One transaction: what it asked for, and what came of it."""

from __future__ import annotations

from typing import Any

from contractvm.errors import ContractVMError
from contractvm.node.explorer import decoded
from contractvm.node.explorer.inside import QUICK, Excerpt, culprit, look
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.pages.block import digits
from contractvm.node.explorer.request import Missing, Page
from contractvm.node.shapes import why
from contractvm.types import Hash
from sdk.abi import KNOWN_ERRORS
from state.database import HeightError


def digest_of(text: str) -> bytes:
    """A transaction's hash. Raises: Missing."""
    digest = digits(text)
    if digest is None or len(digest) != 32:
        raise Missing(f"{text[:80]!r} is no hash of a transaction: 0x and 64 hex digits")
    return digest


def heading(lens: Lens, digest: bytes, tab: str) -> dict[str, Any]:
    """What every page of a transaction in a block shows. Raises: Missing."""
    included, receipt = lens.chain.transaction(digest), lens.chain.receipt(digest)
    if included is None or receipt is None:
        raise Missing(
            f"no transaction 0x{digest.hex()} is in a kept block or in the pool; "
            "it may have been dropped, or the chain was set back"
        )
    tx = included.transaction
    return {
        "tx": tx,
        "receipt": receipt,
        "header": lens.chain.header(receipt.block_number),
        "intrinsic": tx.intrinsic_gas(lens.chain.executor.prices),
        "method": lens.method(tx),
        "tab": tab,
    }


def overview(lens: Lens, text: str) -> Page:
    """A transaction in a block or in the pool. Raises: Missing."""
    digest = digest_of(text)
    if lens.chain.pool.get(Hash(digest)) is not None:
        return waiting(lens, digest)
    facts = heading(lens, digest, "overview")
    tx, receipt = facts["tx"], facts["receipt"]
    errors = lens.errors(tx.to if tx.to is not None else receipt.created)
    failed = not receipt.ok
    more = {
        "told": lens.creation(tx, receipt.created) if tx.to is None else lens.call(tx.to, tx.data),
        "events": [(log, lens.event(log)) for log in receipt.logs],
        "failure": decoded.error((*errors, *KNOWN_ERRORS), receipt.output) if failed and receipt.output else None,
        "why": why(receipt, errors) if failed else "",
        "excerpt": excerpt(lens, digest) if failed else None,
    }
    return Page("transaction.html", {**facts, **more})


def excerpt(lens: Lens, digest: bytes) -> Excerpt | None:
    """The source where a transaction failed; None where it is not known, not kept, or too far to follow unasked."""
    try:
        inside = look(lens, digest, QUICK)
    except (ContractVMError, HeightError):
        return None
    return culprit(lens, inside)


def waiting(lens: Lens, digest: bytes) -> Page:
    """A transaction that waits. Raises: Missing when it has just gone."""
    tx = lens.chain.pool.get(Hash(digest))
    if tx is None:
        raise Missing(f"transaction 0x{digest.hex()} has just left the pool; open the page again")
    return Page("waiting.html", {"tx": tx, "told": lens.call(tx.to, tx.data), "method": lens.method(tx)})
