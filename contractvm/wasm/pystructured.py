"""Control flow of the portable tier as Python's own: `while`, `if`, `break`, `continue`, `return`.

A block that branches name becomes `while 1:` whose last statement is `break`; a branch to the innermost loop is
`break` or `continue`; one that leaves several sets `b` to the level it wants and breaks, and each loop left looks at
`b` behind its end. Two shapes that compilers emit all the time cost nothing: a block left only by `br_if` in its own
body becomes nested `if`s, and a branch to an end that directly follows the end of the innermost loop is a plain
`break`.
Never: serves a function that nests deeper than CPython compiles; `TooDeep` sends that to `pystates`.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

from contractvm.dataclass import dataclass
from contractvm.wasm import pymerge as merge
from contractvm.wasm import pyvalue as v
from contractvm.wasm.pybody import Body
from contractvm.wasm.pycalls import CALLS
from contractvm.wasm.pyinstructions import INSTRUCTIONS
from contractvm.wasm.sections import BLOCK, BR, BR_IF, BR_TABLE, ELSE, END, IF, LOOP, RETURN, UNREACHABLE, Control

MAX_LOOPS = 16
"""CPython compiles 20 nested blocks; the function's own and a margin are left."""
MAX_INDENT = 70
"""CPython's tokenizer takes 100 levels."""
MAX_NESTED_EXITS = 6


class TooDeep(Exception):
    """The function nests deeper than this form can say."""


@dataclass(slots=True)
class Scope:
    """An open control construct and how it is written."""

    number: int
    control: Control
    indent: int
    """Of the construct's own header."""
    level: int
    """Of the Python loop that stands for it; 0 when there is none."""
    nested: bool = False
    """Written as nested ifs."""
    escapes: set[int] = field(default_factory=set)
    """Levels of outer loops that branches passing through this one want."""
    leads: dict[int, bool] = field(default_factory=dict)
    """Numbers of outer constructs -> whether leaving this one leads to their end."""


