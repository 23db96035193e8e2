"""Runs messages that change nothing, on worlds that are used again.

Making a world and reading the same accounts into it costs as much as a short call itself. So calls on the head's state
that happen on the event loop's thread share a world, which each of them leaves as it found it; it is dropped when a
block comes, because it holds on to the state before. Never: keeps anything that a call wrote.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, TypeVar

from contractvm.chain import BlockId, Chain, UnknownBlock
from contractvm.estimate import Estimate, estimate
from contractvm.execute import BlockContext, Executed, Message
from contractvm.frames import Frames
from contractvm.nesting import RaisedRecursionLimit
from contractvm.node.access import Accessed, access_list
from contractvm.node.feed import News
from contractvm.node.overrides import NOTHING, Overrides
from contractvm.node.upcoming import Upcoming
from contractvm.transaction import Transaction
from state.database import HeightError
from state.world import World

T = TypeVar("T")

KEPT_RECORDS: Final = 100_000
"""Accounts, slots and codes that the shared world may have read before it is dropped."""
HEADS: Final = frozenset({"latest", "safe", "finalized"})
"""Names of the head."""

Scratch = Callable[[], World]


class Caller:
    """Runs messages on one chain, from any thread; a `Listener`."""

    def __init__(self, chain: Chain, patient: Callable[[], bool] = lambda: False) -> None:
        """The calling thread is the event loop's. `patient`: whether what waits may wait for long, so that `pending`
        is the state after it and not the head's.
        """
        self._chain = chain
        self._patient = patient
        self._upcoming = Upcoming(chain)
        self._executor = chain.executor
        self._home = threading.get_ident()
        self._moves = -1
        """`Chain.moves` when the world was made that is shared. Of heads there can be one again: the first block."""
        self._world: World | None = None
        self._context: BlockContext
        self._frames: Frames | None = None
        self.raised = False
        """Whether Python's recursion limit is raised, `together`."""

    def settle(self) -> None:
        """The calling thread is the event loop's from now on."""
        self._home = threading.get_ident()

    def sealed(self, news: News) -> None:
        """A block is the new head: let go of the state before it."""
        self._drop()

    def arrived(self, transaction: Transaction) -> None:
        """What waits in the pool changes no call."""

    def world(self, at: BlockId) -> World:
        """The state at a block, to be read and left as it is. Raises: UnknownBlock."""
        return self._stage(at)[0]

    def stage(self, at: BlockId) -> tuple[World, BlockContext]:
        """A world over the state at a block, and what a call sees as its block: of the caller's own, to be changed.

        From other threads than the event loop's. Raises: UnknownBlock.
        """
        return self._stage(at)[:2]

    @contextmanager
    def together(self) -> Iterator[None]:
        """`with`, on the event loop's thread, around many calls: what is the same for all of them is done once.

        That is raising Python's recursion limit, and looking at how much the shared world holds.
        """
        self._bound()
        with RaisedRecursionLimit():
            self.raised = True
            try:
                yield
            finally:
                self.raised = False

    def call(self, message: Message, at: BlockId, overrides: Overrides = NOTHING) -> Executed:
        """Run a message on the state at a block. Raises: Rejected when it could not be sent; UnknownBlock."""
        world, context, frames = self._stage(at)
        raised = self.raised and frames is not None  # which are of the event loop's thread
        mark = world.checkpoint()
        try:
            if overrides is not NOTHING:
                context, frames = overrides.apply(world, context), None
            return self._executor.simulate(message, world, context, raised=raised, frames=frames)
        finally:
            world.rollback(mark)

    def estimate(self, message: Message, at: BlockId, most: int, overrides: Overrides = NOTHING) -> Estimate:
        """The least gas limit, up to `most`, that succeeds where one less fails.

        Raises: CannotSucceed, Rejected, UnknownBlock.
        """

        def run(scratch: Scratch, context: BlockContext) -> Estimate:
            if context.gas_limit > most:
                context = replace(context, gas_limit=most)
            with RaisedRecursionLimit():
                return estimate(self._executor, message, scratch, context, raised=True)

        return self._with(at, overrides, run)

    def access_list(self, message: Message, at: BlockId, overrides: Overrides = NOTHING) -> Accessed:
        """The access list of what a message touches. Raises: Rejected, UnknownBlock."""
        return self._with(
            at, overrides, lambda scratch, context: access_list(self._executor, message, scratch, context)
        )

    def _with(self, at: BlockId, overrides: Overrides, run: Callable[[Scratch, BlockContext], T]) -> T:
        """Run with a world that is as before each time it is asked for."""
        world, context, _ = self._stage(at)
        start = world.checkpoint()
        if overrides is not NOTHING:
            context = overrides.apply(world, context)
        mark = world.checkpoint()

        def scratch() -> World:
            world.rollback(mark)
            return world

        try:
            return run(scratch, context)
        finally:
            world.rollback(start)

    def _stage(self, at: BlockId) -> tuple[World, BlockContext, Frames | None]:
        """A world over the state at a block and what a call sees as its block: of one block, should the head move.

        And the frames that were made for both, if any were.
        """
        chain = self._chain
        home = threading.get_ident() == self._home
        if at == "pending" and len(chain.pool) and self._patient():
            return *(self._upcoming if home else Upcoming(chain)).stage(), None
        if home and (at in HEADS or at == "pending"):
            if not self.raised:
                self._bound()
            world = self._world
            if world is None or chain.moves != self._moves:
                world = self._renew()
            if at != "pending":
                return world, self._context, self._frames
            context = chain.context(at)
            if context.number == self._context.number + 1:
                return world, context, None
        context = chain.context(at)
        return chain.world(context.number - 1 if at == "pending" else context.number), context, None

    def _bound(self) -> None:
        """Let go of the shared world if it holds too much."""
        if self._world is not None and self._world.kept > KEPT_RECORDS:
            self._let_go()

    def _renew(self) -> World:
        """Share a world over the head, and let go of what belongs to another. Raises: UnknownBlock, HeightError."""
        self._let_go()
        chain = self._chain
        while True:
            # Counted first: should the head move meanwhile, all of this is made anew when somebody next looks.
            moves, head = chain.moves, chain.head
            try:
                world, self._context = chain.world(head.number), chain.context(head.number)
            except (UnknownBlock, HeightError):
                if chain.moves == moves:
                    raise
            else:
                break
        self._frames = self._executor.frames(world, self._context)
        self._world, self._moves = world, moves
        return world

    def _let_go(self) -> None:
        self._world = self._frames = None
        self._moves = -1

    def _drop(self) -> None:
        self._let_go()
        self._upcoming.forget()
