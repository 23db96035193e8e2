"""Bytes in memory and in slots: constants, joining, slices, single bytes, equality, bytesN to and from memory.

Bytes and String are an address and a length; what lies there never changes, so a slice is a view into the whole.
bytesN and addresses are their bytes in i64s as little-endian loads see them.
Source: docs/language.md, "bytesN, Bytes, String". Never: knows the ABI or storage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back.asm import Body, Routine, Types
from sdk.compiler.back.slots import ADDRESS_BYTES, slots, store
from sdk.compiler.back.writer import ALLOCATE, Write, Writer
from sdk.compiler.tree import Builtin, ByteAt, Constant, Expression, Slice
from sdk.compiler.types import Address, Bool, Bytes, Enum, FixedBytes, Int, Remote, String, Type

OUTSIDE: Final = 0x32
VIEW: Final[Types] = (I32, I32)
"""The slots of Bytes and String."""


def width(type_: Type) -> int:
    """How many bytes a bytesN, an address or a contract has. Raises: TypeError for other types."""
    match type_:
        case FixedBytes(size):
            return size
        case Address() | Remote():
            return ADDRESS_BYTES
    raise TypeError(f"{type_} has no fixed number of bytes")


def constant(w: Writer, node: Constant) -> None:
    """Push the slots of a constant."""
    b, value = w.b, node.value
    match node.type:
        case Int():
            for i in range(len(slots(node.type))):
                b.i64(int(value) >> 64 * i)
        case Bool() | Enum():
            b.i32(int(value))
        case FixedBytes() | Address() | Remote() if isinstance(value, bytes):
            for i in range(0, width(node.type), 8):
                b.i64(int.from_bytes(value[i : i + 8], "little"))
        case Bytes() | String() if isinstance(value, bytes):
            b.i32(w.assembly.constant(value) if value else 0)
            b.i32(len(value))
        case _:
            raise TypeError(f"no constant {value!r} of type {node.type}")


def load_bytes(b: Body, address: int, size: int, offset: int = 0) -> None:
    """Push `size` bytes at the address in a local as the slots of a bytesN, without reading behind them."""
    for start in range(0, size, 8):
        _load_some(b, address, offset + start, min(8, size - start))


def _load_some(b: Body, address: int, offset: int, size: int) -> None:
    """Push up to 8 bytes as an i64."""
    done = 0
    for part, name in ((8, "i64.load"), (4, "i64.load32_u"), (2, "i64.load16_u"), (1, "i64.load8_u")):
        if size - done >= part:
            b.get(address)
            b.load(name, offset + done)
            if done:
                b.i64(8 * done)
                b.do("i64.shl", "i64.or")
            done += part


def _from_fixed(w: Writer, type_: Type) -> None:
    """The slots of a bytesN or an address are on the stack: push its bytes, fresh in memory, as Bytes."""
    b, types = w.b, slots(type_)
    with b.temporaries(I32, *types) as (start, *held):
        b.set(*held)
        b.i32(8 * len(types))
        b.call(ALLOCATE)
        b.set(start)
        store(b, tuple(held), start)
        b.get(start)
        b.i32(width(type_))


def bytes_of(w: Writer, node: Expression) -> None:
    """Push an expression of type Bytes, String, bytesN or Address as Bytes."""
    w.expr(node)
    if not isinstance(node.type, (Bytes, String)):
        _from_fixed(w, node.type)


def scratch(b: Body) -> int:
    """The address of 96 bytes for what is read again at once: what hosts read and write."""
    return b.assembly.area("scratch", 96)


def put_at(b: Body, types: Types, address: int) -> None:
    """Pop slots to a constant address."""
    with b.temporaries(*types) as held:
        b.set(*held)
        for local, slot in zip(held, types, strict=True):
            b.i32(address)
            b.get(local)
            b.store("i64.store" if slot == I64 else "i32.store")
            address += 8 if slot == I64 else 4


def get_at(b: Body, types: Types, address: int) -> None:
    """Push slots from a constant address."""
    for slot in types:
        b.i32(address)
        b.load("i64.load" if slot == I64 else "i32.load")
        address += 8 if slot == I64 else 4


# Equality


def _write_equal(b: Body) -> None:
    """Eight bytes at a time, then one."""
    with b.block() as differ:
        b.get(1, 3)
        b.op("i32.ne")
        b.br_if(differ)
        with b.block() as few, b.loop() as again:
            b.get(1)
            b.i32(8)
            b.op("i32.lt_u")
            b.br_if(few)
            _differ(b, "i64.load", 8)
            b.br_if(differ)
            _advance(b, 8)
            b.br(again)
        with b.loop() as again, b.block() as none:
            b.get(1)
            b.op("i32.eqz")
            b.br_if(none)
            _differ(b, "i64.load8_u", 1)
            b.br_if(differ)
            _advance(b, 1)
            b.br(again)
        b.i32(1)
        b.return_()
    b.i32(0)


def _differ(b: Body, name: str, size: int) -> None:
    b.get(0)
    b.load(name)
    b.get(2)
    b.load(name)
    b.op("i64.ne")


def _advance(b: Body, size: int) -> None:
    for local in (0, 2):
        b.get(local)
        b.i32(size)
        b.op("i32.add")
        b.set(local)
    b.get(1)
    b.i32(size)
    b.op("i32.sub")
    b.set(1)


EQUAL: Final = Routine("equal bytes", VIEW + VIEW, (I32,), _write_equal)
"""Whether two Bytes are the same."""


# Slices and single bytes


def _write_slice(b: Body) -> None:
    """Python's clamping: the end to the length, the start to the end."""
    start, stop = 2, 3
    clamp(b, stop, lambda: _push_length(b))
    clamp(b, start, lambda: b.get(stop))
    b.get(0)
    b.get(start)
    b.do("i32.wrap_i64", "i32.add")
    b.get(stop, start)
    b.do("i64.sub", "i32.wrap_i64")


