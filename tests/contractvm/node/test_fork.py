"""A fork goes on from another node's block, with true roots and proofs, and leaves the other node alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.identity import IncompatibleChain
from contractvm.node.config import Config
from contractvm.node.remote import Remote, RemoteError, RemoteRecords, whole
from contractvm.types import Address
from contractvm.url import origin as origin_of
from state.records import ACCOUNT, CODE, PAST, STORAGE, STORAGE_TRIE
from state.world import World
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.token import BALANCE, SUPPLY, TRANSFER, artifact, hexed, signed

ALICE, BOB, CAROL = (account.address for account in dev_accounts()[:3])


@contextmanager
def served(answer: Callable[[bytes], Any]) -> Iterator[str]:
    """An HTTP server on a thread; its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.dumps(answer(self.rfile.read(int(self.headers["Content-Length"])))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def origin() -> Iterator[tuple[Local, str, str]]:
    """A node with a token of which Alice has all but 5, its URL, and the token's address."""
    with local() as node:
        deployment = signed(0, None, artifact().code + SUPPLY.to_bytes(32, "big"), gas_limit=20_000_000)
        digest = node.rpc("eth_sendRawTransaction", deployment)
        token = node.rpc("eth_getTransactionReceipt", digest)["contractAddress"]
        node.rpc("eth_sendRawTransaction", signed(1, bytes.fromhex(token[2:]), TRANSFER.encode(BOB, 5)))
        with served(node.raw) as url:
            yield node, url, token


def balance(node: Local, token: str, who: Address, block: str = "latest") -> int:
    answer = node.rpc("eth_call", {"to": token, "data": hexed(BALANCE.encode(who))}, block)
    return int(answer, 16)


def test_it_goes_on_from_the_head(origin: tuple[Local, str, str]) -> None:
    source, url, token = origin
    before = source.rpc("eth_getBlockByNumber", "latest", False)
    with local(Config(fork_url=url)) as fork:
        assert fork.rpc("eth_getBlockByNumber", "latest", False) == before
        assert fork.rpc("eth_chainId") == source.rpc("eth_chainId")
        assert (balance(fork, token, ALICE), balance(fork, token, BOB)) == (SUPPLY - 5, 5)
        raw = signed(2, bytes.fromhex(token[2:]), TRANSFER.encode(CAROL, 7))
        digest = fork.rpc("eth_sendRawTransaction", raw)
        receipt = fork.rpc("eth_getTransactionReceipt", digest)
        assert (receipt["status"], receipt["blockNumber"]) == ("0x1", "0x3")
        assert (balance(fork, token, CAROL), balance(source, token, CAROL)) == (7, 0)
        assert balance(fork, token, CAROL, "0x2") == 0
        # The same transaction makes the same state there.
        assert source.rpc("eth_blockNumber") == "0x2"
        source.rpc("eth_sendRawTransaction", raw)
        mine, theirs = (node.rpc("eth_getBlockByNumber", "0x3", False) for node in (fork, source))
        assert mine["stateRoot"] == theirs["stateRoot"]
        assert mine["receiptsRoot"] == theirs["receiptsRoot"]
        assert mine["parentHash"] == before["hash"]


def test_it_goes_on_from_an_older_block_whatever_happens_there(origin: tuple[Local, str, str]) -> None:
    source, url, token = origin
    with local(Config(fork_url=url, fork_block=1)) as fork:
        assert fork.rpc("eth_blockNumber") == "0x1"
        for nonce in range(2, 30):
            to = Address(bytes([nonce]) * 20)
            source.rpc("eth_sendRawTransaction", signed(nonce, bytes.fromhex(token[2:]), TRANSFER.encode(to, 9)))
        assert balance(fork, token, ALICE) == SUPPLY
        assert balance(fork, token, BOB) == 0
        assert fork.rpc("eth_getTransactionCount", hexed(ALICE), "latest") == "0x1"
        fork.rpc("eth_sendRawTransaction", signed(1, bytes.fromhex(token[2:]), TRANSFER.encode(BOB, 5)))
        mine, theirs = (node.rpc("eth_getBlockByNumber", "0x2", False) for node in (fork, source))
        assert mine["stateRoot"] == theirs["stateRoot"]


def test_earlier_blocks_are_the_other_nodes(origin: tuple[Local, str, str]) -> None:
    source, url, token = origin
    with local(Config(fork_url=url)) as fork:
        later = source.rpc("eth_sendRawTransaction", signed(2, bytes.fromhex(token[2:]), TRANSFER.encode(BOB, 1)))
        for number in ("0x0", "0x1", "0x2"):
            block = source.rpc("eth_getBlockByNumber", number, True)
            assert fork.rpc("eth_getBlockByNumber", number, True) == block
            assert fork.rpc("eth_getBlockByHash", block["hash"], True) == block
            for tx in block["transactions"]:
                for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
                    assert fork.rpc(method, tx["hash"]) == source.rpc(method, tx["hash"])
        logs = source.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x2"})
        assert logs and fork.rpc("eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x2"}) == logs
        assert fork.rpc("eth_getBlockByNumber", "0x3", True) is None
        assert fork.rpc("eth_getTransactionReceipt", later) is None
        assert fork.rpc("eth_getBlockByHash", source.rpc("eth_getBlockByNumber", "0x3", False)["hash"], False) is None
        with pytest.raises(RpcError, match="only from 2 to 2"):
            fork.rpc("eth_getBalance", hexed(ALICE), "0x1")


