"""Expressions and statements that make, read and change tuples, structs, lists and arrays in memory.

What lies in storage is `storage.py`'s: it is asked wherever a place is rooted in a field.
Source: docs/language.md, "Tuples", "Structs", "List and Array". Never: walks through an object; `objects.py` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from types import MappingProxyType
from typing import Final, cast

from contractvm.wasm.module import I32
from sdk.compiler.back import bytes as bytes_
from sdk.compiler.back import objects, slots
from sdk.compiler.back.defaults import default
from sdk.compiler.back.places import delete_place, in_storage, is_place, load_place
from sdk.compiler.back.writer import ALLOCATE, Write, Writer
from sdk.compiler.tree import (
    Append,
    Constant,
    Contains,
    Copy,
    Default,
    Delete,
    Expression,
    Item,
    Length,
    Load,
    LocalPlace,
    MakeList,
    MakeStruct,
    MakeTuple,
    Place,
    Pop,
    Slice,
)
from sdk.compiler.types import Array, Bytes, FixedBytes, List, String, Struct, Tuple

_FEW = 4
"""So many equal constants behind one another are stored one by one."""


def value_or_place(w: Writer, node: Expression | Place) -> None:
    """Push the slots of what an expression gives or a place holds."""
    if is_place(node):
        load_place(w, cast(Place, node))
    else:
        w.expr(cast(Expression, node))


# Making


def _make_tuple(w: Writer, node: MakeTuple) -> None:
    for item in node.items:
        w.expr(item)


def _is_zero(node: Expression) -> bool:
    """Whether a value's slots are zeros, as fresh memory is."""
    if isinstance(node, Default):
        return not slots.shares(node.type)
    if not isinstance(node, Constant):
        return False
    if isinstance(node.value, bytes):
        return not any(node.value) if not isinstance(node.type, (Bytes, String)) else not node.value
    return not node.value


def _put(w: Writer, node: Expression, address: int, offset: int) -> None:
    """Evaluate an expression into memory."""
    types = slots.slots(node.type)
    if _is_zero(node):
        return
    if len(types) == 1:
        w.b.get(address)
        w.expr(node)
        w.b.store("i32.store" if types[0] == I32 else "i64.store", offset)
    else:
        w.expr(node)
        slots.put(w.b, types, address, offset)


def _make_struct(w: Writer, node: MakeStruct) -> None:
    if not isinstance(node.type, Struct):
        raise TypeError(f"{node.type} is no struct")
    with w.b.temporaries(I32) as (new,):
        w.b.i32(slots.object_bytes(node.type))
        w.b.call(ALLOCATE)
        w.b.set(new)
        for index in node.order:
            _put(w, node.items[index], new, slots.member_offset(node.type, index))
        w.b.get(new)


def _make_list(w: Writer, node: MakeList) -> None:
    """Runs of equal constants are written by a loop, runs of different ones copied from where they lie."""
    b, type_ = w.b, node.type
    size, count = slots.size(slots.item_type(type_)), len(node.items)
    with b.temporaries(I32, I32) as (new, length):
        if isinstance(type_, List):
            b.i32(count)
            b.set(length)
            objects.new_list(b, length, size, new)
            offset = objects.HEADER
        else:
            b.i32(count * size)
            b.call(ALLOCATE)
            b.set(new)
            offset = 0
        for way, items in _runs(node.items):
            if way == "repeat":
                _repeat(w, items[0], len(items), new, offset)
            elif way == "copy":
                _copy_static(w, items, new, offset)
            else:
                for at, item in enumerate(items):
                    _put(w, item, new, offset + at * size)
            offset += size * len(items)
        b.get(new)


def _runs(nodes: Iterable[Expression]) -> Iterator[tuple[str, list[Expression]]]:
    """Divide items into runs, and say how each is best written: `repeat`, `copy` or `put`."""
    equal = [list(run) for _, run in groupby(nodes, _same)]
    for long, runs in groupby(equal, lambda run: len(run) > _FEW and isinstance(run[0], Constant)):
        if long:
            yield from (("repeat", run) for run in runs)
            continue
        for plain, run in groupby(chain.from_iterable(runs), _is_plain):
            items = list(run)
            yield "copy" if plain and len(items) > _FEW else "put", items


def _same(node: Expression) -> object:
    """What equal constants have in common."""
    return (type(node.value).__name__, node.value) if isinstance(node, Constant) else None


def _is_plain(node: Expression) -> bool:
    """Whether a node is a constant that has no address in its slots."""
    return isinstance(node, Constant) and not isinstance(node.type, (Bytes, String))


def _copy_static(w: Writer, items: Sequence[Expression], new: int, offset: int) -> None:
    """Constants lie in static data as they will lie in memory."""
    content = b"".join(_in_memory(item) for item in items if isinstance(item, Constant))
    w.b.get(new)
    w.b.i32(offset)
    w.b.op("i32.add")
    w.b.i32(w.assembly.constant(content))
    w.b.i32(len(content))
    w.b.op("memory.copy")


def _in_memory(node: Constant) -> bytes:
    """The slots of a plain constant in memory."""
    width = slots.size(node.type)
    if isinstance(node.value, bytes):
        return node.value.ljust(width, b"\0")
    return (node.value % (1 << 8 * width)).to_bytes(width, "little")


