"""A frame finds its instance as if new, whatever earlier frames of its contract did to it and however they ended."""

from __future__ import annotations

import pytest
import wasmtime

from contractvm.chain import Chain
from contractvm.devaccounts import dev_accounts
from contractvm.errors import TrapCode
from contractvm.execute import Message
from contractvm.genesis import Genesis
from contractvm.machine import Status
from contractvm.types import Address
from contractvm.wasm import runner
from contractvm.wasm.machine import WasmMachine
from state.store import MemoryStore
from tests.tiers import each_tier

# Answers with a byte of fresh memory, of a data segment, the size of memory, a mutable global, whether a table entry is
# null, its function's answer, and whether the passive segment is still there; then changes all of it and ends as the
# first byte of input says.
DIRTY = """(module
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
  (import "cvm1" "gas_left" (func $gas (result i64)))
  (memory (export "memory") 1 4)
  (table 4 4 funcref)
  (elem (i32.const 1) $nine)
  (elem $later func $eight)
  (global $g (mut i32) (i32.const 77))
  (data (i32.const 500) "abc")
  (data $once "zz")
  (func $nine (result i32) (i32.const 9))
  (func $eight (result i32) (i32.const 8))
  (func (export "call")
    (drop (call $input (i32.const 100) (i32.const 0) (i32.const 1)))
    (i32.store8 (i32.const 0) (i32.load8_u (i32.const 1000)))
    (i32.store8 (i32.const 1) (i32.load8_u (i32.const 501)))
    (i32.store8 (i32.const 2) (memory.size))
    (i32.store8 (i32.const 3) (global.get $g))
    (i32.store8 (i32.const 4) (ref.is_null (table.get 0 (i32.const 2))))
    (i32.store8 (i32.const 5) (call_indirect (result i32) (i32.const 1)))
    (memory.init $once (i32.const 6) (i32.const 0) (i32.const 2))
    (i32.store8 (i32.const 1000) (i32.const 255))
    (i32.store8 (i32.const 501) (i32.const 255))
    (i32.store8 (i32.const 65535) (i32.const 255))
    (drop (memory.grow (i32.const 2)))
    (i32.store8 (i32.const 131072) (i32.const 255))
    (global.set $g (i32.const 1))
    (table.set 0 (i32.const 2) (ref.func $nine))
    (table.init 0 $later (i32.const 1) (i32.const 0) (i32.const 1))
    (elem.drop $later)
    (data.drop $once)
    (if (i32.eq (i32.load8_u (i32.const 100)) (i32.const 1)) (then (call $revert (i32.const 0) (i32.const 8))))
    (if (i32.eq (i32.load8_u (i32.const 100)) (i32.const 2)) (then (unreachable)))
    (if (i32.eq (i32.load8_u (i32.const 100)) (i32.const 3)) (then (loop (br 0))))
    (call $finish (i32.const 0) (i32.const 8))))"""

FRESH = bytes([0, ord("b"), 1, 77, 1, 9, ord("z"), ord("z")])


def place_code(chain: Chain, address: Address, code: bytes) -> None:
    """Put accepted code at an address, as a block of its own."""
    chain.executor.check_code(code)
    chain.edit(lambda world: world.set_code(address, code))


@each_tier()
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_nothing_of_a_frame_is_left_for_the_next(tier: str, before: int) -> None:
    code = bytes(wasmtime.wat2wasm(DIRTY))
    sender = dev_accounts()[0].address
    with Chain(MemoryStore(), Genesis(), machines=[WasmMachine(tier)]) as chain:
        created = Address(b"\x11" * 20)
        place_code(chain, created, code)
        first = chain.call(Message(sender=sender, to=created, data=b"\0", gas_limit=400_000))
        assert (first.status, first.output) == (Status.OK, FRESH)
        ended = chain.call(Message(sender=sender, to=created, data=bytes([before]), gas_limit=400_000))
        assert ended.status is (Status.OK, Status.REVERT, Status.TRAP, Status.OUT_OF_GAS)[before]
        if before == 2:
            assert ended.trap is not None
            assert ended.trap.code is TrapCode.UNREACHABLE
        again = chain.call(Message(sender=sender, to=created, data=b"\0", gas_limit=400_000))
        assert (again.status, again.output, again.gas_used) == (Status.OK, FRESH, first.gas_used)


def test_waiting_instances_hold_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "IDLE_PAGES", 6)
    machine = WasmMachine()
    sender = dev_accounts()[0].address
    with Chain(MemoryStore(), Genesis(), machines=[machine]) as chain:
        for number in range(5):
            source = f'(module (memory (export "memory") 2) (func (export "call") (drop (i32.const {number}))))'
            code = bytes(wasmtime.wat2wasm(source))
            place_code(chain, Address(bytes([number + 1]) * 20), code)
            message = Message(sender=sender, to=Address(bytes([number + 1]) * 20), gas_limit=400_000)
            assert chain.call(message).status is Status.OK
    assert machine.idle_pages == 6
