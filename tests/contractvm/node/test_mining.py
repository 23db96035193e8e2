"""When blocks are made and at what time; snapshots and the ways back; nothing that could run is left waiting."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.node import dispatch
from contractvm.node.config import Config
from contractvm.transaction import Transaction
from tests.contractvm.node.local import Local, RpcError, local

ALICE, BOB, CAROL = ("0x" + account.address.hex() for account in dev_accounts()[:3])
LATER = 4_000_000_000
"""Seconds since 1970: after any clock of today."""


def height(node: Local) -> int:
    return int(node.rpc("eth_blockNumber"), 16)


def latest(node: Local) -> int:
    """The head's timestamp."""
    return int(node.rpc("eth_getBlockByNumber", "latest")["timestamp"], 16)


def send(node: Local, **fields: Any) -> str:
    digest: str = node.rpc("eth_sendTransaction", {"from": ALICE, "to": BOB, "gas": "0x5208", **fields})
    return digest


def mined(node: Local, digest: str) -> bool:
    return node.rpc("eth_getTransactionReceipt", digest) is not None


@pytest.mark.parametrize(
    ("method", "params", "blocks"),
    [
        ("evm_mine", [], 1),
        ("evm_mine", [None], 1),
        ("evm_mine", [{}], 1),
        ("evm_mine", [{"blocks": 3}], 3),
        ("evm_mine", [{"blocks": "0x2", "timestamp": hex(LATER)}], 2),
        ("evm_mine", [LATER], 1),
        ("evm_mine", [str(LATER)], 1),
        ("anvil_mine", [], 1),
        ("anvil_mine", ["0x5"], 5),
        ("hardhat_mine", [300, "0x3c"], 300),
        ("hardhat_mine", ["0x0"], 0),
        ("hardhat_mine", [2, "0x0"], 2),
    ],
)
def test_mining(node: Local, method: str, params: list[Any], blocks: int) -> None:
    assert node.rpc(method, *params) == ("0x0" if method == "evm_mine" else None)
    assert height(node) == blocks


def test_mining_in_detail(node: Local) -> None:
    node.rpc("evm_setAutomine", False)
    digest = send(node)
    first, second = node.rpc("evm_mine_detailed", {"blocks": 2})
    assert (first["number"], first["transactions"][0]["hash"], second["transactions"]) == ("0x1", digest, [])


def test_too_many_blocks(node: Local) -> None:
    with pytest.raises(RpcError, match="at most 100000"):
        node.rpc("hardhat_mine", "0x100000")
    with pytest.raises(RpcError, match="at most 256"):
        node.rpc("evm_mine_detailed", {"blocks": 257})
    assert height(node) == 0


def test_others_are_served_while_many_blocks_are_made(node: Local) -> None:
    done: list[bool] = []
    miner = threading.Thread(target=lambda: done.append(node.rpc("anvil_mine", 3_000) is None))
    miner.start()
    seen = {height(node)}
    while miner.is_alive():
        seen.add(height(node))
        assert mined(node, send(node))
    assert done == [True]
    assert height(node) >= 3_000 and len(seen) > 2


def test_time(node: Local) -> None:
    assert node.rpc("evm_setNextBlockTimestamp", hex(LATER)) is None
    node.rpc("evm_mine")
    assert latest(node) == LATER
    node.rpc("evm_mine", LATER + 100)
    assert latest(node) == LATER + 100
    node.rpc("anvil_mine", 3, 1_000)
    assert latest(node) == LATER + 3_100
    for seconds in (500, "0x1f4", "500"):
        before = latest(node)
        assert node.rpc("evm_increaseTime", seconds) > LATER - time.time() - 100
        node.rpc("evm_mine")
        assert before + 500 <= latest(node) <= before + 530
    assert isinstance(node.rpc("evm_setTime", LATER + 50_000), int)
    node.rpc("evm_mine")
    assert LATER + 50_000 <= latest(node) <= LATER + 50_030
    node.rpc("evm_setTime", (LATER + 90_000) * 1_000)
    node.rpc("evm_mine")
    assert LATER + 90_000 <= latest(node) <= LATER + 90_030


