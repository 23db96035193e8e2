"""Logs by contract, event, value and block, storage by field, deep calls: in a directory and through a node."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.test_remote import SECOND, TOKEN, TRANSFER, started
from tests.contractvm.cli.wat import assemble

pytest.importorskip("uvicorn", reason="the extra 'node' is not installed")

FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
TRANSFERRED = "Transfer(address indexed from, address indexed to, uint256 value)"
TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
DEEP = """
(module
  (import "cvm1" "self_address" (func $me (param i32)))
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "call")
    (call $me (i32.const 0))
    (drop (call $call (i32.const 0) (i32.const 32) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 1)))))
"""


@pytest.fixture(params=["directory", "node"])
def where(
    request: pytest.FixtureRequest, data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[str, str]]:
    """Options for a fresh chain; no builds lie around."""
    monkeypatch.chdir(tmp_path)
    if request.param == "directory":
        yield "--data", str(data)
        return
    with started() as process:
        yield "-r", process.ready().url


@pytest.fixture
def tokens(cli: Cli, where: tuple[str, str]) -> tuple[str, str]:
    """Two tokens: blocks 1 and 2 deploy them, in 3 and 4 the first one is sent, in 5 the second."""
    first, second = (cli("deploy", TOKEN, supply, "-q", *where).out.strip() for supply in (100, 200))
    for token, to, amount in ((first, SECOND, 1), (first, FIRST, 2), (second, SECOND, 3)):
        assert cli("send", token, TRANSFER, to, amount, *where).code == 0
    return first, second


def test_which_logs(cli: Cli, where: tuple[str, str], tokens: tuple[str, str]) -> None:
    first, second = tokens

    def values(*words: object) -> list[str]:
        found = cli("logs", *words, "--json", *where).json["logs"]
        return [str(int(log["data"], 16)) for log in found]

    assert values() == ["100", "200", "1", "2", "3"]
    assert values("-a", first) == ["100", "1", "2"]
    assert values("-a", first, "--address", second) == values()
    assert values("--from-block", 3) == ["1", "2", "3"]
    assert values("--from-block", 2, "--to-block", 4) == ["200", "1", "2"]
    assert values(TRANSFERRED) == values(TOPIC) == values()
    assert values("Approval(address indexed,address indexed,uint256)") == []
    assert values(TRANSFERRED, FIRST) == ["1", "2", "3"]
    assert values(TRANSFERRED, "_", SECOND) == ["1", "3"] == values(TOPIC, "_", SECOND.lower())
    assert values(TRANSFERRED, FIRST, SECOND, "-a", second) == ["3"]
    assert values("_", FIRST) == ["1", "2", "3"]


def test_how_logs_are_shown(cli: Cli, where: tuple[str, str], tokens: tuple[str, str], tmp_path: Path) -> None:
    words = f"Transfer(from={FIRST.lower()}, to={SECOND.lower()}, value=3)"
    shown = cli("logs", "--from-block", 5, *where).out  # by the build that the deployment left with the chain
    assert words in shown and tokens[1] in shown and "block 5" in shown and TOPIC not in shown
    assert cli("logs", TRANSFERRED, "--from-block", 5, "-q", *where).out == words + "\n"
    other = "Transfer(address indexed,address indexed,uint256)"
    assert words.replace("from=", "").replace("to=", "").replace("value=", "") in cli("logs", other, *where).out
    document = cli("logs", TRANSFERRED, "--from-block", 5, "--json", *where).json["logs"][0]
    assert document["event"] == "Transfer"
    assert document["args"] == {"from": FIRST.lower(), "to": SECOND.lower(), "value": "3"}
    cli("build", TOKEN, "-o", tmp_path / "build" / "Token.wasm")
    assert words in cli("logs", "Transfer", "--from-block", 5, *where).out
    (tmp_path / "build" / "odd.abi.json").write_text("[5]")
    (tmp_path / "build" / "older.abi.json").write_text(
        json.dumps([{"type": "event", "name": "Odd", "inputs": [{"type": "float", "name": "x"}]}])
    )
    assert words in cli("logs", "--from-block", 5, *where).out
    assert "there are no such logs" in cli("logs", "-a", FIRST, *where).err


def test_logs_refused(cli: Cli, where: tuple[str, str]) -> None:
    cli("logs", "Transfer", *where).failed("'Transfer' is no event's signature, and no build here declares it")
    cli("logs", "Transfer(address,uint256)", FIRST, *where).failed("has 0 indexed values, 1 were given", code=2)
    cli("logs", TRANSFERRED, "who", *where).failed("is not hex", code=2)
    cli("logs", "0xzz", *where).failed("is no topic", code=2)
    cli("logs", "0x" + "11" * 33, *where).failed("is no topic", code=2)
    cli("logs", "--from-block", "soon", *where).failed("is no block")
    cli("logs", "-a", "0x12", *where).failed("an address is 20")


def test_storage_by_field(cli: Cli, where: tuple[str, str], tokens: tuple[str, str]) -> None:
    shown = cli("storage", tokens[0], *where).out
    assert f"Token.balance_of[{SECOND.lower()}]  1\n" in shown and "Token.total_supply" in shown
    assert "0xb470" in cli("storage", tokens[0], "-v", *where).out and "0xb470" not in shown
    document = cli("storage", tokens[0], "--json", *where).json
    fields = {entry["field"]: entry["decoded"] for entry in document["fields"].values()}
    assert fields["Token.total_supply"] == "100" and document["fields"].keys() == document["storage"].keys()


def test_a_call_that_fails_says_where(cli: Cli, where: tuple[str, str], tokens: tuple[str, str]) -> None:
    call = (tokens[0], TRANSFER, SECOND, 1_000)
    for command in ("call", "estimate", "send"):
        cli(command, *call, *where).failed("ERC20InsufficientBalance", "at token.py:")
    assert cli("call", *call, "--json", *where).json["backtrace"][0].startswith("at token.py:")


@pytest.mark.skipif(sys.version_info[:2] == (3, 12), reason="Python 3.12 reads JSON to a depth that nobody can raise")
def test_calls_nested_deeply(cli: Cli, where: tuple[str, str], tmp_path: Path) -> None:
    contract = cli("deploy", assemble(tmp_path / "deep.wasm", DEEP), "-q", *where).out.strip()
    digest = cli("send", contract, "--gas-limit", 29_000_000, "-q", *where).out.strip()
    lines = cli("trace", digest, *where).out.splitlines()
    deepest = max(len(line) - len(line.lstrip()) for line in lines) // 2
    assert deepest > 300
    assert cli("trace", digest, "--json", *where).out.count('"events"') >= 300
