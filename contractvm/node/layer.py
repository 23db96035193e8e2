"""A world as the unchanging base of another: what runs above leaves it alone, and what is read of it can be listed.

Source: `state.account.Base`. Never: written to.
"""

from __future__ import annotations

from collections.abc import Callable

from state.account import Account
from state.merkle import EMPTY_ROOT
from state.world import World


class Layer:
    """The base of a world above `world`; `accounts` and `slots` are what was read of it, as it was."""

    __slots__ = ("_world", "accounts", "keccak", "slots")

    def __init__(self, world: World) -> None:
        self._world = world
        self.keccak: Callable[[bytes], bytes] = world.base.keccak
        self.accounts: dict[bytes, Account | None] = {}
        self.slots: dict[bytes, dict[bytes, bytes]] = {}

    def account(self, address: bytes) -> Account | None:
        """Return the account at `address`, without its storage root; None when there is none."""
        world = self._world
        found = None
        if world.exists(address):
            found = Account(world.nonce(address), world.balance(address), world.code_hash(address), EMPTY_ROOT)
        self.accounts[address] = found
        return found

    def storage(self, address: bytes, key: bytes) -> bytes:
        """Return the value at `key` of the account's storage, empty when there is none."""
        value = self._world.storage(address, key)
        self.slots.setdefault(address, {})[key] = value
        return value

    def code(self, code_hash: bytes) -> bytes:
        """Return the code with this hash."""
        fresh = self._world.new_code(code_hash)
        return self._world.base.code(code_hash) if fresh is None else fresh

    def next_key(
        self, address: bytes, key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool = False
    ) -> bytes | None:
        """Return the storage key next to `key`; see `World.next_key`."""
        return self._world.next_key(address, key, inclusive=inclusive, stop=stop, reverse=reverse)
