"""The contracts that transactions made, the latest first.

Blocks are looked through as an address's are. Contracts made by other contracts are on the pages of those transactions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from contractvm.block import Header
from contractvm.node.artifacts import Known
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.request import Page, Request
from contractvm.receipt import Receipt
from contractvm.types import Address

LISTED: Final = 50
BLOCKS: Final = 20_000
SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Made:
    """A contract and the transaction that made it; `size` is in bytes of code now."""

    address: Address
    receipt: Receipt
    header: Header
    known: Known | None
    kind: str
    size: int


def made(lens: Lens, before: int | None, most: int = LISTED, name: str = "") -> tuple[list[Made], int, int]:
    """Contracts of blocks below a height, of a name if one is given; from which height down to which was looked."""
    found: list[Made] = []
    top = lens.head.number if before is None else max(min(before - 1, lens.head.number), 0)
    lowest = top + 1
    end = time.monotonic() + SECONDS
    for height in range(top, max(top - BLOCKS, -1), -1):
        lowest = height
        header = lens.chain.header(height)
        if header.gas_used:
            found += of_block(lens, header, name)
        if len(found) >= most or time.monotonic() > end:
            break
    return found, top, lowest


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
    found, top, lowest = made(lens, request.number("before"))
    return Page("contracts.html", {"contracts": found, "top": top, "lowest": lowest})
