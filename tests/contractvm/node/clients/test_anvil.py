"""The same requests to anvil and to the node: answers of the same shape, errors of the same code.

The shape of a result is its JSON types and the keys of its objects, of which the node may have more; the values of two
chains differ. Where the node answers otherwise on purpose, `ON_PURPOSE` says why. Requests are of what both machines
have: accounts, payments, blocks, time, filters, the pool; code is of another machine there.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.transaction import Transaction, TxType
from tests.anvil import ANVIL, Peer, anvil
from tests.contractvm.node.clients.conftest import installed
from tests.contractvm.node.process import NodeProcess

OWNER, OTHER = ("0x" + account.address.hex() for account in dev_accounts()[:2])
NOBODY = "0x00000000000000000000000000000000000000aa"
GONE = "0x" + "11" * 32
PAYMENT = {"from": OWNER, "to": OTHER, "value": "0x1"}


def signed(nonce: int, kind: TxType = TxType.DYNAMIC_FEE, **fields: Any) -> str:
    """A payment by the first account."""
    values: dict[str, Any] = {"max_fee": 3 * 10**9, "max_tip": 10**9, "gas_limit": 21_000, "value": 1, **fields}
    if kind is not TxType.DYNAMIC_FEE:
        values["max_tip"] = values["max_fee"]
    tx = Transaction(type=kind, nonce=nonce, to=dev_accounts()[1].address, chain_id=31_337, **values)
    return "0x" + tx.sign(dev_accounts()[0].secret).encode().hex()


STORY: list[tuple[str, list[Any]]] = [
    ("web3_clientVersion", []),
    ("web3_sha3", ["0x68656c6c6f"]),
    ("net_version", []),
    ("net_listening", []),
    ("eth_chainId", []),
    ("eth_syncing", []),
    ("eth_accounts", []),
    ("eth_coinbase", []),
    ("eth_blockNumber", []),
    ("eth_gasPrice", []),
    ("eth_maxPriorityFeePerGas", []),
    ("eth_blobBaseFee", []),
    ("eth_feeHistory", ["0x1", "latest", [20]]),
    ("eth_feeHistory", ["0x1", "latest", []]),
    ("eth_getBalance", [OWNER, "latest"]),
    ("eth_getBalance", [OWNER]),
    ("eth_getBalance", [NOBODY, "earliest"]),
    ("eth_getBalance", [OWNER, "0x99"]),
    ("eth_getBalance", ["0x12", "latest"]),
    ("eth_getBalance", []),
    ("eth_getBalance", [OWNER, "yesterday"]),
    ("eth_getTransactionCount", [OWNER, "pending"]),
    ("eth_getCode", [OTHER, "latest"]),
    ("eth_getStorageAt", [OTHER, "0x0", "latest"]),
    ("eth_getProof", [OWNER, [], "latest"]),
    ("eth_getBlockByNumber", ["latest", False]),
    ("eth_getBlockByNumber", ["0x0", True]),
    ("eth_getBlockByNumber", ["0x999", False]),
    ("eth_getBlockByHash", [GONE, False]),
    ("eth_getTransactionByHash", [GONE]),
    ("eth_getTransactionReceipt", [GONE]),
    ("eth_getBlockTransactionCountByNumber", ["latest"]),
    ("eth_getUncleCountByBlockNumber", ["latest"]),
    ("eth_call", [{"from": OWNER, "to": OTHER}, "latest"]),
    ("eth_call", [{"to": OTHER, "data": "0x01", "input": "0x01"}, "latest"]),
    ("eth_call", [{"to": "nobody"}, "latest"]),
    ("eth_estimateGas", [PAYMENT]),
    ("eth_estimateGas", [{"from": OWNER, "to": OTHER, "value": "0x1", "data": None}]),
    ("eth_createAccessList", [PAYMENT, "latest"]),
    ("eth_newFilter", [{"fromBlock": "latest"}]),
    ("eth_newBlockFilter", []),
    ("eth_newPendingTransactionFilter", []),
    ("eth_getFilterChanges", ["0x999999"]),
    ("eth_uninstallFilter", ["0x999999"]),
    ("eth_getLogs", [{"fromBlock": "earliest", "toBlock": "latest"}]),
    ("eth_getLogs", [{"address": [OWNER, OTHER], "topics": [None, [GONE]]}]),
    ("eth_sendRawTransaction", [signed(0)]),
    ("eth_sendRawTransaction", [signed(0, value=2)]),
    ("eth_sendRawTransaction", [signed(1, TxType.LEGACY)]),
    ("eth_sendRawTransaction", [signed(2, TxType.ACCESS_LIST)]),
    ("eth_sendRawTransaction", [signed(3, gas_limit=20_999)]),
    ("eth_sendRawTransaction", [signed(3, value=10**30)]),
    ("eth_sendRawTransaction", ["0x02"]),
    ("eth_sendRawTransaction", ["zz"]),
    ("eth_sendTransaction", [PAYMENT]),
    ("eth_sendTransaction", [{**PAYMENT, "gas": "0x5208", "gasPrice": "0x77359400"}]),
    ("eth_sendTransaction", [{**PAYMENT, "from": NOBODY}]),
    ("eth_getBlockByNumber", ["0x1", False]),
    ("eth_getBlockByNumber", ["0x1", True]),
    ("eth_getBlockByNumber", ["0x2", True]),
    ("eth_getBlockByNumber", ["0x3", True]),
    ("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x0"]),
    ("eth_getTransactionByBlockNumberAndIndex", ["0x1", "0x5"]),
    ("eth_getRawTransactionByBlockNumberAndIndex", ["0x1", "0x0"]),
    ("eth_getBlockReceipts", ["0x1"]),
    ("eth_feeHistory", ["0x3", "latest", [10, 90]]),
    ("eth_sign", [OWNER, "0x68656c6c6f"]),
    ("personal_sign", ["0x68656c6c6f", OWNER]),
    ("eth_sign", [NOBODY, "0x68656c6c6f"]),
    ("debug_traceTransaction", [GONE]),
    ("txpool_status", []),
    ("txpool_content", []),
    ("txpool_inspect", []),
    ("evm_snapshot", []),
    ("evm_increaseTime", [60]),
    ("evm_increaseTime", ["0x3c"]),
    ("evm_mine", []),
    ("anvil_mine", ["0x2", "0x5"]),
    ("hardhat_mine", []),
    ("evm_setNextBlockTimestamp", [4_000_000_000]),
    ("evm_setNextBlockTimestamp", [5]),
    ("evm_mine", []),
    ("anvil_setBalance", [NOBODY, "0xde0b6b3a7640000"]),
    ("hardhat_setNonce", [NOBODY, "0x5"]),
    ("anvil_setNonce", [NOBODY, "0x6"]),
    ("anvil_setCoinbase", [NOBODY]),
    ("anvil_setNextBlockBaseFeePerGas", ["0x1"]),
    ("anvil_impersonateAccount", [NOBODY]),
    ("eth_sendTransaction", [{"from": NOBODY, "to": OTHER, "value": "0x1"}]),
    ("anvil_stopImpersonatingAccount", [NOBODY]),
    ("anvil_autoImpersonateAccount", [True]),
    ("anvil_autoImpersonateAccount", [False]),
    ("anvil_getAutomine", []),
    ("evm_setAutomine", [False]),
    ("eth_sendTransaction", [PAYMENT]),
    ("eth_getBlockByNumber", ["pending", True]),
    ("txpool_status", []),
    ("txpool_content", []),
    ("txpool_inspect", []),
    ("anvil_dropTransaction", [GONE]),
    ("anvil_dropAllTransactions", []),
    ("evm_setAutomine", [True]),
    ("evm_setIntervalMining", [0]),
    ("evm_setBlockGasLimit", ["0x1c9c380"]),
    ("anvil_setBlockTimestampInterval", [3]),
    ("anvil_removeBlockTimestampInterval", []),
    ("anvil_nodeInfo", []),
    ("anvil_metadata", []),
    ("evm_revert", ["0x0"]),
    ("evm_revert", ["0x99"]),
    ("eth_subscribe", ["newHeads"]),
    ("eth_unheardOf", []),
]

ON_PURPOSE = {
    r"lacks requestsHash": "headers are Cancun's; this field came with Prague",
    r"lacks blobGasPrice": "there are no blobs here",
    r"eth_feeHistory.* lacks reward": "nobody asked for percentiles; geth leaves it out then",
    r"blockTimestamp is '0x.*anvil's \d": "a quantity is hex, as geth writes it",
    r"eth_getBalance\[.*invalid length 1": "a missing block is the latest",
    r"BlockOutOfRange": "a state that is not there is -32001, as EIP-1474 has it",
    r"anvil's -32003": "what the pool refuses is -32000 with geth's phrase, which clients match",
    r"Failed to decode transaction": "as above",
    r'"pending", true\]': "what is not known before a block is made is null, as geth answers",
    r"clientCommitSha": "a release has no commit that it could name",
    r"eth_subscribe": "it is there, over a WebSocket, which the message says",
    r"debug_traceTransaction": "a hash that nobody knows is an error; anvil answers with an empty trace",
}
"""Differences that are meant, and why."""


def differences(mine: Any, theirs: Any, at: str) -> list[str]:
    """Where the shape of an answer differs from anvil's."""
    if isinstance(theirs, dict) and isinstance(mine, dict):
        found = [f"{at} lacks {key}" for key in theirs if key not in mine and not of_addresses(theirs)]
        return found + [
            line for key in theirs if key in mine for line in differences(mine[key], theirs[key], f"{at}.{key}")
        ]
    if isinstance(theirs, list) and isinstance(mine, list):
        return differences(mine[0], theirs[0], f"{at}[0]") if mine and theirs else []
    if type(mine) is not type(theirs):
        return [f"{at} is {mine!r:.60}, anvil's {theirs!r:.60}"]
    if isinstance(theirs, str) and theirs[:2] == "0x" != mine[:2]:
        return [f"{at} is {mine!r:.60}, anvil's {theirs!r:.60}"]
    return []


