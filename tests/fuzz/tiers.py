"""Runs a case on one of our tiers, the portable one in either of its forms.

Never: lets an engine's crash end the fuzzing; a crash is a finding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from contractvm.errors import Fatal, ModuleError, OutOfGas, Trap, TrapCode
from contractvm.wasm import pystructured
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Extern, Func, Global, HostFunction, Memory, Table
from contractvm.wasm.instance import Instance
from contractvm.wasm.module import GlobalType
from gas.meter import MILLI, Meter
from tests.fuzz.generate import HOST_FUNCTIONS, HOST_GLOBALS, HOST_MODULE, REFUEL, Case
from tests.fuzz.host import Host, HostRefusal
from tests.fuzz.outcome import NULL, OK, OUT_OF_GAS, REFERENCE, State, Step, Value
from tests.spec.script import CRASHES
from tests.tiers import HERE, hand_over

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


class Tier:
    """A case's module on one of `WAYS`: loaded once, started as often as one likes."""

    def __init__(self, case: Case, name: str) -> None:
        """Raises: ModuleError when the module is refused."""
        self.name = name
        self.slice = case.slice
        with way(name) as tier:
            self.engine = Engine(case.rules, tier)
            self.compiled = self.engine.load(case.wasm)
        self.host = Host()
        self.meter = Meter(0)
        self.instance: Instance | None = None

    def start(self, gas: int) -> Step:
        """Make a fresh instance with that much whole gas. The step is without a state."""
        self.host, self.meter, self.instance = Host(), Meter(gas), None
        with way(self.name):
            return self._step(self._instantiate, gas * MILLI)

    def _instantiate(self) -> Sequence[object]:
        instance = self.engine.instantiate(self.compiled, imports(self.host), self.meter)
        if self.slice is not None:
            hand_over(instance, self.slice)
        self.instance = instance
        return ()

    def call(self, name: str, operands: Sequence[int], milligas: int) -> Step:
        """Call an export of the instance, with its fuel full. The step is without a state."""
        instance = self.instance
        if instance is None:
            raise ValueError("a call before the start")
        with way(self.name):
            refuel(self.engine, instance)
            self.meter.left = milligas
            return self._step(lambda: self.engine.invoke(instance, name, operands), milligas)

    def _step(self, action: Callable[[], Sequence[object]], before: int) -> Step:
        try:
            results = tuple([reference(value) for value in action()])
            return Step(OK, results, milligas=before - self.meter.left, log=self._log())
        except Trap as trap:
            backtrace = tuple([(place.function, place.offset) for place in trap.backtrace])
            place = (trap.place.function, trap.place.offset) if trap.place is not None else None
            return Step(str(trap.code), (), place, backtrace, before - self.meter.left, log=self._log())
        except OutOfGas:
            return Step(OUT_OF_GAS, log=self._log())
        except (ModuleError, Fatal, *CRASHES) as error:
            return Step(f"{type(error).__name__}: {error}", log=self._log())

    def _log(self) -> tuple[tuple[str | int, ...], ...]:
        log = tuple(self.host.log)
        self.host.log.clear()
        return log

    def state(self) -> State:
        """What the instance's exports hold; of the memory, the very bytes."""
        memory: bytes | bytearray = b""
        globals_: list[Value] = []
        tables: list[tuple[Value, ...]] = []
        for extern in self.instance.exports.values() if self.instance is not None else ():
            if isinstance(extern, Memory):
                memory = extern.data
            elif isinstance(extern, Global):
                globals_.append(reference(extern.value))
            elif isinstance(extern, Table):
                tables.append(tuple([reference(entry) for entry in extern.entries]))
        return memory, tuple(globals_), tuple(tables)


def run_tier(case: Case, name: str) -> list[Step]:
    """The steps of a case on one of `WAYS`; fewer than its calls when instantiation fails."""
    running = Tier(case, name)
    steps = [holding(running.start(case.gas), running.state())]
    if running.instance is None:
        return steps
    for (called, operands), milligas in zip(case.calls, case.milligas, strict=True):
        steps.append(holding(running.call(called, operands, milligas), running.state()))
    return steps


def holding(step: Step, state: State) -> Step:
    """The step with the state it ended in."""
    memory, globals_, tables = state
    return replace(step, memory=digest(bytes(memory)) if memory else "", globals=globals_, tables=tables)


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


def digest(memory: bytes) -> str:
    """A memory's length and a short digest of it."""
    return f"{len(memory)} bytes, sha256 {hashlib.sha256(memory).hexdigest()[:16]}"


def reference(value: object) -> Value:
    """A number as it is; a function by its index, any other reference as null or not."""
    if isinstance(value, int):
        return value
    if isinstance(value, Func):
        return f"function {value.index}"
    return NULL if value is None else REFERENCE
