"""Conversions that are not between numbers: Bytes of an exact length, bytesN of another size, text and bytes.

Source: docs/language.md, "Conversions"; numbers, enums and bytes as numbers are `arith_convert`'s.
Never: checks whether a conversion exists; that is the checker's.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler.back.arith_convert import convert_number
from sdk.compiler.back.arith_words import OVERFLOW
from sdk.compiler.back.asm import Body
from sdk.compiler.back.bytes import bytes_of, load_bytes, width
from sdk.compiler.back.slots import slots
from sdk.compiler.back.writer import Write, Writer, panic
from sdk.compiler.tree import Convert
from sdk.compiler.types import Address, Bytes, FixedBytes, Remote, String, Type


def _convert(w: Writer, node: Convert) -> None:
    """Push a value as another type."""
    source, target = node.value.type, node.type
    if isinstance(target, (Bytes, String)):
        bytes_of(w, node.value)
        return
    w.expr(node.value)
    match source, target:
        case _ if source == target:
            pass
        case ((FixedBytes() | Address() | Remote()), (FixedBytes() | Address() | Remote())):
            _resize(w.b, source, target)
        case ((Bytes() | String()), (FixedBytes() | Address())):
            _exactly(w.b, width(target))
        case _:
            convert_number(w.b, source, target, node.checked)


def _resize(b: Body, source: Type, target: Type) -> None:
    """bytesN on the stack -> bytesM: the first bytes, or zeros behind."""
    have, want = slots(source), slots(target)
    for _ in range(len(have) - len(want)):
        b.op("drop")
    if width(target) < width(source) and width(target) % 8:
        b.i64((1 << 8 * (width(target) % 8)) - 1)
        b.op("i64.and")
    for _ in range(len(want) - len(have)):
        b.i64(0)


def _exactly(b: Body, size: int) -> None:
    """Bytes on the stack -> bytesN; Panic 0x11 for another length."""
    b.i32(size)
    b.op("i32.ne")
    with b.if_():
        panic(b, OVERFLOW)
    with b.temporaries(I32) as (start,):
        b.set(start)
        load_bytes(b, start, size)


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType({Convert: _convert})
