"""Keys of storage, written into memory; `sdk.compiler.layout` says how they look.

Each field has an area of memory for its keys, which begins with the field's prefix, so a short key costs a few stores.
What is evaluated between two uses of a key may write another key of the field there: `Key.push` looks at the code that
was written since, and writes the key again only then. Keys with Bytes or String share one larger area.
Never: reads or writes storage.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from contractvm.dataclass import dataclass
from contractvm.wasm.module import I32
from sdk.compiler import layout
from sdk.compiler.back.arith_words import SWAP
from sdk.compiler.back.asm import Body
from sdk.compiler.back.operand import Spot
from sdk.compiler.back.slots import slots
from sdk.compiler.back.storage_open import ESCAPED, RAW, TOO_LONG, WIDE
from sdk.compiler.back.writer import Writer
from sdk.compiler.symbols import Field
from sdk.compiler.types import Address, Bool, Bytes, Enum, FixedBytes, Int, Map, Remote, String, Tuple, Type

LIMIT: Final = 4096
"""Bytes of the longest key that the chain takes."""
LONG_BYTES: Final = 2 * LIMIT + 64
"""Room for a key of many parts, one of them escaped, before its length is looked at."""
SLACK: Final = 8
"""Bytes behind a key that writing it may touch."""


@dataclass(frozen=True, slots=True)
class Simple:
    """A key, or an item of a tuple that is one; its slots are in locals. `last`: nothing follows in any such key."""

    type: Type
    locals_: tuple[int, ...]
    last: bool


@dataclass(frozen=True, slots=True)
class Index:
    """Of a list or an array: an i64 in a local, below 2^32."""

    local: int


@dataclass(frozen=True, slots=True)
class FixedIndex:
    value: int


Part: TypeAlias = Simple | Index | FixedIndex


@dataclass(frozen=True, slots=True)
class Known:
    """A key in its area: the number of the area's writing that put it there, and where in the code that ended."""

    parts: tuple[Part, ...]
    number: int
    end: int


def map_key(map_: Map, locals_: tuple[int, ...]) -> tuple[Part, ...]:
    """The parts of a key of a map."""
    return tuple(_flat(map_.key, locals_, layout.is_entry(map_.value)))


def _flat(type_: Type, locals_: tuple[int, ...], last: bool) -> Iterator[Part]:
    if not isinstance(type_, Tuple):
        yield Simple(type_, locals_, last)
        return
    for number, item in enumerate(type_.items, 1):
        count = len(slots(item))
        yield from _flat(item, locals_[:count], last and number == len(type_.items))
        locals_ = locals_[count:]


class Key:
    """A key: a field's prefix and parts. `push` gives its address and length, as often as one likes.

    `free` gives back the local that has the length of a key whose length is not constant.
    """

    def __init__(self, w: Writer, field: Field, parts: tuple[Part, ...] = ()) -> None:
        self.w = w
        self.field = field
        self.parts = parts
        self._length: int | None = None
        self._written: tuple[int, int] | None = None
        """The number of the writing into this area, and where in the code it ended."""

    def plus(self, *parts: Part) -> Key:
        """This key and more parts."""
        return Key(self.w, self.field, (*self.parts, *parts))

    @property
    def long(self) -> bool:
        return any(isinstance(part, Simple) and layout.is_long(part.type) for part in self.parts)

    @property
    def size(self) -> int | None:
        """Bytes, where that is constant."""
        sizes = [_fixed(part) for part in self.parts]
        return None if None in sizes else layout.PREFIX_BYTES + sum(size or 0 for size in sizes)

    @property
    def area(self) -> int:
        """Where the key is written."""
        assembly = self.w.assembly
        if self.long:
            return assembly.area("storage.key", LONG_BYTES + SLACK)
        size = layout.PREFIX_BYTES + _room(self.field.type) + SLACK
        return assembly.area(f"storage.key {self.field.qualified}", size, layout.prefix(self.field.qualified))

    def push(self) -> None:
        """Push address and length."""
        b = self.w.b
        if not self.parts:
            b.i32(b.assembly.constant(layout.prefix(self.field.qualified)))
            b.i32(layout.PREFIX_BYTES)
            return
        if not self._current() and not self._there():
            self._write()
        b.i32(self.area)
        size = self.size
        if size is not None:
            b.i32(size)
        elif self._length is not None:
            b.get(self._length)

    def free(self) -> None:
        """The key is not pushed again."""
        if self._length is not None:
            self.w.b.free([self._length])
        self._length = self._written = None

    def _current(self) -> bool:
        """Whether the key surely lies in its area still."""
        if self._written is None:
            return False
        number, start = self._written
        return self._untouched(number, start)

    def _there(self) -> bool:
        """Whether the same key, made of the same locals, was written there for another place."""
        known = self.w.keys.get(self.area)
        if known is None or self.size is None or known.parts != self.parts:
            return False
        own = {local for part in self.parts for local in _locals(part)}
        changed = any(one.name in ("local.set", "local.tee") and one.imm in own for one in self.w.b.code[known.end :])
        if changed or not self._untouched(known.number, known.end):
            return False
        self._written = known.number, known.end
        return True

    def _untouched(self, number: int, start: int) -> bool:
        """Whether what the area's writing of that number put there is still there; it ended at `start` in the code."""
        if number != self.w.unit.writings.get(self.area):
            return False
        functions = self.w.unit.functions.values()
        depth = 0
        for one in self.w.b.code[start:]:
            if one.name in ("block", "if"):
                depth += 1
            elif one.name == "end":
                depth -= 1
            if depth < 0 or one.name == "loop" or (one.name == "else" and depth == 0):
                return False
            if one.name == "call" and one.imm in functions:
                return False
        return True

    def _write(self) -> None:
        b = self.w.b
        at = Spot(None, self.area)
        if self.long:
            at.push(b)
            b.i32(int.from_bytes(layout.prefix(self.field.qualified), "little"))
            b.store("i32.store16", at.offset)
        at = at.plus(layout.PREFIX_BYTES)
        open_ = self.size is None
        if open_ and self._length is None:
            self._length = b.local(I32)
        for part in self.parts:
            size = _fixed(part)
            if size is not None:
                _put_fixed(b, part, at)
                at = at.plus(size)
            elif isinstance(part, Simple) and self._length is not None:
                _put_open(b, part, at, self.area + LONG_BYTES)
                b.set(self._length)  # for now, where the next part begins
                at = Spot(self._length, 0)
        if open_ and self._length is not None:
            b.get(self._length)
            b.i32(self.area - at.offset)
            b.op("i32.sub")
            b.set(self._length)
        if self.long and self._length is not None:
            b.get(self._length)
            b.i32(LIMIT)
            b.op("i32.gt_u")
            with b.if_():
                b.call(TOO_LONG)
        writings = self.w.unit.writings
        writings[self.area] = writings.get(self.area, 0) + 1
        self._written = (writings[self.area], len(b.code))
        self.w.keys[self.area] = Known(self.parts, *self._written)


