"""Conversions between numbers: integers of all widths, bool, enums, and bytesN and addresses as big-endian numbers.

Source: docs/language.md, "Conversions"; tree.Convert. Never: text, Bytes, or what is not a number.
"""

from __future__ import annotations

from typing import Final

from contractvm.wasm.module import I64
from sdk.compiler.back.arith_narrow import extend, normalise
from sdk.compiler.back.arith_words import OVERFLOW, SWAP, any_bit, panic_if
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.slots import ADDRESS_BYTES, limbs
from sdk.compiler.types import Address, Bool, Enum, FixedBytes, Int, Remote, Type

BAD_ENUM: Final = 0x21


def convert_number(b: Body, source: Type, target: Type, checked: bool) -> None:
    """Turn the value on the stack into another type's. Raises: ValueError for types that are no numbers."""
    match source, target:
        case Int(), Int():
            integer(b, source, target, checked)
        case ((Bool() | Enum()), Int()):
            b.op("i64.extend_i32_u")
            integer(b, Int(8), target, checked)
        case Int(), Enum():
            saturate(b, source)
            enum(b, target)
        case Int(), Bool():
            with b.temporaries(*(I64,) * limbs(source)) as locals_:
                b.set(*locals_)
                any_bit(b, locals_)
        case ((FixedBytes() | Address() | Remote()), Int()):
            size = _size(source)
            b.call(bytes_to_integer(size))
            integer(b, Int(8 * size), target, checked)
        case Int(), (FixedBytes() | Address() | Remote()):
            size = _size(target)
            integer(b, source, Int(8 * size), checked)
            b.call(integer_to_bytes(size))
        case _:
            raise ValueError(f"no conversion of numbers from {source} to {target}")


def _size(type_: Type) -> int:
    return type_.size if isinstance(type_, FixedBytes) else ADDRESS_BYTES


def integer(b: Body, source: Int, target: Int, checked: bool) -> None:
    """Between widths and signs. Panic 0x11 when the value does not fit, if checked; otherwise its low bits."""
    if source == target:
        return
    have, want = limbs(source), limbs(target)
    fits = target.low <= source.low and source.high <= target.high
    if fits and not source.signed:
        for _ in range(want - have):
            b.i64(0)
        return
    if fits and have == want:
        return
    with b.temporaries(*(I64,) * have) as locals_:
        b.set(*locals_)
        if checked and not fits:
            _unfit(b, locals_, source, target)
            panic_if(b, OVERFLOW)
        b.get(*locals_[:want])
        for _ in range(want - have):
            if source.signed:
                b.get(locals_[-1])
                b.i64(63)
                b.op("i64.shr_s")
            else:
                b.i64(0)
        if not checked and not fits and target.bits != 64 * want:
            _wrap_top(b, target)


def saturate(b: Body, type_: Int) -> None:
    """Turn an unsigned integer into an i64 that says the same up to 2^64, and is 2^64 - 1 beyond."""
    if limbs(type_) == 1:
        return
    with b.temporaries(*(I64,) * limbs(type_)) as locals_:
        b.set(*locals_)
        b.i64(-1)
        b.get(locals_[0])
        any_bit(b, locals_[1:])
        b.op("select")


def _wrap_top(b: Body, target: Int) -> None:
    """Make the top limb, which is on the stack, what the type's width leaves of it; 128 < bits < 192 leave two."""
    full, bits = divmod(target.bits - 1, 64)
    beyond = limbs(target) - full - 1
    for _ in range(beyond):
        b.op("drop")
    normalise(b, Int(bits + 1, target.signed))
    if not beyond:
        return
    with b.temporaries(I64) as (top,):
        b.tee(top)
        for _ in range(beyond):
            if target.signed:
                b.get(top)
                b.i64(63)
                b.op("i64.shr_s")
            else:
                b.i64(0)


def _unfit(b: Body, value: tuple[int, ...], source: Int, target: Int) -> None:
    """Push an i32: whether the value in locals does not fit the target."""
    if source.signed and target.signed:
        # Cut at the target's width and extended again it must be the same.
        limb, bit = divmod(target.bits - 1, 64)
        with b.temporaries(I64, I64) as (top, sign):
            b.get(value[limb])
            extend(b, bit + 1)
            b.tee(top)
            b.i64(63)
            b.op("i64.shr_s")
            b.set(sign)
            b.get(value[limb], top)
            b.op("i64.xor")
            for above in value[limb + 1 :]:
                b.get(above, sign)
                b.do("i64.xor", "i64.or")
            b.i64(0)
            b.op("i64.ne")
        return
    bits = target.bits - target.signed
    if bits >= 64 * len(value):  # a negative value is all that can be wrong
        b.get(value[-1])
        b.i64(0)
        b.op("i64.lt_s")
        return
    # All bits from the target's width on must be 0; extended by its sign, a negative value has some of them.
    limb, bit = divmod(bits, 64)
    b.get(value[limb])
    if bit:
        b.i64(bit)
        b.op("i64.shr_u")
    for above in value[limb + 1 :]:
        b.get(above)
        b.op("i64.or")
    b.i64(0)
    b.op("i64.ne")


def enum(b: Body, type_: Enum) -> None:
    """The i64 on the stack, unsigned, as an enum. Panic 0x21 for a value that it does not have."""
    values = sorted(type_.values)
    with b.temporaries(I64) as (value,):
        b.tee(value)
        if values == list(range(len(values))):
            b.i64(len(values))
            b.op("i64.ge_u")
        else:
            for i, known in enumerate(values):
                if i:
                    b.get(value)
                b.i64(known)
                b.op("i64.ne")
                if i:
                    b.op("i32.and")
        panic_if(b, BAD_ENUM)
        b.get(value)
        b.op("i32.wrap_i64")


def bytes_to_integer(size: int) -> Routine:
    """The slots of bytesN -> those of the unsigned integer with these bytes, big-endian."""
    count, want = -(-size // 8), limbs(Int(8 * size))
    spare = 8 * (8 * count - size)

    def write(b: Body) -> None:
        for i in range(count):
            b.get(i)
            b.call(SWAP)
            b.set(i)
        order = tuple(reversed(range(count)))  # the low limb first, `spare` bits too far left
        for at, local in enumerate(order):
            b.get(local)
            if spare:
                b.i64(spare)
                b.op("i64.shr_u")
                if at + 1 < count:
                    b.get(order[at + 1])
                    b.i64(64 - spare)
                    b.do("i64.shl", "i64.or")
        for _ in range(want - count):
            b.i64(0)

    return Routine(f"bytes{size}_to_integer", (I64,) * count, (I64,) * want, write)


def integer_to_bytes(size: int) -> Routine:
    """The other way round."""
    count, have = -(-size // 8), limbs(Int(8 * size))
    spare = 8 * (8 * count - size)

    def write(b: Body) -> None:
        for local in reversed(range(count)):
            b.get(local)
            if spare:
                b.i64(spare)
                b.op("i64.shl")
                if local:
                    b.get(local - 1)
                    b.i64(64 - spare)
                    b.do("i64.shr_u", "i64.or")
            b.call(SWAP)

    return Routine(f"integer_to_bytes{size}", (I64,) * have, (I64,) * count, write)
