"""Names, attributes and subscripts: places that can be read and written, and values that have no place.

Source: docs/language.md, "Types", "Fields", "The surroundings". Never: decides whether a place may be written
(`targets`), or whether what it holds may be kept (`aliases`).
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from sdk.compiler import tree
from sdk.compiler.check.body import Body
from sdk.compiler.check.conversions import value_of
from sdk.compiler.check.numbers import number
from sdk.compiler.check.whole import is_constant
from sdk.compiler.front.declared import (
    ConstDecl,
    ContractDecl,
    EnumDecl,
    FunctionDecl,
    InterfaceDecl,
    LanguageName,
    Unresolved,
)
from sdk.compiler.front.language import unknown_name
from sdk.compiler.symbols import Span
from sdk.compiler.types import (
    ADDRESS,
    BYTES,
    BYTES4,
    BYTES32,
    U64,
    U256,
    Address,
    Array,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    List,
    Map,
    Remote,
    String,
    Struct,
    Tuple,
    Type,
)

Found: TypeAlias = tree.Place | tree.Expression | None
PLACES = (tree.LocalPlace, tree.FieldPlace, tree.ValuePlace, tree.EntryPlace, tree.IndexPlace, tree.MemberPlace)

FACTS: Mapping[str, Type] = MappingProxyType(
    {
        "msg.sender": ADDRESS,
        "msg.value": U256,
        "msg.data": BYTES,
        "msg.sig": BYTES4,
        "msg.gas": U64,
        "tx.origin": ADDRESS,
        "tx.gas_price": U256,
        "block.number": U64,
        "block.timestamp": U64,
        "block.coinbase": ADDRESS,
        "block.base_fee": U256,
        "chain.id": U64,
    }
)

OF_ADDRESS: Mapping[str, Type] = MappingProxyType(
    {"balance": U256, "code_size": U64, "code_hash": BYTES32, "code": BYTES}
)

CONSTANTS: Mapping[str, tuple[int | bytes, Type]] = MappingProxyType(
    {
        "ETHER": (10**18, U256),
        "GWEI": (10**9, U256),
        "MINUTES": (60, U64),
        "HOURS": (3600, U64),
        "DAYS": (86400, U64),
        "ZERO_ADDRESS": (bytes(20), ADDRESS),
        "ZERO_BYTES32": (bytes(32), BYTES32),
    }
)

LARGEST_INDEX = (1 << 64) - 1


def access(body: Body, node: ast.expr) -> Found:
    """What an expression denotes: a place where there is one, otherwise the value. None: said."""
    match node:
        case ast.Name():
            return _name(body, node)
        case ast.Attribute():
            return _attribute(body, node)
        case ast.Subscript():
            return _subscript(body, node)
    return body.expression(node)


def load(body: Body, found: Found, node: ast.expr) -> tree.Expression | None:
    """The value of what was found; a map has none."""
    if found is None or not isinstance(found, PLACES):
        return found
    if isinstance(found.type, Map):
        body.error("CV307", node, "a Map is no value", "read one of its entries, ask `key in m`, or loop over it")
        return None
    return tree.Load(found, found.type, body.span(node))


def place_of(body: Body, found: tree.Place | tree.Expression, node: ast.expr) -> tree.Place:
    """A place in any case: a value that has none is its own."""
    if isinstance(found, PLACES):
        return found
    return tree.ValuePlace(found, found.type, body.span(node))


def _name(body: Body, node: ast.Name) -> Found:
    span = body.span(node)
    variable = body.variables.get(node.id)
    if variable is not None:
        if variable.local is None:
            return None
        if node.id not in body.assigned:
            body.error("CV205", node, f"{node.id} may have no value yet", "give it one on every way that leads here")
            body.assigned.add(node.id)
        return tree.LocalPlace(variable.local, variable.local.type, span)
    if node.id in body.past:
        body.error("CV204", node, f"{node.id} is only there in its loop", "keep it in a variable of its own")
        return None
    if node.id in body.stored:
        body.error("CV205", node, f"{node.id} may have no value yet", "give it one on every way that leads here")
        return None
    own = None if body.within is None else body.within.own_fields.get(node.id)
    if own is not None and own.value is not None and (own.node.end_lineno or 0) < node.lineno:
        return at(body.whole.constant(own), span)
    match body.module.scope.get(node.id):
        case ConstDecl() as declared:
            return at(body.whole.constant(declared), span)
        case LanguageName(name) if name in CONSTANTS:
            value, type_ = CONSTANTS[name]
            return tree.Constant(value, type_, span)
        case None if body.is_self(node):
            body.error("CV218", node, "self is no value", "write self.address for the contract's address")
        case None if own is not None and own.value is not None:
            help_ = f"declare {node.id} above this line"
            body.error("CV137", node, f"{node.id} is used before it is declared", help_)
        case None:
            known = [*body.variables, *body.module.scope]
            help_ = unknown_name(node.id, known)
            if body.owner is not None and (
                node.id in body.whole.contract.fields or node.id in body.whole.contract.methods
            ):
                help_ = f"write self.{node.id}"
            body.error("CV204", node, f"{node.id} is not known", help_)
        case Unresolved():
            pass
        case FunctionDecl():
            body.error("CV218", node, f"{node.id} is a function, not a value", f"call it: {node.id}(...)")
        case LanguageName("msg" | "block" | "tx" | "chain" as name):
            names = [fact for fact in FACTS if fact.startswith(name + ".")]
            body.error("CV218", node, f"{name} is no value", f"it has {', '.join(names)}")
        case _:
            body.error("CV218", node, f"{node.id} is not a value", "it is a name for annotations or calls")
    return None


def at(value: tree.Expression | None, span: Span) -> tree.Expression | None:
    """A constant's value, in the place where it is used."""
    match value:
        case tree.Constant(inner, type_):
            return tree.Constant(inner, type_, span)
    return value