def test_moments_of_a_fork(origin: tuple[Local, str, str]) -> None:
    _, url, token = origin
    with local(Config(fork_url=url)) as fork:
        snapshot = fork.rpc("evm_snapshot")
        fork.rpc("eth_sendRawTransaction", signed(2, bytes.fromhex(token[2:]), TRANSFER.encode(CAROL, 7)))
        assert fork.rpc("evm_revert", snapshot) is True
        assert (fork.rpc("eth_blockNumber"), balance(fork, token, CAROL)) == ("0x2", 0)
        fork.rpc("eth_sendRawTransaction", signed(2, bytes.fromhex(token[2:]), TRANSFER.encode(CAROL, 8)))
        assert balance(fork, token, CAROL) == 8
        fork.rpc("anvil_reset")
        assert (fork.rpc("eth_blockNumber"), balance(fork, token, CAROL)) == ("0x2", 0)
        proof = fork.rpc("eth_getProof", token, [], "latest")
        assert proof["address"] == token
        # A fork can be forked.
        with served(fork.raw) as again, local(Config(fork_url=again)) as second:
            assert balance(second, token, BOB) == 5


def test_accounts_that_are_not_there_get_their_ether(origin: tuple[Local, str, str]) -> None:
    _, url, _ = origin
    with local(Config(fork_url=url, accounts=12, chain_id=5)) as fork:
        accounts = fork.rpc("eth_accounts")
        assert [int(fork.rpc("eth_getBalance", who), 16) > 10**20 for who in accounts] == [True] * 12
        assert (fork.rpc("eth_blockNumber"), fork.rpc("eth_chainId")) == ("0x3", "0x5")


def test_walks_in_both_directions_ask_once(origin: tuple[Local, str, str]) -> None:
    source, _, _ = origin
    chance = random.Random(1)
    who = Address(b"\x77" * 20)
    slots = {chance.randbytes(chance.randrange(1, 30)): b"v" * chance.randrange(1, 90) for _ in range(700)}

    def grow(world: World) -> None:
        for key, value in slots.items():
            world.set_storage(who, key, value)

    source.on_loop(source.node.miner.edit(lambda: source.node.chain.edit(grow)))
    asked: list[str] = []

    def counted(body: bytes) -> Any:
        asked.append(json.loads(body)["method"])
        return source.raw(body)

    head = bytes.fromhex(source.rpc("eth_getBlockByNumber", "latest", False)["hash"][2:])
    prefix = STORAGE + who
    wanted = [prefix + key for key in sorted(slots)]
    with served(counted) as counting:
        records = RemoteRecords(Remote(counting), head)
        for reverse in (False, True, False):
            keys = list(records.keys(prefix, prefix + b"\xff" * 40, reverse))
            assert keys == (wanted[::-1] if reverse else wanted)
        assert len(asked) == 4  # three pages, and one that shows the end
        assert dict(records.iterate(wanted[10], wanted[50])) == {key: slots[key[21:]] for key in wanted[10:50]}
        assert records.get(prefix + b"no such key") is None
        assert records.get(b"Cb") is None
        assert len(asked) == 4
        fresh = RemoteRecords(Remote(counting), head)
        for _ in range(60):
            low, high = sorted(chance.choices(wanted, k=2))
            inside = [key for key in wanted if low <= key < high]
            reverse = chance.random() < 0.5
            assert list(fresh.keys(low, high, reverse)) == (inside[::-1] if reverse else inside)
        assert next(iter(fresh.keys(CODE, STORAGE_TRIE)))[:1] == CODE


