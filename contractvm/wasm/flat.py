"""A function body as the reference interpreter reads it: one step an instruction, branches resolved to step numbers.

Structure markers disappear; each run begins with a CHARGE step. Never: merges, reorders or drops a live instruction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from contractvm.dataclass import dataclass
from contractvm.table import Op
from contractvm.wasm import sections
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.module import EXTERNREF, FUNCREF, Code
from contractvm.wasm.opcodes import BY_NAME, OPS
from contractvm.wasm.sections import BLOCK, ELSE, END, IF, LOOP, Control, Plan

(
    LOCAL_GET,
    CONST,
    BINARY,
    LOCAL_SET,
    LOCAL_TEE,
    CHARGE,
    UNARY,
    LOAD,
    STORE,
    BR_IF,
    BR,
    UNLESS,
    CALL,
    RETURN,
    DROP,
    SELECT,
    GLOBAL_GET,
    GLOBAL_SET,
    BR_TABLE,
    CALL_INDIRECT,
    RETURN_CALL,
    RETURN_CALL_INDIRECT,
    WIDE,
    INSTANCE,
    MEMORY_SIZE,
    REF_FUNC,
    REF_IS_NULL,
    UNREACHABLE,
    NOP,
) = range(29)

Step = tuple[int, Any, Any]
"""Its kind, and what the kind's branch of the interpreter takes."""


@dataclass(frozen=True, slots=True)
class Flat:
    """`source[n]` is the index of the instruction that step n belongs to."""

    steps: list[Step]
    source: list[int]
    plan: Plan
    zeros: list[Any]
    """Initial values of the declared locals."""
    arity: int
    """Results of the function."""


def flatten(compiled: Compiled, index: int) -> Flat:
    """Return the steps of a defined function, by its index in the whole index space."""
    function = compiled.function(index)
    return _Flattener(compiled, index, function.code).flat(function.locals)


class _Flattener:
    def __init__(self, compiled: Compiled, index: int, code: Code) -> None:
        self.compiled = compiled
        self.ops = code.ops
        self.imms: list[Any] = code.imms
        self.plan = compiled.plan(index)
        self.last = len(code.ops) - 1
        self.arity = len(compiled.module.signature(index).results)
        self.pc_of = self._positions()

    def flat(self, locals_: tuple[int, ...]) -> Flat:
        steps: list[Step] = []
        source: list[int] = []
        for i, op in enumerate(self.ops):
            if not self.plan.live[i]:
                continue
            run = self.plan.run_at.get(i)
            if run is not None and (run.cost or run.count):
                steps.append((CHARGE, run.cost, run.count))
                source.append(i)
            if self._has_step(i, op):
                steps.append(self._step(i, op))
                source.append(i)
        if not self.plan.live[self.last] and self.plan.controls[0].label:
            steps.append((RETURN, None, None))
            source.append(self.last)
        zeros = [None if t in (FUNCREF, EXTERNREF) else 0 for t in locals_]
        return Flat(steps, source, self.plan, zeros, self.arity)

    def _has_step(self, i: int, op: int) -> bool:
        return op not in (BLOCK, LOOP, END) or i == self.last

    def _positions(self) -> list[int]:
        pc, positions = 0, []
        for i, op in enumerate(self.ops):
            positions.append(pc)
            if self.plan.live[i]:
                run = self.plan.run_at.get(i)
                pc += (run is not None and (run.cost or run.count) > 0) + self._has_step(i, op)
        return positions

    def _target(self, control: Control, height: int) -> tuple[int, tuple[int, int] | None]:
        """Return the step a branch goes to, and (height, arity) when operands between must go."""
        if control.start < 0:
            return self.pc_of[self.last], None  # RETURN takes its results from the top
        at = control.start + 1 if control.kind == LOOP else control.end + 1
        move = None if height == control.height + control.arity else (control.height, control.arity)
        return self.pc_of[at], move

    def _step(self, i: int, op: int) -> Step:
        imm = self.imms[i]
        made = PLAIN.get(op)
        if made is not None:
            return made(imm)
        plan, controls = self.plan, self.plan.controls
        if op == ELSE:
            return BR, self.pc_of[controls[plan.opens[i]].end + 1], None
        if op == IF:
            control = controls[plan.opens[i]]
            return UNLESS, self.pc_of[(control.middle if control.middle >= 0 else control.end) + 1], None
        if op == sections.BR:
            return BR, *self._target(controls[plan.targets[i][0]], plan.heights[i])
        if op == sections.BR_IF:
            return BR_IF, *self._target(controls[plan.targets[i][0]], plan.heights[i] - 1)
        if op == sections.BR_TABLE:
            height = plan.heights[i] - 1
            return BR_TABLE, tuple(self._target(controls[c], height) for c in plan.targets[i]), None
        kind = CALL_INDIRECT if op == sections.CALL_INDIRECT else RETURN_CALL_INDIRECT
        return kind, self.compiled.keys[imm[0]], imm[1]