def _attribute(body: Body, node: ast.Attribute) -> Found:
    span, inner = body.span(node), node.value
    if body.is_self(inner):
        return _of_self(body, node)
    match body.declared(inner):
        case LanguageName("msg" | "block" | "tx" | "chain" as name):
            fact = f"{name}.{node.attr}"
            if fact in FACTS:
                return tree.Builtin(fact, (), True, FACTS[fact], span)
            known = [known for known in FACTS if known.startswith(name + ".")]
            if name == "block":
                known.append("block.hash(number)")
            body.error("CV210", node, f"there is no {fact}", f"there is {', '.join(known)}")
            return None
        case EnumDecl(type=type_):
            found = dict(type_.members).get(node.attr)
            if found is None:
                body.error("CV210", node, f"{type_} has no member {node.attr}", _near(dict(type_.members)))
                return None
            return tree.Constant(found, type_, span)
        case ContractDecl() as other:
            return _of_contract(body, node, other)
        case InterfaceDecl(name=name):
            body.error(
                "CV218", node, f"{name}.{node.attr} is no value", f"call it at an address: {name}(a).{node.attr}()"
            )
            return None
    base = access(body, inner)
    return None if base is None else _member(body, node, base)


def _of_contract(body: Body, node: ast.Attribute, other: ContractDecl) -> Found:
    if node.attr == "code":
        if other is body.whole.contract:
            body.error("CV218", node, f"{other.name} cannot contain its own code", "deploy it from another contract")
            return None
        return tree.CodeOf(other.name, other.module.source.path, BYTES, body.span(node))
    body.error(
        "CV218",
        node,
        f"{other.name}.{node.attr} is no value",
        f"{other.name}.code is what deploys it; self.{node.attr} is the contract's own",
    )
    return None


def _of_self(body: Body, node: ast.Attribute) -> Found:
    span, name = body.span(node), node.attr
    declared = body.whole.storage(name)
    if declared is not None:
        if is_constant(declared):
            return at(body.whole.constant(declared), span)
        symbol = declared.symbol
        return None if symbol is None else tree.FieldPlace(symbol, symbol.type, span)
    if name == "address":
        return tree.Builtin("self.address", (), True, ADDRESS, span)
    if name == "balance":
        return tree.Builtin("self.balance", (), True, U256, span)
    contract = body.whole.contract
    if name in contract.methods:
        body.error("CV218", node, f"self.{name} is a function, not a value", f"call it: self.{name}(...)")
    elif not contract.incomplete:
        body.error("CV210", node, f"{contract.name} has no field {name}", _near_field(name, contract.fields))
    return None


def _near_field(name: str, fields: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(fields), 1)
    return f"did you mean self.{near[0]}?" if near else f"declare it in the class: {name}: u256, or what it is"


def _member(body: Body, node: ast.Attribute, base: tree.Place | tree.Expression) -> Found:
    span, name = body.span(node), node.attr
    match base.type:
        case Struct(members=members) as struct:
            position = struct.index(name)
            if position is not None:
                return tree.MemberPlace(place_of(body, base, node.value), position, members[position].type, span)
            body.error("CV210", node, f"{struct} has no field {name}", _near([m.name for m in members]))
            return None
        case Address() if name in OF_ADDRESS:
            value = load(body, base, node.value)
            return None if value is None else tree.Builtin(name, (value,), True, OF_ADDRESS[name], span)
        case Remote() if name == "address":
            value = load(body, base, node.value)
            return None if value is None else tree.Convert(value, True, ADDRESS, span)
        case Enum() if name == "value":
            value = load(body, base, node.value)
            return None if value is None else value_of(value, span)
        case Address():
            body.error("CV210", node, f"an Address has no {name}", _near(OF_ADDRESS))
        case Remote(interface):
            body.error("CV210", node, f"{interface} has no {name} to read", f"call it: .{name}(...)")
        case other:
            body.error(
                "CV210",
                node,
                f"{other} has no {name}",
                "members are those of structs, addresses and enums: docs/language.md",
            )
    return None


