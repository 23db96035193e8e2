"""Values as they lie in storage: little-endian parts one behind the other; `sdk.compiler.layout` says how.

`put` and `get` are for types of fixed size, at places known when the code is written. `put_open` and `get_open` are for
the rest: a cursor in a local moves on, and room is made at the heap's end as it is needed.
Never: calls storage (`storage_entry` does).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler import layout
from sdk.compiler.back import slots
from sdk.compiler.back.abi_words import check_member
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.operand import Spot, Where, items, lying
from sdk.compiler.back.operand import push as push_slots
from sdk.compiler.back.slots import slots as slots_of
from sdk.compiler.back.writer import ALLOCATE
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

STORES: Final = {8: "i64.store", 4: "i64.store32", 2: "i64.store16", 1: "i64.store8"}
LOADS: Final = {8: "i64.load", 4: "i64.load32_u", 2: "i64.load16_u", 1: "i64.load8_u"}


def _pieces(size: int) -> list[tuple[int, int]]:
    """(offset, bytes) of the accesses that make up 1 to 8 bytes."""
    found, at = [], 0
    for piece in (8, 4, 2, 1):
        if size - at >= piece:
            found.append((at, piece))
            at += piece
    return found


def _number(type_: Type) -> tuple[int, bool]:
    """Bytes of what lies as a number, and whether it has a sign."""
    match type_:
        case Int(bits, signed):
            return bits // 8, signed
        case FixedBytes(size):
            return size, False
        case Address() | Remote():
            return slots.ADDRESS_BYTES, False
    raise TypeError(f"{type_} does not lie as a number")


# Fixed size


def put(b: Body, type_: Type, where: Where, at: Spot) -> None:
    """Write a value of fixed size."""
    match type_:
        case Bool() | Enum():
            at.push(b)
            where.push(b, 0)
            b.store("i32.store8", at.offset)
        case Tuple():
            for item, part in items(type_, where):
                put(b, item, part, at)
                at = at.plus(_fixed(item))
        case Struct() | Array():
            where.push(b, 0)
            at.address(b)
            b.call(_put_object(type_))
        case _:
            size, _ = _number(type_)
            for limb in range(-(-size // 8)):
                for offset, piece in _pieces(min(8, size - 8 * limb)):
                    at.push(b)
                    where.push(b, limb)
                    if offset:
                        b.i64(8 * offset)
                        b.op("i64.shr_u")
                    b.store(STORES[piece], at.offset + 8 * limb + offset)


def get(b: Body, type_: Type, at: Spot) -> None:
    """Push a value of fixed size; objects are fresh.

    Other code may have written here, by a delegate call or in an earlier version: what is not 0 is True, and a number
    that no member of an enum has is Panic 0x21, as Solidity has it.
    """
    match type_:
        case Bool():
            at.push(b)
            b.load("i32.load8_u", at.offset)
            b.i32(0)
            b.op("i32.ne")
        case Enum():
            at.push(b)
            b.load("i32.load8_u", at.offset)
            with b.temporaries(I32) as (value,):
                b.set(value)
                check_member(b, type_, value)
                b.get(value)
        case Tuple(inside):
            for item in inside:
                get(b, item, at)
                at = at.plus(_fixed(item))
        case Struct() | Array():
            at.address(b)
            b.call(_get_object(type_))
        case _:
            _get_number(b, type_, at)


def _get_number(b: Body, type_: Type, at: Spot) -> None:
    size, signed = _number(type_)
    count = len(slots_of(type_))
    used = -(-size // 8)
    for limb in range(used):
        rest = min(8, size - 8 * limb)
        for offset, piece in _pieces(rest):
            at.push(b)
            b.load(LOADS[piece], at.offset + 8 * limb + offset)
            if offset:
                b.i64(8 * offset)
                b.do("i64.shl", "i64.or")
        if signed and rest < 8:
            b.i64(64 - 8 * rest)
            b.op("i64.shl")
            b.i64(64 - 8 * rest)
            b.op("i64.shr_s")
    if used == count:
        return
    if not signed:
        for _ in range(count - used):
            b.i64(0)
        return
    with b.temporaries(I64) as (top,):
        b.tee(top)
        for _ in range(count - used):
            b.get(top)
            b.i64(63)
            b.op("i64.shr_s")


def _fixed(type_: Type) -> int:
    size = layout.fixed_bytes(type_)
    if size is None:
        raise TypeError(f"{type_} has no fixed size in storage")
    return size


def _put_object(type_: Struct | Array) -> Routine:
    def write(b: Body) -> None:
        if isinstance(type_, Struct):
            at = Spot(1, 0)
            for index, member in enumerate(type_.members):
                put(b, member.type, lying(member.type, 0, slots.member_offset(type_, index)), at)
                at = at.plus(_fixed(member.type))
            return

        def step() -> None:
            put(b, type_.item, lying(type_.item, 0), Spot(1, 0))

        repeat(b, type_.length, ((0, slots.size(type_.item)), (1, _fixed(type_.item))), step)

    return Routine(f"put {slots.spelled(type_)}", (I32, I32), (), write)


def _get_object(type_: Struct | Array) -> Routine:
    def write(b: Body) -> None:
        with b.temporaries(I32) as (start,):
            b.i32(slots.object_bytes(type_))
            b.call(ALLOCATE)
            b.set(start)
            if isinstance(type_, Struct):
                at = Spot(0, 0)
                for index, member in enumerate(type_.members):
                    get(b, member.type, at)
                    slots.put(b, slots_of(member.type), start, slots.member_offset(type_, index))
                    at = at.plus(_fixed(member.type))
            else:
                with b.temporaries(I32) as (to,):
                    b.get(start)
                    b.set(to)

                    def step() -> None:
                        get(b, type_.item, Spot(0, 0))
                        slots.put(b, slots_of(type_.item), to)

                    repeat(b, type_.length, ((0, _fixed(type_.item)), (to, slots.size(type_.item))), step)
            b.get(start)

    return Routine(f"get {slots.spelled(type_)}", (I32,), (I32,), write)


def repeat(b: Body, times: int | None, moving: tuple[tuple[int, int], ...], step: Callable[[], None]) -> None:
    """Do a step `times` times (None: as the i32 on the stack says); each local moves on by its bytes behind each."""
    with b.temporaries(I32) as (left,):
        if times is not None:
            b.i32(times)
        b.set(left)
        with b.block() as done, b.loop() as again:
            b.get(left)
            b.op("i32.eqz")
            b.br_if(done)
            step()
            for local, size in moving:
                advance(b, local, size)
            b.get(left)
            b.i32(1)
            b.op("i32.sub")
            b.set(left)
            b.br(again)


def advance(b: Body, local: int, size: int) -> None:
    """Move a local on by a constant."""
    if size:
        b.get(local)
        b.i32(size)
        b.op("i32.add")
        b.set(local)


# Any size


def _reserve(b: Body) -> None:
    end = b.assembly.global_("heap", I32, None)
    with b.temporaries(I32) as (past,):
        b.get(0, 1)
        b.op("i32.add")
        b.global_get(end)
        b.op("i32.sub")
        b.set(past)
        b.get(past)
        b.i32(0)
        b.op("i32.gt_s")
        with b.if_():
            b.get(past)
            b.call(ALLOCATE)
            b.op("drop")


RESERVE: Final = Routine("reserve", (I32, I32), (), _reserve)
"""A cursor near the heap's end and bytes behind it: move the heap's end so that they lie before it."""


def _reserve_more(b: Body, cursor: int, size: int) -> None:
    b.get(cursor)
    b.i32(size)
    b.call(RESERVE)


def put_open(b: Body, type_: Type, where: Where, cursor: int) -> None:
    """Write a value at a cursor in a local, and move the cursor behind it."""
    size = layout.fixed_bytes(type_)
    if size is not None:
        _reserve_more(b, cursor, size)
        put(b, type_, where, Spot(cursor, 0))
        advance(b, cursor, size)
        return
    if isinstance(type_, Tuple):
        for item, part in items(type_, where):
            put_open(b, item, part, cursor)
        return
    push_slots(b, type_, where)
    b.get(cursor)
    b.call(_put_open(type_))
    b.set(cursor)


def _put_open(type_: Type) -> Routine:
    """Slots and cursor -> cursor."""
    params = (*slots_of(type_), I32)
    cursor = len(params) - 1

    def write(b: Body) -> None:
        match type_:
            case Bytes() | String():
                b.get(2, 1)
                b.i32(layout.LENGTH_BYTES)
                b.op("i32.add")
                b.call(RESERVE)
                b.get(2, 1)
                b.store("i32.store")
                advance(b, 2, layout.LENGTH_BYTES)
                b.get(2, 0, 1)
                b.op("memory.copy")
                b.get(2, 1)
                b.op("i32.add")
                b.set(2)
            case Struct(members=members):
                for index, member in enumerate(members):
                    put_open(b, member.type, lying(member.type, 0, slots.member_offset(type_, index)), cursor)
            case List(item):
                _reserve_more(b, cursor, layout.LENGTH_BYTES)
                b.get(cursor, 0)
                b.load("i32.load", slots.LIST_LENGTH)
                b.store("i32.store")
                advance(b, cursor, layout.LENGTH_BYTES)
                with b.temporaries(I32) as (at,):
                    b.get(0)
                    b.load("i32.load", slots.LIST_ITEMS)
                    b.set(at)
                    b.get(0)
                    b.load("i32.load", slots.LIST_LENGTH)
                    repeat(b, None, ((at, slots.size(item)),), lambda: put_open(b, item, lying(item, at), cursor))
            case Array(item, length):
                repeat(b, length, ((0, slots.size(item)),), lambda: put_open(b, item, lying(item, 0), cursor))
            case _:
                raise TypeError(f"{type_} has a fixed size in storage")
        b.get(cursor)

    return Routine(f"put open {slots.spelled(type_)}", params, (I32,), write)


def get_open(b: Body, type_: Type, cursor: int) -> None:
    """Push the value at a cursor in a local, and move the cursor behind it."""
    size = layout.fixed_bytes(type_)
    if size is not None:
        get(b, type_, Spot(cursor, 0))
        advance(b, cursor, size)
        return
    match type_:
        case Tuple(inside):
            for item in inside:
                get_open(b, item, cursor)
        case Bytes() | String():
            advance(b, cursor, layout.LENGTH_BYTES)
            b.get(cursor)
            b.get(cursor)
            b.i32(layout.LENGTH_BYTES)
            b.op("i32.sub")
            with b.temporaries(I32) as (length,):
                b.load("i32.load")
                b.tee(length)
                b.get(cursor, length)
                b.op("i32.add")
                b.set(cursor)
        case _:
            b.get(cursor)
            b.call(_get_open(type_))
            b.set(cursor)


def _get_open(type_: Type) -> Routine:
    """Cursor -> a fresh object and the cursor behind."""

    def write(b: Body) -> None:
        with b.temporaries(I32) as (start,):
            match type_:
                case Struct(members=members):
                    _allocate(b, slots.object_bytes(type_), start)
                    for index, member in enumerate(members):
                        get_open(b, member.type, 0)
                        slots.put(b, slots_of(member.type), start, slots.member_offset(type_, index))
                case Array(item, length):
                    _allocate(b, slots.object_bytes(type_), start)
                    b.i32(length)
                    _get_items(b, item, start)
                case List(item):
                    _get_list(b, item, start)
                case _:
                    raise TypeError(f"{type_} has a fixed size in storage")
            b.get(start, 0)

    return Routine(f"get open {slots.spelled(type_)}", (I32,), (I32, I32), write)


def _allocate(b: Body, size: int, local: int) -> None:
    b.i32(size)
    b.call(ALLOCATE)
    b.set(local)


def _get_list(b: Body, item: Type, start: int) -> None:
    with b.temporaries(I32, I32) as (count, place):
        b.get(0)
        b.load("i32.load")
        b.set(count)
        advance(b, 0, layout.LENGTH_BYTES)
        fresh_list(b, item, count, start, place)
        b.get(count)
        _get_items(b, item, place)


def fresh_list(b: Body, item: Type, count: int, header: int, place: int) -> None:
    """Allocate a list of `count` (a local) items: its header's and its first item's address go to locals."""
    _allocate(b, slots.LIST_BYTES, header)
    b.get(count)
    slots.scale(b, slots.size(item))
    b.call(ALLOCATE)
    b.set(place)
    for local, offset in ((count, slots.LIST_LENGTH), (count, slots.LIST_CAPACITY), (place, slots.LIST_ITEMS)):
        b.get(header, local)
        b.store("i32.store", offset)


def _get_items(b: Body, item: Type, start: int) -> None:
    """As many items as the i32 on the stack says, from the cursor in local 0 into memory from `start` on."""
    with b.temporaries(I32, I32) as (to, count):
        b.set(count)
        b.get(start)
        b.set(to)

        def step() -> None:
            get_open(b, item, 0)
            slots.put(b, slots_of(item), to)

        b.get(count)
        repeat(b, None, ((to, slots.size(item)),), step)
