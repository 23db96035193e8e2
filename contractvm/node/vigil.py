"""Stays awake between requests that come one right after the other.

A client that sends its next request as soon as it has its answer leaves some tens of microseconds in between. To let
the processor sleep and to wake it again takes as long, on a virtual machine longer, and what it had in its caches is
gone. So where the last request came that soon after an answer, the event loop looks for the next one instead of
sleeping, for as long as that may be worth it. Never: looks where there is one processor only, which the client needs.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Final

from contractvm.processors import processors

NEAR: Final = 0.00015
"""Seconds between an answer and the next request for which it is not worth sleeping."""


class Vigil:
    """Of one node; belongs to its event loop's thread. `begins` and `ends` stand around what is done for clients."""

    __slots__ = ("_awake", "_ended", "_near", "_useful")

    def __init__(self) -> None:
        self._useful = processors() > 1
        self._ended = 0.0
        self._near = False
        self._awake = False

    def begins(self) -> None:
        """A request came."""
        self._near = self._useful and perf_counter() - self._ended < NEAR

    def ends(self) -> None:
        """There is nothing more to do for now."""
        self._ended = perf_counter()
        if self._near and not self._awake:
            self._awake = True
            self._look(asyncio.get_running_loop())

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the loop look for what came, without sleeping."""
        if perf_counter() - self._ended < NEAR:
            loop.call_soon(self._look, loop)
        else:
            self._near = self._awake = False
