"""When blocks are made, and on which thread: at once, in intervals, or when asked.

One thread changes the chain at a time: the writer's, or the event loop's own where what waits is known to be short
(`pace`), the chain is in memory and nobody else writes; going to another thread and back costs as much as a transfer.
Transactions that arrive together, or while a block is being made, share the next one, and so one write to the disk.
Whoever waits for a transaction is answered when its block can be read, which a durable chain has synced by then, or
when it cannot run now. A block that is made on the loop's thread is *due* first: whoever sent its transaction may be
answered before it is made, since it is made before anything else is asked (`settle`), and while the answer travels.
Where it cannot be made here after all, because somebody else has begun to write, who asks next waits for it.
Never: runs anything of unknown length where requests are answered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from contractvm.block import Block
from contractvm.chain import Chain
from contractvm.node.pace import Pace
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.errors import StoreError

T = TypeVar("T")

log: Final = logging.getLogger("contractvm.node")

PAYMENT_GAS: Final = 21_000
"""With which nothing is left to run code."""
TURN: Final = 0.01
"""Seconds for which blocks are made at a stretch, before others who write have their turn."""


MOST_HERE: Final = 16
LONGEST_HERE: Final = 0.004
"""Transactions, and seconds that they are expected to take, of a block that is made on the event loop's thread."""


def kind_of(tx: Transaction) -> Hashable | None:
    """What takes as long: the same function of the same contract. None for a payment that cannot run code."""
    if tx.gas_limit <= PAYMENT_GAS and not tx.data and tx.to is not None:
        return None
    return "tx", tx.to, tx.data[:4] if tx.to is not None else tx.hash


def complain(error: Exception) -> None:
    """Say why there is no block; of a failure of the disk the words are enough."""
    log.error("no block could be made: %s", error, exc_info=None if isinstance(error, StoreError) else error)


def _seen(future: asyncio.Future[Hash]) -> None:
    """Whoever waits for a promise asks the chain afterwards, and not for the error, which was complained of."""
    if not future.cancelled():
        future.exception()


