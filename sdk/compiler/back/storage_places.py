"""Places rooted in a field: storage, transient storage, immutables.

`resolve` evaluates the parts of a place, from the left, and gives a target: an entry, a list or array whose items are
entries, or a part of an entry. A target is read and written any number of times. A part of an entry of fixed size is
read and written where it lies; any other part by way of the whole entry in memory.
An immutable is an entry like any other, written once: a module's code is fixed before its constructor runs.
Source: docs/language.md, "List and Array", "Map"; `sdk.compiler.layout`.
Never: says what a key or a value looks like (`storage_keys`, `storage_values`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TypeAlias

from contractvm.dataclass import dataclass
from contractvm.wasm.module import I32
from sdk.compiler import layout
from sdk.compiler.back import places, storage_entry, storage_values
from sdk.compiler.back.arguments import Lasting, operand
from sdk.compiler.back.defaults import default
from sdk.compiler.back.operand import Held, Spot
from sdk.compiler.back.slots import scale, slots
from sdk.compiler.back.storage_items import Entry, Items, whole
from sdk.compiler.back.storage_keys import FixedIndex, Index, Key, map_key
from sdk.compiler.back.writer import Writer
from sdk.compiler.symbols import Span
from sdk.compiler.tree import (
    Constant,
    EntryPlace,
    Expression,
    FieldPlace,
    IndexPlace,
    Load,
    Local,
    LocalPlace,
    MemberPlace,
    Place,
)
from sdk.compiler.types import Array, Map, Struct, Type

OUTSIDE = 0x32
"""The panic of an index that is not there."""


@dataclass(frozen=True, slots=True)
class Root:
    """A map: the beginning of its entries' keys."""

    key: Key
    type: Map


@dataclass(frozen=True, slots=True)
class Inside:
    """A part of an entry of fixed size: `offset` bytes behind its start, and the i32 in a local, if there is one."""

    w: Writer
    entry: Entry
    type: Type
    offset: int
    moving: int | None

    def load(self) -> None:
        start = storage_entry.read(self.w.b, self.entry.key, self._size)
        with self._at(start) as at:
            storage_values.get(self.w.b, self.type, at)

    def store(self) -> None:
        with self.w.spilled(self.type) as locals_:
            start = storage_entry.read(self.w.b, self.entry.key, self._size)
            with self._at(start) as at:
                storage_values.put(self.w.b, self.type, Held(locals_), at)
            storage_entry.write(self.w.b, self.entry.key, self._size)

    def delete(self) -> None:
        default(self.w.b, self.type)
        self.store()

    @property
    def _size(self) -> int:
        return layout.fixed_bytes(self.entry.type) or 0

    @contextmanager
    def _at(self, start: Spot) -> Iterator[Spot]:
        """Where the part lies."""
        b = self.w.b
        if self.moving is None:
            yield start.plus(self.offset)
            return
        with b.temporaries(I32) as (local,):
            b.get(self.moving)
            b.set(local)
            yield Spot(local, start.offset + self.offset)


@dataclass(frozen=True, slots=True)
class Beneath:
    """A part of an entry without a fixed size: `place` is the same part of a variable that the entry is loaded into."""

    w: Writer
    entry: Entry
    variable: Local
    place: Place

    def load(self) -> None:
        places.load_place(self.w, self.fetch())

    def store(self) -> None:
        with self.w.spilled(self.place.type) as locals_:
            self.fetch()
            self.w.b.get(*locals_)
            places.store_place(self.w, self.place)
        self.put_back()

    def delete(self) -> None:
        places.delete_place(self.w, self.fetch())
        self.put_back()

    def fetch(self) -> Place:
        """Load the entry and say where the part is in memory; `put_back` stores what was changed there."""
        self.entry.load()
        self.w.b.set(*self.w.variable(self.variable))
        return self.place

    def put_back(self) -> None:
        self.w.b.get(*self.w.variable(self.variable))
        self.entry.store()


Target: TypeAlias = Entry | Items | Inside | Beneath


@contextmanager
def resolve(w: Writer, place: Place, lasting: bool = False) -> Iterator[Target]:
    """Evaluate the parts of a place that is no map. `lasting`: statements may run before it is used again."""
    with Lasting() if lasting else ExitStack() as held:
        found = _resolve(w, place, held)
        if isinstance(found, Root):
            raise TypeError(f"a {found.type} is no value")
        yield found


@contextmanager
def resolve_map(w: Writer, place: Place, lasting: bool = False) -> Iterator[Root]:
    """Evaluate the parts of a place that is a map. `lasting`: as for `resolve`."""
    with Lasting() if lasting else ExitStack() as held:
        found = _resolve(w, place, held)
        if not isinstance(found, Root):
            raise TypeError(f"{place.type} is no map")
        yield found


