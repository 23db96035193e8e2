"""Calls, estimates and access lists: on any block, with another state or block, and within bounds."""

from __future__ import annotations

import gc
import json
import logging
import sys
from typing import Any

import pytest

from contractvm.nesting import RECURSION_LIMIT
from contractvm.node import caller
from contractvm.node.config import Config, Limits
from contractvm.node.messages import message_of
from state.world import World
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.probes import around, endless, greedy, slots
from tests.contractvm.node.token import (
    ALICE,
    BALANCE,
    BOB,
    CAROL,
    SUPPLY,
    TRANSFER,
    Token,
    artifact,
    deploy,
    hexed,
    send,
)

ETHER = 10**18
POOR = "0x" + "77" * 20
WORD_1 = hexed((1).to_bytes(32, "big"))
WORD_2 = hexed((2).to_bytes(32, "big"))


def number(text: str) -> int:
    return int(text, 16)


def placed(node: Local, code: bytes) -> str:
    """Where a contract was deployed."""
    address: str = node.rpc("eth_getTransactionReceipt", send(node, None, code))["contractAddress"]
    return address


# eth_call


def test_a_call_at_each_height(node: Local) -> None:
    token = Token(node)
    for _ in range(3):
        token.transfer(BOB.address, 100)
    assert [token.balance(BOB.address, height) for height in ("0x1", "0x2", 3, "latest", "pending")] == [
        0,
        100,
        200,
        300,
        300,
    ]
    assert token.balance(ALICE.address) == SUPPLY - 300
    assert node.rpc("eth_call", token.asking(BOB.address), "0x0") == "0x"


def test_a_call_changes_nothing(node: Local) -> None:
    token = Token(node)
    for _ in range(3):
        assert number(node.rpc("eth_call", token.message(5))) == 1
    assert token.balance(BOB.address) == 0
    assert node.rpc("eth_blockNumber") == "0x1"


def test_calls_between_blocks_see_the_head(node: Local) -> None:
    """The world that calls share is not one of a block before."""
    token = Token(node)
    for paid in range(1, 30):
        token.transfer(BOB.address, 1)
        assert token.balance(BOB.address) == paid
        assert number(node.rpc("eth_estimateGas", token.message(1))) > 21_000


def test_calls_in_a_batch_answer_as_they_do_alone(node: Local) -> None:
    """They share a world, frames and a raised recursion limit; none of them leaves anything for the next."""
    token, seeing, spinning = Token(node), placed(node, around()), placed(node, endless())
    token.transfer(BOB.address, 5)
    paying = {"from": hexed(ALICE.address), "gasPrice": hex(10**10)}
    params = [
        [token.asking(BOB.address), "latest"],
        [token.message(1), "latest"],
        [token.asking(BOB.address), "pending"],
        [{"to": seeing}],
        [{"to": seeing} | paying],
        [token.message(9, sender=BOB.address)],
        [{"to": seeing}, "0x2"],
        [{"to": spinning, "gas": hex(100_000)}],
        [token.asking(BOB.address), "latest", {token.hex: {"state": {}}}],
        [{"data": "0x6000"}],
        [token.asking(BOB.address) | paying],
        [{"to": "0x12"}],
        [{"to": seeing}],
    ]
    requests = [{"jsonrpc": "2.0", "id": n, "method": "eth_call", "params": each} for n, each in enumerate(3 * params)]
    alone = [node.raw(json.dumps(request).encode()) for request in requests]
    for _ in range(3):
        assert node.raw(json.dumps(requests).encode()) == alone
    assert sys.getrecursionlimit() < RECURSION_LIMIT
    fees = [alone[place]["result"] for place in (3, 4)]
    assert fees[0] != fees[1]


