"""Blocks, transactions and receipts by number, hash and place, and the bytes under their hashes."""

from __future__ import annotations

from typing import Any

import pytest

from contractvm.block import indexed_root
from contractvm.crypto import keccak256
from contractvm.node.config import Config
from tests.contractvm.node.local import Local, RpcError, local
from tests.contractvm.node.token import ALICE, BOB, Token, hexed, send, signed

NOWHERE = "0x" + "11" * 32
HEADER = {
    "hash",
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
}
BLOCK = HEADER | {"size", "totalDifficulty", "transactions", "uncles", "withdrawals"}


@pytest.fixture
def paid(node: Local) -> str:
    """The hash of a payment in block 1."""
    return send(node, BOB.address, value=5, gas_limit=21_000)


def test_a_block_in_both_forms(node: Local, paid: str) -> None:
    plain, full = (node.rpc("eth_getBlockByNumber", "0x1", whole) for whole in (False, True))
    assert plain.keys() == full.keys() == BLOCK
    assert plain["transactions"] == [paid]
    assert full["transactions"] == [node.rpc("eth_getTransactionByHash", paid)]
    assert node.rpc("eth_getBlockByHash", plain["hash"], True) == full
    assert node.rpc("eth_getBlockByNumber", "0x1") == plain


@pytest.mark.parametrize("tag", ["latest", "safe", "finalized", "0x1", 1, "1", {"blockNumber": "0x1"}])
def test_names_of_the_head(node: Local, paid: str, tag: Any) -> None:
    assert node.rpc("eth_getBlockByNumber", tag, False)["number"] == "0x1"
    assert node.rpc("eth_getBlockByNumber", "earliest", False)["number"] == "0x0"


def test_headers(node: Local, paid: str) -> None:
    header = node.rpc("eth_getHeaderByNumber", "latest")
    assert header.keys() == HEADER
    assert node.rpc("eth_getHeaderByHash", header["hash"]) == header


def test_the_pending_block_holds_what_waits() -> None:
    with local(Config(mining=False)) as node:
        digest = node.rpc("eth_sendRawTransaction", signed(0, BOB.address, value=1, gas_limit=21_000))
        block = node.rpc("eth_getBlockByNumber", "pending", False)
        assert block.keys() == BLOCK
        assert (block["number"], block["hash"], block["transactions"]) == ("0x1", None, [digest])
        assert block["parentHash"] == node.rpc("eth_getBlockByNumber", "latest", False)["hash"]
        [waiting] = node.rpc("eth_getBlockByNumber", "pending", True)["transactions"]
        assert waiting == node.rpc("eth_getTransactionByHash", digest)
        assert (waiting["blockHash"], waiting["blockNumber"], waiting["transactionIndex"]) == (None, None, None)
        assert node.rpc("eth_getBlockTransactionCountByNumber", "pending") == "0x1"
        assert node.rpc("eth_getTransactionByBlockNumberAndIndex", "pending", "0x0") == waiting
        assert node.rpc("eth_getTransactionByBlockNumberAndIndex", "pending", "0x1") is None
        assert node.rpc("eth_getTransactionReceipt", digest) is None


