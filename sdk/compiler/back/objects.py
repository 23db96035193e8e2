"""Structs, lists and arrays in memory, as runtime routines: deep copies, equality, growth, membership, slices.

An object's routine is made for its type (`slots.spelled`) and shared by all who need it. What has no objects inside is
copied as bytes, by one routine for every size.
Source: docs/language.md, "Structs", "List and Array". Never: evaluates an expression.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back import slots
from sdk.compiler.back.arith import compare
from sdk.compiler.back.asm import Body, Routine, Types
from sdk.compiler.back.bytes import EQUAL, clamp
from sdk.compiler.back.defaults import parts
from sdk.compiler.back.writer import ALLOCATE, Unit, Writer, panic
from sdk.compiler.types import (
    Address,
    Array,
    Bool,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    List,
    Remote,
    String,
    Struct,
    Tuple,
    Type,
)

HEADER: Final = 16
"""Bytes before the items where a list is made in one piece."""
EMPTY: Final = 0x31
_SHORT: Final = 80
"""Bytes of the largest object that is copied word by word: a range costs 20 gas, a word 2."""


@contextmanager
def each(b: Body, at: int, end: int, step: int) -> Iterator[None]:
    """The inside for each address from the one in `at` on, `step` bytes apart, until `at` is the one in `end`."""
    with b.block() as done, b.loop() as again:
        b.get(at, end)
        b.op("i32.eq")
        b.br_if(done)
        yield
        b.get(at)
        b.i32(step)
        b.op("i32.add")
        b.set(at)
        b.br(again)


def extent(b: Body, type_: Array | List, start: int, end: int) -> None:
    """Pop an object's address: its items' first byte and the one behind the last to locals."""
    size = slots.size(type_.item)
    b.set(start)
    if isinstance(type_, Array):
        b.get(start)
        b.i32(type_.length * size)
    else:
        b.get(start)
        b.load("i32.load", slots.LIST_LENGTH)
        slots.scale(b, size)
        b.get(start)
        b.load("i32.load", slots.LIST_ITEMS)
        b.set(start)
        b.get(start)
    b.op("i32.add")
    b.set(end)


# Copies


def copy(b: Body, type_: Type) -> None:
    """A value's slots on the stack -> those of a deep copy."""
    match type_:
        case Tuple(items) if slots.shares(type_):
            with b.temporaries(*slots.slots(type_)) as held:
                b.set(*held)
                at = 0
                for item in items:
                    count = len(slots.slots(item))
                    b.get(*held[at : at + count])
                    copy(b, item)
                    at += count
        case Struct() | Array():
            if any(map(slots.shares, parts(type_))):
                b.call(_copy_deep(type_))
            else:
                _copy_bytes(b, slots.object_bytes(type_))
        case List(item):
            if slots.shares(item):
                b.call(_copy_deep(type_))
            else:
                b.i32(slots.size(item))
                b.call(COPY_LIST)