def test_the_world_that_calls_share_does_not_grow_for_ever(node: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Token(node)
    asking = message_of(token.asking(BOB.address))

    async def shared() -> World:
        """The world, used by some calls alone and some together, not by way of `pace`, which may send them away."""
        calling: caller.Caller = node.node.caller
        answers = [calling.call(asking, "latest").output for _ in range(2)]
        with calling.together():
            answers += [calling.call(asking, "latest").output for _ in range(2)]
            assert answers == [bytes(32)] * 4
            return calling.world("latest")

    first = node.on_loop(shared())
    assert node.on_loop(shared()) is first and first.kept > 1
    monkeypatch.setattr(caller, "KEPT_RECORDS", 1)
    second = node.on_loop(shared())
    assert second is not first
    token.transfer(BOB.address, 1)
    assert {type(each).__name__ for each in gc.get_referrers(second)} <= {"frame"}, "something holds on to what was"


def test_a_revert_has_code_3_reason_and_flat_data(node: Local) -> None:
    token = Token(node)
    for method in ("eth_call", "eth_estimateGas", "cvm_estimate"):
        with pytest.raises(RpcError) as refused:
            node.rpc(method, token.message(5, sender=BOB.address))
        assert refused.value.code == 3
        assert refused.value.message.startswith("execution reverted")
        assert refused.value.data.startswith("0xe450d38c")  # ERC20InsufficientBalance(address,uint256,uint256)


def test_input_and_data_and_the_like(node: Local) -> None:
    token = Token(node)
    asking = token.asking(ALICE.address)
    answer = node.rpc("eth_call", asking)
    assert node.rpc("eth_call", {"to": token.hex, "input": asking["data"]}) == answer
    assert node.rpc("eth_call", asking | {"input": asking["data"], "chainId": "0x7a69", "from": None}) == answer
    assert node.rpc("eth_call", asking | {"value": None, "gas": None, "nonce": "0x5", "type": "0x2"}) == answer


@pytest.mark.parametrize(
    "params",
    [
        [],
        ["0x"],
        [{"to": "0x12"}],
        [{"data": "0x01", "input": "0x02"}],
        [{"data": "0x0"}],
        [{"gas": "0x1" + "0" * 16}],
        [{"value": -1}],
        [{"accessList": 5}],
        [{"accessList": [{"address": POOR, "storageKeys": ["0x1"]}]}],
        [{}, "first"],
        [{}, "latest", 5],
        [{}, "latest", {"0x12": {}}],
        [{}, "latest", {POOR: {"wealth": "0x1"}}],
        [{}, "latest", {POOR: {"movePrecompileToAddress": POOR}}],
        [{}, "latest", {POOR: {"code": "0x6000"}}],
        [{}, "latest", {POOR: {"state": {}, "stateDiff": {}}}],
        [{}, "latest", {POOR: {"state": {"0xzz": "0x"}}}],
        [{}, "latest", {POOR: {"balance": hex(1 << 256)}}],
        [{}, "latest", {}, {"height": "0x1"}],
        [{}, "latest", {}, {"number": "first"}],
        [{}, "latest", {}, {"withdrawals": [1]}],
    ],
)
@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_bad_parameters(node: Local, method: str, params: list[Any]) -> None:
    with pytest.raises(RpcError) as refused:
        node.rpc(method, *params)
    assert refused.value.code == -32602


def test_a_call_that_cannot_be_sent(node: Local) -> None:
    with pytest.raises(RpcError, match="insufficient funds") as refused:
        node.rpc("eth_call", {"from": POOR, "to": hexed(BOB.address), "value": "0x1"})
    assert refused.value.code == -32000
    with pytest.raises(RpcError, match="intrinsic gas too low"):
        node.rpc("eth_call", {"to": POOR, "gas": "0x64"})
    with pytest.raises(RpcError, match="max fee per gas less than block base fee"):
        node.rpc("eth_call", {"from": hexed(ALICE.address), "to": POOR, "gasPrice": "0x1"})
    with pytest.raises(RpcError, match="header not found"):
        node.rpc("eth_call", {"to": POOR}, "0x9")


def test_gas_of_calls_is_bounded() -> None:
    with local(Config(limits=Limits(call_gas=200_000))) as node:
        spinning = placed(node, endless())
        for asked in ({}, {"gas": hex(10**9)}):
            with pytest.raises(RpcError, match="out of gas"):
                node.rpc("eth_call", {"to": spinning} | asked)
        with pytest.raises(RpcError, match=r"gas required exceeds allowance \(200000\)"):
            node.rpc("eth_estimateGas", {"to": spinning})


# Overrides


def test_another_balance_and_nonce(node: Local) -> None:
    pay = {"from": POOR, "to": hexed(BOB.address), "value": hex(ETHER)}
    rich = {POOR: {"balance": hex(2 * ETHER), "nonce": "0x7"}}
    assert node.rpc("eth_call", pay, "latest", rich) == "0x"
    assert number(node.rpc("eth_estimateGas", pay, "latest", rich)) == 21_000
    with pytest.raises(RpcError, match="insufficient funds"):
        node.rpc("eth_call", pay, "latest")


def test_another_code(node: Local) -> None:
    assert node.rpc("eth_call", {"to": POOR, "data": WORD_1}, "latest") == "0x"
    other = {POOR: {"code": hexed(slots()), "stateDiff": {WORD_1: WORD_2}}}
    assert node.rpc("eth_call", {"to": POOR, "data": WORD_1}, "latest", other) == "0x02"
    assert node.rpc("eth_getCode", POOR) == "0x"
    nothing = {POOR: {"code": "0x"}}
    token = Token(node)
    assert node.rpc("eth_call", token.asking(ALICE.address), "latest", {token.hex: {"code": "0x"}}) == "0x"
    assert node.rpc("eth_call", token.asking(ALICE.address), "latest", nothing) != "0x"


def test_part_of_the_storage_or_all_of_it(node: Local) -> None:
    where = placed(node, slots())
    for key in (WORD_1, WORD_2):
        send(node, bytes.fromhex(where[2:]), bytes.fromhex(key[2:] * 2))

    def values(override: dict[str, Any]) -> list[int]:
        answers = [node.rpc("eth_call", {"to": where, "data": key}, "latest", override) for key in (WORD_1, WORD_2)]
        return [0 if answer == "0x" else number(answer) for answer in answers]

    nine = hexed((9).to_bytes(32, "big"))
    assert values({}) == [1, 2]
    assert values({where: {"stateDiff": {WORD_1: nine}}}) == [9, 2]
    assert values({where: {"stateDiff": {WORD_1: hexed(bytes(32))}}}) == [0, 2]
    assert values({where: {"state": {WORD_1: nine}}}) == [9, 0]
    assert values({where: {"state": {}}}) == [0, 0]
    assert values({}) == [1, 2]
    assert node.rpc("eth_call", {"to": where, "data": WORD_2}, "0x2", {where: {"stateDiff": {WORD_1: nine}}}) == "0x"


def test_keys_of_any_bytes_can_be_overridden(node: Local) -> None:
    token = Token(node)
    [key] = [
        key
        for key in (name + BOB.address for name in prefixes(node, token.address))
        if token.balance(BOB.address, "latest", {token.hex: {"stateDiff": {hexed(key): "0x05"}}}) == 5
    ]
    assert len(key) == 22
    assert token.balance(BOB.address) == 0


def prefixes(node: Local, address: bytes) -> set[bytes]:
    """What the keys of an account's storage begin with."""
    world, found = node.node.chain.world(), set()
    key = world.next_key(address, None, inclusive=True, stop=None)
    while key is not None:
        found.add(key[:2])
        key = world.next_key(address, key, inclusive=False, stop=None)
    return found


def test_what_is_overridden_counts_as_it_had_been_so(node: Local) -> None:
    """A slot that an override fills is changed at the price of a slot that was full (EIP-2200)."""
    where = placed(node, slots())
    change = {"to": where, "data": WORD_1 + WORD_2[2:]}
    fresh = number(node.rpc("eth_estimateGas", change))
    full = number(node.rpc("eth_estimateGas", change, "latest", {where: {"stateDiff": {WORD_1: WORD_1}}}))
    assert fresh - full == 20_000 - 2_900


def test_another_block(node: Local) -> None:
    where = placed(node, around())

    def seen(*more: Any, **message: str) -> tuple[int, int, int, bytes]:
        answer = bytes.fromhex(node.rpc("eth_call", {"to": where} | message, *more)[2:])
        little = [int.from_bytes(answer[at:end], "little") for at, end in ((0, 8), (8, 16), (24, 56))]
        return little[0], little[1], little[2], answer[56:76]

    head = node.rpc("eth_getBlockByNumber", "latest", False)
    now = number(head["timestamp"])
    assert seen("latest") == (1, now, 0, bytes(20))
    assert seen("pending")[0] == 2
    other = {"number": "0x64", "time": hex(now + 500), "feeRecipient": POOR, "random": WORD_1, "blobBaseFee": "0x1"}
    assert seen("latest", None, other) == (100, now + 500, 0, b"\x77" * 20)
    price = {"gasPrice": hex(10**10), "from": hexed(ALICE.address)}
    assert seen("latest", {}, {"baseFeePerGas": "0x5"}, **price)[2] == 5
    assert seen("latest", {}, {"baseFee": "0x5", "coinbase": None}, **price)[3] == bytes(20)


def test_another_gas_limit_of_the_block(node: Local) -> None:
    where = placed(node, endless())
    with pytest.raises(RpcError, match=r"gas required exceeds allowance \(50000\)"):
        node.rpc("eth_estimateGas", {"to": where}, "latest", {}, {"gasLimit": hex(50_000)})


# Estimates


def runs(node: Local, message: dict[str, str], gas: int) -> bool:
    try:
        node.rpc("eth_call", message | {"gas": hex(gas)}, "pending")
    except RpcError:
        return False
    return True


def test_an_estimate_is_exact(node: Local) -> None:
    token = Token(node)
    where = placed(node, slots())
    for message in (
        token.message(5),
        {"from": hexed(ALICE.address), "data": hexed(slots())},
        {"to": where, "data": WORD_1 + WORD_2[2:]},
        {"to": where, "data": WORD_1 + "00" * 32},
    ):
        gas = number(node.rpc("eth_estimateGas", message))
        assert runs(node, message, gas) and not runs(node, message, gas - 1)


def test_a_plain_payment_takes_21000(node: Local) -> None:
    assert number(node.rpc("eth_estimateGas", {"from": hexed(ALICE.address), "to": POOR, "value": "0x1"})) == 21_000


def test_what_cannot_be_paid_is_an_error(node: Local) -> None:
    with pytest.raises(RpcError, match="insufficient funds for transfer") as refused:
        node.rpc("eth_estimateGas", {"from": POOR, "to": hexed(BOB.address), "value": "0x1"})
    assert refused.value.code == -32000
    with pytest.raises(RpcError, match=r"gas required exceeds allowance \(256\)"):
        node.rpc("eth_estimateGas", {"from": hexed(ALICE.address), "to": POOR, "gas": "0x100"})


def test_success_that_depends_on_gas_is_flagged(node: Local, caplog: pytest.LogCaptureFixture) -> None:
    where = placed(node, greedy())
    with caplog.at_level(logging.WARNING, "contractvm.node"):
        gas = number(node.rpc("eth_estimateGas", {"to": where}))
    assert runs(node, {"to": where}, gas) and not runs(node, {"to": where}, gas - 1)
    assert "holds alone" in caplog.text and where in caplog.text
    parts = node.rpc("cvm_estimate", {"to": where})
    assert (number(parts["gas"]), parts["steady"]) == (gas, False)


def test_an_estimate_in_parts(node: Local) -> None:
    token = Token(node)
    found = node.rpc("cvm_estimate", token.message(5))
    parts = {name: number(part) for name, part in found["parts"].items()}
    assert found["steady"] is True
    assert number(found["gas"]) == parts["intrinsic"] + parts["execution"] + parts["withheld"]
    assert number(found["gasUsed"]) == parts["intrinsic"] + parts["execution"] - parts["refund"]
    data = TRANSFER.encode(BOB.address, 5)
    assert parts["intrinsic"] == 21_000 + sum(16 if byte else 4 for byte in data)
    receipt = node.rpc("eth_getTransactionReceipt", token.transfer(BOB.address, 5))
    assert receipt["gasUsed"] == found["gasUsed"]


# Access lists


def test_an_access_list_names_what_is_touched(node: Local) -> None:
    where = placed(node, slots())
    found = node.rpc("eth_createAccessList", {"to": where, "data": WORD_2})
    assert found["accessList"] == [{"address": where, "storageKeys": [WORD_2]}]
    assert "error" not in found
    listed = {"to": where, "data": WORD_2, "accessList": found["accessList"]}
    # Reading a slot takes as much as it is used; the least gas for it is what the list's run took.
    assert node.rpc("eth_estimateGas", listed) == found["gasUsed"]
    assert number(node.rpc("eth_estimateGas", {"to": where, "data": WORD_2})) < number(found["gasUsed"])


def test_an_access_list_of_a_call_that_fails(node: Local) -> None:
    token = Token(node)
    found = node.rpc("eth_createAccessList", token.message(5, sender=CAROL.address), "latest")
    assert found["error"].startswith("execution reverted")
    assert found["accessList"] == []  # the token's keys are of 22 bytes, which no access list holds
    with pytest.raises(RpcError, match="insufficient funds"):
        node.rpc("eth_createAccessList", {"from": POOR, "to": token.hex, "value": "0x1"})


def test_the_same_call_before_and_after_a_block(node: Local) -> None:
    """The same call again, then after a block that changes what it reads, then back in time."""
    token = deploy(node, artifact(), SUPPLY.to_bytes(32, "big"))
    asked = {"to": hexed(token), "data": hexed(BALANCE.encode(BOB.address))}

    def balance(*at: str) -> int:
        return int(node.rpc("eth_call", asked, *at), 16)

    assert [balance() for _ in range(4)] == [0] * 4
    name = node.rpc("evm_snapshot")
    send(node, token, TRANSFER.encode(BOB.address, 5))
    assert [balance() for _ in range(3)] == [5] * 3
    assert (balance("0x1"), balance("pending")) == (0, 5)
    node.rpc("evm_revert", name)
    assert [balance() for _ in range(3)] == [0] * 3
