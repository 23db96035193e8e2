"""Runs, refunds, labels, liveness and frame weight of small bodies, each worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
import wasmtime

from contractvm.errors import Fatal
from contractvm.rules import bare_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.module import Module
from contractvm.wasm.opcodes import BY_NAME, OPS
from contractvm.wasm.sections import BASE_WEIGHT, FREE_LOCALS, LOCAL, SLOT_WEIGHT, STRUCTURE, Plan, plan, prices
from contractvm.wasm.validate import validate

PRICE = {op.code: 0 if op.code in STRUCTURE else 10 for op in OPS} | {BY_NAME["i32.add"].code: 7, LOCAL: 3}


def module(text: str) -> Module:
    rules = bare_rules()
    made = decode(bytes(wasmtime.wat2wasm(f"(module (memory 1) (table 1 funcref) {text})")), rules)
    validate(made, rules)
    return made


def plan_of(text: str, index: int = 0) -> Plan:
    return plan(module(text), index, PRICE)


def runs(body: str, head: str = "(param i32)") -> list[tuple[int, int, int, int]]:
    """(start, end, cost, count) of every run of the function `(func head body)`."""
    return [(run.start, run.end, run.cost, run.count) for run in plan_of(f"(func {head} {body})").runs]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # 0 nop, 1 nop, 2 end
        ("nop nop", [(0, 3, 20, 2)]),
        # 0 block, 1 nop, 2 end, 3 nop, 4 end: no branch names the block
        ("block nop end nop", [(0, 5, 20, 2)]),
        # 0 block, 1 local.get, 2 br_if, 3 nop, 4 end | 5 nop, 6 end
        ("block local.get 0 br_if 0 nop end nop", [(0, 3, 20, 2), (3, 5, 10, 1), (5, 7, 10, 1)]),
        # 0 loop | 1 local.get, 2 br_if | 3 nop, 4 end, 5 nop, 6 end: a loop's end is no label
        ("loop local.get 0 br_if 0 nop end nop", [(0, 1, 0, 0), (1, 3, 20, 2), (3, 7, 20, 2)]),
        # 0 local.get, 1 if | 2 nop, 3 else | 4 nop, 5 end | 6 nop, 7 end
        ("local.get 0 if nop else nop end nop", [(0, 2, 20, 2), (2, 4, 10, 1), (4, 6, 10, 1), (6, 8, 10, 1)]),
        # 0 local.get, 1 if | 2 nop, 3 end | 4 end
        ("local.get 0 if nop end", [(0, 2, 20, 2), (2, 4, 10, 1), (4, 5, 0, 0)]),
        # 0 return; 1 nop and 2 end are never reached
        ("return nop", [(0, 1, 10, 1)]),
        # 0 block, 1 br 0; 2 nop, 3 end not reached | 4 nop, 5 end
        ("block br 0 nop end nop", [(0, 2, 10, 1), (4, 6, 10, 1)]),
        # 0 block, 1 br 1 (the function); nothing behind it
        ("block br 1 nop end nop", [(0, 2, 10, 1)]),
        # 0 block, 1 block, 2 local.get, 3 br_table 0 1; 4 end | 5 nop, 6 end | 7 end
        ("block block local.get 0 br_table 0 1 end nop end", [(0, 4, 20, 2), (5, 7, 10, 1), (7, 8, 0, 0)]),
        # 0 unreachable; 1 block .. 3 end 4 nop: dead, labels in dead code count for nothing
        ("unreachable block br 0 end nop", [(0, 1, 10, 1)]),
        # 0 local.get, 1 if | 2 return; 3 else | 4 return; 5 end; 6 end: no way on
        ("local.get 0 if return else return end", [(0, 2, 20, 2), (2, 3, 10, 1), (4, 5, 10, 1)]),
        # 0 local.get, 1 if | 2 return; 3 end | 4 nop, 5 end: the way around the arm is alive
        ("local.get 0 if return end nop", [(0, 2, 20, 2), (2, 3, 10, 1), (4, 6, 10, 1)]),
        # 0 local.get, 1 if | 2 nop, 3 else | 4 unreachable; 5 end | 6 nop, 7 end: by way of the first arm
        (
            "local.get 0 if nop else unreachable end nop",
            [(0, 2, 20, 2), (2, 4, 10, 1), (4, 5, 10, 1), (6, 8, 10, 1)],
        ),
    ],
)
def test_runs(body: str, expected: list[tuple[int, int, int, int]]) -> None:
    assert runs(body) == expected


def test_a_call_ends_a_run() -> None:
    # 0 nop, 1 call | 2 nop, 3 end
    assert runs("nop call 0 nop", "") == [(0, 2, 20, 2), (2, 4, 10, 1)]


@pytest.mark.parametrize(
    ("effect", "ends"),
    [
        ("(drop (memory.grow (i32.const 0)))", True),
        ("(memory.fill (i32.const 0) (i32.const 0) (i32.const 0))", True),
        ("(memory.copy (i32.const 0) (i32.const 0) (i32.const 0))", True),
        ("(drop (table.get 0 (i32.const 0)))", True),
        ("(drop (table.size 0))", True),
        ("(drop (memory.size))", False),
        ("(drop (i32.load (i32.const 0)))", False),
        ("(drop (i32.div_u (i32.const 1) (i32.const 1)))", False),
        ("(call_indirect (i32.const 0))", True),
    ],
)
def test_what_ends_a_run(effect: str, ends: bool) -> None:
    assert len(runs(f"nop {effect} nop", "")) == 1 + ends


def test_the_refund_is_what_follows_in_the_run() -> None:
    # 0 local.get, 1 i32.load, 2 local.get, 3 i32.add (7), 4 local.set, 5 end
    made = plan_of("(func (param i32) (local.set 0 (i32.add (i32.load (local.get 0)) (local.get 0))))")
    assert list(made.refund) == [37, 27, 17, 10, 0, 0]
    assert list(made.uncounted) == [4, 3, 2, 1, 0, 0]


def test_dead_code_costs_and_refunds_nothing() -> None:
    made = plan_of("(func (unreachable) (nop) (block (nop)))")
    assert made.live == [True, False, False, False, False, False]
    assert list(made.refund) == list(made.uncounted) == [0] * 6


@pytest.mark.parametrize(
    ("head", "body", "slots"),
    [
        ("", "", 0),
        ("(param i32 i64) (local i32 i32 i32)", "", 5),
        ("", "i32.const 1 i32.const 2 i32.const 3 drop drop drop", 3),
        ("(param i32)", "local.get 0 local.get 0 i32.add drop local.get 0 drop", 3),
        ("", "return i32.const 1 i32.const 2 i32.const 3 drop drop drop", 0),
        ("(result i32)", "unreachable", 0),
        ("(result i64 i64)", "i64.const 1 i64.const 2 i64.const 3 i64.const 4 i64.add128", 4),
        ("", "i32.const 0 if (result i32) i32.const 1 else i32.const 2 i32.const 3 i32.add end drop", 2),
        ("", "block (result i32 i32) i32.const 1 i32.const 2 br 0 end drop drop", 2),
    ],
)
def test_frame_weight(head: str, body: str, slots: int) -> None:
    """The base, and eight for each parameter, local and operand at the deepest point that can be reached."""
    assert plan_of(f"(func {head} {body})").weight == BASE_WEIGHT + SLOT_WEIGHT * slots
    assert (BASE_WEIGHT, SLOT_WEIGHT) == (64, 8)


def test_calls_count_their_results() -> None:
    made = plan_of("(func (result i32 i32 i32) unreachable) (func (call 0) drop drop drop)", 1)
    assert made.max_height == 3
    indirect = plan_of(
        "(type $t (func (param i32) (result i64 i64))) (func i32.const 1 i32.const 0 call_indirect (type $t) drop drop)"
    )
    assert indirect.max_height == 2


def test_controls_and_branches() -> None:
    # 0 i32.const, 1 block, 2 loop, 3 br_if 1, 4 br 0, 5 end, 6 end, 7 end
    made = plan_of("(func (param i32) (result i32) i32.const 9 (block (loop (br_if 1 (local.get 0)) (br 0))))")
    function, block, loop = made.controls
    assert (function.start, function.end, function.height, function.parent, function.label) == (-1, 8, 0, -1, False)
    assert (block.start, block.end, block.height, block.parent, block.label) == (1, 7, 1, 0, True)
    assert (loop.start, loop.end, loop.height, loop.parent, loop.label) == (2, 6, 1, 1, True)
    assert made.targets == {4: (1,), 5: (2,)}
    assert made.opens == {1: 1, 2: 2, 6: 2, 7: 1, 8: 0}
    assert made.heights[4] == 2


def test_a_br_table_names_its_default_last() -> None:
    made = plan_of("(func (param i32) (block (block (br_table 1 0 2 0 (local.get 0)))))")
    assert list(made.targets.values()) == [(1, 2, 0, 2)]
    assert [control.label for control in made.controls] == [True, True, True]


def test_the_arity_of_a_loop_is_its_parameters() -> None:
    made = plan_of("(func (i64.const 1) (loop (param i64) (result i32) (drop) (i32.const 1)) (drop))")
    assert made.controls[1].arity == 1
    assert made.controls[1].height == 0


def test_every_live_instruction_is_in_one_run() -> None:
    made = plan_of(
        "(func (param i32) (block (loop (br_if 1 (local.get 0)) (if (local.get 0) (then (return)) (else (br 1)))))"
        "(drop (memory.grow (i32.const 0))) (block (block (br_table 0 1 (local.get 0)))))"
    )
    covered = [i for run in made.runs for i in range(run.start, run.end)]
    assert covered == sorted(covered)
    assert [made.live[i] for i in covered] == [True] * len(covered)
    assert len(covered) == sum(made.live)
    assert made.run_at == {run.start: run for run in made.runs}


@pytest.mark.parametrize(
    ("count", "paid"), [(0, 0), (FREE_LOCALS, 0), (FREE_LOCALS + 1, 3), (1000, 3 * (1000 - FREE_LOCALS))]
)
def test_further_locals_are_paid_with_the_first_run_alone(count: int, paid: int) -> None:
    head = f"(param {'i32 ' * 40}) (local {'i64 ' * count})"
    assert runs("nop loop nop br 0 end", head) == [(0, 2, 10 + paid, 1), (2, 4, 20, 2)]
    assert runs("loop nop br 0 end", head) == [(0, 1, paid, 0), (1, 3, 20, 2)], "a first run without instructions"
    assert plan_of(f"(func {head} unreachable nop)").refund[0] == 0


def test_structure_must_be_free() -> None:
    rules = bare_rules()
    dear = MappingProxyType({**rules.schedule.prices, "wasm.structure": 1})
    with pytest.raises(Fatal, match="which must cost nothing"):
        prices(replace(rules, schedule=replace(rules.schedule, prices=dear)))


def test_prices_are_the_schedules() -> None:
    rules = bare_rules()
    table = prices(rules)
    assert table[BY_NAME["i32.mul"].code] == rules.schedule.milli("wasm.mul")
    assert table[LOCAL] == rules.schedule.milli("wasm.frame.local")
    assert len(table) == len(OPS) + 1
