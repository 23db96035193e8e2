"""deploy, send, call, estimate, receipt, block, storage, accounts: on a data directory of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from contractvm.crypto import keccak256
from state.codec import decode
from state.merkle import verify_proof
from tests.contractvm.cli.conftest import Cli
from tests.contractvm.cli.wat import COUNTER, assemble

FIRST = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SECOND = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
SECOND_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"


@pytest.fixture
def counter(cli: Cli, tmp_path: Path) -> str:
    """Address of a deployed counter."""
    return str(cli("deploy", assemble(tmp_path / "counter.wasm", COUNTER), "--json").json["contractAddress"])


def test_reading_makes_no_chain(cli: Cli, data: Path) -> None:
    listed = cli("accounts", "--json").json["accounts"]
    assert [a["address"] for a in listed[:2]] == [FIRST, SECOND]
    assert {a["balance"] for a in listed} == {str(10_000 * 10**18)}
    assert "privateKey" not in listed[0]
    assert cli("accounts", "--json", "--keys").json["accounts"][1]["privateKey"] == SECOND_KEY
    assert cli("block", "--json").json["number"] == 0
    assert "no chain in" in cli("block").err
    assert not data.exists()


def test_the_genesis_shown_is_the_one_written(cli: Cli, data: Path) -> None:
    shown = cli("block", "0", "--json").json["hash"]
    cli("send", 1, "--value", 1)
    assert data.exists()
    assert cli("block", "0", "--json").json["hash"] == shown


def test_deploy_send_call(cli: Cli, counter: str) -> None:
    assert cli("call", counter, "0x00").out == "0x" + "00" * 32 + "\n"
    for count in (1, 2):
        sent = cli("send", counter, "--json")
        assert sent.code == 0 and sent.json["status"] == 1 and sent.json["blockNumber"] == 1 + count
    # f() has four bytes of input, so it reads.
    assert cli("call", counter, "f()(uint256)").out == "2\n"
    document = cli("call", counter, "f()(uint256)", "--json").json
    assert document["result"] == ["2"] and document["gas"] > 21_000
    assert cli("call", counter, "f()(uint256)", "--block", 2).out == "1\n"
    assert cli("call", counter, "f()(uint256,uint256)").code == 1


def test_the_receipt_is_the_same_later(cli: Cli, counter: str) -> None:
    sent = cli("send", counter, "--json").json
    assert cli("receipt", sent["transactionHash"], "--json").json == sent
    shown = cli("receipt", sent["transactionHash"]).out
    for word in ("success", FIRST, counter, f"{sent['gasUsed']:,}"):
        assert word in shown
    block = cli("block", "--json").json
    assert block["transactions"] == [sent["transactionHash"]]
    assert block["gasUsed"] == sent["gasUsed"]
    assert cli("block", sent["blockHash"], "--json").json == block
    assert cli("block", hex(sent["blockNumber"]), "--json").json == block


def test_a_revert_is_1_mined_or_not(cli: Cli, counter: str) -> None:
    refused = cli("send", counter, "0xee")
    refused.failed("execution reverted: never")
    before = cli("block", "--json").json["number"]
    mined = cli("send", counter, "0xee", "--gas-limit", 100_000)
    mined.failed("never")
    assert cli("block", "--json").json["number"] == before + 1
    as_json = cli("send", counter, "0xee", "--gas-limit", 100_000, "--json")
    assert as_json.code == 1
    assert as_json.json["status"] == 0 and as_json.json["error"] == "reverted: never"
    cli("receipt", as_json.json["transactionHash"]).failed("never")


def test_a_trap_has_its_place(cli: Cli, counter: str) -> None:
    sent = cli("send", counter, "0xff", "--gas-limit", 100_000, "--json")
    assert sent.code == 1
    trap = sent.json["trap"]
    assert trap["kind"] == "unreachable" and trap["name"] == "call" and trap["offset"] > 0
    cli("call", counter, "0xff").failed("unreachable", "byte 0x")


def test_call_reverts_as_clients_know_it(cli: Cli, counter: str) -> None:
    called = cli("call", counter, "0xee", "--json")
    assert called.code == 1
    error = called.json["error"]
    assert error["code"] == 3
    assert error["message"] == "execution reverted: never"
    assert error["data"].startswith("0x08c379a0")
    cli("estimate", counter, "0xee").failed("never")


def test_estimate_is_the_least(cli: Cli, counter: str) -> None:
    gas = cli("estimate", counter, "--json").json["gas"]
    assert cli("estimate", counter, "-q").out == f"{gas}\n"
    assert cli("send", counter, "--gas-limit", gas - 1, "--json").json["outcome"] == "out_of_gas"
    assert cli("send", counter, "--gas-limit", gas, "--json").json["status"] == 1


def test_where_the_gas_goes(cli: Cli, counter: str) -> None:
    document = cli("estimate", counter, "--parts", "--json").json
    assert sum(document["parts"].values()) == document["gasUsed"]
    assert document["parts"]["the transaction itself and its data"] == 21_000
    assert "instructions" in cli("estimate", counter, "--parts").out


def test_estimating_a_deployment(cli: Cli, tmp_path: Path) -> None:
    path = assemble(tmp_path / "counter.wasm", COUNTER)
    gas = cli("estimate", "--create", path, "--json").json["gas"]
    assert cli("deploy", path, "--gas-limit", gas, "--json").json["status"] == 1
    assert cli("deploy", path, "--gas-limit", gas - 1, "--json").json["status"] == 0


def test_who_sends(cli: Cli) -> None:
    for words in (
        ("--from", 1),
        ("--from", SECOND),
        ("--private-key", SECOND_KEY),
        ("--from", 1, "--private-key", SECOND_KEY),
    ):
        assert cli("send", 2, "--value", "1gwei", *words, "--json").json["from"] == SECOND
    assert cli("send", 2, "--json").json["from"] == FIRST
    cli("send", 1, "--from", 2, "--private-key", SECOND_KEY).failed("not the private key's account")
    cli("send", 1, "--from", "0x" + "11" * 20).failed("no key")
    cli("send", 1, "--from", 10).failed("no account 10")
    cli("send", 1, "--from", "").failed("an address is 20")
    cli("send", 1, "--from", "\u0661").failed("not hex")
    cli("send", 1, "--private-key", "0x00").failed("no key")
    cli("send", 1, "--private-key", "hunter2").failed("not hex")


def test_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETH_FROM", SECOND)
    assert cli("send", 2, "--json").json["from"] == SECOND
    monkeypatch.setenv("CONTRACTVM_FROM", FIRST)
    assert cli("send", 2, "--json").json["from"] == FIRST


def test_values_and_fees(cli: Cli) -> None:
    sent = cli("send", 1, "--value", "1.5ether", "--gas-price", "3gwei", "--priority-gas-price", "1gwei", "--json").json
    assert sent["gasUsed"] == 21_000 and sent["type"] == 2
    balances = [int(a["balance"]) for a in cli("accounts", "--json").json["accounts"][:2]]
    assert balances[1] == 10_000 * 10**18 + 15 * 10**17
    assert balances[0] == 10_000 * 10**18 - 15 * 10**17 - 21_000 * int(sent["effectiveGasPrice"])
    assert cli("send", 1, "--legacy", "--json").json["type"] == 0


def test_a_tip_is_paid_as_asked_or_refused(cli: Cli) -> None:
    sent = cli("send", 1, "--priority-gas-price", "7gwei", "--json").json
    header = cli("block", "--json").json
    assert int(sent["effectiveGasPrice"]) == int(header["baseFeePerGas"]) + 7 * 10**9
    refused = cli("send", 1, "--gas-price", "2gwei", "--priority-gas-price", "3gwei")
    assert refused.code == 2 and "above the highest price" in refused.err
    refused = cli("send", 1, "--legacy", "--priority-gas-price", "1gwei")
    assert refused.code == 2 and "has no tip" in refused.err
    cli("send", 1, "--priority-gas-price", str(2**256 - 1)).failed()
    assert cli("block", "--json").json["number"] == 1


def test_refused_transactions(cli: Cli) -> None:
    cli("send", 1, "--value", "20000ether", "--gas-limit", 21000).failed("insufficient funds")
    cli("send", 1, "--gas-limit", 20_999).failed("intrinsic gas too low")
    cli("send", 1)
    cli("send", 1, "--nonce", 0).failed("nonce too low")
    cli("send", 1, "--nonce", 7).failed("nonce too high", "next nonce 1")
    cli("send", 1, "--gas-price", 1).failed("base fee")
    cli("send", 1, "--gas-limit", 1 << 40).failed("gas limit")
    cli("send", 1, "--gas-limit", 1 << 70).failed()
    assert cli("block", "--json").json["number"] == 1


def test_wrong_targets(cli: Cli, counter: str) -> None:
    cli("call", SECOND, "f()").failed("no code")
    cli("send", SECOND, "f()").failed("no code")
    cli("call", "token.wasm", "f()").failed("contractvm deploy token.wasm")
    cli("call", "0x12", "f()").failed("1 bytes")
    cli("call", counter, "f").failed("no signature")
    cli("call", counter, "f(uint256)").failed("takes 1 arguments, 0 given", code=2)
    cli("call", counter, "f(uint256)", "x").failed("argument 1", code=2)
    cli("call", counter, "f(uint8)", 256).failed("uint8")
    cli("call", counter, "f(float)", 1).failed("float")
    cli("call", counter, "0x00", "1").failed("raw calldata")
    cli("receipt", "0x" + "00" * 32).failed("no transaction")
    cli("receipt", "0x00").failed("32")
    cli("block", 99).failed("99", "head is 1")
    cli("block", "next").failed("latest")
    cli("block", "0x" + "00" * 32).failed("no block")
    cli("storage", "0x" + "11" * 20).failed("does not exist")


def test_storage_and_its_proof(cli: Cli, counter: str) -> None:
    cli("send", counter)
    value = "0x" + "00" * 31 + "01"
    assert cli("storage", counter, "n").out == value + "\n"
    assert cli("storage", counter, "0x6e", "--json").json == {"key": "0x6e", "value": value}
    assert cli("storage", counter, "--json").json == {"storage": {"0x6e": value}}
    assert cli("storage", counter, "n", "--block", 1).out == "0x\n"
    assert "checked" in cli("storage", counter, "n", "--proof").out
    proof = cli("storage", counter, "n", "--proof", "--json").json
    root = bytes.fromhex(proof["stateRoot"][2:])
    assert proof["stateRoot"] == cli("block", "--json").json["stateRoot"]
    nodes = [bytes.fromhex(node[2:]) for node in proof["accountProof"]]
    leaf = verify_proof(root, keccak256(bytes.fromhex(counter[2:])), nodes, keccak256)
    assert leaf is not None and bytes.fromhex(proof["storageHash"][2:]) in leaf
    slot = proof["storageProof"][0]
    nodes = [bytes.fromhex(node[2:]) for node in slot["proof"]]
    shown = verify_proof(bytes.fromhex(proof["storageHash"][2:]), keccak256(b"n"), nodes, keccak256)
    assert shown is not None and "0x" + bytes(decode(shown)).hex() == value  # type: ignore[arg-type]


def test_modules_that_no_chain_takes(cli: Cli, tmp_path: Path, data: Path) -> None:
    for name, text, said in (
        ("floats", '(module (memory (export "memory") 1) (func (export "call") (drop (f32.const 1))))', "float"),
        ("start", '(module (memory (export "memory") 1) (func $s) (start $s) (func (export "call")))', "start"),
        ("foreign", '(module (import "env" "f" (func)) (memory (export "memory") 1) (func (export "call")))', "env"),
        ("shapeless", "(module)", "memory"),
    ):
        cli("deploy", assemble(tmp_path / f"{name}.wasm", text)).failed(said)
    cli("deploy", tmp_path / "missing.c").failed("no such file")
    (tmp_path / "note.txt").write_text("hello")
    cli("deploy", tmp_path / "note.txt").failed(".wat")
    assert not data.exists(), "a refused deployment made a chain"


def test_directories_that_are_no_chain(cli: Cli, data: Path) -> None:
    data.mkdir()
    (data / "thesis.tex").write_text("precious")
    cli("send", 1).failed(str(data))
    cli("block").failed(str(data))
    assert [p.name for p in data.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_place_of_the_directory(cli: Cli, data: Path) -> None:
    data.write_text("a file")
    cli("send", 1).failed(str(data))
    assert data.read_text() == "a file"


def test_a_lost_chain_is_not_replaced_by_a_new_one(cli: Cli, data: Path) -> None:
    """LevelDB keeps young blocks in its log alone and starts empty, without a word, where that is gone."""
    from state.directory import open_store

    cli("send", 1)
    with open_store(data, create=False) as store:
        store.write(dict.fromkeys(list(store.keys(b"", None))), sync=True)
    for words in (("block",), ("send", 1)):
        cli(*words).failed(str(data), "remove it to start a new chain")


def test_a_directory_cut_short_is_completed(cli: Cli, data: Path) -> None:
    data.mkdir()
    (data / "LOCK").touch()
    assert cli("send", 1, "--json").json["status"] == 1


def test_the_second_one_is_told(cli: Cli, data: Path) -> None:
    from state.directory import open_store

    cli("send", 1)
    with open_store(data, create=False):
        cli("send", 1).failed(str(data))
        cli("block").failed(str(data))
    assert cli("send", 1).code == 0


def test_quiet_is_for_scripts(cli: Cli, tmp_path: Path) -> None:
    address = cli("deploy", assemble(tmp_path / "counter.wasm", COUNTER), "-q")
    assert address.err == "" and len(address.out) == 43
    sent = cli("send", address.out.strip(), "-q")
    assert len(sent.out) == 67 and sent.err == ""


def test_json_errors_keep_standard_output_clean(cli: Cli) -> None:
    refused = cli("receipt", "0x" + "00" * 32, "--json")
    assert refused.out == ""
    json.loads(cli("accounts", "--json").out)
