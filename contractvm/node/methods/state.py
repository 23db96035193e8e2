"""What accounts hold, at any kept height."""

from __future__ import annotations

from contractvm.chain import BlockId
from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import ADDRESS, ANY, BLOCK, data, data_hex, shown
from contractvm.types import Address

rows = Rows()

AT = Param("block", BLOCK, "latest")
WHO = Param("address", ADDRESS)
SLOT_BYTES = 32


def storage_key(value: object) -> bytes:
    """A key of storage: a slot number, whose key is 32 bytes, or `0x` and the bytes of any key. Raises: Fault.

    Hex of other than 64 digits is a number where clients write numbers: short and without leading zeros.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 256:
        return value.to_bytes(SLOT_BYTES, "big")
    if isinstance(value, str) and value[:2] == "0x":
        digits = value[2:]
        if len(digits) % 2 or digits == "0" or (len(digits) <= 2 and digits):
            try:
                return int(digits, 16).to_bytes(SLOT_BYTES, "big")
            except (ValueError, OverflowError):
                raise bad_params(f"{shown(value)} is no storage key") from None
        return data(value)
    raise bad_params(f"{shown(value)} is no storage key; give a slot number or the key's bytes in hex")


@rows.method("eth_getBalance", WHO, AT, result="quantity")
def balance(node: Node, address: Address, block: BlockId) -> str:
    """Wei of an account."""
    return hex(node.chain.world(block).balance(address))


@rows.method("eth_getTransactionCount", WHO, AT, result="quantity")
def transaction_count(node: Node, address: Address, block: BlockId) -> str:
    """Nonce of an account; `pending` counts what waits in the pool."""
    if block == "pending":
        return hex(node.chain.next_nonce(address))
    return hex(node.chain.world(block).nonce(address))


@rows.method("eth_getCode", WHO, AT, result="data")
def code(node: Node, address: Address, block: BlockId) -> str:
    """Code of a contract; empty where there is none."""
    return data_hex(node.chain.world(block).code(address))


@rows.method("eth_getStorageAt", WHO, Param("key", ANY), AT, result="data")
def storage_at(node: Node, address: Address, key: object, block: BlockId) -> str:
    """Value at a storage key, filled to 32 bytes; longer ones are read by cvm_storage."""
    value = node.chain.world(block).storage(address, storage_key(key))
    if len(value) > SLOT_BYTES:
        raise Fault(
            SERVER, f"the value at this key has {len(value)} bytes, a slot has {SLOT_BYTES}; cvm_storage gives it"
        )
    return data_hex(value.rjust(SLOT_BYTES, b"\0"))
