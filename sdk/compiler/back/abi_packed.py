"""Encodings without heads: `abi.encodePacked`, and what indexed values of events are hashed from.

Packed: numbers and bytesN in their own width, Bytes and String as they are, the items of lists and arrays as words.
Indexed values: Bytes and String as they are when alone and padded to words inside others, all else as words, without
offsets and lengths. Source: Solidity, "Contract ABI Specification", "Non-standard Packed Mode" and "Encoding of
Indexed Event Parameters". Never: decodes; nobody can.
"""

from __future__ import annotations

from contractvm.wasm.module import I32
from sdk.compiler.back import slots
from sdk.compiler.back.abi_encode import Parts, put_static
from sdk.compiler.back.abi_words import WORD_BYTES, dynamic, head_bytes, put_word
from sdk.compiler.back.arith_words import SWAP
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.operand import Held, Spot, Where, items, lying, push
from sdk.compiler.back.storage_values import advance, repeat
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


def _width(type_: Type) -> int | None:
    """Bytes of a value in packed mode, None where they vary."""
    match type_:
        case Int(bits):
            return bits // 8
        case Bool() | Enum():
            return 1
        case Address() | Remote():
            return slots.ADDRESS_BYTES
        case FixedBytes(size):
            return size
        case Array(item, length) if not dynamic(item):
            return length * head_bytes(item)
    return None


def packed(b: Body, inside: Parts, start: int, length: int) -> None:
    """Allocate and write values: address and length go to two locals."""
    with b.temporaries(I32, I32) as (cursor, scratch):
        b.i32(sum(_width(type_) or 0 for type_, _ in inside))
        for type_, where in inside:
            if isinstance(type_, (Bytes, String)):
                where.push(b, 1)
                b.op("i32.add")
            elif isinstance(type_, List):
                where.push(b, 0)
                b.load("i32.load", slots.LIST_LENGTH)
                slots.scale(b, head_bytes(type_.item))
                b.op("i32.add")
        b.set(length)
        # A number may be written from a few bytes before it on: of a word, only its end is meant.
        b.i32(WORD_BYTES)
        b.call(ALLOCATE)
        b.set(scratch)
        b.get(length)
        b.call(ALLOCATE)
        b.tee(start)
        b.set(cursor)
        for type_, where in inside:
            _put(b, type_, where, cursor, scratch)


def _put(b: Body, type_: Type, where: Where, cursor: int, scratch: int) -> None:
    width = _width(type_)
    if isinstance(type_, (Bytes, String)):
        b.get(cursor)
        push(b, type_, where)
        b.op("memory.copy")
        b.get(cursor)
        where.push(b, 1)
        b.op("i32.add")
        b.set(cursor)
    elif isinstance(type_, (List, Array)):
        where.push(b, 0)
        b.get(cursor)
        b.call(_words(type_))
        b.set(cursor)
    elif width is not None:
        _put_width(b, type_, where, width, cursor, scratch)
        advance(b, cursor, width)
    else:
        raise TypeError(f"{type_} cannot be packed")


def _put_width(b: Body, type_: Type, where: Where, width: int, cursor: int, scratch: int) -> None:
    """Write a value of few bytes: its word is made apart, and its own bytes copied."""
    if width == WORD_BYTES:
        put_word(b, type_, where, Spot(cursor, 0))
        return
    if isinstance(type_, Int) and width == 8:
        b.get(cursor)
        where.push(b, 0)
        b.call(SWAP)
        b.store("i64.store")
        return
    if isinstance(type_, (Bool, Enum)):
        b.get(cursor)
        where.push(b, 0)
        b.store("i32.store8")
        return
    put_word(b, type_, where, Spot(scratch, 0))
    b.get(cursor)
    b.get(scratch)
    if not isinstance(type_, FixedBytes):
        b.i32(WORD_BYTES - width)
        b.op("i32.add")
    b.i32(width)
    b.op("memory.copy")


def _open_items(b: Body, type_: List | Array) -> None:
    """Push how many items there are, and move local 0 from the list or array to the first."""
    if isinstance(type_, Array):
        b.i32(type_.length)
        return
    b.get(0)
    b.load("i32.load", slots.LIST_LENGTH)
    b.get(0)
    b.load("i32.load", slots.LIST_ITEMS)
    b.set(0)


def _words(type_: List | Array) -> Routine:
    """Address of a list or an array and a cursor -> the cursor behind its items as words."""
    item = type_.item

    def write(b: Body) -> None:
        moving = ((0, slots.size(item)), (1, head_bytes(item)))
        _open_items(b, type_)
        repeat(b, None, moving, lambda: put_static(b, item, lying(item, 0), Spot(1, 0)))
        b.get(1)

    return Routine(f"abi words {slots.spelled(type_)}", (I32, I32), (I32,), write)


def topic(b: Body, type_: Type, where: Where, at: Spot) -> None:
    """Write the topic of an indexed value: its word, or a hash."""
    match type_:
        case Bytes() | String():
            push(b, type_, where)
        case Struct() | Tuple() | List() | Array():
            end = b.assembly.global_("heap", I32, None)
            with b.temporaries(I32) as (start,):
                b.global_get(end)
                b.set(start)
                _in_place(b, type_, where)
                b.get(start)
                b.global_get(end)
                b.get(start)
                b.op("i32.sub")
        case _:
            put_word(b, type_, where, at)
            return
    at.address(b)
    b.host("keccak256")


def _in_place(b: Body, type_: Type, where: Where) -> None:
    """Write a value to the heap's end as indexed values are hashed."""
    if isinstance(type_, Tuple):
        for item, part in items(type_, where):
            _in_place(b, item, part)
        return
    push(b, type_, where)
    b.call(_place(type_))


def _place(type_: Type) -> Routine:
    def write(b: Body) -> None:
        match type_:
            case Struct(members=members):
                for index, member in enumerate(members):
                    _in_place(b, member.type, lying(member.type, 0, slots.member_offset(type_, index)))
            case List(item) | Array(item):
                _open_items(b, type_)
                repeat(b, None, ((0, slots.size(item)),), lambda: _in_place(b, item, lying(item, 0)))
            case Bytes() | String():
                with b.temporaries(I32) as (at,):
                    b.get(1)
                    b.i32(31)
                    b.op("i32.add")
                    b.i32(-32)
                    b.op("i32.and")
                    b.call(ALLOCATE)
                    b.tee(at)
                    b.get(0, 1)
                    b.op("memory.copy")
            case _:
                with b.temporaries(I32) as (at,):
                    b.i32(WORD_BYTES)
                    b.call(ALLOCATE)
                    b.set(at)
                    put_word(b, type_, _parameters(type_), Spot(at, 0))

    return Routine(f"abi place {slots.spelled(type_)}", slots.slots(type_), (), write)


def _parameters(type_: Type) -> Where:
    return Held(tuple(range(len(slots.slots(type_)))))
