"""Commands through a node: the same answers as from a directory, and what is said when it does not go well."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from state.directory import open_store
from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.wat import COUNTER, assemble
from tests.contractvm.node.process import NodeProcess
from tests.sources import ROOT

pytest.importorskip("uvicorn", reason="the extra 'node' is not installed")

SECOND = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
SECOND_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
TOKEN = ROOT / "contracts" / "token" / "token.py"
TRANSFER = "transfer(address,uint256)"
NOBODY = "0x00000000000000000000000000000000000000aa"
CHANGING = {"hash", "blockHash", "parentHash", "timestamp", "miner"}
"""What is another in every chain: it depends on the clock."""


def started(*options: str) -> NodeProcess:
    """A node that the command line's own environment does not reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CONTRACTVM_DATA", raising=False)
        return NodeProcess(*options)


@pytest.fixture
def node() -> Iterator[str]:
    """URL of a fresh node."""
    with started() as process:
        yield process.ready().url


@pytest.fixture(autouse=True)
def _no_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONTRACTVM_RPC_URL", "ETH_RPC_URL", "ETH_KEYSTORE", "ETH_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


def stable(document: Any) -> Any:
    """A document without what depends on the clock."""
    if isinstance(document, dict):
        return {key: stable(value) for key, value in document.items() if key not in CHANGING}
    return [stable(item) for item in document] if isinstance(document, list) else document


def test_a_directory_and_a_node_answer_alike(cli: Cli, node: str, tmp_path: Path) -> None:
    path = assemble(tmp_path / "counter.wasm", COUNTER)
    deployed = cli("deploy", path, "--json").json
    contract = deployed["contractAddress"]
    commands: list[tuple[object, ...]] = [
        ("deploy", path),
        ("send", contract),
        ("send", contract, "--from", 1, "--legacy"),
        ("send", 1, "--value", "1.5ether", "--priority-gas-price", "2gwei"),
        ("send", contract, "0xee", "--gas-limit", 100_000),
        ("send", contract, "0xee"),
        ("call", contract, "f()(uint256)"),
        ("call", contract, "0xee"),
        ("call", contract, "f()(uint256)", "--block", 2),
        ("call", NOBODY, "f()(uint256)"),
        ("estimate", contract),
        ("estimate", contract, "0xee"),
        ("estimate", "--create", path),
        ("block", 3),
        ("block", "earliest"),
        ("accounts",),
        ("storage", contract),
        ("storage", contract, "n"),
        ("storage", contract, "absent"),
        ("storage", contract, "n", "--block", 1),
        ("storage", contract, "n", "--proof"),
        ("storage", NOBODY),
        ("verify", contract, path),
        ("logs",),
        ("receipt", deployed["transactionHash"]),
        ("trace", deployed["transactionHash"]),
    ]
    first = cli("deploy", path, "--json", "-r", node)
    assert stable(first.json) == stable(deployed)
    for command in commands:
        here, there = cli(*command, "--json"), cli(*command, "--json", "-r", node)
        said = [line for line in here.err.splitlines() if not line.startswith("debug:")]  # the node's own terminal
        assert (here.code, said) == (there.code, there.err.splitlines()), command
        assert bool(here.out) == bool(there.out), command
        if here.out:
            mine, its = stable(here.json), stable(there.json)
            if its.get("gas", 0) is None:  # a node does not say what gas a call took
                its["gas"] = mine["gas"]
            assert mine == its, command


def test_what_people_are_shown(cli: Cli, node: str, tmp_path: Path) -> None:
    path = assemble(tmp_path / "counter.wasm", COUNTER)
    contract = cli("deploy", path, "-q", "-r", node).out.strip()
    sent = cli("send", contract, "-r", node)
    assert sent.code == 0 and "success" in sent.out
    digest = cli("send", contract, "-q", "-r", node).out.strip()
    assert contract in cli("receipt", digest, "-r", node).out
    assert digest in cli("block", "-r", node).out
    assert cli("call", contract, "f()(uint256)", "-r", node).out == "2\n"
    assert int(cli("estimate", contract, "-q", "-r", node).out) > 21_000
    assert "10000" in cli("accounts", "-r", node, "--keys").out
    assert "every node, from the state root down" in cli("storage", contract, "n", "--proof", "-r", node).out


