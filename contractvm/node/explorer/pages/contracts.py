"""The contracts that transactions made, the latest first.

Blocks are looked through as an address's are. Contracts made by other contracts are on the pages of those transactions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contractvm.block import Header
from contractvm.node.artifacts import Known
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.request import Page, Request
from contractvm.node.explorer.walk import Walk
from contractvm.receipt import Receipt
from contractvm.types import Address

LISTED: Final = 50


@dataclass(frozen=True, slots=True)
class Made:
    """A contract and the transaction that made it; `size` is in bytes of code now."""

    address: Address
    receipt: Receipt
    header: Header
    known: Known | None
    kind: str
    size: int


def made(lens: Lens, walk: Walk, most: int = LISTED, name: str = "") -> list[Made]:
    """Contracts, of a name if one is given, the latest first."""
    found: list[Made] = []
    for header in walk:
        if header.gas_used:
            found += of_block(lens, header, name)
        if len(found) >= most:
            break
    return found


def of_block(lens: Lens, header: Header, name: str) -> list[Made]:
    """The contracts that a block's transactions made."""
    found = []
    for receipt in reversed(lens.chain.receipts(header.number)):
        address = receipt.created
        if address is None or not receipt.ok:
            continue
        known = lens.known(address)
        if name and (known is None or known.name.lower() != name.lower()):
            continue
        code = lens.world.code(address)
        found.append(Made(address, receipt, header, known, lens.kind(code) if code else "", len(code)))
    return found


def contracts(lens: Lens, request: Request) -> Page:
    """Contracts, with their names where they are known."""
    walk = Walk(lens.chain, request.number("before"))
    return Page("contracts.html", {"contracts": made(lens, walk), "walk": walk})
