"""Keys read back: what a cursor found, as slots. The inverse of `storage_keys`.

Source: `sdk.compiler.layout`, the encoding of keys. Never: doubts a key; only this contract's code wrote it.
"""

from __future__ import annotations

from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler import layout
from sdk.compiler.back import storage_values
from sdk.compiler.back.arith_words import LOAD_WORD, SWAP
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.operand import Spot
from sdk.compiler.back.slots import slots
from sdk.compiler.back.storage_values import advance
from sdk.compiler.back.writer import ALLOCATE, WORD
from sdk.compiler.types import Bytes, Int, String, Tuple, Type


def get_key(b: Body, type_: Type, cursor: int, end: int, last: bool) -> None:
    """Push a key that lies at a cursor in a local and ends at `end`; move the cursor behind it."""
    match type_:
        case Tuple(items):
            for number, item in enumerate(items, 1):
                get_key(b, item, cursor, end, last and number == len(items))
        case Bytes() | String():
            b.get(cursor)
            if last:
                b.get(end)
                b.call(COPY)
                b.get(end)
            else:
                b.call(UNESCAPE)
            b.set(cursor)
        case Int(bits, False) if bits > layout.NARROW:
            b.get(cursor)
            b.call(NARROWER)
            b.set(cursor)
            for _ in range(4 - len(slots(type_))):
                b.op("drop")
        case Int(bits, signed):
            _number(b, bits, signed, cursor, len(slots(type_)))
            advance(b, cursor, bits // 8)
        case _:
            storage_values.get(b, type_, Spot(cursor, 0))
            advance(b, cursor, layout.key_bytes(type_))


def _number(b: Body, bits: int, signed: bool, cursor: int, count: int) -> None:
    """Big-endian in full width, the sign bit turned; the low limb is pushed first, and lies last."""
    used = -(-bits // 64)
    for limb in range(used):
        top = min(64, bits - 64 * limb)
        b.get(cursor)
        b.load("i64.load", (bits - 64 * limb - top) // 8)
        b.call(SWAP)
        if top < 64:
            b.i64(64 - top)
            b.op("i64.shr_u")
        if signed and limb == used - 1:
            b.i64(1 << top - 1)
            b.op("i64.sub")
    if count > used:
        with b.temporaries(I64) as (high,):
            b.tee(high)
            for _ in range(count - used):
                b.get(high)
                b.i64(63)
                b.op("i64.shr_s")


def _narrower(b: Body) -> None:
    word = b.assembly.area("storage.word", 32)
    with b.temporaries(I32) as (size,):
        for i in range(4):
            b.i32(0)
            b.i64(0)
            b.store("i64.store", word + 8 * i)
        b.get(0)
        b.load("i32.load8_u")
        b.set(size)
        b.i32(word + 32)
        b.get(size)
        b.op("i32.sub")
        b.get(0)
        b.i32(1)
        b.op("i32.add")
        b.get(size)
        b.op("memory.copy")
        b.i32(word)
        b.call(LOAD_WORD)
        b.get(0, size)
        b.op("i32.add")
        b.i32(1)
        b.op("i32.add")


NARROWER: Final = Routine("unkey_wide", (I32,), (*WORD, I32), _narrower)
"""Address of a length byte and a number -> limbs and the address behind."""


def _copy(b: Body) -> None:
    with b.temporaries(I32, I32) as (length, start):
        b.get(1, 0)
        b.op("i32.sub")
        b.tee(length)
        b.call(ALLOCATE)
        b.tee(start)
        b.get(0, length)
        b.op("memory.copy")
        b.get(start, length)


COPY: Final = Routine("unkey_raw", (I32, I32), (I32, I32), _copy)
"""Start and end of bytes -> a copy and its length."""


def _unescape(b: Body) -> None:
    """Two zeros end it; a zero and FF are a zero. The copy takes no more than what is left of the longest key."""
    with b.temporaries(I32, I32, I32) as (start, to, byte):
        _measure(b, to)
        b.get(to)
        b.call(ALLOCATE)
        b.tee(start)
        b.set(to)
        with b.block() as done, b.loop() as again:
            b.get(0)
            b.load("i32.load8_u")
            b.tee(byte)
            b.op("i32.eqz")
            with b.if_():
                b.get(0)
                b.load("i32.load8_u", 1)
                b.op("i32.eqz")
                b.br_if(done)
                advance(b, 0, 1)
            b.get(to, byte)
            b.store("i32.store8")
            advance(b, to, 1)
            advance(b, 0, 1)
            b.br(again)
        b.get(start, to, start)
        b.op("i32.sub")
        b.get(0)
        b.i32(2)
        b.op("i32.add")


def _measure(b: Body, length: int) -> None:
    """The escaped bytes before the two zeros, which are no fewer than the bytes."""
    with b.temporaries(I32) as (at,):
        b.get(0)
        b.set(at)
        with b.block() as done, b.loop() as again:
            b.get(at)
            b.load("i32.load16_u")
            b.op("i32.eqz")
            b.br_if(done)
            b.get(at)
            b.i32(1)
            b.i32(2)
            b.get(at)
            b.load("i32.load16_u")
            b.i32(0xFF00)
            b.do("i32.ne", "select", "i32.add")
            b.set(at)
            b.br(again)
        b.get(at, 0)
        b.op("i32.sub")
        b.set(length)


UNESCAPE: Final = Routine("unkey_escaped", (I32,), (I32, I32, I32), _unescape)
"""Address of escaped bytes -> a copy, its length, the address behind."""
