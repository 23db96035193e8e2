"""Lengths, loops over lists and arrays in storage, `append`, `pop` and `in`.

Source: docs/language.md, "List and Array", "Map". Never: walks a map (`storage_maps` does).
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import cast

from contractvm.wasm.module import I32, I64
from sdk.compiler import layout
from sdk.compiler.back import places, storage_entry
from sdk.compiler.back.arguments import operand
from sdk.compiler.back.storage_items import Entry, Items, whole
from sdk.compiler.back.storage_keys import map_key
from sdk.compiler.back.storage_maps import any_below
from sdk.compiler.back.storage_places import Beneath, Target, packed_item, resolve, resolve_map
from sdk.compiler.back.writer import Writer
from sdk.compiler.symbols import Kind
from sdk.compiler.tree import (
    Append,
    Compare,
    Expression,
    ForEach,
    IndexPlace,
    Length,
    Load,
    Local,
    LocalPlace,
    Place,
    Pop,
)
from sdk.compiler.types import BOOL, U64, Array, List, Map, Type


def _length(w: Writer, target: Target, place: Place) -> None:
    """Push the length of a target that is a list or an array, an i64."""
    if isinstance(place.type, Array):
        w.b.i64(place.type.length)
    elif isinstance(target, Items):
        target.length()
    elif isinstance(target, Beneath):
        w.expr(Length(target.fetch(), U64, place.span))
    else:
        raise TypeError(f"{place.type} has no length in storage")


def length(w: Writer, place: Place) -> None:
    with resolve(w, place) as target:
        _length(w, target, place)


def append(w: Writer, place: Place, value: Expression) -> None:
    with resolve(w, place) as target:
        if isinstance(target, Items):
            target.append(lambda: w.expr(value))
        elif isinstance(target, Beneath):
            with ExitStack() as held:
                item = _known(w, value, held)
                w.statement(Append(target.fetch(), item, place.span))
            target.put_back()
        else:
            raise TypeError(f"{place.type} has no end to append to")


def pop(w: Writer, place: Place) -> None:
    with resolve(w, place) as target:
        if isinstance(target, Items):
            target.pop()
        elif isinstance(target, Beneath):
            w.expr(Pop(target.fetch(), _item(place.type), place.span))
            target.put_back()
        else:
            raise TypeError(f"{place.type} has no end to take from")


def _item(type_: Type) -> Type:
    if isinstance(type_, (List, Array)):
        return type_.item
    raise TypeError(f"{type_} has no items")


def _known(w: Writer, value: Expression, held: ExitStack) -> Load:
    """The value, evaluated now, as an expression that may be written any number of times."""
    locals_ = operand(w, value, held)
    variable = Local("value", value.type)
    w.variables[variable] = locals_
    return Load(LocalPlace(variable, value.type, value.span), value.type, value.span)


def contains(w: Writer, place: Place, key: Expression) -> None:
    """The key is evaluated before the place."""
    with ExitStack() as held:
        if isinstance(place.type, Map):
            locals_ = operand(w, key, held)
            with resolve_map(w, place) as root:
                entry = root.key.plus(*map_key(root.type, locals_))
                many = isinstance(place.type.value, Array) and not layout.is_entry(place.type.value)
                if many and root.key.field.kind is not Kind.TRANSIENT:
                    any_below(w, entry)
                else:
                    _present(w, whole(w, entry, place.type.value))
                entry.free()
            return
        _among(w, place, _known(w, key, held))


def _present(w: Writer, target: Entry | Items) -> None:
    """Push whether anything is there: an entry, a list's length, an item of an array."""
    if isinstance(target, Entry) or isinstance(target.type, List):
        storage_entry.has(w.b, target.key)
        return
    b = w.b
    with b.temporaries(I32, I64) as (found, at):
        b.i64(0)
        b.set(at)
        with b.loop() as again:
            with target.item(at) as one:
                _present(w, one)
            b.set(found)
            _next(w, at)
            b.get(found)
            b.op("i32.eqz")
            b.get(at)
            b.i64(target.type.length)
            b.do("i64.lt_u", "i32.and")
            b.br_if(again)
        b.get(found)


def _among(w: Writer, place: Place, known: Load) -> None:
    """Push whether some item is equal."""
    b = w.b
    with resolve(w, place) as target, b.temporaries(I32, I64) as (found, at):
        b.i32(0)
        b.set(found)
        b.i64(0)
        b.set(at)
        with b.block() as done, b.loop() as again:
            b.get(at)
            _length(w, target, place)
            b.op("i64.ge_u")
            b.br_if(done)
            with ExitStack() as held:
                one = _loaded(w, target, place, at, held)
                w.expr(Compare("eq", known, one, BOOL, place.span))
            b.tee(found)
            b.br_if(done)
            _next(w, at)
            b.br(again)
        b.get(found)


def _next(w: Writer, at: int) -> None:
    w.b.get(at)
    w.b.i64(1)
    w.b.op("i64.add")
    w.b.set(at)


def _push_item(w: Writer, target: Target, place: Place, at: int) -> None:
    """Push the item at an index in a local, which is in range."""
    if isinstance(target, Items):
        with target.item(at) as one:
            one.load()
        return
    index = Local("index", U64)
    w.variables[index] = (at,)
    loaded = Load(LocalPlace(index, U64, place.span), U64, place.span)
    item = _item(place.type)
    if isinstance(target, Beneath):
        places.load_place(w, IndexPlace(target.fetch(), loaded, item, place.span))
        return
    with ExitStack() as held:
        packed_item(w, target, at, held).load()


def _loaded(w: Writer, target: Target, place: Place, at: int, held: ExitStack) -> Load:
    _push_item(w, target, place, at)
    item = _item(place.type)
    variable = Local("item", item)
    w.variables[variable] = held.enter_context(w.spilled(item))
    return Load(LocalPlace(variable, item, place.span), item, place.span)


def for_each(w: Writer, node: ForEach) -> None:
    """The length is looked at before each step; the items are read one at a time."""
    b, place = w.b, cast(Place, node.of)
    with resolve(w, place, lasting=True) as target, b.temporaries(I64) as (at,):
        b.i64(0)
        b.set(at)
        with b.block() as done, b.loop() as again:
            b.get(at)
            _length(w, target, place)
            b.op("i64.ge_u")
            b.br_if(done)
            if node.item is not None:
                _push_item(w, target, place, at)
                b.set(*w.variable(node.item))
            if node.index is not None:
                b.get(at)
                b.set(*w.variable(node.index))
            with b.block() as onward:
                w.loops.append((done, onward))
                w.statements(node.body)
                w.loops.pop()
            _next(w, at)
            b.br(again)
