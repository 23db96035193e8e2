"""When blocks are made: at once, in intervals, or when asked; always on the one thread that changes the chain.

Transactions that arrive while a block is being made share the next one, and so one write to the disk. Whoever waits for
a transaction is answered when its block can be read, which a durable chain has synced by then, or when it cannot run
now. Never: executes anything on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from contractvm.block import Block
from contractvm.chain import Chain
from contractvm.types import Hash

T = TypeVar("T")

log: Final = logging.getLogger("contractvm.node")


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
        self.automine = automine
        self.interval = interval

    def start(self) -> None:
        """Begin to make blocks in intervals, if there are any."""
        self.set_interval(self.interval)

    async def close(self) -> None:
        """Make no more blocks; one under way is finished."""
        self.automine = False
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

    async def mine(self, blocks: int = 1, *, spacing: int | None = None, timestamp: int | None = None) -> list[Block]:
        """Make blocks now, of what waits or empty: `spacing` seconds apart, the first one at `timestamp`.

        Raises: ValueError for a timestamp that is not after the head's.
        """
        made = []
        for number in range(blocks):
            at = timestamp if number == 0 else None
            if number and spacing is not None:
                at = self._chain.head.timestamp + spacing
            block = await self.write(lambda at=at: self._chain.produce(timestamp=at))  # type: ignore[misc]
            self._tell(block)
            made.append(block)
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
        if self._worker is None:
            self._worker = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        """Make blocks until nothing that waits can run."""
        try:
            while len(self._chain.pool):
                block = await self.write(self._chain.produce_some)
                if block is None:
                    break
                self._tell(block)
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
