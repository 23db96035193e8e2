"""JSON-RPC over one kept connection, as thin as a client can be, so that what is measured is the node.

A request is made of bytes before the clock runs. Responses carry their length, as both nodes of the bench send it.
Never: a client for anything but a bench.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from typing import Any, Self

from tests.bench.compile import BenchError

_READ = 1 << 18


class Wire:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def put(self, request: bytes) -> None:
        """Send what `post` made."""
        self._socket.sendall(request)

    def take(self) -> bytes:
        """The body of the next response. Raises: BenchError when the node hangs up."""
        data = self._socket.recv(_READ)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        at = head.find(b"content-length:")
        if at < 0:
            raise BenchError(f"a response without a length: {head!r}")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0])
        body = data[end + 4 :]
        if len(body) < length:
            parts, size = [body], len(body)
            while size < length:
                parts.append(part := self._more())
                size += len(part)
            body = b"".join(parts)
        return body

    def ask(self, request: bytes) -> bytes:
        """Send one and wait for its answer's body."""
        self._socket.sendall(request)
        return self.take()

    def call(self, method: str, *params: object) -> Any:
        """The result of a method. Raises: BenchError."""
        answer = json.loads(self.ask(post(method, *params)))
        if "error" in answer:
            raise BenchError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _more(self) -> bytes:
        data = self._socket.recv(_READ)
        if not data:
            raise BenchError("the node hung up")
        return data


def request(method: str, *params: object) -> dict[str, object]:
    """One JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def post(method: str, *params: object) -> bytes:
    """A whole HTTP request with one JSON-RPC request."""
    return framed(request(method, *params))


def batch(requests: Sequence[dict[str, object]]) -> bytes:
    """A whole HTTP request with many."""
    return framed(requests)


def framed(document: object) -> bytes:
    """HTTP around a document."""
    body = json.dumps(document, separators=(",", ":")).encode()
    head = (
        f"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
