"""A receipt as a test reads it: the chain's own, with events decoded by signature.

Never: recomputes anything; gas, logs and status are what the block has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contractvm.host import Log
from contractvm.receipt import Receipt as ChainReceipt
from sdk.abi import ABIError, Event, Value


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of a transaction; `raw` is the chain's receipt."""

    raw: ChainReceipt
    known: tuple[Event, ...] = ()
    """Events that the contract declares."""

    @property
    def gas_used(self) -> int:
        """Whole gas, refunds taken off."""
        return self.raw.gas_used

    @property
    def logs(self) -> Sequence[Log]:
        return self.raw.logs

    def events(self, event: str) -> list[tuple[Value, ...]]:
        """Decode every log of an event, given by its signature or, if the contract declares it, by its name.

        Raises: ABIError when the name is not known or a log does not fit.
        """
        wanted = self._event(event)
        return [wanted.decode_log(log.topics, log.data) for log in self.logs if log.topics[:1] == (wanted.hash,)]

    def _event(self, event: str) -> Event:
        if "(" in event:
            return Event.parse(event)
        for known in self.known:
            if known.name == event:
                return known
        names = ", ".join(known.name for known in self.known) or "none"
        raise ABIError(f"no event {event!r} is declared (known: {names}); give its whole signature")
