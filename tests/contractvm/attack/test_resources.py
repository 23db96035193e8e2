"""Contracts that want all the memory, disk or validation time: their gas ends first, at counts known beforehand."""

from __future__ import annotations

import gc
import tracemalloc
from bisect import bisect_left, bisect_right

import pytest

from contractvm.crypto import keccak_function
from contractvm.errors import TrapCode
from contractvm.machine import Status
from contractvm.wasm.externs import PAGE, Memory
from state.account import Nothing
from state.world import World
from tests.contractvm.attack.rig import BLOCK_GAS, Ring, assemble, number
from tests.tiers import each_tier

pytestmark = each_tier()


def test_64_kb_values_in_a_loop(tier: str) -> None:
    """Kept bytes cost 32 gas each: a block pays for less than a megabyte, and running out takes all of it back."""
    code = assemble(
        """(func (export "call") (local $i i32)
             (loop $again
               (i32.store (i32.const 0) (local.get $i))
               (call $storage_set (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 65536))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $again (i64.gt_u (call $gas_left) (i64.const 2500000))))
             (i32.store (i32.const 0) (local.get $i))
             (call $finish (i32.const 0) (i32.const 4)))""",
        "storage_set", "gas_left", "finish",
    )  # fmt: skip
    ring = Ring(tier)
    done = ring.run(ring.place(code))
    assert done.ok
    written = number(done.output)
    assert 10 <= written <= BLOCK_GAS // (65_536 * 32)
    forever = assemble(
        """(func (export "call") (local $i i32)
             (loop $again
               (i32.store (i32.const 0) (local.get $i))
               (call $storage_set (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 65536))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br $again)))""",
        "storage_set",
    )  # fmt: skip
    ring = Ring(tier)
    address = ring.place(forever)
    done = ring.run(address)
    assert (done.status, done.gas_used) == (Status.OUT_OF_GAS, BLOCK_GAS)
    assert not ring.world.has_storage(address)


@pytest.mark.parametrize("what", ["storage_set", "transient_set"])
def test_the_same_slot_over_and_over(tier: str, what: str) -> None:
    """A dirty slot is cheap in Ethereum; here each of its 64 KB is paid again, so the undo log stays bounded."""
    code = assemble(
        f"""(func (export "call") (local $i i32)
             (loop $again
               (i32.store (i32.const 64) (local.get $i))
               (call ${what} (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 65536))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $again (i64.gt_u (call $gas_left) (i64.const 2500000))))
             (i32.store (i32.const 0) (local.get $i))
             (call $finish (i32.const 0) (i32.const 4)))""",
        what, "gas_left", "finish",
    )  # fmt: skip
    ring = Ring(tier)
    done = ring.run(ring.place(code))
    assert done.ok
    logged = number(done.output) * 65_536
    assert 0 < logged <= (1 << 20 if what == "storage_set" else 32 << 20)


def test_logs_in_a_loop(tier: str) -> None:
    code = assemble(
        '(func (export "call") (loop $again (call $log (i32.const 0) (i32.const 4) (i32.const 0) (i32.const 65536))'
        " (br_if $again (i64.gt_u (call $gas_left) (i64.const 600000)))))",
        "log", "gas_left",
    )  # fmt: skip
    ring = Ring(tier)
    done = ring.run(ring.place(code))
    assert done.ok
    assert sum(len(log.data) for log in done.logs) <= BLOCK_GAS // 8


@pytest.mark.parametrize(("pages", "frames"), [(200, 10), (256, 8)])
def test_memory_across_nested_frames(tier: str, pages: int, frames: int) -> None:
    """Each frame grows and calls itself until the transaction's 2,048 pages are gone.

    With 200 each the eleventh starts and is told -1; with 256 each there is no page for the ninth to start with.
    """
    code = assemble(
        f"""(func (export "call")
             (if (i32.eq (memory.grow (i32.const {pages - 1})) (i32.const -1))
               (then (call $finish (i32.const 0) (i32.const 4))))
             (call $self_address (i32.const 64))
             (if (i32.eqz (call $call (i32.const 64) (i32.const 128) (i32.const 0) (i32.const 0) (i64.const -1)
                                      (i32.const 1)))
               (then (drop (call $returndata_copy (i32.const 0) (i32.const 0) (i32.const 4)))))
             (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
             (call $finish (i32.const 0) (i32.const 4)))""",
        "self_address", "call", "returndata_copy", "finish", pages="1 256",
    )  # fmt: skip
    ring = Ring(tier)
    assert ring.rules.limits.live_pages == 2_048
    done = ring.run(ring.place(code))
    assert done.ok
    assert number(done.output) == frames


