"""Calculations of literals alone: exact, whatever their size, until their context gives them a type.

Source: docs/language.md, "Integers": literals. Never: knows a name; a `Const` has a type and is no literal.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType

from sdk.compiler.check.body import Body

BITS = 4096
"""What a literal's size is held to on the way, so that `2**2**40` is an error and not an hour."""

OPERATORS: Mapping[type[ast.operator], Callable[[int, int], int]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.BitAnd: operator.and_,
        ast.BitOr: operator.or_,
        ast.BitXor: operator.xor,
    }
)


def number(body: Body, node: ast.expr) -> int | None:
    """The value of a calculation of integer literals, None for anything else."""
    match node:
        case ast.Constant(value=int(value)):
            return None if isinstance(value, bool) else value
        case ast.UnaryOp() | ast.BinOp():
            known = body.memo.numbers
            if node not in known:
                known[node] = _calculated(body, node)
            return known[node]
    return None


def _calculated(body: Body, node: ast.UnaryOp | ast.BinOp) -> int | None:
    if isinstance(node, ast.UnaryOp):
        value = number(body, node.operand)
        if value is None:
            return None
        match node.op:
            case ast.USub():
                return -value
            case ast.UAdd():
                return value
            case ast.Invert():
                return ~value
        return None
    left = number(body, node.left)
    right = number(body, node.right) if left is not None else None
    if left is None or right is None:
        return None
    return _binary(body, node, left, right)


def _binary(body: Body, node: ast.BinOp, left: int, right: int) -> int | None:
    made: int | None = None
    match node.op:
        case ast.FloorDiv() | ast.Mod():
            if right:
                made = left // right if isinstance(node.op, ast.FloorDiv) else left % right
            else:
                body.error("CV223", node, "division by zero", "it would always revert: divide by another number")
        case ast.Pow() | ast.LShift() | ast.RShift() if right < 0:
            body.error("CV223", node, "the right side is negative", "exponents and shifts count from 0")
        case ast.Pow():
            if abs(left) < 2 or abs(left).bit_length() * right <= BITS:
                made = left**right
        case ast.LShift():
            if right <= BITS:
                made = left << right
        case ast.RShift():
            made = left >> min(right, 2 * BITS)
        case _:
            if type(node.op) in OPERATORS:
                made = OPERATORS[type(node.op)](left, right)
    if made is not None and made.bit_length() > BITS:
        made = None
    if made is None and isinstance(node.op, (ast.Pow, ast.LShift, ast.Mult)):
        body.error("CV202", node, "this number is larger than any type", "integers have up to 256 bits")
    # whatever was said above, the value is taken for 1 so that nothing more is said about it, as of a divisor
    return 1 if made is None and not isinstance(node.op, (ast.Div, ast.MatMult)) else made


def octets(node: ast.expr) -> bytes | None:
    """The value of a literal of bytes: `b"..."`, and `b"..." * n`; None for anything else."""
    match node:
        case ast.Constant(value=bytes(value)):
            return value
        case ast.BinOp(left=left, op=ast.Mult(), right=ast.Constant(value=int(times))):
            value = octets(left) or b""
            return value * times if octets(left) is not None and 0 <= times * len(value) <= 1 << 16 else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = octets(left), octets(right)
            return None if first is None or second is None else first + second
        case ast.Call(
            func=ast.Attribute(value=ast.Name(), attr="fromhex"), args=[ast.Constant(value=str(digits))], keywords=[]
        ):
            try:
                return bytes.fromhex(digits)
            except ValueError:
                return None
    return None
