"""Accounts as a test wants them: balances, nonces, code, storage, and who may send without a key.

Each change is a block of its own without transactions, with its parent's time. Source: anvil's and Hardhat's methods;
design of the chain, section 8, for what a slot's value is.
"""

from __future__ import annotations

from contractvm.node.dev import also, change
from contractvm.node.fault import bad_params
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import ADDRESS, ANY, BOOLEAN, DATA, SLOT_BYTES, U64, U256, data, shown, storage_key
from contractvm.transaction import MAX_NONCE
from contractvm.types import Address

rows = Rows()

WHO = Param("address", ADDRESS)


@rows.method(
    "anvil_setBalance",
    WHO,
    Param("balance", U256),
    result="null",
    aliases=also("setBalance", "tenderly_setBalance", "evm_setAccountBalance"),
)
async def set_balance(node: Node, address: Address, balance: int) -> None:
    """Set an account's balance in wei."""
    await change(node, lambda world: world.set_balance(address, balance))


@rows.method(
    "anvil_addBalance",
    WHO,
    Param("balance", U256),
    result="null",
    aliases=also("addBalance", "tenderly_addBalance"),
)
async def add_balance(node: Node, address: Address, balance: int) -> None:
    """Add wei to an account's balance."""
    if node.chain.world().balance(address) + balance >> 256:
        raise bad_params(f"the balance of 0x{address.hex()} would be above 256 bits")
    await change(node, lambda world: world.add_balance(address, balance))


@rows.method("anvil_setNonce", WHO, Param("nonce", U64), result="null", aliases=also("setNonce", "evm_setAccountNonce"))
async def set_nonce(node: Node, address: Address, nonce: int) -> None:
    """Set an account's nonce, up or down."""
    if nonce > MAX_NONCE:
        raise bad_params(f"nonce {nonce} is above the last one, {MAX_NONCE} (EIP-2681)")
    await change(node, lambda world: world.set_nonce(address, nonce))


@rows.method("anvil_setCode", WHO, Param("code", DATA), result="null", aliases=also("setCode", "evm_setAccountCode"))
async def set_code(node: Node, address: Address, code: bytes) -> None:
    """Set an account's code, which its machine checks as it does at deployment; no bytes remove it."""
    if code:
        await node.pace.elsewhere(lambda: node.chain.executor.check_code(code))
    await change(node, lambda world: world.set_code(address, code))


def slot_value(value: object) -> bytes:
    """The word of a slot as storage has it, big-endian without leading zeros. Raises: Fault.

    Clients write words as 32 bytes or as numbers.
    """
    if isinstance(value, str) and value[:2] in ("0x", "0X") and len(value) % 2:
        value = "0x0" + value[2:]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 256:
        return value.to_bytes(SLOT_BYTES, "big").lstrip(b"\0")
    content = data(value)
    if len(content) > SLOT_BYTES:
        raise bad_params(f"{shown(value)} has {len(content)} bytes, a slot {SLOT_BYTES}; cvm_setStorage takes more")
    return content.lstrip(b"\0")


@rows.method(
    "anvil_setStorageAt",
    WHO,
    Param("key", ANY),
    Param("value", ANY),
    result="true",
    aliases=also("setStorageAt", "evm_setAccountStorageAt"),
)
async def set_storage_at(node: Node, address: Address, key: object, value: object) -> bool:
    """Set a slot, whose key is 32 bytes, to a word; other keys to bytes as they are. Zero and no bytes remove it."""
    place = storage_key(key)
    content = slot_value(value) if len(place) == SLOT_BYTES else data(value)
    await change(node, lambda world: world.set_storage(address, place, content))
    return True


@rows.method("cvm_setStorage", WHO, Param("key", DATA), Param("value", DATA), result="true")
async def set_storage(node: Node, address: Address, key: bytes, value: bytes) -> bool:
    """Set any storage key to any bytes, both exactly as given; no bytes remove it."""
    await change(node, lambda world: world.set_storage(address, key, value))
    return True


@rows.method("anvil_impersonateAccount", WHO, result="null", aliases=also("impersonateAccount"))
def impersonate(node: Node, address: Address) -> None:
    """Let eth_sendTransaction send from an account without its key."""
    if not any(address):
        raise bad_params("the zero address cannot be impersonated")
    node.impersonated.add(address)


@rows.method("anvil_stopImpersonatingAccount", WHO, result="null", aliases=also("stopImpersonatingAccount"))
def stop_impersonating(node: Node, address: Address) -> None:
    """Ask for the account's key again."""
    node.impersonated.discard(address)


@rows.method(
    "anvil_autoImpersonateAccount", Param("enabled", BOOLEAN), result="null", aliases=also("autoImpersonateAccount")
)
def auto_impersonate(node: Node, enabled: bool) -> None:
    """Let eth_sendTransaction send from all accounts without their keys, or no longer."""
    node.impersonate_all = enabled
