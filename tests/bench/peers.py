"""The engines compared, behind one interface: our tiers, wasmtime with fuel, pywasm, machine code of C compilers.

Each is handed the same module and gives back a call of one export; loading and compiling lie outside what is timed.
Never: measures.
"""

from __future__ import annotations

import ctypes
import io
from collections.abc import Callable
from dataclasses import dataclass

from contractvm.rules import bare_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.engine import Engine
from contractvm.wasm.module import FUNC, I64
from tests.bench.compile import BenchError

Program = Callable[[int], int]
"""Runs one export on a size; the result as a non-negative bit pattern."""

FUEL = 1 << 62


@dataclass(frozen=True, slots=True)
class Peer:
    """An engine under its name; `load` takes the module and an export's name."""

    name: str
    load: Callable[[bytes, str], Program]


def tier(name: str) -> Peer:
    """One of our tiers, metered. Loading raises BenchError when the module would run on another tier instead."""

    def load(wasm: bytes, export: str) -> Program:
        engine = Engine(tier=name)
        instance = engine.instantiate(engine.load(wasm))
        for refusal in engine.refusals:
            raise BenchError(f"the {name} tier refuses the module: {refusal}")

        def run(size: int) -> int:
            result: int = engine.invoke(instance, export, [size])[0]
            return result

        return run

    return Peer(name, load)


def wasmtime_with_fuel() -> Peer:
    """The optimising compiler, counting fuel as we count gas."""
    import wasmtime

    def load(wasm: bytes, export: str) -> Program:
        config = wasmtime.Config()
        config.consume_fuel = True
        engine = wasmtime.Engine(config)
        store = wasmtime.Store(engine)
        instance = wasmtime.Instance(store, wasmtime.Module(engine, wasm), [])
        function = instance.exports(store)[export]
        if not isinstance(function, wasmtime.Func):
            raise BenchError(f"the module exports no function {export}")
        bits = 32 if str(function.type(store).results[0]) == "i32" else 64

        def run(size: int) -> int:
            store.set_fuel(FUEL)
            result: int = function(store, size) & ((1 << bits) - 1)
            return result

        return run

    return Peer("wasmtime+fuel", load)


def pywasm_interpreter() -> Peer:
    """The other wasm engine in Python: one match statement over the opcodes."""
    import pywasm

    def load(wasm: bytes, export: str) -> Program:
        runtime = pywasm.core.Runtime()
        instance = runtime.instance(pywasm.core.ModuleDesc.from_reader(io.BytesIO(wasm)))
        address = next(e.data.data for e in instance.exps if e.name == export)
        bits = 32 if repr(runtime.machine.store.func[address].type.rets[0]) == "i32" else 64

        def run(size: int) -> int:
            result: int = runtime.invocate(instance, export, [size])[0] & ((1 << bits) - 1)
            return result

        return run

    return Peer("pywasm", load)


def machine_code(name: str, library: ctypes.CDLL) -> Peer:
    """The same C program, compiled for this machine; nothing is metered or checked. The module says the types."""

    def load(wasm: bytes, export: str) -> Program:
        function = getattr(library, export)
        function.argtypes = (ctypes.c_uint32,)
        function.restype = ctypes.c_uint64 if result_type(wasm, export) == I64 else ctypes.c_uint32
        return function  # type: ignore[no-any-return]

    return Peer(name, load)


def result_type(wasm: bytes, export: str) -> int:
    """The type of what an exported function returns. Raises: BenchError when there is none."""
    module = decode(wasm, bare_rules())
    for found in module.exports:
        if found.kind == FUNC and found.name == export:
            return module.signature(found.index).results[0]
    raise BenchError(f"the module exports no function {export}")


def instructions(wasm: bytes, export: str, size: int) -> int:
    """How many wasm instructions one call executes, counted by the portable tier."""
    engine = Engine(tier="portable", count=True)
    instance = engine.instantiate(engine.load(wasm))
    before = instance.instructions
    engine.invoke(instance, export, [size])
    return instance.instructions - before