def test_an_interval_between_blocks(node: Local) -> None:
    node.rpc("evm_mine", LATER)
    assert node.rpc("anvil_setBlockTimestampInterval", 7) is None
    node.rpc("anvil_mine", 3)
    assert latest(node) == LATER + 21
    assert node.rpc("hardhat_removeBlockTimestampInterval") is True
    assert node.rpc("anvil_removeBlockTimestampInterval") is False


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("evm_setNextBlockTimestamp", [0]),
        ("evm_setNextBlockTimestamp", [2**63]),
        ("evm_mine", [0]),
        ("evm_mine", [{"timestamp": "soon"}]),
        ("evm_mine", [[]]),
        ("evm_increaseTime", [-5]),
        ("evm_increaseTime", [2**63]),
        ("evm_setTime", [2**64]),
        ("anvil_mine", [2, 2**62]),
        ("hardhat_mine", [1, 2**63]),
        ("anvil_setBlockTimestampInterval", [0]),
        ("evm_setBlockGasLimit", [1]),
        ("evm_setIntervalMining", [2**40]),
        ("anvil_setNextBlockBaseFeePerGas", [hex(2**64)]),
        ("evm_setAutomine", ["yes"]),
    ],
)
def test_times_and_bounds_that_cannot_be(node: Local, method: str, params: list[Any]) -> None:
    with pytest.raises(RpcError) as refusal:
        node.rpc(method, *params)
    assert refusal.value.code == -32602
    node.rpc("evm_mine")
    assert height(node) == 1


def test_manual_and_automatic_mining(node: Local) -> None:
    assert node.rpc("anvil_getAutomine") is True
    assert node.rpc("evm_setAutomine", False) is None
    assert node.rpc("hardhat_getAutomine") is False
    waiting = [send(node), send(node), send(node, **{"from": BOB})]
    assert not any(mined(node, digest) for digest in waiting) and height(node) == 0
    assert node.rpc("evm_setAutomine", True) is None
    last = send(node, **{"from": CAROL})
    assert all(mined(node, digest) for digest in [*waiting, last])


def comes(node: Local, digest: str) -> bool:
    """Whether a transaction is in a block before long, with nothing else sent."""
    until = time.monotonic() + 20
    while not mined(node, digest) and time.monotonic() < until:
        time.sleep(0.005)
    return mined(node, digest)


def test_automining_does_not_wait_for_the_next_transaction(node: Local) -> None:
    node.rpc("evm_setAutomine", False)
    waiting = send(node)
    node.rpc("evm_setAutomine", True)
    assert comes(node, waiting)


def test_what_waits_again_after_going_back_is_mined(node: Local) -> None:
    node.rpc("evm_setAutomine", False)
    waiting = send(node)
    kept = node.rpc("evm_snapshot")
    node.rpc("evm_setAutomine", True)
    assert comes(node, waiting)
    later = send(node)
    assert node.rpc("evm_revert", kept) is True
    assert comes(node, waiting)
    assert node.rpc("eth_getTransactionByHash", later) is None


def test_intervals(node: Local) -> None:
    assert node.rpc("evm_setIntervalMining", 1) is None
    assert (node.rpc("anvil_getAutomine"), node.rpc("anvil_getIntervalMining")) == (False, 1)
    digest = send(node)
    assert not mined(node, digest)
    until = time.monotonic() + 20
    while not mined(node, digest) and time.monotonic() < until:
        time.sleep(0.02)
    assert mined(node, digest)
    node.rpc("evm_setIntervalMining", 0)
    assert (node.rpc("anvil_getAutomine"), node.rpc("anvil_getIntervalMining")) == (False, None)
    node.rpc("evm_setIntervalMining", 1_000)
    node.rpc("evm_setAutomine", True)
    assert (node.rpc("anvil_getAutomine"), node.rpc("anvil_getIntervalMining")) == (True, None)
    assert node.rpc("miner_stop") is True and node.rpc("anvil_getAutomine") is False
    assert node.rpc("miner_start") is True and node.rpc("anvil_getAutomine") is True


def test_gaps_of_nonces_close(node: Local) -> None:
    later = [send(node, nonce=hex(number)) for number in (3, 1, 2)]
    assert not any(mined(node, digest) for digest in later)
    first = send(node)
    assert all(mined(node, digest) for digest in [first, *later])


def test_a_cheap_transaction_runs_when_it_can(node: Local) -> None:
    node.rpc("evm_setAutomine", False)
    cheap = send(node, gasPrice=hex(10**9))
    node.rpc("anvil_setNextBlockBaseFeePerGas", hex(2 * 10**9))
    node.rpc("evm_mine")
    assert not mined(node, cheap)
    node.rpc("evm_setAutomine", True)
    node.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**8))
    node.rpc("evm_mine")
    assert mined(node, cheap)


