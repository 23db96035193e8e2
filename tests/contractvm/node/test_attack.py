"""What was found by attacking a node: each of these once ended in an internal error, a hang or a broken chain."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.node.config import Config, Limits
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.errors import StoreFull
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.process import NodeProcess
from tests.contractvm.node.wat import assembled

LAST = 2**64 - 2


def test_an_account_that_used_its_last_nonce_sends_no_more(node: Local) -> None:
    sender, to = node.rpc("eth_accounts")[:2]
    node.rpc("anvil_setNonce", sender, hex(LAST))
    digest = node.rpc("eth_sendTransaction", {"from": sender, "to": to})
    assert node.rpc("eth_getTransactionByHash", digest)["nonce"] == hex(LAST)
    with pytest.raises(RpcError, match="nonce has max value"):
        node.rpc("eth_sendTransaction", {"from": sender, "to": to})
    assert node.rpc("eth_getTransactionCount", sender, "pending") == hex(LAST + 1)
    assert node.rpc("anvil_dumpState").startswith("0x1f8b")
    assert node.rpc("eth_call", {"from": sender, "to": to}) == "0x"


@pytest.mark.parametrize(("opening", "closing"), [('{"blockNumber":', "}"), ("[", "]"), ('{"a":', "}")])
def test_deep_json_is_wrong_and_not_a_bug(node: Local, opening: str, closing: str) -> None:
    deep = opening * 1000 + "1" + closing * 1000
    for method in ("eth_getBalance", "eth_call", "eth_getLogs", "eth_newFilter", "eth_sendTransaction", "evm_mine"):
        for params in (f"[{deep}]", f'["0x{"11" * 20}", {deep}]', f'[{{"to": {deep}}}]', f'[{{"topics": {deep}}}]'):
            answer = node.raw(
                b'{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}' % (method.encode(), params.encode())
            )
            assert answer["id"] in (1, None)
            assert "error" not in answer or answer["error"]["code"] in (-32602, -32700, -32000), json.dumps(answer)[
                :300
            ]


def test_an_artifact_that_is_too_deep_to_be_kept(node: Local) -> None:
    deep = b"[" * 400 + b"]" * 400
    answer = node.raw(b'{"jsonrpc":"2.0","id":1,"method":"cvm_addArtifact","params":[{"abi":%s}]}' % deep)
    assert answer["error"]["code"] == -32602 and "cannot be written" in answer["error"]["message"]


@pytest.mark.parametrize("number", ["٣", "1_0", " 1", "+1"])
def test_numbers_are_written_in_digits_alone(node: Local, number: str) -> None:
    with pytest.raises(RpcError, match="is no quantity"):
        node.rpc("eth_getBalance", "0x" + "11" * 20, number)


def test_no_account_has_more_than_256_bits_of_wei(node: Local) -> None:
    sender, rich, other = node.rpc("eth_accounts")[:3]
    most = hex(2**256 - 1)
    for address in (rich, node.rpc("eth_coinbase")):
        node.rpc("anvil_setBalance", address, most)
    node.rpc("eth_sendTransaction", {"from": sender, "to": rich, "value": "0x5"})
    assert node.rpc("eth_getBalance", rich) == node.rpc("eth_getBalance", node.rpc("eth_coinbase")) == most
    node.rpc("eth_sendTransaction", {"from": rich, "to": other, "value": "0x5"})
    assert int(node.rpc("eth_getBalance", rich), 16) < 2**256 - 1


def test_a_node_that_is_told_to_end_does_not_wait_for_calls() -> None:
    forever = assembled('(module (memory (export "memory") 1) (func (export "call") (loop (br 0))))')
    target = "0x" + "aa" * 20
    request = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [{"to": target}]}
    with NodeProcess(tier="reference") as node:  # where this call takes minutes
        node.ready().connect().rpc("anvil_setCode", target, forever)
        place = urlsplit(node.url)
        caller = http.client.HTTPConnection(place.hostname or "", place.port)
        caller.request("POST", "/", json.dumps(request))
        assert node.connect().rpc("eth_chainId") == "0x7a69"
        assert node.end() == 0
        caller.close()


def test_a_batch_ends_where_its_answers_are_too_long() -> None:
    with local(Config(limits=Limits(result_bytes=2_000_000))) as node:
        height = {"jsonrpc": "2.0", "id": 1, "method": "evm_mine"}
        discover = {"jsonrpc": "2.0", "id": 1, "method": "rpc.discover"}
        answer = node.raw(json.dumps([height] + [discover] * 100 + [height] * 5).encode())
        assert answer["error"]["code"] == -32005 and "response too large" in answer["error"]["message"]
        assert node.rpc("eth_blockNumber") == "0x1"


def test_a_chain_does_not_go_on_from_itself() -> None:
    with NodeProcess() as process:
        client = process.ready().connect()
        with pytest.raises(RpcError, match="cannot go on from itself"):
            client.rpc("anvil_reset", {"forking": {"jsonRpcUrl": process.url}})
        assert client.rpc("eth_getBalance", "0x" + "77" * 20) == "0x0"


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"POST / HTTP/1.1\r\n", b"a: " + b"y" * 1_000 + b"\r\n"),
        (b"POST / HTTP/1.1\r\na: ", b"y" * 1_000),
        (b"GET /", b"y" * 1_000),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"a: " + b"y" * 1_000 + b"\r\n"),
    ],
)
def test_a_head_without_end_is_refused(served: NodeProcess, start: bytes, more: bytes) -> None:
    place = urlsplit(served.url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as client:
        client.sendall(start)
        with suppress(ConnectionError):
            for _ in range(10_000):
                client.sendall(more)
            pytest.fail("10 MB were read")
    assert served.connect().rpc("eth_chainId") == "0x7a69"


@pytest.fixture(scope="module")
def served() -> Iterator[NodeProcess]:
    """A node behind a port."""
    with NodeProcess() as process:
        yield process.ready()


def test_who_waits_for_what_a_revert_undid_is_answered(node: Local) -> None:
    account = dev_accounts()[0]

    async def race() -> Hash:
        served, gate = node.node, threading.Event()
        chain = served.chain
        reverting = asyncio.ensure_future(served.miner.write(lambda: gate.wait(30)))
        await asyncio.sleep(0)
        fields = Transaction(to=account.address, gas_limit=21_000, max_fee=10**10, chain_id=chain.chain_id)
        taken = served.take(fields.sign(account.secret))
        assert isinstance(taken, asyncio.Future)
        chain.drop([tx.hash for tx in chain.pool])
        await asyncio.sleep(0)
        gate.set()
        await reverting
        return await asyncio.wait_for(taken, 30)

    assert len(node.on_loop(race())) == 32


def test_a_disk_that_is_full_is_told_in_words(
    node: Local, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise StoreFull("chain/db: no space left; make room")

    monkeypatch.setattr(node.node.chain, "produce_some", refuse)
    sender, to = node.rpc("eth_accounts")[:2]
    payment = {"from": sender, "to": to, "gas": "0x5208"}
    digest = node.rpc("eth_sendTransaction", payment)  # answered before its block was tried
    assert node.rpc("eth_getTransactionReceipt", digest) is None
    with pytest.raises(RpcError, match="the disk took no more"):
        node.rpc("eth_sendTransaction", payment)
    monkeypatch.undo()
    node.rpc("eth_sendTransaction", payment)
    assert node.rpc("eth_getTransactionReceipt", digest)["status"] == "0x1"
    assert "no space left; make room" in caplog.text
    assert "Traceback" not in caplog.text
