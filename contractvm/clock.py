"""What time the next block has: the clock's, shifted as a test asks, or a moment that it names.

Seconds since 1970. Blocks are at least a second apart, because each must be after the one before.
Source: `evm_increaseTime`, `evm_setNextBlockTimestamp` and `anvil_setBlockTimestampInterval` for what can be asked.
Never: sleeps, or goes back.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from contractvm.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Time:
    """What a clock was set to, for `Clock.restore`."""

    offset: int
    next: int | None
    interval: int | None


class Clock:
    """The clock of one chain. `next` is the next block's moment where one was named; `interval` is fixed between
    blocks, when it is set, whatever the time is.
    """

    __slots__ = ("_source", "interval", "next", "offset")

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.offset = 0
        self.next: int | None = None
        self.interval: int | None = None

    def after(self, head: int) -> int:
        """The moment of a block that comes after one at `head`."""
        if self.next is not None:
            return self.next
        if self.interval is not None:
            return head + self.interval
        # A source that went back is no way back for the chain.
        return max(int(self._source()) + self.offset, head + 1)

    def increase(self, seconds: int, head: int = 0) -> int:
        """Shift the clock so that a block now would be `seconds` later; return the whole shift.

        Blocks made within one second have run ahead of the clock: the shift is from the `head` then, so that the next
        block is as much later than it as was asked for. Raises: ValueError when `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError("time does not go back")
        now = int(self._source())
        self.offset = max(now + self.offset, head) + seconds - now
        return self.offset

    def set_next(self, timestamp: int, head: int) -> None:
        """Give the next block a time; the clock goes on from there. Raises: ValueError unless it is after `head`."""
        if timestamp <= head:
            raise ValueError(f"timestamp {timestamp} is not after the head's, {head}")
        self.next = timestamp
        self.offset = timestamp - int(self._source())

    def set(self, timestamp: int) -> int:
        """Let it be `timestamp` now; return the shift. The next block is still after the head."""
        self.offset = timestamp - int(self._source())
        return self.offset

    def state(self) -> Time:
        """What it is set to."""
        return Time(self.offset, self.next, self.interval)

    def restore(self, state: Time) -> None:
        """Be set as it was."""
        self.offset, self.next, self.interval = state.offset, state.next, state.interval
