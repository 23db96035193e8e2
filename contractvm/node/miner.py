"""When blocks are made: at once, in intervals, or when asked; always on the one thread that changes the chain.

Transactions that arrive while a block is being made share the next one, and so one write to the disk. Whoever waits for
a transaction is answered when its block can be read, which a durable chain has synced by then, or when it cannot run
now. Never: executes anything on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from contractvm.block import Block
from contractvm.chain import Chain
from contractvm.types import Hash

T = TypeVar("T")

log: Final = logging.getLogger("contractvm.node")

TURN: Final = 0.01
"""Seconds for which blocks are made at a stretch, before others who write have their turn."""


class Miner:
    """Makes a chain's blocks. Belongs to the event loop's thread; `sealed` is called there with each new block."""

    def __init__(
        self, chain: Chain, sealed: Callable[[Block], None], *, automine: bool, interval: float | None
    ) -> None:
        """`interval` in seconds; with one, blocks come by the clock, empty ones too."""
        self._chain = chain
        self._sealed = sealed
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="contractvm-writer")
        self._waiters: dict[Hash, asyncio.Future[None]] = {}
        self._worker: asyncio.Task[None] | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._woken = False
        self._closed = False
        self.automine = automine
        self.interval = interval

    def start(self) -> None:
        """Begin to make blocks in intervals, if there are any."""
        self.set_interval(self.interval)

    async def close(self) -> None:
        """Make no more blocks; one under way is finished."""
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
        return await asyncio.get_running_loop().run_in_executor(self._writer, change)

    async def edit(self, change: Callable[[], Block]) -> Block:
        """Do something that makes a block of its own."""
        block = await self.write(change)
        self._sealed(block)
        return block

    async def mine(self, blocks: int = 1, *, spacing: int | None = None, timestamp: int | None = None) -> Block | None:
        """Make blocks now, of what waits or empty, and return the last one.

        The first is at `timestamp`, the others `spacing` seconds apart; the clock goes on from there. Whoever else
        wants to write comes in between. Raises: ValueError for a timestamp that is not after the head's.
        """
        block, left = None, blocks
        while left and not self._closed:
            first = left == blocks
            made = await self.write(
                lambda many=left, first=first: self._make(many, spacing, timestamp, first)  # type: ignore[misc]
            )
            for block in made:
                self._tell(block)
            left -= len(made)
        return block

    def _make(self, many: int, spacing: int | None, timestamp: int | None, first: bool) -> list[Block]:
        """As many blocks as a turn has time for, at least one; on the writer's thread."""
        chain, until = self._chain, time.monotonic() + TURN
        made: list[Block] = []
        while len(made) < many and (not made or time.monotonic() < until):
            head = chain.head.timestamp
            at = timestamp if first else None if spacing is None else head + spacing
            if at is not None:
                chain.clock.set_next(at, head)
            made.append(chain.produce())
            first = False
        return made

    def mined(self, digest: Hash) -> asyncio.Future[None]:
        """Make blocks of what waits; done when the transaction is in one, or cannot be."""
        future = self._waiters.get(digest)
        if future is None:
            future = self._waiters[digest] = asyncio.get_running_loop().create_future()
            self.wake()
        return future

    def wake(self) -> None:
        """Make blocks of what waits, without waiting for them."""
        self._woken = True
        if self._worker is None:
            self._worker = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        """Make blocks until nothing that waits can run."""
        try:
            while self.automine and len(self._chain.pool):
                self._woken = False
                block = await self.write(self._chain.produce_some)
                if block is not None:
                    self._tell(block)
                elif not self._woken:  # else something came that this try may not have seen
                    break
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            self._fail(error)
        finally:
            self._worker = None
            self._release(list(self._waiters))

    def _tell(self, block: Block) -> None:
        self._sealed(block)
        if self._waiters:
            self._release([tx.hash for tx in block.transactions])

    def _release(self, digests: list[Hash]) -> None:
        for digest in digests:
            future = self._waiters.pop(digest, None)
            if future is not None and not future.done():
                future.set_result(None)

    def _fail(self, error: Exception) -> None:
        log.error("no block could be made: %s", error, exc_info=error)
        for future in self._waiters.values():
            if not future.done():
                future.set_exception(error)
        self._waiters.clear()

    async def _tick(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.mine()
            except Exception as error:
                log.error("no block could be made: %s", error, exc_info=error)
