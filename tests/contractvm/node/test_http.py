"""HTTP as clients and others speak it to a node: odd, slow, large, many at once."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from contractvm.node.config import Config, Limits
from contractvm.node.node import Node
from contractvm.node.serve import bind, run, server_of
from contractvm.transaction import Transaction
from contractvm.wasm.machine import WasmMachine
from tests.contractvm.node.test_dispatch import signed

BODY = b'{"jsonrpc":"2.0","id":7,"method":"eth_chainId"}'
ANSWER = b'{"jsonrpc":"2.0","id":7,"result":"0x7a69"}'


class Served:
    """A node behind a real socket, in this process."""

    def __init__(self, config: Config) -> None:
        self.node = Node(config, [WasmMachine("portable")])
        self._listener = bind("127.0.0.1", 0)
        self.port = self._listener.getsockname()[1]
        ready = threading.Event()
        self._server = server_of(self.node, ready.set)
        self._thread = threading.Thread(target=run, args=(self.node, self._server, self._listener))
        self._thread.start()
        assert ready.wait(30)

    def connect(self) -> socket.socket:
        """A connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def close(self) -> None:
        """End it, as a signal does."""
        self._server.should_exit = True
        self._thread.join(60)
        self._listener.close()
        assert not self._thread.is_alive()


