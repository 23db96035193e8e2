"""The types of the language, as facts: what a value is, what its ABI calls it, whether it may be copied or aliased.

Two types are equal when they mean the same. A struct or an enum is equal to itself alone: its qualified name tells.
Source: docs/language.md, "Types"; Solidity, "Contract ABI Specification", for the ABI's names.
Never: looks at source; knows how a value lies in wasm locals (`back.slots`) or in storage (`layout`).
"""

from __future__ import annotations

from typing import TypeAlias

from contractvm.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Int:
    """uN and iN: `bits` is a multiple of 8, 8 to 256."""

    bits: int
    signed: bool = False

    def __str__(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.bits}"

    @property
    def low(self) -> int:
        return -(1 << self.bits - 1) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << self.bits - self.signed) - 1

    def holds(self, value: int) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Bool:
    def __str__(self) -> str:
        return "bool"


@dataclass(frozen=True, slots=True)
class Address:
    """20 bytes."""

    def __str__(self) -> str:
        return "Address"


@dataclass(frozen=True, slots=True)
class FixedBytes:
    """bytes1 to bytes32."""

    size: int

    def __str__(self) -> str:
        return f"bytes{self.size}"


@dataclass(frozen=True, slots=True)
class Bytes:
    """Any number of bytes, never changed in place."""

    def __str__(self) -> str:
        return "Bytes"


@dataclass(frozen=True, slots=True)
class String:
    """UTF-8 text, never changed in place, without length or index."""

    def __str__(self) -> str:
        return "String"


@dataclass(frozen=True, slots=True)
class Tuple:
    items: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple[{', '.join(map(str, self.items))}]"


@dataclass(frozen=True, slots=True)
class Member:
    """A field of a struct."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Struct:
    """Fields in order of declaration. In memory it has an identity: assigning one needs `.copy()`."""

    name: str
    qualified: str
    members: tuple[Member, ...]

    def __str__(self) -> str:
        return self.name

    def index(self, name: str) -> int | None:
        """The position of a field, None when there is none."""
        return next((i for i, member in enumerate(self.members) if member.name == name), None)


@dataclass(frozen=True, slots=True)
class Enum:
    """Names and values in order of declaration, one value is 0; uint8 for the ABI."""

    name: str
    qualified: str
    members: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        return self.name

    @property
    def values(self) -> frozenset[int]:
        return frozenset(value for _, value in self.members)


@dataclass(frozen=True, slots=True)
class List:
    """Any number of items. In memory it has an identity, as a struct."""

    item: Type

    def __str__(self) -> str:
        return f"List[{self.item}]"


@dataclass(frozen=True, slots=True)
class Array:
    """`length` items, 1 or more. In memory it has an identity, as a struct."""

    item: Type
    length: int

    def __str__(self) -> str:
        return f"Array[{self.item}, {self.length}]"


@dataclass(frozen=True, slots=True)
class Map:
    """Storage only: it is never a value. Iterable in key order."""

    key: Type
    value: Type

    def __str__(self) -> str:
        return f"Map[{self.key}, {self.value}]"


@dataclass(frozen=True, slots=True)
class Remote:
    """The address of a contract whose functions are known: an interface's or a contract's name used as a type."""

    name: str
    qualified: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Nothing:
    """What a function without a result returns."""

    def __str__(self) -> str:
        return "None"


Type: TypeAlias = (
    Int | Bool | Address | FixedBytes | Bytes | String | Tuple | Struct | Enum | List | Array | Map | Remote | Nothing
)

BOOL, ADDRESS, BYTES, STRING, NOTHING = Bool(), Address(), Bytes(), String(), Nothing()
U8, U64, U256, I256 = Int(8), Int(64), Int(256), Int(256, True)
BYTES4, BYTES32 = FixedBytes(4), FixedBytes(32)


def has_identity(type_: Type) -> bool:
    """Whether values of a type live in memory and could be shared: assigning one from another place needs `.copy()`."""
    return isinstance(type_, (Struct, List, Array))


def storable(type_: Type) -> bool:
    """Whether a type has values that storage, memory and the ABI can hold: anything but a map and nothing."""
    match type_:
        case Map() | Nothing():
            return False
        case Tuple(items):
            return all(map(storable, items))
        case Struct(members=members):
            return all(storable(member.type) for member in members)
        case List(item) | Array(item):
            return storable(item)
    return True


def keyable(type_: Type) -> bool:
    """Whether a type can be a map's key: its values have an order and no parts but those of a tuple of such."""
    match type_:
        case Tuple(items):
            return bool(items) and all(map(keyable, items))
        case Struct() | List() | Array() | Map() | Nothing():
            return False
    return True


def abi_name(type_: Type) -> str:
    """The canonical ABI type: `uint256`, `(address,bytes)[3]`. Raises: ValueError for what has none."""
    match type_:
        case Int(bits, signed):
            return f"{'int' if signed else 'uint'}{bits}"
        case Bool():
            return "bool"
        case Address() | Remote():
            return "address"
        case FixedBytes(size):
            return f"bytes{size}"
        case Bytes():
            return "bytes"
        case String():
            return "string"
        case Enum():
            return "uint8"
        case Tuple(items):
            return f"({','.join(map(abi_name, items))})"
        case Struct(members=members):
            return f"({','.join(abi_name(member.type) for member in members)})"
        case List(item):
            return f"{abi_name(item)}[]"
        case Array(item, length):
            return f"{abi_name(item)}[{length}]"
        case Map() | Nothing():
            raise ValueError(f"{type_} has no ABI type")
