"""What an expression gives, and which place it names.

Evaluation is from left to right; `and`, `or`, chains and conditionals look only at what they must. Follows
docs/language.md, "Types" and "The surroundings". Never: checks that a program is one of the language.
"""

from __future__ import annotations

import ast
from typing import Any

from tests.sdk.semantics import arithmetic
from tests.sdk.semantics.calls import call
from tests.sdk.semantics.frame import (
    EntryPlace,
    FieldPlace,
    Frame,
    ItemPlace,
    LocalPlace,
    MemberPlace,
    Place,
    ValuePlace,
    index_of,
    item,
)
from tests.sdk.semantics.values import (
    U8,
    U64,
    U256,
    Account,
    BytesLiteral,
    Fixed,
    IllTyped,
    ListT,
    Mapping,
    Member,
    Num,
    Record,
    Remote,
    Seq,
    coerce,
    copied,
    panic,
    plain,
    same,
)

CONSTANTS: dict[str, Any] = {
    "GWEI": Num(U256, 10**9),
    "ETHER": Num(U256, 10**18),
    "MINUTES": Num(U64, 60),
    "HOURS": Num(U64, 3600),
    "DAYS": Num(U64, 86_400),
    "ZERO_ADDRESS": Account(bytes(20)),
    "ZERO_BYTES32": Fixed(bytes(32)),
}


def evaluate(frame: Frame, node: ast.expr) -> Any:
    """The value of an expression. Raises: Reverted; IllTyped for what is not of the language."""
    match node:
        case ast.Constant(value=bytes() as value):
            return BytesLiteral(value)
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return named(frame, name)
        case ast.Tuple(elts=items):
            return tuple(evaluate(frame, one) for one in items)
        case ast.List(elts=items):
            return [evaluate(frame, one) for one in items]
        case ast.BinOp(left=ast.List(elts=[one]), op=ast.Mult(), right=times):
            return [copied(evaluate(frame, one)) for _ in range(plain(evaluate(frame, times)))]
        case ast.BinOp(left=left, op=op, right=right):
            first = evaluate(frame, left)
            return arithmetic.binary(type(op).__name__, first, evaluate(frame, right), frame.checked)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not truth(frame, operand)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return arithmetic.negative(evaluate(frame, operand), frame.checked)
        case ast.UnaryOp(op=ast.Invert(), operand=operand):
            return arithmetic.inverted(evaluate(frame, operand))
        case ast.BoolOp(op=ast.And(), values=values):
            return all(truth(frame, one) for one in values)
        case ast.BoolOp(values=values):
            return any(truth(frame, one) for one in values)
        case ast.Compare():
            return chain(frame, node)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return evaluate(frame, body if truth(frame, test) else orelse)
        case ast.Call():
            return call(frame, node, evaluate, place)
        case ast.Attribute():
            return attribute(frame, node)
        case ast.Subscript():
            return subscript(frame, node)
    raise IllTyped(ast.unparse(node))


def truth(frame: Frame, node: ast.expr) -> bool:
    value = evaluate(frame, node)
    if not isinstance(value, bool):
        raise IllTyped(f"{ast.unparse(node)} is no bool")
    return value


def named(frame: Frame, name: str) -> Any:
    if name in frame.values:
        return frame.values[name]
    own_class = frame.module.classes.get(frame.method.owner)
    if own_class is not None and name in own_class.fields and own_class.fields[name].value is not None:
        return own(frame, name)  # in another constant of the class, or a parameter's default
    if name in frame.module.constants:
        constant = frame.module.constants[name]
        assert constant.value is not None
        return coerce(evaluate(frame, constant.value), constant.type)
    if name in CONSTANTS:
        return CONSTANTS[name]
    raise IllTyped(f"{name} has no value")


def chain(frame: Frame, node: ast.Compare) -> bool:
    """`a < b < c`: stops at the first that is false."""
    left = evaluate(frame, node.left)
    for op, right in zip(node.ops, node.comparators, strict=True):
        other = evaluate(frame, right)
        name = type(op).__name__
        if name in ("In", "NotIn"):
            held = contains(left, other) == (name == "In")
        else:
            held = arithmetic.compared(name, left, other)
        if not held:
            return False
        left = other
    return True


