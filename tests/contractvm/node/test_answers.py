"""Answers of calls that are remembered: for the state, the message and as long as they are true."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from contractvm.chain import BlockId
from contractvm.execute import Executed, Message, Series
from contractvm.node import pace, recall
from contractvm.node.overrides import NOTHING, Overrides
from contractvm.types import Address
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.probes import around
from tests.contractvm.node.token import ALICE, BOB, SUPPLY, Token, hexed, send
from tests.tiers import NATIVE, missing

POOR = "0x" + "77" * 20


def counted(node: Local, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The input of each message that is run in the usual way from now on."""
    seen: list[bytes] = []
    calling = node.node.caller
    run: Callable[..., Executed] = calling.call

    def call(message: Message, at: BlockId, overrides: Overrides = NOTHING) -> Executed:
        seen.append(message.data)
        return run(message, at, overrides)

    monkeypatch.setattr(calling, "call", call)
    return seen


@pytest.fixture
def ran(node: Local, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    return counted(node, monkeypatch)


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
    point, asking = node.rpc("evm_snapshot"), token.asking(BOB.address)

    async def recalled() -> Any:
        return [node.node.recall.find(asking, "latest", 10**7) for _ in range(2)][1]

    keep = node.on_loop(recalled())
    token.transfer(BOB.address, 1)
    keep("0x66")
    assert token.balance(BOB.address) == 1
    assert node.rpc("evm_revert", point) is True
    keep("0x66")
    assert [token.balance(BOB.address) for _ in range(3)] == [0] * 3


def test_a_head_that_comes_again_is_not_taken_for_the_one_that_was(node: Local) -> None:
    """The first block's header is the same object each time; and of the block in between nobody was told."""
    asking = {"to": POOR, "data": "0x01"}
    chain, miner = node.node.chain, node.node.miner
    point = node.on_loop(miner.write(chain.snapshot))

    async def recalled() -> Any:
        return [node.node.recall.find(asking, "latest", 10**7) for _ in range(2)][1]

    keep = node.on_loop(recalled())
    head = chain.head
    node.on_loop(miner.write(chain.produce))
    keep("0x66")
    node.on_loop(miner.write(lambda: chain.revert(point)))
    assert chain.head is head
    assert node.rpc("eth_call", {"to": POOR, "data": "0x01"}) == "0x"


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
    monkeypatch.setattr(recall, "MOST_ANSWERS", 4)
    for who in range(1, 12):
        for _ in range(3):
            assert token.balance(who.to_bytes(20, "big")) == 0
        known = node.node.recall._answers
        assert len(known.known) <= 4
        assert len(known.once) <= 4
    monkeypatch.setattr(recall, "LONGEST_ANSWER", 10)
    kept = dict(known.known)
    assert [token.balance(ALICE.address) for _ in range(4)] == [SUPPLY] * 4
    assert known.known == kept


def test_what_is_put_in_many_words_is_not_kept(node: Local) -> None:
    """Fields that nobody knows are passed over, and would be kept with the others."""
    token = Token(node)
    asking = token.asking(ALICE.address)
    for more in ({"x" * 2_000: ""}, {"x": "y" * 2_000}, {f"x{n}": "" for n in range(20)}):
        for _ in range(4):
            assert int(node.rpc("eth_call", asking | more), 16) == SUPPLY
    assert not node.node.recall._answers.known


@pytest.fixture
def quick() -> Iterator[Local]:
    """A node on the native tier, where messages of a kind that comes often are run in series."""
    if reason := missing(NATIVE):
        pytest.skip(reason)
    with local(tier=NATIVE) as node:
        yield node


def balances(node: Local, token: Token, who: range, together: bool) -> list[int]:
    """Of accounts that are asked for once each."""
    asked = [
        {"jsonrpc": "2.0", "id": n, "method": "eth_call", "params": [token.asking(n.to_bytes(20, "big"))]} for n in who
    ]
    answers = (
        node.raw(json.dumps(asked).encode()) if together else [node.raw(json.dumps(one).encode()) for one in asked]
    )
    return [int(answer["result"], 16) for answer in answers]


def series_of(node: Local) -> dict[Address, Series]:
    known: recall.Recall = node.node.recall
    return known._contracts


@pytest.mark.parametrize("together", [False, True])
def test_calls_of_a_kind_that_comes_often_are_run_in_series(
    quick: Local, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    token, ran = Token(quick), counted(quick, monkeypatch)
    assert not token.balance(BOB.address), "it is seen to be short"
    before: Series | None = None
    for block in range(1, 4):
        token.transfer(bytes(18) + (1000 + block).to_bytes(2, "big"), block)
        ran.clear()
        found = balances(quick, token, range(900, 1100), together)
        assert [balance for balance in found if balance] == list(range(1, block + 1))
        assert list(series_of(quick)) == [token.address]
        assert series_of(quick)[Address(token.address)] is not before, "that was one of the block before"
        before = series_of(quick)[Address(token.address)]
        assert len(ran) < 40


def test_what_fails_in_a_series_says_why(quick: Local) -> None:
    token = Token(quick)
    for _ in range(3):
        balances(quick, token, range(50), together=True)
        for amount in range(1, 12):
            assert quick.rpc("eth_call", token.message(amount)) == hexed((1).to_bytes(32, "big"))
            with pytest.raises(RpcError) as refused:
                quick.rpc("eth_call", token.message(amount, sender=BOB.address))
            assert (refused.value.code, refused.value.data[:10]) == (3, "0xe450d38c")
        for gas in ("0x0", "0x5208"):
            with pytest.raises(RpcError, match="intrinsic gas too low"):
                quick.rpc("eth_call", token.asking(BOB.address) | {"gas": gas})
    assert token.balance(BOB.address) == 0


def test_a_series_ends_where_its_messages_are_not_short(quick: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Token(quick)
    monkeypatch.setattr(recall, "SHORT", -1.0)
    assert balances(quick, token, range(100), together=True) == [0] * 100
    assert not any(isinstance(each, Series) for each in list(quick.node.recall._series.values())[-1:])


def test_so_many_series_at_a_time(quick: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "MOST_SERIES", 2)
    monkeypatch.setattr(recall, "MOST_COUNTED", 6)
    tokens = [Token(quick) for _ in range(4)]
    for _ in range(2):
        for token in tokens:
            assert not token.balance(BOB.address)
            assert balances(quick, token, range(30), together=True) == [0] * 30
            assert 1 <= len(series_of(quick)) <= 2
            assert len(quick.node.recall._series) <= 6
    for number in range(12):
        with pytest.raises(RpcError):
            quick.rpc("eth_call", {"to": tokens[0].hex, "data": hexed(number.to_bytes(4, "big"))})


def test_a_call_in_a_series_may_be_put_in_any_words(quick: Local) -> None:
    """And what cannot be read is refused there too, whatever was answered before."""
    token = Token(quick)
    token.transfer(BOB.address, 7)
    balances(quick, token, range(50), together=True)
    balances(quick, token, range(50), together=False)
    asking = token.asking(BOB.address)
    to, content = asking["to"], asking["data"]
    variants: list[dict[str, Any]] = [
        {"data": content, "to": to},
        {"to": to, "input": content},
        {"to": to, "input": content, "data": content},
        {"to": "0x" + to[2:].upper(), "data": content.upper().replace("X", "x")},
        {"to": to, "data": content, "from": POOR},
        {"to": to, "data": content, "gas": hex(100_000), "nonce": "0x5"},
        {"to": to, "data": content, "value": 0},
        {"to": to, "data": content, "gas": None, "accessList": []},
        {"to": to, "data": content, "chainId": "0x7a69", "type": "0x2"},
    ]
    wrong: list[dict[str, Any]] = [
        {"to": to, "data": content + "0"},
        {"to": to, "data": content[:-2] + "zz"},
        {"to": to, "data": content[:-2] + "  "},
        {"to": to, "input": content, "data": content[:-2] + "00"},
        {"to": to[:-1] + "g", "data": content},
        {"to": to, "data": content, "value": False},
        {"to": to, "data": content, "from": "0x12"},
        {"to": [to], "data": content},
        {"to": to, "data": {"of": content}},
    ]
    assert list(series_of(quick)) == [token.address]
    for _ in range(4):
        for fields in variants:
            assert int(quick.rpc("eth_call", fields), 16) == 7, fields
        for fields in wrong:
            with pytest.raises(RpcError) as refused:
                quick.rpc("eth_call", fields)
            assert refused.value.code == -32602, fields


@pytest.mark.parametrize("together", [False, True])
def test_series_end_when_their_worlds_hold_much(quick: Local, monkeypatch: pytest.MonkeyPatch, together: bool) -> None:
    monkeypatch.setattr(recall, "MOST_RECORDS", 40)
    token, most = Token(quick), 0
    for first in range(0, 400, 20):
        assert balances(quick, token, range(first, first + 20), together) == [0] * 20
        most = max([most, *(one.world.kept for one in series_of(quick).values())])
    assert 0 < most <= 41
