"""What crossing into native code and out of it costs, beside a Python function's call and beside wasmtime's.

Four crossings: an export called from Python, a host function called from wasm, an instance made afresh, a contract's
frame. A Python call has the same arity; the loop of `timeit` is in both. Never: computes anything worth its time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import wasmtime

from contractvm.crypto import keccak256
from contractvm.rules import contract_rules
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Extern, Func, HostFunction
from contractvm.wasm.instance import Instance
from contractvm.wasm.machine import WasmMachine
from contractvm.wasm.module import I32, FuncType
from gas.meter import Meter
from tests.bench.compile import BenchError
from tests.bench.report import Row
from tests.bench.timing import REPEATS, statements
from tests.contractvm.host.rig import rig

UNIT = "us"
TURNS = 10_000
"""Host calls in one call of the loop."""
PEER = "wasmtime"
PYTHON = "a Python function"
HUNDREDS = "hundreds of times"
GAS = 1 << 40

MODULE = """
(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (memory (export "memory") 2)
  (table 2 funcref)
  (elem (i32.const 0) func $noop $host)
  (global $turns (mut i32) (i32.const 0))
  (data (i32.const 1024) "an instance has something to begin with")
  (func $noop (export "noop") (param i32) (result i32) (local.get 0))
  (func (export "loop") (param $n i32) (result i32) (local $x i32)
    (loop $again
      (local.set $x (call $host (local.get $x)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $x))
  (func (export "touch") (param $n i32) (result i32)
    (i32.store (i32.const 0) (local.get $n))
    (i32.store (i32.const 65536) (local.get $n))
    (global.set $turns (local.get $n))
    (i32.load (i32.const 65536))))
"""
CONTRACT = """
(module
  (memory (export "memory") 2)
  (global $turns (mut i32) (i32.const 0))
  (data (i32.const 1024) "a contract has something to begin with")
  (func (export "call")
    (i32.store (i32.const 0) (i32.const 1))
    (global.set $turns (i32.const 1))))
"""


def host(x: int) -> int:
    """A host function that does next to nothing."""
    return x


def same_arity(x: int, weight: int) -> int:
    """What calling a Python function as an export is called costs."""
    return x


STATEMENTS = {
    "export": "export(1, weight)",
    "python": "python(1, weight)",
    "invoke": "invoke(1)",
    "peer_export": "peer_export(1)",
    "loop": f"loop({TURNS}, weight)",
    "host": "host(1)",
    "peer_loop": f"peer_loop({TURNS})",
    "fresh": "fresh()",
    "peer_fresh": "peer_fresh()",
    "touched": "touched()",
    "peer_touched": "peer_touched()",
    "frame": "frame()",
}
"""What is timed, by the names that `prepare` gives."""


def run(own: str = "native", *, repeats: int = REPEATS) -> list[Row]:
    """Measure. Raises: BenchError when an engine does not answer what is expected."""
    took = {name: seconds * 1e6 for name, seconds in statements(STATEMENTS, prepare(own), repeats).items()}
    into, out, peer_out = took["export"], took["loop"] / TURNS, took["peer_loop"] / TURNS
    return [
        Row(f"a call of an export, {own}", into, UNIT, PYTHON, took["python"], "<= 0.1 us over it"),
        Row(f"a call of an export, {own}", into, UNIT, PEER, took["peer_export"], HUNDREDS),
        Row(f"the same by Engine.invoke, {own}", took["invoke"], UNIT, PEER, took["peer_export"]),
        Row(f"a host import from a loop, {own}", out, UNIT, "the host function", took["host"], "<= 0.15 us over it"),
        Row(f"a host import from a loop, {own}", out, UNIT, PEER, peer_out, HUNDREDS),
        Row(f"a fresh instance, {own}", took["fresh"], UNIT, PEER, took["peer_fresh"], "<= 10 us"),
        Row(f"the same, called, 2 pages touched, {own}", took["touched"], UNIT, PEER, took["peer_touched"]),
        Row(f"a frame of a contract, {own}", took["frame"], UNIT, PEER, took["peer_touched"], "<= 10 us"),
    ]


def prepare(own: str) -> dict[str, Any]:
    """Both sides by the names of the statements. Raises: BenchError when they do not answer the same."""
    wasm = bytes(wasmtime.wat2wasm(MODULE))
    engine = Engine(tier=own)
    compiled = engine.load(wasm)
    offered: dict[tuple[str, str], Extern] = {("env", "host"): HostFunction(FuncType((I32,), (I32,)), host)}
    meter, frame = Meter(GAS), _frame(own)
    instance = engine.instantiate(compiled, offered, meter)

    def touched() -> Any:
        return engine.invoke(engine.instantiate(compiled, offered, meter), "touch", [7])[0]

    for refusal in engine.refusals:
        raise BenchError(f"the {own} tier refuses the module of the boundary: {refusal}")
    peers = _wasmtime(wasm)
    asked = (("noop", 3), ("loop", 3))
    answers = [engine.invoke(instance, name, [x])[0] for name, x in asked] + [touched(), frame()]
    expected = [peers["peer_export"](3), peers["peer_loop"](3), peers["peer_touched"](), b""]
    if answers != expected:
        raise BenchError(f"at the boundary {own} answers {answers}, {PEER} {expected}")
    return peers | {
        "export": _entry(instance, "noop"),
        "loop": _entry(instance, "loop"),
        "invoke": lambda x: engine.invoke(instance, "noop", [x]),
        "fresh": lambda: engine.instantiate(compiled, offered, meter),
        "touched": touched,
        "frame": frame,
        "python": same_arity,
        "host": host,
        "weight": engine.rules.limits.stack_weight,
    }


def _entry(instance: Instance, name: str) -> Callable[..., Any]:
    """How an export is entered once it has been called."""
    function = instance.exports[name]
    if not isinstance(function, Func):
        raise BenchError(f"the module of the boundary exports no function {name}")
    return function.call


def _wasmtime(wasm: bytes) -> dict[str, Callable[..., Any]]:
    """The same on wasmtime with fuel, from Python."""
    config = wasmtime.Config()
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    module = wasmtime.Module(engine, wasm)
    type_ = wasmtime.FuncType([wasmtime.ValType.i32()], [wasmtime.ValType.i32()])

    def fresh() -> tuple[wasmtime.Store, wasmtime.Instance]:
        store = wasmtime.Store(engine)
        store.set_fuel(GAS)
        return store, wasmtime.Instance(store, module, [wasmtime.Func(store, type_, host)])

    def exported(store: wasmtime.Store, instance: wasmtime.Instance, name: str) -> Callable[..., Any]:
        function = instance.exports(store)[name]
        if not isinstance(function, wasmtime.Func):
            raise BenchError(f"the module of the boundary exports no function {name}")
        return lambda x: function(store, x)

    def touched() -> object:
        return exported(*fresh(), "touch")(7)

    store, instance = fresh()
    return {
        "peer_export": exported(store, instance, "noop"),
        "peer_loop": exported(store, instance, "loop"),
        "peer_fresh": fresh,
        "peer_touched": touched,
    }


def _frame(own: str) -> Callable[[], object]:
    """A contract's call that writes a word and a global, in the instance that waited for it."""
    code = bytes(wasmtime.wat2wasm(CONTRACT))
    machine, frame = WasmMachine(own), rig(gas=GAS)
    machine.check(code, contract_rules())
    code_hash = keccak256(code)
    return lambda: machine.run(code, code_hash, "call", frame.host)
