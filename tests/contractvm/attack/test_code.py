"""Code that is costly to refuse: its bytes are paid for before anyone looks at them, so a block bounds the work."""

from __future__ import annotations

from functools import cache

import pytest

from contractvm.frames import create_address
from contractvm.machine import Status
from state.world import EMPTY_CODE_HASH
from tests.contractvm.attack.rig import ALICE, BLOCK_GAS, Ring, assemble, number
from tests.tiers import each_tier

pytestmark = each_tier()


@cache
def late_error(functions: int) -> bytes:
    """A module that is valid up to its last function: about 36 KB a function are validated in vain."""
    body = "(drop (i32.add (i32.const 1) (i32.const 2)))" * 6_000
    return assemble(
        f'{f"(func {body})" * functions} (func (export "call") (drop (i32.add (i32.const 1) (i64.const 2))))'
    )


def test_a_late_error_in_a_transaction(tier: str) -> None:
    ring = Ring(tier)
    code = late_error(6)
    assert 200_000 < len(code) < ring.rules.limits.code_bytes
    done = ring.run(None, code)
    assert done.status is Status.TRAP
    assert done.detail.startswith("code refused: type mismatch")
    zeros = code.count(0)
    assert done.gas_used == 53_000 + 16 * len(code) + 16 * (len(code) - zeros) + 4 * zeros
    assert ring.world.code_hash(create_address(ALICE, 0)) == EMPTY_CODE_HASH


def test_late_errors_in_a_loop(tier: str) -> None:
    """A contract that keeps creating what will be refused: 16 gas a byte is at most 1.9 MB of code in a block."""
    bad = late_error(1)
    code = assemble(
        f"""(func (export "call") (local $i i32) (local $size i32)
             (local.set $size (call $input_copy (i32.const 1024) (i32.const 0) (i32.const {len(bad)})))
             (loop $again
               (if (i32.ne (call $create (i32.const 1024) (local.get $size) (i32.const 0) (i32.const 0) (i32.const 0)
                                         (i64.const -1) (i32.const 64))
                           (i32.const 3))
                 (then unreachable))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $again (i64.gt_u (call $gas_left) (i64.const {17 * len(bad) + 100_000}))))
             (i32.store (i32.const 0) (local.get $i))
             (call $finish (i32.const 0) (i32.const 4)))""",
        "input_copy", "create", "gas_left", "finish", pages="2",
    )  # fmt: skip
    ring = Ring(tier)
    done = ring.run(ring.place(code), bad)
    assert done.ok
    assert number(done.output) == len(ring.machine.checked) > 10
    assert sum(ring.machine.checked) <= BLOCK_GAS // 16


def test_code_that_cannot_be_paid_is_not_looked_at(tier: str) -> None:
    bad = late_error(1)
    code = assemble(
        f"""(func (export "call") (local $size i32)
             (local.set $size (call $input_copy (i32.const 1024) (i32.const 0) (i32.const {len(bad)})))
             (i32.store (i32.const 0)
               (call $create (i32.const 1024) (local.get $size) (i32.const 0) (i32.const 0) (i32.const 0)
                             (i64.const {16 * len(bad) - 1}) (i32.const 64)))
             (call $finish (i32.const 0) (i32.const 4)))""",
        "input_copy", "create", "finish", pages="2",
    )  # fmt: skip
    ring = Ring(tier)
    done = ring.run(ring.place(code), bad)
    assert done.ok
    assert number(done.output) == Status.OUT_OF_GAS
    assert ring.machine.checked == []


def test_code_above_the_limit(tier: str) -> None:
    ring = Ring(tier)
    done = ring.run(None, late_error(8), gas=100_000_000)
    assert done.status is Status.TRAP
    assert str(ring.rules.limits.code_bytes) in done.detail


@pytest.mark.parametrize("cut", [1, 4, 7, 8, 20, 30])
def test_a_cut_module(tier: str, cut: int) -> None:
    good = assemble('(func (export "call"))')
    ring = Ring(tier)
    done = ring.run(None, good[:cut])
    assert done.status is Status.TRAP
    assert done.detail.startswith("code refused: ")


def test_a_constructor_that_creates_itself(tier: str) -> None:
    """Creations nest like calls: gas ends it, at a depth that the 63/64 rule and the price of bytes bound."""
    code = assemble(
        """(func (export "call"))
           (func (export "deploy") (local $size i32)
             (local.set $size (call $input_copy (i32.const 1024) (i32.const 0) (i32.const 4096)))
             (drop (call $create (i32.const 1024) (local.get $size) (i32.const 0) (i32.const 1024) (local.get $size)
                                 (i64.const -1) (i32.const 64))))""",
        "input_copy", "create",
    )  # fmt: skip
    section = b"\0\x08\x03cvm" + (len(code) + 10).to_bytes(4, "little")
    sealed = code[:8] + section + code[8:]
    ring = Ring(tier)
    done = ring.run(None, sealed + sealed)
    assert done.ok
    created = len(ring.machine.checked)
    assert 2 <= created <= BLOCK_GAS // 32_000
    assert ring.world.code(create_address(ALICE, 0)) == sealed
    assert ring.world.nonce(create_address(ALICE, 0)) == 2