INSTANCE_METHODS: dict[str, tuple[str, int, Any]] = {
    "memory.grow": ("memory_grow", 1, lambda imm: ()),
    "memory.fill": ("memory_fill", 3, lambda imm: ()),
    "memory.copy": ("memory_copy", 3, lambda imm: ()),
    "memory.init": ("memory_init", 3, lambda imm: (imm,)),
    "data.drop": ("data_drop", 0, lambda imm: (imm,)),
    "table.get": ("table_get", 1, lambda imm: (imm,)),
    "table.set": ("table_set", 2, lambda imm: (imm,)),
    "table.size": ("table_size", 0, lambda imm: (imm,)),
    "table.grow": ("table_grow", 2, lambda imm: (imm,)),
    "table.fill": ("table_fill", 3, lambda imm: (imm,)),
    "table.copy": ("table_copy", 3, lambda imm: tuple(imm)),
    "table.init": ("table_init", 3, lambda imm: tuple(imm)),
    "elem.drop": ("elem_drop", 0, lambda imm: (imm,)),
}
"""Instructions that are a method of the instance: its name, how many operands it pops, and its further arguments."""


def _with_immediate(kind: int) -> Callable[[Any], Step]:
    return lambda imm: (kind, imm, None)


def _without(step: Step) -> Callable[[Any], Step]:
    return lambda imm: step


def _method(name: str) -> Callable[[Any], Step]:
    method, operands, immediates = INSTANCE_METHODS[name]
    return lambda imm: (INSTANCE, (method, operands), immediates(imm))


def _access(op: Op) -> Callable[[Any], Step]:
    kind, width, fn = LOAD if op.results else STORE, op.width, op.fn
    return lambda imm: (kind, (imm[1], width), fn)


def _operator(op: Op) -> Callable[[Any], Step]:
    """A pure function of the table: of one or two operands with one result, or of several with several."""
    kind = WIDE if len(op.results) > 1 else (UNARY, BINARY)[len(op.params) - 1]
    return _without((kind, op.fn, len(op.params)))


def _plain() -> dict[str, Callable[[Any], Step]]:
    kinds = {"local.get": LOCAL_GET, "local.set": LOCAL_SET, "local.tee": LOCAL_TEE}
    kinds |= {"global.get": GLOBAL_GET, "global.set": GLOBAL_SET, "ref.func": REF_FUNC}
    kinds |= {"i32.const": CONST, "i64.const": CONST, "call": CALL, "return_call": RETURN_CALL}
    bare = {"end": RETURN, "return": RETURN, "drop": DROP, "select": SELECT, "select t": SELECT, "nop": NOP}
    bare |= {"memory.size": MEMORY_SIZE, "ref.is_null": REF_IS_NULL, "ref.null": CONST, "unreachable": UNREACHABLE}
    steps = {name: _with_immediate(kind) for name, kind in kinds.items()}
    steps |= {name: _without((kind, None, None)) for name, kind in bare.items()}
    steps |= {name: _method(name) for name in INSTANCE_METHODS}
    steps |= {op.name: _access(op) for op in OPS if op.imm == "memarg"}
    return steps | {op.name: _operator(op) for op in OPS if op.fn is not None and op.imm != "memarg"}


PLAIN: Mapping[int, Callable[[Any], Step]] = MappingProxyType({BY_NAME[n].code: step for n, step in _plain().items()})
"""How an instruction becomes a step, by opcode, where its immediate is all that decides it."""
