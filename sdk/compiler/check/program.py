"""The whole contract: every function checked, effects, entries, and what can be reached, in a fixed order.

Source: docs/language.md, "A contract", "The ABI". Never: stops at the first error.
"""

from __future__ import annotations

from collections.abc import Iterable

from contractvm.crypto import keccak256
from sdk.compiler import tree
from sdk.compiler.check.effects import Effects, all_effects, check_guard, check_loops, check_view
from sdk.compiler.check.functions import evaluate, fill
from sdk.compiler.check.getters import getter
from sdk.compiler.check.initialise import check_immutables, check_super
from sdk.compiler.check.walk import below
from sdk.compiler.check.whole import Whole, is_constant
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.abi_names import camel_case
from sdk.compiler.front.declared import ConstDecl, ContractDecl, FieldDecl, FunctionDecl, FunctionKind, StructDecl, Unit
from sdk.compiler.symbols import Error, Event, Field, Kind, Mutability, Parameter, signature

DOORS = frozenset({FunctionKind.EXTERNAL, FunctionKind.RECEIVE, FunctionKind.FALLBACK})
"""By which others come in, once the contract is there."""


def check_contract(unit: Unit, contract: ContractDecl, reporter: Reporter) -> tree.Program | None:
    """The finished contract; None where something is wrong with it, all of which has been said."""
    whole = Whole(unit, contract, reporter, evaluate)
    declared = _all_functions(unit, contract)
    functions = [made for one in declared if (made := fill(whole, one)) is not None]
    _check_constants(whole)
    for one in contract.methods.values():
        if one.kind is FunctionKind.CONSTRUCTOR:
            _check_constructors(whole, one)
    if reporter.failed:
        _check_effects(whole, declared, all_effects(functions))
        return None
    known = all_effects(functions)
    _check_effects(whole, declared, known)
    if reporter.failed:
        return None
    for function, effects in known.items():
        function.writes = effects.changes
    return _finished(whole, known)


def _all_functions(unit: Unit, contract: ContractDecl) -> list[FunctionDecl]:
    """Every function to check: methods of the contract and its bases, overridden ones too, and functions of modules."""
    found: dict[FunctionDecl, None] = {}
    for owner in contract.linearisation:
        found.update(dict.fromkeys(owner.own_methods.values()))
    for module in unit.modules:
        for one in module.scope.values():
            if isinstance(one, FunctionDecl):
                found[one] = None
    return list(found)


def _check_constants(whole: Whole) -> None:
    """Evaluate every constant, also those that nothing uses."""
    for field in whole.contract.fields.values():
        if is_constant(field):
            whole.constant(field)
    for module in whole.unit.modules:
        for one in module.scope.values():
            if isinstance(one, ConstDecl):
                whole.constant(one)
            elif isinstance(one, StructDecl):
                for position in range(len(one.defaults)):
                    whole.member_default(one, position)


def _check_constructors(whole: Whole, last: FunctionDecl) -> None:
    for owner in whole.contract.linearisation:
        declared = owner.own_methods.get("__init__")
        if declared is not None:
            check_super(whole, declared, owner)


def _check_effects(whole: Whole, declared: Iterable[FunctionDecl], known: dict[tree.Function, Effects]) -> None:
    for one in declared:
        function = whole.functions.get(one)
        if function is None:
            continue
        if one.view:
            check_view(function, known[function], whole.reporter)
        check_loops(function, known, whole.reporter)
        if whole.contract.methods.get(one.name) is one and one.kind in DOORS:
            may_have_one = one.kind is FunctionKind.EXTERNAL and not one.view
            check_guard(function, known, whole.reporter, may_have_one=may_have_one)
    constructor = whole.contract.methods.get("__init__")
    made = None if constructor is None else whole.function(constructor)
    if constructor is None or (made is not None and not constructor.rejected):
        check_immutables(whole, made, known)


