"""HTTP and WebSocket on one port: an ASGI application, and uvicorn around it.

uvicorn (with httptools, uvloop and websockets) reads HTTP and frames messages; here is what travels in them. A request
must arrive whole within a time, connections are bounded in number, bodies in bytes. CORS is open, as it is on every
development node, except for the explorer's forms. Source: ASGI 3.0; Fetch standard for CORS.
Never: parses HTTP, or knows a method.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson

from contractvm.node.dispatch import Dispatcher
from contractvm.node.node import Node
from contractvm.node.session import Overrun, Session
from contractvm.node.table import methods

if TYPE_CHECKING:
    from contractvm.node.explorer import Explorer
    from contractvm.node.metrics import Metrics

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

log: Final = logging.getLogger("contractvm.node")

JSON: Final = (b"content-type", b"application/json")
CORS: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-headers", b"*"),
    (b"access-control-allow-methods", b"POST, GET, OPTIONS"),
)
PREFLIGHT_SECONDS: Final = b"600"
EXPLORED: Final = b"/contract/"
"""Paths that the explorer's forms are sent to; all others that are sent to are JSON-RPC's."""
SOCKET_REQUESTS: Final = 256
"""Requests of one WebSocket that may be worked on at the same time."""


class BodyTooLarge(Exception):
    """The request has more bytes than the node takes."""


class Gone(Exception):
    """The client went away."""


class App:
    """The ASGI application of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.dispatcher = Dispatcher(node, methods())
        self.limits = node.config.limits
        self._explorer: Explorer | None = None
        self._metrics: Metrics | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or one WebSocket."""
        kind = scope["type"]
        if kind == "http":
            await self._http(scope, receive, send)
        elif kind == "websocket":
            await self._websocket(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if method == "POST" and not paged(scope["raw_path"]):
            try:
                body = await self._body(receive)
            except BodyTooLarge as error:
                return await respond(send, 413, str(error).encode(), close=True)
            except Gone:
                return None
            answer = self.dispatcher.handle(body)
            if isinstance(answer, Awaitable):
                answer = await answer
            if answer is None:
                return await respond(send, 204, b"", CORS)
            return await respond(send, 200, answer, (JSON, *CORS))
        if method == "OPTIONS":
            return await respond(send, 204, b"", (*CORS, (b"access-control-max-age", PREFLIGHT_SECONDS)))
        if method == "GET" and scope["path"] == "/health":
            return await respond(send, 200, self._health(), (JSON,))
        if method == "GET" and scope["path"] == "/metrics" and self._node.config.metrics:
            return await self._measure(send)
        return await self._explore(scope, receive, send)

    def _health(self) -> bytes:
        """That the node answers, and where its chain is."""
        return orjson.dumps(
            {"status": "ok", "chainId": self._node.chain.chain_id, "height": self._node.chain.head.number}
        )

    async def _measure(self, send: Send) -> None:
        """The figures for Prometheus, whose client is imported when someone first asks."""
        from contractvm.node.metrics import KIND, Metrics

        if self._metrics is None:
            self._metrics = Metrics(self._node)
        await respond(send, 200, self._metrics.page(), ((b"content-type", KIND),))

    async def _explore(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page for people. The explorer is imported when someone first looks."""
        try:
            body = await self._body(receive) if scope["method"] == "POST" else b""
        except BodyTooLarge as error:
            return await respond(send, 413, str(error).encode(), close=True)
        except Gone:
            return None
        if self._explorer is None:
            from contractvm.node.explorer import Explorer

            self._explorer = Explorer(self._node)
        status, headers, content = await self._explorer.handle(scope, body)
        return await respond(send, status, content, headers)

    async def _body(self, receive: Receive) -> bytes:
        """The whole body. Raises: BodyTooLarge, Gone."""
        most = self._node.config.limits.body_bytes
        message = await receive()
        if not message.get("more_body", False) and message["type"] == "http.request":
            whole: bytes = message.get("body", b"")
            if len(whole) <= most:
                return whole
        parts, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            parts.append(part)
            size += len(part)
            if size > most:
                raise BodyTooLarge(f"request too large: over {most} bytes\n")
            if not message.get("more_body", False):
                return b"".join(parts)
            message = await receive()

    async def _websocket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        limits = self._node.config.limits
        session = Session(limits.socket_queue, 2 * limits.result_bytes)
        writer = asyncio.ensure_future(self._write(session, send))
        under_way: set[asyncio.Future[None]] = set()
        try:
            while not session.closed:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                body = message.get("bytes") or (message.get("text") or "").encode()
                answer = self.dispatcher.handle(body, session)
                if isinstance(answer, Awaitable):
                    if len(under_way) >= SOCKET_REQUESTS:
                        await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                    later = asyncio.ensure_future(self._answer(session, answer))
                    under_way.add(later)
                    later.add_done_callback(under_way.discard)
                elif answer is not None:
                    session.send(answer)
                await session.room()
        finally:
            session.close()
            self._node.watch.leave(session)
            with suppress(asyncio.CancelledError):
                await writer
            if under_way:
                # Not cancelled: others may wait for the same transactions.
                await asyncio.wait(under_way)

    async def _answer(self, session: Session, answer: Awaitable[bytes | None]) -> None:
        """Send what takes its time when it is there; requests behind it are answered meanwhile."""
        content = await answer
        if content is not None:
            session.send(content)

    async def _write(self, session: Session, send: Send) -> None:
        try:
            while True:
                for message in await session.next():
                    await send({"type": "websocket.send", "text": message.decode()})
        except Overrun:
            with suppress(Exception):
                await send({"type": "websocket.close", "code": 1008, "reason": "too slow"})
        except OSError:
            log.debug("a WebSocket was lost while something was sent to it")
        finally:
            session.close()


def paged(path: bytes) -> bool:
    """Whether what is sent there is a page's form; everything else that is sent is JSON-RPC's."""
    return path.startswith(EXPLORED)


def response(body: bytes | None, status: int = 200, kind: bytes = b"application/json", *, close: bool = False) -> bytes:
    """A whole response as bytes, for who has a transport at hand; `body` None is the answer to a notification."""
    if body is None:
        return NO_CONTENT
    if status == 200 and not close:
        return OK % (len(body), body)
    reason = HTTPStatus(status).phrase.encode()
    return b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (
        status,
        reason,
        kind,
        len(body),
        body,
    )


_CORS_LINES: Final = b"".join(name + b": " + value + b"\r\n" for name, value in CORS)
OK: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + _CORS_LINES + b"content-length: %d\r\n\r\n%s"
NO_CONTENT: Final = b"HTTP/1.1 204 No Content\r\n" + _CORS_LINES + b"\r\n"


async def respond(send: Send, status: int, body: bytes, headers: Headers = (), *, close: bool = False) -> None:
    """Send a whole response."""
    whole = [*headers, (b"content-length", str(len(body)).encode())]
    if close:
        whole.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": whole})
    await send({"type": "http.response.body", "body": body})
