"""How much of the past a node keeps: so many blocks' states, or as much as fits memory.

With `--keep N` the states of the last N blocks, and blocks somewhat longer (`Chain.prune`). Without it a chain on disk
keeps everything, and a chain in memory all blocks and as many states as `MEMORY_GAS` allows, at least `LEAST_STATES`:
what a state takes to go back to is bounded by the gas that was used to change it. Forgetting is done in small steps
between blocks, on the thread that makes them, so that none waits long; where that is the event loop's own, in very
small ones, and when what was asked is answered.
Never: forgets the head, or a state that is less old than was asked for.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from contractvm.node.feed import News
from contractvm.transaction import Transaction
from state.errors import StoreError

log: Final = logging.getLogger("contractvm.node")

MEMORY_GAS: Final = 1_000_000_000
"""Gas of the blocks whose undoing a chain in memory keeps: 20,000 token transfers, some 40 MB."""
BLOCK_GAS: Final = 21_000
"""What a block counts beside its gas: an empty one is remembered too."""
LEAST_STATES: Final = 32
"""Those of the fullest blocks fit `MEMORY_GAS`: short blocks after many full ones need not forget a full one each."""
_SLACK: Final = 32
"""States beyond those to be kept that may gather, so that they are forgotten together."""
_FEW: Final = 8
"""The same, where requests are answered on the thread that forgets; of large blocks the chain takes fewer."""


class Prunable(Protocol):
    """What is told to forget: a chain."""

    @property
    def oldest(self) -> int:
        """The lowest height whose state is kept."""

    def prune(self, keep: int, *, blocks: bool = True, most: int = 64) -> bool:
        """Forget at most so many states, and `blocks` too; whether more is to be forgotten."""


class History:
    """A listener that has the past forgotten. Belongs to the event loop's thread.

    Args:
        chain: whose past it is.
        write: does something on the thread that changes the chain.
        here: whether that may be done on this thread now, if it is short.
        keep: states before the head's to be kept; None for as many as fit memory.
    """

    def __init__(
        self,
        chain: Prunable,
        write: Callable[[Callable[[], bool]], Awaitable[bool]],
        here: Callable[[], bool],
        keep: int | None,
    ) -> None:
        self._chain = chain
        self._write = write
        self._here = here
        self._keep = keep
        self._gas: deque[tuple[int, int]] = deque()  # height and gas of the blocks whose undoing is kept
        self._total = 0
        self._due: int | None = None  # states to keep, once there are others
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def sealed(self, news: News) -> None:
        """Begin to forget when enough has gathered."""
        header = news.block.header
        keep = self._count(header.number, header.gas_used) if self._keep is None else self._keep
        old = header.number - self._chain.oldest - keep
        self._due = keep if old >= _FEW else None
        if old >= _SLACK and self._task is None and not self._closed:
            self._task = asyncio.ensure_future(self._forget(keep))

    def catch_up(self) -> None:
        """Forget a few, if there are so many and that can be done here."""
        if (keep := self._due) is None or self._task is not None or self._closed or not self._here():
            return
        self._due = None
        try:
            self._chain.prune(keep, blocks=self._keep is not None, most=_FEW)
        except StoreError as error:
            _complain(error)

    def arrived(self, transaction: Transaction) -> None:
        """Nothing is forgotten for that."""

    async def close(self) -> None:
        """Forget no more; what is under way is finished."""
        task, self._closed = self._task, True
        if task is not None:
            await asyncio.wait([task])

    def _count(self, height: int, gas: int) -> int:
        """How many states fit, with a new block."""
        while self._gas and self._gas[-1][0] >= height:  # the chain went back
            self._total -= self._gas.pop()[1]
        self._gas.append((height, gas + BLOCK_GAS))
        self._total += gas + BLOCK_GAS
        while self._total > MEMORY_GAS and len(self._gas) > LEAST_STATES:
            self._total -= self._gas.popleft()[1]
        return height - self._gas[0][0] + 1

    async def _forget(self, keep: int) -> None:
        try:
            while (
                await self._write(lambda: self._chain.prune(keep, blocks=self._keep is not None)) and not self._closed
            ):
                await asyncio.sleep(0)
        except StoreError as error:
            _complain(error)
        finally:
            self._task = None


def _complain(error: StoreError) -> None:
    log.error("nothing could be forgotten of the chain's history: %s", error)
