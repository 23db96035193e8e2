"""Calls: of the contract's own functions, of types (structs, conversions), and what methods of values there are.

Source: docs/language.md, "Functions", "Structs", "Inheritance". Never: calls another contract (`remote` does), or knows
the language's functions (`builtins`).
"""

from __future__ import annotations

import ast
import difflib

from sdk.compiler import tree
from sdk.compiler.check import remote
from sdk.compiler.check.aliases import copied, lend
from sdk.compiler.check.arguments import Wanted, bind, filled
from sdk.compiler.check.body import Body
from sdk.compiler.check.builtins import BLOCK_HASH, call_language
from sdk.compiler.check.conversions import convert
from sdk.compiler.check.places import access, load, place_of
from sdk.compiler.check.targets import writable
from sdk.compiler.front.declared import (
    ContractDecl,
    EnumDecl,
    ErrorDecl,
    EventDecl,
    FunctionDecl,
    FunctionKind,
    InterfaceDecl,
    LanguageName,
    StructDecl,
    Unresolved,
)
from sdk.compiler.front.language import SCALARS, unknown_name
from sdk.compiler.types import BYTES, STRING, Bytes, List, String, Type


def call(body: Body, node: ast.Call, hint: Type | None) -> tree.Expression | None:
    """Whatever is written with parentheses."""
    function = node.func
    if isinstance(function, ast.Attribute):
        return _method(body, node, function)
    if not isinstance(function, ast.Name):
        body.error("CV212", node, "this cannot be called", "functions, methods, types and structs can be")
        return None
    declared = body.declared(function)
    match declared:
        case LanguageName(name) if name in SCALARS:
            return convert(body, node, SCALARS[name])
        case LanguageName(name):
            return call_language(body, node, name, hint)
        case StructDecl():
            return _struct(body, node, declared)
        case EnumDecl(type=type_):
            return convert(body, node, type_)
        case InterfaceDecl(type=remote_type):
            return convert(body, node, remote_type)
        case FunctionDecl():
            return internal(body, node, declared, declared.name)
        case EventDecl(name=name):
            body.error("CV212", node, f"{name} is an event", f"write emit({name}(...))")
        case ErrorDecl(name=name):
            body.error("CV212", node, f"{name} is an error", f"write raise {name}(...)")
        case ContractDecl(name=name):
            body.error("CV212", node, f"{name} is a contract", f"deploy it: create({name}.code, ...)")
        case Unresolved():
            pass
        case None if body.owner is not None and function.id in body.whole.contract.methods:
            body.error("CV204", function, f"{function.id} is not known", f"write self.{function.id}(...)")
        case None if function.id in body.variables:
            body.error(
                "CV212",
                node,
                f"{function.id} is a variable, which cannot be called",
                "if it hides a function or a type, rename the variable",
            )
        case None:
            known = [*body.variables, *body.module.scope]
            body.error("CV204", function, f"{function.id} is not known", unknown_name(function.id, known))
        case _:
            body.error(
                "CV212", node, f"{function.id} cannot be called", "functions, types, structs and interfaces can be"
            )
    return None


def internal(body: Body, node: ast.Call, declared: FunctionDecl, shown: str) -> tree.Expression | None:
    """A call of a function of this contract or of a module."""
    wanted = [Wanted(p.name, p.type, p.default is not None) for p in declared.parameters]
    bound = bind(body, node, shown, wanted)
    function = body.whole.function(declared)
    if bound is None or function is None:
        return None
    lent = [lend(body, value) for value in bound.values if value is not None]
    if not all(lent):
        return None
    whole = filled(bound, lambda position: body.whole.default(declared, position))
    if whole is None:
        return None
    return tree.Call(function, whole[0], whole[1], function.returns, body.span(node))


def _struct(body: Body, node: ast.Call, declared: StructDecl) -> tree.Expression | None:
    """`Point(1, y=2)`."""
    members = declared.type.members
    wanted = [
        Wanted(member.name, member.type, default is not None)
        for member, default in zip(members, declared.defaults, strict=True)
    ]
    bound = bind(body, node, declared.name, wanted)
    whole = None if bound is None else filled(bound, lambda position: body.whole.member_default(declared, position))
    return None if whole is None else tree.MakeStruct(whole[0], whole[1], declared.type, body.span(node))


def _method(body: Body, node: ast.Call, function: ast.Attribute) -> tree.Expression | None:
    """`x.f(...)`: a method of the contract, of a base, of another contract, or of a value."""
    base = function.value
    if body.is_self(base) and function.attr not in body.whole.contract.fields:
        return _of_self(body, node, function)
    if isinstance(base, ast.Call) and body.language(base.func) == "super":
        return _of_super(body, node, base, function.attr)
    if function.attr == "fromhex" and body.language(base) is not None:
        return _from_hex(body, node, base)
    if body.language(base) == "block" and function.attr == "hash":
        return BLOCK_HASH(body, node, "block.hash", None)
    declared = body.declared(base)
    if isinstance(declared, ContractDecl):
        if body.owner is not None and declared in body.whole.contract.linearisation:
            body.error(
                "CV212", node, f"{declared.name}.{function.attr} is not called by class", f"super().{function.attr}()"
            )
        else:
            body.error(
                "CV212", node, f"{declared.name} is a contract", "declare an Interface, and call that at an address"
            )
        return None
    if isinstance(declared, InterfaceDecl):
        help_ = f"write {declared.name}(address).{function.attr}(...)"
        body.error("CV212", node, f"{declared.name} is an interface: where is the contract?", help_)
        return None
    return _of_value(body, node, function)