def of_addresses(document: dict[str, Any]) -> bool:
    """Whether the keys are addresses, nonces or hashes and not names."""
    return all(key[:2] == "0x" or key.isdigit() for key in document)


def test_anvil_answers_alike(node: NodeProcess, capsys: pytest.CaptureFixture[str]) -> None:
    mine = Peer(node.url)
    wrong: list[str] = []
    same = on_purpose = 0
    with anvil(installed(ANVIL) / ".bin") as theirs:
        for number, (method, params) in enumerate(STORY):
            here, there = mine.ask(method, params), theirs.ask(method, params)
            name = f"{number} {method}{json.dumps(params)[:80]}"
            if "error" in there or "error" in here:
                codes = [answer.get("error", {}).get("code") for answer in (here, there)]
                found = [] if codes[0] == codes[1] else [f"{name}: ours {tell(here)}, anvil's {tell(there)}"]
            else:
                found = differences(here["result"], there["result"], name)
            meant = [line for line in found if any(re.search(pattern, line) for pattern in ON_PURPOSE)]
            same += not found
            on_purpose += bool(found) and meant == found
            wrong += [line for line in found if line not in meant]
    with capsys.disabled():
        print(f"\nanvil: {len(STORY)} requests, {same} answered alike, {on_purpose} otherwise on purpose")
    assert wrong == [], "\n".join(wrong)


def tell(answer: dict[str, Any]) -> str:
    """An answer in a few words."""
    error = answer.get("error")
    return f"{error['code']} {error['message'][:90]}" if error else f"{answer['result']!r:.60}"
