"""Generates function bodies: valid by construction, driven by the instruction table.

A row whose stack effect the table states is generated from the row alone; one whose effect depends on its context by a
function of `control` or `variables`. A test requires every row to be one or the other and to be generated. Operands
come from the stack when they lie there, else from a small expression. Surplus operands mostly end in locals and globals
rather than in `drop`, so that a wrong value is seen. Never: randomness other than the given generator's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from contractvm.table import Op
from contractvm.wasm.module import FUNCREF, I32, I64, TYPE_NAMES, Code, FuncType, GlobalType
from contractvm.wasm.opcodes import BY_NAME, OPS

TYPE_CODES = {name: code for code, name in TYPE_NAMES.items()}
NUMBERS = (I32, I64)
BITS = {I32: 32, I64: 64}
CONST = {I32: "i32.const", I64: "i64.const"}
ADDRESS_MASK = 0xFFFF
PAGE = 65_536


@dataclass(slots=True)
class Shape:
    """What bodies may refer to: the index spaces of the module being generated. `intern` finds or adds a type."""

    intern: Callable[[FuncType], int]
    functions: list[FuncType]
    imported_functions: int
    globals: list[GlobalType]
    tables: list[int]
    """Element types."""
    table_slots: list[int | None]
    """Function in each slot of table 0, as the active segments leave it."""
    element_types: list[int]
    datas: int
    referable: list[int]
    """Functions that occur outside bodies, so that `ref.func` may name them."""
    references: tuple[int, ...]
    """Reference types that may be used."""
    host_operands: bool
    """Whether operands of imported functions are mostly small numbers that can be pointers and lengths."""
    avoided: frozenset[str]
    """Rows that the module does without, so that a compiler may rely on it."""
    fuel: int | None
    """The global that loops and functions of a guarded module count down, a trap below zero; only they write it."""


def edge_biased(rng: Random, type_: int) -> int:
    """A bit pattern: small, an edge of the type, or anything."""
    bits = BITS[type_]
    pick = rng.randrange(8)
    if pick < 3:
        return rng.randrange(16)
    if pick < 6:
        edge = 1 << rng.choice((7, 8, 15, 16, 31, 32, 63, bits - 1))
        return (rng.choice((0, edge, -edge)) + rng.randrange(-2, 3)) & ((1 << bits) - 1)
    return rng.getrandbits(bits)


def _codes(names: Sequence[str]) -> tuple[int, ...]:
    return tuple(TYPE_CODES[name] for name in names)


Statement: TypeAlias = "Callable[[Body], None]"
"""Writes one instruction, with what it needs, into a body; or nothing."""


@dataclass(slots=True)
class Body:
    """One body being written: instructions so far, operand types, and labels with the types a branch carries."""

    rng: Random
    shape: Shape
    index: int
    type: FuncType
    locals: tuple[int, ...]
    budget: int
    length: int
    """Statements of the outermost sequence."""
    statements: Sequence[Statement]
    """What writes the rows whose effect depends on context."""
    deepen: Statement
    """Opens one of the `deepening` blocks."""
    ops: list[int] = field(default_factory=list)
    imms: list[object] = field(default_factory=list)
    stack: list[int] = field(default_factory=list)
    labels: list[tuple[int, ...]] = field(default_factory=list)
    base: int = 0
    """Operands below this height belong to an enclosing block."""
    dead: bool = False
    deepening: int = 0
    """Blocks still to be opened one in another, before anything else: more than Python can nest."""

    def write(self) -> Code:
        """Generate the whole body."""
        self.labels.append(self.type.results)
        self.guard()
        if self.deepening:
            self.deepen(self)
        self.sequence(self.type.results, self.length)
        self.emit("end")
        return Code(self.ops, self.imms, [0] * len(self.ops))

    def emit(self, name: str, imm: object = None) -> None:
        self.ops.append(BY_NAME[name].code)
        self.imms.append(imm)
        self.budget -= 1

    def guard(self) -> None:
        """Count the fuel global down, if there is one; trap below zero."""
        fuel = self.shape.fuel
        if fuel is None:
            return
        self.emit("global.get", fuel)
        self.emit("i32.const", 1)
        self.emit("i32.sub")
        self.emit("global.set", fuel)
        self.emit("global.get", fuel)
        self.emit("i32.const", 0)
        self.emit("i32.lt_s")
        self.emit("if", FuncType((), ()))
        self.emit("unreachable")
        self.emit("end")

    # Sequences and operands.

    def sequence(self, results: tuple[int, ...], statements: int) -> None:
        """Statements, then exactly `results` above the base."""
        for _ in range(statements):
            if self.budget <= 0 or self.dead:
                break
            self._statement()
        if self.dead:
            for _ in range(self.rng.randrange(3)):
                self._pure(self.rng.choice(PLAIN))
        self._settle(results)

    def _statement(self) -> None:
        rng = self.rng
        pick = rng.random()
        if pick < 0.08:
            self.produce(rng.choice(NUMBERS), depth=5)
        elif pick < 0.5:
            rng.choice(self.statements)(self)
        else:
            self._row(rng.choice(GENERIC))

    def _settle(self, results: tuple[int, ...]) -> None:
        """Use up what is above the base until it begins `results`, then produce the rest."""
        while tuple(self.stack[self.base :]) != results[: len(self.stack) - self.base]:
            self.consume()
        missing = results[len(self.stack) - self.base :]
        if self.dead and len(self.stack) == self.base and self.rng.random() < 0.7:
            self.stack += missing
            return
        for type_ in missing:
            self.produce(type_)

    def consume(self) -> None:
        """Take the top operand to where its value can be seen."""
        type_ = self.stack[-1]
        slots = [i for i, t in enumerate(self.all_locals) if t == type_]
        if slots and self.rng.random() < 0.8:
            self.forget(1)
            self.emit("local.set", self.rng.choice(slots))
            return
        cells = self.writable(type_)
        if cells and self.rng.random() < 0.8:
            self.forget(1)
            self.emit("global.set", self.rng.choice(cells))
            return
        self.forget(1)
        self.emit("drop")

    @property
    def all_locals(self) -> tuple[int, ...]:
        return self.type.params + self.locals

    def writable(self, type_: int) -> list[int]:
        cells = enumerate(self.shape.globals)
        return [i for i, g in cells if g.mutable and g.value == type_ and i != self.shape.fuel]

    def forget(self, count: int) -> None:
        """Forget operands; dead code may pop what is not there."""
        available = len(self.stack) - self.base
        del self.stack[len(self.stack) - min(count, available) :]

    def need(self, types: Sequence[int]) -> None:
        """Put operands of these types on top: those already there, as far as they fit, else fresh ones."""
        for kept in range(len(types), -1, -1):
            lying = self.stack[max(self.base, len(self.stack) - kept) :]
            if kept == 0 or (len(lying) == kept and tuple(lying) == tuple(types[:kept]) and self.rng.random() < 0.8):
                for type_ in types[kept:]:
                    self.produce(type_)
                return

    def take(self, types: Sequence[int]) -> None:
        """`need`, and count them as used."""
        self.need(types)
        self.forget(len(types))

    def produce(self, type_: int, depth: int = 2) -> None:
        """Push one value of a type, made by instructions `depth` deep at most; deep ones are mostly deep."""
        rng, shape = self.rng, self.shape
        slots = [i for i, t in enumerate(self.all_locals) if t == type_]
        cells = [i for i, g in enumerate(shape.globals) if g.value == type_]
        pick = rng.random() if depth < 3 else 0.5 + rng.random() / 3.5
        if slots and pick < 0.35:
            self.emit("local.get", rng.choice(slots))
        elif cells and pick < 0.45:
            self.emit("global.get", rng.choice(cells))
        elif type_ in BITS and depth > 0 and self.budget > 0 and pick < 0.75:
            row = rng.choice(MAKERS[type_])
            for operand in _codes(row.params):
                self.produce(operand, depth - 1)
            self.forget(len(row.params))
            self._tame(row)
            self.emit(row.name)
        elif type_ in BITS:
            self.emit(CONST[type_], edge_biased(rng, type_))
        elif type_ == FUNCREF and shape.referable and pick < 0.8:
            self.emit("ref.func", rng.choice(shape.referable))
        else:
            self.emit("ref.null", type_)
        self.stack.append(type_)

    # Rows whose effect the table states.

    def _row(self, row: Op) -> None:
        if row.name in self.shape.avoided:
            return
        if row.imm == "":
            self._pure(row)
            return
        immediate = IMMEDIATES[row.imm](self, row)
        if immediate is _NOTHING_TO_NAME:
            return
        if row.imm == "memarg":
            self._access(row, immediate)
            return
        if len(row.params) == 3:
            self._bulk_operands(row)
        elif row.imm == "memory" and row.params:
            self.emit("i32.const", self.rng.choice((0, 1, 1, 2, 70_000)))
        else:
            self.take(_codes(row.params))
        self.emit(row.name, immediate)
        self.stack += _codes(row.results)

    def _pure(self, row: Op) -> None:
        if self.dead:
            # An empty polymorphic stack has operands of any type; those that lie on it may be of a wrong one.
            while len(self.stack) > self.base:
                self.forget(1)
                self.emit("drop")
        else:
            self.take(_codes(row.params))
            self._tame(row)
        self.emit(row.name)
        self.stack += _codes(row.results)

    def _tame(self, row: Op) -> None:
        """Make most divisors other than zero: a module that always traps early shows little."""
        if row.traps and self.rng.random() < 0.8:
            type_ = _codes(row.params)[-1]
            self.emit(CONST[type_], self.rng.choice((1, 1, 3, 5)))
            self.emit(f"{TYPE_NAMES[type_]}.or")

    def _access(self, row: Op, immediate: object) -> None:
        """An address, mostly inside the first page, and the value of a store."""
        self._address()
        stored = _codes(row.params)[1:]
        for type_ in stored:
            self.produce(type_)
        self.forget(len(row.params))
        self.emit(row.name, immediate)
        self.stack += _codes(row.results)

    def _address(self) -> None:
        if self.rng.random() < 0.05:
            self.emit("i32.const", PAGE - self.rng.randrange(12))
            self.stack.append(I32)
            return
        self.produce(I32)
        if self.rng.random() < 0.95:
            self.emit("i32.const", self.rng.choice((ADDRESS_MASK, 0xFF, 0x7FF8)))
            self.emit("i32.and")

    def _bulk_operands(self, row: Op) -> None:
        """Destination, source or value, and length: mostly short and inside."""
        for position in range(3):
            if position == 1 and row.name == "memory.fill":
                self.emit("i32.const", edge_biased(self.rng, I32))
            elif self.rng.random() < 0.95:
                self.emit("i32.const", self.rng.choice((0, 1, 2, 2, 3)))
            elif self.rng.random() < 0.5:
                self.emit("i32.const", self.rng.choice((PAGE, PAGE - 1, PAGE - 3, 4, 5, 6, 7, 8)))
            else:
                self.produce(I32)
                self.stack.pop()

    def _memarg(self, row: Op) -> object:
        natural = row.width.bit_length() - 1
        offset = self.rng.choice((0, 0, 1, 8, 63, 1024, 65529, 0xFFFFFFF0)) if self.rng.random() < 0.5 else 0
        if offset > ADDRESS_MASK and self.rng.random() < 0.9:
            offset = 4
        return (self.rng.randint(0, natural), offset)

    def _data(self, row: Op) -> object:
        return self.rng.randrange(self.shape.datas) if self.shape.datas else _NOTHING_TO_NAME

    def _element(self, row: Op) -> object:
        count = len(self.shape.element_types)
        return self.rng.randrange(count) if count else _NOTHING_TO_NAME

    def _element_and_table(self, row: Op) -> object:
        shape = self.shape
        pairs = [(e, t) for e, a in enumerate(shape.element_types) for t, b in enumerate(shape.tables) if a == b]
        return self.rng.choice(pairs) if pairs else _NOTHING_TO_NAME

    def _two_tables(self, row: Op) -> object:
        tables = self.shape.tables
        return self.rng.choice([(a, b) for a, x in enumerate(tables) for b, y in enumerate(tables) if x == y])

    def _table(self, row: Op) -> object:
        return self.rng.randrange(len(self.shape.tables))

    def _func(self, row: Op) -> object:
        return self.rng.choice(self.shape.referable) if self.shape.referable else _NOTHING_TO_NAME

    def _constant(self, row: Op) -> object:
        return edge_biased(self.rng, _codes(row.results)[0])

    def _none(self, row: Op) -> object:
        return None


_NOTHING_TO_NAME = object()

IMMEDIATES: Mapping[str, Callable[[Body, Op], object]] = {
    "memarg": Body._memarg,
    "memory": Body._none,
    "memory_memory": Body._none,
    "data_memory": Body._data,
    "data": Body._data,
    "elem": Body._element,
    "elem_table": Body._element_and_table,
    "table_table": Body._two_tables,
    "table": Body._table,
    "func": Body._func,
    "i32": Body._constant,
    "i64": Body._constant,
}
"""Immediates of rows with a stated effect, by form."""

GENERIC = tuple(op for op in OPS if op.sig)
PLAIN = tuple(op for op in GENERIC if op.imm == "" and op.params)
MEMORY_ROWS = frozenset(op.name for op in OPS if op.imm == "memarg" or op.imm.startswith("memory")) | {"memory.init"}
"""What a module without a memory has none of."""
MAKERS = {t: tuple(op for op in PLAIN if _codes(op.results) == (t,)) for t in NUMBERS}
