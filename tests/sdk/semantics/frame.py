"""A running function of the oracle, and the places that it can read and write.

Follows docs/language.md, "Statements", "Map" and "Structs". Never: evaluates syntax.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.sdk.semantics.source import Class, Method, Module
from tests.sdk.semantics.values import (
    Mapping,
    MapT,
    Num,
    Record,
    Seq,
    Type,
    coerce,
    default,
    panic,
    plain,
    type_of,
)


@dataclass
class Call:
    """What surrounds a call."""

    sender: bytes
    value: int
    data: bytes = b""
    origin: bytes = b""


@dataclass
class Instance:
    """A deployed contract: its classes in order of resolution, and a value for each field."""

    name: str
    order: list[Class]
    address: bytes
    storage: dict[str, Any]

    def method(self, name: str, after: str = "") -> Method | None:
        """By the source's name; `after` a class, for `super()`."""
        names = [cls.name for cls in self.order]
        start = names.index(after) + 1 if after else 0
        return next((cls.methods[name] for cls in self.order[start:] if name in cls.methods), None)


class World(Protocol):
    """What a function needs of the machine."""

    timestamp: int
    number: int
    balances: dict[bytes, int]
    writes: int

    @property
    def instances(self) -> dict[bytes, Instance]: ...
    def invoke(
        self, instance: Instance, method: Method, given: list[Any], named: dict[str, Any], call: Call
    ) -> Any: ...
    def raw(self, call: Call, to: bytes, kind: str, reentry: bool, storage: Instance) -> bytes: ...
    def create(self, name: str, given: list[Any], sender: bytes, value: int) -> bytes: ...
    def transfer(self, sender: bytes, to: bytes, amount: int) -> None: ...
    def log(self, address: bytes, event: str, values: tuple[Any, ...]) -> None: ...


@dataclass
class Frame:
    """One call of one function."""

    world: World
    instance: Instance
    method: Method
    call: Call
    values: dict[str, Any] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    checked: bool = True

    @property
    def module(self) -> Module:
        return self.method.module


class Place(Protocol):
    def get(self) -> Any: ...
    def set(self, value: Any) -> None: ...


@dataclass
class LocalPlace:
    """A variable: its type is what it was annotated with, or that of its first value."""

    frame: Frame
    name: str

    def get(self) -> Any:
        return self.frame.values[self.name]

    def set(self, value: Any) -> None:
        type_ = self.frame.types.get(self.name)
        if type_ is None:
            type_ = self.frame.types[self.name] = type_of(value)
        self.frame.values[self.name] = coerce(value, type_)


@dataclass
class FieldPlace:
    """A contract's field."""

    instance: Instance
    name: str
    type: Type

    def get(self) -> Any:
        return self.instance.storage[self.name]

    def set(self, value: Any) -> None:
        self.instance.storage[self.name] = coerce(value, self.type)


@dataclass
class EntryPlace:
    """A map's entry: absent is the default, and the default is absent."""

    map: Mapping
    key: Any

    def get(self) -> Any:
        if isinstance(self.map.type.value, MapT):
            return self.map.entries.setdefault(self.key, default(self.map.type.value))
        found = self.map.entries.get(self.key)
        return default(self.map.type.value) if found is None else found

    def set(self, value: Any) -> None:
        value = coerce(value, self.map.type.value)
        if plain(value) == plain(default(self.map.type.value)):
            self.map.entries.pop(self.key, None)
        else:
            self.map.entries[self.key] = value


@dataclass
class MemberPlace:
    """A field of a struct in a place, which is written back as a whole."""

    base: Place
    name: str

    def get(self) -> Any:
        return self.base.get().values[self.name]

    def set(self, value: Any) -> None:
        record: Record = self.base.get()
        record.values[self.name] = coerce(value, dict(record.type.fields)[self.name])
        self.base.set(record)


@dataclass
class ItemPlace:
    """An item of a list or array in a place."""

    base: Place
    index: int

    def get(self) -> Any:
        return item(self.base.get(), self.index)

    def set(self, value: Any) -> None:
        items: Seq = self.base.get()
        item(items, self.index)
        items.items[self.index] = coerce(value, items.type.item)
        self.base.set(items)


@dataclass
class ValuePlace:
    """What an expression gave: only its parts can be written."""

    value: Any

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        """The value's parts are written in itself."""


def item(items: Seq | list[Any], index: int) -> Any:
    """Raises: Reverted with Panic 0x32 outside."""
    of = items.items if isinstance(items, Seq) else items
    if not 0 <= index < len(of):
        raise panic(0x32)
    return of[index]


def index_of(value: Any) -> int:
    """An index: unsigned, or a literal."""
    return value.n if isinstance(value, Num) else int(value)
