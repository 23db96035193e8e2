"""What accounts hold, at any kept height, and the proof of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from contractvm.chain import BlockId
from contractvm.crypto import keccak_function
from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import ADDRESS, ANY, BLOCK, SLOT_BYTES, data, data_hex, shown, storage_keys
from contractvm.types import Address
from state.proofs import AccountProof, StorageProof, prove_account
from state.records import STORAGE
from state.world import EMPTY_CODE_HASH, EMPTY_ROOT, World

rows = Rows()

AT = Param("block", BLOCK, "latest")
WHO = Param("address", ADDRESS)
MOST_KEYS: Final = 1_024
"""Storage keys of one proof."""


def look(node: Node, block: BlockId, find: Callable[[World], str]) -> str | Awaitable[str]:
    """What is found in the state at a block; where what waits has to be run for it, perhaps later."""
    if block == "pending":
        return node.pace.run("pending", lambda: find(node.caller.world(block)))
    return find(node.caller.world(block) if block == "latest" else node.chain.world(block))


@rows.method("eth_getBalance", WHO, AT, result="quantity")
def balance(node: Node, address: Address, block: BlockId) -> str | Awaitable[str]:
    """Wei of an account."""
    return look(node, block, lambda world: hex(world.balance(address)))


@rows.method("eth_getTransactionCount", WHO, AT, result="quantity")
def transaction_count(node: Node, address: Address, block: BlockId) -> str:
    """Nonce of an account; `pending` counts what waits in the pool."""
    if block == "pending":
        return hex(node.chain.next_nonce(address))
    return hex(node.chain.world(block).nonce(address))


@rows.method("eth_getCode", WHO, AT, result="data")
def code(node: Node, address: Address, block: BlockId) -> str | Awaitable[str]:
    """Code of a contract; empty where there is none."""
    return look(node, block, lambda world: data_hex(world.code(address)))


@rows.method("eth_getAccount", WHO, AT, result="account or null")
def account(node: Node, address: Address, block: BlockId) -> dict[str, str] | None:
    """Nonce, balance, and the hashes that commit to code and storage."""
    found = node.chain.world(block).base.account(address)
    if found is None:
        return None
    return {
        "balance": hex(found.balance),
        "nonce": hex(found.nonce),
        "codeHash": data_hex(found.code_hash),
        "storageRoot": data_hex(found.storage_root),
    }


@rows.method("eth_getStorageAt", WHO, Param("key", ANY), AT, result="data")
def storage_at(node: Node, address: Address, key: object, block: BlockId) -> str | Awaitable[str]:
    """Value at a slot number or at a key's bytes, filled to 32 bytes; longer ones are read by cvm_storage."""
    keys = storage_keys(key)
    return look(node, block, lambda world: slot(next(filter(None, (world.storage(address, k) for k in keys)), b"")))


def slot(value: bytes) -> str:
    """A value as the word that a slot holds. Raises: Fault when it is longer."""
    if len(value) > SLOT_BYTES:
        raise Fault(
            SERVER, f"the value at this key has {len(value)} bytes, a slot has {SLOT_BYTES}; cvm_storage gives it"
        )
    return data_hex(value.rjust(SLOT_BYTES, b"\0"))


# Proofs

KEYS = Param("keys", ANY, ())


def keys_of(given: object, read: Callable[[object], Sequence[bytes]]) -> list[Sequence[bytes]]:
    """The keys that a proof is asked for, each in all its meanings. Raises: Fault."""
    if not isinstance(given, list | tuple) or len(given) > MOST_KEYS:
        raise bad_params(f"{shown(given)} is no list of at most {MOST_KEYS} storage keys")
    return [read(item) for item in given]


@rows.method("eth_getProof", WHO, KEYS, AT, result="account and storage with proofs")
def proof(node: Node, address: Address, keys: object, block: BlockId) -> Awaitable[dict[str, Any]]:
    """An account and slots of its storage, with what proves them against the block's stateRoot."""
    return prove(node, address, keys_of(keys, storage_keys), block)


@rows.method("cvm_getProof", WHO, KEYS, AT, result="account and storage with proofs")
def proof_of_bytes(node: Node, address: Address, keys: object, block: BlockId) -> Awaitable[dict[str, Any]]:
    """As eth_getProof, for keys given as their bytes, of whatever length."""
    return prove(node, address, keys_of(keys, lambda item: (data(item),)), block)


def prove(node: Node, address: Address, keys: list[Sequence[bytes]], block: BlockId) -> Awaitable[dict[str, Any]]:
    """Prove elsewhere; of a key with several meanings the one that has a value. Raises: UnknownBlock, HeightError."""
    named = node.chain.height(block)

    def run() -> dict[str, Any]:
        records = node.sources.at(named)
        place = STORAGE + address
        meant = [next((key for key in each if records.get(place + key)), each[0]) for each in keys]
        return proof_document(prove_account(records, address, meant, keccak_function()))

    return node.pace.elsewhere(run)


def proof_document(found: AccountProof) -> dict[str, Any]:
    """A proof as EIP-1186 writes it."""
    holder = found.account
    return {
        "address": data_hex(found.address),
        "balance": hex(0 if holder is None else holder.balance),
        "nonce": hex(0 if holder is None else holder.nonce),
        "codeHash": data_hex(EMPTY_CODE_HASH if holder is None else holder.code_hash),
        "storageHash": data_hex(EMPTY_ROOT if holder is None else holder.storage_root),
        "accountProof": [data_hex(each) for each in found.proof],
        "storageProof": [storage_document(each) for each in found.storage],
    }


def storage_document(found: StorageProof) -> dict[str, Any]:
    """A value and its proof. A value that no quantity can tell (leading zeros, or too long) is written as data."""
    value = found.value
    plain = len(value) <= SLOT_BYTES and value[:1] != b"\0"
    return {
        "key": data_hex(found.key),
        "value": hex(int.from_bytes(value, "big")) if plain else data_hex(value),
        "proof": [data_hex(each) for each in found.proof],
    }
