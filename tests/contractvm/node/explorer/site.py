"""The explorer of a node in this process, asked as a browser would ask it, through the ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from contractvm.node.server import App
from tests.contractvm.node.local import Local

HOST = "127.0.0.1:8545"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Site:
    """A reader with cookies. `get` and `post` are requests of a browser; headers of None are left out."""

    def __init__(self, local: Local) -> None:
        self.local = local
        self.cookies = ""
        self._app = App(local.node)

    def get(self, path: str, **headers: str | None) -> Answered:
        return self.ask("GET", path, b"", headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str | None) -> Answered:
        form = {"content_type": "application/x-www-form-urlencoded", "origin": f"http://{HOST}"}
        return self.ask("POST", path, urlencode(fields).encode(), {**form, **headers})

    def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str | None]) -> Answered:
        path, _, query = path.partition("?")
        given = {"host": HOST, "cookie": self.cookies or None, **headers}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode("latin-1"))
                for name, value in given.items()
                if value is not None
            ],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            await asyncio.sleep(0)
            sent.append(message)

        self.local.on_loop(self._app(scope, receive, send))
        start, *parts = sent
        answered = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        if "set-cookie" in answered:
            self.cookies = answered["set-cookie"].partition(";")[0]
        return Answered(start["status"], answered, b"".join(part["body"] for part in parts))
