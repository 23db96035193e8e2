"""Where the slots of a value are while it is written somewhere else: in wasm locals, or in memory.

Encoders take a `Where` and need not care; a `Spot` is the place in memory that they write to or read from.
Never: evaluates an expression.
"""

from __future__ import annotations

from typing import TypeAlias

from contractvm.dataclass import dataclass
from contractvm.wasm.module import I64
from sdk.compiler.back.asm import Body, Types
from sdk.compiler.back.slots import slot_bytes, slots
from sdk.compiler.types import Tuple, Type


@dataclass(frozen=True, slots=True)
class Held:
    """A value in wasm locals, a local a slot."""

    locals_: tuple[int, ...]

    def push(self, b: Body, index: int) -> None:
        """Push one slot."""
        b.get(self.locals_[index])

    def part(self, start: int, types: Types) -> Held:
        """The slots from `start` on that have these types."""
        return Held(self.locals_[start : start + len(types)])


@dataclass(frozen=True, slots=True)
class Lying:
    """A value in memory: `offset` bytes behind the address in a local."""

    address: int
    offset: int
    types: Types

    def push(self, b: Body, index: int) -> None:
        """Push one slot."""
        b.get(self.address)
        wide = self.types[index] == I64
        b.load("i64.load" if wide else "i32.load", self.offset + slot_bytes(self.types[:index]))

    def part(self, start: int, types: Types) -> Lying:
        """The slots from `start` on that have these types."""
        return Lying(self.address, self.offset + slot_bytes(self.types[:start]), types)


Where: TypeAlias = Held | Lying


def lying(type_: Type, address: int, offset: int = 0) -> Lying:
    """A value of a type in memory."""
    return Lying(address, offset, slots(type_))


def push(b: Body, type_: Type, where: Where) -> None:
    """Push all slots of a value."""
    for index in range(len(slots(type_))):
        where.push(b, index)


def items(type_: Tuple, where: Where) -> list[tuple[Type, Where]]:
    """The items of a tuple, and where each is."""
    found: list[tuple[Type, Where]] = []
    at = 0
    for item in type_.items:
        types = slots(item)
        found.append((item, where.part(at, types)))
        at += len(types)
    return found


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in memory: `offset` bytes behind the address in a local, or from 0 where there is none."""

    local: int | None
    offset: int

    def push(self, b: Body) -> None:
        """Push what loads and stores add `offset` to."""
        if self.local is None:
            b.i32(0)
        else:
            b.get(self.local)

    def address(self, b: Body) -> None:
        """Push the address itself."""
        if self.local is None:
            b.i32(self.offset)
            return
        b.get(self.local)
        if self.offset:
            b.i32(self.offset)
            b.op("i32.add")

    def plus(self, size: int) -> Spot:
        """So many bytes further."""
        return Spot(self.local, self.offset + size)
