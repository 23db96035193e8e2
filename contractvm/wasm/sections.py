"""Runs: where gas is charged, how heavy a frame is, where every branch goes. Defined once, read by every tier.

A *run* is a maximal straight line of instructions. It ends after a branch (`br`, `br_if`, `br_table`, `if`), after a
label (a `loop`, an `else`, the `end` of an `if`, an `end` that a reachable branch names), after `return` and
`unreachable`, after every call, `memory.grow`, and table and bulk operations. Unreachable code belongs to no run. A
run's whole cost is charged when it is entered; when instruction i of it traps, `refund[i]`, the cost of what follows
it, is given back.

The weight of a frame is BASE_WEIGHT + SLOT_WEIGHT for each parameter, local and operand at the deepest point.

Source: design of the engine; the shape of the problem is that of finite-wasm and of revmc's sections.
Never: prices of its own (the schedule's), and no knowledge of how a tier executes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contractvm.errors import Fatal
from contractvm.rules import Rules
from contractvm.wasm.module import FuncType, Module
from contractvm.wasm.opcodes import BY_CODE, BY_NAME, OPS

BASE_WEIGHT = 64
SLOT_WEIGHT = 8

BLOCK, LOOP, IF, ELSE, END = (BY_NAME[n].code for n in ("block", "loop", "if", "else", "end"))
BR, BR_IF, BR_TABLE, RETURN, UNREACHABLE = (
    BY_NAME[n].code for n in ("br", "br_if", "br_table", "return", "unreachable")
)
CALL, CALL_INDIRECT = BY_NAME["call"].code, BY_NAME["call_indirect"].code
RETURN_CALL, RETURN_CALL_INDIRECT = BY_NAME["return_call"].code, BY_NAME["return_call_indirect"].code
STRUCTURE = frozenset({BLOCK, LOOP, ELSE, END})
"""Markers that only shape the code; their price is zero in every schedule (checked by `prices`)."""
NO_FALLTHROUGH = frozenset({BR, BR_TABLE, RETURN, UNREACHABLE, RETURN_CALL, RETURN_CALL_INDIRECT})
_EFFECTS = frozenset(
    op.code
    for op in OPS
    if op.name.startswith(("table.", "elem.", "data.")) or op.name in ("memory.grow", "memory.fill")
) | {BY_NAME["memory.copy"].code, BY_NAME["memory.init"].code}
_ENDS_RUN = NO_FALLTHROUGH | _EFFECTS | {BR_IF, IF, ELSE, LOOP, CALL, CALL_INDIRECT}

_FIXED_EFFECT = {op.code: len(op.results) - len(op.params) for op in OPS if op.sig}


@dataclass(frozen=True, slots=True)
class Control:
    """One block, loop or if (or, with `start` -1, the function body).

    `start`, `middle` (its `else`, or -1) and `end` are instruction indices; `height` is the number of operands below
    its parameters; `label` tells whether a reachable branch names it.
    """

    kind: int
    type: FuncType
    start: int
    middle: int
    end: int
    height: int
    parent: int
    label: bool

    @property
    def arity(self) -> int:
        """Operands that a branch to it carries."""
        return len(self.type.params if self.kind == LOOP else self.type.results)


@dataclass(frozen=True, slots=True)
class Run:
    """Instructions [start, end) and their summed price in milligas; `count` leaves structure markers out."""

    start: int
    end: int
    cost: int
    count: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What every tier needs to know of one function's body. Lists are indexed by instruction."""

    controls: tuple[Control, ...]
    """In order of their start; the function body is number 0."""
    opens: Mapping[int, int]
    """Instruction index of a block, loop, if, else or end -> its control."""
    targets: Mapping[int, tuple[int, ...]]
    """Instruction index of a br, br_if or br_table -> the controls it names, the default last."""
    runs: tuple[Run, ...]
    run_at: Mapping[int, Run]
    refund: list[int]
    """Milligas to give back when the instruction traps."""
    uncounted: list[int]
    """Instructions of the run that were not executed when the instruction traps."""
    live: list[bool]
    """False for code that can never be reached."""
    heights: Mapping[int, int]
    """Operand height before each live instruction of a kind whose height matters (branches, controls, calls)."""
    max_height: int
    weight: int


def prices(rules: Rules) -> dict[int, int]:
    """Milligas by opcode. Raises: Fatal when a schedule prices a structure marker (tiers may erase them)."""
    table = {op.code: rules.schedule.milli(op.cost) for op in OPS}
    for code in STRUCTURE:
        if table[code]:
            raise Fatal(f"schedule {rules.schedule.name!r} prices {BY_CODE[code].name}, which must cost nothing")
    return table


