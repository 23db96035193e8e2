"""The least gas that a call of each ABI function can use and succeed, read off the code: its cheapest way to the end.

Counted are entering the frame, the instructions on that way and the fixed prices of its host functions; the
transaction's own gas, cold slots, what is written and how long it is come on top. A way must pass the comparison with
the function's selector; where the code has none that is understood (a compiler made a table of them), nothing is said.
Source: `contractvm.wasm.sections`, for runs and their prices. Never: runs code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from heapq import heappop, heappush
from typing import Final, TypeAlias

from contractvm.dataclass import dataclass
from contractvm.host.table import BY_NAME as HOST
from contractvm.rules import contract_rules
from contractvm.wasm.contract import prepare
from contractvm.wasm.decode import decode
from contractvm.wasm.module import FUNC, Module
from contractvm.wasm.opcodes import BY_CODE
from contractvm.wasm.sections import Plan, plan, prices
from sdk.abi import Function

MILLI: Final = 1000
COMPARISONS: Final = {"i32.eq": True, "i32.ne": False}
NO_WAY: Final = 1 << 62
"""Milligas of what cannot be reached."""

End: TypeAlias = tuple[bool, bool]
"""How a function ends: whether the frame ends with it, and whether the selector was passed on the way."""
Costs: TypeAlias = dict[End, int]


@dataclass(frozen=True, slots=True)
class Step:
    """Where a run leads, in milligas: to the instruction `to` (that of the end: the function returns), by way of a
    function of the module where `callee` is one, or to the frame's end."""

    to: int
    cost: int = 0
    callee: int = -1
    finishes: bool = False
    when: bool | None = None
    """Of a run that ends with a test: whether this is the way where it holds."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A function's runs: what each costs, where it leads, and which selectors it asks for, by its first instruction."""

    length: int
    costs: Mapping[int, int]
    steps: Mapping[int, tuple[Step, ...]]
    asks: Mapping[int, tuple[int, bool]]
    """(the number, whether the test holds when the selector is that number)."""


@dataclass(slots=True)
class Costing:
    """A module's shapes, by function index, and what is known of their ends without any selector."""

    shapes: Mapping[int, Shape]
    plain: dict[int, Costs] = field(default_factory=dict)

    def ends(self, selectors: frozenset[int]) -> dict[int, Costs]:
        """The least cost of each end of each function. Functions that call each other are gone over until it stands."""
        known = dict(self.plain)
        while True:
            changed = False
            for index in reversed(list(self.shapes)):
                found = cheapest(self.shapes[index], known, selectors)
                if found != known.get(index, {}):
                    known[index] = found
                    changed = True
            if not changed:
                return known


