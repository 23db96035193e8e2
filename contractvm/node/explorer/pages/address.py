"""One address: what it has, and the transactions that touch it.

There is no index by address: blocks are looked through, the latest first, so many or so long at a time, and the page
says how far. Never: claims to have seen more than it has.
"""

from __future__ import annotations

import time
from typing import Any, Final

from contractvm.block import Block
from contractvm.node.explorer.lens import Entry, Lens
from contractvm.node.explorer.pages.block import digits
from contractvm.node.explorer.request import Missing, Page, Request
from contractvm.receipt import Receipt
from contractvm.types import Address

LISTED: Final = 25
BLOCKS: Final = 5_000
SECONDS: Final = 0.5


def address_of(text: str) -> Address:
    """Raises: Missing."""
    content = digits(text)
    if content is None or len(content) != 20:
        raise Missing(f"{text[:80]!r} is no address: 0x and 40 hex digits")
    return Address(content)


def heading(lens: Lens, who: Address, tab: str) -> dict[str, Any]:
    """What every page of an address shows."""
    code = lens.world.code(who)
    return {
        "who": who,
        "balance": lens.world.balance(who),
        "nonce": lens.world.nonce(who),
        "exists": lens.world.exists(who),
        "code": code,
        "code_hash": lens.world.code_hash(who),
        "kind": lens.kind(code) if code else "",
        "known": lens.known(who),
        "storage": lens.world.has_storage(who),
        "tab": tab,
    }


def transactions(lens: Lens, request: Request, text: str) -> Page:
    """An address and the latest transactions that touch it. Raises: Missing."""
    who = address_of(text)
    found, top, lowest = touching(lens, who, request.number("before"))
    return Page("address.html", {**heading(lens, who, "transactions"), "entries": found, "top": top, "lowest": lowest})


def touching(lens: Lens, who: Address, before: int | None) -> tuple[list[Entry], int, int]:
    """Transactions that an address sent, got, was made by or logged in; and from which height down to which was
    looked."""
    found: list[Entry] = []
    top = lens.head.number if before is None else max(min(before - 1, lens.head.number), 0)
    lowest = top + 1
    end = time.monotonic() + SECONDS
    for height in range(top, max(top - BLOCKS, -1), -1):
        receipts = lens.chain.receipts(height)
        lowest = height
        places = [receipt.index for receipt in receipts if touches(receipt, who)]
        if places:
            found += of_block(lens, lens.chain.block(height), receipts, places)
        if len(found) >= LISTED or time.monotonic() > end:
            break
    return found, top, lowest


def of_block(lens: Lens, block: Block, receipts: tuple[Receipt, ...], places: list[int]) -> list[Entry]:
    """Some of a block's transactions, the last first."""
    return [
        Entry(block.transactions[at], receipts[at], block.header, lens.method(block.transactions[at]))
        for at in reversed(places)
    ]


def touches(receipt: Receipt, who: Address) -> bool:
    """Whether an address has to do with a transaction."""
    if who in (receipt.sender, receipt.to, receipt.created):
        return True
    return any(log.address == who for log in receipt.logs)
