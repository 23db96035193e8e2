"""Which addresses and slots a message touches, as an EIP-2930 access list: `eth_createAccessList`.

A list changes what the message pays, and so may change what it does; it is run again with each list until the list
stays the same. Source: EIP-2930, go-ethereum's `AccessList` for what is left out (the sender, the receiver and what the
block warms, unless slots of theirs are touched). Never: lists keys of other than 32 bytes, which no list can hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.frames import create_address
from contractvm.transaction import AccessList
from contractvm.types import Address, Hash
from state.world import World

MOST_RUNS: Final = 8
"""Runs before a list is taken as it is; one that follows what is warm may never settle."""


@dataclass(frozen=True, slots=True)
class Accessed:
    """The list, and the run that it was used in."""

    access_list: AccessList
    executed: Executed


def access_list(executor: Executor, message: Message, scratch: Callable[[], World], block: BlockContext) -> Accessed:
    """Find the list; `scratch` gives a fresh world for each run. Raises: Rejected."""
    listed = message.access_list
    world = scratch()
    implied = {
        message.sender,
        block.coinbase,
        message.to or create_address(message.sender, world.nonce(message.sender)),
    }
    for _ in range(MOST_RUNS):
        executed = executor.simulate(replace(message, access_list=listed), world, block)
        found = _listed(world, implied)
        if found == listed:
            break
        listed, world = found, scratch()
    return Accessed(listed, executed)


def _listed(world: World, implied: set[Address]) -> AccessList:
    addresses, slots = world.accesses()
    keys: dict[Address, list[Hash]] = {Address(who): [] for who in addresses if len(who) == 20 and who not in implied}
    for who, key in slots:
        if len(key) == 32:
            keys.setdefault(Address(who), []).append(Hash(key))
    return tuple((who, tuple(sorted(keys[who]))) for who in sorted(keys))