@contextmanager
def served(config: Config | None = None) -> Iterator[Served]:
    """A node for the length of a block."""
    server = Served(config or Config())
    try:
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A node that the tests of this module share; none of them changes its chain."""
    with served(Config(metrics=True)) as opened:
        yield opened


def post(body: bytes, *headers: bytes, path: bytes = b"/", version: bytes = b"1.1") -> bytes:
    """A request."""
    lines = [b"POST " + path + b" HTTP/" + version, b"host: localhost", b"content-length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def response(client: socket.socket, rest: bytes = b"") -> tuple[int, bytes, bytes, bytes]:
    """Status, head and body of the next response, and what came behind it."""
    data = rest
    while b"\r\n\r\n" not in data:
        part = client.recv(65_536)
        if not part:
            return 0, b"", b"", data
        data += part
    head, _, data = data.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status == 100:
        return response(client, data)
    size = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            size = int(line[15:])
    while len(data) < size:
        data += client.recv(65_536)
    return status, head, data[:size], data[size:]


def exchange(server: Served, request: bytes) -> tuple[int, bytes, bytes]:
    """One request on a connection of its own."""
    with server.connect() as client:
        client.sendall(request)
        return response(client)[:3]


def gone(client: socket.socket) -> bool:
    """Whether the node hangs up, waiting for it."""
    try:
        return client.recv(65_536) == b""
    except ConnectionResetError:
        return True


def test_a_request(server: Served) -> None:
    status, head, body = exchange(server, post(BODY, b"content-type: application/json"))
    assert (status, body) == (200, ANSWER)
    assert b"access-control-allow-origin: *" in head


@pytest.mark.parametrize("path", [b"/", b"/rpc", b"/v1/key?x=1"])
def test_any_path_and_any_content_type(server: Served, path: bytes) -> None:
    assert exchange(server, post(BODY, b"content-type: text/plain", path=path))[2] == ANSWER


def test_many_requests_on_a_connection_and_in_pieces(server: Served) -> None:
    with server.connect() as client:
        for _ in range(20):
            for byte in post(BODY):
                client.sendall(bytes([byte]))
            assert response(client)[2] == ANSWER


def test_pipelined_requests_are_answered_in_order(server: Served) -> None:
    asked = [b'{"jsonrpc":"2.0","id":%d,"method":"eth_chainId"}' % number for number in range(50)]
    slow = b'{"jsonrpc":"2.0","id":99,"method":"eth_call","params":[{"to":null,"data":"0x00"}]}'
    with server.connect() as client:
        client.sendall(post(slow) + b"".join(map(post, asked)))
        rest, ids = b"", []
        for _ in range(51):
            _, _, body, rest = response(client, rest)
            ids.append(json.loads(body)["id"])
    assert ids == [99, *range(50)]


def test_what_was_sent_is_in_a_block_for_whoever_asks_next() -> None:
    """The hash is answered before the block is made; requests that were there already are behind it all the same."""
    with served() as server, server.connect() as one, server.connect() as other:
        for nonce in range(20):
            raw = signed(nonce)
            digest = Transaction.decode(bytes.fromhex(raw[2:])).hash.hex()
            send, ask = (
                post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": [param]}).encode())
                for method, param in (
                    ("eth_sendRawTransaction", raw),
                    ("eth_getTransactionReceipt", "0x" + digest),
                )
            )
            one.sendall(send + ask)
            _, _, sent, rest = response(one)
            assert json.loads(sent)["result"] == "0x" + digest
            other.sendall(ask)
            for body in (response(one, rest)[2], response(other)[2]):
                assert json.loads(body)["result"]["blockNumber"] == hex(nonce + 1)


def test_a_page_between_requests(server: Served) -> None:
    with server.connect() as client:
        client.sendall(post(BODY) + b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n" + post(BODY))
        _, _, first, rest = response(client)
        _, _, page, rest = response(client, rest)
        _, _, last, _ = response(client, rest)
    assert (first, last) == (ANSWER, ANSWER)
    assert json.loads(page) == {"status": "ok", "chainId": 31_337, "height": 0}


def test_chunked(server: Served) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, BODY[i : i + 1]) for i in range(len(BODY))) + b"0\r\n\r\n"
    request = b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n" + chunks
    assert exchange(server, request)[2] == ANSWER


def test_expect_continue(server: Served) -> None:
    with server.connect() as client:
        request = post(BODY, b"expect: 100-continue")
        client.sendall(request[: -len(BODY)])
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(BODY)
        assert response(client)[2] == ANSWER


def test_http_1_0_and_close(server: Served) -> None:
    for request in (post(BODY, version=b"1.0"), post(BODY, b"connection: close")):
        with server.connect() as client:
            client.sendall(request)
            assert response(client)[2] == ANSWER
            assert gone(client)


def test_a_notification_is_answered_by_204(server: Served) -> None:
    status, _, body = exchange(server, post(b'{"jsonrpc":"2.0","method":"eth_chainId"}'))
    assert (status, body) == (204, b"")


def test_preflight(server: Served) -> None:
    request = (
        b"OPTIONS / HTTP/1.1\r\nhost: localhost\r\norigin: http://app.example\r\n"
        b"access-control-request-method: POST\r\naccess-control-request-headers: content-type\r\n\r\n"
    )
    status, head, _ = exchange(server, request)
    assert status == 204
    assert b"access-control-allow-headers: *" in head and b"access-control-allow-methods: POST" in head


def test_metrics(server: Served) -> None:
    exchange(server, post(BODY))
    status, head, body = exchange(server, b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")
    assert status == 200 and b"text/plain" in head
    assert b"contractvm_block_height 0.0" in body
    assert b'contractvm_requests_total{method="eth_chainId"}' in body


@pytest.mark.parametrize(
    "request_",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"nonsense\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x00" * 5_000],
)
def test_what_is_no_http(server: Served, request_: bytes) -> None:
    status, _, _ = exchange(server, request_)
    assert status in (0, 400)
    assert exchange(server, post(BODY))[2] == ANSWER


@pytest.mark.parametrize("method", [b"HEAD", b"PUT", b"DELETE", b"PATCH", b"TRACE"])
def test_other_methods(server: Served, method: bytes) -> None:
    assert 200 <= exchange(server, method + b" / HTTP/1.1\r\nhost: localhost\r\n\r\n")[0] < 500
    assert exchange(server, post(BODY))[2] == ANSWER


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large(chunked: bool) -> None:
    with served(Config(limits=Limits(body_bytes=100_000))) as server:
        size = 10_000_000
        with server.connect() as client:
            if chunked:
                client.sendall(b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
                body = (b"%x\r\n%s\r\n" % (50_000, b"a" * 50_000)) * 10
            else:
                client.sendall(post(b"")[:-4].replace(b"content-length: 0", b"content-length: %d" % size) + b"\r\n\r\n")
                body = b"a" * 300_000
            status, content = 0, b""
            with suppress(OSError):  # hung up before all was sent, or before the answer was read
                client.sendall(body)
                status, _, content, _ = response(client)
            assert status in (413, 0)
            assert status == 0 or b"100000" in content
        assert exchange(server, post(BODY))[2] == ANSWER


def test_whoever_is_slow_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("contractvm.node.protocol.TICK_SECONDS", 0.05)
    with served(Config(limits=Limits(request_seconds=0.3, idle_seconds=1))) as server:
        silent, dripping, idle = server.connect(), server.connect(), server.connect()
        idle.sendall(post(BODY))
        assert response(idle)[2] == ANSWER
        dripping.sendall(post(BODY)[:30])
        until = time.monotonic() + 20
        hung_up = False
        while not hung_up and time.monotonic() < until:
            time.sleep(0.05)
            try:
                dripping.sendall(b"x")
            except OSError:
                hung_up = True
        assert hung_up
        assert gone(silent) and gone(idle)
        for client in (silent, dripping, idle):
            client.close()
        assert exchange(server, post(BODY))[2] == ANSWER


def test_too_many_connections() -> None:
    with served(Config(limits=Limits(connections=10))) as server:
        clients = [server.connect() for _ in range(10)]
        for client in clients:
            client.sendall(post(BODY))
            assert response(client)[2] == ANSWER
        with server.connect() as extra:
            status, _, content, _ = response(extra)
            assert status == 503 and b"too many" in content
        for client in clients:
            client.close()
        until = time.monotonic() + 20
        while exchange(server, post(BODY))[2] != ANSWER:
            assert time.monotonic() < until


def test_a_thousand_connections_at_once(server: Served) -> None:
    clients = [server.connect() for _ in range(1_000)]
    for client in clients:
        client.sendall(post(BODY))
    assert all(response(client)[2] == ANSWER for client in clients)
    for client in clients:
        client.close()


def test_who_does_not_read_is_not_read_from(server: Served) -> None:
    """A client that sends and sends and never reads cannot fill the node's memory with answers."""
    request = post(b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["0x0",true]}') * 100
    with server.connect() as client:
        client.settimeout(2)
        with pytest.raises(TimeoutError):
            for _ in range(100_000):
                client.sendall(request)
        assert exchange(server, post(BODY))[2] == ANSWER
