"""Many calls on one module, on several engines side by side, compared after each: how a million cases are tried.

The engines' live memories are compared, so that a call costs little more than its execution. A module is compiled once
and instantiated afresh for every round. In every other round wasmtime takes part; in those between gas may run out.
What differs is made a `Case` of the calls that led to it, for `differential` to run again and to say what it is.
Never: names a difference, nor shrinks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from contractvm.wasm.encode import encode
from contractvm.wasm.module import FuncType
from tests.fuzz.differential import INCONCLUSIVE, comparable
from tests.fuzz.generate import Case, build, enterable
from tests.fuzz.operands import Call, fresh_call, limited
from tests.fuzz.outcome import OK, State, Step
from tests.fuzz.tally import Plan, Tally
from tests.fuzz.tiers import Tier
from tests.fuzz.wasmtime_oracle import Wasmtime

GAS_LIMITS = (900, 5_000, 20_000)
"""Whole gas of a call that is to end by itself: where a module is not guarded, this ends it."""
STACK_WEIGHTS = (None, None, 400, 1_000, 4_000, 20_000)
SLICES = (None, 1, 50, 3_000)


def differing(seed: int, plan: Plan, tally: Tally) -> list[Case]:
    """Try the module of a seed; a case for each round in which engines parted."""
    module, rng = build(seed)
    gas, weight, slice_ = rng.choice(GAS_LIMITS), rng.choice(STACK_WEIGHTS), rng.choice(SLICES)
    case = Case(seed, encode(module), (), gas, stack_weight=weight, slice=slice_)
    functions = enterable(module)
    sides = [Tier(case, tier) for tier in plan.tiers]
    oracle = Wasmtime(case) if plan.oracle else None
    tally.modules += 1
    found = []
    for number in range(plan.rounds):
        peer = oracle if number % 2 == 0 else None
        calls = Calls(rng, functions, peer is None, plan.calls // plan.rounds if functions else 0)
        if not _agree(case, calls, sides, peer, tally):
            made = tuple([(call.name, call.operands) for call in calls.made])
            found.append(replace(case, calls=made, limits=tuple([call.milligas for call in calls.made])))
    tally.refused += sum(bool(side.engine.refusals) for side in sides)
    return found


@dataclass(slots=True)
class Calls:
    """The calls of a round; the next may depend on how the last one ended."""

    rng: Random
    functions: list[tuple[str, FuncType]]
    limited: bool
    """Whether gas may run out."""
    count: int
    made: list[Call] = field(default_factory=list)

    def next(self, spent: int | None) -> Call | None:
        """`spent` is what the last one used, None when gas ran out."""
        if len(self.made) == self.count:
            return None
        call = fresh_call(self.rng, self.functions)
        if self.limited:
            call = limited(self.rng, call, self.made[-1] if self.made else None, spent)
        self.made.append(call)
        return call


def _agree(case: Case, calls: Calls, sides: Sequence[Tier], peer: Wasmtime | None, tally: Tally) -> bool:
    """Whether the engines agree on a fresh instance and all calls on it."""
    tally.rounds += 1
    steps = [side.start(case.gas) for side in sides]
    first, state = steps[0], sides[0].state()
    if not _same(steps, sides):
        return False
    if peer is not None and _conclusive(begun := peer.start(), first) and not _confirmed(begun, peer, first, state):
        return False
    if first.end != OK:
        return True
    while True:
        call = calls.next(first.milligas)
        if call is None:
            return True
        milligas = case.gas * 1_000 if call.milligas is None else call.milligas
        steps = [side.call(call.name, call.operands, milligas) for side in sides]
        first, state = steps[0], sides[0].state()
        tally.cases += 1
        tally.ends[first.end] += 1
        if not _same(steps, sides):
            return False
        if peer is None:
            continue
        again = peer.call(call.name, call.operands)
        if _conclusive(again, first):
            if not _confirmed(again, peer, first, state):
                return False
            tally.confirmed += 1
        else:
            peer = None


def _conclusive(again: Step, first: Step) -> bool:
    """Whether a step ended in a way that wasmtime can know of."""
    return INCONCLUSIVE.isdisjoint((first.end, again.end))


def _same(steps: Sequence[Step], sides: Sequence[Tier]) -> bool:
    """Whether our tiers agree in everything."""
    state = sides[0].state()
    return all(step == steps[0] and side.state() == state for step, side in zip(steps, sides, strict=True))


def _confirmed(again: Step, peer: Wasmtime, first: Step, state: State) -> bool:
    """Whether wasmtime agrees in what it can know."""
    theirs = peer.state()
    if bytes(theirs[0]) != state[0]:
        return False
    ours = replace(first, globals=state[1], tables=state[2])
    return comparable([ours]) == comparable([replace(again, globals=theirs[1], tables=theirs[2])])
