"""Expressions: which construct is whose.

Source: docs/language.md, "Types" and "Functions of the language". Never: holds a rule that fits in another module.
"""

from __future__ import annotations

import ast

from sdk.compiler import tree
from sdk.compiler.check.body import Body
from sdk.compiler.check.calls import call
from sdk.compiler.check.conversions import literal_bytes, literal_int
from sdk.compiler.check.numbers import number, octets
from sdk.compiler.check.operators import binary, common, compare, conditional, logical, unary
from sdk.compiler.check.places import access, load
from sdk.compiler.types import (
    BOOL,
    NOTHING,
    STRING,
    Address,
    Array,
    Bytes,
    FixedBytes,
    Int,
    List,
    Nothing,
    Tuple,
    Type,
)


def expression(body: Body, node: ast.expr, hint: Type | None) -> tree.Expression | None:
    """The value of any expression; literals in it take `hint`. None: said."""
    value = number(body, node)
    if value is not None:
        return _number(body, node, value, hint)
    data = octets(node)
    if data is not None and not isinstance(node, ast.Call):
        return literal_bytes(body, node, data, hint)
    match node:
        case ast.Constant():
            return _constant(body, node, hint)
        case ast.Name() | ast.Attribute() | ast.Subscript():
            return load(body, access(body, node), node)
        case ast.Call():
            made = call(body, node, hint)
            if made is not None and made.type == NOTHING:
                body.error("CV218", node, "this gives no value", "call it on a line of its own")
                return None
            return made
        case ast.BinOp():
            return binary(body, node, hint)
        case ast.UnaryOp():
            return unary(body, node, hint)
        case ast.Compare():
            return compare(body, node)
        case ast.BoolOp():
            return logical(body, node)
        case ast.IfExp():
            return conditional(body, node, hint)
        case ast.Tuple():
            return _tuple(body, node, hint)
        case ast.List():
            return _list(body, node, hint)
    body.error("CV212", node, "this is no value of the language", "see docs/language.md")
    return None


def _number(body: Body, node: ast.expr, value: int, hint: Type | None) -> tree.Expression | None:
    match hint:
        case Int():
            return literal_int(body, node, value, hint)
        case Nothing():
            pass
        case None:
            body.error(
                "CV203",
                node,
                "nothing here says what type this number has",
                f"say it: x: u256 = {value}, or u256({value})" if abs(value) < 10**12 else "say it: u256(...)",
            )
        case Address():
            body.error("CV201", node, "Address is needed here, this is a number", "write Address(0x...)")
        case _:
            body.error("CV201", node, f"{hint} is needed here, this is a number", f"write a value of the type {hint}")
    return None


def _constant(body: Body, node: ast.Constant, hint: Type | None) -> tree.Expression | None:
    match node.value:
        case bool(value):
            return tree.Constant(value, BOOL, body.span(node))
        case str(text):
            if isinstance(hint, Bytes | FixedBytes):
                body.error("CV201", node, f"{hint} is needed here, this is text", f"write b{text!r}")
                return None
            try:
                return tree.Constant(text.encode(), STRING, body.span(node))
            except UnicodeEncodeError:
                body.error("CV202", node, "this text has no UTF-8", "write bytes: b'...'")
                return None
    body.error("CV212", node, "this is no value of the language", "see docs/language.md")
    return None


def _tuple(body: Body, node: ast.Tuple, hint: Type | None) -> tree.Expression | None:
    wanted: tuple[Type | None, ...] = (None,) * len(node.elts)
    if isinstance(hint, Tuple) and len(hint.items) == len(node.elts):
        wanted = hint.items
    if not node.elts:
        body.error(
            "CV212",
            node,
            "there is no empty tuple",
            "a function without a result is -> None; a tuple has one item or more",
        )
        return None
    values = [body.expression(item, type_) for item, type_ in zip(node.elts, wanted, strict=True)]
    items = tuple(value for value in values if value is not None)
    if len(items) != len(values):
        return None
    for item, value, type_ in zip(node.elts, items, wanted, strict=True):
        if type_ is not None and value.type != type_:
            body.mismatch(item, type_, value.type)
            return None
    return tree.MakeTuple(items, Tuple(tuple(item.type for item in items)), body.span(node))


def _list(body: Body, node: ast.List, hint: Type | None) -> tree.Expression | None:
    span = body.span(node)
    if isinstance(hint, List | Array):
        values = [body.typed(item, hint.item) for item in node.elts]
        items = tuple(value for value in values if value is not None)
        if len(items) != len(values):
            return None
        if isinstance(hint, Array) and hint.length != len(items):
            body.error(
                "CV201",
                node,
                f"{hint} has {hint.length} items, these are {len(items)}",
                f"write {hint.length}, or use a List",
            )
            return None
        return tree.MakeList(items, hint, span)
    if not node.elts:
        if hint == NOTHING:
            return None
        body.error("CV203", node, "nothing here says what type the items have", "say it: xs: List[u256] = []")
        return None
    known = common(body, node.elts, None)
    return None if known is None else tree.MakeList(tuple(known), List(known[0].type), span)
