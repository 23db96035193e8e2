"""What a call in the source means: functions of the language, conversions, records, methods, other contracts.

Follows docs/language.md, "Functions of the language", "Conversions" and "Other contracts". Never: gas.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import Any

from contractvm.crypto import (
    address_of,
    blake2b256,
    ed25519_verify,
    keccak256,
    recover,
    ripemd160,
    sha256,
    verify,
)
from tests.sdk.semantics import arithmetic, wire
from tests.sdk.semantics.abi import decoded, encoded, packed, reason
from tests.sdk.semantics.frame import Call, Frame, Place
from tests.sdk.semantics.source import Class, Method
from tests.sdk.semantics.values import (
    U64,
    Account,
    AddressT,
    Fixed,
    IllTyped,
    InterfaceT,
    IntT,
    NoneT,
    NotLetIn,
    Num,
    Record,
    Remote,
    Reverted,
    Seq,
    TupleT,
    coerce,
    copied,
    default,
    is_literal,
    panic,
    plain,
    type_of,
)

Evaluate = Callable[[Frame, ast.expr], Any]
HASHES = {"keccak256": keccak256, "sha256": sha256, "blake2b256": blake2b256, "ripemd160": ripemd160}


@dataclass
class Calling:
    """A contract elsewhere with what a call of it takes along."""

    remote: Remote
    value: int
    reentry: bool


def call(frame: Frame, node: ast.Call, evaluate: Evaluate, place: Callable[[Frame, ast.expr], Place]) -> Any:
    """Any call expression."""
    match node.func:
        case ast.Name(id=name):
            return named(frame, name, node, evaluate)
        case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
            method = frame.instance.method(name, frame.method.owner)
            return internal(frame, method, node, evaluate)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return internal(frame, frame.instance.method(name), node, evaluate)
        case ast.Attribute(value=ast.Name(id=name), attr="fromhex") if name.startswith("bytes"):
            return Fixed(bytes.fromhex(evaluate(frame, node.args[0])))
        case ast.Attribute(value=base, attr="append"):
            where = place(frame, base)
            items: Seq = where.get()
            items.items.append(coerce(evaluate(frame, node.args[0]), items.type.item))
            return where.set(items)
        case ast.Attribute(value=base, attr="pop"):
            where = place(frame, base)
            return popped(where)
        case ast.Attribute(value=base, attr=name):
            return method_of(frame, evaluate(frame, base), name, node, evaluate)
    raise IllTyped(ast.unparse(node))


def popped(where: Place) -> Any:
    items: Seq = where.get()
    if not items.items:
        raise panic(0x31)
    last = items.items.pop()
    where.set(items)
    return last


def arguments(frame: Frame, node: ast.Call, evaluate: Evaluate) -> tuple[list[Any], dict[str, Any]]:
    """Values by place and by name, worked out in the source's order."""
    given = [evaluate(frame, argument) for argument in node.args]
    return given, {keyword.arg or "": evaluate(frame, keyword.value) for keyword in node.keywords}


def internal(frame: Frame, method: Method | None, node: ast.Call, evaluate: Evaluate) -> Any:
    """A call of a function of this contract."""
    if method is None:
        raise IllTyped(ast.unparse(node))
    given, by_name = arguments(frame, node, evaluate)
    return frame.world.invoke(frame.instance, method, given, by_name, frame.call)


def named(frame: Frame, name: str, node: ast.Call, evaluate: Evaluate) -> Any:
    """`name(...)`."""
    module = frame.module
    if name in module.functions:
        return internal(frame, module.functions[name], node, evaluate)
    if name in SPECIAL:
        return special(frame, name, node, evaluate)
    given, by_name = arguments(frame, node, evaluate)
    if name in module.structs:
        values = bound(frame, module.classes[name], given, by_name, evaluate)
        return Record(module.structs[name], values)
    if name in BUILTINS:
        return BUILTINS[name](frame, given)
    if name.removeprefix("try_") in RAW:
        return raw(frame, name, given, by_name)
    type_ = module.named(name)
    if isinstance(type_, InterfaceT):
        return Remote(type_, given[0].data)
    if isinstance(type_, AddressT):
        return arithmetic.to_address(given[0])
    return arithmetic.converted(given[0], type_, frame.checked)


def bound(frame: Frame, cls: Class, given: list[Any], by_name: dict[str, Any], evaluate: Evaluate) -> dict[str, Any]:
    """Fields of a struct, an event or an error, in order."""
    fields = list(cls.fields.values())
    values = {one.name: value for one, value in zip(fields, given, strict=False)} | by_name
    for one in fields:
        if one.name not in values and one.value is not None:
            values[one.name] = evaluate(frame, one.value)
    return {one.name: coerce(values[one.name], one.type) for one in fields}


