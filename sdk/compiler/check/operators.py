"""Operators: arithmetic, joining, comparison, logic. Both sides have one type; literals take the other side's.

Source: docs/language.md, "Integers", "bool", "bytesN, Bytes, String". Never: mixes widths, or takes a
number for a bool.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType

from sdk.compiler import tree
from sdk.compiler.check.body import Body, conversion_help
from sdk.compiler.check.numbers import number, octets
from sdk.compiler.check.places import access
from sdk.compiler.symbols import Span
from sdk.compiler.types import (
    BOOL,
    BYTES,
    NOTHING,
    STRING,
    U64,
    U256,
    Address,
    Array,
    Bytes,
    FixedBytes,
    Int,
    List,
    Map,
    String,
    Type,
)

ARITHMETIC: Mapping[type[ast.operator], tuple[str, str]] = MappingProxyType(
    {
        ast.Add: ("add", "+"),
        ast.Sub: ("sub", "-"),
        ast.Mult: ("mul", "*"),
        ast.FloorDiv: ("floordiv", "//"),
        ast.Mod: ("mod", "%"),
        ast.Pow: ("pow", "**"),
        ast.LShift: ("shl", "<<"),
        ast.RShift: ("shr", ">>"),
        ast.BitAnd: ("and", "&"),
        ast.BitOr: ("or", "|"),
        ast.BitXor: ("xor", "^"),
    }
)
COMPARISONS: Mapping[type[ast.cmpop], tuple[str, str]] = MappingProxyType(
    {
        ast.Eq: ("eq", "=="),
        ast.NotEq: ("ne", "!="),
        ast.Lt: ("lt", "<"),
        ast.LtE: ("le", "<="),
        ast.Gt: ("gt", ">"),
        ast.GtE: ("ge", ">="),
    }
)
UNTYPED_CALLS = frozenset({"min", "max", "abs", "pow"})


def untyped(body: Body, node: ast.expr) -> bool:
    """Whether an expression has a type only by its context: it is made of literals alone."""
    if number(body, node) is not None:
        return True
    match node:
        case ast.IfExp(body=then, orelse=otherwise):
            return untyped(body, then) and untyped(body, otherwise)
        case ast.BinOp(left=left, op=ast.Pow() | ast.LShift() | ast.RShift()):
            return untyped(body, left)
        case ast.BinOp(left=left, right=right):
            return untyped(body, left) and untyped(body, right)
        case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=inner):
            return untyped(body, inner)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in UNTYPED_CALLS and body.language(node.func):
            return bool(arguments) and all(untyped(body, argument) for argument in arguments)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return any(untyped(body, item) for item in items)
        case ast.Constant(value=bytes()):
            return True
    return False


def common(body: Body, nodes: list[ast.expr], hint: Type | None) -> list[tree.Expression] | None:
    """Values that must have one type, in order; those of literals take that of the others, or `hint`."""
    first = next((i for i, node in enumerate(nodes) if not untyped(body, node)), 0)
    lead = body.expression(nodes[first], hint)
    values = [
        lead if i == first else body.expression(node, NOTHING if lead is None else lead.type)
        for i, node in enumerate(nodes)
    ]
    known = [value for value in values if value is not None]
    if len(known) != len(values) or lead is None:
        return None
    for node, value in zip(nodes, known, strict=True):
        if value.type != lead.type:
            mixed(body, node, lead.type, value.type)
            return None
    return known


def mixed(body: Body, node: ast.expr, one: Type, other: Type) -> None:
    """Say that two operands have two types."""
    help_ = conversion_help(one, other)
    widths = isinstance(one, Int) and isinstance(other, Int)
    body.error(
        "CV207", node, f"{one} and {other} do not mix" if widths else f"{one} and {other}: one type is needed", help_
    )


def binary(body: Body, node: ast.BinOp, hint: Type | None) -> tree.Expression | None:
    """`a + b` and its kin."""
    if type(node.op) not in ARITHMETIC:
        body.error("CV206", node, "there is no such operator", "// divides and rounds down")
        return None
    op, shown = ARITHMETIC[type(node.op)]
    if op == "mul" and isinstance(node.left, ast.List):
        return _repeated(body, node, node.left, hint)
    if op == "mul" and isinstance(node.left, ast.Constant) and isinstance(node.left.value, str | bytes):
        help_ = "a literal of bytes is, at most 65536 in all: b'\\0' * 32; join others with + in a loop"
        body.error("CV219", node, "this text is not repeated", help_)
        return None
    if op in ("pow", "shl", "shr"):
        return _shift(body, node, op, shown, hint)
    if op == "add" and (not untyped(body, node.left) or octets(node.left) is not None):
        return _sum(body, node, hint)
    values = common(body, [node.left, node.right], hint if isinstance(hint, Int | FixedBytes) else None)
    if values is None:
        return None
    left, right = values
    bits = op in ("and", "or", "xor")
    if not isinstance(left.type, Int) and not (bits and isinstance(left.type, FixedBytes)):
        _no_operator(body, node, shown, left.type)
        return None
    return tree.Binary(op, left, right, body.checked and not bits, left.type, body.span(node))


def _no_operator(body: Body, node: ast.expr, shown: str, type_: Type) -> None:
    help_ = "docs/language.md has the operators of each type"
    if type_ == BOOL:
        help_ = {"&": "write and", "|": "write or", "^": "write !="}.get(shown, help_)
    if isinstance(type_, List) and shown == "+":
        help_ = "append the items in a loop"
    body.error("CV206", node, f"{type_} has no {shown}", help_)


def _shift(body: Body, node: ast.BinOp, op: str, shown: str, hint: Type | None) -> tree.Expression | None:
    """The right side has a type of its own: any unsigned one."""
    left = body.expression(node.left, hint if isinstance(hint, Int) else None)
    literal = number(body, node.right)
    right: tree.Expression | None
    if literal is None:
        right = body.expression(node.right, U64 if untyped(body, node.right) else None)
    elif literal < 0 or literal >= 1 << 256:
        body.error("CV202", node.right, f"the right side of {shown} is an unsigned integer", "write a literal from 0")
        return None
    else:
        right = tree.Constant(literal, U64 if U64.holds(literal) else U256, body.span(node.right))
    if left is None or right is None:
        return None
    if not isinstance(left.type, Int):
        _no_operator(body, node, shown, left.type)
        return None
    if not isinstance(right.type, Int) or right.type.signed:
        body.error(
            "CV206",
            node.right,
            f"the right side of {shown} is an unsigned integer, this is {right.type}",
            "convert it: u256(x)",
        )
        return None
    return tree.Binary(op, left, right, body.checked and op != "shr", left.type, body.span(node))


def _sum(body: Body, node: ast.BinOp, hint: Type | None) -> tree.Expression | None:
    """`a + b` of numbers, or of bytes and text, which the left side tells."""
    left = body.expression(node.left, hint if isinstance(hint, Int) else None)
    joins = left is not None and isinstance(left.type, Bytes | String | FixedBytes)
    right = body.expression(node.right, NOTHING if left is None else None if joins else left.type)
    if left is None or right is None:
        return None
    if joins:
        known = left.arguments if isinstance(left, tree.Builtin) and left.name == "concat" else (left,)
        return _join(body, node, [*known, right])
    if left.type != right.type:
        mixed(body, node.right, left.type, right.type)
        return None
    if not isinstance(left.type, Int):
        _no_operator(body, node, "+", left.type)
        return None
    return tree.Binary("add", left, right, body.checked, left.type, body.span(node))


def _join(body: Body, node: ast.expr, parts: list[tree.Expression]) -> tree.Expression | None:
    """Bytes of Bytes and bytesN, or String of Strings."""
    text = isinstance(parts[0].type, String)
    for part in parts:
        fits = isinstance(part.type, String) if text else isinstance(part.type, Bytes | FixedBytes)
        if not fits:
            body.error(
                "CV207",
                part.span,
                f"{part.type} does not join {parts[0].type}",
                "text to bytes: .encode(); numbers to bytes: bytes32(u256(x))",
            )
            return None
    return tree.Builtin("concat", tuple(parts), True, STRING if text else BYTES, body.span(node))


def _repeated(body: Body, node: ast.BinOp, items: ast.List, hint: Type | None) -> tree.Expression | None:
    """`[x] * n`: n times a constant."""
    span, times = body.span(node), number(body, node.right)
    if times is None:
        right = body.expression(node.right, U64)
        if right is None:
            return None
        times = int(right.value) if isinstance(right, tree.Constant) and isinstance(right.type, Int) else None
    if len(items.elts) != 1 or times is None or not 0 <= times <= 1 << 16:
        body.error("CV219", node, "[x] * n needs one item, and a constant n up to 65536", "append in a loop")
        return None
    wanted = hint.item if isinstance(hint, List | Array) else None
    value = body.expression(items.elts[0], wanted) if wanted is None else body.typed(items.elts[0], wanted)
    if value is None:
        return None
    if not isinstance(value, tree.Constant):
        body.error("CV219", items.elts[0], "[x] * n needs a constant x", "append in a loop")
        return None
    if isinstance(hint, Array):
        if times != hint.length:
            body.error(
                "CV201",
                node,
                f"{hint} has {hint.length} items, these are {times}",
                f"write * {hint.length}, or use a List",
            )
            return None
        if not value.value or value.value == bytes(len(value.value) if isinstance(value.value, bytes) else 0):
            return tree.Default(hint, span)
        return tree.MakeList((value,) * times, hint, span)
    return tree.MakeList((value,) * times, List(value.type), span)


def unary(body: Body, node: ast.UnaryOp, hint: Type | None) -> tree.Expression | None:
    """`not x`, `-x`, `~x`."""
    span = body.span(node)
    if isinstance(node.op, ast.Not):
        value = condition(body, node.operand)
        return None if value is None else tree.Unary("not", value, True, BOOL, span)
    value = body.expression(node.operand, hint if isinstance(hint, Int | FixedBytes) else None)
    if value is None:
        return None
    match node.op, value.type:
        case ast.USub(), Int(_, True):
            return tree.Unary("neg", value, body.checked, value.type, span)
        case ast.Invert(), Int(_, True) | FixedBytes():
            return tree.Unary("invert", value, False, value.type, span)
        case ast.UAdd(), Int():
            return value
        case ast.Invert(), Int(bits) as type_:
            body.error("CV206", node, f"~ of {type_} would be another number than Python's", f"x ^ max_value(u{bits})")
        case ast.USub(), Int(bits) as type_:
            body.error("CV206", node, f"{type_} has no negative numbers", f"convert it first: i{bits}(x)")
        case _, other:
            shown = {ast.USub: "-", ast.Invert: "~", ast.UAdd: "+"}[type(node.op)]
            body.error("CV206", node, f"{other} has no {shown}", "docs/language.md has the operators of each type")
    return None


def condition(body: Body, node: ast.expr) -> tree.Expression | None:
    """A bool, where Python would take anything."""
    if number(body, node) is not None:
        body.error("CV208", node, "a bool is needed here, this is a number", "write True or False")
        return None
    value = body.expression(node, BOOL)
    if value is None or value.type == BOOL:
        return value
    match value.type:
        case Int():
            help_ = "write x != 0"
        case Bytes() | List():
            help_ = "write len(x) != 0"
        case String():
            help_ = 'write x != ""'
        case Address():
            help_ = "write x != ZERO_ADDRESS"
        case _:
            help_ = "compare it with something"
    body.error("CV208", node, f"a bool is needed here, this is {value.type}", help_)
    return None


def logical(body: Body, node: ast.BoolOp) -> tree.Expression | None:
    """`a and b`, `a or b or c`."""
    op = "and" if isinstance(node.op, ast.And) else "or"
    values = [condition(body, value) for value in node.values]
    known = [value for value in values if value is not None]
    return _balanced(op, known, body.span(node)) if len(known) == len(values) else None


def _balanced(op: str, values: list[tree.Expression], span: Span) -> tree.Expression:
    """Many values in a tree as low as can be: order and result are those of one after the other."""
    if len(values) == 1:
        return values[0]
    middle = len(values) // 2
    return tree.Logical(op, _balanced(op, values[:middle], span), _balanced(op, values[middle:], span), BOOL, span)


def conditional(body: Body, node: ast.IfExp, hint: Type | None) -> tree.Expression | None:
    """`a if test else b`."""
    test, values = condition(body, node.test), common(body, [node.body, node.orelse], hint)
    if test is None or values is None:
        return None
    return tree.Conditional(test, values[0], values[1], values[0].type, body.span(node))


def compare(body: Body, node: ast.Compare) -> tree.Expression | None:
    """`a < b`, `a < b < c`, `x in xs`."""
    span = body.span(node)
    if any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
        if len(node.ops) > 1:
            body.error("CV206", node, "in does not chain", "write it alone, with and")
            return None
        return _contains(body, node)
    nodes = [node.left, *node.comparators]
    exact = [number(body, operand) for operand in nodes]
    values = common(body, nodes, U256 if all(value is not None for value in exact) else None)
    if values is None:
        return None
    ops: list[str] = []
    for op in node.ops:
        if type(op) not in COMPARISONS:
            body.error("CV206", node, "there is no `is`: values have no identity", "write == or !=")
            return None
        name, shown = COMPARISONS[type(op)]
        if name not in ("eq", "ne") and not isinstance(values[0].type, Int | FixedBytes | Address):
            body.error("CV206", node, f"{values[0].type} has no order: no {shown}", "compare with == or !=")
            return None
        ops.append(name)
    if len(ops) == 1:
        return tree.Compare(ops[0], values[0], values[1], BOOL, span)
    return tree.Chain(values[0], tuple(zip(ops, values[1:], strict=True)), BOOL, span)


def _contains(body: Body, node: ast.Compare) -> tree.Expression | None:
    """`k in m`, `x in xs`, `x in [a, b]`, and `not in`."""
    span, right = body.span(node), node.comparators[0]
    of: tree.Expression | tree.Place | None
    key: tree.Expression | None
    if isinstance(right, ast.List | ast.Tuple):
        values = common(body, [node.left, *right.elts], None)
        if values is None:
            return None
        key = values[0]
        items = tuple(values[1:])
        if not items:
            return tree.Constant(isinstance(node.ops[0], ast.NotIn), BOOL, span)
        of = tree.MakeList(items, Array(key.type, len(items)), body.span(right))
    else:
        of = access(body, right)
        if of is None:
            return None
        key = _key(body, node.left, of, right)
        if key is None:
            return None
    found: tree.Expression = tree.Contains(key, of, BOOL, span)
    return tree.Unary("not", found, True, BOOL, span) if isinstance(node.ops[0], ast.NotIn) else found


def _key(body: Body, node: ast.expr, of: tree.Expression | tree.Place, right: ast.expr) -> tree.Expression | None:
    match of.type:
        case Map(_, Map()):
            body.error("CV307", right, "this map holds maps: it has no entries of its own", "ask one of the maps in it")
        case Map(key, _):
            return body.typed(node, key)
        case List(item) | Array(item):
            return body.typed(node, item)
        case Bytes() | String() | FixedBytes():
            body.error("CV206", right, f"there is no search in {of.type}", "write a loop over its bytes")
        case other:
            body.error("CV206", right, f"{other} has no `in`", "it is for maps, lists and arrays")
    return None
