"""Coalesced bounds checks: near the end of memory each tier stores the same and traps in the same place."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
import wasmtime

from contractvm.errors import Trap
from contractvm.wasm import native
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Global
from contractvm.wasm.instance import Instance
from contractvm.wasm.replay import replay
from tests.tiers import HERE

MODULE = """
(module
  (memory (export "memory") 1 2)
  (global $g (mut i64) (i64.const 5))
  (global $shown (export "shown") (mut i32) (i32.const 7))
  (func (export "stores") (param $at i32) (param $x i64)
    (i64.store (local.get $at) (local.get $x))
    (i32.store offset=8 (local.get $at) (i32.const -2))
    (i32.store8 offset=13 (local.get $at) (i32.const 300))
    (i64.store offset=20 (local.get $at) (i64.add (local.get $x) (i64.const 1)))
    (i32.store16 offset=40 (local.get $at) (i32.const 9)))
  (func (export "mixed") (param $at i32) (param $d i32) (result i64) (local $t i64)
    (global.set $g (i64.load (local.get $at)))
    (i64.store offset=8 (local.get $at) (i64.const 77))
    (global.set $shown (i32.div_u (i32.const 100) (local.get $d)))
    (local.set $t (i64.load offset=16 (local.get $at)))
    (i64.store offset=24 (local.get $at) (i64.add (local.get $t) (global.get $g)))
    (local.set $d (i32.eqz (local.get $d)))
    (i32.store offset=64 (local.get $at) (local.get $d))
    (i64.add (local.get $t) (i64.extend_i32_u (i32.load offset=100 (local.get $at)))))
  (func (export "two") (param $a i32) (param $b i32) (result i32)
    (i32.store (local.get $a) (i32.const 1))
    (i32.store offset=4 (local.get $b) (i32.const 2))
    (i32.store offset=12 (local.get $a) (i32.const 3))
    (i32.store offset=16 (local.get $b) (i32.const 4))
    (i32.add (i32.load offset=32 (local.get $a)) (i32.load offset=3 (local.get $b))))
  (func (export "under") (param $at i32) (result i64)
    (i64.const 3)
    (i32.lt_u (local.get $at) (i32.const 65500))
    (i64.load (local.get $at))
    (i64.load offset=16 (local.get $at))
    (i64.add)
    (i64.load offset=64 (local.get $at))
    (i64.add)
    (drop)
    (i64.extend_i32_u)
    (i64.add))
  (func (export "get") (result i64) (global.get $g)))
"""
END = 65536


def seen(engine: Engine, instance: Instance, name: str, operands: tuple[int, ...]) -> tuple[Any, ...]:
    """Everything that a call leaves."""
    end: Any
    try:
        end = engine.invoke(instance, name, operands)
    except Trap as trap:
        end = trap.code, trap.place, trap.backtrace
    left = instance.meter.left
    assert instance.memory is not None
    shown = instance.exports["shown"]
    assert isinstance(shown, Global)
    return end, left, bytes(instance.memory.data), shown.value, engine.invoke(instance, "get")


CALLS: list[tuple[str, tuple[int, ...]]] = [("stores", (at, 0x0123456789ABCDEF)) for at in range(END - 60, END + 4)]
CALLS += [("mixed", (at, d)) for at in range(END - 110, END + 4) for d in (0, 3)]
CALLS += [("two", (a, b)) for a in range(END - 40, END + 2, 3) for b in range(END - 40, END + 2, 3)]
CALLS += [("under", (at,)) for at in [*range(END - 80, END + 2), 0xFFFF_FFF0]]


@pytest.mark.parametrize("name", sorted({name for name, _ in CALLS}))
def test_what_a_run_did_before_its_trap_is_the_same_in_every_tier(name: str) -> None:
    code = bytes(wasmtime.wat2wasm(MODULE))
    found = []
    for tier in HERE:
        engine = Engine(tier=tier)
        instance = engine.instantiate(engine.load(code))
        found.append([seen(engine, instance, called, given) for called, given in CALLS if called == name])
    for other in found[1:]:
        for mine, its in zip(found[0], other, strict=True):
            assert mine == its


@pytest.mark.skipif("native" not in HERE, reason="the native tier is not here")
@pytest.mark.parametrize("name", ["stores", "mixed", "two", "under"])
def test_the_checks_of_these_functions_are_coalesced(name: str) -> None:
    engine = Engine(tier="native")
    instance = engine.instantiate(engine.load(bytes(wasmtime.wat2wasm(MODULE))))
    operands = (END - 4, 1) if name != "under" else (END - 4,)
    with patch.object(native, "replay", side_effect=replay) as replayed, pytest.raises(Trap):
        engine.invoke(instance, name, operands)
    assert replayed.call_count == 1
