"""What a node answers, read into facts: blocks, receipts, logs, proofs.

Source: execution-apis schemas. Never: takes what is malformed for something else; the error names the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contractvm.cli.facts import Entry, Mined, Sealed, Slot
from contractvm.cli.known import known_errors
from contractvm.cli.literals import revert_reason
from contractvm.cli.problem import Problem
from contractvm.types import ZERO_ADDRESS, ZERO_HASH, Address, Hash

if TYPE_CHECKING:
    from state.proofs import AccountProof


def wrong(value: object, where: str, wanted: str) -> Problem:
    """The node answered with something else."""
    text = repr(value)
    text = text if len(text) <= 60 else text[:57] + "..."
    return Problem(f"the node's answer: {where} is {text}, {wanted} was expected", "is it an Ethereum-like node?")


def number(value: object, where: str) -> int:
    """A quantity. Raises: Problem."""
    if isinstance(value, str) and value[:2] in ("0x", "0X"):
        try:
            return int(value, 16)
        except ValueError:
            pass
    raise wrong(value, where, "a quantity in hex")


def data(value: object, where: str) -> bytes:
    """Bytes. Raises: Problem."""
    if isinstance(value, str) and value[:2] in ("0x", "0X"):
        try:
            return bytes.fromhex(value[2:])
        except ValueError:
            pass
    raise wrong(value, where, "data in hex")


def address(value: object, where: str) -> Address:
    """Twenty bytes. Raises: Problem."""
    content = data(value, where)
    if len(content) != 20:
        raise wrong(value, where, "an address")
    return Address(content)


def maybe_address(value: object, where: str) -> Address | None:
    """An address or null. Raises: Problem."""
    return None if value is None else address(value, where)


def hash32(value: object, where: str) -> Hash:
    """Thirty-two bytes. Raises: Problem."""
    content = data(value, where)
    if len(content) != 32:
        raise wrong(value, where, "a hash")
    return Hash(content)


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """An object. Raises: Problem."""
    if not isinstance(value, dict):
        raise wrong(value, where, "an object")
    return value


def listed(value: object, where: str) -> list[Any]:
    """A list. Raises: Problem."""
    if not isinstance(value, list):
        raise wrong(value, where, "a list")
    return value


def slot_of(value: object) -> Slot:
    """An entry of storage. Raises: Problem."""
    entry = mapping(value, "an entry")
    words = {name: entry[name] for name in ("field", "path", "decoded", "isLength") if name in entry}
    return Slot(data(entry.get("key"), "a key"), data(entry.get("value"), "a value"), words)


def entry_of(value: object) -> Entry:
    """A log. Raises: Problem."""
    log = mapping(value, "a log")
    return Entry(
        address=address(log.get("address"), "a log's address"),
        topics=tuple(hash32(topic, "a log's topic") for topic in listed(log.get("topics"), "a log's topics")),
        data=data(log.get("data"), "a log's data"),
        index=number(log.get("logIndex"), "logIndex"),
        block_number=number(log.get("blockNumber"), "blockNumber"),
        transaction_hash=hash32(log.get("transactionHash"), "transactionHash"),
    )


def mined_of(receipt_document: object, transaction_document: object) -> Mined:
    """A receipt and its transaction. Raises: Problem."""
    receipt = mapping(receipt_document, "the receipt")
    tx = mapping(transaction_document, "the transaction")
    ok = number(receipt.get("status"), "status") == 1
    said, reverted = receipt.get("error"), receipt.get("revertReason")
    revert_data = data(reverted, "revertReason") if isinstance(reverted, str) and reverted[:2] == "0x" else b""
    outcome, reason = ("ok", "") if ok else failure(said if isinstance(said, str) else "", revert_data)
    return Mined(
        transaction_hash=hash32(receipt.get("transactionHash"), "transactionHash"),
        ok=ok,
        outcome=outcome,
        reason=reason,
        block_number=number(receipt.get("blockNumber"), "blockNumber"),
        block_hash=hash32(receipt.get("blockHash"), "blockHash"),
        index=number(receipt.get("transactionIndex"), "transactionIndex"),
        type=number(receipt.get("type", "0x0"), "type"),
        sender=address(receipt.get("from"), "from"),
        to=maybe_address(receipt.get("to"), "to"),
        created=maybe_address(receipt.get("contractAddress"), "contractAddress"),
        gas_used=number(receipt.get("gasUsed"), "gasUsed"),
        gas_limit=number(tx.get("gas"), "gas"),
        cumulative_gas=number(receipt.get("cumulativeGasUsed"), "cumulativeGasUsed"),
        gas_price=number(receipt.get("effectiveGasPrice", "0x0"), "effectiveGasPrice"),
        value=number(tx.get("value"), "value"),
        logs=tuple(map(entry_of, listed(receipt.get("logs"), "logs"))),
        revert_data=revert_data if outcome == "revert" else None,
    )


def failure(said: str, revert_data: bytes) -> tuple[str, str]:
    """(the outcome in a word, why in words) of a transaction that failed.

    `said` is what the node says of it; it may know errors of contracts that were not built here.
    """
    words = said.removeprefix("execution ")
    if revert_data or words.startswith("reverted") or not words:
        ours = revert_reason(revert_data, known_errors())
        known = revert_data and not ours.startswith("with 0x")
        return "revert", f"reverted: {ours}" if known or not words else words
    if words.startswith("trapped"):
        return "trap", words
    return "out_of_gas" if words.startswith("out of gas") else "failed", words


def block_of(value: object) -> Sealed:
    """A block. Raises: Problem."""
    block = mapping(value, "the block")
    transactions = [tx.get("hash") if isinstance(tx, dict) else tx for tx in block.get("transactions") or ()]
    return Sealed(
        number=number(block.get("number"), "number"),
        hash=hash32(block.get("hash") or "0x" + ZERO_HASH.hex(), "hash"),
        parent_hash=hash32(block.get("parentHash"), "parentHash"),
        timestamp=number(block.get("timestamp"), "timestamp"),
        coinbase=address(block.get("miner") or "0x" + ZERO_ADDRESS.hex(), "miner"),
        state_root=hash32(block.get("stateRoot"), "stateRoot"),
        transactions_root=hash32(block.get("transactionsRoot"), "transactionsRoot"),
        receipts_root=hash32(block.get("receiptsRoot"), "receiptsRoot"),
        logs_bloom=data(block.get("logsBloom") or "0x", "logsBloom"),
        base_fee=number(block.get("baseFeePerGas") or "0x0", "baseFeePerGas"),
        gas_limit=number(block.get("gasLimit"), "gasLimit"),
        gas_used=number(block.get("gasUsed"), "gasUsed"),
        size=number(block.get("size") or "0x0", "size"),
        transactions=tuple(hash32(each, "a transaction's hash") for each in transactions),
    )


def proof_of(value: object) -> AccountProof:
    """An account with proofs, as EIP-1186 writes it. Raises: Problem."""
    from state.account import Account
    from state.proofs import AccountProof, StorageProof

    proof = mapping(value, "the proof")
    account = Account(
        nonce=number(proof.get("nonce"), "nonce"),
        balance=number(proof.get("balance"), "balance"),
        code_hash=hash32(proof.get("codeHash"), "codeHash"),
        storage_root=hash32(proof.get("storageHash"), "storageHash"),
    )
    slots = []
    for each in listed(proof.get("storageProof"), "storageProof"):
        slot = mapping(each, "a storage proof")
        nodes = [data(node, "a proof's node") for node in listed(slot.get("proof"), "a storage proof")]
        slots.append(StorageProof(data(slot.get("key"), "key"), value_of(slot.get("value")), nodes))
    nodes = [data(node, "a proof's node") for node in listed(proof.get("accountProof"), "accountProof")]
    return AccountProof(
        address(proof.get("address"), "address"), None if account == Account() else account, nodes, slots
    )


def value_of(value: object) -> bytes:
    """A storage value: a quantity stands for its minimal bytes, what has leading zeros is written as data.

    Raises: Problem.
    """
    if isinstance(value, str) and len(value) % 2 == 0 and value != "0x0":
        return data(value, "a storage value")
    numeral = number(value, "a storage value")
    return numeral.to_bytes((numeral.bit_length() + 7) // 8, "big")
