"""Runs a node until it is told to end: uvicorn around the application, and the way up and down.

Never: decides what is printed; the command line is told by `ready`.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn

from contractvm.node.node import Node
from contractvm.node.protocol import HttpProtocol
from contractvm.node.server import App
from contractvm.process import claim

SWITCH_SECONDS: Final = 0.001
"""How long one thread may hold the interpreter while another wants it: reads go on while a block is made."""
BACKLOG: Final = 2_048


class Server(uvicorn.Server):
    """uvicorn's server, which tells when it can be reached."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End when told to; told twice by the keyboard, at once.

        uvicorn's own would have the signal again when all connections are closed, which ends the process before the
        chain is.
        """
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises: OSError, when the port is taken or the address is not this machine's."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def server_of(node: Node, ready: Callable[[], None]) -> Server:
    """The server of a node, for `run`; `ready` is called when it can be reached."""
    limits = node.config.limits
    options: dict[str, Any] = {
        "http": HttpProtocol,
        "ws": "websockets-sansio",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "date_header": False,
        "timeout_keep_alive": limits.idle_seconds,
        "timeout_graceful_shutdown": 5,
        "ws_max_size": limits.body_bytes,
        "ws_per_message_deflate": False,
    }
    return Server(uvicorn.Config(App(node), **options), ready)


def run(node: Node, server: Server, listener: socket.socket) -> None:
    """Serve on an event loop of its own until the server is told to end; then close the chain."""

    async def serving() -> None:
        node.start()
        try:
            await server.serve([listener])
        finally:
            await node.close()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serving())


def serve(node: Node, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Serve, in a process that does nothing else, until a signal ends it; the block under way is finished."""
    claim()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    run(node, server_of(node, ready), listener)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    return uvloop.new_event_loop
