"""Logs by blocks, addresses and topics; what is asked wrongly; how much is answered."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.block import Header
from contractvm.chain import BlockId
from contractvm.host import Log
from contractvm.node import logsearch
from contractvm.node.config import Config, Limits
from contractvm.node.logquery import log_query
from contractvm.node.logsearch import LogSearch
from contractvm.receipt import Receipt, logs_bloom
from contractvm.types import Address
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.token import ALICE, BOB, CAROL, TRANSFERRED, Token, hexed, send

NOWHERE = "0x" + "11" * 32


def topic(who: bytes) -> str:
    return hexed(who.rjust(32, b"\0"))


class Scene:
    """Two tokens: blocks 1 and 2 deploy them; 3 and 5 pay Bob, 4 and 6 Carol; 7 is a payment without logs."""

    def __init__(self, node: Local) -> None:
        self.node = node
        self.tokens = [Token(node), Token(node)]
        for token in self.tokens:
            token.transfer(BOB.address, 1)
            token.transfer(CAROL.address, 2)
        send(node, BOB.address, value=1, gas_limit=21_000)

    def heights(self, **wanted: Any) -> list[int]:
        """The blocks of the logs that are found, from the first block on."""
        found = self.node.rpc("eth_getLogs", {"fromBlock": "0x0"} | wanted)
        return [int(log["blockNumber"], 16) for log in found]


@pytest.fixture
def scene(node: Local) -> Scene:
    return Scene(node)


def test_all_and_none(scene: Scene) -> None:
    assert scene.heights() == [1, 2, 3, 4, 5, 6]
    assert scene.node.rpc("eth_getLogs", {}) == []
    assert scene.node.rpc("eth_getLogs") == []


def test_by_blocks(scene: Scene) -> None:
    assert scene.heights(fromBlock="0x3", toBlock="0x5") == [3, 4, 5]
    assert scene.heights(fromBlock="0x4", toBlock=None) == [4, 5, 6]
    assert scene.heights(fromBlock=6, toBlock="0x99") == [6]
    assert scene.heights(fromBlock="0x8") == []
    assert scene.heights(fromBlock="earliest", toBlock="latest") == [1, 2, 3, 4, 5, 6]
    digest = scene.node.rpc("eth_getBlockByNumber", "0x4", False)["hash"]
    found = scene.node.rpc("eth_getLogs", {"blockHash": digest})
    assert [log["blockHash"] for log in found] == [digest]


def test_by_address(scene: Scene) -> None:
    one, two = (token.hex for token in scene.tokens)
    assert scene.heights(address=one) == [1, 3, 4]
    assert scene.heights(address=[one, two]) == [1, 2, 3, 4, 5, 6]
    assert scene.heights(address=[two.upper().replace("X", "x")]) == [2, 5, 6]
    assert scene.heights(address=hexed(ALICE.address)) == []
    assert scene.heights(address=[]) == [1, 2, 3, 4, 5, 6]


def test_by_topics(scene: Scene) -> None:
    bob, carol, alice = topic(BOB.address), topic(CAROL.address), topic(ALICE.address)
    assert scene.heights(topics=[TRANSFERRED]) == [1, 2, 3, 4, 5, 6]
    assert scene.heights(topics=[None, None, bob]) == [3, 5]
    assert scene.heights(topics=[TRANSFERRED, alice, [bob, carol]]) == [3, 4, 5, 6]
    assert scene.heights(topics=[[TRANSFERRED, NOWHERE], [], [carol]]) == [4, 6]
    assert scene.heights(topics=[None, [alice, None], None]) == [1, 2, 3, 4, 5, 6]
    assert scene.heights(topics=[None, None, None, None]) == []
    assert scene.heights(topics=[bob]) == []
    assert scene.heights(address=scene.tokens[1].hex, topics=[None, None, bob]) == [5]


def test_a_log_is_the_receipts(scene: Scene) -> None:
    [log] = scene.node.rpc("eth_getLogs", {"fromBlock": "0x3", "toBlock": "0x3"})
    assert scene.node.rpc("eth_getTransactionReceipt", log["transactionHash"])["logs"] == [log]
    assert log["removed"] is False


@pytest.mark.parametrize(
    "wanted",
    [
        5,
        {"address": "0x12"},
        {"address": 5},
        {"address": [None]},
        {"topics": "0x12"},
        {"topics": ["0x12"]},
        {"topics": [NOWHERE] * 5},
        {"topics": [[NOWHERE] * 1_001]},
        {"address": ["0x" + "11" * 20] * 1_001},
        {"fromBlock": "first"},
        {"fromBlock": "0x5", "toBlock": "0x4"},
        {"blockHash": NOWHERE, "fromBlock": "0x0"},
        {"blockHash": "0x12"},
        {"blocks": "0x1"},
    ],
)
@pytest.mark.parametrize("method", ["eth_getLogs", "eth_newFilter"])
def test_bad_parameters(node: Local, method: str, wanted: Any) -> None:
    with pytest.raises(RpcError) as refused:
        node.rpc(method, wanted)
    assert refused.value.code == -32602


def test_an_unknown_block(node: Local) -> None:
    with pytest.raises(RpcError, match="header not found"):
        node.rpc("eth_getLogs", {"blockHash": NOWHERE})


def test_too_many_results() -> None:
    with local(Config(limits=Limits(logs=3))) as node:
        scene = Scene(node)
        assert scene.heights(fromBlock="0x1", toBlock="0x3") == [1, 2, 3]
        with pytest.raises(RpcError, match="more than 3 results") as refused:
            scene.heights(fromBlock="0x1", toBlock="0x4")
        assert refused.value.code == -32005


WORDS = st.sampled_from([bytes([n]) * 32 for n in range(4)])
PLACES = st.sampled_from([bytes([n]) * 20 for n in range(3)])


@settings(max_examples=200)
@given(
    log=st.builds(Log, address=PLACES.map(Address), topics=st.lists(WORDS, max_size=4).map(tuple), data=st.just(b"")),
    addresses=st.lists(PLACES, max_size=2),
    topics=st.lists(st.none() | WORDS | st.lists(WORDS, min_size=1, max_size=2), max_size=4),
)
def test_matching_is_what_it_says(log: Log, addresses: list[bytes], topics: list[Any]) -> None:
    def written(choice: Any) -> Any:
        return [hexed(each) for each in choice] if isinstance(choice, list) else choice and hexed(choice)

    query = log_query({"address": written(addresses), "topics": [written(choice) for choice in topics]})
    expected = (not addresses or log.address in addresses) and len(topics) <= len(log.topics)
    for choice, actual in zip(topics, log.topics, strict=False):
        expected = expected and (choice is None or actual in (choice if isinstance(choice, list) else [choice]))
    assert query.matches(log) == expected
    if expected:
        assert query.may_match(logs_bloom([log]))


def test_a_search_that_takes_too_long(node: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    node.on_loop(node.node.miner.mine(200))
    monkeypatch.setattr(logsearch, "SEARCH_SECONDS", -1.0)
    with pytest.raises(RpcError, match=r"query timeout exceeded: \d+ of 201 blocks") as refused:
        node.rpc("eth_getLogs", {"fromBlock": "0x0"})
    assert refused.value.code == -32005


def test_long_stretches_are_passed_without_being_looked_at_again(node: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    token = Token(node)
    node.on_loop(node.node.miner.mine(300))
    digest = token.transfer(BOB.address, 1)
    node.on_loop(node.node.miner.mine(100))
    wanted = {"fromBlock": "0x0", "address": token.hex, "topics": [None, None, topic(BOB.address)]}
    looked: list[BlockId] = []
    header = node.node.chain.header

    def noted(at: BlockId = "latest") -> Header:
        looked.append(at)
        found: Header = header(at)
        return found

    monkeypatch.setattr(node.node.chain, "header", noted)
    as_blocks_came = node.node.logs
    afresh = LogSearch(node.node.chain)
    for search, least, most in ((as_blocks_came, 64, 280), (afresh, 402, 500), (afresh, 64, 210)):
        node.node.logs = search
        looked.clear()
        assert [log["transactionHash"] for log in node.rpc("eth_getLogs", wanted)] == [digest]
        assert least <= len(looked) <= most
    assert node.rpc("eth_getLogs", wanted | {"fromBlock": "0x12f"}) == []
    assert len(node.rpc("eth_getLogs", wanted | {"fromBlock": "0x12e", "toBlock": "0x12e"})) == 1


def test_blocks_without_logs_are_passed_whatever_is_asked_for(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.node.on_loop(scene.node.node.miner.mine(1_000))
    looked: list[int] = []
    receipts = scene.node.node.chain.receipts

    def noted(at: BlockId = "latest") -> tuple[Receipt, ...]:
        assert isinstance(at, int)
        looked.append(at)
        found: tuple[Receipt, ...] = receipts(at)
        return found

    monkeypatch.setattr(scene.node.node.chain, "receipts", noted)
    for _ in range(2):
        assert scene.heights() == [1, 2, 3, 4, 5, 6]
        assert looked == [1, 2, 3, 4, 5, 6]
        looked.clear()
    assert scene.heights(fromBlock="0x8") == []
    assert not looked


def test_a_stretch_that_was_undone_is_looked_at_again(node: Local) -> None:
    token, other = Token(node), Token(node)
    wanted = {"fromBlock": "0x0", "address": other.hex, "topics": [None, None, topic(CAROL.address)]}
    for _ in range(2):
        point = node.rpc("evm_snapshot")
        node.on_loop(node.node.miner.mine(200))
        assert node.rpc("eth_getLogs", wanted) == []
        assert node.rpc("evm_revert", point) is True
    token.transfer(BOB.address, 1)
    digest = other.transfer(CAROL.address, 1)
    node.on_loop(node.node.miner.mine(200))
    assert [log["transactionHash"] for log in node.rpc("eth_getLogs", wanted)] == [digest]
