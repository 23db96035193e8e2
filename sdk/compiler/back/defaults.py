"""The default of every type, as slots on wasm's stack: zeros, or fresh objects of defaults in memory.

Memory that `ALLOCATE` gives is zeros, so only objects in objects have to be made.
Source: docs/language.md, "Types". Never: knows storage.
"""

from __future__ import annotations

from contractvm.wasm.module import I32, I64
from sdk.compiler.back import slots
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.writer import ALLOCATE
from sdk.compiler.types import Array, List, Struct, Tuple, Type


def default(b: Body, type_: Type) -> None:
    """Push the slots of a type's default; an object is new each time."""
    match type_:
        case Struct() | Array():
            if any(map(slots.shares, parts(type_))):
                b.call(_routine(type_))
            else:
                b.i32(slots.object_bytes(type_))
                b.call(ALLOCATE)
        case List():
            b.i32(slots.LIST_BYTES)
            b.call(ALLOCATE)
        case Tuple(items):
            for item in items:
                default(b, item)
        case _:
            zeros(b, slots.slots(type_))


def zeros(b: Body, types: tuple[int, ...]) -> None:
    """Push zeros."""
    for slot in types:
        if slot == I64:
            b.i64(0)
        else:
            b.i32(0)


def parts(type_: Struct | Array) -> tuple[Type, ...]:
    """The types that an object's memory has, of an array the item's once."""
    return tuple(member.type for member in type_.members) if isinstance(type_, Struct) else (type_.item,)


def _routine(type_: Struct | Array) -> Routine:
    def write(b: Body) -> None:
        with b.temporaries(I32) as (start,):
            b.i32(slots.object_bytes(type_))
            b.call(ALLOCATE)
            b.set(start)
            if isinstance(type_, Struct):
                for index, member in enumerate(type_.members):
                    if slots.shares(member.type):
                        default(b, member.type)
                        slots.put(b, slots.slots(member.type), start, slots.member_offset(type_, index))
            else:
                _fill(b, type_, start)
            b.get(start)

    return Routine(f"default {slots.spelled(type_)}", (), (I32,), write)


def _fill(b: Body, type_: Array, start: int) -> None:
    """Put a default into each place of an array, from the last to the first."""
    size = slots.size(type_.item)
    with b.temporaries(I32) as (at,):
        b.get(start)
        b.i32(type_.length * size)
        b.op("i32.add")
        b.set(at)
        with b.loop() as again:
            b.get(at)
            b.i32(size)
            b.op("i32.sub")
            b.set(at)
            default(b, type_.item)
            slots.put(b, slots.slots(type_.item), at)
            b.get(at)
            b.get(start)
            b.op("i32.ne")
            b.br_if(again)
