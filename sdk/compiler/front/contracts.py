"""Declares contracts: fields, methods, and what they inherit, in the order that Python's C3 gives.

Source: docs/language.md, "Fields", "Inheritance"; Python, "The Python 2.3 Method Resolution Order", for C3.
Never: looks at a method's body.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import pairwise

from sdk.compiler import types
from sdk.compiler.front.annotations import Resolver
from sdk.compiler.front.declared import ContractDecl, FieldDecl, FunctionDecl, FunctionKind
from sdk.compiler.front.functions import declare_function
from sdk.compiler.front.names import Names
from sdk.compiler.front.records import without_text
from sdk.compiler.layout import clashes
from sdk.compiler.symbols import Field, Kind, Span
from sdk.compiler.types import Type

TAKEN = {
    "address": "self.address is where the contract is",
    "balance": "self.balance is the wei that the contract has",
    "code": "Name.code is what deploys a contract",
}
KINDS = {"Const": Kind.CONST, "Immutable": Kind.IMMUTABLE, "Transient": Kind.TRANSIENT}
CONSTANTS = (types.Int, types.Bool, types.Address, types.FixedBytes, types.Bytes, types.String, types.Enum)


def declare_contract(
    node: ast.ClassDef, bases: Sequence[ContractDecl], rejected: set[ast.stmt], names: Names, resolver: Resolver
) -> ContractDecl:
    """A contract with everything that it inherits. `rejected`: methods and constants that are not to be looked into."""
    declared = ContractDecl(node.name, names.module, node, tuple(bases))
    declared.incomplete = any(base.incomplete for base in bases)
    order = linearise(declared)
    if order is None:
        names.error(
            "CV103",
            declared.span,
            f"the bases of {node.name} have no order that suits all of them",
            "put a class before those it inherits from: class Both(Special, General)",
        )
        order = [declared]
        declared.incomplete = True
    declared.linearisation = tuple(order)
    for statement in without_text(node.body):
        declare_member(statement, declared, rejected, names, resolver)
    finish(declared, names)
    return declared


def linearise(declared: ContractDecl) -> list[ContractDecl] | None:
    """C3: itself, then the merge of the bases' orders and the bases; None where there is none."""
    rows = [list(base.linearisation) for base in declared.bases] + [list(declared.bases)]
    order = [declared]
    while rows := [row for row in rows if row]:
        head = next((row[0] for row in rows if not any(row[0] in other[1:] for other in rows)), None)
        if head is None:
            return None
        order.append(head)
        rows = [[item for item in row if item is not head] for row in rows]
    return order


def declare_member(
    statement: ast.stmt,
    declared: ContractDecl,
    rejected: set[ast.stmt],
    names: Names,
    resolver: Resolver,
) -> None:
    """One statement of a contract's body."""
    match statement:
        case ast.FunctionDef():
            name, span = statement.name, names.module.source.name_span(statement)
        case ast.AnnAssign(target=ast.Name(id=name), simple=1):
            span = names.module.span(statement.target)
        case ast.Assign(targets=[ast.Name(id=name)]):
            names.error(
                "CV107", statement, f"{name} has no type", f"write {name}: u256, or {name}: Const[u256] = value"
            )
            declared.incomplete = True
            return
        case _:
            declared.incomplete = True
            if isinstance(statement, ast.ClassDef):
                span = names.module.source.name_span(statement)
                names.error("CV025", span, "a class within a class", "declare it at the top of the module")
            elif isinstance(statement, ast.AsyncFunctionDef):
                names.error("CV020", statement, "a contract has no async", "write def: calls return when they are done")
            else:
                help_ = "a contract's body has fields (name: type) and methods"
                names.error("CV106", statement, "this is neither a field nor a method", help_)
            return
    if name in declared.own_fields or name in declared.own_methods:
        names.error("CV111", span, f"{name} is declared twice", "remove one, or rename it")
    elif name in TAKEN:
        names.error("CV110", span, f"{name} is taken: {TAKEN[name]}", "use another name")
    elif isinstance(statement, ast.FunctionDef):
        declared.own_methods[name] = declare_function(statement, declared, statement in rejected, names, resolver)
    else:
        declared.own_fields[name] = declare_field(statement, name, declared, statement in rejected, names, resolver)


def declare_field(
    node: ast.AnnAssign, name: str, declared: ContractDecl, rejected: bool, names: Names, resolver: Resolver
) -> FieldDecl:
    """A field, its annotation taken apart: Public outside, then Const, Immutable or Transient, then the type."""
    public, kind = False, Kind.STORAGE
    annotation, quoted = resolver.opened(node.annotation)
    if isinstance(annotation, ast.Subscript) and names.language(annotation.value) == "Public":
        annotation, public = annotation.slice, True
    if isinstance(annotation, ast.Subscript):
        wrapper = names.language(annotation.value) or ""
        if wrapper in KINDS:
            annotation, kind = annotation.slice, KINDS[wrapper]
    type_ = resolver.type(annotation, maps=kind in (Kind.STORAGE, Kind.TRANSIENT), quoted=quoted)
    span = names.module.span(node.target)
    if name.startswith("__"):
        names.error("CV121", span, "names with two _ in front are Python's own", "use another name")
    elif public and name.startswith("_"):
        names.error("CV124", span, "a name that begins with _ is internal", "rename it, or remove Public")
    check_value(node, name, kind, type_, names)
    symbol = None if type_ is None else Field(name, f"{declared.name}.{name}", type_, kind, public, span)
    return FieldDecl(name, declared, node, symbol, node.value if kind is Kind.CONST and not rejected else None)


