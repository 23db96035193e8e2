"""Compares the runs of a case: tiers with one another in everything, with wasmtime in what it can know.

Once a step ends by gas, fuel or stack on either side, wasmtime's state and ours may part, and that comparison stops
there; our tiers must agree even then. Never: tolerates a difference between tiers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from tests.fuzz.contracts import run_contract
from tests.fuzz.generate import Case
from tests.fuzz.outcome import EXHAUSTED, HOST_TRAP, NULL, OUT_OF_GAS, REFERENCE, Difference, Step, Value
from tests.fuzz.tiers import run_tier
from tests.fuzz.wasmtime_oracle import run_wasmtime

WASMTIME = "wasmtime"
INCONCLUSIVE = frozenset({OUT_OF_GAS, EXHAUSTED})
COARSER = {"undefined element": "out of bounds table access"}
"""Traps that wasmtime does not tell apart from another."""
MEMORY_TRAP = "out of bounds memory access"


def check(case: Case, tiers: Sequence[str]) -> Difference | None:
    """Run a case on the tiers and, unless it is a contract, on wasmtime; the first difference, or None."""
    for tier in tiers[1:]:
        if found := compare(case, (tiers[0], tier)):
            return found
    return None if case.contract else compare(case, (tiers[0], WASMTIME))


def compare(case: Case, sides: tuple[str, str]) -> Difference | None:
    """The first difference between two tiers, or a tier and wasmtime."""
    left, right = sides
    if right == WASMTIME:
        return difference(comparable(run_tier(case, left)), comparable(run_wasmtime(case)), sides)
    run = run_contract if case.contract else run_tier
    return difference(run(case, left), run(case, right), sides)


def difference(left: Sequence[Step], right: Sequence[Step], sides: tuple[str, str]) -> Difference | None:
    """The first step and field in which two runs differ."""
    inconclusive = WASMTIME in sides
    for number, (a, b) in enumerate(zip(left, right, strict=False)):
        if inconclusive and not INCONCLUSIVE.isdisjoint((a.end, b.end)):
            return None
        for field in fields(Step):
            x, y = getattr(a, field.name), getattr(b, field.name)
            if x != y:
                return Difference(number, field.name, x, y, sides)
    if len(left) != len(right):
        return Difference(min(len(left), len(right)), "number of steps", len(left), len(right), sides)
    return None


def comparable(steps: Sequence[Step]) -> list[Step]:
    """Steps reduced to what wasmtime can know too: no gas, references as null or not."""
    return [
        replace(
            step,
            end=COARSER.get(step.end, step.end),
            results=_references(step.results),
            place=_place(step),
            backtrace=(),
            milligas=None,
            globals=_references(step.globals),
            tables=tuple(map(_references, step.tables)),
        )
        for step in steps
    ]


def _place(step: Step) -> tuple[int | None, int | None] | None:
    """wasmtime tells no place of a host's trap, and folds a load into the instruction that uses it."""
    if step.place is None or step.end == HOST_TRAP:
        return None
    return (step.place[0], None) if step.end == MEMORY_TRAP else step.place


def _references(values: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(REFERENCE if isinstance(v, str) and v != NULL else v for v in values)
