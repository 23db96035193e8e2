"""Calls as bytes: which function of the oracle an input asks for, what it is given, what comes back.

Follows docs/language.md, "Functions", "The ABI" and "Other contracts". Never: imports the compiler, or runs a function
itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sdk.abi import ABIError, parse_types
from sdk.abi import decode as decode_values
from sdk.abi import encode as encode_values
from tests.sdk.semantics.abi import selector
from tests.sdk.semantics.frame import Instance
from tests.sdk.semantics.source import Class, Method
from tests.sdk.semantics.values import (
    U64,
    ArrayT,
    IllTyped,
    ListT,
    MapT,
    NoneT,
    Reverted,
    TupleT,
    Type,
    abi_type,
)


@dataclass(frozen=True)
class Entry:
    """A function or getter as the ABI has it: one number of arguments of it."""

    name: str
    """The source's."""
    abi_name: str
    types: tuple[Type, ...]
    returns: Type

    @property
    def signature(self) -> str:
        return f"{self.abi_name}({','.join(map(abi_type, self.types))})"

    @property
    def selector(self) -> bytes:
        return selector(self.abi_name, self.types)


def entries(order: Sequence[Class]) -> list[Entry]:
    """Of a contract's classes, in order of resolution."""
    found: dict[str, Entry] = {}
    for cls in order:
        for one in (*of_fields(cls), *(entry for method in cls.methods.values() for entry in of_method(method))):
            found.setdefault(one.signature, one)
    return list(found.values())


def of_fields(cls: Class) -> Iterator[Entry]:
    """Getters."""
    for one in cls.fields.values():
        if "Public" not in one.marks:
            continue
        keys, type_ = [], one.type
        while isinstance(type_, MapT | ListT | ArrayT):
            keys.append(type_.key if isinstance(type_, MapT) else U64)
            type_ = type_.value if isinstance(type_, MapT) else type_.item
        yield Entry(one.name, camel(one.name), tuple(keys), type_)


def of_method(method: Method) -> Iterator[Entry]:
    """An entry for each number of arguments that defaults allow; none of what is not external."""
    node = method.node
    if "external" not in method.decorators and cls_kind(method) != "Interface":
        return
    names = [
        keyword.value.value
        for one in node.decorator_list
        if isinstance(one, ast.Call)
        for keyword in one.keywords
        if isinstance(keyword.value, ast.Constant)
    ]
    types = [method.module.type(one.annotation) for one in node.args.args if one.annotation is not None]
    assert node.returns is not None
    for given in range(len(types) - len(node.args.defaults), len(types) + 1):
        name = str(names[0]) if names else camel(node.name)
        yield Entry(node.name, name, tuple(types[:given]), method.module.type(node.returns))


def cls_kind(method: Method) -> str:
    return method.module.classes[method.owner].kind


def camel(name: str) -> str:
    """The ABI's spelling of a name."""
    plain = name.rstrip("_")
    if plain.isupper():
        return plain
    first, *rest = plain.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def asked(instance: Instance, data: bytes) -> Entry | None:
    """The function that an input asks for."""
    return next((one for one in entries(instance.order) if len(data) >= 4 and one.selector == data[:4]), None)


def given(types: Sequence[Type], data: bytes) -> list[Any]:
    """Plain values of encoded arguments. Raises: Reverted for malformed ones."""
    try:
        return list(decode_values(parse_types(f"({','.join(map(abi_type, types))})"), data))
    except ABIError:
        raise Reverted(b"") from None


def outputs(returns: Type, result: Any) -> bytes:
    """A plain result, encoded: a tuple is several outputs."""
    if returns == NoneT():
        return b""
    types = returns.items if isinstance(returns, TupleT) else (returns,)
    values = list(result) if isinstance(returns, TupleT) else [result]
    return encode_values(parse_types(f"({','.join(map(abi_type, types))})"), values)


def remote_entry(cls: Class, name: str, count: int | None = None) -> Entry:
    """A function of an interface or a contract; `count` arguments of it, or all."""
    found = [one for one in of_method(cls.methods[name]) if count is None or len(one.types) == count]
    if not found:
        raise IllTyped(f"{cls.name}.{name}")
    return found[-1]
