"""States that other nodes go on from, held for as long as they are asked for.

A block's records are put together once (`Chain.records`) and kept: as they never change, later blocks of this chain do
not matter. When they were forgotten they are put together again, to the same bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from contractvm.chain import BlockId, Chain
from contractvm.types import Hash
from state.store import Reader

HELD: Final = 4
"""States at a time; each keeps from being forgotten what was changed since."""
BEHIND: Final = 256
"""Blocks after which one is put together anew: in memory, reading the past of a busy chain becomes slower with each."""


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
            made, reader = self._held.get(digest, (0, None))
            if reader is None or height - made > BEHIND:
                header, reader = self._chain.records(block)
                if header.hash != digest:  # the chain went back meanwhile
                    return reader
                self._held[digest] = height, reader
                if len(self._held) > HELD:
                    self._held.popitem(last=False)
            self._held.move_to_end(digest)
            return reader