def test_transactions_by_place(node: Local, paid: str) -> None:
    whole = node.rpc("eth_getTransactionByHash", paid)
    digest = whole["blockHash"]
    assert node.rpc("eth_getTransactionByBlockNumberAndIndex", "0x1", "0x0") == whole
    assert node.rpc("eth_getTransactionByBlockHashAndIndex", digest, "0x0") == whole
    assert node.rpc("eth_getBlockTransactionCountByNumber", "0x1") == "0x1"
    assert node.rpc("eth_getBlockTransactionCountByHash", digest) == "0x1"
    assert node.rpc("eth_getTransactionByBlockNumberAndIndex", "0x1", "0x1") is None


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBlockByNumber", ["0x9", False]),
        ("eth_getBlockByHash", [NOWHERE, False]),
        ("eth_getHeaderByNumber", ["0x9"]),
        ("eth_getHeaderByHash", [NOWHERE]),
        ("eth_getTransactionByHash", [NOWHERE]),
        ("eth_getTransactionReceipt", [NOWHERE]),
        ("eth_getBlockReceipts", ["0x9"]),
        ("eth_getBlockTransactionCountByNumber", ["0x9"]),
        ("eth_getBlockTransactionCountByHash", [NOWHERE]),
        ("eth_getTransactionByBlockNumberAndIndex", ["0x9", "0x0"]),
        ("eth_getTransactionByBlockHashAndIndex", [NOWHERE, "0x0"]),
        ("eth_getUncleCountByBlockNumber", ["0x9"]),
        ("eth_getUncleCountByBlockHash", [NOWHERE]),
        ("eth_getUncleByBlockNumberAndIndex", ["0x1", "0x0"]),
        ("eth_getUncleByBlockHashAndIndex", [NOWHERE, "0x0"]),
        ("eth_getRawTransactionByHash", [NOWHERE]),
        ("eth_getRawTransactionByBlockNumberAndIndex", ["0x9", "0x0"]),
        ("eth_getRawTransactionByBlockHashAndIndex", [NOWHERE, "0x0"]),
    ],
)
def test_what_is_not_there_is_null(node: Local, method: str, params: list[Any]) -> None:
    assert node.rpc(method, *params) is None


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("eth_getBlockByNumber", []),
        ("eth_getBlockByNumber", ["first"]),
        ("eth_getBlockByNumber", ["-1"]),
        ("eth_getBlockByNumber", [True]),
        ("eth_getBlockByNumber", ["latest", "yes"]),
        ("eth_getBlockByNumber", ["latest", False, 1]),
        ("eth_getBlockByHash", ["0x12", False]),
        ("eth_getBlockByHash", ["latest", False]),
        ("eth_getTransactionByHash", ["0x" + "zz" * 32]),
        ("eth_getTransactionByBlockNumberAndIndex", ["latest", "0x1" + "0" * 16]),
    ],
)
def test_bad_parameters(node: Local, method: str, params: list[Any]) -> None:
    with pytest.raises(RpcError) as refused:
        node.rpc(method, *params)
    assert refused.value.code == -32602


def test_uncles_are_counted_as_none(node: Local) -> None:
    genesis = node.rpc("eth_getBlockByNumber", "0x0", False)
    assert node.rpc("eth_getUncleCountByBlockNumber", "latest") == "0x0"
    assert node.rpc("eth_getUncleCountByBlockHash", genesis["hash"]) == "0x0"


def test_receipts(node: Local) -> None:
    token = Token(node)
    digest = token.transfer(BOB.address, 7)
    receipt = node.rpc("eth_getTransactionReceipt", digest)
    assert node.rpc("eth_getBlockReceipts", "latest") == [receipt]
    assert (receipt["status"], receipt["from"], receipt["to"]) == ("0x1", hexed(ALICE.address), token.hex)
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    [log] = receipt["logs"]
    assert receipt["blockTimestamp"] == log["blockTimestamp"] == block["timestamp"]
    assert receipt["logsBloom"] == block["logsBloom"] != "0x" + "00" * 256
    assert node.rpc("eth_getTransactionByHash", digest)["blockTimestamp"] == block["timestamp"]


def test_the_bytes_give_the_hashes(node: Local) -> None:
    token = Token(node)
    digest = token.transfer(BOB.address, 7)
    block = node.rpc("eth_getBlockByNumber", "latest", False)
    number = block["number"]

    def content(method: str, *params: Any) -> bytes:
        return bytes.fromhex(node.rpc(method, *params)[2:])

    raw = content("eth_getRawTransactionByHash", digest)
    assert hexed(keccak256(raw)) == digest
    assert raw == content("eth_getRawTransactionByBlockNumberAndIndex", number, "0x0")
    assert raw == content("eth_getRawTransactionByBlockHashAndIndex", block["hash"], "0x0")
    assert raw == content("debug_getRawTransaction", digest)
    header = content("debug_getRawHeader", number)
    assert hexed(keccak256(header)) == block["hash"]
    whole = content("debug_getRawBlock", number)
    assert header in whole and raw in whole and len(whole) == int(block["size"], 16)
    receipts = [bytes.fromhex(each[2:]) for each in node.rpc("debug_getRawReceipts", number)]
    assert hexed(indexed_root(receipts)) == block["receiptsRoot"]
    assert hexed(indexed_root([raw])) == block["transactionsRoot"]


def test_the_pending_block_has_no_bytes(node: Local) -> None:
    for method in ("debug_getRawHeader", "debug_getRawBlock", "debug_getRawReceipts"):
        with pytest.raises(RpcError, match="pending block has no bytes"):
            node.rpc(method, "pending")
