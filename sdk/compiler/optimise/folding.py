"""Calculates what is constant: operators, comparisons, conversions, hashes, choices whose test is known.

What would revert is left to revert when it runs. Source: docs/language.md, "Integers", "Conversions".
Never: drops an expression that may revert or change something.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from contractvm import crypto
from sdk.compiler import tree
from sdk.compiler.optimise.rewrite import Node, bottom_up
from sdk.compiler.types import (
    BOOL,
    U64,
    Address,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    String,
    Type,
)

ORDER: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "eq": operator.eq,
        "ne": operator.ne,
        "lt": operator.lt,
        "le": operator.le,
        "gt": operator.gt,
        "ge": operator.ge,
    }
)
HASHES: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "keccak256": crypto.keccak256,
        "sha256": crypto.sha256,
        "ripemd160": crypto.ripemd160,
        "blake2b256": crypto.blake2b256,
    }
)
LONGEST = 1 << 12
"""Bytes that a folded constant may have."""


def fold(value: tree.Expression) -> tree.Expression:
    """An expression with everything constant in it calculated."""
    return bottom_up(value, folded)


def folded(node: Node) -> Node:
    """A node whose parts are folded already."""
    match node:
        case tree.Binary():
            return _binary(node)
        case tree.Unary(op, tree.Constant(value)):
            return _unary(node, op, value)
        case tree.Compare(op, tree.Constant(left), tree.Constant(right)):
            return tree.Constant(ORDER[op](left, right), BOOL, node.span)
        case tree.Logical(op, tree.Constant(left), right):
            return right if left is (op == "and") else tree.Constant(left, BOOL, node.span)
        case tree.Conditional(tree.Constant(test), then, otherwise):
            return then if test else otherwise
        case tree.Convert(tree.Constant() as inner):
            made = converted(inner.value, inner.type, node.type, node.checked)
            return node if made is None else tree.Constant(made, node.type, node.span)
        case tree.Builtin():
            return _builtin(node)
        case tree.Item(tree.MakeTuple(items), index) if all(isinstance(item, tree.Constant) for item in items):
            return items[index]
        case tree.Length(tree.Constant(bytes(data))):
            return tree.Constant(len(data), U64, node.span)
        case tree.ByteAt(tree.Constant(bytes(data)), tree.Constant(int(index))) if index < len(data):
            return tree.Constant(data[index], node.type, node.span)
        case tree.Slice(tree.Constant(bytes(data)), start, stop, type_):
            return _slice(node, data, start, stop, type_)
    return node


def _slice(
    node: tree.Slice, data: bytes, start: tree.Expression | None, stop: tree.Expression | None, type_: Type
) -> Node:
    ends = [part.value if isinstance(part, tree.Constant) else None for part in (start, stop)]
    if (start is not None and ends[0] is None) or (stop is not None and ends[1] is None):
        return node
    first, last = (None if end is None else int(end) for end in ends)
    return tree.Constant(data[first:last], type_, node.span)


def calculated(op: str, left: int, right: int, type_: Int, checked: bool) -> int | None:
    """What a binary operator gives; None where it reverts."""
    match op:
        case "floordiv" | "mod" if right == 0:
            return None
        case "floordiv":
            made = left // right
        case "mod":
            made = left % right
        case "pow":
            # wrapped powers of any exponent are powers modulo 2^bits; checked ones are bounded before they are made
            if not checked:
                made = pow(left, right, 1 << type_.bits)
            elif abs(left) > 1 and right > type_.bits:
                return None
            else:
                made = left**right if abs(left) > 1 or right < 2 else left ** (2 - right % 2)
        case "shl":
            made = left << right if right <= type_.bits else (0 if not checked or not left else type_.high + 1)
        case "shr":
            return left >> min(right, type_.bits)
        case _:
            made = {
                "add": operator.add,
                "sub": operator.sub,
                "mul": operator.mul,
                "and": operator.and_,
                "or": operator.or_,
                "xor": operator.xor,
            }[op](left, right)
    if type_.holds(made):
        return made
    return None if checked else wrapped(made, type_)


def wrapped(value: int, type_: Int) -> int:
    """The value modulo 2^bits, in the type's range."""
    value &= (1 << type_.bits) - 1
    return value - (1 << type_.bits) if value > type_.high else value