def _locals(part: Part) -> tuple[int, ...]:
    match part:
        case Simple(locals_=locals_):
            return locals_
        case Index(local):
            return (local,)
    return ()


def _fixed(part: Part) -> int | None:
    """Bytes of a part, None where they depend on the value."""
    if not isinstance(part, Simple):
        return layout.INDEX_BYTES
    match part.type:
        case Bytes() | String():
            return None
        case Int(bits, False) if bits > layout.NARROW:
            return None
    return layout.key_bytes(part.type)


def _room(type_: Type) -> int:
    """The most bytes of a key behind a field's prefix, without those of Bytes and String."""
    match type_:
        case Map(key, value):
            return layout.key_bytes(key) + _room(value)
    item = getattr(type_, "item", None)
    if item is None or layout.is_entry(type_):
        return 0
    return layout.INDEX_BYTES + _room(item)


def _put_fixed(b: Body, part: Part, at: Spot) -> None:
    """Write a part of constant length; a few bytes behind it may be touched."""
    match part:
        case FixedIndex(value):
            at.push(b)
            b.i32(int.from_bytes(value.to_bytes(4, "big"), "little"))
            b.store("i32.store", at.offset)
        case Index(local):
            _put_number(b, (local,), 32, False, at)
        case Simple(Int(bits, signed), locals_):
            _put_number(b, locals_, bits, signed, at)
        case Simple(Bool() | Enum(), locals_):
            at.push(b)
            b.get(*locals_)
            b.store("i32.store8", at.offset)
        case Simple(Address() | Remote() | FixedBytes(), locals_):
            for i, local in enumerate(locals_):
                at.push(b)
                b.get(local)
                b.store("i64.store", at.offset + 8 * i)
        case _:
            raise TypeError(f"{part} is no key of constant length")


def _put_number(b: Body, locals_: tuple[int, ...], bits: int, signed: bool, at: Spot) -> None:
    """Big-endian in full width, the sign bit turned: the limb with the highest bits first."""
    for limb in reversed(range(-(-bits // 64))):
        top = min(64, bits - 64 * limb)
        at.push(b)
        b.get(locals_[limb])
        if signed and limb == (bits - 1) // 64:
            b.i64(1 << top - 1)
            b.op("i64.add")
        if top > 8:
            b.call(SWAP)
            if top < 64:
                b.i64(64 - top)
                b.op("i64.shr_u")
            b.store("i64.store", at.offset)
        else:
            b.store("i64.store8", at.offset)
        at = at.plus(top // 8)


def _put_open(b: Body, part: Simple, at: Spot, end: int) -> None:
    """Write a part whose length depends on its value; push the address behind it."""
    at.address(b)
    b.get(*part.locals_)
    if isinstance(part.type, Int):
        for _ in range(4 - len(part.locals_)):
            b.i64(0)
        b.call(WIDE)
        return
    b.i32(end)
    b.call(RAW if part.last else ESCAPED)
