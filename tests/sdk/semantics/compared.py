"""A contract in two worlds: on a chain as WebAssembly, on each tier, and in the oracle; every call must end the same.

An outcome is the value, or the revert's data. A trap or exhausted gas is no outcome, and an error of the test.
Never: looks at gas.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st

from sdk.abi import Event
from sdk.compiler import Compiled
from sdk.testing import Bound, Deployed, MockChain
from sdk.testing import Reverted as ChainReverted
from tests.sdk.semantics.driver import ACCOUNTS, deploy, oracle
from tests.sdk.semantics.source import Module, linearised, read
from tests.sdk.semantics.values import (
    AddressT,
    ArrayT,
    BoolT,
    BytesT,
    EnumT,
    FixedT,
    InterfaceT,
    IntT,
    ListT,
    Reverted,
    StringT,
    StructT,
    TupleT,
    Type,
    abi_type,
)
from tests.sdk.semantics.wire import Entry, entries
from tests.sources import ROOT

Outcome: TypeAlias = tuple[str, Any]


@dataclass(frozen=True)
class Step:
    """A call: the function by the source's name."""

    function: str
    arguments: tuple[Any, ...]

    def __repr__(self) -> str:
        return f"c.{self.function}({', '.join(map(repr, self.arguments))})"


def signatures(module: Module, contract: str) -> list[Entry]:
    """External functions, with each number of arguments that they take."""
    order = linearised(module, contract)
    external = {name for cls in order for name, method in cls.methods.items() if "external" in method.decorators}
    return [entry for entry in entries(order) if entry.name in external]


def values(type_: Type) -> st.SearchStrategy[Any]:
    """Values of a type, those at its edges more often."""
    match type_:
        case IntT(bits, signed):
            low = -(1 << bits - 1) if signed else 0
            high = low + (1 << bits) - 1
            powers = [one for n in (7, 8, 31, 32, 63, 64, 127, 128, 192) for one in (2**n - 1, 2**n, -(2**n))]
            edges = [one for one in (low, low + 1, -1, 0, 1, 2, 3, high - 1, high, *powers) if low <= one <= high]
            return st.sampled_from(edges) | st.integers(max(low, -20), min(high, 20)) | st.integers(low, high)
        case BoolT():
            return st.booleans()
        case AddressT() | InterfaceT():
            return st.sampled_from([bytes(20), ACCOUNTS[1], ACCOUNTS[2]]) | st.binary(min_size=20, max_size=20)
        case FixedT(size):
            same = st.integers(0, 255).map(lambda byte: bytes([byte]) * size)
            return same | st.binary(min_size=size, max_size=size)
        case BytesT():
            return st.binary(max_size=8) | st.binary(max_size=70)
        case StringT():
            return st.sampled_from(["", "a", "ab", "b", "a\0"]) | st.text(max_size=40)
        case EnumT(members=members):
            return st.sampled_from([n for _, n in members])
        case ListT(item):
            return st.lists(values(item), max_size=5)
        case ArrayT(item, length):
            return st.lists(values(item), min_size=length, max_size=length)
        case TupleT(items):
            return st.tuples(*map(values, items))
        case StructT(fields=fields):
            return st.tuples(*(values(field) for _, field in fields))
    raise ValueError(f"no values of {type_}")


def step(signature: Entry) -> st.SearchStrategy[Step]:
    """A call with drawn arguments."""
    return st.tuples(*map(values, signature.types)).map(lambda given: Step(signature.name, given))


def steps(found: list[Entry], most: int) -> st.SearchStrategy[list[Step]]:
    """Sequences of calls."""
    return st.lists(st.one_of(*map(step, found)), min_size=1, max_size=most)


def plain(value: Any) -> Any:
    """Values without the kit's own types."""
    if isinstance(value, (tuple, list)):
        return type(value)(map(plain, value)) if type(value) in (tuple, list) else tuple(map(plain, value))
    return bytes(value) if isinstance(value, bytes) else value


def in_the_oracle(source: str, contract: str, sequence: list[Step]) -> list[Outcome]:
    """What each call gives, and the events at the end."""
    machine = oracle(source, ROOT)
    handle = deploy(machine, contract, value=money(machine.module, contract))
    outcomes: list[Outcome] = []
    for one in sequence:
        try:
            outcomes.append(("value", getattr(handle, one.function)(*one.arguments)))
        except Reverted as reverted:
            outcomes.append(("revert", reverted.data))
    return [*outcomes, ("events", [(log.event, log.values) for log in machine.logs])]


def on_the_chain(deployed: Deployed, known: list[Entry], sequence: list[Step], events: list[Event]) -> list[Outcome]:
    """The same on a chain."""
    outcomes: list[Outcome] = []
    logs: list[Any] = []
    for one in sequence:
        bound = chosen(deployed, known, one)
        try:
            if bound.function.reads_only:
                outcomes.append(("value", plain(bound(*one.arguments))))
            else:
                receipt = bound.tx(*one.arguments)
                outcomes.append(("value", plain(receipt.value)))
                for log in receipt.logs:
                    (event,) = (one for one in events if log.topics[:1] == (one.hash,))
                    logs.append((event.name, plain(event.decode_log(log.topics, log.data))))
        except ChainReverted as reverted:
            outcomes.append(("revert", reverted.data))
    return [*outcomes, ("events", logs)]


def money(module: Module, contract: str) -> int:
    """What a contract begins with: 200 wei, if it takes any."""
    constructor = module.classes[contract].methods.get("__init__")
    return 200 if constructor is not None and "payable" in constructor.decorators else 0


def chosen(deployed: Deployed, known: list[Entry], wanted: Step) -> Bound:
    """The function, of several arities the one that is called."""
    fitting = [one for one in known if one.name == wanted.function and len(one.types) == len(wanted.arguments)]
    return deployed[fitting[0].signature]


@dataclass
class Pair:
    """A source, read by the oracle and deployed on a chain."""

    source: str
    contract: str
    chain: MockChain
    deployed: Deployed

    @classmethod
    def of(cls, chain: MockChain, path: Path, compiled: Compiled) -> Pair:
        source = path.read_text(encoding="utf-8")
        value = money(read(source, ROOT), compiled.name)
        return cls(source, compiled.name, chain, chain.deploy(compiled, value=value))

    @property
    def module(self) -> Module:
        return read(self.source, ROOT)

    @property
    def events(self) -> list[Event]:
        """Every event of the source, also of contracts that this one calls."""
        found = []
        for name, cls in self.module.classes.items():
            if cls.kind == "Event":
                fields = (abi_type(one.type) + " indexed" * ("Indexed" in one.marks) for one in cls.fields.values())
                found.append(Event.parse(f"{name}({','.join(fields)})"))
        return found

    def compare(self, sequence: list[Step]) -> None:
        """Raises: AssertionError where the chain and the oracle differ."""
        expected = in_the_oracle(self.source, self.contract, sequence)
        known = signatures(self.module, self.contract)
        before = self.chain.snapshot()
        try:
            found = on_the_chain(self.deployed, known, sequence, self.events)
        finally:
            self.chain.revert(before)
        for one, want, have in zip([*sequence, "the events"], expected, found, strict=True):
            assert have == want, f"{one}: the chain gives {have!r}, the oracle {want!r}"
