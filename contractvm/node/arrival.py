"""Waiting for a transaction to be in a block, where nobody is asked to make one.

Source: EIP-7966 for `eth_sendRawTransactionSync` and its error. Never: wakes the miner.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from contractvm.node.fault import Fault
from contractvm.node.feed import News
from contractvm.node.node import Node
from contractvm.node.shapes import receipt_document
from contractvm.transaction import Transaction
from contractvm.types import Hash

SECONDS: Final = 30.0
"""The longest that a client may wait, and how long it waits when it does not say."""
NOT_MINED: Final = 4
"""EIP-7966's code: it waits in the pool still."""


class Arrival:
    """A `Listener` that hears of one transaction."""

    def __init__(self, digest: Hash) -> None:
        self._digest = digest
        self.mined: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def sealed(self, news: News) -> None:
        """A block is the new head."""
        if not self.mined.done() and any(tx.hash == self._digest for tx in news.block.transactions):
            self.mined.set_result(None)

    def arrived(self, transaction: Transaction) -> None:
        """A transaction waits in the pool; which is not enough."""


async def receipt_when_mined(node: Node, digest: Hash, seconds: float | None) -> dict[str, Any]:
    """The receipt of a transaction that was taken. Raises: Fault when its block is not there in time."""
    limit = SECONDS if seconds is None else min(seconds, SECONDS)
    if node.chain.receipt(digest) is None:
        arrival = Arrival(digest)
        node.feed.add(arrival)
        try:
            await asyncio.wait_for(arrival.mined, limit)
        except TimeoutError:
            name = "0x" + digest.hex()
            message = f"the transaction is in the pool, but in no block after {limit:g} seconds"
            raise Fault(NOT_MINED, message, name) from None
        finally:
            node.feed.remove(arrival)
    found = node.chain.receipt(digest)
    if found is None:
        raise Fault(NOT_MINED, "the transaction was mined, and its block undone since", "0x" + digest.hex())
    return receipt_document(found, node.known_errors(), node.chain.header(found.block_number).timestamp)