class Miner:
    """Makes a chain's blocks. Belongs to the event loop's thread."""

    def __init__(
        self,
        chain: Chain,
        sealed: Callable[[Block], None],
        leaving: Callable[[], None],
        pace: Pace,
        *,
        automine: bool,
        interval: float | None,
    ) -> None:
        """`sealed` is called with each new block, `leaving` before the chain is changed on the other thread.

        `interval` in seconds; with one, blocks come by the clock, empty ones too.
        """
        self._chain = chain
        self._leaving = leaving
        self._pace = pace
        self._writes = 0
        self._called = False
        self._sealed = sealed
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="contractvm-writer")
        self._waiters: dict[Hash, asyncio.Future[Hash]] = {}
        self._worker: asyncio.Task[None] | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._woken = False
        self._due = 0
        self._promises: list[Hash] = []
        self._owed: list[asyncio.Future[Hash]] = []
        self._failed = False
        self._closed = False
        self.automine = automine
        self.interval = interval

    def start(self) -> None:
        """Begin to make blocks in intervals, if there are any."""
        self.set_interval(self.interval)

    async def close(self) -> None:
        """Make no more blocks; one under way or promised is finished."""
        if owed := self.settle():
            await asyncio.wait(owed)
        self.automine, self._closed = False, True
        self.set_interval(None)
        if self._worker is not None:
            await asyncio.wait([self._worker])
        await self.write(lambda: None)
        self._writer.shutdown()

    def set_interval(self, seconds: float | None) -> None:
        """Make a block each so many seconds; None or 0: no more."""
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        self.interval = seconds or None
        if self.interval is not None:
            self._ticker = asyncio.ensure_future(self._tick(self.interval))

    async def write(self, change: Callable[[], T]) -> T:
        """Do something to the chain on its thread, after what waits there."""
        return await asyncio.shield(self._submit(change))

    async def edit(self, change: Callable[[], Block]) -> Block:
        """Do something that makes a block of its own."""
        return await asyncio.shield(self._submit(change, self._sealed))

    def _submit(self, change: Callable[[], T], then: Callable[[T], None] | None = None) -> asyncio.Future[T]:
        """Begin to `write`, and do `then` with what comes of it; shielded, as whoever asked may hang up meanwhile."""
        self._leaving()
        self._writes += 1
        work = asyncio.get_running_loop().run_in_executor(self._writer, change)

        def done(work: asyncio.Future[T]) -> None:
            self._writes -= 1
            if then is not None and not work.cancelled() and work.exception() is None:
                then(work.result())

        work.add_done_callback(done)
        return work

    async def mine(self, blocks: int = 1, *, spacing: int | None = None, timestamp: int | None = None) -> Block | None:
        """Make blocks now, of what waits or empty, and return the last one.

        Each is `spacing` seconds after the one before, the first at `timestamp` if that is given; the clock goes on
        from there. Whoever else wants to write comes in between.

        Raises: ValueError for a timestamp that is not after the head's.
        """
        block, left = None, blocks
        while left and not self._closed:
            make = partial(self._make, left, spacing, timestamp, left == blocks)
            made = await asyncio.shield(self._submit(make, self._tell_all))
            block = made[-1]
            left -= len(made)
        return block

    def _tell_all(self, blocks: Sequence[Block]) -> None:
        for block in blocks:
            self._tell(block)

    def _make(self, many: int, spacing: int | None, timestamp: int | None, first: bool) -> list[Block]:
        """As many blocks as a turn has time for, at least one; on the writer's thread."""
        chain, until = self._chain, time.monotonic() + TURN
        made: list[Block] = []
        while len(made) < many and (not made or time.monotonic() < until):
            head = chain.head.timestamp
            at = None if spacing is None else head + spacing
            if first and timestamp is not None:
                at = timestamp
            if at is not None:
                chain.clock.set_next(at, head)
            made.append(chain.produce(lazily=True))
            first = False
        if not made[-1].transactions:
            chain.sync()
        return made

    def mined(self, digest: Hash) -> asyncio.Future[Hash]:
        """Make blocks of what waits; done, with its hash, when the transaction is in one, or cannot be."""
        future = self._waiters.get(digest)
        if future is None:
            future = self._waiters[digest] = asyncio.get_running_loop().create_future()
            self.wake()
        return future

    def promised(self, digest: Hash) -> bool:
        """Make blocks of what waits, if that can be done before the next request: then there is nothing to wait for."""
        if self._failed or not self._may_here():
            return False
        self._due = len(self._chain.pool)
        self._promises.append(digest)
        self.wake()
        return True

    def settle(self) -> list[asyncio.Future[Hash]]:
        """Make the block that was promised, if it is not made yet; called before anything is asked of the chain.

        What comes back is to be waited for first: promises that are kept on the other thread.
        """
        if self._due:
            self._begin()
        if self._owed:
            self._owed = [future for future in self._owed if not future.done()]
        return self._owed

    def wake(self) -> None:
        """Make blocks of what waits, without waiting for them."""
        self._woken = True
        if self._worker is None and not self._called:
            # What arrives in the same turn of the loop shares the block.
            self._called = True
            asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        self._called = False
        promises, self._promises = self._promises, []
        try:
            while self._still_due() or (self._waiters and self._may_here()):
                self._due = 0
                start = time.perf_counter()
                block = self._chain.produce_some()
                if block is None:
                    if self._too_dear():
                        break
                    self._release(list(self._waiters))
                    return
                self._learn(block, time.perf_counter() - start, fresh=False)
                self._tell(block)
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._fail(error)
        self._due = 0
        # Who waits for what has left the pool meanwhile is told at the worker's end.
        if self._worker is None and (len(self._chain.pool) or self._waiters):
            self._worker = asyncio.ensure_future(self._work())
        if self._worker is not None:
            for digest in promises:
                if digest in self._chain.pool:
                    self._owed.append(self.mined(digest))
                    self._owed[-1].add_done_callback(_seen)

    def _may_here(self) -> bool:
        """Whether a block of what waits may be made on this thread."""
        if not self.free():
            return False
        pool = self._chain.pool
        if len(pool) > MOST_HERE:
            return False
        return sum(self._pace.expected(kind) for tx in pool if (kind := kind_of(tx)) is not None) < LONGEST_HERE

    def _still_due(self) -> bool:
        """Whether a block was promised, and what waits is what was looked at then."""
        return self._due != 0 and self._due == len(self._chain.pool) and self.free()

    def free(self) -> bool:
        """Whether blocks are made here at all, and nobody changes the chain on the other thread."""
        return self.automine and not self._writes and self._worker is None and not self._chain.durable

    def _learn(self, block: Block, seconds: float, *, fresh: bool) -> None:
        """Note how long each of a block's transactions took: alone as it was, among others the average."""
        share = seconds / max(len(block.transactions), 1)
        for tx in block.transactions[:MOST_HERE]:
            if (kind := kind_of(tx)) is not None:
                self._pace.took(kind, share, fresh=fresh)

    async def _work(self) -> None:
        """Make blocks until nothing that waits can run."""
        try:
            while self.automine and len(self._chain.pool):
                self._woken = False
                block, seconds = await self._submit(self._produce)
                if block is not None:
                    self._learn(block, seconds, fresh=True)
                    self._tell(block)
                elif self._too_dear():
                    await self.mine()
                elif not self._woken:  # else something came that this try may not have seen
                    break
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._fail(error)
        finally:
            self._worker = None
            self._release(list(self._waiters))

    def _too_dear(self) -> bool:
        """Whether only the base fee keeps what waits from running: then an empty block, which lowers it, helps.

        Blocks that were full have raised it above what was offered when the block before was the head.
        """
        chain = self._chain
        offer = chain.pool.best_offer(chain.world().nonce)
        return (
            offer is not None
            and offer < chain.next_base_fee
            and chain.next_base_fee >= chain.rules.base_fee_denominator
        )

    def _produce(self) -> tuple[Block | None, float]:
        """A block and the seconds that it took; on the writer's thread."""
        start = time.thread_time()
        return self._chain.produce_some(), time.thread_time() - start

    def _tell(self, block: Block) -> None:
        self._failed = False
        self._sealed(block)
        if self._waiters:
            self._release([tx.hash for tx in block.transactions])

    def _release(self, digests: list[Hash]) -> None:
        for digest in digests:
            future = self._waiters.pop(digest, None)
            if future is not None and not future.done():
                future.set_result(digest)

    def _fail(self, error: Exception) -> None:
        complain(error)
        self._failed = True  # who sends next waits for its block, so that it is told
        for future in self._waiters.values():
            if not future.done():
                future.set_exception(error)
        self._waiters.clear()

    async def _tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.mine()
            except Exception as error:  # noqa: BLE001 - the next one may be made
                complain(error)
