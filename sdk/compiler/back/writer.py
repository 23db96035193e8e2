"""What every part of the back end writes through: one function's body, with its variables, and the module around it.

The parts know one another only by this class: each gives a table from node classes to functions that write them, and
`lower.py` puts the tables together. `writer.expr(node)` leaves the node's slots (`slots.py`) on wasm's stack.
Never: knows how any node is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import field
from typing import Any, Final, Protocol, TypeAlias

from contractvm.dataclass import dataclass
from contractvm.rules import Limits
from contractvm.wasm.module import I32, I64
from sdk.compiler.back.asm import Assembly, Body, Defined, Label, Routine, Types
from sdk.compiler.back.slots import slots
from sdk.compiler.tree import Expression, ForEach, Function, Local, Place, Program, Statement
from sdk.compiler.types import Type

PAGE: Final = 65_536
Write: TypeAlias = Callable[["Writer", Any], None]
"""Writes one node. For expressions: leaves its slots on the stack."""


class Addressed(Protocol):
    """A place whose parts were evaluated, once; it may be read and written any number of times."""

    def load(self) -> None:
        """Push the value's slots."""

    def store(self) -> None:
        """Pop the value's slots into the place."""

    def delete(self) -> None:
        """Put the default there."""


class StorageParts(Protocol):
    """What `storage.py` gives to the parts that work on places anywhere; each place here is rooted in a field."""

    def address(self, w: Writer, place: Place, /) -> AbstractContextManager[Addressed]:
        """Evaluate a place's parts, for reading and writing."""

    def load(self, w: Writer, place: Place, /) -> None:
        """Evaluate a place and push its value's slots; an object is a fresh copy in memory."""

    def store(self, w: Writer, place: Place, /) -> None:
        """The value's slots are on the stack: evaluate the place and pop them into it."""

    def delete(self, w: Writer, place: Place, /) -> None:
        """Evaluate a place and put the default there; `del` of a map's entry."""

    def length(self, w: Writer, place: Place, /) -> None:
        """Push the length of a list or an array, an i64."""

    def append(self, w: Writer, place: Place, value: Expression, /) -> None:
        """Evaluate the place, then the value, and put it behind the last item of a list."""

    def pop(self, w: Writer, place: Place, /) -> None:
        """Take the last item off a list and push its slots; Panic 0x31 when there is none."""

    def contains(self, w: Writer, place: Place, key: Expression, /) -> None:
        """Evaluate key, then place; push an i32: whether a map has the key, or a list or array an equal item."""

    def for_each(self, w: Writer, node: ForEach, /) -> None:
        """A loop over a list or an array in storage."""


@dataclass(frozen=True, slots=True)
class Tables:
    """How nodes are written, by class; and what is in storage."""

    expressions: Mapping[type, Write]
    statements: Mapping[type, Write]
    storage: StorageParts


@dataclass(slots=True)
class Unit:
    """What the functions of one contract share."""

    program: Program
    assembly: Assembly
    tables: Tables
    functions: dict[Function, Defined] = field(default_factory=dict)
    """The wasm function of each function of the program."""
    writings: dict[int, int] = field(default_factory=dict)
    """How often code was written that changes a scratch area, by its address: whether what lies there is old."""


