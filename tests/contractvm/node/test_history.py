"""How much of the past a node keeps, and what is said of what it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from contractvm.heights import BLOCKS_BEHIND
from contractvm.node import history
from contractvm.node.config import Config
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.test_dispatch import signed

ZERO = "0x" + "00" * 20
SLACK = history._SLACK


def wait(until: Callable[[], bool]) -> None:
    """Until it is so; ten seconds at most."""
    for _ in range(500):
        if until():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to be")


def pay(node: Local, count: int, first: int = 0) -> list[str]:
    """So many payments, each in a block; their hashes."""
    return [node.rpc("eth_sendRawTransaction", signed(nonce)) for nonce in range(first, first + count)]


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_keep(where: str, tmp_path: Path) -> None:
    keep, blocks = 5, BLOCKS_BEHIND + 120
    with local(Config(keep=keep, data=tmp_path / "c" if where == "disk" else None)) as node:
        hashes = [block["hash"] for block in (node.rpc("eth_getBlockByNumber", "0x0", False),)]
        digests = pay(node, blocks)
        chain = node.node.chain
        wait(lambda: chain.oldest >= blocks - keep - SLACK)
        assert chain.oldest <= blocks - keep
        for height in (chain.oldest, blocks):
            assert int(node.rpc("eth_getTransactionCount", dev(), hex(height)), 16) == height
        with pytest.raises(RpcError, match=f"missing trie node: .* only from {chain.oldest} to {blocks}") as refused:
            node.rpc("eth_getBalance", ZERO, hex(chain.oldest - 1))
        assert refused.value.code == -32000
        old = chain.oldest - BLOCKS_BEHIND - 1
        assert old >= 1
        with pytest.raises(RpcError, match=f"pruned history unavailable: block {old} is no longer kept"):
            node.rpc("eth_getBlockByNumber", hex(old), False)
        assert node.rpc("eth_getTransactionReceipt", digests[old - 1]) is None
        assert node.rpc("eth_getTransactionByHash", digests[old - 1]) is None
        assert node.rpc("eth_getTransactionReceipt", digests[old])["blockNumber"] == hex(old + 1)
        assert node.rpc("eth_getBlockByNumber", "earliest", False)["hash"] == hashes[0]
        with pytest.raises(RpcError, match="pruned history unavailable") as refused:
            node.rpc("eth_getBalance", ZERO, hex(old))
        assert refused.value.code == 4444
        pay(node, 1, blocks)
    if where == "disk":
        with local(Config(data=tmp_path / "c")) as node:
            assert node.node.chain.oldest >= blocks - keep - SLACK
            assert node.rpc("eth_getTransactionReceipt", digests[-1])["blockNumber"] == hex(blocks)


def dev() -> str:
    """The account that pays."""
    from contractvm.devaccounts import dev_accounts

    return "0x" + dev_accounts()[0].address.hex()


def test_in_memory_states_are_kept_as_they_fit_and_blocks_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MEMORY_GAS", (21_000 + history.BLOCK_GAS) * 50)
    monkeypatch.setattr(history, "LEAST_STATES", 20)
    with local() as node:
        digests = pay(node, 200)
        chain = node.node.chain
        wait(lambda: chain.oldest >= 200 - 50 - SLACK)
        assert chain.oldest <= 150
        assert node.rpc("eth_getTransactionReceipt", digests[0])["blockNumber"] == "0x1"
        snapshot = node.rpc("evm_snapshot")
        pay(node, 100, 200)
        wait(lambda: chain.oldest >= 300 - 50 - SLACK)
        assert node.rpc("evm_revert", snapshot) is True
        assert node.rpc("eth_blockNumber") == hex(200)
        assert chain.oldest <= 150
        pay(node, 100, 200)
        assert node.rpc("eth_getTransactionReceipt", digests[5])["blockNumber"] == "0x6"
        wait(lambda: chain.oldest >= 300 - 50 - SLACK)


def test_empty_blocks_count_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MEMORY_GAS", history.BLOCK_GAS * 50)
    monkeypatch.setattr(history, "LEAST_STATES", 20)
    with local() as node:
        node.rpc("anvil_mine", 300)
        node.rpc("evm_mine")
        wait(lambda: node.node.chain.oldest >= 301 - 50 - SLACK)
        assert node.rpc("eth_getBlockByNumber", "0x5", False)["number"] == "0x5"


def test_on_disk_all_is_kept(tmp_path: Path) -> None:
    with local(Config(data=tmp_path / "c")) as node:
        pay(node, 150)
        assert node.node.chain.oldest == 0
        assert node.rpc("eth_getTransactionCount", dev(), "0x1") == "0x1"


def test_a_snapshot_whose_state_is_forgotten_is_refused_and_no_other_is_used_up(tmp_path: Path) -> None:
    with local(Config(keep=5, data=tmp_path / "c")) as node:
        first = node.rpc("evm_snapshot")
        pay(node, 120)
        wait(lambda: node.node.chain.oldest >= 60)
        last = node.rpc("evm_snapshot")
        pay(node, 1, 120)
        with pytest.raises(RpcError, match="missing trie node"):
            node.rpc("evm_revert", first)
        assert node.rpc("eth_blockNumber") == hex(121)
        assert node.rpc("evm_revert", last) is True
        assert node.rpc("eth_blockNumber") == hex(120)


def test_nothing_goes_back_further_than_is_kept(tmp_path: Path) -> None:
    count = BLOCKS_BEHIND + 60
    with local(Config(keep=5, data=tmp_path / "c")) as node:
        first = node.rpc("evm_snapshot")
        pay(node, count)
        wait(lambda: node.node.chain.oldest >= count - 5 - SLACK)
        with pytest.raises(RpcError, match="the first block's state is not kept any more"):
            node.rpc("anvil_reset")
        for method, number in (("evm_revert", first), ("anvil_rollback", count - 1)):
            with pytest.raises(RpcError, match=r"missing trie node|pruned history unavailable"):
                node.rpc(method, number)
        assert node.rpc("eth_blockNumber") == hex(count)
        pay(node, 1, count)
