"""Where code runs: on the event loop's thread if that is known to be short, otherwise on one of a few others.

Handing a call to another thread costs as much as most calls themselves; running a long one where requests are answered
would make everybody wait. So each kind of call (what it calls, and by which selector) goes to another thread until it
has been seen to be short there. One that turns out long is sent away from then on: at once when it was very long, else
the second time in a row, because the first may have been another process's doing. Never: changes a result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Final, TypeVar

T = TypeVar("T")

SHORT: Final = 0.002
"""Seconds that a run may take on the event loop's thread."""
KEPT: Final = 16_384
"""Kinds of calls that are remembered."""
UNKNOWN: Final = 1.0
VERY_LONG: Final = 0.05
"""Seconds that nobody but the run itself can have taken."""
THREADS: Final = 8
AT_ONCE: Final = 2
"""Runs of one kind under way at the same time: whoever asks for the same long call again and again waits for itself."""
MOMENT: Final = 0.2
"""Seconds that a node that ends gives to what still runs."""


class Gate:
    """Lets a few runs of one kind through; `users` are those that run or wait."""

    __slots__ = ("few", "users")

    def __init__(self) -> None:
        self.few = asyncio.Semaphore(AT_ONCE)
        self.users = 0


class Pace:
    """Knows which runs are short. Belongs to the event loop's thread."""

    __slots__ = ("_doubtful", "_gates", "_pool", "_running", "_worst")

    def __init__(self) -> None:
        self._worst: dict[Hashable, float] = {}
        self._doubtful: set[Hashable] = set()
        self._gates: dict[Hashable, Gate] = {}
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="contractvm-run")
        self._running: set[Future[Any]] = set()

    def run(self, kind: Hashable, work: Callable[[], T]) -> T | Awaitable[T]:
        """Do `work` now, or on another thread: then the answer is to be waited for."""
        worst = self._worst.get(kind, UNKNOWN)
        if worst > SHORT:
            return self._elsewhere(kind, work)
        start = time.perf_counter()
        try:
            return work()
        finally:
            seconds = time.perf_counter() - start
            if seconds > worst or self._doubtful:  # else it says nothing new
                self._took_here(kind, seconds)

    def expected(self, kind: Hashable) -> float:
        """Seconds that it has taken at the longest since it was last seen elsewhere; a second where nobody knows."""
        return self._worst.get(kind, UNKNOWN)

    def took(self, kind: Hashable, seconds: float, *, fresh: bool) -> None:
        """Note what a run took; `fresh`: what was known before counts no more."""
        worst = self._worst
        if fresh or seconds > worst.get(kind, 0.0):
            if len(worst) >= KEPT:
                worst.clear()
            worst[kind] = seconds

    def _took_here(self, kind: Hashable, seconds: float) -> None:
        if seconds > SHORT and seconds < VERY_LONG and kind not in self._doubtful:
            if len(self._doubtful) >= KEPT:
                self._doubtful.clear()
            self._doubtful.add(kind)
            return
        self._doubtful.discard(kind)
        self.took(kind, seconds, fresh=False)

    def elsewhere(self, work: Callable[[], T]) -> Awaitable[T]:
        """Do `work` on another thread."""
        future = self._pool.submit(work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the threads go; what runs comes to its end, what waits does not begin."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def ended(self) -> bool:
        """After `close`: whether all that ran has come to its end, now or in a moment. From any thread."""
        return not wait(tuple(self._running), MOMENT).not_done

    async def _elsewhere(self, kind: Hashable, work: Callable[[], T]) -> T:
        took = 0.0

        def timed() -> T:
            nonlocal took
            start = time.thread_time()
            try:
                return work()
            finally:
                took = time.thread_time() - start

        gate = self._gates.get(kind)
        if gate is None:
            gate = self._gates[kind] = Gate()
        gate.users += 1
        try:
            async with gate.few:
                return await self.elsewhere(timed)
        finally:
            self.took(kind, took, fresh=True)
            gate.users -= 1
            if not gate.users:
                del self._gates[kind]
