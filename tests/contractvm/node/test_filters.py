"""Filters that are polled: what they see, how long they live, how much they keep."""

from __future__ import annotations

import pytest

from contractvm.chain import BlockId
from contractvm.node.config import Config, Limits
from contractvm.node.watch import BLOCKS, Watch
from contractvm.receipt import Receipt
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.token import ALICE, BOB, CAROL, Token, hexed, send, signed


def topic(who: bytes) -> str:
    return hexed(who.rjust(32, b"\0"))


def test_a_filter_of_blocks(node: Local) -> None:
    name = node.rpc("eth_newBlockFilter")
    assert node.rpc("eth_getFilterChanges", name) == []
    for _ in range(2):
        send(node, BOB.address, value=1, gas_limit=21_000)
    hashes = [node.rpc("eth_getBlockByNumber", height, False)["hash"] for height in (1, 2)]
    assert node.rpc("eth_getFilterChanges", name) == hashes
    assert node.rpc("eth_getFilterChanges", name) == []


def test_a_filter_of_what_waits(node: Local) -> None:
    name = node.rpc("eth_newPendingTransactionFilter")
    digest = send(node, BOB.address, value=1, gas_limit=21_000)
    assert node.rpc("eth_getFilterChanges", name) == [digest]


def test_a_filter_of_logs(node: Local) -> None:
    token = Token(node)
    token.transfer(BOB.address, 1)
    name = node.rpc("eth_newFilter", {"address": token.hex, "topics": [None, None, topic(BOB.address)]})
    bounded = node.rpc("eth_newFilter", {"fromBlock": "0x1", "toBlock": "0x3"})
    token.transfer(BOB.address, 2)
    token.transfer(CAROL.address, 3)
    token.transfer(BOB.address, 4)
    seen = node.rpc("eth_getFilterChanges", name)
    assert [int(log["data"], 16) for log in seen] == [2, 4]
    assert [int(log["data"], 16) for log in node.rpc("eth_getFilterChanges", bounded)] == [2]
    assert node.rpc("eth_getFilterChanges", name) == []
    assert seen[0] == node.rpc("eth_getTransactionReceipt", seen[0]["transactionHash"])["logs"][0]
    everything = node.rpc("eth_getFilterLogs", bounded)
    assert [int(log["blockNumber"], 16) for log in everything] == [1, 2, 3]


def test_a_filter_that_is_not_there(node: Local) -> None:
    name = node.rpc("eth_newBlockFilter")
    with pytest.raises(RpcError, match="not one of logs"):
        node.rpc("eth_getFilterLogs", name)
    assert node.rpc("eth_uninstallFilter", name) is True
    assert node.rpc("eth_uninstallFilter", name) is False
    for method in ("eth_getFilterChanges", "eth_getFilterLogs"):
        with pytest.raises(RpcError, match="filter not found") as refused:
            node.rpc(method, name)
        assert refused.value.code == -32000
    with pytest.raises(RpcError) as bad:
        node.rpc("eth_getFilterChanges", 5)
    assert bad.value.code == -32602


def test_a_filter_that_nobody_asks_for_is_forgotten() -> None:
    now = [0.0]
    watch = Watch(Limits(filter_seconds=300), lambda: now[0])
    kept, left = watch.install(BLOCKS, None, None), watch.install(BLOCKS, None, None)
    for now[0] in (200.0, 400.0):
        assert watch.hashes(kept) == []
    assert watch.uninstall(kept) is True
    assert watch.uninstall(left) is False


def test_a_filter_keeps_so_much_and_says_when_it_lost_something() -> None:
    with local(Config(limits=Limits(filter_items=2))) as node:
        name = node.rpc("eth_newBlockFilter")
        for _ in range(3):
            send(node, BOB.address, value=1, gas_limit=21_000)
        with pytest.raises(RpcError, match="lost some") as refused:
            node.rpc("eth_getFilterChanges", name)
        assert refused.value.code == -32005
        send(node, BOB.address, value=1, gas_limit=21_000)
        assert len(node.rpc("eth_getFilterChanges", name)) == 1


def test_so_many_filters() -> None:
    with local(Config(limits=Limits(subscriptions=3))) as node:
        names = [node.rpc("eth_newBlockFilter") for _ in range(3)]
        with pytest.raises(RpcError, match="too many filters") as refused:
            node.rpc("eth_newFilter", {})
        assert refused.value.code == -32005
        node.rpc("eth_uninstallFilter", names[0])
        assert node.rpc("eth_newFilter", {}) not in names


def test_a_block_without_wanted_logs_is_not_read(node: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    name = node.rpc("eth_newFilter", {"address": hexed(ALICE.address)})
    token = Token(node)
    read: list[BlockId] = []
    receipts = node.node.chain.receipts

    def noted(at: BlockId = "latest") -> tuple[Receipt, ...]:
        read.append(at)
        found: tuple[Receipt, ...] = receipts(at)
        return found

    monkeypatch.setattr(node.node.chain, "receipts", noted)
    digest = token.transfer(BOB.address, 1)
    assert node.rpc("eth_getFilterChanges", name) == [] and read == []
    other = node.rpc("eth_newFilter", {"address": token.hex})
    token.transfer(BOB.address, 1)
    assert len(node.rpc("eth_getFilterChanges", other)) == 1 and read == [3]
    assert node.rpc("eth_getTransactionByHash", digest)["blockNumber"] == "0x2"


def test_whole_transactions_are_not_kept(node: Local) -> None:
    with pytest.raises(RpcError, match="eth_subscribe gives whole"):
        node.rpc("eth_newPendingTransactionFilter", True)
    assert node.rpc("eth_newPendingTransactionFilter", False)
    assert node.rpc("eth_sendRawTransaction", signed(0, BOB.address, value=1, gas_limit=21_000))


@pytest.mark.parametrize("method", ["eth_subscribe", "eth_unsubscribe"])
def test_subscriptions_need_a_socket(node: Local, method: str) -> None:
    with pytest.raises(RpcError, match="notifications not supported"):
        node.rpc(method, "newHeads")


def test_logs_of_blocks_that_were_undone_are_not_told(node: Local) -> None:
    token = Token(node)
    name, point = node.rpc("eth_newFilter", {"address": token.hex}), node.rpc("evm_snapshot")
    token.transfer(BOB.address, 1)
    token.transfer(BOB.address, 2)
    assert node.rpc("evm_revert", point) is True
    assert node.rpc("eth_getFilterChanges", name) == []
    token.transfer(BOB.address, 3)
    assert [int(log["data"], 16) for log in node.rpc("eth_getFilterChanges", name)] == [3]