def method_of(frame: Frame, value: Any, name: str, node: ast.Call, evaluate: Evaluate) -> Any:
    """`value.name(...)`."""
    if isinstance(value, Remote) and name == "call":
        options = {one.arg: plain(evaluate(frame, one.value)) for one in node.keywords}
        return Calling(value, options.get("value", 0), options.get("reentry", False))
    if isinstance(value, (Remote, Calling)):
        return remote(frame, value, name, *arguments(frame, node, evaluate))
    match name:
        case "copy":
            return copied(value)
        case "encode":
            return value.encode(errors="surrogateescape")
        case "decode":
            return bytes(value).decode(errors="surrogateescape")
    raise IllTyped(ast.unparse(node))


def remote(frame: Frame, target: Remote | Calling, name: str, given: list[Any], by_name: dict[str, Any]) -> Any:
    """A call of another contract, by its interface."""
    where = target.remote if isinstance(target, Calling) else target
    value = target.value if isinstance(target, Calling) else 0
    method = frame.module.classes[where.type.name].methods[name]
    parameters = [one for one in method.node.args.args if one.arg != "self"]
    values = []
    for i, parameter in enumerate(parameters):
        assert parameter.annotation is not None
        one = given[i] if i < len(given) else by_name[parameter.arg]
        values.append(plain(coerce(one, method.module.type(parameter.annotation))))
    entry = wire.remote_entry(frame.module.classes[where.type.name], name, len(values))
    data = entry.selector + wire.outputs(TupleT(entry.types), values)
    message = Call(frame.instance.address, value, data, frame.call.origin)
    reentry = isinstance(target, Calling) and target.reentry
    kind = "static" if "view" in method.decorators else "call"
    answer = settled(frame, message, where.data, kind, reentry)
    return None if entry.returns == NoneT() else decoded(answer, entry.returns)


def special(frame: Frame, name: str, node: ast.Call, evaluate: Evaluate) -> Any:
    """Functions whose arguments are no values."""
    if name in ("max_value", "min_value"):
        type_ = frame.module.type(node.args[0])
        assert isinstance(type_, IntT)
        half = 1 << type_.bits - type_.signed
        return Num(type_, half - 1 if name == "max_value" else -half if type_.signed else 0)
    if name == "abi_decode":
        return decoded(plain(evaluate(frame, node.args[0])), frame.module.type(node.args[1]))
    if name == "try_call":
        return attempted(frame, node, evaluate)
    if name in ("encode_call", "selector"):
        function = node.args[0]
        assert isinstance(function, ast.Attribute)
        entry = wire.remote_entry(frame.module.classes[ast.unparse(function.value)], function.attr)
        values = [evaluate(frame, one) for one in node.args[1:]]
        fitting = [plain(coerce(one, type_)) for one, type_ in zip(values, entry.types, strict=name == "encode_call")]
        arguments_ = wire.outputs(TupleT(entry.types), fitting) if name == "encode_call" else b""
        return entry.selector + arguments_ if name == "encode_call" else Fixed(entry.selector)
    if name == "interface_id":
        methods = frame.module.classes[ast.unparse(node.args[0])].methods
        ids = [
            int.from_bytes(wire.remote_entry(frame.module.classes[ast.unparse(node.args[0])], one).selector)
            for one in methods
        ]
        return Fixed(reduce(xor, ids, 0).to_bytes(4, "big"))
    code = node.args[0]
    assert isinstance(code, ast.Attribute)
    given, by_name = arguments(frame, ast.Call(code, node.args[1:], node.keywords), evaluate)
    value = plain(by_name.get("value", 0))
    address = frame.world.create(ast.unparse(code.value), [plain(one) for one in given], frame.instance.address, value)
    return arithmetic.to_address(Fixed(address))


def attempted(frame: Frame, node: ast.Call, evaluate: Evaluate) -> Any:
    """`try_call(IToken(a).f, x)`."""
    function = node.args[0]
    assert isinstance(function, ast.Attribute)
    target = evaluate(frame, function.value)
    given, by_name = arguments(frame, ast.Call(function, node.args[1:], node.keywords), evaluate)
    where = target.remote if isinstance(target, Calling) else target
    returns = frame.module.classes[where.type.name].methods[function.attr].node.returns
    assert returns is not None
    type_ = frame.module.type(returns)
    try:
        result = remote(frame, target, function.attr, given, by_name)
    except Reverted:
        return False if type_ == NoneT() else (False, default(type_))
    return True if type_ == NoneT() else (True, result)


# Functions of the language, of values.