def check_value(node: ast.AnnAssign, name: str, kind: Kind, type_: Type | None, names: Names) -> None:
    """Constants have a value, nothing else has."""
    if kind is Kind.CONST:
        check_constant(node, name, type_, names)
    elif node.value is not None:
        words = {
            Kind.STORAGE: "storage begins as zeros: assign in __init__, or write Const[...] if it never changes",
            Kind.IMMUTABLE: "an Immutable is assigned in __init__; what is known now is a Const[...]",
            Kind.TRANSIENT: "a Transient begins as zeros with every transaction: assign it where it is used",
        }
        names.error("CV108", node.value, f"{name} cannot have a value here", words[kind])


def check_constant(node: ast.AnnAssign, name: str, type_: Type | None, names: Names) -> None:
    """Of a contract's or a module's constant: a value is there, of a type without parts."""
    if node.value is None:
        names.error("CV109", node, f"the constant {name} has no value", f"write {name}: Const[...] = value")
    else:
        names.in_order(node.value)
    if type_ is not None and not isinstance(type_, CONSTANTS):
        help_ = "constants are numbers, bool, Address, bytesN, Bytes, String and enums; make it a field or a function"
        names.error("CV109", node.annotation, f"{type_} cannot be a constant", help_)


def finish(declared: ContractDecl, names: Names) -> None:
    """Gather fields and methods of all classes, and check that they go together."""
    classes: dict[str, ContractDecl] = {}
    for owner in declared.linearisation:
        if classes.setdefault(owner.name, owner) is not owner:
            names.error(
                "CV127",
                declared.span,
                f"{declared.name} inherits from two classes called {owner.name}",
                "rename one: storage keys are made from the class's name",
            )
        for name, field in owner.own_fields.items():
            other = declared.fields.setdefault(name, field)
            if other is not field:
                taken_twice(declared, name, other, field, names)
        for name, method in owner.own_methods.items():
            declared.methods.setdefault(name, method)
    for name in sorted(declared.fields.keys() & declared.methods.keys()):
        span = where(declared, name)
        of_method = declared.methods[name].qualified.split(".")[0]
        message = f"{name} is a field in {declared.fields[name].owner.name} and a method in {of_method}"
        names.error("CV110", span, message, "rename one of them")
    kept = [field.symbol for field in declared.fields.values() if field.symbol and field.symbol.kind is not Kind.CONST]
    for first, second in clashes(kept):
        message = f"{first.qualified} and {second.qualified} would have one place in storage"
        names.error("CV129", declared.span, message, "rename one of them: two bytes of the names' hashes are the same")
    for name in declared.methods:
        check_inherited(declared, name, names)
    for method in declared.own_methods.values():
        base = declared.method_after(declared, method.name)
        if base is not None and method.kind is not FunctionKind.CONSTRUCTOR:
            check_override(method, base, names)


def taken_twice(declared: ContractDecl, name: str, one: FieldDecl, other: FieldDecl, names: Names) -> None:
    names.error(
        "CV110",
        where(declared, name),
        f"{one.owner.name} and {other.owner.name} both declare the field {name}",
        "rename one: there is one field of a name",
    )


def where(declared: ContractDecl, name: str) -> Span:
    """Where a class itself declares a name; the class's name when it only inherits it."""
    if name in declared.own_methods:
        return declared.own_methods[name].span
    if name in declared.own_fields:
        return declared.module.span(declared.own_fields[name].node.target)
    return declared.span


def check_inherited(declared: ContractDecl, name: str, names: Names) -> None:
    """Methods of bases that do not know each other are called alike too: one takes the other's place here."""
    order = [owner.own_methods[name] for owner in declared.linearisation if name in owner.own_methods]
    for one, other in pairwise(order):
        if one.owner is None or other.owner is None or one.owner is declared or name == "__init__":
            continue
        if other.owner not in one.owner.linearisation and (differs := difference(one, other)):
            message = f"{name} has {differs} in {one.owner.name} than in {other.owner.name}, which it replaces"
            names.error("CV122", declared.span, message, "rename one of them")


def check_override(method: FunctionDecl, base: FunctionDecl, names: Names) -> None:
    """An overriding method is called like the one it replaces."""
    differs = difference(method, base)
    if differs:
        owner = base.qualified.split(".")[0]
        message = f"{method.name} has {differs} than in {owner}, which it overrides"
        names.error("CV122", method.span, message, f"declare it as {owner} does, or rename it")


def difference(method: FunctionDecl, base: FunctionDecl) -> str:
    """In what a method is called differently; empty when it is not."""
    differs = ""
    if [p.name for p in method.parameters] != [p.name for p in base.parameters] or any(
        None not in (p.type, q.type) and p.type != q.type
        for p, q in zip(method.parameters, base.parameters, strict=True)
    ):
        differs = "other parameters"
    elif [default_of(p.default) for p in method.parameters] != [default_of(p.default) for p in base.parameters]:
        differs = "other defaults"
    elif None not in (method.returns, base.returns) and method.returns != base.returns:
        differs = "another result"
    elif (method.kind, method.abi_name, method.view, method.payable, method.nonreentrant) != (
        base.kind,
        base.abi_name,
        base.view,
        base.payable,
        base.nonreentrant,
    ):
        differs = "other decorators"
    return differs


def default_of(node: ast.expr | None) -> str:
    """A default's syntax, to compare."""
    return "" if node is None else ast.dump(node)
