"""One entry of storage: a key is pushed, a value read or written. Storage that stays and storage that is transient.

What has a fixed size passes through a small area of memory; the rest is read into the heap at once, because a host
function copies no more than there is: the room is allocated when the length is known.
Source: design of the chain, "Contracts and the host table". Never: knows whose key it is.
"""

from __future__ import annotations

from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler import layout
from sdk.compiler.back import slots, storage_values
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.operand import Spot, Where, push
from sdk.compiler.back.storage_keys import Key
from sdk.compiler.back.writer import ALLOCATE, WORD, push_room
from sdk.compiler.symbols import Kind
from sdk.compiler.types import Bool, Bytes, Enum, Int, String, Type

AREA_BYTES: Final = 64
MOST_STORES: Final = 8
"""Stores that clear an area before `memory.fill` is cheaper."""


def _host(key: Key) -> str:
    """`storage` or `transient`: immutables stay too."""
    return "transient" if key.field.kind is Kind.TRANSIENT else "storage"


def _area(b: Body, size: int) -> int:
    """Where a value of a fixed size is put together."""
    if size <= AREA_BYTES:
        return b.assembly.area("storage.value", AREA_BYTES)
    whole = -(-size // 8) * 8
    return b.assembly.area(f"storage.value {whole}", whole)


def _is_small(type_: Type) -> bool:
    """Whether a value is one slot without a sign: the commonest."""
    return isinstance(type_, (Bool, Enum)) or (isinstance(type_, Int) and not type_.signed and type_.bits <= 64)


def _is_word(type_: Type) -> bool:
    return isinstance(type_, Int) and not type_.signed and len(slots.slots(type_)) == 4


def load(b: Body, key: Key, type_: Type) -> None:
    """Push the value of an entry; the default where there is none."""
    size = layout.fixed_bytes(type_)
    key.push()
    if size is None:
        single = isinstance(type_, (Bytes, String))
        b.call(_load_bytes(_host(key), 0 if single else layout.least_bytes(type_)))
        if not single:
            _open_value(b, type_)
    elif _is_word(type_):
        b.call(_load_word(_host(key)))
    else:
        b.call(_read(_host(key), size))
        storage_values.get(b, type_, Spot(None, _area(b, size)))


def read(b: Body, key: Key, size: int) -> Spot:
    """Copy a value of a fixed size to where `write` takes it from; the place is good until the next entry."""
    key.push()
    b.call(_read(_host(key), size))
    return Spot(None, _area(b, size))


def write(b: Body, key: Key, size: int) -> None:
    """Store the value of a fixed size that was read, or put, where `read` says."""
    key.push()
    b.i32(_area(b, size))
    b.i32(size)
    b.call(_save(_host(key)))


def save(b: Body, key: Key, type_: Type, where: Where) -> None:
    """Store a value. The default removes the entry."""
    size = layout.fixed_bytes(type_)
    if isinstance(type_, (Bytes, String)):
        key.push()
        push(b, type_, where)
        b.host(f"{_host(key)}_set")
    elif size is None:
        _save_open(b, key, type_, where)
    elif _is_word(type_):
        key.push()
        push(b, type_, where)
        b.call(_save_word(_host(key)))
    elif _is_small(type_):
        key.push()
        push(b, type_, where)
        if slots.slots(type_) == (I32,):
            b.op("i64.extend_i32_u")
        b.call(_save_small(_host(key)))
    else:
        storage_values.put(b, type_, where, Spot(None, _area(b, size)))
        write(b, key, size)


def _save_open(b: Body, key: Key, type_: Type, where: Where) -> None:
    """A value of no fixed size is stored with all its bytes, or, when all are zeros, not at all."""
    end = b.assembly.global_("heap", I32, None)
    with b.temporaries(I32, I32) as (start, cursor):
        b.global_get(end)
        b.tee(start)
        b.set(cursor)
        storage_values.put_open(b, type_, where, cursor)
        key.push()
        b.get(start)
        b.get(cursor, start)
        b.op("i32.sub")
        b.i32(0)
        b.get(start)
        b.get(cursor, start)
        b.op("i32.sub")
        b.call(STRIP)
        b.op("select")
        b.host(f"{_host(key)}_set")


def remove(b: Body, key: Key) -> None:
    """Make an entry absent."""
    key.push()
    if _host(key) == "transient":
        b.i32(0)
        b.i32(0)
        b.host("transient_set")
    else:
        b.host("storage_remove")
        b.op("drop")


def has(b: Body, key: Key) -> None:
    """Push an i32: whether there is an entry."""
    key.push()
    if _host(key) == "transient":
        b.i32(0)
        b.i32(0)
        b.host("transient_get")
        b.i32(0)
        b.op("i32.ge_s")
    else:
        b.host("storage_has")


def load_found(b: Body, handle: int, type_: Type) -> None:
    """Push the value that a cursor, its handle in a local, found."""
    size = layout.fixed_bytes(type_)
    b.get(handle)
    b.i32(0)
    if size is not None:
        b.call(_read("iterator", size))
        storage_values.get(b, type_, Spot(None, _area(b, size)))
        return
    single = isinstance(type_, (Bytes, String))
    b.call(_load_bytes("iterator", 0 if single else layout.least_bytes(type_)))
    if not single:
        _open_value(b, type_)


def _open_value(b: Body, type_: Type) -> None:
    """Address and length of a value without a fixed size -> its slots."""
    with b.temporaries(I32) as (cursor,):
        b.op("drop")
        b.set(cursor)
        storage_values.get_open(b, type_, cursor)


def _copy(b: Body, host: str, out: int, cap: int) -> None:
    """Copy at most `cap` bytes to `out`, both in locals: of the key in locals 0 and 1, or of the cursor in 0."""
    if host == "iterator":
        b.get(0, out, cap)
        b.host("iter_value")
    else:
        b.get(0, 1, out, cap)
        b.host(f"{host}_get")


def _clear(b: Body, area: int, size: int) -> None:
    """Fill up to the next multiple of eight with zeros."""
    words = -(-size // 8)
    if words > MOST_STORES:
        b.i32(area)
        b.i32(0)
        b.i32(8 * words)
        b.op("memory.fill")
        return
    for i in range(words):
        b.i32(0)
        b.i64(0)
        b.store("i64.store", area + 8 * i)


def _read(host: str, size: int) -> Routine:
    size = -(-size // 8) * 8

    def write_(b: Body) -> None:
        area = _area(b, size)
        _clear(b, area, size)
        b.get(0)
        if host != "iterator":
            b.get(1)
        b.i32(area)
        b.i32(size)
        b.host("iter_value" if host == "iterator" else f"{host}_get")
        b.op("drop")

    return Routine(f"{host} read {size}", (I32, I32), (), write_)


def _load_word(host: str) -> Routine:
    def write_(b: Body) -> None:
        area = _area(b, 32)
        _clear(b, area, 32)
        b.get(0, 1)
        b.i32(area)
        b.i32(32)
        b.host(f"{host}_get")
        b.op("drop")
        for i in range(4):
            b.i32(0)
            b.load("i64.load", area + 8 * i)

    return Routine(f"{host} load word", (I32, I32), WORD, write_)


def _length_of(b: Body, local: int, more: int = 0) -> None:
    """Push the bytes of an i64 without leading zeros, and of the limbs below it."""
    b.i32(8 + more)
    b.get(local)
    b.do("i64.clz", "i32.wrap_i64")
    b.i32(3)
    b.do("i32.shr_u", "i32.sub")


def _save_word(host: str) -> Routine:
    """Key, its length, limbs. A small number needs but one store."""

    def write_(b: Body) -> None:
        area = _area(b, 32)
        b.get(0, 1)
        b.i32(area)
        for i in range(4):
            b.i32(0)
            b.get(2 + i)
            b.store("i64.store", area + 8 * i)
        b.get(3, 4, 5)
        b.do("i64.or", "i64.or", "i64.eqz")
        with b.if_((I32,)):
            _length_of(b, 2)
            b.otherwise()
            b.get(5)
            b.op("i64.eqz")
            with b.if_((I32,)):
                b.get(4)
                b.op("i64.eqz")
                with b.if_((I32,)):
                    _length_of(b, 3, 8)
                    b.otherwise()
                    _length_of(b, 4, 16)
                b.otherwise()
                _length_of(b, 5, 24)
        b.host(f"{host}_set")

    return Routine(f"{host} save word", (I32, I32, *WORD), (), write_)


def _save_small(host: str) -> Routine:
    def write_(b: Body) -> None:
        area = _area(b, 8)
        b.i32(0)
        b.get(2)
        b.store("i64.store", area)
        b.get(0, 1)
        b.i32(area)
        _length_of(b, 2)
        b.host(f"{host}_set")

    return Routine(f"{host} save small", (I32, I32, I64), (), write_)


def _strip(b: Body) -> None:
    """Walk back over zeros, eight bytes at a time, then one."""
    with b.block() as done, b.loop() as again:
        b.get(1)
        b.i32(8)
        b.op("i32.lt_u")
        b.br_if(done)
        b.get(0, 1)
        b.i32(8)
        b.do("i32.sub", "i32.add")
        b.load("i64.load")
        b.do("i64.eqz", "i32.eqz")
        b.br_if(done)
        b.get(1)
        b.i32(8)
        b.op("i32.sub")
        b.set(1)
        b.br(again)
    with b.block() as done, b.loop() as again:
        b.get(1)
        b.op("i32.eqz")
        b.br_if(done)
        b.get(0, 1)
        b.i32(1)
        b.do("i32.sub", "i32.add")
        b.load("i32.load8_u")
        b.br_if(done)
        b.get(1)
        b.i32(1)
        b.op("i32.sub")
        b.set(1)
        b.br(again)
    b.get(1)


STRIP: Final = Routine("strip_zeros", (I32, I32), (I32,), _strip)
"""Address and length -> the length without trailing zeros."""


def _save(host: str) -> Routine:
    def write_(b: Body) -> None:
        b.get(0, 1, 2)
        b.get(2, 3)
        b.call(STRIP)
        b.host(f"{host}_set")

    return Routine(f"{host} save", (I32, I32, I32, I32), (), write_)


def _load_bytes(host: str, slack: int) -> Routine:
    """Key and its length -> content and its length, with `slack` zeros behind it: absent parts of a struct read so."""

    def write_(b: Body) -> None:
        end = b.assembly.global_("heap", I32, None)
        with b.temporaries(I32, I32, I32) as (length, room, start):
            push_room(b)
            b.set(room)
            b.global_get(end)
            b.set(start)
            _copy(b, host, start, room)
            b.tee(length)
            b.i32(0)
            b.op("i32.lt_s")
            with b.if_():
                b.i32(0)
                b.set(length)
            b.get(length)
            if slack:
                b.i32(slack)
                b.op("i32.add")
            b.call(ALLOCATE)
            b.set(start)
            b.get(length, room)
            b.op("i32.gt_u")
            with b.if_():
                _copy(b, host, start, length)
                b.op("drop")
            b.get(start, length)

    return Routine(f"{host} load bytes{f' and {slack}' if slack else ''}", (I32, I32), (I32, I32), write_)
