"""The front page, and the lists of blocks and of transactions.

Never: reads more blocks than it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from contractvm.block import Header
from contractvm.node.explorer.lens import Entry, Lens
from contractvm.node.explorer.request import Page, Request

FRONT: Final = 10
LISTED: Final = 25
LOOKED: Final = 500
"""Blocks that are looked through for transactions, for one page."""


@dataclass(frozen=True, slots=True)
class Row:
    """A block, as lists show it."""

    header: Header
    transactions: int


def rows(lens: Lens, before: int | None, count: int) -> list[Row]:
    """Blocks below a height, the latest first."""
    return [Row(block.header, len(block.transactions)) for block in lens.downward(before, count)]


def latest(lens: Lens, before: int | None, count: int) -> tuple[list[Entry], int]:
    """Transactions of blocks below a height, the latest first; and the lowest height that was looked at.

    A block's transactions come whole, so there may be more than `count`.
    """
    found: list[Entry] = []
    lowest = lens.head.number + 1 if before is None else before
    for block in lens.downward(before, LOOKED):
        lowest = block.number
        if block.transactions:
            found += reversed(lens.entries(block))
        if len(found) >= count:
            break
    return found, lowest


def home(lens: Lens) -> Page:
    """What happens now."""
    entries, _ = latest(lens, None, FRONT)
    return Page("home.html", {"blocks": rows(lens, None, FRONT), "entries": entries[:FRONT]})


def blocks(lens: Lens, request: Request) -> Page:
    """Blocks, 25 on a page."""
    listed = rows(lens, request.number("before"), LISTED)
    return Page("blocks.html", {"blocks": listed, "lowest": listed[-1].header.number if listed else 0})


def transactions(lens: Lens, request: Request) -> Page:
    """Transactions, about 25 on a page."""
    entries, lowest = latest(lens, request.number("before"), LISTED)
    return Page("transactions.html", {"entries": entries, "lowest": lowest})