def of_one_type(values: list[Any]) -> list[Any]:
    """Literals among typed values take their type."""
    typed = [value for value in values if not is_literal(value)]
    return values if not typed else [coerce(value, type_of(typed[0])) for value in values]


def listed(given: list[Any]) -> list[Any]:
    """The numbers of `min`, `max` and `sum`: several arguments, or one list."""
    items = given[0].items if isinstance(given[0], Seq) else given[0] if isinstance(given[0], list) else given
    if not items:
        raise panic(0x32)
    return of_one_type(items)


def total(frame: Frame, given: list[Any]) -> Any:
    items: Seq = given[0]
    assert isinstance(items.type.item, IntT)
    result = Num(items.type.item, 0)
    for one in items.items:
        result = arithmetic.binary("Add", result, one, frame.checked)
    return result


def power(frame: Frame, given: list[Any]) -> Any:
    if len(given) == 2:
        return arithmetic.binary("Pow", given[0], given[1], frame.checked)
    base, modulus = of_one_type([given[0], given[2]])
    if plain(modulus) == 0:
        raise panic(0x12)
    return Num(base.type, pow(base.n, plain(given[1]), modulus.n))


def absolute(frame: Frame, given: list[Any]) -> Any:
    (value,) = given
    return abs(value) if isinstance(value, int) else arithmetic.fit(value.type, abs(value.n), frame.checked)


def length(frame: Frame, given: list[Any]) -> Num:
    (value,) = given
    if isinstance(value, str):
        raise IllTyped("len of a String")
    return Num(U64, len(value.items if isinstance(value, Seq) else value.data if isinstance(value, Fixed) else value))


def hashed(name: str) -> Callable[[Frame, list[Any]], Fixed]:
    return lambda frame, given: Fixed(HASHES[name](arithmetic.raw(given[0])))


SPECIAL = (
    "try_call",
    "abi_decode",
    "create",
    "create2",
    "max_value",
    "min_value",
    "encode_call",
    "selector",
    "interface_id",
)
RAW = {"raw_call": "call", "raw_static_call": "static", "raw_delegate_call": "delegate"}


def raw(frame: Frame, name: str, given: list[Any], by_name: dict[str, Any]) -> Any:
    """`raw_call(to, data)` and its kin."""
    kind = RAW[name.removeprefix("try_")]
    reentry = bool(by_name.get("reentry", False))
    if kind == "delegate":
        message = Call(frame.call.sender, frame.call.value, bytes(given[1]), frame.call.origin)
    else:
        value = plain(by_name.get("value", 0))
        message = Call(frame.instance.address, value, bytes(given[1]), frame.call.origin)
    if not name.startswith("try_"):
        return settled(frame, message, given[0].data, kind, reentry)
    try:
        return True, frame.world.raw(message, given[0].data, kind, reentry, frame.instance)
    except Reverted as refused:
        return False, refused.data


def settled(frame: Frame, message: Call, to: bytes, kind: str, reentry: bool) -> bytes:
    """A call whose failure is the caller's, with a reason where the callee was not entered. Raises: Reverted."""
    try:
        return frame.world.raw(message, to, kind, reentry, frame.instance)
    except NotLetIn:
        raise reason("reentrant call") from None


def recovered(frame: Frame, given: list[Any]) -> Account:
    """`ecrecover(digest, v, r, s)`."""
    v, r, s = (plain(one) for one in given[1:])
    number = {27: 0, 28: 1}.get(v)
    key = None if number is None else recover(plain(given[0]), int.from_bytes(r), int.from_bytes(s), number)
    return Account(bytes(20) if key is None else bytes(address_of(key)))


def send(frame: Frame, given: list[Any]) -> None:
    try:
        frame.world.transfer(frame.instance.address, given[0].data, plain(given[1]))
    except NotLetIn:
        raise reason("reentrant call") from None


def try_send(frame: Frame, given: list[Any]) -> bool:
    try:
        send(frame, given)
    except Reverted:
        return False
    return True


BUILTINS: dict[str, Callable[[Frame, list[Any]], Any]] = {
    "len": length,
    "abs": absolute,
    "sum": total,
    "pow": power,
    "min": lambda frame, given: min(listed(given), key=plain),
    "max": lambda frame, given: max(listed(given), key=plain),
    "abi_encode": lambda frame, given: encoded([type_of(one) for one in given], given),
    "encode_packed": lambda frame, given: packed(given),
    "ecrecover": recovered,
    "secp256k1_verify": lambda frame, given: verify(*map(plain, given)),
    "ed25519_verify": lambda frame, given: ed25519_verify(*map(plain, given)),
    "send": send,
    "try_send": try_send,
    **{name: hashed(name) for name in HASHES},
}