class Structured:
    """Translates a function body whose nesting Python can say."""

    def __init__(self, body: Body, nest: bool) -> None:
        """`nest` allows blocks to become nested ifs, which costs indentation."""
        self.body = body
        self.plan = body.plan
        self.ops = body.function.code.ops
        self.imms = body.function.code.imms
        self.scopes = [Scope(0, self.plan.controls[0], 1, 0)]
        self.by_number = {0: self.scopes[0]}
        self.levels: list[Scope] = []
        """Scopes that are Python loops, the innermost last."""
        self.flag = False
        """Whether any branch leaves several loops."""
        self.nestable = self._nestable() if nest else frozenset()

    def translate(self) -> None:
        """Emit the whole body. Raises: TooDeep."""
        body, live = self.body, self.plan.live
        body.charge(0)
        for i, op in enumerate(self.ops):
            if op == END or op == ELSE:
                control = self.plan.controls[self.plan.opens[i]]
                if control.start < 0 or live[control.start]:
                    self._end(i) if op == END else self._else(i)
                    self._next_run(i)
            elif live[i]:
                self._instruction(i, op, self.imms[i])
                self._next_run(i)
        if self.flag:
            body.prologue.append("b = 0")

    def _next_run(self, i: int) -> None:
        if i + 1 < len(self.ops) and self.plan.live[i + 1]:
            self.body.charge(i + 1)

    def _instruction(self, i: int, op: int, imm: Any) -> None:
        if op in (BLOCK, LOOP, IF):
            self._open(i, op)
        elif op == BR:
            self.body.settle_traps()
            self._branch(self.by_number[self.plan.targets[i][0]])
        elif op == BR_IF:
            self._br_if(i)
        elif op == BR_TABLE:
            self._br_table(i)
        elif op == RETURN:
            merge.return_from(self.body)
        elif op == UNREACHABLE:
            self.body.settle_traps()
            self.body.emit("raise Trap(UNREACHABLE)", i)
        elif op in CALLS:
            CALLS[op](self.body, i, imm)
        else:
            INSTRUCTIONS[op](self.body, i, imm)

    # Opening and closing.

    def _open(self, i: int, op: int) -> None:
        body, number = self.body, self.plan.opens[i]
        control = self.plan.controls[number]
        condition = v.condition(body.pop()) if op == IF else ""
        body.settle_all()
        if op != BLOCK:
            merge.parameters_to_slots(body, control)
        scope = Scope(number, control, body.indent, 0, nested=number in self.nestable)
        if control.label and not scope.nested:
            scope.level = len(self.levels) + 1
            self.levels.append(scope)
            body.open("while 1:")
        if op == IF:
            body.open(f"if {v.bracketed(condition)}:")
        if len(self.levels) > MAX_LOOPS or body.indent > MAX_INDENT:
            raise TooDeep
        self.scopes.append(scope)
        self.by_number[number] = scope

    def _else(self, i: int) -> None:
        body, scope = self.body, self.scopes[-1]
        control = scope.control
        if self.plan.live[i]:
            merge.fall_through(body, scope.control)
        body.close(scope.indent + (scope.level > 0))
        body.open("else:")
        # The arm starts with the operands that the other arm started with.
        body.reset(control.height, control.type.params)

    def _end(self, i: int) -> None:
        body, scope = self.body, self.scopes.pop()
        control = scope.control
        if self.plan.live[i]:
            if control.start < 0:
                merge.return_from(body)
                return
            merge.fall_through(body, scope.control)
        if control.start < 0:
            return
        if scope.level:
            body.close(scope.indent + 1)
            body.emit("break")
            self.levels.pop()
        body.close(scope.indent)
        body.reset(control.height, control.type.results)
        self._look_at_flag(scope)

    def _look_at_flag(self, scope: Scope) -> None:
        """Behind a loop that branches to outer loops pass through."""
        body = self.body
        if not scope.escapes or not self.levels:
            return
        parent = self.levels[-1]
        body.open("if b:")
        if parent.level in scope.escapes:
            further = scope.escapes - {parent.level}
            if further:
                body.open(f"if b == {parent.level}:")
            body.emit("b = 0")
            body.emit("continue" if parent.control.kind == LOOP else "break")
            if further:
                body.indent -= 1
                body.emit("break")
        else:
            body.emit("break")
        body.indent -= 1

    # Branches.

    def _branch(self, scope: Scope) -> None:
        """Emit the jump to a scope, its operands taken from the top of the stack (which stays)."""
        body, control = self.body, scope.control
        if control.start < 0:
            merge.return_values(body)
            return
        merge.carry(body, control)
        inner = self.levels[-1]
        if inner is scope:
            body.emit("continue" if control.kind == LOOP else "break")
        elif self._leaving_leads_to(inner, scope):
            body.emit("break")
        else:
            self.flag = True
            body.emit(f"b = {scope.level}")
            body.emit("break")
            for passed in self.levels[scope.level :]:
                passed.escapes.add(scope.level)

    def _leaving_leads_to(self, inner: Scope, target: Scope) -> bool:
        known = inner.leads.get(target.number)
        if known is None:
            known = inner.leads[target.number] = self._leads_to(inner.control, target)
        return known

    def _leads_to(self, inner: Control, target: Scope) -> bool:
        """Whether leaving the loop `inner` falls through to the end of `target` with nothing in between."""
        wanted = target.control
        if wanted.kind == LOOP:
            return False
        same_slots = wanted.height == inner.height and len(wanted.type.results) == len(inner.type.results)
        if wanted.type.results and not same_slots:
            return False
        at = inner.end + 1
        while at < len(self.ops) and self.ops[at] in (END, ELSE):
            number = self.plan.opens[at]
            if number == target.number:
                return True
            at = self.plan.controls[number].end + 1
        return False

    def _br_if(self, i: int) -> None:
        body = self.body
        condition = body.pop()
        body.settle_traps()
        scope = self.by_number[self.plan.targets[i][0]]
        if scope.nested:
            body.settle_all()
            body.open(f"if {v.bracketed(v.condition(v.eqz(condition, 32)))}:")
            if body.indent > MAX_INDENT:
                raise TooDeep
            return
        indent = body.indent
        body.open(f"if {v.bracketed(v.condition(condition))}:")
        self._branch(scope)
        body.close(indent)

    def _br_table(self, i: int) -> None:
        body = self.body
        selector = v.exact(body.pop(), 32)
        body.settle_traps()
        body.emit(f"q = {v.bracketed(selector.text)}")
        targets = self.plan.targets[i]
        merge.cases(body, targets, 0, len(targets) - 1, lambda number: self._branch(self.by_number[number]))
        if max(line.indent for line in body.lines[-2 * len(targets) :]) > MAX_INDENT:
            raise TooDeep

    # Blocks that become nested ifs.

    def _nestable(self) -> frozenset[int]:
        """Blocks without results whose every branch is a `br_if` directly in their own body."""
        uses: dict[int, int] = {}
        refused: set[int] = set()
        open_: list[int] = [0]
        for i, op in enumerate(self.ops):
            if op in (BLOCK, LOOP, IF):
                number = self.plan.opens[i]
                open_.append(number)
            elif op == END:
                open_.pop()
            for target in self.plan.targets.get(i, ()):
                uses[target] = uses.get(target, 0) + 1
                if op != BR_IF or open_[-1] != target:
                    refused.add(target)
        return frozenset(
            number
            for number, count in uses.items()
            if number not in refused
            and count <= MAX_NESTED_EXITS
            and self.plan.controls[number].kind == BLOCK
            and not self.plan.controls[number].type.results
        )
