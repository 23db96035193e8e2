"""The ABI's words: values that take 32 bytes, written to and read from memory.

Writers rely on what they write over being zeros, or an earlier value of the same type at the same place: buffers are
fresh, or an area that one kind of value has for itself. Readers refuse words that are no value of the type, as
Solidity's decoder does: a revert without data; of an enum, Panic 0x21.
Source: Solidity, "Contract ABI Specification", "Formal Specification of the Encoding" and "Strict Encoding Mode".
Never: reads an offset (`abi_decode` does).
"""

from __future__ import annotations

from typing import Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back.arith_words import LOAD_WORD, STORE_WORD, SWAP
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.operand import Spot, Where
from sdk.compiler.back.reverts import refuse_if, refuse_unless_zero
from sdk.compiler.back.slots import slots, spelled
from sdk.compiler.back.writer import panic
from sdk.compiler.types import (
    Address,
    Array,
    Bool,
    Bytes,
    Enum,
    FixedBytes,
    Int,
    List,
    Map,
    Nothing,
    Remote,
    String,
    Struct,
    Tuple,
    Type,
)

WORD_BYTES: Final = 32
NO_MEMBER: Final = 0x21


def dynamic(type_: Type) -> bool:
    """Whether a type is encoded as an offset to where it lies."""
    match type_:
        case Bytes() | String() | List():
            return True
        case Array(item):
            return dynamic(item)
        case Tuple() | Struct():
            return any(map(dynamic, parts(type_)))
    return False


def parts(type_: Tuple | Struct) -> tuple[Type, ...]:
    """The types that a tuple or a struct is made of."""
    return type_.items if isinstance(type_, Tuple) else tuple(member.type for member in type_.members)


def head_bytes(type_: Type) -> int:
    """Bytes that a value takes where its encloser is: of what is dynamic, its offset's."""
    if dynamic(type_):
        return WORD_BYTES
    match type_:
        case Array(item, length):
            return length * head_bytes(item)
        case Tuple() | Struct():
            return sum(map(head_bytes, parts(type_)))
        case Map() | Nothing():
            return 0
    return WORD_BYTES


# Writing