def _near(names: object) -> str:
    return f"there is {', '.join(map(str, names))}" if names else ""  # type: ignore[call-overload]


def _subscript(body: Body, node: ast.Subscript) -> Found:
    base = access(body, node.value)
    if base is None:
        return None
    if isinstance(node.slice, ast.Slice):
        return _slice(body, node, node.slice, base)
    span = body.span(node)
    match base.type:
        case Map(key, value):
            entry = body.typed(node.slice, key)
            return None if entry is None else tree.EntryPlace(place_of(body, base, node), entry, value, span)
        case List(item) | Array(item):
            length = base.type.length if isinstance(base.type, Array) else None
            index = index_of(body, node.slice, length)
            if index is None:
                return None
            return tree.IndexPlace(place_of(body, base, node.value), index, item, span)
        case Tuple(items):
            return _item(body, node, base, items)
        case Bytes() | FixedBytes():
            length = base.type.size if isinstance(base.type, FixedBytes) else None
            index, whole = index_of(body, node.slice, length), load(body, base, node.value)
            return None if index is None or whole is None else tree.ByteAt(whole, index, Int(8), span)
        case String():
            _no_characters(body, node)
        case other:
            body.error("CV215", node, f"{other} has no items", "maps, lists, arrays, tuples, Bytes and bytesN have")
    return None


def _no_characters(body: Body, node: ast.expr) -> None:
    body.error(
        "CV215",
        node,
        "a String has no length, index or slice: nobody agrees on what a character is",
        "take its bytes: .encode()",
    )


def _item(body: Body, node: ast.Subscript, base: tree.Place | tree.Expression, items: tuple[Type, ...]) -> Found:
    position, value = number(body, node.slice), load(body, base, node.value)
    if value is None:
        return None
    if position is None or not 0 <= position < len(items):
        body.error("CV215", node.slice, f"this tuple's items are 0 to {len(items) - 1}", "the index is a literal")
        return None
    return tree.Item(value, position, items[position], body.span(node))


def index_of(body: Body, node: ast.expr, length: int | None = None) -> tree.Expression | None:
    """An index as a u64; one that is larger is the largest, which no list reaches."""
    literal = number(body, node)
    if literal is not None:
        if literal < 0:
            body.error("CV215", node, "an index is not negative", "count from the end: xs[len(xs) - 1]")
            return None
        if literal >= (LARGEST_INDEX if length is None else length):
            there = "no list is so long" if length is None else f"there are {length} items, from 0"
            body.error("CV215", node, f"the index is outside: {there}", "write a smaller one")
            return None
        return tree.Constant(literal, U64, body.span(node))
    value = body.expression(node, U64)
    if value is None:
        return None
    if not isinstance(value.type, Int) or value.type.signed:
        body.error("CV215", node, f"an index is an unsigned integer, this is {value.type}", "u64(...) converts")
        return None
    return as_index(value)


def as_index(value: tree.Expression) -> tree.Expression:
    """An unsigned integer as a u64, cut to the largest one."""
    span, type_ = value.span, value.type
    if type_ == U64:
        return value
    if isinstance(type_, Int) and type_.bits > 64:
        most = tree.Constant(LARGEST_INDEX, type_, span)
        return tree.Convert(tree.Builtin("min", (value, most), True, type_, span), False, U64, span)
    return tree.Convert(value, True, U64, span)


def _slice(body: Body, node: ast.Subscript, bounds: ast.Slice, base: tree.Place | tree.Expression) -> Found:
    span = body.span(node)
    match base.type:
        case String():
            _no_characters(body, node)
            return None
        case Bytes() | FixedBytes() | List() | Array():
            pass
        case other:
            body.error("CV215", node, f"{other} has no slices", "lists, arrays, Bytes and bytesN have")
            return None
    if bounds.step is not None:
        body.error("CV215", bounds.step, "a slice has no step", "write a loop: for i in range(start, stop, step)")
        return None
    start = None if bounds.lower is None else index_of(body, bounds.lower)
    stop = None if bounds.upper is None else index_of(body, bounds.upper)
    value = load(body, base, node.value)
    if value is None or (bounds.lower and start is None) or (bounds.upper and stop is None):
        return None
    match value.type:
        case FixedBytes():
            return tree.Slice(tree.Convert(value, True, BYTES, value.span), start, stop, BYTES, span)
        case Array(item):
            return tree.Slice(value, start, stop, List(item), span)
    return tree.Slice(value, start, stop, value.type, span)
