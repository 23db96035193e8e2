"""Trees made by hand, compiled and run: each function of a rig is an export that takes and gives slots.

`Rig.call` turns Python values into slots and what lies in memory back into values: structs and tuples as tuples, lists
and arrays as lists. Never: needs the front end, or a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from contractvm.errors import Revert
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import HostFunction
from contractvm.wasm.module import I64
from sdk.compiler.back import functions
from sdk.compiler.back.asm import HOST_TYPES, Assembly
from sdk.compiler.back.link import Linked, link
from sdk.compiler.back.slots import size, slots
from sdk.compiler.back.tables import TABLES
from sdk.compiler.back.writer import Unit
from sdk.compiler.symbols import Span
from sdk.compiler.tree import (
    Assign,
    Binary,
    Call,
    Compare,
    Constant,
    Expression,
    Function,
    IndexPlace,
    Load,
    Local,
    LocalPlace,
    MakeList,
    MakeStruct,
    MakeTuple,
    MemberPlace,
    Place,
    Program,
    Return,
    Statement,
)
from sdk.compiler.types import (
    BOOL,
    U64,
    Address,
    Array,
    Bool,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    List,
    Map,
    Member,
    Nothing,
    Remote,
    String,
    Struct,
    Tuple,
    Type,
)

S = Span(0, 1, 0, 1, 1)
TIERS = ("reference", "portable")


class Panicked(Exception):
    """A Panic, with its code."""


# Trees, in few words.


def const(value: int | bool | bytes, type_: Type = U64) -> Constant:
    return Constant(value, type_, S)


def place(local: Local) -> LocalPlace:
    return LocalPlace(local, local.type, S)


def get(what: Local | Place) -> Load:
    where = place(what) if isinstance(what, Local) else what
    return Load(where, where.type, S)


def let(what: Local | Place, value: Expression) -> Assign:
    return Assign(place(what) if isinstance(what, Local) else what, value, S)


def op(name: str, left: Expression, right: Expression, checked: bool = True) -> Binary:
    return Binary(name, left, right, checked, left.type, S)


def compare(name: str, left: Expression, right: Expression) -> Compare:
    return Compare(name, left, right, BOOL, S)


def ret(value: Expression | None = None) -> Return:
    return Return(value, S)


def index(base: Place, at: Expression | int) -> IndexPlace:
    assert isinstance(base.type, (List, Array))
    return IndexPlace(base, const(at) if isinstance(at, int) else at, base.type.item, S)


def member(base: Place, at: int) -> MemberPlace:
    assert isinstance(base.type, Struct)
    return MemberPlace(base, at, base.type.members[at].type, S)


def tup(*items: Expression) -> MakeTuple:
    return MakeTuple(items, Tuple(tuple(item.type for item in items)), S)


def items(type_: List | Array, *values: Expression) -> MakeList:
    return MakeList(values, type_, S)


def made(type_: Struct, *values: Expression, order: tuple[int, ...] | None = None) -> MakeStruct:
    return MakeStruct(values, tuple(range(len(values))) if order is None else order, type_, S)


def call(function: Function, *values: Expression, order: tuple[int, ...] | None = None) -> Call:
    return Call(function, values, tuple(range(len(values))) if order is None else order, function.returns, S)


def struct(name: str, **members: Type) -> Struct:
    return Struct(name, f"t.{name}", tuple(Member(key, type_) for key, type_ in members.items()))


def function(name: str, parameters: Sequence[Local], returns: Type, *body: Statement) -> Function:
    return Function(name, f"T.{name}", list(parameters), returns, S, list(body))


# Values and slots.


def encode(type_: Type, value: Any) -> list[int]:
    """A value without memory as slots."""
    match type_:
        case Int():
            return [value >> 64 * i & (1 << 64) - 1 for i in range(len(slots(type_)))]
        case Bool() | Enum():
            return [int(value)]
        case FixedBytes() | Address() | Remote():
            return [int.from_bytes(value[i : i + 8], "little") for i in range(0, len(value), 8)]
        case Tuple(items):
            return [slot for item, one in zip(items, value, strict=True) for slot in encode(item, one)]
    raise TypeError(f"{type_} lies in memory")


def decode(type_: Type, values: Sequence[int], memory: bytes) -> Any:
    """Slots as a value; what is no value of the type fails the test."""
    match type_:
        case Int(signed=signed):
            raw = b"".join(one.to_bytes(8, "little") for one in values)
            number = int.from_bytes(raw, "little", signed=signed)
            assert type_.holds(number), f"{values} is no {type_}"
            return number
        case Bool():
            assert values[0] in (0, 1)
            return bool(values[0])
        case Enum():
            assert values[0] in type_.values
            return values[0]
        case FixedBytes() | Address() | Remote():
            width = type_.size if isinstance(type_, FixedBytes) else 20
            raw = b"".join(one.to_bytes(8, "little") for one in values)
            assert not any(raw[width:])
            return raw[:width]
        case Bytes() | String():
            start, length = values
            assert start + length <= len(memory)
            return memory[start : start + length]
        case Tuple(items):
            return tuple(_row(items, values, memory))
        case Struct(members=members):
            return tuple(_from_memory([one.type for one in members], values[0], memory))
        case Array(item, length):
            return _from_memory([item] * length, values[0], memory)
        case List(item):
            length, capacity, start = (
                int.from_bytes(memory[values[0] + 4 * i : values[0] + 4 * i + 4], "little") for i in range(3)
            )
            assert length <= capacity or not capacity
            return _from_memory([item] * length, start, memory)
        case Nothing() | Map():
            return None
    raise TypeError(type_)


def _row(types: Sequence[Type], values: Sequence[int], memory: bytes) -> list[Any]:
    found, at = [], 0
    for type_ in types:
        count = len(slots(type_))
        found.append(decode(type_, values[at : at + count], memory))
        at += count
    return found


def _from_memory(types: Sequence[Type], at: int, memory: bytes) -> list[Any]:
    values: list[int] = []
    for type_ in types:
        for slot in slots(type_):
            width = 8 if slot == I64 else 4
            values.append(int.from_bytes(memory[at : at + width], "little"))
            at += width
        assert size(type_) == sum(8 if slot == I64 else 4 for slot in slots(type_))
    return _row(types, values, memory)


# Running.


@cache
def engine(tier: str) -> Engine:
    return Engine(tier=tier)


class Rig:
    """Functions, compiled. `host` are functions of `cvm1` that take the memory and the arguments."""

    def __init__(
        self, *compiled: Function, tier: str = "portable", host: dict[str, Callable[..., int | None]] | None = None
    ) -> None:
        program = Program("T", (), (), None, (), False, None, None, False, compiled, (), (), ())
        unit = Unit(program, Assembly(), TABLES)
        for one in compiled:
            functions.declare(unit, one)
        for one in compiled:
            functions.write(unit, one)
            unit.assembly.exports.append((one.name, unit.functions[one]))
        self.linked: Linked = link(unit.assembly)
        self.compiled = {one.name: one for one in compiled}
        self.engine = engine(tier)
        self.host = {"revert": self._revert, **(host or {})}
        module = self.engine.load(self.linked.module)
        self.instance = self.engine.instantiate(module, {("cvm1", name): self._extern(name) for name in self.host})

    def _extern(self, name: str) -> HostFunction:
        def run(*arguments: int) -> int | None:
            assert self.instance.memory is not None
            return self.host[name](self.instance.memory.data, *arguments)

        return HostFunction(HOST_TYPES[name], run)

    def _revert(self, memory: bytearray, pointer: int, length: int) -> None:
        raise Revert(bytes(memory[pointer : pointer + length]))

    @property
    def memory(self) -> bytes:
        assert self.instance.memory is not None
        return bytes(self.instance.memory.data)

    def call(self, name: str, *values: Any) -> Any:
        """Call a function. Raises: Panicked."""
        one = self.compiled[name]
        arguments = [
            slot
            for parameter, value in zip(one.parameters, values, strict=True)
            for slot in encode(parameter.type, value)
        ]
        try:
            results = self.engine.invoke(self.instance, name, arguments)
        except Revert as reverted:
            assert reverted.data[:4].hex() == "4e487b71" and len(reverted.data) == 36
            raise Panicked(reverted.data[35]) from None
        if len(slots(one.returns)) > functions.RESULTS:
            assert isinstance(one.returns, Tuple)
            return tuple(_from_memory(one.returns.items, results[0], self.memory))
        return decode(one.returns, results, self.memory)


def run(returns: Type, *body: Statement, tier: str = "portable") -> Any:
    """What one function without parameters returns."""
    return Rig(function("f", (), returns, *body), tier=tier).call("f")


def value_of(node: Expression, tier: str = "portable") -> Any:
    """What an expression gives."""
    return run(node.type, ret(node), tier=tier)
