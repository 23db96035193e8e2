"""Blocks looked through from a height downwards, so many or so long at a time; it knows how far it came.

There is no index of what touches what: pages look, and say where they stopped. Never: reads past what is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from contractvm.block import Header
from contractvm.chain import Chain, UnknownBlock

BLOCKS: Final = 20_000
SECONDS: Final = 0.5


class Walk:
    """Goes over headers, the latest first. `top` and `lowest` are the heights that were looked at."""

    def __init__(self, chain: Chain, before: int | None, most: int = BLOCKS, seconds: float = SECONDS) -> None:
        """`before` None: from the head on. At least one block is looked at, however long it takes."""
        head = chain.head.number
        self._chain = chain
        self._most = most
        self._end = time.monotonic() + seconds
        self.top = head if before is None else max(min(before - 1, head), 0)
        self.lowest = self.top
        self.forgotten = False
        """Whether it came to where blocks are no longer kept."""

    def __iter__(self) -> Iterator[Header]:
        for height in range(self.top, max(self.top - self._most, -1), -1):
            try:
                header = self._chain.header(height)
            except UnknownBlock:
                self.forgotten = True
                return
            self.lowest = height
            yield header
            if time.monotonic() > self._end:
                return

    @property
    def further(self) -> bool:
        """Whether there is more below."""
        return self.lowest > 0 and not self.forgotten
