"""Types and values of the language: every value knows its type, a literal has none until its context gives it one.

Literals are Python's own: int, BytesLiteral, list. Bytes and String are bytes and str, never changed in place; structs
and lists have an identity. Follows docs/language.md, "Types". Never: imports the compiler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias


class IllTyped(Exception):
    """The program is none of the language: the compiler must refuse it, so the oracle was asked in vain."""


class Reverted(Exception):
    """The call is undone; `data` is the reason as the ABI has it."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.hex())
        self.data = data


class NotLetIn(Reverted):
    """A call of a contract that is calling out and lets nobody in: the caller gets no data."""

    def __init__(self) -> None:
        super().__init__(b"")


def panic(code: int) -> Reverted:
    return Reverted(bytes.fromhex("4e487b71") + code.to_bytes(32, "big"))


@dataclass(frozen=True)
class IntT:
    bits: int
    signed: bool

    def holds(self, number: int) -> bool:
        low = -(1 << self.bits - 1) if self.signed else 0
        return low <= number < low + (1 << self.bits)

    def wrap(self, number: int) -> int:
        number &= (1 << self.bits) - 1
        return number - (1 << self.bits) if self.signed and number >> self.bits - 1 else number


@dataclass(frozen=True)
class BoolT: ...


@dataclass(frozen=True)
class AddressT: ...


@dataclass(frozen=True)
class FixedT:
    size: int


@dataclass(frozen=True)
class BytesT: ...


@dataclass(frozen=True)
class StringT: ...


@dataclass(frozen=True)
class NoneT: ...


@dataclass(frozen=True)
class TupleT:
    items: tuple[Type, ...]


@dataclass(frozen=True)
class StructT:
    name: str
    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True)
class EnumT:
    name: str
    members: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class ListT:
    item: Type


@dataclass(frozen=True)
class ArrayT:
    item: Type
    length: int


@dataclass(frozen=True)
class MapT:
    key: Type
    value: Type


@dataclass(frozen=True)
class InterfaceT:
    name: str


Type: TypeAlias = (
    IntT
    | BoolT
    | AddressT
    | FixedT
    | BytesT
    | StringT
    | NoneT
    | TupleT
    | StructT
    | EnumT
    | ListT
    | ArrayT
    | MapT
    | InterfaceT
)
U8, U64, U256 = IntT(8, False), IntT(64, False), IntT(256, False)


@dataclass(frozen=True)
class Num:
    type: IntT
    n: int


class BytesLiteral(bytes):
    """`b"..."` in the source: Bytes or bytesN, as its context wants."""


@dataclass(frozen=True)
class Fixed:
    data: bytes


@dataclass(frozen=True)
class Account:
    data: bytes


@dataclass(frozen=True)
class Remote:
    type: InterfaceT
    data: bytes


@dataclass(frozen=True)
class Member:
    type: EnumT
    n: int


@dataclass(eq=False)
class Record:
    type: StructT
    values: dict[str, Any]


@dataclass(eq=False)
class Seq:
    type: ListT | ArrayT
    items: list[Any]


@dataclass(eq=False)
class Mapping:
    type: MapT
    entries: dict[Any, Any]


def type_of(value: Any) -> Type:
    """Raises: IllTyped for a literal that could be of several types."""
    match value:
        case bool():
            return BoolT()
        case Num() | Member() | Record() | Seq() | Mapping() | Remote():
            found: Type = value.type
            return found
        case Account():
            return AddressT()
        case Fixed(data):
            return FixedT(len(data))
        case BytesLiteral() | int() | list():
            raise IllTyped(f"the literal {value!r} has no type here")
        case bytes():
            return BytesT()
        case str():
            return StringT()
        case tuple():
            return TupleT(tuple(map(type_of, value)))
        case None:
            return NoneT()
    raise IllTyped(f"what is {value!r}?")


def is_literal(value: Any) -> bool:
    return isinstance(value, (int, BytesLiteral, list)) and not isinstance(value, bool)


def coerce(value: Any, type_: Type) -> Any:
    """The value as a value of a type; only literals change. Raises: IllTyped when it is of another type."""
    match value, type_:
        case int(), IntT() if not isinstance(value, bool) and type_.holds(value):
            return Num(type_, value)
        case BytesLiteral(), FixedT(size) if len(value) == size:
            return Fixed(bytes(value))
        case BytesLiteral(), BytesT():
            return bytes(value)
        case list(), ListT(item):
            return Seq(type_, [coerce(one, item) for one in value])
        case list(), ArrayT(item, length) if len(value) == length:
            return Seq(type_, [coerce(one, item) for one in value])
        case tuple(), TupleT(items) if len(value) == len(items):
            return tuple(coerce(one, item) for one, item in zip(value, items, strict=True))
    if is_literal(value) or type_of(value) != type_:
        raise IllTyped(f"{value!r} is no {type_}")
    return value