def contains(value: Any, of: Any) -> bool:
    if isinstance(of, Mapping):
        return coerce(value, of.type.key) in of.entries
    return any(same(value, one) for one in (of.items if isinstance(of, Seq) else of))


def attribute(frame: Frame, node: ast.Attribute) -> Any:
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return own(frame, name)
        case ast.Attribute(value=ast.Name(id="msg" | "block" | "tx" | "chain" as base), attr=name):
            return fact(frame, f"{base}.{name}")
        case ast.Attribute(value=ast.Name(id=name), attr=member) if name in frame.module.enums:
            enum = frame.module.enums[name]
            return Member(enum, dict(enum.members)[member])
    value = evaluate(frame, node.value)
    match value:
        case Record():
            return value.values[node.attr]
        case Member(n=n) if node.attr == "value":
            return Num(U8, n)
        case Remote(data=data) if node.attr == "address":
            return Account(data)
        case Account(data) if node.attr == "balance":
            return Num(U256, frame.world.balances.get(data, 0))
        case Account(data) if node.attr == "code_size":
            return Num(U64, int(data in frame.world.instances))
    raise IllTyped(ast.unparse(node))


def own(frame: Frame, name: str) -> Any:
    """`self.name`."""
    if name == "address":
        return Account(frame.instance.address)
    if name == "balance":
        return Num(U256, frame.world.balances.get(frame.instance.address, 0))
    for cls in frame.instance.order:
        if name in cls.fields and "Const" in cls.fields[name].marks:
            value = cls.fields[name].value
            assert value is not None
            return coerce(evaluate(frame, value), cls.fields[name].type)
    return frame.instance.storage[name]


def fact(frame: Frame, name: str) -> Any:
    match name:
        case "msg.sender":
            return Account(frame.call.sender)
        case "msg.value":
            return Num(U256, frame.call.value)
        case "msg.data":
            return frame.call.data
        case "msg.sig":
            return Fixed(frame.call.data[:4].ljust(4, b"\0"))
        case "tx.origin":
            return Account(frame.call.origin)
        case "block.timestamp":
            return Num(U64, frame.world.timestamp)
        case "block.number":
            return Num(U64, frame.world.number)
    raise IllTyped(f"{name} is not emulated")


def subscript(frame: Frame, node: ast.Subscript) -> Any:
    of = evaluate(frame, node.value)
    if isinstance(node.slice, ast.Slice):
        return sliced(frame, of, node.slice)
    key = evaluate(frame, node.slice)
    match of:
        case Mapping():
            return EntryPlace(of, coerce(key, of.type.key)).get()
        case Seq() | list():
            return item(of, index_of(key))
        case tuple():
            return of[int(key)]
    data = arithmetic.raw(of)
    if index_of(key) >= len(data):
        raise panic(0x32)
    return Num(U8, data[index_of(key)])


def sliced(frame: Frame, of: Any, bounds: ast.Slice) -> Any:
    """Bounds are cut to the length; the result is new."""
    low = None if bounds.lower is None else index_of(evaluate(frame, bounds.lower))
    high = None if bounds.upper is None else index_of(evaluate(frame, bounds.upper))
    if isinstance(of, Seq):
        return Seq(ListT(of.type.item), [copied(one) for one in of.items[low:high]])
    return bytes(arithmetic.raw(of)[low:high])


def place(frame: Frame, node: ast.expr) -> Place:
    """What an expression names, to be written."""
    match node:
        case ast.Name(id=name):
            return LocalPlace(frame, name)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            field = next(cls.fields[name] for cls in frame.instance.order if name in cls.fields)
            frame.world.writes += 1
            return FieldPlace(frame.instance, name, field.type)
        case ast.Attribute(value=base, attr=name):
            return MemberPlace(place(frame, base), name)
        case ast.Subscript(value=base, slice=key):
            inner = place(frame, base)
            of = inner.get()
            value = evaluate(frame, key)
            if isinstance(of, Mapping):
                return EntryPlace(of, coerce(value, of.type.key))
            return ItemPlace(inner, index_of(value))
    return ValuePlace(evaluate(frame, node))