def plan(module: Module, index: int, price: Mapping[int, int]) -> Plan:
    """Analyse the defined function at `index` (of the whole index space). The module must have been validated."""
    function = module.functions[index - module.imported_functions]
    ops, imms = function.code.ops, function.code.imms
    signature = module.signature(index)
    size = len(ops)

    kind, types, starts, middles, ends = [0], [signature], [-1], [-1], [size - 1]
    heights_at, parents, labels = [0], [-1], [False]
    opens: dict[int, int] = {}
    targets: dict[int, tuple[int, ...]] = {}
    heights: dict[int, int] = {}
    live = [True] * size
    boundary = bytearray(size)
    """1: a run ends after this instruction."""
    stack, height, deepest, alive = [0], 0, 0, True
    entered_alive = [True]

    for i in range(size):
        op, imm = ops[i], imms[i]
        if op == END or op == ELSE:
            control = stack[-1]
            opens[i] = control
            live[i] = alive
            if op == ELSE:
                middles[control] = i
                boundary[i] = 1
                alive = entered_alive[control]
                height = heights_at[control] + len(types[control].params)
                continue
            stack.pop()
            ends[control] = i
            is_if = kind[control] == IF
            if is_if or labels[control]:
                boundary[i] = 1
            if kind[control] != LOOP:
                alive = alive or labels[control]
            if is_if and middles[control] < 0:
                alive = entered_alive[control]
            if is_if and middles[control] >= 0 and live[middles[control]]:
                alive = True
            height = heights_at[control] + len(types[control].results)
            if alive and height > deepest:
                deepest = height
            continue
        if op == BLOCK or op == LOOP or op == IF:
            live[i] = alive
            if op == IF:
                height -= 1
            opens[i] = len(kind)
            stack.append(len(kind))
            parents.append(stack[-2])
            kind.append(op)
            block_type = imm if isinstance(imm, FuncType) else signature
            types.append(block_type)
            starts.append(i)
            middles.append(-1)
            ends.append(-1)
            heights_at.append(height - len(block_type.params))
            labels.append(False)
            entered_alive.append(alive)
            if op != BLOCK:
                boundary[i] = 1
            continue
        if not alive:
            live[i] = False
            continue
        if op in _FIXED_EFFECT:
            height += _FIXED_EFFECT[op]
            if op in _ENDS_RUN:
                boundary[i] = 1
        else:
            heights[i] = height
            if op in _ENDS_RUN:
                boundary[i] = 1
            if op == BR or op == BR_IF or op == BR_TABLE:
                depths = imm if isinstance(imm, tuple) else (imm,)
                named = tuple(stack[-1 - d] for d in depths)
                targets[i] = named
                for control in named:
                    labels[control] = True
                height -= op != BR
            else:
                height += _context_effect(module, op, imm)
            if op in NO_FALLTHROUGH:
                alive = False
        if height > deepest:
            deepest = height

    controls = tuple(
        Control(*fields) for fields in zip(kind, types, starts, middles, ends, heights_at, parents, labels, strict=True)
    )
    runs, refund, uncounted = _runs(ops, live, boundary, price)
    slots = len(signature.params) + len(function.locals) + deepest
    return Plan(
        controls,
        opens,
        targets,
        runs,
        {run.start: run for run in runs},
        refund,
        uncounted,
        live,
        heights,
        deepest,
        BASE_WEIGHT + SLOT_WEIGHT * slots,
    )


def _context_effect(module: Module, op: int, imm: object) -> int:
    """Change of the operand height by an instruction whose effect depends on immediates or context."""
    name = BY_CODE[op].name
    if name in ("call", "call_indirect"):
        if op == CALL:
            type_ = module.signature(imm)  # type: ignore[arg-type]
            return len(type_.results) - len(type_.params)
        type_ = module.types[imm[0]]  # type: ignore[index]
        return len(type_.results) - len(type_.params) - 1
    if name in _CONTEXT_EFFECT:
        return _CONTEXT_EFFECT[name]
    return 0  # what never falls through: the height after it is not used


_CONTEXT_EFFECT = {
    "drop": -1,
    "select": -2,
    "select t": -2,
    "local.get": 1,
    "local.set": -1,
    "local.tee": 0,
    "global.get": 1,
    "global.set": -1,
    "table.get": 0,
    "table.set": -2,
    "table.grow": -1,
    "table.fill": -3,
    "ref.null": 1,
    "ref.is_null": 0,
    "ref.func": 1,
}


def _runs(
    ops: list[int], live: list[bool], boundary: bytearray, price: Mapping[int, int]
) -> tuple[tuple[Run, ...], list[int], list[int]]:
    """Cut the live instructions at the boundaries and sum their prices."""
    size = len(ops)
    refund, uncounted = [0] * size, [0] * size
    runs: list[Run] = []
    start, cost, count = 0, 0, 0
    for i in range(size):
        if live[i]:
            cost += price[ops[i]]
            count += ops[i] not in STRUCTURE
            refund[i], uncounted[i] = cost, count
            if not boundary[i] and i + 1 < size and live[i + 1]:
                continue
            for j in range(start, i + 1):
                refund[j], uncounted[j] = cost - refund[j], count - uncounted[j]
            runs.append(Run(start, i + 1, cost, count))
        start, cost, count = i + 1, 0, 0
    return tuple(runs), refund, uncounted
