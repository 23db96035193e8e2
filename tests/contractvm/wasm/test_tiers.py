"""All tiers, and each form of the portable one, agree on results, traps with their places, gas and counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
import wasmtime

from contractvm.errors import OutOfGas, Place, Trap, TrapCode
from contractvm.rules import bare_rules
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Extern
from contractvm.wasm.instance import Instance
from contractvm.wasm.pygen import FORMS, generate
from contractvm.wasm.pystructured import TooDeep
from gas.meter import Meter
from tests.tiers import COUNTING, HERE

WAYS = (*(tier for tier in HERE if tier != "portable"), *FORMS)
"""The tiers, the portable one in each of its forms; the reference tier first."""


@dataclass(frozen=True)
class Seen:
    """What a call did, as far as anyone outside can tell."""

    results: tuple[Any, ...] | None
    trap: tuple[str, int | None, int | None] | None
    spent: int
    executed: int | None
    """Instructions, on tiers that count them."""
    backtrace: tuple[Place, ...]


def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def instance_on(
    way: str, data: bytes, gas: int = 1 << 40, imports: Mapping[tuple[str, str], Extern] | None = None
) -> tuple[Engine, Instance]:
    """An instance on a tier, its functions generated in one form where that form can say them."""
    tier = "portable" if way in FORMS else way
    engine = Engine(tier=tier, count=tier in COUNTING)
    compiled = engine.load(data)
    if way in FORMS:
        for index in range(compiled.module.imported_functions, len(compiled.module.func_types)):
            try:
                compiled.generated[index] = generate(compiled, index, way)
            except TooDeep:
                compiled.generated[index] = generate(compiled, index, "states")
    return engine, engine.instantiate(compiled, imports, Meter(gas))


def call(way: str, data: bytes, name: str, *operands: Any, gas: int = 1 << 40) -> Seen:
    engine, instance = instance_on(way, data, gas)
    assert not engine.refusals, "the native tier left the module to another"
    left, executed = instance.meter.left, instance.instructions
    results, trap = None, None
    backtrace: tuple[Place, ...] = ()
    try:
        results = tuple(engine.invoke(instance, name, operands))
    except Trap as error:
        assert error.place is not None
        trap, backtrace = (error.code.name, error.place.function, error.place.offset), error.backtrace
    except OutOfGas:
        trap = ("OUT_OF_GAS", None, None)
    count = instance.instructions - executed if engine.count else None
    return Seen(results, trap, left - instance.meter.left, count, backtrace)


def agree(data: bytes, name: str, *operands: Any, gas: int = 1 << 40) -> Seen:
    """Call on every tier and form and return what all of them saw."""
    seen = {way: call(way, data, name, *operands, gas=gas) for way in WAYS}
    for way in WAYS[1:]:
        expected = seen[WAYS[0]]
        assert seen[way] == (replace(expected, executed=None) if seen[way].executed is None else expected), way
    return seen[WAYS[0]]


ORDER = wat("""(module (memory 1) (global $g (mut i32) (i32.const 5))
  (func (export "load-before-div") (param i32 i32) (result i32)
    (i32.load (local.get 0)) (i32.div_u (i32.const 1) (local.get 1)) (local.set 1) (local.get 1) (i32.add))
  (func (export "store-order") (param i32 i32)
    (i32.store8 (i32.load (local.get 0)) (i32.div_s (i32.const 1) (local.get 1))))
  (func (export "select-both") (param i32 i32) (result i32)
    (select (i32.load8_u (local.get 0)) (i32.rem_u (i32.const 7) (local.get 1)) (i32.const 1)))
  (func (export "dropped") (param i32) (drop (i32.load (local.get 0))))
  (func (export "branch") (param i32 i32) (result i32)
    (block (result i32) (i32.load16_s (local.get 0)) (br_if 0 (i32.div_u (i32.const 8) (local.get 1)))))
  (func (export "old-global") (result i32) (global.get $g) (global.set $g (i32.const 9)) (global.get $g) (i32.sub))
  (func (export "old-memory") (result i32)
    (i32.load (i32.const 8)) (i32.store (i32.const 8) (i32.const 3)) (i32.load (i32.const 8)) (i32.sub))
  (func (export "old-local") (param i32) (result i32)
    (local.get 0) (local.set 0 (i32.const 1)) (local.get 0) (i32.sub)))""")


@pytest.mark.parametrize(
    ("name", "operands", "trap"),
    [
        ("load-before-div", (65536, 0), "MEMORY_OUT_OF_BOUNDS"),
        ("load-before-div", (65532, 0), "INTEGER_DIVIDE_BY_ZERO"),
        ("load-before-div", (65532, 1), None),
        ("store-order", (70000, 0), "MEMORY_OUT_OF_BOUNDS"),
        ("store-order", (0, 0), "INTEGER_DIVIDE_BY_ZERO"),
        ("select-both", (1, 0), "INTEGER_DIVIDE_BY_ZERO"),
        ("select-both", (65536, 0), "MEMORY_OUT_OF_BOUNDS"),
        ("dropped", (65533,), "MEMORY_OUT_OF_BOUNDS"),
        ("branch", (65535, 0), "MEMORY_OUT_OF_BOUNDS"),
        ("branch", (65534, 0), "INTEGER_DIVIDE_BY_ZERO"),
        ("branch", (65534, 1), None),
    ],
)
def test_the_first_trap_in_order_wins(name: str, operands: tuple[int, ...], trap: str | None) -> None:
    seen = agree(ORDER, name, *operands)
    assert (seen.trap and seen.trap[0]) == trap


@pytest.mark.parametrize(
    ("name", "operands", "result"),
    [("old-global", (), 0xFFFFFFFC), ("old-memory", (), 0xFFFFFFFD), ("old-local", (7,), 6)],
)
def test_an_operand_is_read_when_it_was_pushed(name: str, operands: tuple[int, ...], result: int) -> None:
    assert agree(ORDER, name, *operands).results == (result,)


SLOTS = wat("""(module
  (func (export "moved") (param i32) (result i32)
    (i32.const 0) (if (result i32) (local.get 0) (then (i32.const 11)) (else (i32.const 22))) (i32.add)
    (if (result i32) (local.get 0) (then (i32.const 100)) (else (i32.const 200))) (i32.add))
  (func (export "swap") (param i32 i32) (result i32 i32)
    (local.get 0) (local.get 1)
    (loop (param i32 i32) (result i32 i32)
      (local.set 1) (local.set 0) (local.get 1) (local.get 0)
      (br_if 0 (i32.lt_u (local.get 0) (local.get 1)))))
  (func (export "carry") (param i32) (result i64) (local i64)
    (block (result i64) (block (result i32 i64) (local.get 0) (i64.const 5) (br_if 1 (local.get 0)))
      (local.set 1 (i64.add (i64.const 1))) (i64.extend_i32_u) (i64.add (local.get 1)))))""")


@pytest.mark.parametrize(
    ("name", "operands", "results"),
    [
        ("moved", (1,), (111,)),
        ("moved", (0,), (222,)),
        ("swap", (1, 2), (1, 2)),
        ("swap", (2, 1), (1, 2)),
        ("carry", (3,), (5,)),
        ("carry", (0,), (6,)),
    ],
)
def test_operands_keep_their_values_where_control_meets(
    name: str, operands: tuple[int, ...], results: tuple[int, ...]
) -> None:
    assert agree(SLOTS, name, *operands).results == results


def nested(depth: int) -> bytes:
    """Blocks nested `depth` deep, left by a br_table from the inside; each adds one on its way out."""
    opening = "(block " * depth
    labels = " ".join(str(n) for n in range(depth))
    closing = "(local.set 1 (i32.add (local.get 1) (i32.const 1))))" * depth
    return wat(f"""(module (func (export "f") (param i32) (result i32) (local i32)
        {opening} (br_table {labels} (local.get 0)) {closing} (local.get 1)))""")


@pytest.mark.parametrize("depth", [3, 19, 21, 60, 300])
def test_deep_nesting(depth: int) -> None:
    data = nested(depth)
    for target in (0, 1, depth // 2, depth - 1, depth + 5):
        assert agree(data, "f", target).results == (depth - min(target, depth - 1) - 1,)


def test_each_form_is_used() -> None:
    """The one that CPython can compile is chosen, and deep functions reach the last."""
    forms = set()
    for data in (nested(3), nested(60)):
        compiled = Engine().load(data)
        forms.add(generate(compiled, 0).form)
    assert forms == {"nested", "states"}
    with pytest.raises(TooDeep):
        generate(Engine().load(nested(60)), 0, "structured")


RECURSION = wat(
    """(module (table 2 funcref) (elem (i32.const 0) $down $up) (global $calls (mut i32) (i32.const 0))
  (func $down (export "down") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.add (i32.const 1) (call $down (local.get 0))))
  (func $up (export "up") (param i32) (result i32) (local i64 i64 i64)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (call_indirect (param i32) (result i32) (local.get 0) (i32.xor (local.get 0) (i32.const 1))))
  (func $even (export "even") (param i64) (result i32)
    (if (result i32) (i64.eqz (local.get 0)) (then (i32.const 1))
      (else (return_call $odd (i64.sub (local.get 0) (i64.const 1))))))
  (func $odd (param i64) (result i32)
    (if (result i32) (i64.eqz (local.get 0)) (then (i32.const 0))
      (else (return_call_indirect (param i64) (result i32) (i64.sub (local.get 0) (i64.const 1)) (i32.const 0)))))
  (table $t 1 funcref) (elem (table $t) (i32.const 0) func $even)
  (func (export "parity") (param i64) (result i32) (return_call $even (local.get 0)))
  (export "calls" (global $calls)))""".replace(
        "(return_call_indirect (param i64)", "(return_call_indirect $t (param i64)"
    )
)


@pytest.mark.parametrize("name", ["down", "up"])
def test_the_stack_is_exhausted_at_the_same_call(name: str) -> None:
    calls: set[tuple[Any, str]] = set()
    for way in WAYS:
        engine, instance = instance_on(way, RECURSION)
        with pytest.raises(Trap) as caught:
            engine.invoke(instance, name, [0])
        assert caught.value.code is TrapCode.STACK_EXHAUSTED
        calls.add((instance.exports["calls"].value, str(caught.value.place)))  # type: ignore[union-attr]
    assert len(calls) == 1
    assert next(iter(calls))[0] > 5_000


def test_tail_calls_take_no_stack() -> None:
    assert agree(RECURSION, "parity", 50_000).results == (1,)
    assert agree(RECURSION, "parity", 50_001).results == (0,)


LOOP = wat("""(module (memory 1) (func (export "f") (param i32) (result i32) (local i32)
  (block (loop (br_if 1 (i32.eqz (local.get 0)))
    (local.set 1 (i32.add (local.get 1) (i32.load (i32.mul (local.get 0) (i32.const 7)))))
    (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br 0)))
  (memory.fill (i32.const 0) (i32.const 1) (local.get 1))
  (i32.add (local.get 1) (memory.grow (i32.const 1)))))""")


def test_every_gas_limit_ends_alike() -> None:
    need = agree(LOOP, "f", 3)
    assert need.results == (1,)
    whole = -(-need.spent // 1000)
    for gas in [*range(60), whole - 1, whole]:
        seen = agree(LOOP, "f", 3, gas=gas)
        assert (seen.results is not None) == (gas >= whole), gas


def test_growth_beyond_the_limit_is_refused_and_free() -> None:
    data = wat('(module (memory 1 3) (func (export "f") (param i32) (result i32) (memory.grow (local.get 0))))')
    granted, refused = agree(data, "f", 2), agree(data, "f", 3)
    assert granted.results == (1,)
    assert refused.results == (0xFFFFFFFF,)
    assert granted.spent - refused.spent == 2 * bare_rules().schedule.milli("wasm.page")


def test_a_bulk_operation_pays_before_it_is_checked() -> None:
    data = wat("""(module (memory 1)
        (func (export "f") (param i32) (memory.copy (i32.const 0) (i32.const 0) (local.get 0))))""")
    byte = bare_rules().schedule.milli("wasm.bulk_byte")
    inside, outside = agree(data, "f", 65536), agree(data, "f", 65537)
    assert inside.trap is None
    assert outside.trap is not None
    assert outside.trap[0] == "MEMORY_OUT_OF_BOUNDS"
    assert outside.spent - inside.spent == byte
    assert agree(data, "f", 0xFFFFFFFF, gas=1000).trap == ("OUT_OF_GAS", None, None)


def test_wide_bodies_stay_within_the_frame_weight() -> None:
    """A frame has as many Python variables as its weight counts, and a handful more."""
    pushes = "(i32.load (i32.const 0)) " * 200
    adds = "(i32.add) " * 199
    data = wat(f'(module (memory 1) (func (export "f") (result i32) {pushes} {adds}))')
    compiled = Engine().load(data)
    made = generate(compiled, 0)
    slots = (compiled.plan(0).weight - 64) // 8
    assert made.code.co_nlocals <= slots + 4
    assert agree(data, "f").results == (0,)


def test_weight_is_a_limit_of_the_rules() -> None:
    rules = bare_rules()
    small = replace(rules, limits=replace(rules.limits, stack_weight=100))
    data = wat('(module (func $g) (func (export "f") (call $g)))')
    for tier in HERE:
        engine = Engine(small, tier)
        instance = engine.instantiate(engine.load(data))
        with pytest.raises(Trap, match="call stack exhausted"):
            engine.invoke(instance, "f")
