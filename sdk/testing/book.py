"""What a test did, and who is who: the entries that traces, reports and reproductions are made from.

Keeping an entry costs next to nothing; everything that people read is worked out from it when something fails.
Never: holds more than the last entries, or anything that changes what runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from contractvm.dataclass import dataclass
from contractvm.errors import Trap
from contractvm.execute import Message
from contractvm.types import ZERO_ADDRESS, Address
from sdk.abi import Function, Value
from sdk.interface import Interface
from sdk.testing.failures import CallFailed
from sdk.testing.ledger import Ledger, Node
from sdk.testing.source import Source

KEPT = 512
"""Entries of a test that are kept, the latest."""


@dataclass(slots=True, eq=False)
class Entry:
    """One thing that a test did: `kind` is the name of the method, `target` what it was done to."""

    kind: str
    target: Address | str | None
    function: Function | None
    arguments: Sequence[Value]
    sender: Address = ZERO_ADDRESS
    value: int = 0
    gas: int | None = None
    result: Value = None
    timestamp: int = 0
    """Of the block that it ran in, or would have been in."""
    before: Node | None = None
    """The block before it."""
    node: Node | None = None
    """The block that it made."""
    message: Message | None = None
    gas_used: int = 0
    failed: CallFailed | None = None
    source: Source | None = None
    """Of a contract that is being deployed."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an example did until it failed, and the block that it ended at."""

    entries: tuple[Entry, ...]
    node: Node


class Book:
    """The entries of one chain, its labels and contracts, and the gas that was spent."""

    __slots__ = ("_contracts", "entries", "errors", "evidence", "gas", "labels", "total")

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self.evidence: Evidence | None = None
        """Of the example that failed last, whose blocks were taken back since."""
        self.labels: dict[bytes, str] = {}
        self.errors: tuple[str, ...] = ()
        """Errors that some contract declares: a revert may come from far below."""
        self.gas: dict[tuple[str, str], list[int]] | None = None
        """Gas of every call by contract and function, if somebody wants a report."""
        self.total = 0
        """Gas of all transactions since somebody set it to 0."""
        self._contracts: dict[Address, tuple[Source, Interface]] = {}

    def open(self) -> None:
        """Begin afresh, for another test."""
        self.entries.clear()
        self.evidence = None
        self.total = 0

    def enter(self, entry: Entry, ledger: Ledger) -> None:
        """Write an entry down."""
        entry.before, entry.timestamp = ledger.head, ledger.timestamp
        self.entries.append(entry)

    @contextmanager
    def chapter(self) -> Iterator[deque[Entry]]:
        """Keep the entries of a `with` block apart from the others."""
        before, self.entries = self.entries, deque(maxlen=KEPT)
        try:
            yield self.entries
        finally:
            self.entries = before

    def spent(self, entry: Entry) -> None:
        """Count an entry's gas."""
        if entry.node is not None:
            self.total += entry.gas_used
        if self.gas is not None and (names := self._names(entry)) is not None:
            self.gas.setdefault(names, []).append(entry.gas_used)

    def _names(self, entry: Entry) -> tuple[str, str] | None:
        """The contract and function of an entry, as reports name them."""
        if entry.kind == "deploy":
            return str(entry.target), "constructor"
        known = self._contracts.get(Address(entry.target)) if isinstance(entry.target, bytes) else None
        if known is None or entry.function is None:
            return None
        return known[0].name, entry.function.name

    def tell(self, entry: Entry, trap: Trap) -> str:
        """A trap as its author can use it: with the line of the source, where the contract is known and has one."""
        known = self._contracts.get(Address(entry.target)) if isinstance(entry.target, bytes) else None
        source = entry.source or (known[0] if known is not None else None)
        if source is None or not source.debug:
            return str(trap)
        from sdk.places import Map  # reads modules: only what failed needs it

        map_ = Map(source.code, source.debug, source.layout)
        lines = (map_.line(place) for place in trap.backtrace or ((trap.place,) if trap.place is not None else ()))
        line = next((line for line in lines if line is not None), None)
        return str(trap) if line is None else f"{trap.code}{': ' * bool(trap.detail)}{trap.detail} ({line})"

    def label(self, address: bytes, name: str) -> None:
        self.labels[address] = name

    def deployed(self, address: Address, name: str, source: Source, interface: Interface) -> str:
        """Remember a contract; return its label, with a number if the name is taken."""
        taken = set(self.labels.values()) - {self.labels.get(address)}
        label, number = name, 1
        while label in taken:
            number += 1
            label = f"{name}_{number}"
        self.labels[address] = label
        self._contracts[address] = source, interface
        self.errors = tuple(dict.fromkeys((*self.errors, *interface.errors)))
        return label

    def interface(self, address: Address) -> Interface | None:
        """What is known of a contract that was deployed here."""
        found = self._contracts.get(address)
        return None if found is None else found[1]

    def deployments(self) -> Iterable[tuple[Address, tuple[Source, Interface]]]:
        """Every contract by address."""
        return self._contracts.items()

    def contracts(self) -> Iterable[tuple[Source, Interface]]:
        """Every contract that was deployed here, with what is known of it."""
        return self._contracts.values()
