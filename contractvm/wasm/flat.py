"""A function body as the reference interpreter reads it: one step an instruction, branches resolved to step numbers.

Structure markers disappear; each run begins with a CHARGE step. Never: merges, reorders or drops a live instruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contractvm.wasm.compiled import Compiled
from contractvm.wasm.module import EXTERNREF, FUNCREF
from contractvm.wasm.opcodes import BY_CODE
from contractvm.wasm.sections import BLOCK, END, LOOP, Control, Plan

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
    module = compiled.module
    function = module.functions[index - module.imported_functions]
    return _Flattener(compiled, index, function.code.ops, function.code.imms).flat(function.locals)


class _Flattener:
    def __init__(self, compiled: Compiled, index: int, ops: list[int], imms: list[Any]) -> None:
        self.compiled = compiled
        self.index = index
        self.ops = ops
        self.imms = imms
        self.plan = compiled.plan(index)
        self.last = len(ops) - 1
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
                steps.append(self._step(i, op, self.imms[i]))
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

    def _step(self, i: int, opcode: int, imm: Any) -> Step:
        plan, op = self.plan, BY_CODE[opcode]
        controls = plan.controls
        match op.name:
            case "local.get":
                return LOCAL_GET, imm, None
            case "local.set":
                return LOCAL_SET, imm, None
            case "local.tee":
                return LOCAL_TEE, imm, None
            case "i32.const" | "i64.const":
                return CONST, imm, None
            case "ref.null":
                return CONST, None, None
            case "end" | "return":
                return RETURN, None, None
            case "else":
                return BR, self.pc_of[controls[plan.opens[i]].end + 1], None
            case "if":
                control = controls[plan.opens[i]]
                return UNLESS, self.pc_of[(control.middle if control.middle >= 0 else control.end) + 1], None
            case "br":
                return BR, *self._target(controls[plan.targets[i][0]], plan.heights[i])
            case "br_if":
                return BR_IF, *self._target(controls[plan.targets[i][0]], plan.heights[i] - 1)
            case "br_table":
                height = plan.heights[i] - 1
                return BR_TABLE, tuple(self._target(controls[c], height) for c in plan.targets[i]), None
            case "call":
                return CALL, imm, None
            case "return_call":
                return RETURN_CALL, imm, None
            case "call_indirect":
                return CALL_INDIRECT, self.compiled.keys[imm[0]], imm[1]
            case "return_call_indirect":
                return RETURN_CALL_INDIRECT, self.compiled.keys[imm[0]], imm[1]
            case "drop":
                return DROP, None, None
            case "select" | "select t":
                return SELECT, None, None
            case "global.get":
                return GLOBAL_GET, imm, None
            case "global.set":
                return GLOBAL_SET, imm, None
            case "memory.size":
                return MEMORY_SIZE, None, None
            case "ref.func":
                return REF_FUNC, imm, None
            case "ref.is_null":
                return REF_IS_NULL, None, None
            case "unreachable":
                return UNREACHABLE, None, None
            case "nop":
                return NOP, None, None
            case name if name in INSTANCE_METHODS:
                method, operands, immediates = INSTANCE_METHODS[name]
                return INSTANCE, (method, operands), immediates(imm)
        if op.imm == "memarg":
            return (LOAD if op.results else STORE), (imm[1], op.width), op.fn
        return (UNARY, BINARY, WIDE)[min(len(op.params), 3) - 1 if len(op.results) == 1 else 2], op.fn, len(op.params)


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
