"""Nanoseconds of the host functions that compiled code serves itself: the record behind `env.*` and `frame.end`.

`python -m tests.bench.host` shows them. A contract calls the function in a loop on the native tier; the time of the
same loop without it is taken off. Ending a frame is timed as frames of a contract that only ends, less those of one
that only returns. Never: asserts a time.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

import wasmtime

from contractvm.crypto import keccak256
from contractvm.errors import Revert
from contractvm.host import HOST, HostRow, How
from contractvm.rules import contract_rules
from contractvm.wasm.machine import WasmMachine
from tests.bench.report import Row
from tests.contractvm.host.rig import rig
from tests.tiers import NATIVE, missing

LOOPS, FRAMES, ROUNDS = 200_000, 1_000, 25
INPUT_BYTES = 1_000
COPIES = (0, 4, 32, 68, 1_000)
_WASM = {"i": "i32", "I": "i64"}


def run() -> list[Row]:
    """One row a function and length; nothing, with the reason said, where the native tier is missing."""
    if (reason := missing(NATIVE)) is not None:
        print(f"left out, native host functions: {reason}", file=sys.stderr)
        return []
    empty = _loop(None, ())
    rows = []
    for row in HOST:
        if row.native in (How.FINISH, How.REVERT):
            rows += [_row(row, f"{size} bytes", _frame(row, size) - _frame(None, 0), size) for size in COPIES[1:]]
        elif row.native is How.COPY and row.fact == "input":
            rows += [_row(row, f"{size} bytes", _loop(row, (0x4000, 0, size)) - empty, size) for size in COPIES]
        elif row.native is not None:
            rows.append(_row(row, "", _loop(row, (0x4000, 0, 32)[: len(row.params)]) - empty, 0))
    return rows


def _row(row: HostRow, note: str, nanoseconds: float, size: int) -> Row:
    milli = contract_rules().schedule.milli
    gas = (milli(row.price) + sum(map(milli, row.also)) * ((size + 31) >> 5)) / 1000
    return Row(f"native {row.name} {note}".strip(), nanoseconds, "ns", "price in gas", gas)


def _import(row: HostRow) -> str:
    params, results = (" ".join(_WASM[kind] for kind in kinds) for kinds in (row.params, row.results))
    return f'(import "cvm1" "{row.name}" (func $row (param {params}) (result {results})))'


def _loop(row: HostRow | None, arguments: tuple[int, ...]) -> float:
    """Nanoseconds of one turn."""
    given = " ".join(f"(i32.const {n})" for n in arguments)
    call = "" if row is None else f"(call $row {given})"
    if row is not None and row.results:
        call = f"(drop {call})"
    code = f"""(module {_import(row) if row is not None else ""} (memory (export "memory") 1)
      (func (export "call") (local i32)
        (local.set 0 (i32.const {LOOPS}))
        (loop {call} (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"""
    return _nanoseconds(code, 1) / LOOPS


def _frame(row: HostRow | None, size: int) -> float:
    """Nanoseconds of a frame."""
    call = "" if row is None else f"(call $row (i32.const 0) (i32.const {size}))"
    head = "" if row is None else _import(row)
    return _nanoseconds(f'(module {head} (memory (export "memory") 1) (func (export "call") {call}))', FRAMES) / FRAMES


def _nanoseconds(source: str, frames: int) -> float:
    """The best of several rounds of so many frames."""
    code = bytes(wasmtime.wat2wasm(source))
    machine, hash_ = WasmMachine(NATIVE), keccak256(code)
    best = float("inf")
    for _ in range(ROUNDS + 1):
        hosts = [rig(gas=1 << 45, data=bytes(INPUT_BYTES)).host for _ in range(frames)]
        for host in hosts:
            host.world.warm_address(hash_)
        started = time.perf_counter_ns()
        for host in hosts:
            with suppress(Revert):
                machine.run(code, hash_, "call", host)
        best = min(best, time.perf_counter_ns() - started)
    return best
