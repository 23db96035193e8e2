"""A node in this process: its methods called as a client would, over real bytes, with and without HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any

from contractvm.node.config import Config
from contractvm.node.dispatch import Dispatcher
from contractvm.node.node import Node
from contractvm.node.session import Session
from contractvm.node.table import methods
from contractvm.wasm.machine import WasmMachine


class RpcError(Exception):
    """The node answered with an error."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.data = data


class Local:
    """A node on an event loop of its own; `rpc` is one request, `raw` any bytes."""

    def __init__(self, config: Config | None = None, tier: str = "portable") -> None:
        self._tier = tier
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.config = config or Config()
        self.node = self.on_loop(self._open())
        self._dispatcher = Dispatcher(self.node, methods())

    async def _open(self) -> Node:
        node = Node(self.config, [WasmMachine(self._tier)])
        node.start()
        return node

    def on_loop(self, work: Any) -> Any:
        """Run a coroutine where the node lives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def ask(self, body: bytes, seconds: float = 60, session: Session | None = None) -> bytes | None:
        """The answer to any bytes, as it is sent. Raises: TimeoutError."""

        async def answered() -> bytes | None:
            answer = self._dispatcher.handle(body, session)
            return await asyncio.wait_for(answer, seconds) if isinstance(answer, Awaitable) else answer

        answer: bytes | None = self.on_loop(answered())
        return answer

    def raw(self, body: bytes, session: Session | None = None) -> Any:
        """The answer to any bytes, read; None where there is none."""
        answer = self.ask(body, session=session)
        return None if answer is None else json.loads(answer)

    def rpc(self, method: str, *params: Any, session: Session | None = None) -> Any:
        """The result of a method. Raises: RpcError."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self.raw(json.dumps(request).encode(), session)
        assert answer["jsonrpc"] == "2.0" and answer["id"] == 1
        if "error" in answer:
            error = answer["error"]
            raise RpcError(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def close(self) -> None:
        """End the node and its loop."""
        self.on_loop(self.node.close())
        self.stop()

    def stop(self) -> None:
        """End the loop alone, of a node that is ended already."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def local(config: Config | None = None, tier: str = "portable") -> Iterator[Local]:
    """A node for the length of a block."""
    node = Local(config, tier)
    try:
        yield node
    finally:
        node.close()
