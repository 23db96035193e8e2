"""Linking: what serves an import, what does not and why, and what linked instances share."""

from __future__ import annotations

from typing import Any

import pytest
import wasmtime

from contractvm.errors import Trap, Unlinkable
from contractvm.rules import contract_rules
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Extern, Func, Global, HostFunction, Memory, Table
from contractvm.wasm.instance import Instance
from contractvm.wasm.module import EXTERNREF, FUNCREF, I32, I64, FuncType, GlobalType, Limit, TableType
from gas.meter import Meter
from tests.tiers import COUNTING, HERE, each_tier

ONE = FuncType((I32,), (I32,))


def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {text})"))


def link(imported: str, extern: Extern | None, tier: str = "portable") -> Instance:
    """An instance of a module with this one import, of "m" "x"."""
    engine = Engine(tier=tier)
    imports = {} if extern is None else {("m", "x"): extern}
    return engine.instantiate(engine.load(wat(f'(import "m" "x" {imported})')), imports)


def memory(minimum: int, maximum: int | None = None) -> Memory:
    return Memory(Limit(minimum, maximum))


def table(minimum: int, maximum: int | None = None, element: int = FUNCREF) -> Table:
    return Table(TableType(element, Limit(minimum, maximum)))


def variable(type_: int, mutable: bool) -> Global:
    return Global(GlobalType(type_, mutable), 0)


@pytest.mark.parametrize(
    ("imported", "extern"),
    [
        ("(func (param i32) (result i32))", HostFunction(ONE, lambda a: a)),
        ("(memory 1)", memory(1)),
        ("(memory 1)", memory(3, 4)),
        ("(memory 1 4)", memory(2, 4)),
        ("(memory 1 5)", memory(2, 4)),
        ("(table 1 funcref)", table(1)),
        ("(table 1 9 funcref)", table(3, 8)),
        ("(table 0 externref)", table(0, None, EXTERNREF)),
        ("(global i64)", variable(I64, False)),
        ("(global (mut i32))", variable(I32, True)),
    ],
)
def test_serves(imported: str, extern: Extern) -> None:
    assert link(imported, extern) is not None


@pytest.mark.parametrize(
    ("imported", "extern", "reason"),
    [
        ("(func)", None, 'unknown import func "m" "x"'),
        ("(func)", HostFunction(ONE, lambda a: a), "it is [i32] -> [i32], wanted is [] -> []"),
        ("(func)", memory(1), "it is of another kind"),
        ("(memory 1)", HostFunction(ONE, lambda a: a), "it is of another kind"),
        ("(memory 2)", memory(1), "it has 1 pages, at least 2 are wanted"),
        ("(memory 1 4)", memory(1), "its maximum is open pages, at most 4 is wanted"),
        ("(memory 1 4)", memory(1, 5), "its maximum is 5 pages, at most 4 is wanted"),
        ("(table 2 funcref)", table(1), "it has 1 entries, at least 2 are wanted"),
        ("(table 1 2 funcref)", table(1, 3), "its maximum is 3 entries, at most 2 is wanted"),
        ("(table 1 funcref)", table(1, None, EXTERNREF), "it holds externref, wanted is funcref"),
        ("(global i32)", variable(I64, False), "it is i64, wanted is i32"),
        ("(global i32)", variable(I32, True), "it is mut i32, wanted is i32"),
        ("(global (mut i32))", variable(I32, False), "it is i32, wanted is mut i32"),
    ],
)
def test_refuses(imported: str, extern: Extern | None, reason: str) -> None:
    with pytest.raises(Unlinkable) as caught:
        link(imported, extern)
    assert caught.value.reason.endswith(reason)
    assert caught.value.place.offset is not None


def test_the_size_a_memory_has_grown_to_counts() -> None:
    grown = memory(1, 4)
    assert grown.grow(2) == 1
    assert link("(memory 3 4)", grown).memory is grown


# Two instances. The first exports everything; the second calls through each way there is.
FIRST = wat("""
  (memory (export "memory") 1) (table (export "table") 3 funcref)
  (global $g (export "g") (mut i32) (i32.const 5))
  (func (export "bump") (param i32) (result i32)
    (global.set $g (i32.add (global.get $g) (local.get 0))) (global.get $g))
  (func (export "poke") (param i32 i32) (i32.store8 (local.get 0) (local.get 1)))
  (func (export "grow") (result i32) (memory.grow (i32.const 1)))
  (func (export "fail") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))""")
