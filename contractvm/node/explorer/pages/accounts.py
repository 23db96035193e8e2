"""The development accounts, and what waits in the pool."""

from __future__ import annotations

from typing import Final

from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.request import Page

LISTED: Final = 200


def accounts(lens: Lens) -> Page:
    """Accounts whose keys the node has; it signs for them, and shows no key."""
    held = [(who, lens.world.balance(who), lens.world.nonce(who)) for who in lens.accounts]
    return Page("accounts.html", {"held": held})


def pool(lens: Lens) -> Page:
    """What waits, in order of arrival."""
    waiting = list(lens.chain.pool)
    listed = [(tx, lens.method(tx)) for tx in waiting[:LISTED]]
    mining = lens.node.miner
    return Page("pool.html", {"listed": listed, "count": len(waiting), "miner": mining})