def test_another_kind_of_chain_is_refused() -> None:
    anvil = {"jsonrpc": "2.0", "id": 1, "result": "anvil/v1.7.1"}
    with served(lambda body: anvil) as url, pytest.raises(IncompatibleChain, match=r"v1\.7\.1, a chain of the EVM"):
        local(Config(fork_url=url)).__enter__()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"jsonrpc": "2.0", "id": 1, "result": "contractvm/9"}, "does not say what its chain is"),
        ({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "not today"}}, "not today"),
        (["?"], "no JSON-RPC"),
    ],
)
def test_answers_that_are_none(answer: Any, says: str) -> None:
    with served(lambda body: answer) as url, pytest.raises(RemoteError, match=says):
        local(Config(fork_url=url)).__enter__()


def test_nobody_there() -> None:
    for url, says in (("http://127.0.0.1:9", "cannot be reached"), ("ftp://x", "no URL"), ("", "no URL")):
        with pytest.raises(RemoteError, match=says):
            Remote(url).ask("web3_clientVersion")


def test_a_block_that_is_not_there(origin: tuple[Local, str, str]) -> None:
    _, url, _ = origin
    with pytest.raises(RemoteError, match="header not found"):
        local(Config(fork_url=url, fork_block=99)).__enter__()


def test_a_source_that_goes_away(origin: tuple[Local, str, str]) -> None:
    source, _, token = origin
    gone = False
    with (
        served(lambda body: ["gone"] if gone else source.raw(body)) as url,
        local(Config(fork_url=url)) as fork,
    ):
        gone = True
        with pytest.raises(RpcError, match="the store failed"):
            balance(fork, token, ALICE)
        assert fork.rpc("eth_blockNumber") == "0x2"
        gone = False
        assert balance(fork, token, BOB) == 5


def test_a_node_forks_another_later(origin: tuple[Local, str, str], node: Local) -> None:
    source, url, token = origin
    own = node.rpc("eth_getBlockByNumber", "latest", False)
    node.rpc("hardhat_reset", {"forking": {"jsonRpcUrl": url}})
    assert node.rpc("eth_getBlockByNumber", "latest") == source.rpc("eth_getBlockByNumber", "latest")
    assert balance(node, token, BOB) == 5
    assert node.rpc("anvil_nodeInfo")["forkConfig"]["forkUrl"] == url
    digest = node.rpc("eth_sendTransaction", {"from": hexed(CAROL), "to": hexed(BOB), "value": "0x1"})
    assert node.rpc("eth_getTransactionReceipt", digest)["blockNumber"] == "0x3"
    node.rpc("anvil_reset", {"forking": {"blockNumber": 1}})
    assert (node.rpc("eth_blockNumber"), balance(node, token, BOB)) == ("0x1", 0)
    with pytest.raises(RpcError, match=r"no block|header not found"):
        node.rpc("anvil_reset", {"forking": {"blockNumber": 99}})
    assert node.rpc("eth_blockNumber") == "0x1" != own["number"]


class TestServing:
    """What a node hands out, and what it does not."""

    @pytest.mark.parametrize("key", [b"", b"\0", PAST, b"Ci", b"\xff"])
    def test_the_state_alone(self, node: Local, key: bytes) -> None:
        with pytest.raises(RpcError, match="no record of the state"):
            node.rpc("cvm_records", "latest", [hexed(key)])
        with pytest.raises(RpcError, match=r"no record of the state|stop must be"):
            node.rpc("cvm_recordRange", "latest", hexed(key), hexed(PAST + b"\0"))

    def test_bounds(self, node: Local) -> None:
        with pytest.raises(RpcError, match="at most 1024"):
            node.rpc("cvm_records", "latest", ["0x01"] * 1_025)
        assert len(node.rpc("cvm_recordRange", "latest", hexed(ACCOUNT), hexed(PAST), False, 3)) == 3
        assert node.rpc("cvm_records", "latest", ["0x01"]) == [None]

        def grow(world: World) -> None:
            for at in range(9):
                world.set_storage(ALICE, bytes([at + 1]), bytes([at + 1]) * (1 << 20))

        node.on_loop(node.node.miner.edit(lambda: node.node.chain.edit(grow)))
        keys = [hexed(STORAGE + ALICE + bytes([at + 1])) for at in range(9)]
        with pytest.raises(RpcError, match="ask for fewer"):
            node.rpc("cvm_records", "latest", keys)
        assert len(node.rpc("cvm_recordRange", "latest", keys[0], hexed(CODE), False, 9)) == 4


def test_a_url_is_shown_without_what_it_keeps_secret() -> None:
    assert origin_of("http://user:word@[::1]:8545/v1/key?k=1") == "http://[::1]:8545"
    assert origin_of(whole("localhost:1")) == "http://localhost:1"
    assert origin_of("https://node.example/key") == "https://node.example"
