"""A deployed contract as a test holds it: an address, a chain, and the functions that are known by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contractvm.types import Address
from sdk.abi import ABIError, Event, Function, Value
from sdk.interface import Interface
from sdk.testing.receipt import Receipt

if TYPE_CHECKING:
    from sdk.testing.chain import MockChain


@dataclass(frozen=True, slots=True)
class Contract:
    """Calls and transactions to one address. Functions are signatures, or names that the interface declares."""

    chain: MockChain = field(repr=False)
    address: Address
    interface: Interface = field(default_factory=Interface, repr=False)

    def call(
        self, function: str, *arguments: Value, sender: Value = None, value: int = 0, gas: int | None = None
    ) -> Value:
        """Run a function without a transaction and return its decoded answer. Raises: CallFailed, ABIError."""
        parsed = self.function(function)
        data = parsed.encode(*arguments)
        output = self.chain.run(self.address, data, sender=sender, value=value, gas=gas, errors=self.interface.errors)
        return parsed.decode_output(output)

    def send(
        self, function: str, *arguments: Value, sender: Value = None, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Send a transaction and return its receipt. Raises: CallFailed, Rejected, ABIError."""
        data = self.function(function).encode(*arguments)
        raw = self.chain.transact(self.address, data, sender=sender, value=value, gas=gas, errors=self.interface.errors)
        return Receipt(raw, tuple(Event.parse(text) for text in self.interface.events))

    def function(self, function: str) -> Function:
        """A function by signature or declared name. Raises: ABIError."""
        if "(" in function:
            return Function.parse(function)
        declared = [Function.parse(text) for text in self.interface.functions]
        found = [known for known in declared if known.name == function]
        if len(found) == 1:
            return found[0]
        if found:
            choices = ", ".join(known.text for known in found)
            raise ABIError(f"{function!r} is overloaded; give the signature of one of: {choices}")
        names = ", ".join(known.name for known in declared) or "none"
        raise ABIError(f"no function {function!r} is declared (known: {names}); give its whole signature")