def _of_self(body: Body, node: ast.Call, function: ast.Attribute) -> tree.Expression | None:
    contract = body.whole.contract
    declared = contract.methods.get(function.attr)
    if declared is None:
        if not contract.incomplete:
            near = difflib.get_close_matches(function.attr, contract.methods, 1)
            help_ = f"did you mean self.{near[0]}()?" if near else f"declare it: def {function.attr}(self, ...)"
            body.error("CV210", node, f"{contract.name} has no function {function.attr}", help_)
        return None
    if declared.kind not in (FunctionKind.INTERNAL, FunctionKind.EXTERNAL):
        body.error(
            "CV212", node, f"{function.attr} is not called by the contract itself", "move what both need to a function"
        )
        return None
    return internal(body, node, declared, f"self.{function.attr}")


def _of_super(body: Body, node: ast.Call, base: ast.Call, name: str) -> tree.Expression | None:
    """`super().f(...)`: the next one in the finished contract's order."""
    if body.owner is None or base.args or base.keywords:
        body.error("CV212", base, "super() takes nothing, and is for methods", "write super().name(...) in a method")
        return None
    declared = body.whole.contract.method_after(body.owner, name)
    if declared is None:
        if not body.whole.contract.incomplete:
            body.error(
                "CV210",
                node,
                f"no base of {body.owner.name} has {name}",
                f"write self.{name}(...) for a method of this class",
            )
        return None
    if name == "__init__" and not body.constructor:
        body.error("CV304", node, "super().__init__ is called in __init__ alone", "move the call there")
        return None
    return internal(body, node, declared, f"super().{name}")


def _from_hex(body: Body, node: ast.Call, base: ast.expr) -> tree.Expression | None:
    """`bytes32.fromhex("...")`."""
    type_ = SCALARS.get(body.language(base) or "")
    digits = node.args[0].value if len(node.args) == 1 and isinstance(node.args[0], ast.Constant) else None
    try:
        data = bytes.fromhex(digits) if isinstance(digits, str) else None
    except ValueError:
        data = None
    size = getattr(type_, "size", None if data is None else len(data))
    if type_ is None or type_ == STRING or data is None or size != len(data) or node.keywords:
        body.error(
            "CV202", node, "these are not the hexadecimal digits of such a value", "two digits a byte, in quotes"
        )
        return None
    return tree.Constant(data, type_, body.span(node))


def _of_value(body: Body, node: ast.Call, function: ast.Attribute) -> tree.Expression | None:
    """`.copy()`, `.append(x)`, `.pop()`, `.encode()`, `.decode()`."""
    found = remote.target(body, function.value)
    if found is None:
        return None
    if isinstance(found, remote.Target):
        return remote.call(body, node, found, function.attr)
    span, name = body.span(node), function.attr
    if name in ("copy", "pop", "encode", "decode") and (node.args or node.keywords):
        body.error("CV211", node, f"{name}() takes no arguments", "pop() takes the last item" if name == "pop" else "")
        return None
    match found.type, name:
        case String(), "encode":
            value = load(body, found, function.value)
            return None if value is None else tree.Convert(value, True, BYTES, span)
        case Bytes(), "decode":
            value = load(body, found, function.value)
            return None if value is None else tree.Convert(value, True, STRING, span)
        case List(item), "pop":
            place = place_of(body, found, function.value)
            return tree.Pop(place, item, span) if writable(body, place, node) else None
        case List(), "append":
            body.error("CV218", node, "append gives no value", "write it as a line of its own")
            return None
        case _, "copy":
            value = load(body, found, function.value)
            return None if value is None else copied(body, node, value)
        case type_, _:
            known = {"List": "append(x), pop(), copy()", "String": "encode()", "Bytes": "decode()"}
            help_ = known.get(type(type_).__name__, "")
            body.error("CV210", node, f"{type_} has no {name}()", f"there is {help_}" if help_ else "")
    return None


def append(body: Body, node: ast.Call) -> tuple[tree.Place, tree.Expression] | None:
    """The place and the value of `xs.append(x)`; None: said."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return None
    found = access(body, function.value)
    if found is None:
        return None
    if not isinstance(found.type, List):
        body.error("CV210", node, f"{found.type} has no append()", "it is for lists")
        return None
    if len(node.args) != 1 or node.keywords or isinstance(node.args[0], ast.Starred):
        body.error("CV211", node, "append takes one value", "write a line for each")
        return None
    place, value = place_of(body, found, function.value), body.typed(node.args[0], found.type.item)
    return (place, value) if value is not None and writable(body, place, node) else None