def put_word(b: Body, type_: Type, where: Where, at: Spot) -> None:
    """Write a value of one word."""
    match type_:
        case Bool() | Enum():
            at.push(b)
            where.push(b, 0)
            b.store("i32.store8", at.offset + 31)
        case Int(_, signed):
            _put_number(b, len(slots(type_)), signed, where, at)
        case FixedBytes(size):
            for i in range(-(-size // 8)):
                _store(b, where, i, "i64.store", at.plus(8 * i))
        case Address() | Remote():
            for i, name in enumerate(("i64.store", "i64.store", "i64.store32")):
                _store(b, where, i, name, at.plus(12 + 8 * i))
        case _:
            raise TypeError(f"{type_} is not one word")


def _store(b: Body, where: Where, index: int, name: str, at: Spot) -> None:
    at.push(b)
    where.push(b, index)
    b.store(name, at.offset)


def _put_number(b: Body, count: int, signed: bool, where: Where, at: Spot) -> None:
    if count == 4:
        at.address(b)
        for i in range(4):
            where.push(b, i)
        b.call(STORE_WORD)
        return
    for i in range(count):
        at.push(b)
        where.push(b, i)
        b.call(SWAP)
        b.store("i64.store", at.offset + 24 - 8 * i)
    if signed:
        for i in range(count, 4):
            at.push(b)
            where.push(b, count - 1)
            b.i64(63)
            b.op("i64.shr_s")
            b.store("i64.store", at.offset + 24 - 8 * i)


def put_size(b: Body, local: int, at: Spot) -> None:
    """Write an i32 in a local as a word."""
    at.push(b)
    b.get(local)
    b.op("i64.extend_i32_u")
    b.call(SWAP)
    b.store("i64.store", at.offset + 24)


# Reading


def get_word(b: Body, type_: Type, at: Spot) -> None:
    """Push a value of one word."""
    at.address(b)
    b.call(LOAD_WORD if type_ == Int(256) or type_ == Int(256, True) else _get(type_))


def _get(type_: Type) -> Routine:
    def write(b: Body) -> None:
        match type_:
            case Bool():
                _get_small(b, 1)
                b.op("i32.wrap_i64")
            case Enum():
                _get_enum(b, type_)
            case Int(bits, signed):
                _get_number(b, bits, signed)
            case FixedBytes(size):
                _get_fixed(b, size)
            case Address() | Remote():
                b.get(0)
                b.load("i64.load")
                b.get(0)
                b.load("i64.load32_u", 8)
                b.op("i64.or")
                refuse_unless_zero(b)
                for name, offset in (("i64.load", 12), ("i64.load", 20), ("i64.load32_u", 28)):
                    b.get(0)
                    b.load(name, offset)
            case _:
                raise TypeError(f"{type_} is not one word")

    name = "address" if isinstance(type_, Remote) else spelled(type_)
    return Routine(f"abi get {name}", (I32,), slots(type_), write)


def _get_small(b: Body, high: int) -> None:
    """Push the word at the address in local 0, an i64 up to `high`."""
    with b.temporaries(I64) as (value,):
        _upper(b, 1)
        refuse_unless_zero(b)
        b.get(0)
        b.load("i64.load", 24)
        b.call(SWAP)
        b.set(value)
        if high < (1 << 64) - 1:
            b.get(value)
            b.i64(high)
            b.op("i64.gt_u")
            refuse_if(b)
        b.get(value)


def _upper(b: Body, count: int) -> None:
    """Push an i64 that is 0 when the word at the address in local 0 fits `count` limbs."""
    for i in range(4 - count):
        b.get(0)
        b.load("i64.load", 8 * i)
        if i:
            b.op("i64.or")


def _get_number(b: Body, bits: int, signed: bool) -> None:
    count = len(slots(Int(bits)))
    if not signed and count == 1:
        _get_small(b, (1 << bits) - 1)
        return
    with b.temporaries(I64, I64, I64, I64) as limbs:
        b.get(0)
        b.call(LOAD_WORD)
        b.set(*limbs)
        _check_range(b, bits, signed, limbs)
        b.get(*limbs[:count])


def _check_range(b: Body, bits: int, signed: bool, limbs: tuple[int, ...]) -> None:
    """Refuse limbs that are no number of so many bits."""
    top, rest = divmod(bits - 1, 64)
    sign = b.local(I64)
    if signed:
        b.get(limbs[top])
        b.i64(63 - rest)
        b.op("i64.shl")
        b.i64(63)
        b.op("i64.shr_s")
    else:
        b.i64(0)
    b.set(sign)
    # What lies above the highest bit must all be the sign.
    b.get(limbs[top])
    b.i64(rest)
    if signed:
        b.op("i64.shr_s")
    else:
        b.op("i64.shr_u")
        b.i64(1)
        b.op("i64.shr_u")
    b.get(sign)
    b.op("i64.xor")
    for limb in limbs[top + 1 :]:
        b.get(limb, sign)
        b.do("i64.xor", "i64.or")
    refuse_unless_zero(b)
    b.free([sign])


def _get_enum(b: Body, type_: Enum) -> None:
    """A byte that is no member is a panic, more than a byte is malformed."""
    with b.temporaries(I32) as (value,):
        _get_small(b, 0xFF)
        b.op("i32.wrap_i64")
        b.set(value)
        check_member(b, type_, value)
        b.get(value)


def check_member(b: Body, type_: Enum, value: int) -> None:
    """Panic 0x21 when the i32 in a local is no member."""
    values = sorted(type_.values)
    if values == list(range(len(values))):
        b.get(value)
        b.i32(len(values))
        b.op("i32.ge_u")
    else:
        for number, member in enumerate(values):
            b.get(value)
            b.i32(member)
            b.op("i32.ne")
            if number:
                b.op("i32.and")
    with b.if_():
        panic(b, NO_MEMBER)


def _get_fixed(b: Body, size: int) -> None:
    """Bytes behind the last one must be zeros."""
    first, rest = divmod(size, 8)
    checks = []
    if rest:
        checks.append((first, 8 * rest))
    checks += [(i, 0) for i in range(-(-size // 8), 4)]
    for number, (i, shift) in enumerate(checks):
        b.get(0)
        b.load("i64.load", 8 * i)
        if shift:
            b.i64(shift)
            b.op("i64.shr_u")
        if number:
            b.op("i64.or")
    if checks:
        refuse_unless_zero(b)
    for i in range(-(-size // 8)):
        b.get(0)
        b.load("i64.load", 8 * i)