def _resolve(w: Writer, place: Place, held: ExitStack) -> Target | Root:
    match place:
        case FieldPlace(field=field):
            return _under(w, Key(w, field), field.type, held)
        case EntryPlace(base, key):
            found = _resolve(w, base, held)
            if isinstance(found, Root):
                locals_ = operand(w, key, held)
                return _under(w, found.key.plus(*map_key(found.type, locals_)), found.type.value, held)
        case IndexPlace(base, index):
            return _item(w, _resolve(w, base, held), index, place, held)
        case MemberPlace(base, index):
            return _member(w, _resolve(w, base, held), index, place, held)
    raise TypeError(f"{type(place).__name__} is not in storage")


def _under(w: Writer, key: Key, type_: Type, held: ExitStack) -> Target | Root:
    held.callback(key.free)
    return Root(key, type_) if isinstance(type_, Map) else whole(w, key, type_)


def _item(w: Writer, base: Target | Root, index: Expression, place: IndexPlace, held: ExitStack) -> Target | Root:
    if isinstance(base, Entry) and layout.fixed_bytes(base.type) is None:
        base = _loaded(w, base, held)
    if isinstance(index, Constant) and isinstance(place.base.type, Array) and not isinstance(base, Beneath):
        return _at(w, base, int(index.value), place, held)
    (at,) = operand(w, index, held)
    if isinstance(base, Beneath):
        known = Local("index", index.type)
        w.variables[known] = (at,)
        loaded = Load(LocalPlace(known, index.type, index.span), index.type, index.span)
        return replace(base, place=IndexPlace(base.place, loaded, place.type, place.span))
    w.b.get(at)
    if isinstance(base, Items):
        base.length()
    elif isinstance(place.base.type, Array):
        w.b.i64(place.base.type.length)
    w.b.op("i64.ge_u")
    w.panic_if(OUTSIDE)
    if isinstance(base, Items):
        return _under(w, base.key.plus(Index(at)), base.type.item, held)
    return packed_item(w, base, at, held)


def _at(w: Writer, base: Target | Root, index: int, place: IndexPlace, held: ExitStack) -> Target | Root:
    """The item of an array at a constant index."""
    if isinstance(place.base.type, Array) and index >= place.base.type.length:
        w.panic(OUTSIDE)
        index = 0
    if isinstance(base, Items):
        return _under(w, base.key.plus(FixedIndex(index)), place.type, held)
    offset = index * (layout.fixed_bytes(place.type) or 0)
    if isinstance(base, Entry):
        return Inside(w, base, place.type, offset, None)
    if isinstance(base, Inside):
        return Inside(w, base.entry, place.type, base.offset + offset, base.moving)
    raise TypeError(f"{place.base.type} has no items")


def packed_item(w: Writer, base: Target | Root, at: int, held: ExitStack) -> Inside:
    """An item of an array in an entry of fixed size; the index in a local is in range."""
    if not isinstance(base, (Entry, Inside)) or not isinstance(base.type, Array):
        raise TypeError(f"{base.type if not isinstance(base, Beneath) else base.place.type} has no items")
    b, item = w.b, base.type.item
    (moving,) = held.enter_context(b.temporaries(I32))
    b.get(at)
    b.op("i32.wrap_i64")
    scale(b, layout.fixed_bytes(item) or 0)
    if isinstance(base, Inside) and base.moving is not None:
        b.get(base.moving)
        b.op("i32.add")
    b.set(moving)
    if isinstance(base, Entry):
        return Inside(w, base, item, 0, moving)
    return Inside(w, base.entry, item, base.offset, moving)


def _member(w: Writer, base: Target | Root, index: int, place: MemberPlace, held: ExitStack) -> Target:
    if isinstance(base, Entry) and layout.fixed_bytes(base.type) is None:
        base = _loaded(w, base, held)
    if isinstance(base, Beneath):
        return replace(base, place=MemberPlace(base.place, index, place.type, place.span))
    if not isinstance(base, (Entry, Inside)) or not isinstance(base.type, Struct):
        raise TypeError(f"{place.base.type} has no fields")
    offset = sum(layout.fixed_bytes(member.type) or 0 for member in base.type.members[:index])
    if isinstance(base, Entry):
        return Inside(w, base, place.type, offset, None)
    return Inside(w, base.entry, place.type, base.offset + offset, base.moving)


def _loaded(w: Writer, entry: Entry, held: ExitStack) -> Beneath:
    """An entry that is looked into by way of a variable."""
    variable = Local("entry", entry.type)
    locals_ = w.b.fresh(slots(entry.type))
    held.callback(w.b.free, locals_)
    w.variables[variable] = locals_
    return Beneath(w, entry, variable, LocalPlace(variable, entry.type, Span(0, 0, 0, 0, 0)))
