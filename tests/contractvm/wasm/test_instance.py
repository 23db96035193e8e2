"""An instance: its segments, and the instructions on memory and tables at their bounds, each with its price."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import wasmtime

from contractvm.errors import OutOfGas, Trap, TrapCode
from contractvm.machine import PageBudget
from contractvm.rules import bare_rules
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import PAGE, Func, Global, Memory
from contractvm.wasm.instance import FAILED, Instance
from contractvm.wasm.module import I32, GlobalType, Limit
from gas.meter import Meter

GAS = 10**9
MILLI = bare_rules().schedule.milli


def instance(text: str, gas: int = GAS, budget: PageBudget | None = None, base: int | None = None) -> Instance:
    """An instance of `(module text)`; `base` serves the import "m" "base"."""
    engine = Engine()
    imports = {} if base is None else {("m", "base"): Global(GlobalType(I32, False), base)}
    return engine.instantiate(engine.load(bytes(wasmtime.wat2wasm(f"(module {text})"))), imports, Meter(gas), budget)


def cost(made: Instance, action: Callable[..., Any], *operands: Any) -> int:
    """Milligas that an action takes, trapping or not."""
    before = made.meter.left
    with suppress(Trap):
        action(*operands)
    return before - made.meter.left


def trap_of(action: Callable[..., Any], *operands: Any) -> TrapCode:
    with pytest.raises(Trap) as caught:
        action(*operands)
    return caught.value.code


BULK = '(memory 1) (data $d "abcdef")'


@pytest.mark.parametrize("at", [0, 100, PAGE - 4])
def test_bulk_memory_within_bounds(at: int) -> None:
    made = instance(BULK)
    assert made.memory is not None
    data = made.memory.data
    made.memory_init(at, 1, 4, 0)
    assert data[at : at + 4] == b"bcde"
    made.memory_copy(0, at, 4)
    assert data[:4] == b"bcde"
    made.memory_fill(at, 0x1FF, 2)
    assert data[at : at + 2] == b"\xff\xff"
    assert len(data) == PAGE


def test_copies_may_overlap() -> None:
    made = instance('(memory 1) (data (i32.const 0) "abcdef")')
    assert made.memory is not None
    made.memory_copy(2, 0, 4)
    assert made.memory.data[:6] == b"ababcd"
    made.memory_copy(0, 2, 4)
    assert made.memory.data[:6] == b"abcdcd"


@pytest.mark.parametrize(
    ("method", "operands"),
    [
        ("memory_fill", (PAGE, 0, 1)),
        ("memory_fill", (PAGE + 1, 0, 0)),
        ("memory_fill", (0, 0, PAGE + 1)),
        ("memory_fill", (0xFFFF_FFFF, 0, 0xFFFF)),
        ("memory_copy", (PAGE - 1, 0, 2)),
        ("memory_copy", (0, PAGE - 1, 2)),
        ("memory_copy", (0, PAGE + 1, 0)),
        ("memory_init", (PAGE - 1, 0, 2, 0)),
        ("memory_init", (0, 6, 1, 0)),
        ("memory_init", (0, 7, 0, 0)),
    ],
)
def test_bulk_memory_out_of_bounds(method: str, operands: tuple[int, ...]) -> None:
    """It traps, writes nothing, leaves the size alone, and was paid for by its operand."""
    made = instance(BULK)
    assert made.memory is not None
    before = bytes(made.memory.data)
    paid = cost(made, getattr(made, method), *operands)
    assert paid == operands[2] * MILLI("wasm.bulk_byte")
    assert trap_of(getattr(made, method), *operands) is TrapCode.MEMORY_OUT_OF_BOUNDS
    assert made.memory.data == before


def test_nothing_may_be_moved_at_the_very_end() -> None:
    made = instance(BULK)
    made.memory_fill(PAGE, 1, 0)
    made.memory_copy(PAGE, PAGE, 0)
    made.memory_init(PAGE, 6, 0, 0)


def test_a_dropped_segment_is_empty() -> None:
    made = instance(BULK)
    made.data_drop(0)
    made.memory_init(0, 0, 0, 0)
    assert trap_of(made.memory_init, 0, 0, 1, 0) is TrapCode.MEMORY_OUT_OF_BOUNDS


def test_what_cannot_be_paid_is_not_done() -> None:
    made = instance(BULK, gas=1)
    assert made.memory is not None
    with pytest.raises(OutOfGas):
        made.memory_fill(0, 1, 20_000)
    assert made.memory.data == bytes(PAGE)


class TestMemory:
    def test_grows_in_place(self) -> None:
        """Hosts and generated code hold on to the very bytes."""
        memory = Memory(Limit(1, 3))
        held, cell = memory.data, memory.cell
        held[5] = 9
        assert memory.grow(2) == 1
        assert memory.data is held is cell.cell_contents
        assert (len(held), held[5], held[PAGE], memory.pages) == (3 * PAGE, 9, 0, 3)

    @pytest.mark.parametrize(
        ("limit", "ceiling", "asked", "answer"),
        [
            (Limit(1, None), 4, 3, 1),
            (Limit(1, None), 4, 4, -1),
            (Limit(1, 2), 4, 1, 1),
            (Limit(1, 2), 4, 2, -1),
            (Limit(1, 9), 4, 4, -1),
            (Limit(0, None), 4, 0, 0),
            (Limit(1, None), 65_536, 0xFFFF_FFFF, -1),
        ],
    )
    def test_limits(self, limit: Limit, ceiling: int, asked: int, answer: int) -> None:
        memory = Memory(limit, ceiling)
        assert memory.grow(asked) == answer
        assert memory.pages == limit.minimum + (asked if answer >= 0 else 0)

    def test_the_budget_is_asked_for_what_is_grown(self) -> None:
        budget = PageBudget(5)
        memory = Memory(Limit(1, None), 10, budget)
        assert memory.grow(3) == 1
        assert budget.left == 2
        assert memory.grow(3) == -1
        assert (budget.left, memory.pages) == (2, 4)
        assert memory.grow(2) == 4
        assert budget.left == 0


def test_growing_is_paid_by_the_page_when_granted() -> None:
    made = instance("(memory 1 4)", budget=PageBudget(2))
    assert cost(made, made.memory_grow, 3) == 0
    assert cost(made, made.memory_grow, 2) == 2 * MILLI("wasm.page")
    assert made.memory_grow(1) == FAILED
    assert made.memory_grow(0) == 3


def test_growth_that_cannot_be_paid_takes_nothing() -> None:
    budget = PageBudget(9)
    made = instance("(memory 1)", gas=2 * MILLI("wasm.page") // 1000, budget=budget)
    with pytest.raises(OutOfGas):
        made.memory_grow(3)
    assert made.memory is not None
    assert (made.memory.pages, budget.left) == (1, 9)


TABLES = """(table $a 3 5 funcref) (table $b 2 funcref) (func $f) (func $g (result i32) (i32.const 1))
  (elem $s func $f $g $f) (elem (table $a) (i32.const 1) func $g) (elem declare func $f)"""


def entries(made: Instance, table: int) -> list[int | None]:
    """Function indices in a table."""
    return [entry.index if isinstance(entry, Func) else None for entry in made.tables[table].entries]


def test_tables_start_with_their_active_segments() -> None:
    made = instance(TABLES)
    assert entries(made, 0) == [None, 1, None]
    assert [len(segment) for segment in made.elements] == [3, 0, 0]


def test_table_instructions() -> None:
    made = instance(TABLES)
    made.table_init(0, 1, 2, 0, 0)
    assert entries(made, 0) == [1, 0, None]
    made.table_copy(1, 0, 2, 0, 0)
    assert entries(made, 0) == [1, 1, 0]
    made.table_copy(0, 1, 2, 1, 0)
    assert entries(made, 1) == [1, 0]
    made.table_fill(0, None, 2, 1)
    assert entries(made, 1) == [None, None]
    made.table_set(2, made.function(1), 0)
    assert made.table_get(2, 0) is made.function(1)
    assert made.table_grow(made.function(0), 2, 0) == 3
    assert entries(made, 0) == [1, 1, 1, 0, 0]
    assert made.table_size(0) == 5
    assert made.table_grow(None, 1, 0) == FAILED
    made.elem_drop(0)
    assert trap_of(made.table_init, 0, 0, 1, 0, 0) is TrapCode.TABLE_OUT_OF_BOUNDS


@pytest.mark.parametrize(
    ("method", "operands"),
    [
        ("table_get", (3, 0)),
        ("table_set", (3, None, 0)),
        ("table_fill", (2, None, 2, 0)),
        ("table_fill", (4, None, 0, 0)),
        ("table_copy", (2, 0, 2, 0, 0)),
        ("table_copy", (0, 1, 2, 0, 1)),
        ("table_init", (2, 0, 2, 0, 0)),
        ("table_init", (0, 2, 2, 0, 0)),
        ("table_init", (0, 0, 1, 1, 0)),
    ],
)
def test_tables_out_of_bounds(method: str, operands: tuple[Any, ...]) -> None:
    made = instance(TABLES)
    before = entries(made, 0)
    assert trap_of(getattr(made, method), *operands) is TrapCode.TABLE_OUT_OF_BOUNDS
    assert entries(made, 0) == before


def test_table_entries_are_paid_for() -> None:
    made = instance(TABLES)
    entry = MILLI("wasm.table_entry")
    assert cost(made, made.table_grow, None, 2, 0) == 2 * entry
    assert cost(made, made.table_grow, None, 9, 0) == 0
    assert cost(made, made.table_fill, 0, None, 3, 0) == 3 * entry
    assert cost(made, made.table_copy, 0, 0, 9, 0, 0) == 9 * entry
    assert cost(made, made.table_init, 0, 0, 2, 0, 0) == 2 * entry


@pytest.mark.parametrize(
    ("at", "key", "code"),
    [
        (0, ">", TrapCode.UNINITIALIZED_ELEMENT),
        (3, ">", TrapCode.UNDEFINED_ELEMENT),
        (0xFFFF_FFFF, ">", TrapCode.UNDEFINED_ELEMENT),
        (1, ">", TrapCode.INDIRECT_CALL_TYPE_MISMATCH),
    ],
)
def test_indirect_calls_are_checked(at: int, key: str, code: TrapCode) -> None:
    made = instance(TABLES)
    assert made.indirect(1, ">i32", 0) is made.function(1)
    assert trap_of(made.indirect, at, key, 0) is code


IMPORTED = '(import "m" "base" (global $base i32)) (memory 1)'


class TestSegments:
    def test_are_written_in_order(self) -> None:
        made = instance('(memory 1) (data (i32.const 0) "aaaa") (data (i32.const 1) "bb") (data (i32.const 4) "c")')
        assert made.memory is not None
        assert made.memory.data[:6] == b"abbac\0"
        assert made.data == [b"", b"", b""]

    def test_offsets_may_depend_on_the_instance(self) -> None:
        text = IMPORTED + '(data (i32.add (global.get $base) (i32.const 2)) "x") (data "kept")'
        for base in (0, 10):
            made = instance(text, base=base)
            assert made.memory is not None
            assert made.memory.data[base + 2] == ord("x")
            assert made.data == [b"", b"kept"]

    @pytest.mark.parametrize("content", ["", "x"])
    def test_beyond_the_end_traps_even_when_empty(self, content: str) -> None:
        text = IMPORTED + f'(data (global.get $base) "{content}")'
        assert instance(text, base=PAGE - 1).memory is not None
        with pytest.raises(Trap, match="out of bounds memory access"):
            instance(text, base=PAGE + 1)
        with pytest.raises(Trap, match="out of bounds memory access"):
            instance(f'(memory 1) (data (i32.const {PAGE + 1}) "{content}")')

    def test_earlier_ones_stay_when_a_later_one_traps(self) -> None:
        shared = Memory(Limit(1, None))
        engine = Engine()
        source = f'(module (import "m" "m" (memory 1)) (data (i32.const 0) "ok") (data (i32.const {PAGE}) "no"))'
        with pytest.raises(Trap):
            engine.instantiate(engine.load(bytes(wasmtime.wat2wasm(source))), {("m", "m"): shared})
        assert shared.data[:2] == b"ok"

    def test_instances_of_one_module_share_nothing(self) -> None:
        engine = Engine()
        compiled = engine.load(
            bytes(wasmtime.wat2wasm('(module (memory 1) (global (mut i32) (i32.const 3)) (data (i32.const 0) "abc"))'))
        )
        one, two = engine.instantiate(compiled), engine.instantiate(compiled)
        assert one.memory is not None and two.memory is not None
        one.memory.data[0] = 0
        one.globals[0].cell.cell_contents = 4
        assert two.memory.data[:3] == b"abc"
        assert two.globals[0].value == 3
        assert engine.instantiate(compiled).memory.data[:3] == b"abc"  # type: ignore[union-attr]


def test_the_rules_cut_memory_and_tables() -> None:
    rules = bare_rules()
    engine = Engine(replace(rules, limits=replace(rules.limits, memory_pages=2, table_entries=3)))
    made = engine.instantiate(engine.load(bytes(wasmtime.wat2wasm("(module (memory 1 9) (table 1 9 funcref))"))))
    assert made.memory_grow(1) == 1
    assert made.memory_grow(1) == FAILED
    assert made.table_grow(None, 2, 0) == 1
    assert made.table_grow(None, 1, 0) == FAILED


def test_references_are_one_object_each() -> None:
    made = instance(
        '(func $f (export "f")) (func $g (export "g")) (table (export "t") 1 funcref) (elem (i32.const 0) $f)'
    )
    assert made.exports["f"] is made.function(0) is made.tables[0].entries[0]
    assert made.exports["g"] is not made.exports["f"]
