"""Answers of calls that are remembered: for the state, the message and as long as they are true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contractvm.chain import BlockId
from contractvm.execute import Executed, Message
from contractvm.node import caller, pace
from contractvm.node.messages import message_of
from contractvm.node.overrides import NOTHING, Overrides
from tests.contractvm.node.local import Local, RpcError
from tests.contractvm.node.probes import around
from tests.contractvm.node.token import ALICE, BOB, SUPPLY, Token, send

POOR = "0x" + "77" * 20


@pytest.fixture
def ran(node: Local, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The input of each message that is run."""
    seen: list[bytes] = []
    calling = node.node.caller
    run: Callable[..., Executed] = calling.call

    def call(message: Message, at: BlockId, overrides: Overrides = NOTHING) -> Executed:
        seen.append(message.data)
        return run(message, at, overrides)

    monkeypatch.setattr(calling, "call", call)
    return seen


def test_what_is_asked_again_on_the_same_state_is_run_twice_and_then_known(node: Local, ran: list[bytes]) -> None:
    token = Token(node)
    for paid in range(3):
        ran.clear()
        assert [token.balance(BOB.address) for _ in range(5)] == [paid] * 5
        assert len(ran) == 2
        assert [token.balance(BOB.address, at) for at in ("safe", "finalized")] == [paid] * 2
        assert len(ran) == 2
        assert [token.balance(BOB.address, at) for at in ("pending", hex(paid + 1), "0x1")] == [paid, paid, 0]
        assert len(ran) == 5
        token.transfer(BOB.address, 1)


@pytest.mark.parametrize("slow", [False, True])
def test_calls_on_other_threads_are_remembered_too(
    node: Local, ran: list[bytes], monkeypatch: pytest.MonkeyPatch, slow: bool
) -> None:
    token = Token(node)
    if slow:
        monkeypatch.setattr(pace, "SHORT", -1.0)
    assert [token.balance(ALICE.address) for _ in range(4)] == [SUPPLY] * 4
    assert len(ran) == 2


def test_a_call_that_ends_when_the_head_has_moved_is_not_believed(node: Local) -> None:
    token = Token(node)
    point, asking = node.rpc("evm_snapshot"), message_of(token.asking(BOB.address))

    async def recalled() -> Any:
        return [node.node.caller.recall(asking, "latest") for _ in range(2)][1]

    keep = node.on_loop(recalled())
    token.transfer(BOB.address, 1)
    keep("0x66")
    assert token.balance(BOB.address) == 1
    assert node.rpc("evm_revert", point) is True
    keep("0x66")
    assert [token.balance(BOB.address) for _ in range(3)] == [0] * 3


def test_calls_that_differ_in_anything_are_not_taken_for_each_other(node: Local) -> None:
    """By who asks, gas, price, value, access list or state; and one that failed fails again."""
    token, placed = Token(node), send(node, None, around())
    node.rpc("anvil_setBalance", POOR, hex(10**18))
    plain = {"to": node.rpc("eth_getTransactionReceipt", placed)["contractAddress"]}
    variants: list[tuple[dict[str, Any], dict[str, Any]]] = [
        (plain, {}),
        (plain | {"from": POOR}, {}),
        (plain | {"value": "0x1", "from": POOR}, {}),
        (plain | {"gas": hex(90_000)}, {}),
        (plain | {"gasPrice": hex(3 * 10**9), "from": POOR}, {}),
        (plain | {"accessList": [{"address": POOR, "storageKeys": []}]}, {}),
        (plain, {POOR: {"balance": "0x1"}}),
        (token.asking(ALICE.address), {}),
        (token.asking(ALICE.address) | {"to": POOR}, {}),
        (token.asking(ALICE.address), {token.hex: {"state": {}}}),
    ]

    def answers() -> list[str]:
        return [node.rpc("eth_call", call, "latest", *([state] if state else [])) for call, state in variants]

    first = answers()
    assert [answers() for _ in range(3)] == [first] * 3
    assert len(set(first)) >= 6
    for _ in range(4):
        with pytest.raises(RpcError, match="revert"):
            node.rpc("eth_call", token.message(9, sender=BOB.address))


def test_so_many_answers_are_kept_and_none_that_is_long(node: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Token(node)
    monkeypatch.setattr(caller, "MOST_ANSWERS", 4)
    for who in range(1, 12):
        for _ in range(3):
            assert token.balance(who.to_bytes(20, "big")) == 0
        known = node.node.caller._answers
        assert len(known.known) <= 4
        assert len(known.once) <= 4
    monkeypatch.setattr(caller, "LONGEST_ANSWER", 10)
    kept = dict(known.known)
    assert [token.balance(ALICE.address) for _ in range(4)] == [SUPPLY] * 4
    assert known.known == kept
