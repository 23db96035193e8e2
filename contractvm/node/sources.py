"""States that other nodes go on from, held for as long as they are asked for.

A block's records are put together once (`Chain.records`) and kept: as they never change, later blocks of this chain do
not matter. When they were forgotten they are put together again, to the same bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from contractvm.chain import BlockId, Chain
from contractvm.node.feed import News
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.store import Reader

HELD: Final = 4
"""States at a time; each keeps from being forgotten what was changed since."""
BEHIND: Final = 256
"""Blocks after which one is let go: in memory, each block keeps more from being forgotten, and reading takes longer."""


class Sources:
    """Readers by block. May be used from any thread."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._held: OrderedDict[Hash, tuple[int, Reader]] = OrderedDict()
        self._lock = Lock()

    def at(self, block: BlockId) -> Reader:
        """All records of the state at a block. Raises: UnknownBlock, HeightError."""
        digest, height = self._chain.header(block).hash, self._chain.head.number
        with self._lock:
            found = self._held.get(digest)
            if found is not None:
                self._held.move_to_end(digest)
                return found[1]
        header, reader = self._chain.records(block)
        if header.hash == digest:  # otherwise the chain went back meanwhile
            with self._lock:
                self._held[digest] = height, reader
                if len(self._held) > HELD:
                    self._held.popitem(last=False)
        return reader

    def sealed(self, news: News) -> None:
        """Let go of what was put together long ago."""
        height = news.block.number
        with self._lock:
            for digest, (made, _) in list(self._held.items()):
                if not height - BEHIND <= made <= height:
                    del self._held[digest]

    def arrived(self, transaction: Transaction) -> None:
        """States do not change by that."""
