"""One address: what it has, and the transactions that touch it.

There is no index by address: blocks are looked through, the latest first, so many or so long at a time, and the page
says how far. Never: claims to have seen more than it has.
"""

from __future__ import annotations

from typing import Any, Final

from contractvm.node.explorer.lens import Entry, Lens
from contractvm.node.explorer.pages.block import digits
from contractvm.node.explorer.request import Missing, Page, Request
from contractvm.node.explorer.walk import Walk
from contractvm.receipt import Receipt
from contractvm.types import Address

LISTED: Final = 25


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
    walk = Walk(lens.chain, request.number("before"))
    found = touching(lens, who, walk)
    return Page("address.html", {**heading(lens, who, "transactions"), "entries": found, "walk": walk})


def touching(lens: Lens, who: Address, walk: Walk) -> list[Entry]:
    """Transactions that an address sent, got, was made by or logged in."""
    found: list[Entry] = []
    for header in walk:
        if header.gas_used:
            receipts = lens.chain.receipts(header.number)
            if any(touches(receipt, who) for receipt in receipts):
                entries = lens.entries(lens.chain.block(header.number))
                found += [entry for entry in reversed(entries) if touches(entry.receipt, who)]
        if len(found) >= LISTED:
            break
    return found


def touches(receipt: Receipt, who: Address) -> bool:
    """Whether an address has to do with a transaction."""
    if who in (receipt.sender, receipt.to, receipt.created):
        return True
    return any(log.address == who for log in receipt.logs)