def test_what_full_blocks_made_too_dear_is_mined_too(node: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients offer as little as a fifth above the base fee; two full blocks raise it further.

    All are taken at once: on a slow machine what comes later in a batch would be refused, at a base fee raised by then.
    """
    monkeypatch.setattr(dispatch, "_BATCH_SECONDS", 60.0)
    node.rpc("evm_setBlockGasLimit", hex(210_000))
    offer = int(1.2 * int(node.rpc("eth_getBlockByNumber", "pending")["baseFeePerGas"], 16))
    batch = [
        {
            "jsonrpc": "2.0",
            "id": n,
            "method": "eth_sendTransaction",
            "params": [{"from": (ALICE, BOB, CAROL)[n % 3], "to": ALICE, "gas": "0x5208", "gasPrice": hex(offer)}],
        }
        for n in range(90)
    ]
    answers = node.raw(json.dumps(batch).encode())
    assert all(mined(node, answer["result"]) for answer in answers)
    assert height(node) > 9


def test_what_nothing_can_make_cheap_enough_waits(node: Local) -> None:
    node.rpc("evm_setAutomine", False)
    node.rpc("anvil_setNextBlockBaseFeePerGas", "0x1")
    digest = send(node, gasPrice="0x1")
    node.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    node.rpc("evm_setAutomine", True)
    other = send(node, **{"from": BOB})
    assert mined(node, other) and not mined(node, digest)
    assert height(node) < 200


def test_limits_and_receiver_of_tips(node: Local) -> None:
    assert node.rpc("evm_setBlockGasLimit", hex(50_000_000)) is True
    assert node.rpc("hardhat_setCoinbase", CAROL) is None
    before = int(node.rpc("eth_getBalance", CAROL), 16)
    send(node)
    block = node.rpc("eth_getBlockByNumber", "latest")
    assert (int(block["gasLimit"], 16), block["miner"]) == (50_000_000, CAROL)
    assert int(node.rpc("eth_getBalance", CAROL), 16) == before + 21_000 * 10**9


def test_forgetting_what_waits(node: Local) -> None:
    node.rpc("evm_setAutomine", False)
    mine, yours, another = send(node), send(node, **{"from": BOB}), send(node)
    assert node.rpc("anvil_dropTransaction", yours) == yours
    assert node.rpc("hardhat_dropTransaction", yours) is None
    assert node.rpc("txpool_status")["pending"] == "0x2"
    assert node.rpc("anvil_removePoolTransactions", CAROL) is None
    assert node.rpc("anvil_removePoolTransactions", ALICE) is None
    assert [node.rpc("eth_getTransactionByHash", digest) for digest in (mine, another)] == [None, None]
    send(node)
    assert node.rpc("anvil_dropAllTransactions") is None
    assert node.rpc("txpool_status") == {"pending": "0x0", "queued": "0x0"}


def data_node(kind: str, tmp_path: Path) -> Config:
    return Config() if kind == "memory" else Config(data=tmp_path / "chain")


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_snapshots(kind: str, tmp_path: Path) -> None:
    with local(data_node(kind, tmp_path)) as node:
        first = node.rpc("evm_snapshot")
        hash_then = node.rpc("eth_getBlockByNumber", "latest")["hash"]
        gone = send(node)
        second = node.rpc("anvil_snapshot")
        node.rpc("evm_setNextBlockTimestamp", LATER)
        node.rpc("anvil_setBalance", BOB, "0x1")
        assert int(second, 16) == int(first, 16) + 1
        assert node.rpc("evm_revert", first) is True
        assert node.rpc("eth_getBlockByNumber", "latest")["hash"] == hash_then
        assert not mined(node, gone) and int(node.rpc("eth_getBalance", BOB), 16) == 10_000 * 10**18
        assert [node.rpc("evm_revert", used) for used in (first, second, "0x77", 0)] == [False] * 4
        third = node.rpc("evm_snapshot")
        assert third not in (first, second)
        assert send(node) == gone
        assert latest(node) < LATER
        assert node.rpc("anvil_revert", int(third, 16)) is True


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_the_way_back_to_the_beginning(kind: str, tmp_path: Path) -> None:
    with local(data_node(kind, tmp_path)) as node:
        genesis = node.rpc("eth_getBlockByNumber", "latest")
        kept = node.rpc("evm_snapshot")
        gone = send(node)
        node.rpc("evm_mine", LATER)
        node.rpc("evm_setBlockGasLimit", hex(10**7))
        waiting = send(node, nonce="0x9")
        for method, params in (("anvil_reset", []), ("hardhat_reset", [{}]), ("anvil_reset", [{"forking": {}}])):
            assert node.rpc(method, *params) is None
            assert node.rpc("eth_getBlockByNumber", "latest") == genesis
            assert not mined(node, gone) and node.rpc("eth_getTransactionByHash", waiting) is None
            assert node.rpc("evm_revert", kept) is False
            send(node)
            block = node.rpc("eth_getBlockByNumber", "latest")
            assert (block["number"], block["gasLimit"]) == ("0x1", genesis["gasLimit"])
            assert int(block["timestamp"], 16) < LATER
        for fork, words in (
            ({"jsonRpcUrl": "http://127.0.0.1:1"}, "127.0.0.1:1" if kind == "memory" else "--data"),
            ({"blockNumber": "0x1"}, "Forking not enabled and RPC URL not provided"),
            ({"jsonRpcUrl": 5}, "is no text"),
            ([1], "is no object"),
        ):
            with pytest.raises(RpcError, match=words):
                node.rpc("anvil_reset", {"forking": fork})
        assert height(node) == 1


def test_no_way_back_to_what_is_not_kept(tmp_path: Path) -> None:
    with local(Config(data=tmp_path / "chain", keep=8)) as node:
        node.rpc("anvil_mine", 200)
        until = time.monotonic() + 20
        while node.node.chain.oldest == 0 and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(RpcError, match="not kept any more"):
            node.rpc("anvil_reset")
        assert height(node) == 200


def test_steps_back(node: Local) -> None:
    node.rpc("anvil_mine", 5)
    assert node.rpc("anvil_rollback", 2) is None
    assert node.rpc("anvil_rollback") is None
    assert height(node) == 2
    with pytest.raises(RpcError, match="must not exceed current chain height"):
        node.rpc("anvil_rollback", 3)


def test_filters_outlive_going_back(node: Local) -> None:
    blocks, pending = node.rpc("eth_newBlockFilter"), node.rpc("eth_newPendingTransactionFilter")
    kept = node.rpc("evm_snapshot")
    send(node)
    assert len(node.rpc("eth_getFilterChanges", blocks)) == 1
    node.rpc("evm_revert", kept)
    digest = send(node)
    head = node.rpc("eth_getBlockByNumber", "latest")["hash"]
    assert node.rpc("eth_getFilterChanges", blocks) == [head]
    assert node.rpc("eth_getFilterChanges", pending)[-1] == digest
    node.rpc("anvil_reset")
    send(node)
    assert len(node.rpc("eth_getFilterChanges", blocks)) == 1


def test_a_snapshot_under_load(node: Local) -> None:
    """Senders go on while the chain is brought back and forth; it stays whole, and ends with nothing left waiting."""
    stop = threading.Event()
    failures: list[str] = []

    def flood(index: int) -> None:
        account = dev_accounts()[index]
        while not stop.is_set():
            nonce = int(node.rpc("eth_getTransactionCount", "0x" + account.address.hex(), "pending"), 16)
            tx = Transaction(nonce=nonce, max_fee=10**10, gas_limit=21_000, to=account.address, chain_id=31_337)
            raw = "0x" + tx.sign(account.secret).encode().hex()
            body = {"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransaction", "params": [raw]}
            error = node.raw(json.dumps(body).encode()).get("error")
            if error and error["code"] not in (-32000,):
                failures.append(error["message"])

    threads = [threading.Thread(target=flood, args=(index,)) for index in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(15):
        kept = node.rpc("evm_snapshot")
        node.rpc("anvil_mine", 2)
        assert node.rpc("evm_revert", kept) is True
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    node.rpc("evm_mine")
    number = height(node)
    for at in range(max(number - 20, 1), number + 1):
        block = node.rpc("eth_getBlockByNumber", hex(at))
        assert block["parentHash"] == node.rpc("eth_getBlockByNumber", hex(at - 1))["hash"]
        assert len(node.rpc("eth_getBlockReceipts", hex(at))) == len(block["transactions"])
