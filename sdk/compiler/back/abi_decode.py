"""ABI decoding, as strict as Solidity's: whatever lies outside the data, or is no value of its type, reverts.

Heads are checked once for a whole sequence. A dynamic value is read by its head's address, the start of what offsets
count from, and the data's end. Bytes and String are views of the data; structs, lists and arrays are fresh objects.
Source: Solidity, "Contract ABI Specification"; the checks are those of its ABI decoder, version 2.
Never: copies the data.
"""

from __future__ import annotations

from collections.abc import Sequence

from contractvm.wasm.module import I32, I64
from sdk.compiler.back import slots
from sdk.compiler.back.abi_encode import heads
from sdk.compiler.back.abi_words import WORD_BYTES, dynamic, get_word, head_bytes, parts
from sdk.compiler.back.arith_words import SWAP
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.operand import Spot
from sdk.compiler.back.reverts import refuse_if, refuse_unless_zero
from sdk.compiler.back.storage_values import fresh_list, repeat
from sdk.compiler.back.writer import ALLOCATE
from sdk.compiler.types import Array, Bytes, List, String, Struct, Tuple, Type


def get_static(b: Body, type_: Type, at: Spot) -> None:
    """Push a value that is not dynamic."""
    match type_:
        case Tuple(items):
            for item in items:
                get_static(b, item, at)
                at = at.plus(head_bytes(item))
        case Struct() | Array():
            at.address(b)
            b.call(_get_object(type_))
        case _:
            get_word(b, type_, at)


def _get_object(type_: Struct | Array) -> Routine:
    def write(b: Body) -> None:
        with b.temporaries(I32, I32) as (start, to):
            b.i32(slots.object_bytes(type_))
            b.call(ALLOCATE)
            b.tee(start)
            b.set(to)
            if isinstance(type_, Struct):
                at = Spot(0, 0)
                for index, member in enumerate(type_.members):
                    get_static(b, member.type, at)
                    slots.put(b, slots.slots(member.type), start, slots.member_offset(type_, index))
                    at = at.plus(head_bytes(member.type))
            else:
                item = type_.item

                def step() -> None:
                    get_static(b, item, Spot(0, 0))
                    slots.put(b, slots.slots(item), to)

                repeat(b, type_.length, ((0, head_bytes(item)), (to, slots.size(item))), step)
            b.get(start)

    return Routine(f"abi get {slots.spelled(type_)}", (I32,), (I32,), write)


def check_room(b: Body, at: int, end: int, size: int) -> None:
    """Refuse when fewer than `size` bytes lie between two addresses in locals, the first not behind the second."""
    b.get(end, at)
    b.op("i32.sub")
    b.i32(size)
    b.op("i32.lt_u")
    refuse_if(b)


def get_sequence(b: Body, types: Sequence[Type], base: int, end: int, at: Spot | None = None) -> None:
    """Push the values of a sequence whose heads were found to be there; offsets count from the local `base`."""
    at = at or Spot(base, 0)
    for type_ in types:
        get(b, type_, base, end, at)
        at = at.plus(head_bytes(type_))


def get(b: Body, type_: Type, base: int, end: int, at: Spot) -> None:
    """Push a value whose head is at a place."""
    if not dynamic(type_):
        get_static(b, type_, at)
    elif isinstance(type_, Tuple):
        with b.temporaries(I32) as (inner,):
            at.address(b)
            b.get(base, end)
            b.call(_follow(heads(type_.items)))
            b.set(inner)
            get_sequence(b, type_.items, inner, end)
    else:
        at.address(b)
        b.get(base, end)
        b.call(_get_dynamic(type_))


def _follow(least: int) -> Routine:
    """Address of an offset, what it counts from, the data's end -> where it leads; `least` bytes are there."""

    def write(b: Body) -> None:
        with b.temporaries(I64) as (offset,):
            _small(b, 0)
            b.set(offset)
            b.get(offset)
            b.get(2, 1)
            b.do("i32.sub", "i64.extend_i32_u")
            b.op("i64.gt_u")
            refuse_if(b)
            b.get(1)
            b.get(offset)
            b.do("i32.wrap_i64", "i32.add")
            b.set(1)
            check_room(b, 1, 2, least)
            b.get(1)

    return Routine(f"abi follow {least}", (I32, I32, I32), (I32,), write)


