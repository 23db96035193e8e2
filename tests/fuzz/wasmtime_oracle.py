"""Runs a case on wasmtime: the same steps, with fuel in place of gas. A test-only dependency.

What wasmtime cannot know is left out (gas) or made alike (which function a reference is). Never: imported by anything
but the fuzzer and its tests.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import wasmtime
from wasmtime import TrapCode

from contractvm.wasm.module import I32, I64, TYPE_NAMES, FuncType
from tests.fuzz.generate import HOST_FUNCTIONS, HOST_GLOBALS, HOST_MODULE, REFUEL, Case
from tests.fuzz.host import Host, HostRefusal
from tests.fuzz.outcome import EXHAUSTED, HOST_TRAP, NULL, OK, OUT_OF_GAS, REFERENCE, State, Step, Value
from tests.fuzz.tiers import holding

FUEL = 2_000_000
"""Instructions of a step: above what the gas of any generated case buys."""

TRAPS = {
    TrapCode.STACK_OVERFLOW: EXHAUSTED,
    TrapCode.MEMORY_OUT_OF_BOUNDS: "out of bounds memory access",
    TrapCode.TABLE_OUT_OF_BOUNDS: "out of bounds table access",
    TrapCode.INDIRECT_CALL_TO_NULL: "uninitialized element",
    TrapCode.BAD_SIGNATURE: "indirect call type mismatch",
    TrapCode.INTEGER_OVERFLOW: "integer overflow",
    TrapCode.INTEGER_DIVISION_BY_ZERO: "integer divide by zero",
    TrapCode.UNREACHABLE: "unreachable",
    TrapCode.OUT_OF_FUEL: OUT_OF_GAS,
}
MASKS = {"i32": (1 << 32) - 1, "i64": (1 << 64) - 1}


@cache
def engine() -> wasmtime.Engine:
    """One engine with the profile's features and fuel; no code is cached on disk."""
    config = wasmtime.Config()
    config.consume_fuel = True
    config.wasm_tail_call = True
    config.wasm_wide_arithmetic = True
    config.cranelift_opt_level = "none"
    return wasmtime.Engine(config)


class Wasmtime:
    """A case's module on wasmtime."""

    def __init__(self, case: Case) -> None:
        self.module = wasmtime.Module(engine(), case.wasm)
        self.exports: Mapping[str, Any] = {}
        self._externs: list[Any] = []

    def start(self) -> Step:
        """Make a fresh instance. The step is without a state."""
        self.store = wasmtime.Store(engine())
        self.store.set_fuel(FUEL)
        self.host = Host()
        self.exports, self._externs = {}, []
        return self._step(self._instantiate, ())

    def _instantiate(self) -> None:
        instance = wasmtime.Instance(self.store, self.module, _imports(self.store, self.module, self.host))
        exports = instance.exports(self.store)
        self.exports = {export.name: exports[export.name] for export in self.module.exports if export.name is not None}

    def call(self, name: str, operands: Sequence[int]) -> Step:
        """Call an export of the instance, with its fuel full. The step is without a state."""
        if REFUEL in self.exports:
            self.store.set_fuel(FUEL)
            self.exports[REFUEL](self.store)
        self.store.set_fuel(FUEL)
        function = self.exports[name]
        type_ = function.type(self.store)
        signed = [_signed(a, str(t)) for a, t in zip(operands, type_.params, strict=True)]
        return self._step(partial(function, self.store, *signed), [str(t) for t in type_.results])

    def _step(self, action: Callable[[], Any], types: Sequence[str]) -> Step:
        results: tuple[Value, ...] = ()
        place: tuple[int | None, int | None] | None = None
        try:
            got = action()
            values = list(got) if isinstance(got, (list, tuple)) else [got]
            results = tuple(_value(v, t) for v, t in zip(values, types, strict=False))
            end = OK
        except wasmtime.Trap as trap:
            code = trap.trap_code
            end = str(code) if code is None else TRAPS.get(code, str(code))
            frames = trap.frames
            place = (frames[0].func_index, frames[0].module_offset) if frames else None
        except HostRefusal:
            end = HOST_TRAP
        log = tuple(self.host.log)
        self.host.log.clear()
        return Step(end, results, place, log=log)

    def state(self) -> State:
        """What the instance's exports hold."""
        memory = b""
        globals_: list[Value] = []
        tables: list[tuple[Value, ...]] = []
        for extern in self.exports.values():
            if isinstance(extern, wasmtime.Memory):
                memory = ctypes.string_at(extern.data_ptr(self.store), extern.data_len(self.store))
            elif isinstance(extern, wasmtime.Global):
                globals_.append(_value(extern.value(self.store), str(extern.type(self.store).content)))
            elif isinstance(extern, wasmtime.Table):
                entries = (extern.get(self.store, i) for i in range(extern.size(self.store)))
                tables.append(tuple(map(_reference, entries)))
        return memory, tuple(globals_), tuple(tables)


def run_wasmtime(case: Case) -> list[Step]:
    """The steps of a case; fewer than its calls when instantiation fails."""
    running = Wasmtime(case)
    steps = [holding(running.start(), running.state())]
    for name, operands in case.calls if running.exports else ():
        steps.append(holding(running.call(name, operands), running.state()))
    return steps


def _signed(value: int, type_: str) -> int:
    bits = MASKS[type_].bit_length()
    return value - (1 << bits) if value >> (bits - 1) else value


def _value_type(code: int) -> wasmtime.ValType:
    kinds = {"i32": wasmtime.ValType.i32, "i64": wasmtime.ValType.i64, "externref": wasmtime.ValType.externref}
    found: wasmtime.ValType = kinds[TYPE_NAMES[code]]()
    return found


def _imports(store: wasmtime.Store, module: wasmtime.Module, host: Host) -> list[Any]:
    functions = host.functions()
    found: list[Any] = []
    for wanted in module.imports:
        assert wanted.module == HOST_MODULE
        assert wanted.name is not None
        if wanted.name in HOST_GLOBALS:
            code, value = HOST_GLOBALS[wanted.name]
            type_ = wasmtime.GlobalType(_value_type(code), False)
            make = wasmtime.Val.i32 if code == I32 else wasmtime.Val.i64
            found.append(wasmtime.Global(store, type_, make(value)))
        else:
            found.append(_function(store, HOST_FUNCTIONS[wanted.name], functions[wanted.name]))
    return found


def _function(store: wasmtime.Store, type_: FuncType, function: Callable[..., object]) -> wasmtime.Func:
    masks = [MASKS[TYPE_NAMES[code]] for code in type_.params]

    def call(*operands: int) -> object:
        result = function(*(value & mask for value, mask in zip(operands, masks, strict=True)))
        if isinstance(result, tuple):
            return [_back(value, code) for value, code in zip(result, type_.results, strict=True)]
        return _back(result, type_.results[0]) if type_.results else None

    params, results = ([_value_type(code) for code in codes] for codes in (type_.params, type_.results))
    return wasmtime.Func(store, wasmtime.FuncType(params, results), call)


def _back(value: object, code: int) -> object:
    return _signed(value, TYPE_NAMES[code]) if isinstance(value, int) and code in (I32, I64) else value


def _value(value: object, type_: str) -> Value:
    if type_ in MASKS:
        assert isinstance(value, int)
        return value & MASKS[type_]
    return _reference(value)


def _reference(value: object) -> Value:
    """Null comes as None or as a `Val` around None."""
    inner = value.value if isinstance(value, wasmtime.Val) else value
    return NULL if inner is None else REFERENCE
