"""Calls that go as deep as they may, run side by side, run for ever, or come ten thousand times: on every tier.

What could end or block the process runs in a process of its own, and only its outcome is judged, never its time.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import pytest

from contractvm.errors import Trap, TrapCode
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Global, HostFunction
from contractvm.wasm.module import I32, FuncType
from gas.meter import Meter
from tests.sources import ROOT
from tests.threads import on_thread
from tests.tiers import HERE, NATIVE, each_tier, missing

wasmtime = pytest.importorskip("wasmtime", reason="these modules are written in WAT: pip install '.[wat]'")

PATIENCE = 120
"""Seconds after which a process that should have ended is given up."""
THREADS = 8

needs_native = pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))

# Recursion by a call, through a table that others see, through one that nobody changes, and with many results.
DEEP = """(module
  (import "m" "host" (func $host (param i32) (result i32)))
  (table $open (export "t") 1 funcref) (elem (table $open) (i32.const 0) func $open)
  (table $own 1 funcref) (elem (table $own) (i32.const 0) func $own)
  (type $t (func (param i32) (result i32)))
  (global $n (export "n") (mut i32) (i32.const 0))
  (func $count (global.set $n (i32.add (global.get $n) (i32.const 1))))
  (func $direct (export "direct") (type $t)
    (call $count) (i32.add (i32.const 1) (call $direct (local.get 0))))
  (func $open (export "open") (type $t)
    (call $count) (i32.add (i32.const 1) (call_indirect $open (type $t) (local.get 0) (i32.const 0))))
  (func $own (export "own") (type $t)
    (call $count) (i32.add (i32.const 1) (call_indirect $own (type $t) (local.get 0) (i32.const 0))))
  (func $wide (export "wide") (param i32) (result i32) (local i64 i64 i64)
    (call $count)
    (call $many (local.get 0) (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6))
    (i64.add) (i64.add) (i64.add) (drop) (local.get 0))
  (func $many (param i32 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64)
    (drop (call $wide (local.get 0)))
    (local.get 1) (local.get 2) (local.get 3) (local.get 4))
  (func (export "hosted") (type $t) (call $count) (call $host (local.get 0))))"""

SUM = """(module (memory 1 8)
  (func (export "f") (param i32) (result i64) (local i64)
    (drop (memory.grow (i32.const 1)))
    (loop $again
      (i64.store (i32.mul (i32.and (local.get 0) (i32.const 8191)) (i32.const 8)) (local.get 1))
      (local.set 1 (i64.add (local.get 1) (i64.mul (i64.extend_i32_u (local.get 0))
        (i64.load (i32.mul (i32.and (i32.shr_u (local.get 0) (i32.const 3)) (i32.const 8191)) (i32.const 8))))))
      (local.set 1 (i64.add (local.get 1) (i64.const 1)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get 1)))"""

ENDLESS = '(module (func (export "f") (loop (br 0))))'


@cache
def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def deepest(tier: str, name: str) -> tuple[object, ...]:
    """Where and how endless recursion ends."""
    engine = Engine(tier=tier)
    host = HostFunction(FuncType((I32,), (I32,)), lambda a: a)
    instance = engine.instantiate(engine.load(wat(DEEP)), {("m", "host"): host}, Meter(10**9))
    with pytest.raises(Trap) as caught:
        engine.invoke(instance, name, [0])
    trap, count = caught.value, instance.exports["n"]
    assert trap.code is TrapCode.STACK_EXHAUSTED
    assert isinstance(count, Global)
    assert engine.invoke(instance, "hosted", [7]) == [7], "the instance is as good as before"
    return count.value, instance.meter.left, trap.place, trap.backtrace


@pytest.mark.parametrize("stack_bytes", [None, 0, 256 << 10], ids=["main", "thread", "small thread"])
@pytest.mark.parametrize("name", ["direct", "open", "own", "wide"])
def test_endless_recursion_ends_at_the_same_call(name: str, stack_bytes: int | None) -> None:
    def ends() -> list[tuple[object, ...]]:
        return [deepest(tier, name) for tier in HERE]

    seen = ends() if stack_bytes is None else on_thread(stack_bytes, ends)
    assert all(one == seen[0] for one in seen)
    calls = seen[0][0]
    assert isinstance(calls, int)
    assert calls > 3_000


@each_tier()
def test_instances_side_by_side(tier: str) -> None:
    """Instances of one module in several threads do not see one another."""
    engine = Engine(tier=tier)
    compiled = engine.load(wat(SUM))

    def work(n: int) -> list[tuple[object, ...]]:
        seen: list[tuple[object, ...]] = []
        for again in range(3):
            instance = engine.instantiate(compiled, {}, Meter(10**9))
            result = engine.invoke(instance, "f", [1_000 + 300 * n + again])
            assert instance.memory is not None
            seen.append((result, instance.meter.left, hash(bytes(instance.memory.data))))
        return seen

    alone = [work(n) for n in range(THREADS)]
    together: list[list[tuple[object, ...]]] = [[] for _ in range(THREADS)]

    def note(n: int) -> None:
        together[n] = work(n)

    threads = [threading.Thread(target=note, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def python(program: str, *words: object) -> subprocess.Popen[str]:
    """A process that runs a program with words to read from `sys.argv`."""
    return subprocess.Popen(
        [sys.executable, "-u", "-c", program, *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONFAULTHANDLER": "1"},
    )


FOR_EVER = """
import sys
from pathlib import Path
from contractvm.wasm.engine import Engine

engine = Engine(tier=sys.argv[1])
instance = engine.instantiate(engine.load(Path(sys.argv[2]).read_bytes()))
print("ready")
try:
    engine.invoke(instance, "f")
except KeyboardInterrupt:
    print("interrupted", engine.tier, len(engine.refusals))
"""


@each_tier()
def test_an_interrupt_ends_an_endless_call(tier: str, tmp_path: Path) -> None:
    path = tmp_path / "endless.wasm"
    path.write_bytes(wat(ENDLESS))
    process = python(FOR_EVER, tier, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=PATIENCE)
    # One that comes before the call's first instruction ends the program all the same.
    assert out == f"interrupted {tier} 0\n" or (process.returncode and "KeyboardInterrupt" in errors), errors


OTHERS_RUN = """
import ctypes, sys, threading
from pathlib import Path
from contractvm.wasm.engine import Engine

engine = Engine(tier=sys.argv[1])
instance = engine.instantiate(engine.load(Path(sys.argv[2]).read_bytes()))
inside, ended = threading.Event(), []

def call():
    try:
        inside.set()
        engine.invoke(instance, "f")
    except KeyboardInterrupt:
        ended.append(instance.meter.left)

thread = threading.Thread(target=call)
before = instance.meter.left
thread.start()
inside.wait()
total = sum(range(2_000_000))
ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(KeyboardInterrupt))
thread.join()
print(total, len(ended))
"""


@each_tier()
def test_other_threads_run_beside_an_endless_call(tier: str, tmp_path: Path) -> None:
    path = tmp_path / "endless.wasm"
    path.write_bytes(wat(ENDLESS))
    out, errors = python(OTHERS_RUN, tier, path).communicate(timeout=PATIENCE)
    assert out == f"{sum(range(2_000_000))} 1\n", errors


AGAIN_AND_AGAIN = """
import gc, sys
from pathlib import Path
from contractvm.wasm.engine import Engine
from gas.meter import Meter

data, host = Path(sys.argv[1]).read_bytes(), sys.argv[2]
engine = Engine(tier="native")
shared = engine.load(data)

def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]), len(Path("/proc/self/maps").read_text().splitlines())

def some(count):
    for n in range(count):
        compiled = shared if host == "instances" else engine.load(data)
        instance = engine.instantiate(compiled, {}, Meter(10**6))
        assert engine.invoke(instance, "f", [3 + n % 5])

some(2_000)
seen = [resident()]
for _ in range(4):
    some(2_500)
    seen.append(resident())
assert not engine.refusals
print(*(min(b[n] - a[n] for a, b in zip(seen, seen[1:])) for n in range(2)))
"""


@needs_native
@pytest.mark.slow
@pytest.mark.parametrize("what", ["instances", "loads"])
def test_memory_does_not_grow(what: str, tmp_path: Path) -> None:
    """Of ten thousand instances, or loads of the module with one each, some 2,500 leave next to nothing behind.

    What leaks does so in every quarter; in the others the allocator may settle.
    """
    path = tmp_path / "sum.wasm"
    path.write_bytes(wat(SUM))
    out, errors = python(AGAIN_AND_AGAIN, path, what).communicate(timeout=PATIENCE * 5)
    assert out, errors
    pages, areas = map(int, out.split())
    assert pages < 50
    assert areas < 5
