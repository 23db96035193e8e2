"""Control flow of the portable tier as a state machine, for functions nested deeper than CPython compiles.

The body is cut at its labels into pieces; one loop chooses the piece `pc` by comparing its way down a balanced tree,
and every branch sets `pc` and continues. Slower than `pystructured`, exact all the same.
Never: nests by the depth of the wasm code.
"""

from __future__ import annotations

from typing import Any

from contractvm.dataclass import dataclass
from contractvm.wasm import pymerge as merge
from contractvm.wasm import pyvalue as v
from contractvm.wasm.pybody import Body, Line
from contractvm.wasm.pycalls import CALLS
from contractvm.wasm.pyinstructions import INSTRUCTIONS
from contractvm.wasm.sections import BLOCK, BR, BR_IF, BR_TABLE, ELSE, END, IF, LOOP, RETURN, UNREACHABLE, Control


@dataclass(frozen=True, slots=True)
class Piece:
    """Statements between two labels: a range of the body's lines."""

    start: int
    end: int


class States:
    """Translates any function body."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.plan = body.plan
        self.ops = body.function.code.ops
        self.imms = body.function.code.imms
        self.number: dict[int, int] = {0: 0}
        """Instruction index of a label's continuation -> its piece."""
        self.starts: list[int] = [0]
        """Line at which each piece starts."""
        for i, op in enumerate(self.ops):
            if self._is_label(i, op):
                self.number[i + 1] = len(self.number)

    def _is_label(self, i: int, op: int) -> bool:
        """Whether other paths of control arrive behind instruction i."""
        if op not in (LOOP, ELSE, END) or i + 1 >= len(self.ops) or not self.plan.live[i + 1]:
            return False
        control = self.plan.controls[self.plan.opens[i]]
        if op == END:
            return control.kind == IF or (control.label and control.kind != LOOP)
        return op == ELSE or control.label

    def translate(self) -> None:
        """Emit the whole body."""
        body, live = self.body, self.plan.live
        body.charge(0)
        for i, op in enumerate(self.ops):
            if op == END or op == ELSE:
                control = self.plan.controls[self.plan.opens[i]]
                if control.start < 0 or live[control.start]:
                    self._close(i, op, control)
                    self._next(i)
            elif live[i]:
                self._instruction(i, op, self.imms[i])
                self._next(i)
        self._assemble()

    def _next(self, i: int) -> None:
        """Start the piece or the run that begins behind instruction i."""
        if i + 1 >= len(self.ops) or not self.plan.live[i + 1]:
            return
        if i + 1 in self.number:
            self.starts.append(len(self.body.lines))
        self.body.charge(i + 1)

    def _instruction(self, i: int, op: int, imm: Any) -> None:
        body = self.body
        if op in (BLOCK, LOOP, IF):
            self._open(i, op)
        elif op == BR:
            body.settle_traps()
            self._branch(self.plan.targets[i][0])
        elif op == BR_IF:
            condition = body.pop()
            body.settle_traps()
            body.open(f"if {v.bracketed(v.condition(condition))}:")
            self._branch(self.plan.targets[i][0])
            body.indent -= 1
        elif op == BR_TABLE:
            selector = v.exact(body.pop(), 32)
            body.settle_traps()
            body.emit(f"q = {v.bracketed(selector.text)}")
            targets = self.plan.targets[i]
            merge.cases(body, targets, 0, len(targets) - 1, self._branch)
        elif op == RETURN:
            merge.return_from(body)
        elif op == UNREACHABLE:
            body.settle_traps()
            body.emit("raise Trap(UNREACHABLE)", i)
        elif op in CALLS:
            CALLS[op](body, i, imm)
        else:
            INSTRUCTIONS[op](body, i, imm)

    def _open(self, i: int, op: int) -> None:
        body = self.body
        control = self.plan.controls[self.plan.opens[i]]
        condition = v.eqz(body.pop(), 32).text if op == IF else ""
        body.settle_all()
        if op != BLOCK:
            merge.parameters_to_slots(body, control)
        if op == IF:
            body.open(f"if {v.bracketed(condition)}:")
            self._go((control.middle if control.middle >= 0 else control.end) + 1)
            body.indent -= 1
        elif i + 1 in self.number:
            self._go(i + 1)

    def _close(self, i: int, op: int, control: Control) -> None:
        body = self.body
        if self.plan.live[i]:
            if control.start < 0:
                merge.return_from(body)
                return
            merge.fall_through(body, control)
            if op == ELSE or i + 1 in self.number:
                self._go(control.end + 1)
        if control.start >= 0:
            body.reset(control.height, control.type.params if op == ELSE else control.type.results)

    def _branch(self, number: int) -> None:
        control = self.plan.controls[number]
        if control.start < 0:
            merge.return_values(self.body)
            return
        merge.carry(self.body, control)
        self._go((control.start if control.kind == LOOP else control.end) + 1)

    def _go(self, at: int) -> None:
        self.body.emit(f"pc = {self.number[at]}")
        self.body.emit("continue")

    def _assemble(self) -> None:
        """Arrange the pieces under a loop that chooses among them."""
        body = self.body
        lines = body.lines
        ends = [*self.starts[1:], len(lines)]
        pieces = [Piece(start, end) for start, end in zip(self.starts, ends, strict=True)]
        body.prologue.append("pc = 0")
        body.lines = [Line(1, "while 1:", None)]
        self._choose(lines, pieces, 0, len(pieces), 2)

    def _choose(self, lines: list[Line], pieces: list[Piece], low: int, high: int, indent: int) -> None:
        out = self.body.lines
        if high - low == 1:
            piece = pieces[low]
            shifted = [Line(line.indent + indent - 1, line.text, line.at) for line in lines[piece.start : piece.end]]
            out.extend(shifted or [Line(indent, "pass", None)])
            return
        middle = (low + high) // 2
        out.append(Line(indent, f"if pc < {middle}:", None))
        self._choose(lines, pieces, low, middle, indent + 1)
        out.append(Line(indent, "else:", None))
        self._choose(lines, pieces, middle, high, indent + 1)