def test_a_mined_revert_says_why_and_where(cli: Cli, node: str, data: Path) -> None:
    for where in (("-r", node), ("--data", data)):
        token = cli("deploy", TOKEN, 5, "-q", *where).out.strip()
        refused = cli("send", token, TRANSFER, SECOND, 6, *where)
        refused.failed("execution reverted: ERC20InsufficientBalance(0xf39f")
        mined = cli("send", token, TRANSFER, SECOND, 6, "--gas-limit", 100_000, *where)
        mined.failed("mined but reverted: ERC20InsufficientBalance(0xf39f", "at token.py:", "raise ERC20Insuff")
        digest = mined.out.split("transaction")[1].split()[0]
        cli("receipt", digest, *where).failed("at token.py:")
        assert cli("receipt", digest, "--json", *where).json["backtrace"][0].startswith("at token.py:")
        traced = cli("trace", digest, *where)
        traced.failed("ERC20InsufficientBalance", "at token.py:")
        assert traced.out.startswith(f"Token.transfer(to={SECOND.lower()}, value=6)  [")


def test_a_trace_tells_storage_and_events(cli: Cli, node: str) -> None:
    token = cli("deploy", TOKEN, 5, "-q", "-r", node).out.strip()
    digest = cli("send", token, TRANSFER, SECOND, 2, "-q", "-r", node).out.strip()
    shown = cli("trace", digest, "-r", node)
    assert shown.code == 0
    for words in ("Token.transfer(", "-> true", "Token.balance_of[0x7099", "(absent) -> 2", "event Transfer(from="):
        assert words in shown.out
    assert "token.py" not in shown.out and "token.py:" in cli("trace", digest, "-v", "-r", node).out
    cli("trace", "0x" + "11" * 32, "-r", node).failed("0x1111")
    cli("trace", "0x11", "-r", node).failed("hash is 32")


def test_the_node_signs_when_told_to(cli: Cli, node: str) -> None:
    sent = cli("send", 2, "--value", 7, "--from", 1, "--unlocked", "--json", "-r", node).json
    assert sent["from"] == SECOND and sent["status"] == 1
    cli("send", 2, "--value", 7, "--from", NOBODY, "--unlocked", "-r", node).failed("0000aa")
    cli("send", 2, "--value", 7, "--unlocked").failed("--unlocked is for a node", "-r http", code=2)
    cli("send", 2, "--unlocked", "--private-key", SECOND_KEY, "-r", node).failed("exclude each other", code=2)
    rich = cli("send", 2, "--value", 7, "--private-key", SECOND_KEY, "--json", "-r", node).json
    assert rich["from"] == SECOND


def test_waiting_ends_with_what_to_do(cli: Cli) -> None:
    with started("--no-mining") as process:
        url = process.ready().url
        late = cli("send", 1, "--value", 1, "-r", url, "--timeout", "0.3")
        late.failed("is in no block after 0.3 seconds", "contractvm rpc evm_mine")
        digest = next(word for word in late.err.split() if word.startswith("0x"))
        cli("receipt", digest, "-r", url).failed("no transaction 0x", url)
        assert cli("rpc", "evm_mine", "-r", url).code == 0
        assert cli("receipt", digest, "-r", url, "--json").json["status"] == 1


def test_a_directory_that_a_node_holds(cli: Cli, data: Path) -> None:
    with started("--data", str(data)) as process:
        url = process.ready().url
        for command in (("block",), ("send", 1, "--value", 1), ("accounts",)):
            cli(*command).failed(f"{data} is held by a node", f"-r {url}")
        assert cli("rpc", "eth_chainId").out == "0x7a69\n"
        assert cli("send", 1, "--value", 1, "-r", url).code == 0
        assert process.end() == 0
    assert cli("block", "--json").json["number"] == 1
    cli("rpc", "eth_chainId", "--data", data).failed("no node holds", code=2)


