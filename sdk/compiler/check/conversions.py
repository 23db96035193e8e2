"""Conversions between types, written as calls of the type: which there are.

Source: docs/language.md, "Integers": conversions. Never: converts without being asked.
"""

from __future__ import annotations

import ast

from sdk.compiler import tree
from sdk.compiler.check.body import Body
from sdk.compiler.check.convertible import convertible
from sdk.compiler.check.numbers import number, octets
from sdk.compiler.symbols import Span
from sdk.compiler.types import (
    ADDRESS,
    BYTES,
    U8,
    Address,
    Bool,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    Remote,
    String,
    Type,
)

NO_ADDRESS = "write Address(0x...) with 40 digits, or Address(u160(x)) of a number"


def convert(body: Body, node: ast.Call, wanted: Type) -> tree.Expression | None:
    """`wanted(x)`."""
    span = body.span(node)
    if node.keywords or len(node.args) != 1 or isinstance(node.args[0], ast.Starred):
        body.error("CV211", node, f"{wanted}(...) takes one value, by position", f"write {wanted}(x)")
        return None
    inner = node.args[0]
    value = number(body, inner)
    if value is not None:
        return _of_number(body, node, wanted, value)
    data = octets(inner)
    if data is not None and isinstance(wanted, FixedBytes | Bytes):
        return literal_bytes(body, node, data, wanted)
    found = body.expression(inner, wanted if isinstance(wanted, Int) else None)
    if found is None:
        return None
    if not convertible(found.type, wanted):
        body.error("CV213", node, f"{found.type} does not convert to {wanted}", _ways(found.type, wanted))
        return None
    return converted(found, wanted, body.checked, span)


def converted(value: tree.Expression, wanted: Type, checked: bool, span: Span) -> tree.Expression:
    """The conversion, in one or two steps; the value itself where there is nothing to do."""
    if value.type == wanted:
        return value
    if value.type == ADDRESS and wanted == Int(256):
        narrow = tree.Convert(value, checked, Int(160), span)
        return tree.Convert(narrow, checked, wanted, span)
    return tree.Convert(value, checked, wanted, span)


def _of_number(body: Body, node: ast.Call, wanted: Type, value: int) -> tree.Expression | None:
    span = body.span(node)
    match wanted:
        case Int():
            return literal_int(body, node, value, wanted)
        case Address():
            if 0 <= value < 1 << 160:
                return tree.Constant(value.to_bytes(20, "big"), wanted, span)
            body.error("CV202", node, "this is no address: one has 20 bytes, 40 hexadecimal digits", NO_ADDRESS)
        case Enum():
            if value in wanted.values:
                return tree.Constant(value, wanted, span)
            members = ", ".join(f"{name} = {number}" for name, number in wanted.members)
            body.error("CV202", node, f"{wanted} has no member {value}", members)
        case FixedBytes(size):
            if 0 <= value < 1 << 8 * size:
                return tree.Constant(value.to_bytes(size, "big"), wanted, span)
            body.error("CV202", node, f"{value} does not fit {wanted}", f"{wanted} holds {size} bytes")
        case Remote():
            if 0 <= value < 1 << 160:
                return tree.Convert(tree.Constant(value.to_bytes(20, "big"), ADDRESS, span), True, wanted, span)
            body.error("CV202", node, "this is no address: one has 20 bytes, 40 hexadecimal digits", NO_ADDRESS)
        case _:
            body.error("CV213", node, f"a number does not convert to {wanted}", _ways(Int(256), wanted))
    return None


def _ways(found: Type, wanted: Type) -> str:
    """What to write instead of a conversion that there is not."""
    match found, wanted:
        case (Bytes(), String()):
            return "write b.decode()"
        case (String(), Bytes() | FixedBytes()):
            return "write s.encode()"
        case (Enum(), Int()):
            return f"write {wanted}(x.value)"
        case (Remote(), _):
            return f"write {wanted}(x.address)"
        case (FixedBytes(size), Int(_, False)):
            return f"write {wanted}(u{8 * size}(x))"
        case (Int(bits, False), FixedBytes()):
            return f"write {wanted}(bytes{bits // 8}(x))"
        case (Int(_, False), Address()):
            return "write Address(u160(x))"
        case (Address(), Int()):
            return f"write {wanted}(u160(x))"
        case (FixedBytes() | Int(), Bool()):
            return "compare it: x != 0"
        case (_, Int() | Enum() | Address() | Remote() | FixedBytes() | Bytes() | String()):
            return "see docs/language.md, Conversions"
    return f"make a {wanted} of its parts"


def literal_int(body: Body, node: ast.expr, value: int, wanted: Int) -> tree.Constant | None:
    """A number as a value of an integer type."""
    if wanted.holds(value):
        return tree.Constant(value, wanted, body.span(node))
    shown = str(value) if abs(value) < 10**24 else f"a number of {value.bit_length()} bits"
    help_ = f"{wanted} holds {wanted.low} to {wanted.high}"
    if wanted.bits > 64:
        help_ = f"{wanted} holds {f'-(2**{wanted.bits - 1})' if wanted.signed else 0} to 2**" + (
            f"{wanted.bits - wanted.signed} - 1"
        )
    body.error("CV202", node, f"{shown} does not fit {wanted}", help_)
    return None


def literal_bytes(body: Body, node: ast.expr, data: bytes, hint: Type | None) -> tree.Constant | None:
    """A literal of bytes: of bytesN where that is wanted, and Bytes otherwise."""
    if not isinstance(hint, FixedBytes):
        return tree.Constant(data, BYTES, body.span(node))
    if len(data) == hint.size:
        return tree.Constant(data, hint, body.span(node))
    body.error("CV202", node, f"this has {len(data)} bytes, {hint} has {hint.size}", f"write just {hint.size} bytes")
    return None


def value_of(value: tree.Expression, span: Span) -> tree.Expression:
    """`color.value`."""
    return tree.Convert(value, True, U8, span)
