"""Blocks that might follow: each call sees what those before it did, and nothing of it is kept."""

from __future__ import annotations

from typing import Any

import pytest

from contractvm.node.config import Config, Limits
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.probes import around, endless
from tests.contractvm.node.token import ALICE, BOB, CAROL, Token, hexed, send

ETHER = 10**18
POOR = "0x" + "77" * 20
RICH = hexed(ALICE.address)


def simulated(node: Local, *blocks: dict[str, Any], at: str = "latest", **options: bool) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = node.rpc("eth_simulateV1", {"blockStateCalls": list(blocks)} | options, at)
    return answer


def test_calls_see_those_before_them(node: Local) -> None:
    token = Token(node)
    ask_bob = token.asking(BOB.address)
    first = {"calls": [token.message(5), ask_bob, token.message(3, CAROL.address, BOB.address), ask_bob]}
    blocks = simulated(node, first, {"calls": [ask_bob, token.message(9, sender=CAROL.address)]})
    answers = [[call["returnData"] for call in block["calls"]] for block in blocks]
    assert [int(answer, 16) for answer in answers[0]] == [1, 5, 1, 2]
    assert int(answers[1][0], 16) == 2
    failed = blocks[1]["calls"][1]
    assert (failed["status"], failed["error"]["code"], failed["logs"]) == ("0x0", 3, [])
    assert failed["error"]["data"] == failed["returnData"]
    assert token.balance(BOB.address) == 0
    assert node.rpc("eth_blockNumber") == "0x1"


def test_blocks_look_like_blocks(node: Local) -> None:
    token = Token(node)
    [one, two] = simulated(node, {"calls": [token.message(5)]}, {"calls": []}, returnFullTransactions=True)
    head = node.rpc("eth_getBlockByNumber", "latest", True)
    assert one.keys() == head.keys() | {"calls"}
    assert (one["number"], one["parentHash"]) == ("0x2", head["hash"])
    assert (two["number"], two["parentHash"]) == ("0x3", one["hash"])
    [log] = one["calls"][0]["logs"]
    assert (log["blockHash"], log["address"], log["logIndex"]) == (one["hash"], token.hex, "0x0")
    assert one["transactions"][0]["from"] == RICH
    assert log["transactionHash"] == one["transactions"][0]["hash"]
    assert one["gasUsed"] == one["calls"][0]["gasUsed"]
    [plain] = simulated(node, {"calls": [token.message(5)]})
    assert plain["transactions"] == [log["transactionHash"]]


def test_overrides_last(node: Local) -> None:
    pay = {"from": POOR, "to": hexed(BOB.address), "value": hex(ETHER)}
    rich = {POOR: {"balance": hex(2 * ETHER)}}
    blocks = simulated(node, {"stateOverrides": rich, "calls": [pay]}, {"calls": [pay]})
    assert [block["calls"][0]["status"] for block in blocks] == ["0x1", "0x1"]
    with pytest.raises(RpcError, match="insufficient funds") as refused:
        simulated(node, {"stateOverrides": rich, "calls": [pay, pay, pay]})
    assert refused.value.code == -38014


def test_numbers_and_times(node: Local) -> None:
    send(node, BOB.address, value=1, gas_limit=21_000)
    code = {POOR: {"code": hexed(around())}}
    skipping = {"blockOverrides": {"number": "0x5"}, "stateOverrides": code, "calls": [{"to": POOR}]}
    blocks = simulated(node, skipping, {"calls": [{"to": POOR}]}, at="0x0")
    assert [int(block["number"], 16) for block in blocks] == [1, 2, 3, 4, 5, 6]
    times = [int(block["timestamp"], 16) for block in blocks]
    assert times == sorted(set(times))
    seen = bytes.fromhex(blocks[-1]["calls"][0]["returnData"][2:])
    assert (int.from_bytes(seen[:8], "little"), int.from_bytes(seen[8:16], "little")) == (6, times[-1])
    for wrong, code_ in (({"number": "0x1"}, -38020), ({"time": "0x1"}, -38021), ({"number": "0x1000"}, -38026)):
        with pytest.raises(RpcError) as refused:
            simulated(node, {"blockOverrides": wrong, "calls": []})
        assert refused.value.code == code_


def test_with_validation_calls_are_held_to_what_transactions_are(node: Local) -> None:
    pay = {"from": RICH, "to": POOR, "value": "0x1", "gas": "0x5208", "maxFeePerGas": hex(10**10)}
    [block] = simulated(node, {"calls": [pay, pay | {"nonce": "0x1"}]}, validation=True)
    assert [call["status"] for call in block["calls"]] == ["0x1", "0x1"]
    assert int(block["baseFeePerGas"], 16) > 0
    for wrong, code in (
        ({"nonce": "0x5"}, -38011),
        ({"maxFeePerGas": "0x1"}, -38012),
        ({"gas": "0x64"}, -38013),
        ({"value": hex(10**30)}, -38014),
        ({"gas": hex(10**9)}, -38015),
    ):
        with pytest.raises(RpcError) as refused:
            simulated(node, {"calls": [pay | wrong]}, validation=True)
        assert refused.value.code == code
    send(node, BOB.address, value=1, gas_limit=21_000)
    with pytest.raises(RpcError) as low:
        simulated(node, {"calls": [pay | {"nonce": "0x0"}]}, validation=True)
    assert low.value.code == -38010


def test_gas_is_bounded_over_all_calls() -> None:
    code = {POOR: {"code": hexed(endless())}}
    spinning = {"calls": [{"to": POOR}]}
    with local(Config(limits=Limits(call_gas=200_000))) as node:
        [one] = simulated(node, {"stateOverrides": code, "calls": [{"to": POOR, "gas": hex(100_000)}]})
        assert (one["calls"][0]["gasUsed"], one["calls"][0]["error"]["code"]) == (hex(100_000), -32015)
        with pytest.raises(RpcError) as refused:
            simulated(node, spinning | {"stateOverrides": code}, spinning)
        assert refused.value.code == -38013


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"blockStateCalls": []},
        {"blockStateCalls": [5]},
        {"blockStateCalls": [{"call": []}]},
        {"blockStateCalls": [{"calls": {}}]},
        {"blockStateCalls": [{"calls": [{"to": "0x12"}]}]},
        {"blockStateCalls": [{}], "validation": "yes"},
        {"blockStateCalls": [{}], "traceTransfers": True},
        {"blockStateCalls": [{"stateOverrides": {POOR: {"wealth": "0x1"}}}]},
        {"blockStateCalls": [{}], "trace": True},
    ],
)
def test_bad_parameters(node: Local, payload: dict[str, Any]) -> None:
    with pytest.raises(RpcError) as refused:
        node.rpc("eth_simulateV1", payload)
    assert refused.value.code == -32602


def test_too_many_blocks(node: Local) -> None:
    with pytest.raises(RpcError) as refused:
        simulated(node, *[{"calls": []}] * 257)
    assert refused.value.code == -38026