@pytest.mark.parametrize("left", ["http://127.0.0.1:1\n", "nonsense", "\xff", "ws://127.0.0.1:1"])
def test_a_url_that_a_killed_node_left(cli: Cli, data: Path, left: str) -> None:
    cli("send", 1, "--value", 1)
    (data / "node.url").write_text(left, encoding="latin-1")
    with open_store(data, create=False):
        held = cli("block").failed("in use by another process")
        assert "-r " not in held.err
    assert cli("block", "--json").json["number"] == 1
    cli("rpc", "eth_chainId", "--data", data).failed("no node holds", code=2)


# Which node


def test_the_environment_may_name_a_node_on_this_machine(
    cli: Cli, node: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ETH_RPC_URL", node)
    cli("send", 1, "--value", 1, "--data", tmp_path / "here")
    assert (tmp_path / "here").exists() and cli("rpc", "eth_blockNumber", "-r", node).out == "0x0\n"
    monkeypatch.delenv("CONTRACTVM_DATA")
    for variable in ("ETH_RPC_URL", "CONTRACTVM_RPC_URL"):
        monkeypatch.setenv(variable, node)
        assert cli("send", 1, "--value", 1).code == 0
        monkeypatch.delenv(variable)
    assert cli("rpc", "eth_blockNumber", "-r", node).out == "0x2\n"


@pytest.mark.parametrize("command", [("block",), ("send", 1, "--value", 1), ("rpc", "eth_chainId")])
def test_the_environment_may_not_name_another_machine(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: tuple[object, ...]
) -> None:
    monkeypatch.delenv("CONTRACTVM_DATA")
    monkeypatch.setenv("ETH_RPC_URL", "https://user:word@node.invalid/v3/secret-of-mine")
    refused = cli(*command).failed("ETH_RPC_URL names https://node.invalid, which is not this machine", '-r "$ETH_RPC')
    assert "secret" not in refused.err and "word" not in refused.err.replace("another", "")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ws://127.0.0.1:8545", "begin the URL with http"),
        ("127.0.0.1:8545", "no http or https URL"),
        ("http://127.0.0.1:99999", "-r is no URL"),
        ("ftp://127.0.0.1", "no http or https URL"),
        ("http://", "no http or https URL"),
    ],
)
def test_urls_that_are_none(cli: Cli, url: str, words: str) -> None:
    cli("block", "-r", url).failed(words, code=2)


def test_options_that_do_not_go_together(cli: Cli, data: Path) -> None:
    cli("block", "-r", "http://127.0.0.1:1", "--data", data).failed("-r and --data exclude each other", code=2)
    cli("call", NOBODY, "-r", "http://127.0.0.1:1", "--tier", "portable").failed("leave --tier out", code=2)


# What may be there instead of a node


