"""A function under generation by the portable tier: statements, and an operand stack of expressions.

An operand stays an expression until something it depends on is about to change, or until it could trap later than the
specification says; then it is assigned to the slot of its height (`s0`, `s1`, ...), so that a Python frame is never
larger than the deterministic frame weight counts. What is evaluated early is evaluated in the order it was pushed.
Never: knows an instruction (`pyinstructions`), control flow (`pystructured`, `pystates`) or where gas is charged
(`sections`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from contractvm.dataclass import dataclass
from contractvm.wasm import pyvalue as v
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.module import I32, I64
from contractvm.wasm.opcodes import BY_CODE
from contractvm.wasm.pyvalue import MASK, Value

MAX_DEPTH = 24
"""Operators in each other; each is up to three of the 200 brackets that CPython lets nest."""
MAX_TEXT = 600
"""Characters of an expression, so that the text copied for an instruction is bounded."""
MAX_PENDING = 64
"""Operands left as expressions at once: each is looked at whenever something changes."""
BITS = {I32: 32, I64: 64}


@dataclass(frozen=True, slots=True)
class Line:
    indent: int
    text: str
    at: int | None
    """Instruction that the statement itself belongs to, for tracebacks."""


class Body:
    """Statements and operand stack of one function under generation."""

    def __init__(self, compiled: Compiled, index: int) -> None:
        module = compiled.module
        self.compiled = compiled
        self.index = index
        self.plan = compiled.plan(index)
        self.function = compiled.function(index)
        self.type = module.signature(index)
        self.local_types = self.type.params + self.function.locals
        self.assigned = self._assigned()
        self.prologue: list[str] = []
        """Statements before the first run."""
        self.lines: list[Line] = []
        self.indent = 1
        self.stack: list[Value] = []
        self.pending: list[int] = []
        """Heights of the operands that are not stable, ascending."""
        self.free: set[str] = set()
        """Cells it closes over."""
        self.writes: set[str] = set()
        """Cells it assigns."""
        self.tail = False
        """Whether it makes tail calls."""

    def _assigned(self) -> frozenset[int]:
        code, live = self.function.code, self.plan.live
        names = ("local.set", "local.tee")
        return frozenset(
            imm  # type: ignore[misc]
            for i, (op, imm) in enumerate(zip(code.ops, code.imms, strict=True))
            if live[i] and BY_CODE[op].name in names
        )

    # Statements.

    def emit(self, text: str, at: int | None = None) -> None:
        self.lines.append(Line(self.indent, text, at))

    def open(self, header: str) -> None:
        """Emit a compound statement's header and indent."""
        self.emit(header)
        self.indent += 1

    def close(self, indent: int) -> None:
        """Go back to an indentation, closing an empty suite with `pass`."""
        while self.indent > indent:
            if self.lines[-1].indent < self.indent:
                self.emit("pass")
            self.indent -= 1

    def cell(self, name: str, write: bool = False) -> str:
        self.free.add(name)
        if write:
            self.writes.add(name)
        return name

    def charge(self, at: int) -> None:
        """Charge the run that starts at an instruction, if one does."""
        run = self.plan.run_at.get(at)
        if run is None or not (run.cost or run.count):
            return
        self.settle_traps()
        if run.cost:
            gas = self.cell("gas", write=True)
            self.emit(f"if ({gas} := {gas} - {run.cost}) < 0: raise OutOfGas", at)
        if self.compiled.count:
            self.emit(f"{self.cell('n', write=True)} += {run.count}")

    # The operand stack.

    def push(self, value: Value) -> None:
        if value.text.isidentifier() and value.text[0] == "s" and value.text != f"s{len(self.stack)}":
            value = replace(value, slots=True)  # the slot of another height, which may come to be overwritten
        self.stack.append(value)
        if not value.stable:
            self.pending.append(len(self.stack) - 1)
            if len(self.pending) > MAX_PENDING:
                self.settle_all()
        if value.depth > MAX_DEPTH or len(value.text) > MAX_TEXT:
            self.to_slot(len(self.stack) - 1)

    def pop(self) -> Value:
        value = self.stack.pop()
        if self.pending and self.pending[-1] == len(self.stack):
            self.pending.pop()
        return value

    def pops(self, count: int) -> list[Value]:
        """Pop `count` operands, the deepest first."""
        return [self.pop() for _ in range(count)][::-1]

    def push_slot(self, type_: int) -> None:
        """Push what a statement has left in the slot of the next height."""
        self.stack.append(slot(len(self.stack), type_))

    def to_slot(self, height: int) -> None:
        """Assign the operand at a height to its slot."""
        # What lies deeper goes first where it reads a slot this assignment may overwrite, or could trap before what is
        # evaluated now: the operand itself, or one that goes first.
        below = [(h, self.stack[h]) for h in self.pending if h < height]
        traps = self.stack[height].traps or any(other.slots and other.traps for _, other in below)
        for deeper, other in below:
            if other.slots or (traps and other.traps):
                self._assign_slot(deeper)
        self._assign_slot(height)

    def _assign_slot(self, height: int) -> None:
        value = self.stack[height]
        name = f"s{height}"
        if value.text == name or value.constant is not None:
            return
        value = v.number(value)
        if value.lo < -MASK[64] or value.hi > MASK[64] << 32:
            value = v.exact(value, 64)
        self.emit(f"{name} = {v.bracketed(value.text)}")
        self.stack[height] = Value(name, value.lo, value.hi)
        if height in self.pending:
            self.pending.remove(height)

    def settle(self, which: Callable[[Value], bool]) -> None:
        """Assign to slots every pending operand for which `which` holds, the deepest first."""
        for height in list(self.pending):
            if which(self.stack[height]):
                self.to_slot(height)

    def settle_all(self) -> None:
        """Make every operand stable."""
        self.settle(lambda value: True)

    def settle_traps(self) -> None:
        """Evaluate what could trap, before a branch or the end of a run."""
        self.settle(lambda value: value.traps)

    def reset(self, height: int, types: tuple[int, ...]) -> None:
        """Forget the operands above a height and push what the slots from there on hold."""
        del self.stack[height:]
        while self.pending and self.pending[-1] >= height:
            self.pending.pop()
        for type_ in types:
            self.push_slot(type_)

    def before_effect(self) -> None:
        """Call before a statement that traps or changes memory, globals or tables."""
        self.settle(lambda value: value.traps or value.mutable)

    # What instructions have in common.

    def local(self, index: int) -> Value:
        bits = BITS.get(self.local_types[index], 0)
        reads = frozenset((index,)) if index in self.assigned else v.NOTHING
        return Value(f"l{index}", 0, MASK[bits] if bits else 0, locals=reads)

    def canonical(self, value: Value, type_: int) -> Value:
        """The operand as it may leave the function or enter a local: a bit pattern, never a condition."""
        bits = BITS.get(type_)
        return value if bits is None else v.exact(value, bits)

    def call(self, i: int, target: str, params: tuple[int, ...], results: tuple[int, ...], weight: str | None) -> None:
        """Emit a call of `target` with the operands on the stack and push its results."""
        operands = self.pops(len(params))
        arguments = [self.canonical(o, t).text for o, t in zip(operands, params, strict=True)]
        self.before_effect()
        self.settle(lambda value: value.slots)
        call = f"{target}({', '.join([*arguments, weight] if weight else arguments)})"
        base = len(self.stack)
        names = ", ".join(f"s{base + n}" for n in range(len(results)))
        self.emit(f"{names} = {call}" if results else call, i)
        for type_ in results:
            self.push_slot(type_)

    def deeper(self) -> str:
        """The stack weight left for a callee."""
        return f"sp - {self.plan.weight}"


def slot(height: int, type_: int) -> Value:
    bits = BITS.get(type_, 0)
    return Value(f"s{height}", 0, MASK[bits] if bits else 0)
