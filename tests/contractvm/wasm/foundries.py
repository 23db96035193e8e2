"""What the tests of the native tier's policy share: a contract, its frames, a compiler that works when it is told to.

Never: asserts anything.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import wasmtime

from contractvm.crypto import keccak256
from contractvm.errors import ContractVMError, OutOfGas, Revert, Trap
from contractvm.native.cache import ObjectCache
from contractvm.native.compiler import Compiler, Job, Result
from contractvm.wasm.foundry import Foundry
from contractvm.wasm.machine import WasmMachine
from tests.contractvm.host.rig import ME, rig

# Input: rounds of a loop (u32), then how to end: 0 answers with what storage held, 1 reverts, 2 traps, 3 never ends.
CODE = bytes(
    wasmtime.wat2wasm("""(module
  (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
  (import "cvm1" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
  (import "cvm1" "log" (func $log (param i32 i32 i32 i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (memory (export "memory") 1)
  (func $spin (param $rounds i32)
    (loop $again
      (if (local.get $rounds) (then
        (i64.store (i32.const 64) (i64.add (i64.mul (i64.load (i32.const 64)) (i64.const 25214903917)) (i64.const 11)))
        (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
        (br $again)))))
  (func $end (param $how i32)
    (if (i32.eq (local.get $how) (i32.const 1)) (then (call $revert (i32.const 64) (i32.const 8))))
    (if (i32.eq (local.get $how) (i32.const 2)) (then unreachable))
    (if (i32.eq (local.get $how) (i32.const 3)) (then (loop (br 0)))))
  (func (export "call")
    (drop (call $input (i32.const 0) (i32.const 0) (i32.const 5)))
    (drop (call $get (i32.const 200) (i32.const 1) (i32.const 64) (i32.const 8)))
    (call $spin (i32.load (i32.const 0)))
    (call $set (i32.const 200) (i32.const 1) (i32.const 64) (i32.const 8))
    (call $log (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 8))
    (call $end (i32.load8_u (i32.const 4)))
    (call $finish (i32.const 64) (i32.const 8))))""")
)
ANSWER, REVERT, TRAP, FOREVER = range(4)

# A tail call through a table that changes: compiled code cannot make it.
DECLINES = "tests.contractvm.native.generators:decline"
"""A generator that has no native form of anything."""


def data(rounds: int = 3, end: int = ANSWER) -> bytes:
    """Input of `CODE`."""
    return rounds.to_bytes(4, "little") + bytes([end])


def frame(
    machine: WasmMachine, code: bytes = CODE, input_: bytes = data(), gas: int = 10_000_000
) -> tuple[object, ...]:
    """Run a frame of a contract on no state: how it ended, milligas left, what was stored and logged."""
    made = rig(gas=gas, data=input_)
    ended: object
    try:
        ended = machine.run(code, keccak256(code), "call", made.host)
    except Revert as revert:
        ended = ("revert", revert.data)
    except Trap as trap:
        ended = (trap.code, trap.place, trap.backtrace)
    except OutOfGas:
        return ("out of gas",)
    return ended, made.host.meter.left, made.world.storage(ME, b"\0"), made.world.logs


class Told(Compiler):
    """Compiles what was ordered when the test says `work`; `problem` is raised instead of compiling."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[tuple[Job, Callable[[Result], None] | None]] = []
        self.tries = 0
        self.problem: ContractVMError | KeyboardInterrupt | None = None

    def submit(self, job: Job, done: Callable[[Result], None] | None = None, *, urgent: bool = False) -> Future[bytes]:
        self.orders.append((job, done))
        return Future()

    def compile(self, job: Job) -> bytes:
        self.tries += 1
        if self.problem is not None:
            raise self.problem
        return super().compile(job)

    def work(self) -> None:
        """Do what was ordered."""
        waiting, self.orders = self.orders, []
        for job, done in waiting:
            try:
                result = Result(job, self.compile(job))
            except ContractVMError as problem:
                result = Result(job, problem=problem)
            if done is not None:
                done(result)


class Shop(Foundry):
    """A foundry with such a compiler, on a cache in a folder."""

    __slots__ = ("told",)

    def __init__(self, folder: Path) -> None:
        self.told = Told()
        super().__init__(ObjectCache(folder), self.told)
