"""Callers that use up the stack: every contract call has the whole budget, and 1,024 of them nest on every tier."""

from __future__ import annotations

import pytest

from contractvm.errors import TrapCode
from contractvm.machine import Status
from tests.contractvm.attack.rig import Ring, assemble, number
from tests.threads import on_thread
from tests.tiers import HERE, each_tier

PLENTY = 10**13
"""Gas that the 63/64 rule leaves something of at depth 1,024."""

NESTING = """
  (func $sink (param $n i32)
    (if (local.get $n)
      (then (call $sink (i32.sub (local.get $n) (i32.const 1))))
      (else
        (call $self_address (i32.const 64))
        (i32.store (i32.const 4)
          (call $call (i32.const 64) (i32.const 128) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 1)))
        (if (i32.eqz (i32.load (i32.const 4)))
          (then (drop (call $returndata_copy (i32.const 0) (i32.const 0) (i32.const 8)))))
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))))))
  (func (export "call")
    (call $sink (i32.const DEPTH))
    (call $finish (i32.const 0) (i32.const 8)))"""


def nesting(depth: int) -> bytes:
    """A contract that goes `depth` wasm calls deep, then calls itself; gives (frames, last call's status)."""
    return assemble(
        NESTING.replace("DEPTH", str(depth)), "self_address", "call", "returndata_copy", "finish", pages="1"
    )


@pytest.mark.parametrize("deep", [False, True])
@each_tier()
def test_1024_calls_nest(tier: str, deep: bool) -> None:
    depth = deep * (20 if tier == "reference" else 300)
    ring = Ring(tier)
    address = ring.place(nesting(depth))
    done = ring.run(address, gas=PLENTY)
    assert done.ok
    assert (number(done.output[:4]), number(done.output[4:])) == (1 + ring.rules.limits.call_depth, Status.DEPTH)


def test_tiers_agree_about_the_deepest() -> None:
    outcomes = []
    for tier in HERE:
        ring = Ring(tier)
        done = ring.run(ring.place(nesting(10)), gas=PLENTY)
        outcomes.append((done.status, done.gas_spent, done.output))
    assert all(outcome == outcomes[0] for outcome in outcomes)


@each_tier()
def test_a_caller_on_a_small_thread(tier: str) -> None:
    """Whoever calls the engine may have next to no stack of its own, and a low recursion limit."""
    ring = Ring(tier)
    address = ring.place(nesting(100))
    output = on_thread(256 << 10, lambda: ring.run(address, gas=PLENTY).output)
    assert number(output[:4]) == 1 + ring.rules.limits.call_depth


@each_tier()
def test_a_starving_caller_does_not_starve_its_callee(tier: str) -> None:
    """The callee needs nearly its whole budget of stack; it has it, however deep its caller stands."""
    callee = assemble(
        """(func $sink (param $n i32)
             (if (local.get $n) (then (call $sink (i32.sub (local.get $n) (i32.const 1))))))
           (func (export "call") (call $sink (i32.const 1500)))"""
    )
    ring = Ring(tier)
    target = ring.place(callee)
    alone = ring.run(target)
    assert alone.ok
    text = "".join(f"\\{byte:02x}" for byte in target)
    caller = f"""(data (i32.const 0) "{text}")
      (func $sink (param $n i32)
        (if (local.get $n)
          (then (call $sink (i32.sub (local.get $n) (i32.const 1))))
          (else (i32.store (i32.const 128)
            (call $call (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 0))))))
      (func (export "call")
        (call $sink (i32.const DEPTH))
        (call $finish (i32.const 128) (i32.const 4)))"""
    outcomes = []
    for depth in (0, 1500):
        done = ring.run(ring.place(assemble(caller.replace("DEPTH", str(depth)), "call", "finish")))
        outcomes.append((done.status, number(done.output)))
    assert outcomes == [(Status.OK, Status.OK)] * 2


@each_tier()
def test_endless_recursion_traps_and_gives_back_the_rest(tier: str) -> None:
    ring = Ring(tier)
    done = ring.run(ring.place(assemble('(func $f (export "call") (call $f))')))
    assert done.trap is not None
    assert done.trap.code is TrapCode.STACK_EXHAUSTED
    assert done.gas_used < 1_000_000


@each_tier()
def test_delegate_calls_nest_too(tier: str) -> None:
    code = assemble(
        """(func (export "call")
             (call $self_address (i32.const 64))
             (if (i32.eqz (call $delegate_call (i32.const 64) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 0)))
               (then (drop (call $returndata_copy (i32.const 0) (i32.const 0) (i32.const 4)))))
             (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
             (call $finish (i32.const 0) (i32.const 4)))""",
        "self_address", "delegate_call", "returndata_copy", "finish",
    )  # fmt: skip
    ring = Ring(tier)
    done = ring.run(ring.place(code), gas=PLENTY)
    assert done.ok
    assert number(done.output) == 1 + ring.rules.limits.call_depth