def test_memory_that_frames_start_with(tier: str) -> None:
    """A frame whose first pages are not to be had traps; its caller goes on, and ended frames give theirs back."""
    code = assemble(
        """(func (export "call") (local $status i32)
             (call $self_address (i32.const 64))
             (local.set $status
               (call $call (i32.const 64) (i32.const 128) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 1)))
             (drop (call $returndata_copy (i32.const 0) (i32.const 0) (i32.const 8)))
             (if (local.get $status) (then (i32.store (i32.const 4) (local.get $status))))
             (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
             (call $finish (i32.const 0) (i32.const 8)))""",
        "self_address", "call", "returndata_copy", "finish", pages="100",
    )  # fmt: skip
    ring = Ring(tier)
    address = ring.place(code)
    for _ in range(2):
        done = ring.run(address)
        assert done.ok
        depth, status = number(done.output[:4]), number(done.output[4:])
        assert (depth, status) == (ring.rules.limits.live_pages // 100, Status.TRAP)


def test_memory_given_back_between_calls(tier: str) -> None:
    """A hundred calls one after the other, 256 pages each: never more than 257 at once."""
    grows = assemble(
        '(func (export "call") (if (i32.eq (memory.grow (i32.const 255)) (i32.const -1)) (then unreachable)))',
        pages="1 256",
    )
    ring = Ring(tier)
    target = ring.place(grows)
    address = "".join(f"\\{byte:02x}" for byte in target)
    many = assemble(
        f"""(data (i32.const 0) "{address}")
           (func (export "call") (local $i i32)
             (loop $again
               (if (call $call (i32.const 0) (i32.const 64) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 0))
                 (then unreachable))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $i) (i32.const 20)))))""",
        "call",
    )
    assert ring.run(ring.place(many)).ok
    assert ring.machine.entered == 21


def test_output_in_a_loop(tier: str) -> None:
    """A callee that reverts with a megabyte pays for its words, and only the last output is held."""
    bomb = assemble('(func (export "call") (call $revert (i32.const 0) (i32.const 1048576)))', "revert", pages="16")
    over = assemble('(func (export "call") (call $revert (i32.const 0) (i32.const 1048577)))', "revert", pages="17")
    ring = Ring(tier)
    done = ring.run(ring.place(bomb))
    assert (done.status, len(done.output)) == (Status.REVERT, 1 << 20)
    assert done.gas_used >= 21_000 + 3 * (1 << 15)
    done = ring.run(ring.place(over))
    assert done.trap is not None
    assert done.trap.code is TrapCode.HOST_ARGUMENT


class KeysBelow(Nothing):
    """A base on which every account has the same keys; counts how often the next one is sought."""

    __slots__ = ("keys", "seeks")

    def __init__(self) -> None:
        super().__init__(keccak_function())
        self.keys: list[bytes] = []
        self.seeks = 0

    def storage(self, address: bytes, key: bytes) -> bytes:
        return b"v" if key in self.keys else b""

    def next_key(
        self, address: bytes, key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool = False
    ) -> bytes | None:
        assert not reverse
        self.seeks += 1
        place = (bisect_left if inclusive else bisect_right)(self.keys, key or b"")
        found = self.keys[place] if place < len(self.keys) else None
        return found if found is None or stop is None or found < stop else None


def test_iterators_over_removed_keys(tier: str) -> None:
    """A thousand keys removed in this transaction, then sought past a thousand times: one price each, one hop each."""
    code = assemble(
        """(func $key (param $i i32) (i32.store (i32.const 0) (local.get $i)))
           (func (export "call") (local $i i32) (local $h i32) (local $n i32)
             (loop $fill
               (call $key (local.get $i))
               (call $storage_set (i32.const 0) (i32.const 4) (i32.const 16) (i32.const 1))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $fill (i32.lt_u (local.get $i) (i32.const 300))))
             (local.set $i (i32.const 1))
             (loop $empty
               (call $key (local.get $i))
               (drop (call $storage_remove (i32.const 0) (i32.const 4)))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $empty (i32.lt_u (local.get $i) (i32.const 300))))
             (local.set $i (i32.const 0))
             (loop $seek
               (local.set $h (call $iter_open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
               (local.set $n (i32.add (local.get $n) (call $iter_next (local.get $h))))
               (local.set $n (i32.add (local.get $n) (call $iter_next (local.get $h))))
               (call $iter_close (local.get $h))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $seek (i32.lt_u (local.get $i) (i32.const 300))))
             (i32.store (i32.const 0) (local.get $n))
             (call $finish (i32.const 0) (i32.const 4)))
           (data (i32.const 16) "v")""",
        "storage_set", "storage_remove", "iter_open", "iter_next", "iter_close", "finish",
    )  # fmt: skip
    ring = Ring(tier)
    done = ring.run(ring.place(code))
    assert done.ok
    assert number(done.output) == 300


def test_removed_keys_of_the_state_below(tier: str) -> None:
    """The same where the removed keys lie in an earlier block's state: one seek a step, not one a key."""
    code = assemble(
        """(func (export "call") (local $i i32) (local $h i32) (local $n i32)
             (loop $empty
               (i32.store (i32.const 0) (local.get $i))
               (drop (call $storage_remove (i32.const 0) (i32.const 4)))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $empty (i32.lt_u (local.get $i) (i32.const 300))))
             (local.set $h (call $iter_open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
             (local.set $i (i32.const 0))
             (loop $seek
               (local.set $n (i32.add (local.get $n) (call $iter_next (local.get $h))))
               (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $seek (i32.lt_u (local.get $i) (i32.const 100))))
             (i32.store (i32.const 0) (local.get $n))
             (call $finish (i32.const 0) (i32.const 4)))""",
        "storage_remove", "iter_open", "iter_next", "finish",
    )  # fmt: skip
    base = KeysBelow()
    ring = Ring(tier, World(base))
    address = ring.place(code)
    base.keys = sorted(i.to_bytes(4, "little") for i in range(300))
    done = ring.run(address)
    assert done.ok
    assert number(done.output) == 0
    assert base.seeks <= 4 * 100


@pytest.mark.parametrize("end", ["", "unreachable"])
def test_ended_frames_hold_no_memory(tier: str, end: str) -> None:
    """Outcomes are kept until their block is sealed; the memories behind them must be gone without a collector."""
    code = assemble(f'(func (export "call") (drop (memory.grow (i32.const 255))) {end})', pages="1 256")
    ring = Ring(tier)
    address = ring.place(code)
    ring.run(address)
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = [ring.run(address) for _ in range(8)]
        held = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    assert {done.status for done in kept} == {Status.TRAP if end else Status.OK}
    assert held < 1 << 20


def test_frames_within_frames_hold_no_memory(tier: str) -> None:
    """Instances are cycles and may wait long for the collector; their megabytes do not wait with them."""
    code = assemble(
        """(func (export "call")
             (call $self_address (i32.const 64))
             (if (i32.eqz (call $input_size))
               (then (drop (call $call
                 (i32.const 64) (i32.const 128) (i32.const 0) (i32.const 1) (i64.const -1) (i32.const 1))))))""",
        "self_address", "input_size", "call", pages="16",
    )  # fmt: skip
    ring = Ring(tier)
    address = ring.place(code)
    gc.collect()
    others = {id(thing) for thing in gc.get_objects() if isinstance(thing, Memory)}
    gc.disable()
    try:
        for _ in range(5):
            assert ring.run(address).ok
        held = [len(m.data) for m in gc.get_objects() if isinstance(m, Memory) and id(m) not in others]
    finally:
        gc.enable()
    assert len(held) >= 5, "ten frames ran, and the collector did not"
    assert sum(held) <= 16 * PAGE
