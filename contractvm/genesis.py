"""The first block: which accounts exist, and the numbers a chain keeps for life.

Source: geth's genesis.json for names; EIP-1559 for the first base fee. Never: the clock's time, so that the same
genesis has the same hash in every process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Final

from contractvm.block import Header
from contractvm.dataclass import dataclass
from contractvm.devaccounts import BALANCE, dev_accounts
from contractvm.types import Address, Hash
from state.world import World

CHAIN_ID: Final = 31_337
"""What anvil and Hardhat use, so that wallets set up for them work here."""
GAS_LIMIT: Final = 30_000_000
BASE_FEE: Final = 1_000_000_000
LEAST_GAS_LIMIT: Final = 5_000
"""Yellow paper section 4.3.4."""
MOST: Final = 2**63 - 1
"""Geth's bound of chain ids, times and gas limits."""
EXTRA_BYTES: Final = 32


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
    steps: Callable[[], Iterable[Callable[[World], None]]] | None = None
    """What else is set, one part after the other, where all of it together would be too much for memory."""
    state_root: Hash | None = None
    """What the state's root must be, where that is known."""

    def __post_init__(self) -> None:
        """Raises: ValueError, naming the field that no header or transaction could hold."""
        for name, value, least in (
            ("chain_id", self.chain_id, 1),
            ("timestamp", self.timestamp, 0),
            ("gas_limit", self.gas_limit, LEAST_GAS_LIMIT),
            ("base_fee", self.base_fee, 0),
        ):
            if not least <= value <= MOST:
                raise ValueError(f"genesis: {name} {value} is not between {least} and {MOST}")
        if len(self.extra_data) > EXTRA_BYTES:
            raise ValueError(
                f"genesis: extra data of {len(self.extra_data)} bytes; a header has room for {EXTRA_BYTES}"
            )

    def allocate(self, world: World, check_code: Callable[[bytes], None]) -> None:
        """Set the first accounts. Raises: what `check_code` raises for code that could not be deployed."""
        for address, account in self.alloc.items():
            world.set_balance(address, account.balance)
            world.set_nonce(address, account.nonce)
            if account.code:
                check_code(account.code)
                world.set_code(address, account.code)
            for key, value in account.storage.items():
                world.set_storage(address, key, value)

    def header(self, state_root: Hash) -> Header:
        """The first block's."""
        return Header(
            state_root=state_root,
            gas_limit=self.gas_limit,
            timestamp=self.timestamp,
            base_fee=self.base_fee,
            extra_data=self.extra_data,
        )