def _small(b: Body, local: int) -> None:
    """Push the word at the address in a local, which is below 2^64."""
    for i in range(3):
        b.get(local)
        b.load("i64.load", 8 * i)
        if i:
            b.op("i64.or")
    refuse_unless_zero(b)
    b.get(local)
    b.load("i64.load", 24)
    b.call(SWAP)


def _get_dynamic(type_: Type) -> Routine:
    """Address of an offset, what it counts from, the data's end -> slots."""

    def write(b: Body) -> None:
        b.get(0, 1, 2)
        match type_:
            case Bytes() | String():
                b.call(_follow(WORD_BYTES))
                b.set(0)
                _count(b, 1, 1)
                b.get(0)
                b.i32(WORD_BYTES)
                b.op("i32.add")
                b.get(1)
            case List(item):
                b.call(_follow(WORD_BYTES))
                b.set(0)
                _get_list(b, item)
            case Array(item, length):
                b.call(_follow(length * head_bytes(item)))
                b.set(0)
                with b.temporaries(I32, I32) as (start, count):
                    b.i32(slots.object_bytes(type_))
                    b.call(ALLOCATE)
                    b.set(start)
                    b.i32(length)
                    b.set(count)
                    _get_items(b, item, start, count)
                    b.get(start)
            case Struct():
                inside = parts(type_)
                b.call(_follow(heads(inside)))
                b.set(0)
                _get_struct(b, type_, inside)
            case _:
                raise TypeError(f"{type_} is not dynamic")

    name = "Bytes" if isinstance(type_, String) else slots.spelled(type_)
    return Routine(f"abi get {name}", (I32, I32, I32), slots.slots(type_), write)


def _count(b: Body, count: int, size: int) -> None:
    """The length at the address in local 0 goes to a local: that many items of `size` bytes lie before the end in 2."""
    with b.temporaries(I64) as (length,):
        _small(b, 0)
        b.set(length)
        b.get(length)
        b.get(2, 0)
        b.op("i32.sub")
        b.i32(WORD_BYTES)
        b.op("i32.sub")
        if size > 1:
            b.i32(size)
            b.op("i32.div_u")
        b.op("i64.extend_i32_u")
        b.op("i64.gt_u")
        refuse_if(b)
        b.get(length)
        b.op("i32.wrap_i64")
        b.set(count)


def _get_list(b: Body, item: Type) -> None:
    with b.temporaries(I32, I32, I32) as (header, start, count):
        _count(b, count, head_bytes(item))
        b.get(0)
        b.i32(WORD_BYTES)
        b.op("i32.add")
        b.set(0)
        fresh_list(b, item, count, header, start)
        _get_items(b, item, start, count)
        b.get(header)


def _get_items(b: Body, item: Type, start: int, count: int) -> None:
    """Items whose heads lie from the address in local 0 on, to memory from `start` on."""
    with b.temporaries(I32, I32) as (at, to):
        b.get(0)
        b.set(at)
        b.get(start)
        b.set(to)

        def step() -> None:
            get(b, item, 0, 2, Spot(at, 0))
            slots.put(b, slots.slots(item), to)

        b.get(count)
        repeat(b, None, ((at, head_bytes(item)), (to, slots.size(item))), step)


def _get_struct(b: Body, type_: Struct, inside: Sequence[Type]) -> None:
    with b.temporaries(I32) as (start,):
        b.i32(slots.object_bytes(type_))
        b.call(ALLOCATE)
        b.set(start)
        at = Spot(0, 0)
        for index, member in enumerate(inside):
            get(b, member, 0, 2, at)
            slots.put(b, slots.slots(member), start, slots.member_offset(type_, index))
            at = at.plus(head_bytes(member))
        b.get(start)
