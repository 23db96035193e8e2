"""The oracle with the call syntax of the test kit: `c.f(...)`, `sender=`, `value=`, `deploy(Name, ...)`.

Never: a chain. What it does not emulate raises IllTyped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contractvm.devaccounts import dev_accounts
from tests.sdk.semantics.machine import Machine

ACCOUNTS = tuple(bytes(account.address) for account in dev_accounts())


@dataclass(frozen=True)
class Handle:
    """A contract of the oracle."""

    machine: Machine
    address: bytes

    def __getattr__(self, name: str) -> Any:
        source = snake(self.machine, self.address, name)

        def call(*arguments: Any, sender: bytes = ACCOUNTS[0], value: int = 0) -> Any:
            return self.machine.execute(self.address, source, *arguments, sender=sender, value=value)

        return call


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
