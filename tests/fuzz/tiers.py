"""Runs a case on one of our tiers, the portable one in either of its forms.

Never: lets an engine's crash end the fuzzing; a crash is a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from contractvm.errors import Fatal, ModuleError, OutOfGas, Trap, TrapCode
from contractvm.wasm import pystructured
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Extern, Func, Global, HostFunction, Memory, Table
from contractvm.wasm.instance import Instance
from contractvm.wasm.module import GlobalType
from gas.meter import Meter
from tests.fuzz.generate import HOST_FUNCTIONS, HOST_GLOBALS, HOST_MODULE, REFUEL, Case
from tests.fuzz.host import Host, HostRefusal
from tests.fuzz.outcome import NULL, OK, OUT_OF_GAS, REFERENCE, Step, Value
from tests.spec.script import CRASHES
from tests.tiers import HERE

STATES = "portable-states"
"""The portable tier with every function as a state machine, the form it keeps for nesting too deep for CPython."""
WAYS = (*HERE, STATES)


PLENTY = 1 << 40
"""Milligas for a call that is no case."""


@contextmanager
def way(name: str) -> Iterator[str]:
    """Set up a way of running and give its tier."""
    if name == STATES:
        with patch.object(pystructured, "MAX_LOOPS", -1):
            yield "portable"
    else:
        yield name


def run_tier(case: Case, name: str) -> list[Step]:
    """The steps of a case on one of `WAYS`; fewer than its calls when instantiation fails."""
    with way(name) as tier:
        return _run(case, tier)


def _run(case: Case, tier: str) -> list[Step]:
    engine, meter, host = Engine(case.rules, tier), Meter(case.gas), Host()
    instances: list[Instance] = []

    def instantiate() -> list[object]:
        instances.append(engine.instantiate(engine.load(case.wasm), imports(host), meter))
        return []

    steps = [_step(instantiate, meter, host, instances)]
    if not instances:
        return steps
    for (name, arguments), milligas in zip(case.calls, case.milligas, strict=True):
        refuel(engine, instances[0])
        meter.left = milligas
        steps.append(_step(partial(engine.invoke, instances[0], name, arguments), meter, host, instances))
    return steps


def refuel(engine: Engine, instance: Instance) -> None:
    """Let a guarded module go on, whatever it has used."""
    if REFUEL in instance.exports:
        instance.meter.left = PLENTY
        engine.invoke(instance, REFUEL)


def imports(host: Host) -> dict[tuple[str, str], Extern]:
    """The host's externs for our engine."""
    found: dict[tuple[str, str], Extern] = {
        (HOST_MODULE, name): HostFunction(HOST_FUNCTIONS[name], _trapping(function))
        for name, function in host.functions().items()
    }
    for name, (type_, value) in HOST_GLOBALS.items():
        found[HOST_MODULE, name] = Global(GlobalType(type_, False), value)
    return found


def _trapping(function: Callable[..., object]) -> Callable[..., object]:
    """The same function, refusing with our trap."""

    def call(*operands: int) -> object:
        try:
            return function(*operands)
        except HostRefusal:
            raise Trap(TrapCode.HOST_ARGUMENT) from None

    return call


def _step(action: Callable[[], list[object]], meter: Meter, host: Host, instances: list[Instance]) -> Step:
    before = meter.left
    results: tuple[Value, ...] = ()
    place: tuple[int | None, int | None] | None = None
    backtrace: tuple[tuple[int | None, int | None], ...] = ()
    milligas: int | None = None
    try:
        results = tuple(map(_value, action()))
        end = OK
        milligas = before - meter.left
    except Trap as trap:
        end = str(trap.code)
        place = (trap.place.function, trap.place.offset) if trap.place is not None else None
        backtrace = tuple((place.function, place.offset) for place in trap.backtrace)
        milligas = before - meter.left
    except OutOfGas:
        end = OUT_OF_GAS
    except (ModuleError, Fatal, *CRASHES) as error:
        end = f"{type(error).__name__}: {error}"
    log = tuple(host.log)
    host.log.clear()
    if not instances:
        return Step(end, results, place, backtrace, milligas, log=log)
    memory, globals_, tables = _state(instances[0])
    return Step(end, results, place, backtrace, milligas, memory, globals_, tables, log)


def _state(instance: Instance) -> tuple[str, tuple[Value, ...], tuple[tuple[Value, ...], ...]]:
    """What the instance holds, by its exports."""
    memory = ""
    globals_: list[Value] = []
    tables: list[tuple[Value, ...]] = []
    for extern in instance.exports.values():
        if isinstance(extern, Memory):
            memory = digest(bytes(extern.data))
        elif isinstance(extern, Global):
            globals_.append(_value(extern.value))
        elif isinstance(extern, Table):
            tables.append(tuple(map(_value, extern.entries)))
    return memory, tuple(globals_), tuple(tables)


def digest(memory: bytes) -> str:
    """A memory's length and a short digest of it."""
    return f"{len(memory)} bytes, sha256 {hashlib.sha256(memory).hexdigest()[:16]}"


def _value(value: object) -> Value:
    if isinstance(value, int):
        return value
    if isinstance(value, Func):
        return f"function {value.index}"
    return NULL if value is None else REFERENCE
