"""The state that `pending` means: what the next block would leave, were it made now of what waits.

What was run once is not run again when more transactions wait behind it; when another would come first, or the block
would have another time or fee, all are run anew. Never: changes the pool or the chain.
"""

from __future__ import annotations

from contractvm.block import Header
from contractvm.chain import Chain
from contractvm.errors import Rejected
from contractvm.execute import BlockContext
from contractvm.nesting import RaisedRecursionLimit
from contractvm.types import Hash
from state.world import World

Frame = tuple[int, int, bytes, int, int]
"""What of a block its transactions may see: height, time, receiver of tips, base fee, gas limit."""


class Upcoming:
    """The next block of one chain, as far as it would be filled. Belongs to one thread."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._executor = chain.executor
        self._head: Header | None = None
        self._frame: Frame | None = None
        self._base: World
        self._world: World
        self._tried: list[tuple[Hash, bool]] = []
        self._gas_left = 0

    def stage(self) -> tuple[World, BlockContext]:
        """The world after all that waits and fits, and the block it is in. Roll back what is done to it."""
        chain = self._chain
        head, context = chain.head, chain.context("pending")
        frame = (context.number, context.timestamp, context.coinbase, context.base_fee, context.gas_limit)
        if head is not self._head or frame != self._frame or not self._extend(context):
            self._head = None
            self._base, self._world = chain.world(context.number - 1), chain.world(context.number - 1)
            self._head, self._frame = head, frame
            self._tried, self._gas_left = [], context.gas_limit
            self._extend(context)
        return self._world, context

    def forget(self) -> None:
        """Let go of the state: it is of a block that was."""
        if self._head is not None:
            self._head = None
            del self._base, self._world, self._tried

    def _extend(self, context: BlockContext) -> bool:
        """Run what has come since; False when what was run would not be what comes first."""
        executor = self._executor
        selection = self._chain.pool.select(context.base_fee, self._base.nonce)
        place = 0
        with RaisedRecursionLimit():
            while (tx := selection.next()) is not None:
                if place < len(self._tried):
                    digest, fits = self._tried[place]
                    if digest != tx.hash:
                        return False
                elif self._gas_left < executor.prices.base:
                    break
                else:
                    fits = True
                    try:
                        executed = executor.apply(tx, self._world, context, self._gas_left, raised=True)
                        self._gas_left -= executed.gas_used
                    except Rejected:
                        fits = False
                    self._tried.append((tx.hash, fits))
                if not fits:
                    selection.skip()
                place += 1
        return place == len(self._tried)
