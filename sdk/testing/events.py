"""`expect_event`: what a block of a test must emit.

    with expect_event(token, "Transfer", from_=alice, to=bob, value=5) as seen:
        token.transfer(bob, 5)
    assert seen.fields["value"] == 5

Never: looks at what was emitted before, by another contract, or by a transaction that failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field

from contractvm.dataclass import dataclass
from sdk.abi import ABIError, Event, Parameter, Value
from sdk.abi_packed import topic_of
from sdk.abi_types import Array, Bytes, Tuple
from sdk.testing.contract import Deployed
from sdk.testing.ledger import Node
from sdk.testing.names import did_you_mean, find
from sdk.testing.receipt import event_named
from sdk.testing.values import same, written


@dataclass(slots=True)
class Seen:
    """What was emitted, once the block has ended: the values by name of every event that was expected, in order."""

    events: list[dict[str, Value]] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, Value]:
        """Of the first one. Raises: LookupError while the block goes on."""
        if not self.events:
            raise LookupError("nothing was seen yet: the block of `expect_event` goes on")
        return self.events[0]


@contextmanager
def expect_event(
    contract: Deployed, event: str | type, /, *, count: int | None = None, **fields: Value
) -> Iterator[Seen]:
    """Expect an event of `contract`, by name, signature or class, with these fields; `count` times or at least once.

    Raises: AssertionError, listing what was emitted instead; ABIError for an event or field that is not declared.
    """
    name = event.__name__ if isinstance(event, type) else event
    wanted = event_named(name, contract.interface.events)
    expected = _named(wanted, fields)
    chain, seen = contract.chain, Seen()
    start = chain.moment().node
    yield seen
    others: list[str] = []
    for node in _since(chain.moment().node, start):
        for log in node.executed.logs if node.executed is not None else ():
            if log.address != contract.address:
                others.append(f"{chain.label_of(log.address)}: a log of another contract")
            elif log.topics[:1] != (wanted.hash,):
                others.append(_told(contract, log.topics, log.data))
            else:
                values = dict(zip(_names(wanted), wanted.decode_log(log.topics, log.data), strict=True))
                if all(_equal(wanted, values, name, value) for name, value in expected.items()):
                    seen.events.append(values)
                else:
                    others.append(_shown(wanted, values, chain.labels()))
    if len(seen.events) == count or (count is None and seen.events):
        return
    often = "" if count is None else f" {count} times"
    found = f"; it was seen {len(seen.events)} times" if seen.events else ""
    listed = "".join(f"\n  {text}" for text in others) or " nothing"
    raise AssertionError(
        f"expected {_shown(wanted, expected, chain.labels())} of {contract!r}{often}{found}; else there was:{listed}"
    )


def _since(head: Node, start: Node) -> list[Node]:
    """The blocks after `start`, in order."""
    found = []
    for node in head.path():
        if node is start or node.height <= start.height:
            break
        found.append(node)
    return found[::-1]


def _names(event: Event) -> list[str]:
    return [parameter.name or f"_{place}" for place, parameter in enumerate(event.inputs)]


def _named(event: Event, fields: Mapping[str, Value]) -> dict[str, Value]:
    """Expected values by the names that the event has. Raises: ABIError."""
    names = _names(event)
    found = {}
    for name, value in fields.items():
        known = find(name, names)
        if known is None:
            raise ABIError(f"event {event.name} has no field {name!r}; {did_you_mean(name, names)}")
        found[known] = value
    return found


def _equal(event: Event, values: Mapping[str, Value], name: str, wanted: Value) -> bool:
    """Whether a field has a value; of an indexed dynamic one there is only the hash."""
    parameter = event.inputs[_names(event).index(name)]
    return same(values[name], wanted) or (_hashed(parameter) and _topic(parameter, wanted) == values[name])


def _topic(parameter: Parameter, value: Value) -> bytes | None:
    """The hash that a log would have for a value; None for one that does not fit."""
    try:
        return topic_of(parameter.type, value)
    except ABIError:
        return None


def _hashed(parameter: Parameter) -> bool:
    return parameter.indexed and isinstance(parameter.type, (Bytes, Array, Tuple))


def _told(contract: Deployed, topics: tuple[bytes, ...], data: bytes) -> str:
    """Another event of the same contract, as far as it is known."""
    for event in map(Event.parse, contract.interface.events):
        if topics[:1] == (event.hash,):
            values = dict(zip(_names(event), event.decode_log(topics, data), strict=True))
            return _shown(event, values, contract.chain.labels())
    return f"a log with the topics {written(list(topics))}"


def _shown(event: Event, values: Mapping[str, Value], labels: Mapping[bytes, str]) -> str:
    inside = ", ".join(f"{name}={written(value, labels)}" for name, value in values.items())
    return f"{event.name}({inside})"
