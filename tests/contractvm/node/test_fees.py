"""What gas costs: suggestions that get into a block, and the history as geth tells it."""

from __future__ import annotations

from typing import Any

import pytest

from contractvm.node.config import Config
from contractvm.node.fees import rewards
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.token import BOB, send, signed

GWEI = 10**9


def number(text: str) -> int:
    return int(text, 16)


def test_the_suggested_price_gets_into_the_next_block(node: Local) -> None:
    price = number(node.rpc("eth_gasPrice"))
    digest = send(node, BOB.address, value=1, gas_limit=21_000, max_fee=price, max_tip=GWEI)
    receipt = node.rpc("eth_getTransactionReceipt", digest)
    assert (receipt["status"], number(receipt["effectiveGasPrice"])) == ("0x1", price)


def test_the_price_is_the_next_base_fee_and_a_tip(node: Local) -> None:
    tip = number(node.rpc("eth_maxPriorityFeePerGas"))
    assert number(node.rpc("eth_gasPrice")) == tip + number(
        node.rpc("eth_feeHistory", 1, "latest")["baseFeePerGas"][-1]
    )
    assert node.rpc("eth_blobBaseFee") == "0x1"


def test_a_history(node: Local) -> None:
    tips = [1, 3, 2]
    for tip in tips:
        send(node, BOB.address, value=1, gas_limit=21_000, max_tip=tip * GWEI, max_fee=10 * GWEI)
    history = node.rpc("eth_feeHistory", "0x3", "latest", [0, 50, 100])
    blocks = [node.rpc("eth_getBlockByNumber", height, False) for height in (1, 2, 3)]
    assert history["oldestBlock"] == "0x1"
    assert history["baseFeePerGas"][:3] == [block["baseFeePerGas"] for block in blocks]
    assert history["gasUsedRatio"] == [number(b["gasUsed"]) / number(b["gasLimit"]) for b in blocks]
    assert history["reward"] == [[hex(tip * GWEI)] * 3 for tip in tips]
    assert len(history["baseFeePerBlobGas"]) == 4 and len(history["blobGasUsedRatio"]) == 3
    send(node, BOB.address, value=1, gas_limit=21_000)
    assert node.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"] == history["baseFeePerGas"][3]


def test_the_fee_after_an_old_block_is_the_one_that_came(node: Local) -> None:
    for _ in range(3):
        send(node, BOB.address, value=1, gas_limit=21_000)
    history = node.rpc("eth_feeHistory", 1, "0x1", None)
    assert history["baseFeePerGas"][1] == node.rpc("eth_getBlockByNumber", "0x2", False)["baseFeePerGas"]
    assert "reward" not in history


def test_no_more_blocks_than_there_are(node: Local) -> None:
    send(node, BOB.address, value=1, gas_limit=21_000)
    history = node.rpc("eth_feeHistory", "0x400", "latest", [50])
    assert (history["oldestBlock"], len(history["gasUsedRatio"]), len(history["reward"])) == ("0x0", 2, 2)
    assert node.rpc("eth_feeHistory", "0x0", "latest", [50])["gasUsedRatio"] == []


@pytest.mark.parametrize(
    "params",
    [
        ["0x1"],
        ["0x1", "latest", [101]],
        ["0x1", "latest", [-1]],
        ["0x1", "latest", [50, 20]],
        ["0x1", "latest", ["50"]],
        ["0x1", "latest", 50],
        ["0x1", "latest", [1] * 101],
        ["many", "latest", []],
    ],
)
def test_bad_parameters(node: Local, params: list[Any]) -> None:
    with pytest.raises(RpcError) as refused:
        node.rpc("eth_feeHistory", *params)
    assert refused.value.code == -32602


def test_rewards_are_weighed_by_gas() -> None:
    tips = ((1, 10), (5, 80), (9, 10))
    assert rewards(tips, 100, [0, 10, 11, 90, 91, 100]) == [1, 1, 5, 5, 9, 9]
    assert rewards((), 0, [50]) == [0]


def test_a_fee_that_a_test_has_set() -> None:
    with local(Config(base_fee=7)) as cheap:
        assert number(cheap.rpc("eth_feeHistory", 1, "latest")["baseFeePerGas"][0]) == 7
        assert cheap.rpc("eth_sendRawTransaction", signed(0, BOB.address, value=1, gas_limit=21_000))


def test_a_history_of_which_the_beginning_is_no_longer_kept() -> None:
    with local(Config(keep=2)) as node:
        node.on_loop(node.node.miner.mine(400))
        node.on_loop(node.node.miner.write(lambda: node.node.chain.prune(2, most=400)))
        oldest = node.node.chain.oldest
        assert oldest > 390
        history = node.rpc("eth_feeHistory", "0xa", "latest", [50])
        assert (history["oldestBlock"], len(history["gasUsedRatio"])) == (hex(oldest), 401 - oldest)
        with pytest.raises(RpcError, match="pruned history unavailable"):
            node.rpc("eth_getBlockByNumber", "0x5", False)
