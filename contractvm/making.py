"""Whoever changes a chain: one thread at a time, and no garbage collection in the middle of it.

While a block is made, tens of thousands of tuples come to be that stay until it is written: accounts, slots, the undo
log. The collector would go through them again and again and find nothing, a twentieth of a full block's time.
Source: Python's library reference, "gc". Never: collects, or turns on a collector that somebody else has turned off.
"""

from __future__ import annotations

import gc
from threading import RLock


class Making:
    """`with`: this thread alone is changing the chain, and until it is done no collection runs. It may enter again."""

    __slots__ = ("_depth", "_lock", "_paused")

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0
        self._paused = False

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            self._paused = gc.isenabled()
            gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._depth == 1 and self._paused:
            gc.enable()
        self._depth -= 1
        self._lock.release()
