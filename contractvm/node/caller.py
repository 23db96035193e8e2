"""Runs messages that change nothing, on worlds that are used again.

Making a world and reading the same accounts into it costs as much as a short call itself. So calls on the head's state
that happen on the event loop's thread share a world, which each of them leaves as it found it; it is dropped when a
block comes, because it holds on to the state before. And as nothing but state and message decides what a call gives
back, what one gave back is remembered for as long, for whoever asks the same again: pages that poll do nothing else.
Never: keeps anything that a call wrote.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Final, TypeVar

from contractvm.chain import BlockId, Chain, UnknownBlock
from contractvm.estimate import Estimate, estimate
from contractvm.execute import BlockContext, Executed, Message, Series
from contractvm.frames import Frames
from contractvm.nesting import RaisedRecursionLimit
from contractvm.node.access import Accessed, access_list
from contractvm.node.feed import News
from contractvm.node.overrides import NOTHING, Overrides
from contractvm.node.pace import SHORT
from contractvm.node.upcoming import Upcoming
from contractvm.transaction import Transaction
from contractvm.types import Address
from state.database import HeightError
from state.world import World

T = TypeVar("T")

KEPT_RECORDS: Final = 100_000
"""Accounts, slots and codes that the shared world may have read before it is dropped."""
MOST_ANSWERS: Final = 4_096
LONGEST_ANSWER: Final = 2_048
"""Calls on one state that are remembered; characters of what each gave back, and bytes that it was given."""
OFTEN: Final = 8
"""Short messages to a function of a contract, on one head, from which on they are a series."""
MOST_SERIES: Final = 32
MOST_COUNTED: Final = 1_024
"""Contracts at a time, each of which keeps an instance; functions whose messages are counted."""
_HEADS: Final = frozenset({"latest", "safe", "finalized"})

Scratch = Callable[[], World]


Asked = tuple[object, ...]
"""All of a message."""


class Answers:
    """What calls on one state gave back, in hex, of those that are asked again and again: from the second time on.

    Whoever has run one, on whatever thread, may add to it.
    """

    __slots__ = ("known", "once")

    def __init__(self) -> None:
        self.known: dict[Asked, str] = {}
        self.once: set[int] = set()
        """What was given, by its hash alone: most of what is asked once is not asked again."""

    def keep(self, asked: Asked, output: str) -> None:
        """Remember what a message gave back, unless it is long."""
        if len(output) <= LONGEST_ANSWER:
            if len(self.known) >= MOST_ANSWERS:
                self.known.clear()
            self.known[asked] = output


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
        self._answers = Answers()
        self._contracts: dict[Address, Series] = {}
        self._series: dict[tuple[Address | None, bytes], Series | int] = {}
        """By contract and selector: of those that were called often, and of others how often."""
        self._frames: Frames | None = None
        self._together = False

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
            self._together = True
            try:
                yield
            finally:
                self._together = False

    def recall(self, message: Message, at: BlockId) -> str | Callable[[str], None] | None:
        """What a message gives back on the head, in hex, if that is known or can be found in a series.

        Otherwise whom to tell, if it was asked before on the same state. On the event loop's thread. A call that ends
        when the head has moved may still be told of: nobody asks for it any more. Raises: Fatal; as `world`.
        """
        if at not in _HEADS:
            return None
        if self._chain.moves != self._moves:
            self._renew()
        answers, data = self._answers, message.data
        once, number = answers.once, hash(data)
        keep = None
        if number in once:
            m = message
            asked = data, m.to, m.sender, m.value, m.gas_limit, m.gas_price, m.access_list
            known = answers.known.get(asked)
            if known is not None:
                return known
            # Neither what is long, nor where somebody wants to hear it again.
            if len(data) <= LONGEST_ANSWER and not m.access_list and self._context.debug is None:
                keep = partial(answers.keep, asked)
        else:
            if len(once) >= MOST_ANSWERS:
                once.clear()
            once.add(number)
        series = self._series.get((message.to, data[:4]))
        if series.__class__ is Series:
            text = self._in_series(series, message)
            if text is not None:
                if keep is not None:
                    keep(text)
                return text
        return keep

    def ran(self, message: Message, at: BlockId) -> None:
        """A message was run on the event loop's thread, in a moment: if its kind often was, the next are a series."""
        if at not in _HEADS or self._chain.moves != self._moves or message.to is None:
            return
        kind = message.to, message.data[:4]
        times = self._series.get(kind, 0)
        if isinstance(times, Series):  # which this message was none for
            return
        if len(self._series) >= MOST_COUNTED:
            self._end_series()
        self._series[kind] = times + 1
        if times + 1 == OFTEN and self._world is not None and self._frames is not None:
            one = self._contracts.get(message.to)
            if one is None:
                if len(self._contracts) >= MOST_SERIES:
                    self._end_series()
                one = self._executor.series(self._world, self._frames, message.to)
            if one is not None:
                self._contracts[message.to] = self._series[kind] = one

    def _in_series(self, series: Series, message: Message) -> str | None:
        """What a message gives back; None where it fails, or is none for a series."""
        m = message
        if m.value or m.gas_price or m.access_list or m.gas_limit is None:
            return None
        start = perf_counter()
        if self._together:
            output = series.output(m.sender, m.data, m.gas_limit)
        else:
            self._bound()
            if self._world is None:
                return None
            with RaisedRecursionLimit():
                output = series.output(m.sender, m.data, m.gas_limit)
        if output is None or perf_counter() - start > SHORT:
            self._series[m.to, m.data[:4]] = 0  # whether it is worth it is to be seen again
        return None if output is None else "0x" + output.hex()

    def _end_series(self) -> None:
        for each in self._contracts.values():
            each.end()
        self._contracts, self._series = {}, {}

    def call(self, message: Message, at: BlockId, overrides: Overrides = NOTHING) -> Executed:
        """Run a message on the state at a block. Raises: Rejected when it could not be sent; UnknownBlock."""
        world, context, frames = self._stage(at)
        raised = self._together and frames is not None  # which are of the event loop's thread
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
        if home and (at in _HEADS or at == "pending"):
            if not self._together:
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
        self._end_series()
        self._world = self._frames = None
        self._answers, self._moves = Answers(), -1

    def _drop(self) -> None:
        self._let_go()
        self._upcoming.forget()
