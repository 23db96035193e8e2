"""Values of an ABI made ready for a page: each with its name, its type and, of lists and tuples, its parts.

Never: trusts what it decodes; what does not fit its type is shown as it lies there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from contractvm.host import Log
from sdk.abi import ABIError, Error, Event, Function, Parameter, Value, decode
from sdk.abi_types import Array, Tuple
from sdk.interface import Interface

SHOWN: Final = 64
"""Items of a list that are shown."""


@dataclass(frozen=True, slots=True)
class Item:
    """A value. `items` are the parts of a list or a tuple, `more` the number of those left out."""

    name: str
    type: str
    value: Value
    items: tuple[Item, ...] = ()
    more: int = 0
    indexed: bool = False

    @property
    def compound(self) -> bool:
        """Whether it has parts, be they none."""
        return isinstance(self.value, list | tuple)


@dataclass(frozen=True, slots=True)
class Told:
    """A call, an event or an error understood. `guess` names the standard whose signature it has, where the contract's
    own is not known."""

    name: str
    signature: str
    items: tuple[Item, ...] = ()
    guess: str = ""


def item_of(parameter: Parameter, value: Value) -> Item:
    """A decoded value with what is known of it."""
    type_ = parameter.type
    name = parameter.struct + parameter.suffix if parameter.struct else type_.name
    if isinstance(type_, Array) and isinstance(value, list | tuple):
        inner = [Parameter(type_.item, str(at), False, parameter.components, parameter.struct) for at in range(SHOWN)]
        items = tuple(item_of(each, part) for each, part in zip(inner, value, strict=False))
        return Item(parameter.name, name, value, items, max(len(value) - SHOWN, 0), parameter.indexed)
    if isinstance(type_, Tuple) and isinstance(value, list | tuple):
        members = parameter.components or tuple(Parameter(member, str(at)) for at, member in enumerate(type_.items))
        return Item(parameter.name, name, value, items_of(members, value), indexed=parameter.indexed)
    return Item(parameter.name, name, value, indexed=parameter.indexed)


def items_of(parameters: Sequence[Parameter], values: Sequence[Value]) -> tuple[Item, ...]:
    """Decoded values in order."""
    return tuple(item_of(parameter, value) for parameter, value in zip(parameters, values, strict=True))


def function_of(interface: Interface, data: bytes) -> Function | None:
    """The function that calldata is for."""
    known = map(Function.parse, interface.functions)
    return next((function for function in known if function.selector == data[:4]), None)


def call(interface: Interface, data: bytes, guess: str = "") -> Told | None:
    """What a call asks for; None where the interface has no such function or the arguments are not its."""
    function = function_of(interface, data) if len(data) >= 4 else None
    if function is None:
        return None
    try:
        values = function.decode_input(data)
    except ABIError:
        return None
    return Told(function.name, function.declaration, items_of(function.inputs, values), guess)


def event(interface: Interface, log: Log, guess: str = "") -> Told | None:
    """What a log says; None where the interface has no such event or the data is not its."""
    for known in map(Event.parse, interface.events):
        indexed = sum(parameter.indexed for parameter in known.inputs)
        if known.anonymous or log.topics[:1] != (known.hash,) or len(log.topics) != 1 + indexed:
            continue
        try:
            values = known.decode_log(log.topics, log.data)
        except ABIError:
            continue
        items = []
        for parameter, value in zip(known.inputs, values, strict=True):
            hashed = parameter.indexed and isinstance(value, bytes) and parameter.type.dynamic
            items.append(
                Item(parameter.name, f"keccak256({parameter.type.name})", value, indexed=True)
                if hashed or (parameter.indexed and isinstance(parameter.type, Array | Tuple))
                else item_of(parameter, value)
            )
        return Told(known.name, known.declaration, tuple(items), guess)
    return None


def output(function: Function, data: bytes) -> tuple[Item, ...] | None:
    """What a function answered; None where that is not of its types."""
    try:
        values = decode([parameter.type for parameter in function.outputs], data)
    except ABIError:
        return None
    return items_of(function.outputs, values)


def error(errors: Sequence[str], data: bytes) -> Told | None:
    """What a contract reverted with; None where no error fits."""
    for known in map(Error.parse, (*errors, "Error(string message)", "Panic(uint256 code)")):
        if data[:4] != known.selector:
            continue
        try:
            return Told(known.name, known.declaration, items_of(known.inputs, decode(known.types, data[4:])))
        except ABIError:
            continue
    return None
