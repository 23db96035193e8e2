"""What a compiled contract declares, for people and tools: `sdk.interface.Interface`, and JSON from there.

    interface(program).to_json()

Source: docs/language.md, "The ABI". Never: decides names; the front end did.
"""

from __future__ import annotations

from collections.abc import Iterable

from sdk.compiler.front.abi_names import camel_case
from sdk.compiler.symbols import Mutability, Parameter, outputs
from sdk.compiler.tree import Entry, Function, Program
from sdk.compiler.types import Array, List, Struct, Tuple, Type, abi_name
from sdk.interface import Interface


def interface(program: Program) -> Interface:
    """The declarations of a contract, in order."""
    return Interface(
        functions=tuple(map(_function, program.entries)),
        events=tuple(
            f"event {event.name}({_parameters(event.parameters)}){' anonymous' if event.anonymous else ''}"
            for event in program.events
        ),
        errors=tuple(f"error {error.name}({_parameters(error.parameters)})" for error in program.errors),
        constructor=_constructor(program),
        fallback="" if program.fallback is None else f"fallback(){_paid(program.fallback_payable)}",
        receive="" if program.receive is None else "receive() payable",
    )


def _constructor(program: Program) -> str:
    if program.constructor is None:
        return ""
    return f"constructor({_named(program.constructor, program.constructor_names)}){_paid(program.constructor_payable)}"


def _paid(payable: bool) -> str:
    return " payable" if payable else ""


def _function(entry: Entry) -> str:
    text = f"{entry.abi_name}({_named(entry.function, entry.parameter_names)})"
    if entry.mutability is not Mutability.NONPAYABLE:
        text += f" {entry.mutability.value}"
    results = ", ".join(map(declared, outputs(entry.function.returns)))
    return f"{text} returns ({results})" if results else text


def _named(function: Function, names: Iterable[str]) -> str:
    types = [local.type for local in function.parameters]
    return ", ".join(f"{declared(type_)} {name}".rstrip() for type_, name in zip(types, names, strict=False))


def _parameters(parameters: Iterable[Parameter]) -> str:
    return ", ".join(
        f"{declared(parameter.type)}{' indexed' if parameter.indexed else ''} {parameter.abi_name}"
        for parameter in parameters
    )


def declared(type_: Type) -> str:
    """A type as a declaration writes it: `struct Point(uint64 x, uint64 y)[]`."""
    match type_:
        case Struct(name=name, members=members):
            inside = ", ".join(f"{declared(member.type)} {camel_case(member.name)}" for member in members)
            return f"struct {name}({inside})"
        case Tuple(items):
            return f"({', '.join(map(declared, items))})"
        case List(item):
            return f"{declared(item)}[]"
        case Array(item, length):
            return f"{declared(item)}[{length}]"
    return abi_name(type_)
