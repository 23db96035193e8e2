"""Another state and another block for one call: `eth_call`'s third and fourth parameters.

Source: go-ethereum's StateOverride and BlockOverrides; execution-apis for `eth_simulateV1`'s names of the same fields.
Never: touches the chain; what is overridden is a scratch world.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from contractvm.errors import ModuleError, Rejected
from contractvm.execute import BlockContext
from contractvm.node.fault import Fault, bad_params
from contractvm.node.values import SLOT_BYTES, address, data, mapping, shown, storage_key, u64, u256
from contractvm.types import Address
from state.world import World

MOST_ACCOUNTS: Final = 1_000
MOST_SLOTS: Final = 10_000
_ACCOUNT_FIELDS: Final = frozenset({"balance", "nonce", "code", "state", "stateDiff"})

Slots = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class AccountOverride:
    """What an account is to have instead; None: what it has. `state` is all of its storage, `diff` a part of it."""

    address: Address
    balance: int | None
    nonce: int | None
    code: bytes | None
    state: Slots | None
    diff: Slots

    def apply(self, world: World) -> None:
        """Make it so."""
        who = self.address
        if self.state is not None:
            nonce, code = world.nonce(who), world.code(who)
            world.create(who)
            world.set_nonce(who, nonce)
            if code:
                world.set_code(who, code)
        if self.balance is not None:
            world.set_balance(who, self.balance)
        if self.nonce is not None:
            world.set_nonce(who, self.nonce)
        if self.code is not None:
            world.set_code(who, self.code)
        for key, value in (*(self.state or {}).items(), *self.diff.items()):
            world.set_storage(who, key, value)


StateOverride = tuple[AccountOverride, ...]
BlockOverride = Mapping[str, Any]
"""Fields of a `BlockContext`."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """Another state and another block for one call."""

    state: StateOverride = ()
    block: BlockOverride = field(default_factory=dict)

    def apply(self, world: World, context: BlockContext) -> BlockContext:
        """Change the world, as if it had always been so; return the block to run in."""
        for account in self.state:
            account.apply(world)
        return replace(context, **self.block)


NOTHING: Final = Overrides()


def overrides_of(state: object, block: object, check_code: Callable[[bytes], None]) -> Overrides:
    """Read both parameters; `NOTHING` where neither is given. Raises: Fault."""
    if not state and not block:
        return NOTHING
    return Overrides(state_override(state, check_code), block_override(block))


def state_override(given: object, check_code: Callable[[bytes], None]) -> StateOverride:
    """Read a set of state overrides; `check_code` refuses code that could not be deployed. Raises: Fault."""
    if given is None:
        return ()
    accounts = mapping(given)
    if len(accounts) > MOST_ACCOUNTS:
        raise bad_params(f"at most {MOST_ACCOUNTS} accounts can be overridden, {len(accounts)} are given")
    return tuple(_account(address(name), mapping(fields), check_code) for name, fields in accounts.items())


def _account(who: Address, fields: Mapping[str, Any], check_code: Callable[[bytes], None]) -> AccountOverride:
    unknown = fields.keys() - _ACCOUNT_FIELDS
    if unknown:
        if "movePrecompileToAddress" in unknown:
            raise bad_params("movePrecompileToAddress: this chain has no precompiled contracts to move")
        raise bad_params(f"no {shown(sorted(unknown)[0])} can be overridden; {', '.join(sorted(_ACCOUNT_FIELDS))} can")
    balance, nonce, code = (fields.get(name) for name in ("balance", "nonce", "code"))
    state, diff = fields.get("state"), fields.get("stateDiff")
    if state is not None and diff is not None:
        raise bad_params(f"account 0x{who.hex()} has both state and stateDiff; give one")
    return AccountOverride(
        address=who,
        balance=None if balance is None else u256(balance),
        nonce=None if nonce is None else u64(nonce),
        code=None if code is None else _code(data(code), check_code),
        state=None if state is None else _slots(mapping(state)),
        diff={} if diff is None else _slots(mapping(diff)),
    )


def _code(code: bytes, check_code: Callable[[bytes], None]) -> bytes:
    if code:
        try:
            check_code(code)
        except (ModuleError, Rejected) as refusal:
            raise bad_params(f"this code cannot run here: {refusal}") from refusal
    return code


def _slots(given: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Keys and values as `anvil_setStorageAt` takes them: where the key is that of a slot, the value is a word."""
    if len(given) > MOST_SLOTS:
        raise bad_params(f"at most {MOST_SLOTS} slots of an account can be overridden, {len(given)} are given")
    slots = {}
    for name, written in given.items():
        key, value = storage_key(name), data(written)
        # A word is kept without leading zeros: no bytes at all for zero, which is absence.
        slots[key] = value.lstrip(b"\0") if len(key) == SLOT_BYTES and len(value) <= SLOT_BYTES else value
    return slots


def block_override(given: object) -> BlockOverride:
    """Read block overrides. Raises: Fault."""
    if given is None:
        return {}
    changes: dict[str, Any] = {}
    for name, value in mapping(given).items():
        if name in _UNSEEN:
            _UNSEEN[name](value)
        elif name not in _BLOCK_FIELDS:
            raise bad_params(f"a block has no {shown(name)} to override; {', '.join(sorted(_BLOCK_FIELDS))} can be")
        elif value is not None:
            field, read = _BLOCK_FIELDS[name]
            changes[field] = read(value)
    return changes


def _no_withdrawals(value: object) -> None:
    if value:
        raise Fault(-32602, "invalid params: withdrawals: this chain has no beacon chain to withdraw from")


_BLOCK_FIELDS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "number": ("number", u64),
    "time": ("timestamp", u64),
    "timestamp": ("timestamp", u64),
    "gasLimit": ("gas_limit", u64),
    "coinbase": ("coinbase", address),
    "feeRecipient": ("coinbase", address),
    "baseFee": ("base_fee", u256),
    "baseFeePerGas": ("base_fee", u256),
}
_UNSEEN: Final[Mapping[str, Callable[[Any], object]]] = {
    # No contract of ours can ask for these, so any value is as good as another; it is read all the same.
    "random": data,
    "prevRandao": data,
    "difficulty": u256,
    "blobBaseFee": u256,
    "withdrawals": _no_withdrawals,
}
