"""The functions of the language, one row each, by name.

Source: docs/language.md, "Functions of the language". Never: statements (`emit`, `range`), or calls that leave the
contract, which are `remote`'s.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from contractvm.crypto import keccak256
from sdk.compiler import tree
from sdk.compiler.check import remote
from sdk.compiler.check.arguments import Wanted, bind, plain
from sdk.compiler.check.body import Body
from sdk.compiler.check.conversions import literal_int
from sdk.compiler.check.numbers import number
from sdk.compiler.check.operators import common, untyped
from sdk.compiler.check.places import access, load
from sdk.compiler.front.declared import InterfaceDecl
from sdk.compiler.types import (
    ADDRESS,
    BOOL,
    BYTES,
    BYTES4,
    BYTES32,
    U8,
    U64,
    Array,
    Bytes,
    FixedBytes,
    Int,
    List,
    Map,
    String,
    Struct,
    Tuple,
    Type,
    storable,
)

FORMS = "docs/language.md, Functions of the language, has what each takes"

Row: TypeAlias = Callable[[Body, ast.Call, str, Type | None], tree.Expression | None]


def call_language(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    """A call of one of the language's names."""
    row = ROWS.get(name)
    if row is not None:
        return row(body, node, name, hint)
    help_ = {
        "emit": "emit gives no value: write it as a line of its own",
        "range": "range is for loops: for i in range(n)",
        "enumerate": "enumerate is for loops: for i, x in enumerate(xs)",
        "unchecked": "write with unchecked():",
        "Revert": 'write raise Revert("reason")',
        "super": "write super().f()",
    }
    body.error("CV212", node, f"{name} cannot be called here", help_.get(name, FORMS))
    return None


def _arguments(body: Body, node: ast.Call, name: str, low: int, high: int) -> bool:
    """Whether so many arguments are given, by position. Says why not."""
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
        body.error("CV211", node, f"{name} takes its arguments by position", "leave the names out")
        return False
    if low <= len(node.args) <= high:
        return True
    count = str(low) if low == high else f"{low} or more" if high > 9 else f"{low} to {high}"
    body.error("CV211", node, f"{name} takes {count} arguments, {len(node.args)} are given", FORMS)
    return False


def _len(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 1, 1):
        return None
    found = access(body, node.args[0])
    if found is None:
        return None
    span = body.span(node)
    match found.type:
        case FixedBytes():
            value = load(body, found, node.args[0])
            return None if value is None else tree.Length(tree.Convert(value, True, BYTES, span), U64, span)
        case Array(length=length) if isinstance(found, tree.LocalPlace | tree.FieldPlace):
            return tree.Constant(length, U64, span)
        case List() | Array():
            return tree.Length(found, U64, span)
        case Bytes():
            return tree.Length(found, U64, span)
        case Map():
            body.error("CV307", node, "a Map has no length", "count in a field of its own")
        case String():
            help_ = "take its bytes: len(s.encode())"
            body.error("CV215", node, "a String has no length: nobody agrees on what a character is", help_)
        case other:
            body.error("CV206", node, f"{other} has no length", "bytesN, Bytes, lists and arrays have one")
    return None


