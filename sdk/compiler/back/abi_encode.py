"""ABI encoding: values in wasm locals or memory to the heap's end, head first, each tail behind what is there already.

Everything that is encoded is a multiple of 32 bytes and nothing else allocates meanwhile, so allocations lie one behind
the other, fresh zeros: no size is computed beforehand and no padding is written.
Source: Solidity, "Contract ABI Specification".
Never: evaluates an expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler.back import slots
from sdk.compiler.back.abi_words import WORD_BYTES, dynamic, head_bytes, put_size, put_word
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.operand import Spot, Where, items, lying, push
from sdk.compiler.back.storage_values import repeat
from sdk.compiler.back.writer import ALLOCATE
from sdk.compiler.types import Array, Bytes, List, String, Struct, Tuple, Type

Parts = Sequence[tuple[Type, Where]]


def heads(types: Sequence[Type]) -> int:
    """Bytes of a sequence without its tails."""
    return sum(map(head_bytes, types))


def all_static(types: Sequence[Type]) -> bool:
    return not any(map(dynamic, types))


def put_static(b: Body, type_: Type, where: Where, at: Spot) -> None:
    """Write a value that is not dynamic."""
    match type_:
        case Tuple():
            for item, part in items(type_, where):
                put_static(b, item, part, at)
                at = at.plus(head_bytes(item))
        case Struct() | Array():
            where.push(b, 0)
            at.address(b)
            b.call(_put_object(type_))
        case _:
            put_word(b, type_, where, at)


def put_parts(b: Body, inside: Parts, at: Spot) -> None:
    """Write values that are not dynamic, one behind the other."""
    for type_, where in inside:
        put_static(b, type_, where, at)
        at = at.plus(head_bytes(type_))


def _put_object(type_: Struct | Array) -> Routine:
    """Address of an object, and where to write it."""

    def write(b: Body) -> None:
        if isinstance(type_, Struct):
            put_parts(b, _members(type_, 0), Spot(1, 0))
            return
        item = type_.item
        moving = ((0, slots.size(item)), (1, head_bytes(item)))
        repeat(b, type_.length, moving, lambda: put_static(b, item, lying(item, 0), Spot(1, 0)))

    return Routine(f"abi put {slots.spelled(type_)}", (I32, I32), (), write)


def _members(type_: Struct, address: int) -> list[tuple[Type, Where]]:
    return [
        (member.type, lying(member.type, address, slots.member_offset(type_, index)))
        for index, member in enumerate(type_.members)
    ]


def sequence(b: Body, inside: Parts, base: int, before: int = 0) -> None:
    """Allocate and write a sequence of values; its address less `before` bytes goes to the local `base`.

    The bytes before are zeros to be filled in by the caller, so many that it stays a multiple of eight with the rest.
    """
    size = before + heads([type_ for type_, _ in inside])
    b.i32(size)
    b.call(ALLOCATE)
    b.set(base)
    _heads(b, inside, base, before)


def _heads(b: Body, inside: Parts, base: int, before: int = 0) -> None:
    """Write heads from `before` bytes behind the local `base`, and their tails; offsets count from there."""
    at = Spot(base, before)
    for type_, where in inside:
        if dynamic(type_):
            _put_offset(b, base, before, at)
            _put_tail(b, type_, where)
        else:
            put_static(b, type_, where, at)
        at = at.plus(head_bytes(type_))


def _put_offset(b: Body, base: int, before: int, at: Spot) -> None:
    """Write how far behind `base` and the bytes before the heap ends."""
    with b.temporaries(I32) as (offset,):
        b.global_get(b.assembly.global_("heap", I32, None))
        b.get(base)
        b.op("i32.sub")
        if before:
            b.i32(before)
            b.op("i32.sub")
        b.set(offset)
        put_size(b, offset, at)


def _put_tail(b: Body, type_: Type, where: Where) -> None:
    if isinstance(type_, Tuple):
        with b.temporaries(I32) as (base,):
            sequence(b, items(type_, where), base)
        return
    push(b, type_, where)
    b.call(_tail(type_))


def _tail(type_: Type) -> Routine:
    """Slots of a dynamic value: write it to the heap's end."""

    def write(b: Body) -> None:
        match type_:
            case Bytes() | String():
                _tail_bytes(b)
            case Struct():
                with b.temporaries(I32) as (base,):
                    sequence(b, _members(type_, 0), base)
            case List(item) | Array(item):
                _tail_items(b, type_, item)
            case _:
                raise TypeError(f"{type_} is not dynamic")

    name = "Bytes" if isinstance(type_, String) else slots.spelled(type_)
    return Routine(f"abi tail {name}", slots.slots(type_), (), write)


def _tail_bytes(b: Body) -> None:
    with b.temporaries(I32) as (at,):
        b.get(1)
        b.i32(WORD_BYTES + 31)
        b.op("i32.add")
        b.i32(-32)
        b.op("i32.and")
        b.call(ALLOCATE)
        b.set(at)
        put_size(b, 1, Spot(at, 0))
        b.get(at)
        b.i32(WORD_BYTES)
        b.op("i32.add")
        b.get(0, 1)
        b.op("memory.copy")


def _tail_items(b: Body, type_: List | Array, item: Type) -> None:
    """Heads of all items, each tail behind them; a list's length comes first."""
    with b.temporaries(I32, I32, I32, I32) as (count, base, at, place):
        if isinstance(type_, List):
            b.get(0)
            b.load("i32.load", slots.LIST_LENGTH)
            b.set(count)
            b.i32(WORD_BYTES)
            b.call(ALLOCATE)
            b.set(base)
            put_size(b, count, Spot(base, 0))
            b.get(0)
            b.load("i32.load", slots.LIST_ITEMS)
        else:
            b.i32(type_.length)
            b.set(count)
            b.get(0)
        b.set(place)
        b.get(count)
        slots.scale(b, head_bytes(item))
        b.call(ALLOCATE)
        b.tee(base)
        b.set(at)

        def step() -> None:
            if dynamic(item):
                _put_offset(b, base, 0, Spot(at, 0))
                _put_tail(b, item, lying(item, place))
            else:
                put_static(b, item, lying(item, place), Spot(at, 0))

        b.get(count)
        repeat(b, None, ((at, head_bytes(item)), (place, slots.size(item))), step)


PADDING: Final = 4
"""Bytes that a selector lies behind the start of an allocation, so that words begin at a multiple of eight."""


def call_data(b: Body, selector: bytes, inside: Parts, start: int, length: int) -> None:
    """Allocate and write a selector and values: address and length go to two locals."""
    with b.temporaries(I32) as (base,):
        sequence(b, inside, base, PADDING + len(selector))
        b.get(base)
        b.i32(int.from_bytes(selector, "little"))
        b.store("i32.store", PADDING)
        b.get(base)
        b.i32(PADDING)
        b.op("i32.add")
        b.set(start)
    _length(b, inside, start, len(selector), length)


def _length(b: Body, inside: Parts, start: int, before: int, length: int) -> None:
    """The bytes from `start` to the end of what was written, into a local."""
    types = [type_ for type_, _ in inside]
    if all_static(types):
        b.i32(before + heads(types))
    else:
        b.global_get(b.assembly.global_("heap", I32, None))
        b.get(start)
        b.op("i32.sub")
    b.set(length)


def encoded(b: Body, inside: Parts, start: int, length: int) -> None:
    """Allocate and write values: address and length go to two locals."""
    sequence(b, inside, start)
    _length(b, inside, start, 0, length)
