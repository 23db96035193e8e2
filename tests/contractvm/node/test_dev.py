"""Accounts as tests want them, and what nodes are asked about themselves, under each client's names."""

from __future__ import annotations

from typing import Any

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.node.config import Config
from contractvm.node.table import methods
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.wat import reading, reverting

ALICE, BOB = ("0x" + account.address.hex() for account in dev_accounts()[:2])
STRANGER = "0x" + "11" * 20
ZEROS = "0x" + "00" * 32
ONE = "0x" + "00" * 31 + "01"


def number(node: Local, method: str, *params: Any) -> int:
    return int(node.rpc(method, *params), 16)


@pytest.mark.parametrize(
    "method", ["anvil_setBalance", "hardhat_setBalance", "tenderly_setBalance", "evm_setAccountBalance"]
)
def test_balance(node: Local, method: str) -> None:
    assert node.rpc(method, STRANGER, "0x64") is None
    assert number(node, "eth_getBalance", STRANGER) == 100
    assert node.rpc(method, STRANGER, 7) is None
    assert number(node, "eth_getBalance", STRANGER) == 7
    assert node.rpc("anvil_addBalance", STRANGER, "0x3") is None
    assert number(node, "eth_getBalance", STRANGER) == 10
    assert number(node, "eth_getBalance", STRANGER, "0x1") == 100
    with pytest.raises(RpcError, match="above 256 bits"):
        node.rpc("anvil_addBalance", STRANGER, hex(2**256 - 1))
    with pytest.raises(RpcError, match="is no quantity"):
        node.rpc(method, STRANGER, hex(2**256))


def test_nonce(node: Local) -> None:
    assert node.rpc("hardhat_setNonce", ALICE, "0x5") is None
    sent = node.rpc("eth_getTransactionByHash", node.rpc("eth_sendTransaction", {"from": ALICE, "to": BOB}))
    assert sent["nonce"] == "0x5"
    assert node.rpc("evm_setAccountNonce", ALICE, 2) is None
    assert number(node, "eth_getTransactionCount", ALICE) == 2
    with pytest.raises(RpcError, match="EIP-2681"):
        node.rpc("anvil_setNonce", ALICE, hex(2**64 - 1))


def test_what_waits_goes_or_runs_when_its_nonce_changes(node: Local) -> None:
    gapped = node.rpc("eth_sendTransaction", {"from": ALICE, "to": BOB, "nonce": "0x2"})
    doomed = node.rpc("eth_sendTransaction", {"from": ALICE, "to": BOB, "nonce": "0x1", "value": hex(2)})
    node.rpc("anvil_setNonce", ALICE, "0x2")
    node.rpc("evm_mine")
    assert node.rpc("eth_getTransactionReceipt", gapped)["status"] == "0x1"
    assert node.rpc("eth_getTransactionByHash", doomed) is None


def test_code_and_storage(node: Local) -> None:
    code = reading()
    assert node.rpc("hardhat_setCode", STRANGER, code) is None
    assert node.rpc("eth_getCode", STRANGER) == code
    assert node.rpc("eth_call", {"to": STRANGER}) == "0x"
    for key in (0, "0x0", ZEROS):
        assert node.rpc("anvil_setStorageAt", STRANGER, key, "0x" + "00" * 30 + "1234") is True
        assert node.rpc("eth_call", {"to": STRANGER}) == "0x1234"
        assert node.rpc("eth_getStorageAt", STRANGER, "0x0") == "0x" + "00" * 30 + "1234"
        assert node.rpc("hardhat_setStorageAt", STRANGER, key, ZEROS) is True
        assert node.rpc("eth_call", {"to": STRANGER}) == "0x"
    for value, kept in (("0x1", "0x01"), (5, "0x05"), ("0x0012", "0x12")):
        assert node.rpc("evm_setAccountStorageAt", STRANGER, ZEROS, value) is True
        assert node.rpc("eth_call", {"to": STRANGER}) == kept
    assert node.rpc("cvm_setStorage", STRANGER, ZEROS, "0x0012") is True
    assert node.rpc("eth_call", {"to": STRANGER}) == "0x0012"
    assert node.rpc("anvil_setStorageAt", STRANGER, "0x6b6579", "0x0012") is True
    assert node.rpc("eth_getStorageAt", STRANGER, "0x6b6579") == "0x" + "00" * 31 + "12"
    with pytest.raises(RpcError, match="cvm_setStorage takes more"):
        node.rpc("anvil_setStorageAt", STRANGER, ZEROS, "0x" + "11" * 33)
    assert node.rpc("anvil_setCode", STRANGER, "0x") is None
    assert node.rpc("eth_getCode", STRANGER) == "0x"