def _binary(node: tree.Binary) -> Node:
    left, right = node.left, node.right
    if not isinstance(left, tree.Constant) or not isinstance(right, tree.Constant):
        return node
    if isinstance(node.type, Int) and isinstance(left.value, int) and isinstance(right.value, int):
        made = calculated(node.op, left.value, right.value, node.type, node.checked)
        return node if made is None else tree.Constant(made, node.type, node.span)
    if isinstance(node.type, FixedBytes) and isinstance(left.value, bytes) and isinstance(right.value, bytes):
        one, other = int.from_bytes(left.value, "big"), int.from_bytes(right.value, "big")
        bits = {"and": one & other, "or": one | other, "xor": one ^ other}[node.op]
        return tree.Constant(bits.to_bytes(node.type.size, "big"), node.type, node.span)
    return node


def _unary(node: tree.Unary, op: str, value: int | bool | bytes) -> Node:
    if op == "not":
        return tree.Constant(not value, BOOL, node.span)
    if isinstance(value, bytes):
        return tree.Constant(bytes(255 - octet for octet in value), node.type, node.span)
    if not isinstance(node.type, Int):
        return node
    made = ~value if op == "invert" else -value
    if node.type.holds(made):
        return tree.Constant(made, node.type, node.span)
    return node if node.checked else tree.Constant(wrapped(made, node.type), node.type, node.span)


def converted(value: int | bool | bytes, found: Type, wanted: Type, checked: bool) -> int | bool | bytes | None:
    """What a conversion gives; None where it reverts, or where it is left to run."""
    match wanted:
        case Int():
            if isinstance(value, bytes):
                number = int.from_bytes(value, "big")
            else:
                number = int(value)
            if wanted.holds(number):
                return number
            return None if checked or isinstance(value, bytes) else wrapped(number, wanted)
        case Enum() if isinstance(value, int):
            return value if value in wanted.values else None
        case FixedBytes(size) if isinstance(value, bytes):
            if isinstance(found, Bytes):
                return value if len(value) == size else None
            return value[:size].ljust(size, b"\0")
        case FixedBytes(size) if isinstance(value, int) and 0 <= value < 1 << 8 * size:
            return value.to_bytes(size, "big")
        case Address():
            return value.to_bytes(20, "big") if isinstance(value, int) else value
        case Bytes() | String() if isinstance(value, bytes):
            return value
    return None


def _builtin(node: tree.Builtin) -> Node:
    """Functions of constants, and texts that are joined."""
    if node.name == "concat":
        return _joined(node)
    values = [argument.value for argument in node.arguments if isinstance(argument, tree.Constant)]
    if len(values) != len(node.arguments) or not values:
        return node
    span, type_ = node.span, node.type
    if node.name in HASHES and isinstance(values[0], bytes):
        return tree.Constant(HASHES[node.name](values[0]), type_, span)
    if node.name in ("min", "max") and len(values) > 1:
        numbers = [int(value) for value in values if isinstance(value, int)]
        return tree.Constant(min(numbers) if node.name == "min" else max(numbers), type_, span)
    if node.name == "abs" and isinstance(values[0], int) and isinstance(type_, Int) and type_.holds(abs(values[0])):
        return tree.Constant(abs(values[0]), type_, span)
    if node.name == "pow_mod":
        base, exponent, modulus = (int(value) for value in values if isinstance(value, int))
        return tree.Constant(pow(base, exponent, modulus), type_, span) if modulus else node
    return node


def _joined(node: tree.Builtin) -> Node:
    """Neighbours that are constant become one; one part alone is the whole."""
    parts: list[tree.Expression] = []
    for part in node.arguments:
        before = parts[-1] if parts else None
        match before, part:
            case tree.Constant(bytes(one)), tree.Constant(bytes(other)) if len(one) + len(other) <= LONGEST:
                parts[-1] = tree.Constant(one + other, node.type, part.span)
            case _:
                parts.append(part)
    if len(parts) == 1 and parts[0].type == node.type:
        return parts[0]
    return (
        node
        if len(parts) == len(node.arguments)
        else tree.Builtin("concat", tuple(parts), node.checked, node.type, node.span)
    )
