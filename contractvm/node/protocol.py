"""uvicorn's HTTP protocol with a short way for JSON-RPC, and bounded in time.

Most requests are POSTs that are answered within microseconds, of which an ASGI scope, a task and two messages would be
the larger part. So a POST to a path that is no page's goes from the parser's callbacks straight to the dispatcher, and
its answer to the transport; all else takes uvicorn's own way. Answers leave in the order of the requests.
uvicorn bounds the time between requests, not that of a request's own bytes; here both are bounded, so that a client
that sends one byte a second holds nothing. Source: uvicorn's HttpToolsProtocol, RFC 9112 section 9.3.2 (pipelining).
Never: parses HTTP; httptools does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Coroutine
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from contractvm.node.server import App, paged, response

TICK_SECONDS: Final = 5.0
"""How often a connection's times are looked at; they are exceeded by as much at most."""
MOST_WAITING: Final = 256
"""Answers of one connection that may wait for one before them, until no more of its requests are read."""
Answer = bytes | None


class HttpProtocol(HttpToolsProtocol):
    """One connection of HTTP."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._rpc = cast(App, self.config.app)
        self._limits = self._rpc.limits
        self._short = False
        self._body: list[bytes] = []
        self._size = 0
        self._head_bytes = 0
        self._waiting: deque[bytes | Awaitable[Answer]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._since: float | None = None
        self._last = 0.0
        self._ending = False

    # Connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        self._since = self.loop.time()
        self._clock = self.loop.call_later(TICK_SECONDS, self._tick)
        if len(self.connections) > self._limits.connections:
            self._refuse(503, b"too many connections\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it, and stop waiting for what it asked for."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        if self._worker is not None:
            self._worker.cancel()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """What follows is no HTTP; its frames have times of their own."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
        super().handle_websocket_upgrade()

    def shutdown(self) -> None:
        """The node ends: answer what is under way, then close."""
        if self._worker is None:
            super().shutdown()
        else:
            self._ending = True

    def pause_writing(self) -> None:
        """The client does not read: neither are its requests."""
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        self.flow.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Read on, unless a request's head has no end."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > self._limits.head_bytes and not self.transport.is_closing():
            self._refuse(431, f"request head too large: over {self._limits.head_bytes} bytes\n".encode())

    # What the parser calls

    def on_message_begin(self) -> None:
        """Nothing is known yet; the time of its arrival runs."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._short = False
        if self._since is None:
            self._since = self.loop.time()

    def on_headers_complete(self) -> None:
        """Choose the way."""
        busy = self.cycle is not None and not self.cycle.response_complete
        if self.parser.get_method() == b"POST" and not busy and not paged(self.url):
            self._short = True
            self._body = []
            self._size = 0
            if self.expect_100_continue:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif self._worker is not None:
            # A page asked for behind a call that is not answered: the client may ask again on another connection.
            self._ending = True
        else:
            url, headers, expects = self.url, self.headers, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expects
            self.headers.extend(headers)
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._head_bytes -= len(body)
        if not self._short:
            if not self._ending:
                super().on_body(body)
            return
        self._body.append(body)
        self._size += len(body)
        if self._size > self._limits.body_bytes:
            self._short = False
            self._refuse(413, f"request too large: over {self._limits.body_bytes} bytes\n".encode())

    def on_message_complete(self) -> None:
        """The request is there."""
        self._since = None
        self._head_bytes = 0
        self._last = self.loop.time()
        if not self._short:
            if not self._ending and self.cycle is not None:
                super().on_message_complete()
            return
        self._short = False
        if self.transport.is_closing():
            return
        if not self.parser.should_keep_alive():
            self._ending = True
        body = self._body
        answer = self._rpc.dispatcher.handle(body[0] if len(body) == 1 else b"".join(body))
        if self._worker is None and (answer is None or isinstance(answer, bytes)):
            self._send(answer)
            if self._ending:
                self.transport.close()
        else:
            self._later(answer)

    # Answers

    def _send(self, answer: Answer) -> None:
        self.transport.write(response(answer))

    def _later(self, answer: Answer | Awaitable[Answer]) -> None:
        """Send it after those before it."""
        if self._worker is not None and isinstance(answer, Coroutine):
            answer = asyncio.ensure_future(answer)  # it runs while those before it are waited for
        self._waiting.append(b"" if answer is None else answer)
        if self._worker is None:
            self._worker = self.loop.create_task(self._work())
            self.tasks.add(self._worker)
            self._worker.add_done_callback(self.tasks.discard)
        elif len(self._waiting) > MOST_WAITING:
            self.flow.pause_reading()

    async def _work(self) -> None:
        """Send what waits, in order."""
        while self._waiting:
            answer = self._waiting.popleft()
            content = answer if isinstance(answer, bytes) else await answer
            if not self.transport.is_closing():
                self._send(content or None)
        self._worker = None
        if self._ending:
            self.transport.close()
        elif not self.flow.write_paused:
            self.flow.resume_reading()

    def _refuse(self, status: int, reason: bytes) -> None:
        """Say why in a word, and hang up."""
        self.transport.write(response(reason, status, b"text/plain", close=True))
        self.transport.close()

    def _tick(self) -> None:
        """Close a connection whose request does not come to its end, or that is not used."""
        self._clock = self.loop.call_later(TICK_SECONDS, self._tick)
        now, limits = self.loop.time(), self._limits
        if self._since is not None:
            late = now - self._since > limits.request_seconds
        else:
            busy = self._worker is not None or (self.cycle is not None and not self.cycle.response_complete)
            late = not busy and now - self._last > limits.idle_seconds
        if late:
            self.transport.close()
