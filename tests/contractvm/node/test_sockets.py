"""Subscriptions and requests over a WebSocket: the application on messages alone, without a server around it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from contractvm.node.config import Config, Limits
from contractvm.node.server import App
from contractvm.node.session import Overrun, Session
from tests.contractvm.node.local import Local, local
from tests.contractvm.node.probes import endless
from tests.contractvm.node.token import ALICE, BOB, Token, hexed, send

CLOSE = {"type": "websocket.disconnect"}


class Socket:
    """A client on a WebSocket of the node."""

    def __init__(self, node: Local) -> None:
        self._node = node
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._gate = threading.Event()
        self._gate.set()
        self._number = 0
        self.put({"type": "websocket.connect"})
        self._served: asyncio.Task[None] = node.on_loop(self._start())
        assert self.next()["type"] == "websocket.accept"

    async def _start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        async def answer(message: Any) -> None:
            while not self._gate.is_set():
                await asyncio.sleep(0.01)
            await self._outgoing.put(message)

        await App(self._node.node)({"type": "websocket", "headers": [], "path": "/"}, self._incoming.get, answer)

    def put(self, message: dict[str, Any]) -> None:
        """Let a message arrive."""
        self._node.on_loop(self._incoming.put(message))

    def next(self) -> dict[str, Any]:
        """The next message from the node."""
        message: dict[str, Any] = self._node.on_loop(asyncio.wait_for(self._outgoing.get(), 20))
        return message

    def read(self) -> Any:
        """The next message, read."""
        return json.loads(self.next()["text"])

    def ask(self, method: str, *params: Any) -> int:
        """Send a request; its id."""
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        self.put({"type": "websocket.receive", "text": json.dumps(request)})
        return self._number

    def rpc(self, method: str, *params: Any) -> Any:
        """The answer to a request, which is the next message."""
        number = self.ask(method, *params)
        answer = self.read()
        assert answer["id"] == number, answer
        return answer.get("result", answer.get("error"))

    def silent(self) -> bool:
        """Whether nothing has come from the node."""
        return self._outgoing.empty()

    def stop_reading(self) -> None:
        """Be a client that takes nothing more."""
        self._gate.clear()

    def close(self) -> None:
        """Go away."""
        self._gate.set()
        self.put(CLOSE)
        self._node.on_loop(asyncio.wait_for(self._served, 20))


@pytest.fixture
def socket(node: Local) -> Iterator[Socket]:
    opened = Socket(node)
    yield opened
    opened.close()


def test_requests(node: Local, socket: Socket) -> None:
    assert socket.rpc("eth_chainId") == "0x7a69"
    assert socket.rpc("eth_chainid")["code"] == -32601
    socket.put({"type": "websocket.receive", "bytes": b'[{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}]'})
    assert socket.read() == [{"jsonrpc": "2.0", "id": 1, "result": "0x0"}]


def test_new_heads(node: Local, socket: Socket) -> None:
    name = socket.rpc("eth_subscribe", "newHeads")
    for height in (1, 2):
        send(node, BOB.address, value=1, gas_limit=21_000)
        told = socket.read()
        assert (told["method"], told["params"]["subscription"]) == ("eth_subscription", name)
        assert told["params"]["result"] == node.rpc("eth_getHeaderByNumber", height)
    assert socket.rpc("eth_unsubscribe", name) is True
    assert socket.rpc("eth_unsubscribe", name) is False
    send(node, BOB.address, value=1, gas_limit=21_000)
    assert socket.rpc("eth_blockNumber") == "0x3"


def test_logs(node: Local, socket: Socket) -> None:
    token = Token(node)
    bob = hexed(BOB.address.rjust(32, b"\0"))
    socket.rpc("eth_subscribe", "logs", {"address": token.hex, "topics": [None, None, bob]})
    token.transfer(ALICE.address, 1)
    digest = token.transfer(BOB.address, 2)
    log = socket.read()["params"]["result"]
    assert log == node.rpc("eth_getTransactionReceipt", digest)["logs"][0]
    assert socket.silent()


def test_what_waits(node: Local, socket: Socket) -> None:
    plain = socket.rpc("eth_subscribe", "newPendingTransactions")
    whole = socket.rpc("eth_subscribe", "newPendingTransactions", True)
    digest = send(node, BOB.address, value=1, gas_limit=21_000)
    told = {each["subscription"]: each["result"] for each in (socket.read()["params"] for _ in range(2))}
    assert told[plain] == digest
    assert (told[whole]["hash"], told[whole]["blockHash"]) == (digest, None)


@pytest.mark.parametrize(
    "params", [[], ["syncing"], ["newBlocks"], [5], ["logs", 5], ["logs", {"address": "0x12"}], ["newHeads", {}, 1]]
)
def test_what_cannot_be_subscribed_to(socket: Socket, params: list[Any]) -> None:
    assert socket.rpc("eth_subscribe", *params)["code"] == -32602


def test_a_socket_that_closes_takes_its_wishes_along(node: Local) -> None:
    first, second = Socket(node), Socket(node)
    first.rpc("eth_subscribe", "newHeads")
    name = first.rpc("eth_newBlockFilter")
    other = second.rpc("eth_subscribe", "newHeads")
    assert second.rpc("eth_unsubscribe", name) is False
    first.close()
    assert "filter not found" in second.rpc("eth_getFilterChanges", name)["message"]
    send(node, BOB.address, value=1, gas_limit=21_000)
    assert second.read()["params"]["subscription"] == other
    second.close()


def test_subscriptions_are_bounded() -> None:
    with local(Config(limits=Limits(subscriptions=2))) as node:
        socket = Socket(node)
        socket.rpc("eth_newBlockFilter")
        socket.rpc("eth_subscribe", "newHeads")
        assert socket.rpc("eth_subscribe", "newHeads")["code"] == -32005
        socket.close()


def test_a_long_call_does_not_hold_up_what_comes_after(node: Local, socket: Socket) -> None:
    spinning = node.rpc("eth_getTransactionReceipt", send(node, None, endless()))["contractAddress"]
    long = socket.ask("eth_call", {"to": spinning, "gas": hex(1_000_000)})
    quick = socket.ask("eth_chainId")
    assert [socket.read()["id"], socket.read()["id"]] == [quick, long]


def test_a_client_that_does_not_read_is_dropped() -> None:
    with local(Config(limits=Limits(socket_queue=4))) as node:
        socket, other = Socket(node), Socket(node)
        socket.rpc("eth_subscribe", "newHeads")
        socket.stop_reading()
        for _ in range(7):
            send(node, BOB.address, value=1, gas_limit=21_000)
        assert other.rpc("eth_blockNumber") == "0x7"
        socket.close()
        messages = []
        while not socket.silent():
            messages.append(socket.next())
        assert messages[-1]["type"] == "websocket.close"
        other.close()


def test_many_requests_at_once_are_all_answered() -> None:
    with local(Config(limits=Limits(socket_queue=16))) as node:
        socket = Socket(node)
        numbers = [socket.ask("eth_chainId") for _ in range(200)]
        assert [socket.read()["id"] for _ in numbers] == numbers
        socket.close()


def test_answers_that_nobody_takes_are_bounded_in_bytes() -> None:
    async def go() -> list[bytes]:
        session = Session(1_000, 100)
        for _ in range(5):
            session.send(b"x" * 60)
        assert session.closed
        with pytest.raises(Overrun):
            await session.next()
        other = Session(1_000, 100)
        other.send(b"x" * 60)
        waiting = asyncio.ensure_future(other.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        taken = await other.next()
        await asyncio.wait_for(waiting, 5)
        return taken

    assert asyncio.run(go()) == [b"x" * 60]
