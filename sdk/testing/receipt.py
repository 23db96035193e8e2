"""A receipt as a test reads it: what the block has, with the returned value and events decoded.

Never: recomputes anything; gas, logs and status are the chain's. What only a sealed block has, its hash and the
consensus receipt, is worked out when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.execute import Executed
from contractvm.host import Log
from contractvm.receipt import Receipt as ChainReceipt
from contractvm.types import Address
from sdk.abi import ABIError, Event, Function, Value
from sdk.testing.names import did_you_mean, find

if TYPE_CHECKING:
    from sdk.testing.chain import MockChain
    from sdk.testing.ledger import Node


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """What came of a transaction that took effect."""

    chain: MockChain
    node: Node
    known: tuple[str, ...] = ()
    """Events that the contract declares."""
    function: Function | None = None

    @property
    def executed(self) -> Executed:
        if self.node.executed is None:
            raise Fatal("a receipt of a block without a transaction")
        return self.node.executed

    @property
    def value(self) -> Any:
        """What the function returned, decoded; None when there is nothing. Raises: ABIError."""
        return None if self.function is None else self.function.decode_output(self.executed.output)

    @property
    def output(self) -> bytes:
        """What the function returned, as bytes."""
        return self.executed.output

    @property
    def gas_used(self) -> int:
        """Whole gas, refunds taken off."""
        return self.executed.gas_used

    @property
    def gas_price(self) -> int:
        """Wei a gas that was paid."""
        return self.executed.gas_price

    @property
    def logs(self) -> Sequence[Log]:
        return self.executed.logs

    @property
    def created(self) -> Address | None:
        """The address of a contract that the transaction deployed."""
        return self.executed.created

    @property
    def height(self) -> int:
        return self.node.height

    @property
    def raw(self) -> ChainReceipt:
        """The chain's own receipt: seals the blocks up to here. Raises: LookupError when its block was undone."""
        transaction = self.node.transaction
        found = None if transaction is None else self.chain.inner.receipt(transaction.hash)
        if found is None:
            raise LookupError(f"block {self.node.height} with this transaction was undone")
        return found

    def events(self, event: str) -> list[tuple[Value, ...]]:
        """Decode every log of an event, given by its signature or, if the contract declares it, by its name.

        Raises: ABIError when the name is not known or a log does not fit.
        """
        wanted = event_named(event, self.known)
        return [wanted.decode_log(log.topics, log.data) for log in self.logs if log.topics[:1] == (wanted.hash,)]


def event_named(event: str, known: Sequence[str]) -> Event:
    """An event by signature, or by the name of one that is declared. Raises: ABIError."""
    if "(" in event:
        return Event.parse(event)
    declared = {parsed.name: parsed for parsed in map(Event.parse, known)}
    name = find(event, declared)
    if name is not None:
        return declared[name]
    raise ABIError(f"no event {event!r} is declared ({did_you_mean(event, declared)}); or give its whole signature")
