"""uvicorn's HTTP protocol, bounded in time: a request that does not arrive whole is not waited for.

uvicorn bounds the time between requests, not that of a request's own bytes, so a client that sends one byte a second
could hold a connection for ever. Source: uvicorn's HttpToolsProtocol. Never: parses anything itself.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS: Final = 30.0


class HttpProtocol(HttpToolsProtocol):
    """One connection of HTTP."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._disarm()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Give a request its time, from its first byte."""
        self._arm()
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """It is there."""
        self._disarm()
        super().on_message_complete()

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
