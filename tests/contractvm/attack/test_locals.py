"""Locals: a few bytes declare thousands, and every entry of their function zeroes them."""

from __future__ import annotations

import pytest

from tests.contractvm.attack.rig import Ring, assemble
from tests.tiers import HERE


@pytest.mark.parametrize("form", ["call $f", "return_call $f", "i32.const 0 call_indirect"])
def test_locals_that_a_few_bytes_declare(form: str) -> None:
    """Each is zeroed at every entry, so each is paid for, also where the first run has no instruction."""
    for first in ("", "nop", "loop i32.const 0 br_if 0 end"):
        used = {}
        for count in (32, 2000):
            body = f"""
                (table 1 funcref) (elem (i32.const 0) $f)
                (func $f (local {"i64 " * count}) {first})
                (func (export "call") {form})"""
            spent = set()
            for tier in HERE:
                ring = Ring(tier)
                executed = ring.run(ring.place(assemble(body)))
                assert executed.ok
                spent.add(executed.gas_spent)
            (used[count],) = spent
        assert used[2000] - used[32] >= (2000 - 32) // 10