def _finished(whole: Whole, known: dict[tree.Function, Effects]) -> tree.Program:
    contract = whole.contract
    methods = contract.methods
    entries: list[tree.Entry] = []
    for field in contract.fields.values():
        if field.symbol is not None and field.symbol.public:
            entries.append(_getter_entry(whole, field, field.symbol))
    for method in methods.values():
        function = whole.function(method)
        if method.kind is FunctionKind.EXTERNAL and function is not None:
            entries.extend(_entries(whole, method, function, known[function]))
    entries.sort(key=lambda entry: keccak256(entry.signature.encode())[:4])
    constructor, receive, fallback = (methods.get(name) for name in ("__init__", "receive", "fallback"))
    special = [None if one is None else whole.function(one) for one in (constructor, receive, fallback)]
    roots = [function for function in special if function is not None]
    functions = _reached([*roots, *(entry.function for entry in entries)])
    events, errors = _used(functions)
    return tree.Program(
        contract.name,
        whole.unit.files,
        tuple(entries),
        special[0],
        () if constructor is None else tuple(p.abi_name for p in constructor.parameters),
        constructor is not None and constructor.payable,
        special[1],
        special[2],
        fallback is not None and fallback.payable,
        functions,
        tuple(
            field.symbol
            for field in contract.fields.values()
            if field.symbol is not None and field.symbol.kind is not Kind.CONST
        ),
        events,
        errors,
    )


def _used(functions: Iterable[tree.Function]) -> tuple[tuple[Event, ...], tuple[Error, ...]]:
    """The events and errors of functions, by name."""
    events: dict[Event, None] = {}
    errors: dict[Error, None] = {}
    for function in functions:
        for node in below(function.body):
            if isinstance(node, tree.Emit):
                events[node.event] = None
            elif isinstance(node, tree.Revert):
                errors[node.error] = None
    return (
        tuple(sorted(events, key=lambda event: (event.name, event.signature))),
        tuple(sorted(errors, key=lambda error: (error.name, error.signature))),
    )


def _getter_entry(whole: Whole, declared: FieldDecl, field: Field) -> tree.Entry:
    function = getter(field, whole.constant(declared) if field.kind is Kind.CONST else None)
    parameters = tuple(Parameter(local.name, "", local.type) for local in function.parameters)
    name = camel_case(field.name)
    names = ("",) * len(parameters)
    return tree.Entry(signature(name, parameters), name, function, names, len(parameters), (), Mutability.VIEW)


def _entries(whole: Whole, declared: FunctionDecl, function: tree.Function, effects: Effects) -> Iterable[tree.Entry]:
    """One for each number of arguments that defaults allow."""
    parameters = tuple(
        Parameter(p.name, p.abi_name, local.type)
        for p, local in zip(declared.parameters, function.parameters, strict=True)
    )
    if declared.view:
        how = Mutability.VIEW if effects.looks or effects.reads else Mutability.PURE
    else:
        how = Mutability.PAYABLE if declared.payable else Mutability.NONPAYABLE
    fewest = sum(p.default is None for p in declared.parameters)
    for given in range(fewest, len(parameters) + 1):
        rest = [whole.default(declared, position) for position in range(given, len(parameters))]
        yield tree.Entry(
            signature(declared.abi_name, parameters[:given]),
            declared.abi_name,
            function,
            tuple(p.abi_name for p in parameters[:given]),
            given,
            tuple(value for value in rest if value is not None),
            how,
        )


def _reached(roots: Iterable[tree.Function]) -> tuple[tree.Function, ...]:
    """These functions and all that they call, in order of meeting."""
    found: dict[tree.Function, None] = {}
    waiting = list(reversed(list(roots)))
    while waiting:
        function = waiting.pop()
        if function in found:
            continue
        found[function] = None
        called = [node.function for node in below(function.body) if isinstance(node, tree.Call)]
        waiting.extend(reversed(called))
    return tuple(found)
