"""Places: what can be read and written, wherever it is.

A place is rooted in a variable, in a field of the contract or in an object that an expression gave. Here is what lies
in wasm locals and in memory; what is rooted in a field belongs to `storage.py`, which is asked by `w.unit.tables`.
`address` evaluates the parts of a place once, for `place op= value`; `load_place` and `store_place` do it on the way.
Source: docs/language.md, "List and Array" for Panic 0x32. Never: knows how storage is laid out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from contractvm.dataclass import dataclass
from contractvm.wasm.module import I32, I64
from sdk.compiler.back import slots
from sdk.compiler.back.asm import Body
from sdk.compiler.back.defaults import default
from sdk.compiler.back.writer import Addressed, Writer
from sdk.compiler.tree import (
    Constant,
    EntryPlace,
    Expression,
    FieldPlace,
    IndexPlace,
    LocalPlace,
    MemberPlace,
    Place,
    ValuePlace,
)
from sdk.compiler.types import Array, List, Struct, Type

OUTSIDE = 0x32
"""The panic of an index that is not there."""


def root(place: Place) -> LocalPlace | FieldPlace | ValuePlace:
    """What a place begins with."""
    while isinstance(place, (EntryPlace, IndexPlace, MemberPlace)):
        place = place.base
    return place


def is_place(node: Expression | Place) -> bool:
    """Whether a node is a place and not an expression."""
    return isinstance(node, (LocalPlace, FieldPlace, ValuePlace, EntryPlace, IndexPlace, MemberPlace))


def in_storage(node: Expression | Place) -> bool:
    """Whether a node is a place rooted in a field of the contract: storage, transient or immutable."""
    return is_place(node) and isinstance(root(node), FieldPlace)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in wasm locals."""

    w: Writer
    place: LocalPlace

    def load(self) -> None:
        self.w.b.get(*self.w.variable(self.place.local))

    def store(self) -> None:
        self.w.b.set(*self.w.variable(self.place.local))

    def delete(self) -> None:
        default(self.w.b, self.place.type)
        self.store()


@dataclass(frozen=True, slots=True)
class InMemory:
    """A place in memory: `offset` bytes behind the address in a local."""

    w: Writer
    type: Type
    address: int
    offset: int

    def load(self) -> None:
        slots.load(self.w.b, slots.slots(self.type), self.address, self.offset)

    def store(self) -> None:
        with self.w.spilled(self.type) as locals_:
            slots.store(self.w.b, locals_, self.address, self.offset)

    def delete(self) -> None:
        default(self.w.b, self.type)
        self.store()


@dataclass(frozen=True, slots=True)
class InList:
    """An item of a list in memory. Looked for again each time: the list may have grown or shrunk in between."""

    w: Writer
    type: Type
    header: int
    index: int

    def load(self) -> None:
        with self._address() as address:
            slots.load(self.w.b, slots.slots(self.type), address)

    def store(self) -> None:
        with self.w.spilled(self.type) as locals_, self._address() as address:
            slots.store(self.w.b, locals_, address)

    def delete(self) -> None:
        default(self.w.b, self.type)
        self.store()

    @contextmanager
    def _address(self) -> Iterator[int]:
        item_address(self.w, self.header, self.index, self.type)
        with self.w.b.temporaries(I32) as (address,):
            self.w.b.set(address)
            yield address


def address(w: Writer, place: Place) -> AbstractContextManager[Addressed]:
    """Evaluate the parts of a place once; what it gives is good for the length of a `with`."""
    return w.unit.tables.storage.address(w, place) if in_storage(place) else _address(w, place)


@contextmanager
def _address(w: Writer, place: Place) -> Iterator[Addressed]:
    if isinstance(place, LocalPlace):
        yield Variable(w, place)
        return
    if isinstance(place, IndexPlace) and isinstance(place.base.type, List):
        with w.b.temporaries(I32, I64) as (header, at):
            load_place(w, place.base)
            w.b.set(header)
            w.expr(place.index)
            w.b.set(at)
            yield InList(w, place.type, header, at)
        return
    offset = _reach(w, place)
    with w.b.temporaries(I32) as (local,):
        w.b.set(local)
        yield InMemory(w, place.type, local, offset)


def load_place(w: Writer, place: Place) -> None:
    """Evaluate a place and push its value's slots."""
    if in_storage(place):
        w.unit.tables.storage.load(w, place)
    elif isinstance(place, ValuePlace):
        w.expr(place.value)
    elif isinstance(place, LocalPlace):
        w.b.get(*w.variable(place.local))
    elif len(types := slots.slots(place.type)) == 1:
        offset = _reach(w, place)
        w.b.load("i64.load" if types[0] == I64 else "i32.load", offset)
    else:
        with _address(w, place) as addressed:
            addressed.load()


def store_place(w: Writer, place: Place) -> None:
    """The value's slots are on the stack: evaluate the place and pop them into it."""
    if in_storage(place):
        w.unit.tables.storage.store(w, place)
        return
    with _address(w, place) as addressed:
        addressed.store()


def delete_place(w: Writer, place: Place) -> None:
    """Evaluate a place and put its type's default there."""
    if in_storage(place):
        w.unit.tables.storage.delete(w, place)
        return
    with _address(w, place) as addressed:
        addressed.delete()


def _reach(w: Writer, place: Place) -> int:
    """Push the address that a member or an item in memory is reached from; return the bytes to add to it."""
    match place:
        case MemberPlace(base, index) if isinstance(base.type, Struct):
            load_place(w, base)
            return slots.member_offset(base.type, index)
        case IndexPlace(base, index):
            return _item(w, base, index)
        case ValuePlace() | LocalPlace():
            raise TypeError(f"{place.type} is no part of an object in memory")
    raise TypeError(f"{type(place).__name__} does not lie in memory")


def _item(w: Writer, base: Place, index: Expression) -> int:
    """Push the address of an item; a constant index of an array is part of the offset."""
    load_place(w, base)
    match base.type:
        case Array(item, length) if isinstance(index, Constant) and isinstance(index.value, int):
            if index.value >= length:
                w.panic(OUTSIDE)
            return index.value * slots.size(item)
        case Array(item, length):
            w.expr(index)
            with w.b.temporaries(I64) as (at,):
                w.b.set(at)
                w.b.get(at)
                w.b.i64(length)
                w.b.op("i64.ge_u")
                w.panic_if(OUTSIDE)
                w.b.get(at)
                add_scaled(w.b, slots.size(item))
            return 0
        case List(item):
            with w.b.temporaries(I32, I64) as (header, at):
                w.b.set(header)
                w.expr(index)
                w.b.set(at)
                item_address(w, header, at, item)
            return 0
    raise TypeError(f"{base.type} has no items in memory")


def item_address(w: Writer, header: int, index: int, item: Type) -> None:
    """Push the address of a list's item, the header and the index in locals; Panic 0x32 outside."""
    b = w.b
    b.get(index)
    b.get(header)
    b.load("i64.load32_u", slots.LIST_LENGTH)
    b.op("i64.ge_u")
    w.panic_if(OUTSIDE)
    b.get(header)
    b.load("i32.load", slots.LIST_ITEMS)
    b.get(index)
    add_scaled(b, slots.size(item))


def add_scaled(b: Body, size: int) -> None:
    """An address and a u64 that is in range are on the stack: add so many times `size`."""
    b.op("i32.wrap_i64")
    slots.scale(b, size)
    b.op("i32.add")