def _copy_bytes(b: Body, size: int) -> None:
    """An address on the stack -> that of a copy; a few words are cheaper one by one than as a range."""
    if size <= _SHORT:
        types = (I64,) * (size // 8) + (I32,) * (size % 8 // 4)
        b.call(Routine(f"copy {size} bytes", (I32,), (I32,), lambda inner: _copy_words(inner, types)))
    else:
        b.i32(size)
        b.call(COPY)


def _copy_words(b: Body, types: Types) -> None:
    with b.temporaries(I32) as (new,):
        b.i32(slots.slot_bytes(types))
        b.call(ALLOCATE)
        b.set(new)
        slots.load(b, types, 0)
        slots.put(b, types, new)
        b.get(new)


def _write_copy(b: Body) -> None:
    b.get(1)
    b.call(ALLOCATE)
    with b.temporaries(I32) as (new,):
        b.set(new)
        b.get(new, 0, 1)
        b.op("memory.copy")
        b.get(new)


COPY: Final = Routine("copy bytes", (I32, I32), (I32,), _write_copy)
"""Address and number of bytes -> a copy's address."""


def new_list(b: Body, length: int, size: int | None, new: int) -> None:
    """Make a list of so many items as a local says (of `size` bytes, or as many as local 1 says), all zeros."""

    def push_bytes() -> None:
        b.get(length)
        if size is None:
            b.get(1)
            b.op("i32.mul")
        else:
            slots.scale(b, size)

    push_bytes()
    b.i32(HEADER)
    b.op("i32.add")
    b.call(ALLOCATE)
    b.set(new)
    b.get(new, length)
    b.store("i32.store", slots.LIST_LENGTH)
    b.get(new, length)
    b.store("i32.store", slots.LIST_CAPACITY)
    b.get(new, new)
    b.i32(HEADER)
    b.op("i32.add")
    b.store("i32.store", slots.LIST_ITEMS)


def _write_copy_list(b: Body) -> None:
    with b.temporaries(I32, I32) as (new, length):
        b.get(0)
        b.load("i32.load", slots.LIST_LENGTH)
        b.set(length)
        new_list(b, length, None, new)
        b.get(new)
        b.i32(HEADER)
        b.op("i32.add")
        b.get(0)
        b.load("i32.load", slots.LIST_ITEMS)
        b.get(length, 1)
        b.do("i32.mul", "memory.copy")
        b.get(new)


COPY_LIST: Final = Routine("copy list", (I32, I32), (I32,), _write_copy_list)
"""A list and the size of its items in bytes -> a copy."""


def _copy_deep(type_: Struct | Array | List) -> Routine:
    """A routine from an object to a copy; the bytes are copied first, then what they point to, in place."""

    def write(b: Body) -> None:
        with b.temporaries(I32, I32, I32) as (new, at, end):
            b.get(0)
            if isinstance(type_, List):
                b.i32(slots.size(type_.item))
                b.call(COPY_LIST)
            else:
                _copy_bytes(b, slots.object_bytes(type_))
            b.set(new)
            if isinstance(type_, Struct):
                for index, member in enumerate(type_.members):
                    if slots.shares(member.type):
                        _copy_in_place(b, member.type, new, slots.member_offset(type_, index))
            else:
                b.get(new)
                extent(b, type_, at, end)
                with each(b, at, end, slots.size(type_.item)):
                    _copy_in_place(b, type_.item, at, 0)
            b.get(new)

    return Routine(f"copy {slots.spelled(type_)}", (I32,), (I32,), write)


def _copy_in_place(b: Body, type_: Type, address: int, offset: int) -> None:
    types = slots.slots(type_)
    slots.load(b, types, address, offset)
    copy(b, type_)
    slots.put(b, types, address, offset)


# Equality


def equal(w: Writer, type_: Type) -> None:
    """Two values' slots on the stack -> an i32: whether they are equal."""
    b = w.b
    match type_:
        case Int() | FixedBytes() | Address():
            compare(w, "eq", type_)
        case Remote():
            compare(w, "eq", Address())
        case Bool() | Enum():
            b.op("i32.eq")
        case Bytes() | String():
            b.call(EQUAL)
        case Tuple():
            types = slots.slots(type_)
            with b.temporaries(*types) as right, b.temporaries(*types) as left:
                b.set(*right)
                b.set(*left)
                _equal_items(w, type_, left, right)
        case Struct() | List() | Array():
            b.call(_equal_routine(w.unit, type_))
        case _:
            raise TypeError(f"{type_} has no equality")


def _equal_items(w: Writer, type_: Tuple, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """Item by item, until two differ."""
    b, at = w.b, 0
    with b.block((I32,)) as done:
        for item in type_.items:
            count = len(slots.slots(item))
            b.get(*left[at : at + count], *right[at : at + count])
            equal(w, item)
            at += count
            _leave_if_not(b, done)
        b.i32(1)


def _leave_if_not(b: Body, done: object) -> None:
    """An i32 is on the stack: leave with 0 if it is 0."""
    with b.temporaries(I32) as (same,):
        b.set(same)
        b.i32(0)
        b.get(same)
        b.op("i32.eqz")
        b.br_if(done)  # type: ignore[arg-type]
        b.op("drop")


def _equal_routine(unit: Unit, type_: Struct | List | Array) -> Routine:
    def write(b: Body) -> None:
        w = Writer(unit, b)
        with b.block() as differ:
            if isinstance(type_, Struct):
                for index, member in enumerate(type_.members):
                    offset = slots.member_offset(type_, index)
                    slots.load(b, slots.slots(member.type), 0, offset)
                    slots.load(b, slots.slots(member.type), 1, offset)
                    equal(w, member.type)
                    b.op("i32.eqz")
                    b.br_if(differ)
            else:
                if isinstance(type_, List):
                    for side in (0, 1):
                        b.get(side)
                        b.load("i32.load", slots.LIST_LENGTH)
                    b.op("i32.ne")
                    b.br_if(differ)
                with b.temporaries(I32, I32, I32, I32) as (at, end, other, _):
                    b.get(1)
                    extent(b, type_, other, end)
                    b.get(0)
                    extent(b, type_, at, end)
                    with each(b, at, end, slots.size(type_.item)):
                        slots.load(b, slots.slots(type_.item), at)
                        slots.load(b, slots.slots(type_.item), other)
                        equal(w, type_.item)
                        b.op("i32.eqz")
                        b.br_if(differ)
                        b.get(other)
                        b.i32(slots.size(type_.item))
                        b.op("i32.add")
                        b.set(other)
            b.i32(1)
            b.return_()
        b.i32(0)

    return Routine(f"equal {slots.spelled(type_)}", (I32, I32), (I32,), write)


def contains(unit: Unit, type_: List | Array) -> Routine:
    """A routine: an item's slots and an object -> whether some item is equal."""
    types: Types = slots.slots(type_.item)

    def write(b: Body) -> None:
        with b.temporaries(I32, I32) as (at, end):
            b.get(len(types))
            extent(b, type_, at, end)
            with each(b, at, end, slots.size(type_.item)):
                slots.load(b, types, at)
                b.get(*range(len(types)))
                equal(Writer(unit, b), type_.item)
                with b.if_():
                    b.i32(1)
                    b.return_()
            b.i32(0)

    return Routine(f"contains {slots.spelled(type_)}", (*types, I32), (I32,), write)


# Lists that grow and shrink


def _write_room(b: Body) -> None:
    """Twice the capacity when it is used up, 4 at first."""
    with b.temporaries(I32, I32) as (length, items):
        b.get(0)
        b.load("i32.load", slots.LIST_LENGTH)
        b.set(length)
        b.get(length, 0)
        b.load("i32.load", slots.LIST_CAPACITY)
        b.op("i32.eq")
        with b.if_():
            b.get(0)
            b.get(length)
            b.i32(1)
            b.op("i32.shl")
            b.i32(4)
            b.get(length)
            b.do("select")
            b.store("i32.store", slots.LIST_CAPACITY)
            b.get(0)
            b.load("i32.load", slots.LIST_CAPACITY)
            b.get(1)
            b.op("i32.mul")
            b.call(ALLOCATE)
            b.set(items)
            b.get(items, 0)
            b.load("i32.load", slots.LIST_ITEMS)
            b.get(length, 1)
            b.do("i32.mul", "memory.copy")
            b.get(0, items)
            b.store("i32.store", slots.LIST_ITEMS)
        b.get(0, length)
        b.i32(1)
        b.op("i32.add")
        b.store("i32.store", slots.LIST_LENGTH)
        b.get(0)
        b.load("i32.load", slots.LIST_ITEMS)
        b.get(length, 1)
        b.do("i32.mul", "i32.add")


ROOM: Final = Routine("append room", (I32, I32), (I32,), _write_room)
"""A list and the size of its items -> the address of one more item behind the last, which counts from now on."""


def _write_take(b: Body) -> None:
    with b.temporaries(I32) as (length,):
        b.get(0)
        b.load("i32.load", slots.LIST_LENGTH)
        b.set(length)
        b.get(length)
        b.op("i32.eqz")
        with b.if_():
            panic(b, EMPTY)
        b.get(0, length)
        b.i32(1)
        b.op("i32.sub")
        b.tee(length)
        b.store("i32.store", slots.LIST_LENGTH)
        b.get(0)
        b.load("i32.load", slots.LIST_ITEMS)
        b.get(length, 1)
        b.do("i32.mul", "i32.add")


TAKE: Final = Routine("pop", (I32, I32), (I32,), _write_take)
"""A list and the size of its items -> the address of its last one, which counts no longer. Panic 0x31 when empty."""


def slice_list(type_: List) -> Routine:
    """A routine: a list, start and stop (u64) -> a new list of copies of the items between them."""

    def write(b: Body) -> None:
        size = slots.size(type_.item)
        with b.temporaries(I32, I32, I32, I32) as (new, length, at, end):
            clamp(b, 2, lambda: _push_length(b))
            clamp(b, 1, lambda: b.get(2))
            b.get(2, 1)
            b.do("i64.sub", "i32.wrap_i64")
            b.set(length)
            new_list(b, length, size, new)
            b.get(new)
            b.i32(HEADER)
            b.op("i32.add")
            b.get(0)
            b.load("i32.load", slots.LIST_ITEMS)
            b.get(1)
            b.op("i32.wrap_i64")
            slots.scale(b, size)
            b.op("i32.add")
            b.get(length)
            slots.scale(b, size)
            b.op("memory.copy")
            if slots.shares(type_.item):
                b.get(new)
                extent(b, type_, at, end)
                with each(b, at, end, size):
                    _copy_in_place(b, type_.item, at, 0)
            b.get(new)

    return Routine(f"slice {slots.spelled(type_)}", (I32, I64, I64), (I32,), write)


def _push_length(b: Body) -> None:
    b.get(0)
    b.load("i64.load32_u", slots.LIST_LENGTH)