def test_nothing_is_there(cli: Cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        cli("block", "-r", url).failed(f"no node answers at {url}", "contractvm node")
    cli("block", "-r", "http://name.invalid:1", "--timeout", 5).failed("name.invalid")


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers each request with the same."""

    status, content = 200, b""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def answering(status: int, content: bytes) -> Iterator[str]:
    """URL of what answers so."""
    kind = type("Kind", (Answers,), {"status": status, "content": content})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (404, b"<html>", "with HTTP 404"),
        (200, b"<html>", "something that is no JSON"),
        (200, b"[" * 100_000, "nested too deeply to be read"),
        (200, b"[]", "does not speak JSON-RPC"),
        (200, b'{"id": 1}', "does not speak JSON-RPC"),
        (200, b'{"jsonrpc": "2.0", "id": 1, "result": 5}', "the block is 5, an object was expected"),
        (200, b'{"jsonrpc": "2.0", "id": 1, "result": {"number": "zero"}}', "number is 'zero', a quantity"),
        (200, b'{"jsonrpc": "2.0", "id": 1, "result": null}', "has no block latest"),
        (403, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32001, "message": "no key"}}', "error: no key"),
    ],
)
def test_something_else_is_there(cli: Cli, status: int, content: bytes, words: str) -> None:
    with answering(status, content) as url:
        cli("block", "-r", f"{url}/v3/secret").failed(words)
        assert "secret" not in cli("block", "-r", f"{url}/v3/secret").err


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers methods from a table: a result, or None to hang up."""

    protocol_version = "HTTP/1.1"
    table: ClassVar[dict[str, Any]] = {}

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = [self.answer(each) for each in (asked if isinstance(asked, list) else [asked])]
        if None in answers:
            self.close_connection = True
            return
        content = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def answer(self, request: dict[str, Any]) -> dict[str, Any] | None:
        if request["method"] not in self.table:
            return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": -32601, "message": "Method not found"}}
        result = self.table[request["method"]]
        return None if result is None else {"jsonrpc": "2.0", "id": request["id"], **result}

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def scripted(**more: Any) -> Iterator[str]:
    """URL of what another make of node might be; `more` changes its answers."""
    results: dict[str, Any] = {
        "eth_chainId": "0x1",
        "eth_getTransactionCount": "0x0",
        "eth_estimateGas": "0x5208",
        "eth_getCode": "0x",
    }
    results |= {"eth_accounts": [], "eth_getBlockByNumber": {"baseFeePerGas": "0x7"}, "web3_clientVersion": "other/1"}
    table = {name: {"result": result} for name, result in results.items()} | more
    kind = type("Kind", (Scripted,), {"table": table})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


SEND = ("send", SECOND, "--value", 1, "--from", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
HASH = "0x" + "ab" * 32


def test_an_answer_that_is_lost_leaves_the_hash(cli: Cli) -> None:
    with scripted(eth_sendRawTransaction=None) as url:
        lost = cli(*SEND, "-r", url).failed("failed")
        assert "note: the transaction may have been sent: contractvm receipt 0x" in lost.err
    with scripted(eth_sendRawTransaction={"result": HASH}, eth_getTransactionReceipt=None) as url:
        assert f"contractvm receipt {HASH}" in cli(*SEND, "-r", url).failed("failed").err
    error = {"code": -32000, "message": "nonce too low: next nonce 5, tx nonce 0"}
    with scripted(eth_sendRawTransaction={"error": error}) as url:
        assert "may have been sent" not in cli(*SEND, "-r", url).failed("nonce too low", "leave --nonce out").err


def test_a_node_of_another_make(cli: Cli) -> None:
    error = {"code": 3, "message": "execution reverted: mine", "data": "0x12345678"}
    with scripted(eth_estimateGas={"error": error}, eth_call={"error": error}) as url:
        cli(*SEND, "-r", url).failed("execution reverted: mine")
        cli("call", SECOND, "-r", url).failed("execution reverted: mine")
        cli("trace", HASH, "-r", url).failed("Method not found: cvm_trace", "contractvm node")
        cli("deploy", TOKEN, 5, "-r", url).failed("is other/1, which runs no WebAssembly", "contractvm node")
        cli("send", 0, "-r", url).failed("there is no account 0", "has none: give an address")
    for broken in ({"result": 7}, {"result": "0xzz"}, {"result": "7"}):
        with scripted(eth_estimateGas=broken) as url:
            cli(*SEND, "-r", url).failed("eth_estimateGas is", "a quantity in hex was expected")


def test_a_node_that_never_answers_or_drips(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cli("block", "-r", url, "--timeout", "0.2").failed("has not answered eth_getBlockByNumber within 0.2 seconds")
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as slow:
        thread = threading.Thread(target=drip, args=(slow,), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}"
        cli("block", "-r", url, "--timeout", "0.4").failed("has not answered")
        stop.set()
        thread.join()


# Any method


def test_rpc(cli: Cli, node: str) -> None:
    assert cli("rpc", "web3_sha3", "0x", "-r", node).out.startswith("0xc5d2460186f7")
    block = cli("rpc", "eth_getBlockByNumber", "0x0", "false", "--json", "-r", node).json["result"]
    assert block["number"] == "0x0"
    assert '\n  "number": "0x0"' in cli("rpc", "eth_getBlockByNumber", "0x0", "false", "-r", node).out
    assert cli("rpc", "eth_getBlockByNumber", "0x0", "false", "-q", "-r", node).out.count("\n") == 1
    unknown = cli("rpc", "eth_blokNumber", "-r", node).failed("did you mean eth_blockNumber")
    assert "does not serve" not in unknown.err
    cli("rpc", "eth_getBalance", "zz", "-r", node).failed("invalid params")
