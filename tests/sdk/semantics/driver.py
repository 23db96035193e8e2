"""The oracle with the call syntax of the test kit: `c.f(...)`, `sender=`, `value=`, `deploy(Name, ...)`.

Never: a chain. What it does not emulate raises IllTyped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contractvm.devaccounts import dev_accounts
from tests.sdk.semantics import wire
from tests.sdk.semantics.machine import Log, Machine

ACCOUNTS = tuple(bytes(account.address) for account in dev_accounts())


@dataclass(frozen=True)
class Handle:
    """A contract of the oracle."""

    machine: Machine
    address: bytes

    def __getattr__(self, name: str) -> Any:
        source = snake(self.machine, self.address, name)

        return Callable_(self, source)

    def __getitem__(self, signature: str) -> Any:
        """By signature: an overload, or one number of arguments."""
        order = self.machine.instances[self.address].order
        return Callable_(self, next(one.name for one in wire.entries(order) if one.signature == signature))


@dataclass(frozen=True)
class Callable_:
    """A function of a contract of the oracle, by the source's name."""

    handle: Handle
    name: str

    def __call__(self, *arguments: Any, sender: bytes = ACCOUNTS[0], value: int = 0) -> Any:
        handle = self.handle
        return handle.machine.execute(handle.address, self.name, *arguments, sender=sender, value=value)

    def tx(self, *arguments: Any, sender: bytes = ACCOUNTS[0], value: int = 0) -> Receipt:
        before = len(self.handle.machine.logs)
        result = self(*arguments, sender=sender, value=value)
        return Receipt(result, tuple(self.handle.machine.logs[before:]))


@dataclass(frozen=True)
class Receipt:
    value: Any
    logs: tuple[Log, ...]


@dataclass(frozen=True)
class Payer:
    """`chain.pay(to, amount)`, by the first account."""

    machine: Machine

    def pay(self, to: bytes, wei: int) -> None:
        self.machine.guarded(lambda: self.machine.transfer(ACCOUNTS[0], to, wei))


def snake(machine: Machine, address: bytes, name: str) -> str:
    """The source's name of what the ABI calls so."""
    known = {one for cls in machine.instances[address].order for one in (*cls.fields, *cls.methods)}
    return name if name in known else re.sub(r"([A-Z])", lambda found: "_" + found[1].lower(), name)


def oracle(source: str, root: Path) -> Machine:
    """A world of a source's contracts, in which every account has ten thousand ether."""
    machine = Machine.of(source, root)
    machine.balances = dict.fromkeys(ACCOUNTS, 10**22)
    return machine


def deploy(machine: Machine, name: str, *arguments: Any, sender: bytes = ACCOUNTS[0], value: int = 0) -> Handle:
    """Raises: Reverted."""
    return Handle(machine, machine.deploy(name, *arguments, sender=sender, value=value))