def default(type_: Type) -> Any:
    match type_:
        case IntT():
            return Num(type_, 0)
        case BoolT():
            return False
        case AddressT():
            return Account(bytes(20))
        case InterfaceT():
            return Remote(type_, bytes(20))
        case FixedT(size):
            return Fixed(bytes(size))
        case BytesT():
            return b""
        case StringT():
            return ""
        case TupleT(items):
            return tuple(map(default, items))
        case StructT(fields=fields):
            return Record(type_, {name: default(field) for name, field in fields})
        case EnumT():
            return Member(type_, 0)
        case ListT():
            return Seq(type_, [])
        case ArrayT(item, length):
            return Seq(type_, [default(item) for _ in range(length)])
        case MapT():
            return Mapping(type_, {})
    raise IllTyped(f"{type_} has no values")


def copied(value: Any) -> Any:
    """A deep copy."""
    match value:
        case Record(type_, values):
            return Record(type_, {name: copied(one) for name, one in values.items()})
        case Seq(type_, items):
            return Seq(type_, [copied(one) for one in items])
        case Mapping(type_, entries):
            return Mapping(type_, {key: copied(one) for key, one in entries.items()})
        case tuple():
            return tuple(map(copied, value))
    return value


def plain(value: Any) -> Any:
    """As the ABI's Python side has it: ints, bytes, str, bool, tuples and lists."""
    match value:
        case Num() | Member():
            return value.n
        case Fixed(data) | Account(data):
            return data
        case Remote():
            return value.data
        case BytesLiteral():
            return bytes(value)
        case Record(values=values):
            return tuple(plain(one) for one in values.values())
        case Seq(items=items) | list(items):
            return [plain(one) for one in items]
        case tuple():
            return tuple(map(plain, value))
    return value


def from_plain(value: Any, type_: Type) -> Any:
    """The value that an argument of a call becomes. Raises: Reverted when no such value exists."""
    match type_:
        case IntT():
            return Num(type_, value)
        case AddressT():
            return Account(bytes(value))
        case InterfaceT():
            return Remote(type_, bytes(value))
        case FixedT():
            return Fixed(bytes(value))
        case EnumT(members=members):
            if value not in {n for _, n in members}:
                raise panic(0x21)
            return Member(type_, int(value))
        case TupleT(items):
            return tuple(from_plain(one, item) for one, item in zip(value, items, strict=True))
        case StructT(fields=fields):
            parts = zip(value, fields, strict=True)
            return Record(type_, {name: from_plain(one, field) for one, (name, field) in parts})
        case ListT(item) | ArrayT(item):
            return Seq(type_, [from_plain(one, item) for one in value])
    return value


def same(left: Any, right: Any) -> bool:
    """Equality, deep. Raises: IllTyped for values of two types."""
    if is_literal(left) and is_literal(right):
        return bool(plain(left) == plain(right))
    if is_literal(left):
        left = coerce(left, type_of(right))
    right = coerce(right, type_of(left))
    return bool(plain(left) == plain(right))


def order(value: Any) -> Any:
    """What keys are sorted by."""
    match value:
        case str():
            return value.encode()
        case tuple():
            return tuple(map(order, value))
    return plain(value)


def abi_type(type_: Type) -> str:
    """Solidity's name of a type."""
    match type_:
        case IntT(bits, signed):
            return f"{'' if signed else 'u'}int{bits}"
        case BoolT():
            return "bool"
        case AddressT() | InterfaceT():
            return "address"
        case FixedT(size):
            return f"bytes{size}"
        case BytesT():
            return "bytes"
        case StringT():
            return "string"
        case EnumT():
            return "uint8"
        case TupleT(items):
            return f"({','.join(map(abi_type, items))})"
        case StructT(fields=fields):
            return f"({','.join(abi_type(field) for _, field in fields)})"
        case ListT(item):
            return f"{abi_type(item)}[]"
        case ArrayT(item, length):
            return f"{abi_type(item)}[{length}]"
    raise IllTyped(f"{type_} has no ABI type")
