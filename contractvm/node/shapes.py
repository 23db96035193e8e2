"""Blocks, transactions, receipts and logs as Ethereum's JSON has them.

Every field that clients of Cancun blocks read is there. Fields of our own stand beside them: a receipt's `error` and
`trap` say why it failed. Source: execution-apis schemas. Never: reads from a chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contractvm.block import Block, Header
from contractvm.host import Log
from contractvm.node.fault import reverted
from contractvm.receipt import EMPTY_BLOOM, Receipt, logs_bloom
from contractvm.transaction import AccessList, Transaction, TxType
from contractvm.types import Hash

Document = dict[str, Any]


def header_document(header: Header) -> Document:
    """A header, as `newHeads` tells it."""
    return {
        "hash": "0x" + header.hash.hex(),
        "parentHash": "0x" + header.parent_hash.hex(),
        "sha3Uncles": "0x" + header.ommers_hash.hex(),
        "miner": "0x" + header.coinbase.hex(),
        "stateRoot": "0x" + header.state_root.hex(),
        "transactionsRoot": "0x" + header.transactions_root.hex(),
        "receiptsRoot": "0x" + header.receipts_root.hex(),
        "logsBloom": "0x" + header.logs_bloom.hex(),
        "difficulty": hex(header.difficulty),
        "number": hex(header.number),
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "extraData": "0x" + header.extra_data.hex(),
        "mixHash": "0x" + header.prev_randao.hex(),
        "nonce": "0x" + header.nonce.hex(),
        "baseFeePerGas": hex(header.base_fee),
        "withdrawalsRoot": "0x" + header.withdrawals_root.hex(),
        "blobGasUsed": hex(header.blob_gas_used),
        "excessBlobGas": hex(header.excess_blob_gas),
        "parentBeaconBlockRoot": "0x" + header.parent_beacon_root.hex(),
    }


def block_document(block: Block, full: bool) -> Document:
    """A block with its transactions whole or, unless `full`, by hash."""
    document = header_document(block.header)
    document["totalDifficulty"] = "0x0"
    document["size"] = hex(block.size)
    document["uncles"] = []
    document["withdrawals"] = []
    if full:
        header = block.header
        document["transactions"] = [
            transaction_document(tx, header.hash, header.number, index, header.base_fee, header.timestamp)
            for index, tx in enumerate(block.transactions)
        ]
    else:
        document["transactions"] = ["0x" + tx.hash.hex() for tx in block.transactions]
    return document


def pending_document(header: Header, transactions: Sequence[Transaction], full: bool) -> Document:
    """The next block as it would be made of what waits: what is not known before it is made is null."""
    document = header_document(header)
    for unknown in ("hash", "miner", "nonce"):
        document[unknown] = None
    document["totalDifficulty"] = "0x0"
    document["stateRoot"] = document["receiptsRoot"] = document["transactionsRoot"] = "0x" + bytes(32).hex()
    document["size"] = hex(0)
    document["uncles"] = []
    document["withdrawals"] = []
    document["transactions"] = [transaction_document(tx) if full else "0x" + tx.hash.hex() for tx in transactions]
    return document


def transaction_document(
    tx: Transaction,
    block_hash: Hash | None = None,
    block_number: int | None = None,
    index: int | None = None,
    base_fee: int | None = None,
    timestamp: int | None = None,
) -> Document:
    """A transaction; without a block it waits in the pool. `timestamp` is the block's."""
    price = tx.max_fee if base_fee is None else tx.gas_price(base_fee)
    document: Document = {
        "hash": "0x" + tx.hash.hex(),
        "type": hex(tx.type),
        "nonce": hex(tx.nonce),
        "blockHash": None if block_hash is None else "0x" + block_hash.hex(),
        "blockNumber": None if block_number is None else hex(block_number),
        "transactionIndex": None if index is None else hex(index),
        "from": "0x" + tx.sender.hex(),
        "to": None if tx.to is None else "0x" + tx.to.hex(),
        "value": hex(tx.value),
        "gas": hex(tx.gas_limit),
        "gasPrice": hex(price),
        "input": "0x" + tx.data.hex(),
        "r": hex(tx.r),
        "s": hex(tx.s),
    }
    if timestamp is not None:
        document["blockTimestamp"] = hex(timestamp)
    if tx.chain_id is not None:
        document["chainId"] = hex(tx.chain_id)
    if tx.type is TxType.LEGACY:
        document["v"] = hex(tx.y_parity + (27 if tx.chain_id is None else 35 + 2 * tx.chain_id))
        return document
    document["v"] = document["yParity"] = hex(tx.y_parity)
    document["accessList"] = access_list_document(tx.access_list)
    if tx.type is TxType.DYNAMIC_FEE:
        document["maxFeePerGas"] = hex(tx.max_fee)
        document["maxPriorityFeePerGas"] = hex(tx.max_tip)
    return document


def access_list_document(access_list: AccessList) -> list[Document]:
    """An EIP-2930 access list."""
    return [
        {"address": "0x" + address.hex(), "storageKeys": ["0x" + key.hex() for key in keys]}
        for address, keys in access_list
    ]


def place_document(receipt: Receipt, timestamp: int | None = None) -> Document:
    """Where a receipt's transaction is, as the receipt and each of its logs say; `timestamp` is the block's."""
    document: Document = {
        "transactionHash": "0x" + receipt.transaction_hash.hex(),
        "transactionIndex": hex(receipt.index),
        "blockHash": "0x" + receipt.block_hash.hex(),
        "blockNumber": hex(receipt.block_number),
    }
    if timestamp is not None:
        document["blockTimestamp"] = hex(timestamp)
    return document


def log_document(log: Log, index: int, place: Document) -> Document:
    """A log, the block's `index`th, of a receipt at `place`."""
    return {
        "address": "0x" + log.address.hex(),
        "topics": ["0x" + topic.hex() for topic in log.topics],
        "data": "0x" + log.data.hex(),
        "logIndex": hex(index),
        "removed": False,
        **place,
    }


def receipt_document(receipt: Receipt, errors: Sequence[str] = (), timestamp: int | None = None) -> Document:
    """A receipt; of one that failed, `error` says why in words. `errors` are signatures of custom errors.

    `timestamp` is the block's.
    """
    logs, place = receipt.logs, place_document(receipt, timestamp)
    document: Document = {
        "from": "0x" + receipt.sender.hex(),
        "to": None if receipt.to is None else "0x" + receipt.to.hex(),
        "contractAddress": None if receipt.created is None else "0x" + receipt.created.hex(),
        "cumulativeGasUsed": hex(receipt.cumulative_gas),
        "gasUsed": hex(receipt.gas_used),
        "effectiveGasPrice": hex(receipt.gas_price),
        "logs": [log_document(log, index, place) for index, log in enumerate(logs, receipt.log_index)],
        "logsBloom": "0x" + (logs_bloom(logs) if logs else EMPTY_BLOOM).hex(),
        "type": hex(receipt.type),
        "status": "0x1" if receipt.ok else "0x0",
        **place,
    }
    if not receipt.ok:
        document["error"] = why(receipt, errors)
        document["revertReason"] = "0x" + receipt.output.hex()
    return document


def why(receipt: Receipt, errors: Sequence[str] = ()) -> str:
    """Why a transaction failed, in words."""
    if receipt.trap is not None:
        return f"execution trapped: {receipt.trap}"
    if receipt.output:
        return reverted(receipt.output, errors)
    words = receipt.detail or receipt.status.name.lower().replace("_", " ")
    return "execution reverted" if words == "revert" else words
