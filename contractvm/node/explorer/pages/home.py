"""The front page, and the lists of blocks and of transactions.

Never: reads more blocks than it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contractvm.block import Header
from contractvm.node.explorer.lens import Entry, Lens
from contractvm.node.explorer.request import Page, Request
from contractvm.node.explorer.walk import Walk

FRONT: Final = 10
LISTED: Final = 25
LOOKED: Final = 500
"""Blocks that are looked through for transactions, for one page."""


@dataclass(frozen=True, slots=True)
class Row:
    """A block, as lists show it."""

    header: Header
    transactions: int


def rows(lens: Lens, walk: Walk) -> list[Row]:
    """Blocks, the latest first."""
    return [Row(header, len(lens.chain.block(header.number).transactions)) for header in walk]


def latest(lens: Lens, walk: Walk, count: int) -> list[Entry]:
    """Transactions, the latest first. A block's come whole, so there may be more than `count`."""
    found: list[Entry] = []
    for header in walk:
        if header.gas_used:
            found += reversed(lens.entries(lens.chain.block(header.number)))
        if len(found) >= count:
            break
    return found


def home(lens: Lens) -> Page:
    """What happens now."""
    entries = latest(lens, Walk(lens.chain, None, LOOKED), FRONT)
    blocks = rows(lens, Walk(lens.chain, None, FRONT))
    return Page("home.html", {"blocks": blocks, "entries": entries[:FRONT]})


def blocks(lens: Lens, request: Request) -> Page:
    """Blocks, 25 on a page."""
    walk = Walk(lens.chain, request.number("before"), LISTED)
    return Page("blocks.html", {"blocks": rows(lens, walk), "walk": walk})


def transactions(lens: Lens, request: Request) -> Page:
    """Transactions, about 25 on a page."""
    walk = Walk(lens.chain, request.number("before"), LOOKED)
    return Page("transactions.html", {"entries": latest(lens, walk, LISTED), "walk": walk})
