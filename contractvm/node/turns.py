"""What concerns one account happens in the order in which it was asked for.

A transaction without a gas limit is run first, perhaps on another thread; what the same account sends meanwhile must
not overtake it, or the two would change nonces. Never: makes accounts wait for one another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from contractvm.types import Address

T = TypeVar("T")


class Turns:
    """Who waits for whom. Belongs to the event loop's thread."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[Address, asyncio.Task[Any]] = {}

    def free(self, account: Address) -> bool:
        """Whether nothing of this account is under way."""
        return account not in self._last

    def after(self, account: Address, work: Callable[[], Awaitable[T]]) -> asyncio.Task[T]:
        """Do `work` when all of this account that was asked for earlier is done, whatever came of it."""
        before = self._last.get(account)

        async def run() -> T:
            if before is not None:
                await asyncio.wait([before])
            return await work()

        task = self._last[account] = asyncio.ensure_future(run())
        task.add_done_callback(lambda done: self._forget(account, done))
        return task

    def _forget(self, account: Address, done: asyncio.Task[Any]) -> None:
        if not done.cancelled():
            done.exception()  # whoever asked may have gone, and then nobody else looks at it
        if self._last.get(account) is done:
            del self._last[account]