@pytest.mark.parametrize(
    ("code", "words"),
    [("0x6001", "no machine runs code that starts with 6001"), ("0x0061736d01", "end"), ("6001", "is no data")],
)
def test_code_that_no_machine_runs(node: Local, code: str, words: str) -> None:
    with pytest.raises(RpcError, match=words):
        node.rpc("anvil_setCode", STRANGER, code)
    assert node.rpc("eth_getCode", STRANGER) == "0x"
    assert number(node, "eth_blockNumber") == 0


def test_a_change_is_a_block_that_takes_no_time(node: Local) -> None:
    node.rpc("evm_setNextBlockTimestamp", 4_000_000_000)
    node.rpc("anvil_setNextBlockBaseFeePerGas", "0x64")
    node.rpc("anvil_setBalance", STRANGER, "0x1")
    change = node.rpc("eth_getBlockByNumber", "latest")
    assert (change["number"], change["timestamp"], change["transactions"]) == ("0x1", "0x0", [])
    node.rpc("evm_mine")
    block = node.rpc("eth_getBlockByNumber", "latest")
    assert (int(block["timestamp"], 16), block["baseFeePerGas"]) == (4_000_000_000, "0x64")


def test_what_a_node_says_of_itself(node: Local) -> None:
    info = node.rpc("anvil_nodeInfo")
    assert (info["currentBlockNumber"], info["environment"]["chainId"], info["hardFork"]) == ("0x0", 31_337, "Cancun")
    assert info["currentBlockHash"] == node.rpc("eth_getBlockByNumber", "0x0")["hash"]
    assert info["environment"]["gasPrice"] == node.rpc("eth_gasPrice")
    number = node.rpc("evm_snapshot")
    about = node.rpc("hardhat_metadata")
    assert about == node.rpc("anvil_metadata")
    assert about["clientVersion"] == node.rpc("web3_clientVersion")
    assert about["snapshots"] == {number: [0, info["currentBlockHash"]]}
    assert node.rpc("anvil_getGenesisTime") == 0
    assert node.rpc("anvil_setLoggingEnabled", False) is None
    assert node.node.talkative is False
    assert node.rpc("anvil_setChainId", 31_337) is None
    with pytest.raises(RpcError, match="--chain-id 5"):
        node.rpc("anvil_setChainId", "0x5")
    with pytest.raises(RpcError, match="not supported when EIP-1559 is active"):
        node.rpc("anvil_setMinGasPrice", "0x1")


def test_a_state_taken_out_and_put_in(node: Local) -> None:
    node.rpc("anvil_setBalance", STRANGER, "0x64")
    node.rpc("anvil_setCode", STRANGER, reading())
    node.rpc("anvil_setStorageAt", STRANGER, ZEROS, ONE)
    state = node.rpc("anvil_dumpState")
    assert node.rpc("hardhat_dumpState", True) == state
    with local(Config(accounts=1)) as other:
        other.rpc("anvil_setBalance", BOB, "0x5")
        assert other.rpc("hardhat_loadState", state) is True
        assert number(other, "eth_getBalance", STRANGER) == 100
        assert other.rpc("eth_call", {"to": STRANGER}) == "0x01"
        assert number(other, "eth_getBalance", BOB) == 10_000 * 10**18
        height = other.rpc("eth_blockNumber")
        for bad in ("0x", "0x1234", state[:-20], reverting("x")):
            with pytest.raises(RpcError) as refusal:
                other.rpc("anvil_loadState", bad)
            assert refusal.value.code == -32000
        assert other.rpc("eth_blockNumber") == height


def test_every_name_that_clients_use_is_there() -> None:
    """What viem's test client, Hardhat's helpers and ethers' and web3.py's kits call, by their prefixes."""
    both = [
        "mine",
        "setBalance",
        "setCode",
        "setStorageAt",
        "setNonce",
        "impersonateAccount",
        "stopImpersonatingAccount",
        "dumpState",
        "loadState",
        "autoImpersonateAccount",
        "reset",
        "dropTransaction",
        "setCoinbase",
        "setNextBlockBaseFeePerGas",
        "metadata",
        "getAutomine",
        "setLoggingEnabled",
        "setMinGasPrice",
        "setBlockTimestampInterval",
        "removeBlockTimestampInterval",
    ]
    evm = [
        "snapshot",
        "revert",
        "mine",
        "increaseTime",
        "setTime",
        "setNextBlockTimestamp",
        "setAutomine",
        "setIntervalMining",
        "setBlockGasLimit",
        "setAccountNonce",
        "setAccountBalance",
        "setAccountCode",
        "setAccountStorageAt",
    ]
    wanted = [f"{prefix}_{name}" for prefix in ("anvil", "hardhat") for name in both] + [f"evm_{name}" for name in evm]
    wanted += ["anvil_nodeInfo", "eth_sendUnsignedTransaction", "anvil_removePoolTransactions"]
    assert [name for name in wanted if name not in methods()] == []