def least_gas(code: bytes, functions: Iterable[str]) -> dict[str, int | None]:
    """Whole gas by signature, `constructor` too, of a module that a chain accepts; None where nothing can be said."""
    rules = contract_rules()
    module = decode(code, rules)
    contract = prepare(module, rules, code)
    found: dict[str, int | None] = {}
    for entry, index in sorted(contract.entries.items()):
        costing = Costing(dict(_shapes(module, prices(rules), index)))
        costing.plain = costing.ends(frozenset())
        wanted: dict[str, frozenset[int]] = {"constructor": frozenset()}
        if entry == "call":  # compilers compare with the selector in either order of its bytes
            known = {known.text: known.selector for known in map(Function.parse, functions)}
            wanted = {
                text: frozenset({int.from_bytes(s, "little"), int.from_bytes(s, "big")}) for text, s in known.items()
            }
        for text, selectors in wanted.items():
            ends = costing.ends(selectors)[index]
            ways = [cost for (_, passed), cost in ends.items() if passed or not selectors]
            found[text] = -(-(min(ways) + contract.outermost_cost) // MILLI) if ways else None
    return found


def cheapest(shape: Shape, known: Mapping[int, Costs], selectors: frozenset[int]) -> Costs:
    """The least cost of each end of a function, from those of the functions it calls, as far as they are known."""
    ends: Costs = {}
    waiting: list[tuple[int, int, bool]] = [(0, 0, False)]
    seen: set[tuple[int, bool]] = set()

    def arrive(cost: int, step: Step, passed: bool) -> None:
        if step.finishes:
            ends[True, passed] = min(cost, ends.get((True, passed), NO_WAY))
        else:
            heappush(waiting, (cost, step.to, passed))

    while waiting:
        cost, at, passed = heappop(waiting)
        if (at, passed) in seen:
            continue
        seen.add((at, passed))
        if at == shape.length:
            ends[False, passed] = cost
            continue
        cost += shape.costs[at]
        asked, holds = shape.asks.get(at, (None, True))
        for step in shape.steps.get(at, ()):
            through = passed or (asked in selectors and step.when is holds)
            if step.callee < 0:
                arrive(cost + step.cost, step, through)
                continue
            for (finished, inside), more in known.get(step.callee, {}).items():
                arrive(cost + more, Step(step.to, finishes=finished), through or inside)
    return ends


def _shapes(module: Module, price: Mapping[int, int], first: int) -> Iterator[tuple[int, Shape]]:
    """The functions that can be reached, callers before those they call."""
    imported = [wanted.name for wanted in module.imports if wanted.kind == FUNC]
    fixed = {name: contract_rules().schedule.milli(HOST[name].price) for name in imported}
    waiting, met = [first], set()
    while waiting:
        index = waiting.pop()
        if index in met:
            continue
        met.add(index)
        shape = _shape(module, index, plan(module, index, price), imported, fixed)
        waiting.extend(step.callee for steps in shape.steps.values() for step in steps if step.callee >= 0)
        yield index, shape


def _shape(module: Module, index: int, planned: Plan, imported: list[str], fixed: Mapping[str, int]) -> Shape:
    code = module.functions[index - module.imported_functions].code
    length = len(code.ops)
    steps, asks = {}, {}
    for run in planned.runs:
        last = run.end - 1
        name = BY_CODE[code.ops[last]].name
        if name in ("call", "return_call"):
            steps[run.start] = _call(code.imms[last], run.end if name == "call" else length, imported, fixed)
        else:
            steps[run.start] = tuple(_onward(name, last, planned, length))
        asked = _asked(code.ops[run.start : run.end], code.imms[run.start : run.end])
        if asked is not None:
            asks[run.start] = asked
    return Shape(length, {run.start: run.cost for run in planned.runs}, steps, asks)


def _call(callee: object, to: int, imported: list[str], fixed: Mapping[str, int]) -> tuple[Step, ...]:
    if not isinstance(callee, int) or callee >= len(imported):
        return (Step(to, callee=callee if isinstance(callee, int) else -1),)
    name = imported[callee]
    if name == "revert":
        return ()
    return (Step(to, fixed[name], finishes=name == "finish"),)


def _onward(name: str, last: int, planned: Plan, length: int) -> Iterator[Step]:
    """Where a run goes on that ends with no call."""

    def behind(number: int) -> int:
        """Where a branch to a control arrives."""
        control = planned.controls[number]
        if control.start < 0:
            return length
        return control.start + 1 if BY_CODE[control.kind].name == "loop" else control.end + 1

    match name:
        case "unreachable":
            return
        case "return" | "return_call_indirect":
            yield Step(length)
        case "br" | "br_table":
            yield from (Step(behind(number)) for number in planned.targets[last])
        case "br_if":
            yield Step(behind(planned.targets[last][0]), when=True)
            yield Step(last + 1, when=False)
        case "if":
            control = planned.controls[planned.opens[last]]
            yield Step(last + 1, when=True)
            yield Step((control.middle if control.middle >= 0 else control.end) + 1, when=False)
        case "else":
            yield Step(planned.controls[planned.opens[last]].end + 1)
        case _:
            yield Step(last + 1)


def _asked(ops: list[int], imms: list[object]) -> tuple[int, bool] | None:
    """The number that a run's last test compares with, and whether the test holds when they are the same."""
    names = [BY_CODE[op].name for op in ops[-8:]]
    if not names or names.pop() not in ("br_if", "if"):
        return None
    holds = True
    while names and names[-1] == "i32.eqz":
        names.pop()
        holds = not holds
    if not names or names[-1] not in COMPARISONS:
        return None
    equal = COMPARISONS[names[-1]]
    at = len(ops) - len(ops[-8:]) + len(names) - 1
    for place in (at - 1, at - 2):
        number = imms[place] if place >= 0 and BY_CODE[ops[place]].name == "i32.const" else None
        if isinstance(number, int):
            return number & 0xFFFF_FFFF, equal == holds
    return None