def _least(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    """`min`, `max`."""
    if not _arguments(body, node, name, 1, 1 << 16):
        return None
    if len(node.args) == 1:
        return _of_list(body, node, name, hint)
    values = common(body, node.args, hint)
    if values is None or not _integers(body, node, name, values[0].type):
        return None
    return tree.Builtin(name, tuple(values), True, values[0].type, body.span(node))


def _integers(body: Body, node: ast.expr, name: str, type_: Type) -> bool:
    if isinstance(type_, Int):
        return True
    body.error(
        "CV206", node, f"{name} is for integers, this is {type_}", "numbers of one integer type can be compared so"
    )
    return False


def _of_list(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    """`sum(xs)`, `min(xs)`, `max(xs)`."""
    if not _arguments(body, node, name, 1, 1):
        return None
    value = body.expression(node.args[0], List(hint) if hint is not None else None)
    if value is None:
        return None
    if not isinstance(value.type, List | Array):
        help_ = "give it two values, or a list" if name != "sum" else "add numbers with +"
        body.error("CV206", node, f"{name} of one value needs a list or an array, this is {value.type}", help_)
        return None
    item = value.type.item
    checked = body.checked or name != "sum"
    return tree.Builtin(name, (value,), checked, item, body.span(node)) if _integers(body, node, name, item) else None


def _abs(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 1, 1):
        return None
    literal = number(body, node.args[0])
    if literal is not None and isinstance(hint, Int):
        return literal_int(body, node, abs(literal), hint)
    value = body.expression(node.args[0], hint)
    if value is None:
        return None
    if not isinstance(value.type, Int) or not value.type.signed:
        body.error(
            "CV206",
            node,
            f"abs is for signed integers, this is {value.type}",
            "leave it out, or convert the value: i256(x)",
        )
        return None
    return tree.Builtin("abs", (value,), body.checked, value.type, body.span(node))


def _pow(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 2, 3):
        return None
    if len(node.args) == 2:
        same = ast.copy_location(ast.BinOp(node.args[0], ast.Pow(), node.args[1]), node)
        return body.expression(same, hint)
    pair = common(body, [node.args[0], node.args[2]], hint)
    literal = number(body, node.args[1])
    exponent: tree.Expression | None
    if literal is None:
        exponent = body.expression(node.args[1], U64 if untyped(body, node.args[1]) else None)
    else:
        exponent = literal_int(body, node.args[1], literal, U64 if U64.holds(literal) else Int(256))
    if pair is None or exponent is None:
        return None
    for argument, value in zip(node.args, (pair[0], exponent, pair[1]), strict=True):
        if not isinstance(value.type, Int) or value.type.signed:
            body.error(
                "CV206",
                argument,
                f"pow modulo is for unsigned integers, this is {value.type}",
                "convert it first: u256(x)",
            )
            return None
    return tree.Builtin("pow_mod", (pair[0], exponent, pair[1]), True, pair[0].type, body.span(node))


def _end(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 1, 1):
        return None
    type_ = body.type(node.args[0])
    if type_ is None or not _integers(body, node, name, type_) or not isinstance(type_, Int):
        return None
    return tree.Constant(type_.high if name == "max_value" else type_.low, type_, body.span(node))


def _hash(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 1, 1):
        return None
    value = body.expression(node.args[0])
    if value is None:
        return None
    if isinstance(value.type, FixedBytes):
        value = tree.Convert(value, True, BYTES, value.span)
    if value.type != BYTES:
        help_ = "write .encode() behind it" if value.type == String() else "take its bytes: abi_encode(x)"
        body.error("CV201", node.args[0], f"{name} hashes Bytes or bytesN, this is {value.type}", help_)
        return None
    return tree.Builtin(name, (value,), True, FixedBytes(20) if name == "ripemd160" else BYTES32, body.span(node))


def _fixed(wanted: tuple[Wanted, ...], returns: Type, builtin: str = "") -> Row:
    """A row for a function whose parameters have one type each."""

    def row(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
        if not _arguments(body, node, name, len(wanted), len(wanted)):
            return None
        bound = bind(body, node, name, wanted)
        return None if bound is None else tree.Builtin(builtin or name, plain(bound), True, returns, body.span(node))

    return row


def _encode(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 0, 1 << 16):
        return None
    values = [body.expression(argument) for argument in node.args]
    known = tuple(value for value in values if value is not None)
    if len(known) != len(values):
        return None
    packed = name == "encode_packed"
    for argument, value in zip(node.args, known, strict=True):
        if not storable(value.type) or (packed and not _packs(value.type)):
            body.error("CV405", argument, f"{value.type} has no packed encoding", "use abi_encode, or encode its parts")
            return None
    return tree.Encode(known, packed, None, BYTES, body.span(node))


def _packs(type_: Type) -> bool:
    match type_:
        case List(item) | Array(item):
            return not isinstance(item, Struct | Tuple | List | Array | Bytes | String)
    return not isinstance(type_, Struct | Tuple)


def _decode(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 2, 2):
        return None
    data, type_ = body.typed(node.args[0], BYTES), body.type(node.args[1])
    return None if data is None or type_ is None else tree.Decode(data, type_, body.span(node))


def _encode_call(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not node.args:
        body.error(
            "CV211", node, "encode_call needs a function and its arguments", "encode_call(IToken.transfer, to, 1)"
        )
        return None
    function = remote.function_of(body, node.args[0])
    bound = None if function is None else remote.arguments(body, node, function, 1)
    if function is None or bound is None:
        return None
    chosen = keccak256(function.signature(bound.given()).encode())[:4]
    return tree.Encode(plain(bound), False, chosen, BYTES, body.span(node))


def _selector(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 1, 1):
        return None
    function = remote.function_of(body, node.args[0])
    if function is None:
        return None
    chosen = keccak256(function.signature(len(function.parameters)).encode())[:4]
    return tree.Constant(chosen, BYTES4, body.span(node))


def _interface_id(body: Body, node: ast.Call, name: str, hint: Type | None) -> tree.Expression | None:
    if not _arguments(body, node, name, 1, 1):
        return None
    declared = body.declared(node.args[0])
    if not isinstance(declared, InterfaceDecl):
        body.error("CV211", node, "interface_id needs an interface", "interface_id(IToken)")
        return None
    combined = 0
    for function in declared.functions.values():
        if function is None:
            return None
        for given in range(len(function.parameters) - function.defaults, len(function.parameters) + 1):
            combined ^= int.from_bytes(keccak256(function.signature(given).encode())[:4], "big")
    return tree.Constant(combined.to_bytes(4, "big"), BYTES4, body.span(node))


def _outside(made: Callable[[Body, ast.Call, str], tree.Expression | None]) -> Row:
    return lambda body, node, name, hint: made(body, node, name)


BLOCK_HASH: Row = _fixed((Wanted("number", U64),), BYTES32, "block_hash")

ROWS: Mapping[str, Row] = MappingProxyType(
    {
        "len": _len,
        "min": _least,
        "max": _least,
        "sum": _of_list,
        "abs": _abs,
        "pow": _pow,
        "max_value": _end,
        "min_value": _end,
        "keccak256": _hash,
        "sha256": _hash,
        "blake2b256": _hash,
        "ripemd160": _hash,
        "ecrecover": _fixed(
            (Wanted("digest", BYTES32), Wanted("v", U8), Wanted("r", BYTES32), Wanted("s", BYTES32)), ADDRESS
        ),
        "secp256k1_verify": _fixed((Wanted("digest", BYTES32), Wanted("signature", BYTES), Wanted("key", BYTES)), BOOL),
        "ed25519_verify": _fixed((Wanted("message", BYTES), Wanted("signature", BYTES), Wanted("key", BYTES32)), BOOL),
        "abi_encode": _encode,
        "encode_packed": _encode,
        "abi_decode": _decode,
        "encode_call": _encode_call,
        "selector": _selector,
        "interface_id": _interface_id,
        "try_call": lambda body, node, name, hint: remote.try_call(body, node),
        "send": _outside(remote.send),
        "try_send": _outside(remote.send),
        "create": _outside(remote.create),
        "create2": _outside(remote.create),
        **dict.fromkeys(
            [f"{prefix}raw_{kind}call" for prefix in ("", "try_") for kind in ("", "static_", "delegate_")],
            _outside(remote.raw),
        ),
    }
)
