"""A client that keeps a connection open: what it subscribed to, and what waits to be sent to it.

Never: waits for a client. One that reads too slowly for what it subscribed to is dropped.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson


class Overrun(Exception):
    """The client is too far behind."""


class Session:
    """One WebSocket connection. Belongs to the event loop's thread."""

    __slots__ = ("_bytes", "_most", "_most_bytes", "_room", "_waiting", "_wake", "closed", "subscriptions")

    def __init__(self, most: int, most_bytes: int) -> None:
        """`most` messages and `most_bytes` of them may wait."""
        self.subscriptions: set[str] = set()
        self.closed = False
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()

    def send(self, message: bytes) -> None:
        """Queue a message; a client that is too far behind is marked for closing."""
        if self.closed:
            return
        if len(self._waiting) >= self._most or self._bytes > self._most_bytes:
            self.close()
            self._waiting.clear()
        else:
            self._waiting.append(message)
            self._bytes += len(message)
        self._wake.set()

    def notify(self, subscription: str, result: Any) -> None:
        """Queue what a subscription has to say."""
        params = {"subscription": subscription, "result": result}
        self.send(orjson.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": params}))

    async def next(self) -> list[bytes]:
        """Wait for messages and take them. Raises: Overrun once the session is closed."""
        while not self._waiting:
            if self.closed:
                raise Overrun
            self._wake.clear()
            await self._wake.wait()
        messages, self._waiting = self._waiting, []
        self._bytes = 0
        self._room.set()
        return messages

    async def room(self) -> None:
        """Wait until less than half of what may wait does, or it is closed: who asks fast is read from more slowly."""
        while not self.closed and (2 * len(self._waiting) >= self._most or 2 * self._bytes >= self._most_bytes):
            self._room.clear()
            await self._room.wait()

    def close(self) -> None:
        """End it: nothing is sent any more."""
        self.closed = True
        self._wake.set()
        self._room.set()