class Writer:
    """Writes one function. `returning` leaves it: what a `return` statement does with the slots on the stack."""

    def __init__(self, unit: Unit, body: Body) -> None:
        self.unit = unit
        self.assembly = unit.assembly
        self.b = body
        self.variables: dict[Local, tuple[int, ...]] = {}
        """Wasm locals of the function's variables."""
        self.facts: dict[str, tuple[int, ...]] = {}
        """Wasm locals of what the function asked of the host when it began; see `facts.py`."""
        self.loops: list[tuple[Label, Label]] = []
        """Where `break` and `continue` go, the innermost loop last."""
        self.returning: Callable[[], None] = body.return_
        self.keys: dict[int, Any] = {}
        """By address of a scratch area, the key that `storage_keys` wrote there last."""

    def expr(self, node: Expression) -> None:
        """Write an expression: its slots are on the stack afterwards."""
        before, self.b.span = self.b.span, node.span
        self.unit.tables.expressions[type(node)](self, node)
        self.b.span = before

    def statement(self, node: Statement) -> None:
        self.b.span = node.span
        self.unit.tables.statements[type(node)](self, node)

    def statements(self, nodes: Iterable[Statement]) -> None:
        for node in nodes:
            self.statement(node)

    def variable(self, local: Local) -> tuple[int, ...]:
        """The wasm locals of a variable, made when it is first met."""
        if local not in self.variables:
            self.variables[local] = self.b.fresh(slots(local.type))
        return self.variables[local]

    @contextmanager
    def value(self, node: Expression) -> Iterator[tuple[int, ...]]:
        """An expression's slots in locals of its own, for the length of a `with`."""
        self.expr(node)
        with self.spilled(node.type) as locals_:
            yield locals_

    @contextmanager
    def spilled(self, type_: Type) -> Iterator[tuple[int, ...]]:
        """The slots of a value on the stack, popped into locals for the length of a `with`."""
        locals_ = self.b.fresh(slots(type_))
        self.b.set(*locals_)
        yield locals_
        self.b.free(locals_)

    def panic_if(self, code: int) -> None:
        """Revert with Panic(code) when the i32 on the stack is not 0."""
        with self.b.if_():
            self.panic(code)

    def panic(self, code: int) -> None:
        """Revert with Panic(code); nothing behind it is reached."""
        panic(self.b, code)


def panic(b: Body, code: int) -> None:
    """Revert with Panic(code); nothing behind it is reached. Source: Solidity, "Panic via assert"."""
    b.i32(code)
    b.call(PANIC)
    b.unreachable()


def _write_panic(b: Body) -> None:
    selector = b.assembly.constant(bytes.fromhex("4e487b71") + bytes(32))
    b.i32(selector)
    b.get(0)
    b.store("i32.store8", 35)
    b.i32(selector)
    b.i32(36)
    b.host("revert")
    b.unreachable()


PANIC = Routine("panic", (I32,), (), _write_panic)


MOST: Final = Limits().memory_pages * PAGE
"""Bytes of the largest memory that a chain gives. Below twice of it no sum of addresses wraps."""


def _write_allocate(b: Body) -> None:
    """Move the heap's end; grow the memory when it is passed."""
    heap = b.assembly.global_("heap", I32, None)
    with b.temporaries(I32) as (start,):
        b.get(0)
        b.i32(MOST)
        b.op("i32.gt_u")
        with b.if_():
            panic(b, 0x41)
        b.global_get(heap)
        b.tee(start)
        b.get(0)
        b.op("i32.add")
        b.i32(7)
        b.op("i32.add")
        b.i32(-8)
        b.op("i32.and")
        b.tee(0)
        b.global_set(heap)
        b.get(0)
        b.op("memory.size")
        b.i32(16)
        b.do("i32.shl", "i32.gt_u")
        with b.if_():
            b.get(0)
            b.op("memory.size")
            b.i32(16)
            b.do("i32.shl", "i32.sub")
            b.i32(PAGE - 1)
            b.op("i32.add")
            b.i32(16)
            b.do("i32.shr_u", "memory.grow")
            b.i32(-1)
            b.op("i32.eq")
            with b.if_():
                panic(b, 0x41)
        b.get(start)


ALLOCATE = Routine("allocate", (I32,), (I32,), _write_allocate)
"""Bytes wanted -> the address of so many zeros, a multiple of 8. Never given back. Panic 0x41 when memory is full."""


def push_room(b: Body) -> None:
    """Push the bytes of memory that there are behind the heap's end."""
    b.op("memory.size")
    b.i32(16)
    b.op("i32.shl")
    b.global_get(b.assembly.global_("heap", I32, None))
    b.op("i32.sub")


WORD: Types = (I64, I64, I64, I64)
"""The slots of a u256."""
