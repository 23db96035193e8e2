"""Random types and values of the language, and the expressions that make them. Never: knows what they are used for."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sdk.compiler.back.slots import spelled
from sdk.compiler.tree import Default, Expression
from sdk.compiler.types import (
    BOOL,
    BYTES,
    STRING,
    Address,
    Array,
    Bool,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    List,
    String,
    Struct,
    Tuple,
    Type,
)
from tests.sdk.compiler.back.rig import S, const, items, made, struct, tup

COLOR = Enum("Color", "t.Color", (("RED", 0), ("GREEN", 2), ("BLUE", 255)))
SIMPLE: tuple[Type, ...] = (
    *(Int(bits, signed) for bits in (8, 64, 128, 256) for signed in (False, True)),
    *(FixedBytes(size) for size in (1, 4, 8, 9, 20, 32)),
    *(BOOL, Address(), BYTES, STRING, COLOR),
)


def _grown(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    few = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        inner.map(List),
        st.tuples(inner, st.integers(1, 3)).map(lambda pair: Array(*pair)),
        few.map(lambda types: Tuple(tuple(types))),
        few.map(lambda types: struct("S_" + "_".join(map(spelled, types)), **_members(types))),
    )


def _members(types: list[Type]) -> dict[str, Type]:
    return {f"f{i}": type_ for i, type_ in enumerate(types)}


TYPES = st.recursive(st.sampled_from(SIMPLE), _grown, max_leaves=6)


def values(type_: Type) -> st.SearchStrategy[Any]:
    """Values as the rig gives them: structs and tuples are tuples, lists and arrays lists."""
    match type_:
        case Int():
            edges = st.sampled_from([type_.low, type_.high, 0, 1])
            return st.one_of(edges, st.integers(type_.low, type_.high))
        case Bool():
            return st.booleans()
        case Enum():
            return st.sampled_from(sorted(type_.values))
        case Address():
            return st.binary(min_size=20, max_size=20)
        case FixedBytes(size):
            return st.binary(min_size=size, max_size=size)
        case Bytes() | String():
            return st.binary(max_size=20)
        case Tuple(items=parts):
            return st.tuples(*map(values, parts))
        case Struct(members=members):
            return st.tuples(*(values(member.type) for member in members))
        case List(item):
            return st.lists(values(item), max_size=4)
        case Array(item, length):
            return st.lists(values(item), min_size=length, max_size=length)
    raise TypeError(type_)


def expression(type_: Type, value: Any) -> Expression:
    """What makes a value."""
    match type_:
        case Tuple(items=parts):
            return tup(*(expression(part, one) for part, one in zip(parts, value, strict=True)))
        case Struct(members=members):
            return made(type_, *(expression(part.type, one) for part, one in zip(members, value, strict=True)))
        case List(item) | Array(item):
            return items(type_, *(expression(item, one) for one in value))
    return const(value, type_)


def default(type_: Type) -> Any:
    """What Python has as the default."""
    match type_:
        case Bool():
            return False
        case Int() | Enum():
            return 0
        case Address():
            return bytes(20)
        case FixedBytes(size):
            return bytes(size)
        case Bytes() | String():
            return b""
        case Tuple(items=parts):
            return tuple(map(default, parts))
        case Struct(members=members):
            return tuple(default(member.type) for member in members)
        case List():
            return []
        case Array(item, length):
            return [default(item) for _ in range(length)]
    raise TypeError(type_)


def defaulted(type_: Type) -> Default:
    return Default(type_, S)
