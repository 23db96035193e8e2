"""Gas by part: what of a message's gas went to the transaction, the code, storage, events.

The same message is run again with one group of prices at zero; the difference is what that group cost. Gas is linear in
prices as long as the code does not look at its gas; where it does, or where rounding shows, a last part says so.
Never: an estimate; every figure is a difference of two executions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from contractvm.cli.facts import Part
from contractvm.crypto import sha256
from contractvm.execute import BlockContext, Executor, Message
from contractvm.rules import Rules
from contractvm.wasm.machine import WasmMachine
from gas.schedule import Schedule
from state.world import World

GROUPS = (
    ("the transaction itself and its data", ("tx.",)),
    ("creating the contract", ("create.",)),
    ("entering and leaving the code", ("wasm.frame.", "wasm.page", "wasm.table_entry", "frame.")),
    ("instructions", ("wasm.",)),
    ("storage", ("slot.", "transient.", "iter.")),
    ("events", ("log.",)),
    ("accounts and calls", ("account.", "call.")),
    ("host functions, hashing, copying", ("",)),
)
"""What people call it, and how its prices' names start; a price belongs to the first group that fits."""


def gas_by_part(
    rules: Rules, message: Message, scratch: Callable[[], World], block: BlockContext
) -> tuple[int, list[Part]]:
    """(gas spent before refunds, its parts without those that cost nothing).

    `scratch` gives a fresh world for each run.
    """
    if message.gas_limit is None:
        message = replace(message, gas_limit=block.gas_limit)

    def spent(priced: Rules) -> int:
        return Executor(priced, (WasmMachine(background=False),)).simulate(message, scratch(), block).gas_spent

    whole = spent(rules)
    parts = [
        Part(name, whole - spent(replace(rules, schedule=without(rules.schedule, index))))
        for index, (name, _) in enumerate(GROUPS)
    ]
    rest = whole - sum(part.gas for part in parts)
    if rest:
        parts.append(Part("rounding, or code that looks at its gas", rest))
    return whole, [part for part in parts if part.gas]


def without(schedule: Schedule, group: int) -> Schedule:
    """The schedule with one group's prices at zero; quotients and sentries are no prices and stay."""
    prices = {
        name: 0 if name not in ("refund.quotient", "slot.sentry", "call.stipend") and group_of(name) == group else price
        for name, price in schedule.prices.items()
    }
    digest = sha256(schedule.digest + bytes([group]))
    return replace(schedule, prices=MappingProxyType(prices), digest=digest)


def group_of(name: str) -> int:
    """Index of the first group that a price's name fits."""
    return next(index for index, (_, starts) in enumerate(GROUPS) if name.startswith(starts))