def _repeat(w: Writer, item: Expression, count: int, new: int, offset: int) -> None:
    if _is_zero(item):
        return
    b, size = w.b, slots.size(item.type)
    with w.value(item) as held, b.temporaries(I32, I32) as (at, end):
        b.get(new)
        b.i32(offset)
        b.op("i32.add")
        b.set(at)
        b.get(at)
        b.i32(count * size)
        b.op("i32.add")
        b.set(end)
        with objects.each(b, at, end, size):
            slots.store(b, held, at)


def _default(w: Writer, node: Default) -> None:
    default(w.b, node.type)


def _copy(w: Writer, node: Copy) -> None:
    """What comes from storage is a copy already."""
    w.expr(node.value)
    if not (isinstance(node.value, Load) and in_storage(node.value.place)):
        objects.copy(w.b, node.type)


# Reading


def _load(w: Writer, node: Load) -> None:
    load_place(w, node.place)


def _item(w: Writer, node: Item) -> None:
    """The item's slots; those around it are dropped, or not even loaded from a variable."""
    if not isinstance(node.value.type, Tuple):
        raise TypeError(f"{node.value.type} is no tuple")
    b, items = w.b, node.value.type.items
    start = sum(len(slots.slots(item)) for item in items[: node.index])
    count, behind = len(slots.slots(node.type)), sum(len(slots.slots(item)) for item in items[node.index + 1 :])
    if isinstance(node.value, Load) and isinstance(node.value.place, LocalPlace):
        b.get(*w.variable(node.value.place.local)[start : start + count])
        return
    w.expr(node.value)
    for _ in range(behind):
        b.op("drop")
    if start:
        with w.spilled(node.type) as held:
            for _ in range(start):
                b.op("drop")
            b.get(*held)


def _length(w: Writer, node: Length) -> None:
    type_ = node.of.type
    if isinstance(type_, (Bytes, FixedBytes)):
        value_or_place(w, node.of)
        bytes_.length(w, type_)
    elif in_storage(node.of):
        w.unit.tables.storage.length(w, cast(Place, node.of))
    else:
        value_or_place(w, node.of)
        if isinstance(type_, Array):
            w.b.op("drop")
            w.b.i64(type_.length)
        else:
            w.b.load("i64.load32_u", slots.LIST_LENGTH)


def _slice(w: Writer, node: Slice) -> None:
    match node.value.type:
        case List() as type_:
            w.expr(node.value)
        case Array(item, length):
            type_ = List(item)
            w.expr(node.value)
            _view(w, length)
        case _:
            bytes_.slice_bytes(w, node)
            return
    bytes_.bounds(w, node)
    w.b.call(objects.slice_list(type_))


def _view(w: Writer, length: int) -> None:
    """An array's address on the stack -> a list's header that shows its items, to be read only."""
    b = w.b
    with b.temporaries(I32, I32) as (items, header):
        b.set(items)
        b.i32(slots.LIST_BYTES)
        b.call(ALLOCATE)
        b.set(header)
        b.get(header)
        b.i32(length)
        b.store("i32.store", slots.LIST_LENGTH)
        b.get(header, items)
        b.store("i32.store", slots.LIST_ITEMS)
        b.get(header)


def _contains(w: Writer, node: Contains) -> None:
    if in_storage(node.of):
        w.unit.tables.storage.contains(w, cast(Place, node.of), node.key)
        return
    type_ = node.of.type
    if not isinstance(type_, (List, Array)):
        raise TypeError(f"nothing is in {type_}")
    w.expr(node.key)
    value_or_place(w, node.of)
    w.b.call(objects.contains(w.unit, type_))


# Changing


def _pop(w: Writer, node: Pop) -> None:
    if in_storage(node.place):
        w.unit.tables.storage.pop(w, node.place)
        return
    types = slots.slots(node.type)
    load_place(w, node.place)
    w.b.i32(slots.size(node.type))
    w.b.call(objects.TAKE)
    with w.b.temporaries(I32) as (at,):
        w.b.set(at)
        slots.load(w.b, types, at)


def _append(w: Writer, node: Append) -> None:
    if in_storage(node.place):
        w.unit.tables.storage.append(w, node.place, node.value)
        return
    types = slots.slots(slots.item_type(node.place.type))
    b = w.b
    with b.temporaries(I32) as (header,):
        load_place(w, node.place)
        b.set(header)
        w.expr(node.value)
        b.get(header)
        b.i32(slots.slot_bytes(types))
        b.call(objects.ROOM)
        b.set(header)
        slots.put(b, types, header)


def _delete(w: Writer, node: Delete) -> None:
    delete_place(w, node.place)


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType(
    {
        MakeTuple: _make_tuple,
        MakeStruct: _make_struct,
        MakeList: _make_list,
        Default: _default,
        Copy: _copy,
        Load: _load,
        Item: _item,
        Length: _length,
        Slice: _slice,
        Contains: _contains,
        Pop: _pop,
    }
)
STATEMENTS: Final[Mapping[type, Write]] = MappingProxyType({Append: _append, Delete: _delete})