SECOND = wat("""
  (type $one (func (param i32) (result i32)))
  (import "first" "memory" (memory 1)) (import "first" "table" (table 3 funcref))
  (import "first" "g" (global $g (mut i32)))
  (import "first" "bump" (func $bump (param i32) (result i32)))
  (import "first" "poke" (func $poke (param i32 i32)))
  (import "first" "grow" (func $grow (result i32)))
  (import "first" "fail" (func $fail (param i32) (result i32)))
  (elem (i32.const 1) $bump $twice)
  (func $twice (param i32) (result i32) (i32.mul (i32.const 2) (local.get 0)))
  (func (export "direct") (param i32) (result i32) (drop (call $bump (local.get 0))) (global.get $g))
  (func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $one) (local.get 1) (local.get 0)))
  (func (export "tail") (param i32) (result i32) (return_call $bump (local.get 0)))
  (func (export "tail-indirect") (param i32 i32) (result i32)
    (return_call_indirect (type $one) (local.get 1) (local.get 0)))
  (func (export "memory") (result i32)
    (call $poke (i32.const 70000) (i32.const 9)) (i32.load8_u (i32.const 70000)))
  (func (export "grow") (result i32) (call $grow) (memory.size) (i32.add))
  (func (export "fail") (param i32) (result i32) (i32.add (i32.const 1) (call $fail (local.get 0))))
  (func (export "fail-tail") (param i32) (result i32) (return_call $fail (local.get 0)))
  (export "again" (func $bump))""")


def pair(tier: str) -> tuple[Engine, Instance, Instance]:
    engine, meter = Engine(tier=tier, count=tier in COUNTING), Meter(10**9)
    first = engine.instantiate(engine.load(FIRST), {}, meter)
    imports = {("first", name): extern for name, extern in first.exports.items()}
    return engine, first, engine.instantiate(engine.load(SECOND), imports, meter)


@each_tier()
def test_linked_instances_share_what_they_import(tier: str) -> None:
    engine, first, second = pair(tier)

    def call(name: str, *operands: int) -> list[Any]:
        return engine.invoke(second, name, operands)

    assert call("direct", 10) == [15]
    assert call("indirect", 1, 1) == [16]
    assert call("indirect", 2, 21) == [42]
    assert call("tail", 4) == [20]
    assert call("tail-indirect", 1, 2) == [22]
    assert call("again", 1) == [23]
    with pytest.raises(Trap, match="out of bounds memory access"):
        call("memory")
    assert call("grow") == [1 + 2]
    assert call("memory") == [9]
    assert first.memory is second.memory
    assert first.exports["bump"] is second.exports["again"]
    with pytest.raises(Trap, match="uninitialized element"):
        call("indirect", 0, 0)


def test_gas_counts_and_places_agree_across_instances() -> None:
    seen = []
    counts: dict[str, set[int]] = {}
    for tier in HERE:
        engine, _, second = pair(tier)
        record: list[Any] = []
        for name, operands in (
            ("direct", (1,)),
            ("indirect", (1, 1)),
            ("tail", (1,)),
            ("fail", (0,)),
            ("fail-tail", (0,)),
        ):
            try:
                record.append(engine.invoke(second, name, operands))
            except Trap as trap:
                record.append((trap.code, trap.place, trap.backtrace))
            record.append(second.meter.left)
            if tier in COUNTING:
                counts.setdefault(name, set()).add(second.instructions)
        seen.append(record)
    assert all(record == seen[0] for record in seen)
    assert [len(found) for found in counts.values()] == [1] * 5
    backtraces = [entry[2] for entry in seen[0] if isinstance(entry, tuple) and len(entry) == 3]
    assert [len(backtrace) for backtrace in backtraces] == [2, 1]


def test_functions_of_another_meter_or_tier_are_refused() -> None:
    engine, first, _ = pair("portable")
    compiled = engine.load(wat('(import "m" "x" (func (param i32) (result i32)))'))
    imports = {("m", "x"): first.exports["bump"]}
    assert isinstance(first.exports["bump"], Func)
    with pytest.raises(ValueError, match="must share a meter"):
        engine.instantiate(compiled, imports, Meter(1))
    with pytest.raises(ValueError, match="must be on one tier"):
        Engine(tier="reference").instantiate(compiled, imports, first.meter)
    contract = Engine(contract_rules())
    with pytest.raises(ValueError, match="functions of the host alone"):
        contract.instantiate(
            contract.load(wat('(import "m" "x" (func (param i32) (result i32)))')), imports, first.meter
        )