def _push_length(b: Body) -> None:
    b.get(1)
    b.op("i64.extend_i32_u")


def clamp(b: Body, local: int, bound: Callable[[], None]) -> None:
    """Make a u64 in a local no greater than a bound."""
    b.get(local)
    bound()
    b.get(local)
    bound()
    b.do("i64.lt_u", "select")
    b.set(local)


SLICE: Final = Routine("slice bytes", (I32, I32, I64, I64), VIEW, _write_slice)
"""Bytes, start and stop -> the bytes between them."""


def bounds(w: Writer, node: Slice) -> None:
    """Push start and stop of a slice, u64s."""
    for bound, missing in ((node.start, 0), (node.stop, -1)):
        if bound is None:
            w.b.i64(missing)
        else:
            w.expr(bound)


def slice_bytes(w: Writer, node: Slice) -> None:
    """`b[i:j]` of Bytes or bytesN."""
    bytes_of(w, node.value)
    bounds(w, node)
    w.b.call(SLICE)


def byte_at(w: Writer, node: ByteAt) -> None:
    """`b[i]`: of Bytes a load, of bytesN a shift."""
    b, type_ = w.b, node.value.type
    w.expr(node.value)
    if isinstance(type_, Bytes):
        with b.temporaries(I32, I32, I64) as (start, length, at):
            b.set(start, length)
            w.expr(node.index)
            b.set(at)
            b.get(at)
            b.get(length)
            b.do("i64.extend_i32_u", "i64.ge_u")
            w.panic_if(OUTSIDE)
            b.get(start, at)
            b.do("i32.wrap_i64", "i32.add")
            b.load("i64.load8_u")
        return
    with w.spilled(type_) as held:
        if isinstance(node.index, Constant) and isinstance(node.index.value, int) and node.index.value < width(type_):
            b.get(held[node.index.value // 8])
            b.i64(node.index.value % 8 * 8)
        else:
            _byte_of_slots(w, node.index, held, width(type_))
        b.op("i64.shr_u")
        b.i64(0xFF)
        b.op("i64.and")


def _byte_of_slots(w: Writer, index: Expression, held: tuple[int, ...], size: int) -> None:
    """Push the slot that has a byte, and how far to shift it."""
    b = w.b
    with w.value(index) as (at,):
        b.get(at)
        b.i64(size)
        b.op("i64.ge_u")
        w.panic_if(OUTSIDE)
        b.get(held[-1])
        for i in range(len(held) - 2, -1, -1):
            # What was chosen so far lies under the slot; `select` takes the first where its test holds.
            with b.temporaries(I64) as (chosen,):
                b.set(chosen)
                b.get(held[i], chosen, at)
                b.i64(8 * (i + 1))
                b.do("i64.lt_u", "select")
        b.get(at)
        b.i64(7)
        b.op("i64.and")
        b.i64(3)
        b.op("i64.shl")


def length(w: Writer, type_: Type) -> None:
    """The slots of Bytes or bytesN are on the stack -> the number of bytes, an i64."""
    if isinstance(type_, Bytes):
        with w.b.temporaries(I32) as (size,):
            w.b.set(size)
            w.b.op("drop")
            w.b.get(size)
            w.b.op("i64.extend_i32_u")
        return
    for _ in slots(type_):
        w.b.op("drop")
    w.b.i64(width(type_))


# Joining


def concat(w: Writer, node: Builtin) -> None:
    """All arguments behind one another, fresh in memory: first how long, then each to its place.

    bytesN are stored in whole slots from the left to the right, so that what comes behind covers what is too much; the
    room is 8 bytes more than the length for the last one.
    """
    b = w.b
    held = []
    fixed = 0
    for argument in node.arguments:
        w.expr(argument)
        held.append(b.fresh(slots(argument.type)))
        b.set(*held[-1])
        fixed += 0 if isinstance(argument.type, (Bytes, String)) else width(argument.type)
    with b.temporaries(I32, I32, I32) as (start, at, total):
        b.i32(fixed)
        for argument, locals_ in zip(node.arguments, held, strict=True):
            if isinstance(argument.type, (Bytes, String)):
                b.get(locals_[1])
                b.op("i32.add")
        b.set(total)
        b.get(total)
        b.i32(8)
        b.op("i32.add")
        b.call(ALLOCATE)
        b.set(start)
        b.get(start)
        b.set(at)
        offset = 0
        for argument, locals_ in zip(node.arguments, held, strict=True):
            if isinstance(argument.type, (Bytes, String)):
                _copy_behind(b, at, offset, locals_)
                offset = 0
            else:
                store(b, locals_, at, offset)
                offset += width(argument.type)
        b.get(start, total)
    for locals_ in reversed(held):
        b.free(locals_)


def _copy_behind(b: Body, at: int, offset: int, view: tuple[int, ...]) -> None:
    """Copy bytes to `offset` behind a place that then moves behind them."""
    b.get(at)
    b.i32(offset)
    b.op("i32.add")
    b.set(at)
    b.get(at, *view)
    b.op("memory.copy")
    b.get(at, view[1])
    b.op("i32.add")
    b.set(at)


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType({Constant: constant, ByteAt: byte_at})
