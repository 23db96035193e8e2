"""Runs: where gas is charged, how heavy a frame is, where every branch goes. Defined once, read by every tier.

A *run* is a maximal straight line of instructions. It ends after a branch (`br`, `br_if`, `br_table`, `if`), after a
label (a `loop`, an `else`, the `end` of an `if`, the `end` of a block that a reachable branch names), after `return`
and `unreachable`, after every call, `memory.grow`, and table and bulk operations. Unreachable code belongs to no run.
A run's whole cost is charged when it is entered; when instruction i of it traps, `refund[i]`, the cost of what
follows it, is given back. A function's first run, which nothing branches to, also pays for the declared locals beyond
FREE_LOCALS: a few bytes declare thousands of them, and each is zeroed at every entry.

The weight of a frame is BASE_WEIGHT + SLOT_WEIGHT for each parameter, local and operand at the deepest point.

Source: design of the engine; the shape of the problem is that of finite-wasm and of revmc's sections.
Never: prices of its own (the schedule's), and no knowledge of how a tier executes.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.rules import Rules
from contractvm.wasm.module import Code, FuncType, Module
from contractvm.wasm.opcodes import BY_CODE, BY_NAME, OPS

BASE_WEIGHT = 64
SLOT_WEIGHT = 8
FREE_LOCALS = 32
"""Declared locals that the price of a call covers."""
LOCAL = -1
"""In a table of prices by opcode, the key of the price of a further local; no opcode is negative."""

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
    """Instructions [start, end) and what entering them costs in milligas; `count` leaves structure markers out."""

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
    refund: Sequence[int]
    """Milligas to give back when the instruction traps."""
    uncounted: Sequence[int]
    """Instructions of the run that were not executed when the instruction traps."""
    live: list[bool]
    """False for code that can never be reached."""
    heights: Mapping[int, int]
    """Operand height before each br, br_if and br_table that can be reached."""
    max_height: int
    weight: int


def prices(rules: Rules) -> dict[int, int]:
    """Milligas by opcode and LOCAL. Raises: Fatal when a schedule prices a structure marker (tiers may erase them)."""
    table = {op.code: rules.schedule.milli(op.cost) for op in OPS}
    table[LOCAL] = rules.schedule.milli("wasm.frame.local")
    for code in STRUCTURE:
        if table[code]:
            raise Fatal(f"schedule {rules.schedule.name!r} prices {BY_CODE[code].name}, which must cost nothing")
    return table


def plan(module: Module, index: int, price: Mapping[int, int]) -> Plan:
    """Analyse the defined function at `index` (of the whole index space). The module must have been validated."""
    function = module.functions[index - module.imported_functions]
    signature = module.signature(index)
    walk = _Walk(module, signature, function.code)
    walk.walk()
    entry = max(0, len(function.locals) - FREE_LOCALS) * price[LOCAL]
    runs, refund, uncounted = _runs(function.code.ops, walk.live, walk.boundary, price, entry)
    slots = len(signature.params) + len(function.locals) + walk.deepest
    return Plan(
        tuple(block.control() for block in walk.blocks),
        walk.opens,
        walk.targets,
        runs,
        {run.start: run for run in runs},
        refund,
        uncounted,
        walk.live,
        walk.heights,
        walk.deepest,
        BASE_WEIGHT + SLOT_WEIGHT * slots,
    )


@dataclass(slots=True)
class _Block:
    """A `Control` while its end is not known. `reached` tells whether its start can be, `number` its place."""

    kind: int
    type: FuncType
    start: int
    height: int
    parent: int
    number: int
    reached: bool
    middle: int = -1
    end: int = -1
    label: bool = False
    then_ends: bool = False
    """Whether the arm before `else` can reach its end."""

    def control(self) -> Control:
        return Control(self.kind, self.type, self.start, self.middle, self.end, self.height, self.parent, self.label)


class _Walk:
    """One pass over a body: what can be reached, how high the operands stand, where branches go, where runs end."""

    __slots__ = (
        "alive",
        "blocks",
        "boundary",
        "code",
        "deepest",
        "height",
        "heights",
        "live",
        "module",
        "opens",
        "stack",
        "targets",
    )

    def __init__(self, module: Module, signature: FuncType, code: Code) -> None:
        size = len(code.ops)
        self.module = module
        self.code = code
        self.blocks = [_Block(0, signature, -1, 0, -1, 0, True)]
        self.stack = [self.blocks[0]]
        """Open blocks, the innermost last."""
        self.opens: dict[int, int] = {}
        self.targets: dict[int, tuple[int, ...]] = {}
        self.heights: dict[int, int] = {}
        self.live = [True] * size
        self.boundary = bytearray(size)
        """1 where a run ends with the instruction."""
        self.height = 0
        self.deepest = 0
        self.alive = True
        """Whether the instruction looked at can be reached; where it cannot, `height` means nothing."""

    def walk(self) -> None:
        for i, (op, imm) in enumerate(zip(self.code.ops, self.code.imms, strict=True)):
            if not self.alive:
                self.live[i] = False
            if op == END:
                self._end(i)
            elif op == BLOCK or op == LOOP or op == IF:
                self._open(i, op, imm)
            elif op == ELSE:
                self._else(i)
            elif self.alive:
                effect = _FIXED_EFFECT.get(op)
                self.height += self._other(i, op, imm) if effect is None else effect
                if op in _ENDS_RUN:
                    self.boundary[i] = 1
                if op in NO_FALLTHROUGH:
                    self.alive = False
                elif self.height > self.deepest:
                    self.deepest = self.height

    def _open(self, i: int, op: int, imm: object) -> None:
        if not isinstance(imm, FuncType):
            raise Fatal(f"block at byte {self.code.offsets[i]:#x} was decoded without its type")
        if op == IF:
            self.height -= 1
        if op != BLOCK:
            self.boundary[i] = 1
        number = len(self.blocks)
        block = _Block(op, imm, i, self.height - len(imm.params), self.stack[-1].number, number, self.alive)
        self.opens[i] = number
        self.blocks.append(block)
        self.stack.append(block)

    def _else(self, i: int) -> None:
        block = self.stack[-1]
        self.opens[i] = block.number
        self.boundary[i] = 1
        block.middle = i
        block.then_ends = self.alive
        self.alive = block.reached
        self.height = block.height + len(block.type.params)

    def _end(self, i: int) -> None:
        block = self.stack.pop()
        self.opens[i] = block.number
        block.end = i
        if block.kind == IF:
            self.boundary[i] = 1
            skips = block.reached if block.middle < 0 else block.then_ends
            self.alive = self.alive or block.label or skips
        elif block.kind != LOOP and block.label:
            self.boundary[i] = 1
            self.alive = True
        self.height = block.height + len(block.type.results)
        if self.alive and self.height > self.deepest:
            self.deepest = self.height

    def _other(self, i: int, op: int, imm: object) -> int:
        """Note where a branch goes; return the effect on the height of an instruction without a fixed one.

        The effect of what never falls through is not used.
        """
        if op == BR or op == BR_IF or op == BR_TABLE:
            self.heights[i] = self.height
            depths = imm if isinstance(imm, tuple) else (imm,)
            named = [self.stack[-1 - depth] for depth in depths]
            self.targets[i] = tuple(block.number for block in named)
            for block in named:
                block.label = True
            return -1
        if op == CALL or op == CALL_INDIRECT:
            called = imm[0] if isinstance(imm, tuple) else self.module.func_types[imm]  # type: ignore[call-overload]
            type_ = self.module.types[called]
            return len(type_.results) - len(type_.params) - (op == CALL_INDIRECT)
        return _CONTEXT_EFFECT.get(op, 0)


_CONTEXT_EFFECT = {
    BY_NAME[name].code: effect
    for name, effect in {
        "drop": -1,
        "select": -2,
        "select t": -2,
        "local.get": 1,
        "local.set": -1,
        "global.get": 1,
        "global.set": -1,
        "table.set": -2,
        "table.grow": -1,
        "table.fill": -3,
        "ref.null": 1,
        "ref.func": 1,
    }.items()
}
"""Change of the operand height, where it is not 0, by instructions whose `sig` depends on context."""


def _runs(
    ops: list[int], live: list[bool], boundary: bytearray, price: Mapping[int, int], entry: int
) -> tuple[tuple[Run, ...], Sequence[int], Sequence[int]]:
    """Cut the live instructions at the boundaries and sum their prices; the first run also costs `entry`.

    What a trap gives back is of instructions alone.
    """
    size = len(ops)
    refund, uncounted = array("q", bytes(8 * size)), array("q", bytes(8 * size))
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
            runs.append(Run(start, i + 1, cost if runs else cost + entry, count))
        start, cost, count = i + 1, 0, 0
    return tuple(runs), refund, uncounted
