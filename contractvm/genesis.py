"""The first block: which accounts exist, and the numbers a chain keeps for life.

Source: geth's genesis.json for names; EIP-1559 for the first base fee. Never: the clock's time, so that the same
genesis has the same hash in every process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contractvm.devaccounts import BALANCE, dev_accounts
from contractvm.types import Address

CHAIN_ID: Final = 31_337
"""What anvil and Hardhat use, so that wallets set up for them work here."""
GAS_LIMIT: Final = 30_000_000
BASE_FEE: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Allocation:
    """An account that exists from the start; `balance` in wei, storage as byte strings."""

    balance: int = 0
    nonce: int = 0
    code: bytes = b""
    storage: Mapping[bytes, bytes] = field(default_factory=dict)


def dev_alloc() -> Mapping[Address, Allocation]:
    """The development accounts, each with its starting balance."""
    return {account.address: Allocation(BALANCE) for account in dev_accounts()}


@dataclass(frozen=True, slots=True)
class Genesis:
    """What a new chain starts from. Times in seconds since 1970, fees in wei a gas, limits in gas."""

    chain_id: int = CHAIN_ID
    timestamp: int = 0
    gas_limit: int = GAS_LIMIT
    base_fee: int = BASE_FEE
    alloc: Mapping[Address, Allocation] = field(default_factory=dev_alloc)
    extra_data: bytes = b""
