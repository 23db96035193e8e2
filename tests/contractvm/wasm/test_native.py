"""The native tier at run time: who keeps what alive, what compiled code refuses, what the host may do under it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from contractvm.errors import Fatal, OutOfGas, Trap, TrapCode
from contractvm.native.context import MOST_GAS, SLICE
from contractvm.wasm import native
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import PAGE, Extern, HostFunction, Memory
from contractvm.wasm.foundry import foundry
from contractvm.wasm.instance import Instance
from contractvm.wasm.mapped import NativeCode
from contractvm.wasm.module import I32, FuncType
from contractvm.wasm.native import native_linkage
from gas.meter import MILLI, Meter
from tests.tiers import NATIVE, missing

pytestmark = pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))

GAS = 1 << 40
WEIGHT = 1 << 20
UNARY = FuncType((I32,), (I32,))
TIMES = 10_000

COUNTER = """(module
  (import "env" "host" (func $host (param i32) (result i32)))
  (memory (export "memory") 2 9)
  (table (export "table") 2 funcref)
  (elem (i32.const 0) func $add $host)
  (global $count (export "shown") (mut i32) (i32.const 0))
  (global $hidden (mut i32) (i32.const 100))
  (data (i32.const 8) "\\01\\02\\03")
  (func $add (export "add") (param i32) (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.set $hidden (i32.add (global.get $hidden) (local.get 0)))
    (i32.store (i32.const 65536) (i32.add (i32.load (i32.const 65536)) (local.get 0)))
    (i32.load (i32.const 65536)))
  (func (export "hidden") (result i32) (global.get $hidden))
  (func (export "ask") (param i32) (result i32)
    (i32.store (i32.const 0) (local.get 0))
    (i32.add (call $host (local.get 0)) (i32.load (i32.const 0))))
  (func (export "through") (param i32 i32) (result i32)
    (call_indirect (param i32) (result i32) (local.get 1) (local.get 0)))
  (func (export "end") (param i32) (result i32)
    (drop (call $host (local.get 0)))
    (i32.load8_u (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1))))
  (func (export "both") (param i64) (result i64 i32) (local.get 0) (i32.const 7))
  (func (export "same") (param funcref) (result funcref) (local.get 0)))"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(tier=NATIVE)


@pytest.fixture(scope="module")
def counter(engine: Engine) -> Compiled:
    return engine.load(wat(COUNTER))


def wat(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(text))


def offered(host: Callable[..., object] = lambda x: x) -> dict[tuple[str, str], Extern]:
    return {("env", "host"): HostFunction(UNARY, host)}


def made(engine: Engine, counter: Compiled, host: Callable[..., object] = lambda x: x) -> Instance:
    instance = engine.instantiate(counter, offered(host), Meter(GAS))
    assert not engine.refusals
    return instance


def builtin(instance: Instance, name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = instance.exported_function(name).call
    assert type(found) is type(len)
    return found


def resident() -> int:
    """Bytes of this process's memory that are there."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def mappings() -> int:
    return len(Path("/proc/self/maps").read_text().splitlines())


# Who keeps what alive.


def grows(action: Callable[[], object], room: int) -> None:
    """Do something TIMES times: after the first tenth the process stays as it is, but for `room` bytes.

    In the heap of a process that ran hundreds of other tests, bytes may be fetched once that were given back before; so
    memory is looked at up to three times. What is left behind is left behind each time.
    """
    for _ in range(TIMES // 10):
        action()
    gc.collect()
    grown: list[int] = []
    while len(grown) < 3 and (not grown or grown[-1] >= room):
        before, things, maps = resident(), len(gc.get_objects()), mappings()
        for _ in range(TIMES - TIMES // 10):
            action()
        gc.collect()
        assert len(gc.get_objects()) - things < 100
        assert mappings() - maps < 50
        grown.append(resident() - before)
    assert grown[-1] < room, grown


def test_instances_leave_nothing_behind(engine: Engine, counter: Compiled) -> None:
    def live() -> None:
        instance = made(engine, counter)
        assert engine.invoke(instance, "add", [5]) == [5]
        assert engine.invoke(instance, "through", [1, 3]) == [3]

    grows(live, 16 << 20)


def test_instances_that_nobody_calls_need_no_collector(engine: Engine) -> None:
    """They go when the last reference does, and their memory with them."""
    compiled = engine.load(wat(SMALL))
    engine.instantiate(compiled)
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        for _ in range(1000):
            engine.instantiate(compiled)
        assert len(gc.get_objects()) - before < 100
    finally:
        gc.enable()


def test_loads_leave_nothing_behind(engine: Engine) -> None:
    """An object's pages go with the last instance that uses them."""
    compiled = engine.load(wat(SMALL))
    engine.instantiate(compiled)
    data = foundry().cache.get(foundry()._key(compiled, None))
    assert data is not None

    def load() -> None:
        compiled.native = NativeCode(compiled, data)
        instance = engine.instantiate(compiled)
        assert engine.invoke(instance, "f", [1]) == [2]

    grows(load, 32 << 20)


def test_a_builtin_outlives_everything_else(engine: Engine) -> None:
    compiled = engine.load(wat(COUNTER))
    instance = engine.instantiate(compiled, offered(lambda x: x + 1), Meter(GAS))
    add, ask, through = (builtin(instance, name) for name in ("add", "ask", "through"))
    linkage = native_linkage(instance)
    assert linkage is not None
    gone = weakref.ref(linkage)
    del compiled, instance, linkage
    gc.collect()
    assert add(4, WEIGHT) == 4
    assert ask(4, WEIGHT) == 9
    assert through(0, 4, WEIGHT) == 8
    assert gone() is not None
    del add, ask, through
    gc.collect()
    assert gone() is None


class Last:
    """In a cycle with a builtin, which it calls when the collector finds them."""

    said: list[object]

    def __init__(self, entry: Callable[..., Any], instance: Instance, said: list[object]) -> None:
        self.entry, self.instance, self.said, self.own = entry, instance, said, self

    def __del__(self) -> None:
        self.said.append(self.entry(6, WEIGHT))
        try:
            self.entry("six", WEIGHT)
        except TypeError as error:
            self.said.append(type(error))


def test_a_builtin_is_called_while_its_cycle_is_collected(engine: Engine) -> None:
    said: list[object] = []
    for _ in range(50):
        compiled = engine.load(wat(COUNTER))
        instance = engine.instantiate(compiled, offered(), Meter(GAS))
        last = Last(builtin(instance, "add"), instance, said)
        instance.imported.append(last)  # type: ignore[arg-type]
        compiled.native = None
        del compiled, instance, last
        gc.collect()
    assert said == [6, TypeError] * 50


# What compiled code refuses.


def test_operands_that_are_none(engine: Engine, counter: Compiled) -> None:
    """Whoever enters a builtin with other operands than it takes gets a TypeError, and nothing has run."""
    instance = made(engine, counter)
    add, both = builtin(instance, "add"), builtin(instance, "both")
    left = instance.meter.left
    for operands in ((), (1,), (1, 2, WEIGHT)):
        with pytest.raises(TypeError, match="wrong number of operands"):
            add(*operands)
    with pytest.raises(TypeError):
        add(x=1)
    for wrong in ("1", None, 1.5, [], object()):
        with pytest.raises(TypeError):
            add(wrong, WEIGHT)
        with pytest.raises(TypeError):
            add(1, wrong)
    with pytest.raises(OverflowError):
        add(1, 1 << 70)
    assert instance.meter.left == left
    assert instance.globals[0].value == 0
    assert add(1, WEIGHT) == 1
    assert both((1 << 64) - 1, WEIGHT) == ((1 << 64) - 1, 7)
    assert add((5 << 32) + 2, WEIGHT) == 3, "of an integer, the low bits count"


@pytest.mark.parametrize("answer", [None, "1", 1.5, (), object()])
def test_answers_of_the_host_that_are_none(engine: Engine, counter: Compiled, answer: object) -> None:
    instance = made(engine, counter, lambda x: answer if x == 1 else x)
    with pytest.raises(TypeError):
        engine.invoke(instance, "ask", [1])
    assert engine.invoke(instance, "ask", [3]) == [6]


def test_references_keep_what_they_name(engine: Engine, counter: Compiled) -> None:
    instance, other = made(engine, counter), made(engine, counter)
    function = other.exported_function("add")
    assert builtin(instance, "same")(None, WEIGHT) is None
    assert builtin(instance, "same")(function, WEIGHT) is function
    del other
    gc.collect()
    assert engine.call(function, [2]) == [2]


@pytest.mark.parametrize("milligas", [MOST_GAS + 1, 1 << 63, 1 << 64, 1 << 100])
def test_more_gas_than_fits(engine: Engine, counter: Compiled, milligas: int) -> None:
    instance = made(engine, counter)
    instance.meter.left = milligas
    with pytest.raises(ValueError, match="counts gas up to"):
        engine.invoke(instance, "add", [1])
    assert instance.meter.left == milligas
    assert instance.globals[0].value == 0
    instance.meter.left = MOST_GAS
    assert engine.invoke(instance, "add", [1]) == [1]
    assert instance.meter.left == MOST_GAS - spent(engine, counter, "add", [1])


def test_a_function_without_an_entry(engine: Engine) -> None:
    compiled = engine.load(wat('(module (func) (func (export "f")))'))
    instance = engine.instantiate(compiled)
    with pytest.raises(Fatal, match="function 0 was compiled without an entry"):
        instance.function(0)
    assert engine.invoke(instance, "f") == []


def spent(engine: Engine, counter: Compiled, name: str, operands: list[Any], slice_: int = SLICE) -> int:
    """Milligas of a call in a new instance."""
    instance = engine.instantiate(counter, offered(), Meter(GAS))
    if slice_ != SLICE:
        assert counter.native is not None
        native.prepare(instance, counter.native, slice_=slice_)
    before = instance.meter.left
    engine.invoke(instance, name, operands)
    return before - instance.meter.left


@pytest.mark.parametrize("slice_", [0, 1, 999, 5_000, 1 << 40])
def test_gas_is_the_same_in_slices_of_any_size(engine: Engine, counter: Compiled, slice_: int) -> None:
    made(engine, counter)
    for name, operands in (("add", [3]), ("ask", [3]), ("through", [0, 3]), ("through", [1, 3]), ("end", [3])):
        expected = spent(Engine(tier="reference"), counter, name, operands)
        assert spent(engine, counter, name, operands, slice_) == expected > 0


# What the host may do meanwhile.


def test_memory_grows_under_a_call(engine: Engine, counter: Compiled) -> None:
    """By the host, by another instance that the host calls, and by so much that it moves."""
    memory: list[Memory] = []

    def grow(pages: int) -> int:
        assert memory[0].grow(pages) >= 0
        memory[0].data[-1] = 40 + pages
        return pages

    instance = made(engine, counter, grow)
    assert instance.memory is not None
    memory.append(instance.memory)
    for pages in (0, 1, 6):
        assert engine.invoke(instance, "end", [pages]) == [40 + pages]
    assert instance.memory.pages == 9
    assert engine.invoke(instance, "ask", [0]) == [0]


def test_memory_of_two_instances(engine: Engine) -> None:
    owner = engine.instantiate(engine.load(wat(OWNER)), None, meter := Meter(GAS))
    shared: dict[tuple[str, str], Extern] = {("m", name): extern for name, extern in owner.exports.items()}
    user = engine.instantiate(engine.load(wat(USER)), shared, meter)
    assert engine.invoke(user, "f", [3]) == [4 * PAGE + 77]
    assert engine.invoke(owner, "read", [4 * PAGE - 4]) == [77]
    with pytest.raises(Trap) as caught:
        engine.invoke(user, "f", [100])
    assert caught.value.code is TrapCode.MEMORY_OUT_OF_BOUNDS


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, SystemExit, ZeroDivisionError, RecursionError])
def test_whatever_the_host_raises_passes(counter: Compiled, error: type[BaseException]) -> None:
    """Through as many compiled frames as there are; gas, memory and globals are as on the reference tier after it."""
    states = []
    for tier in (NATIVE, "reference"):
        engine, instances = Engine(tier=tier), list[Instance]()

        def host(x: int, engine: Engine = engine, instances: list[Instance] = instances) -> int:
            if x == 0:
                raise error("on purpose")
            answer: int = engine.invoke(instances[0], "ask", [x - 1])[0]
            return answer

        instance = engine.instantiate(counter, offered(host), Meter(GAS))
        instances.append(instance)
        for depth in (0, 1, 20):
            with pytest.raises(error, match="on purpose") as caught:
                engine.invoke(instance, "ask", [depth])
            assert type(caught.value) is error
            after = engine.invoke(instance, "add", [1]), engine.invoke(instance, "hidden")
            assert instance.memory is not None
            states.append((depth, after, instance.meter.left, bytes(instance.memory.data)))
    assert states[:3] == states[3:]


def test_gas_that_the_host_takes(engine: Engine, counter: Compiled) -> None:
    """It counts on the same meter, in the middle of a call; taking the last of it ends the call."""

    def take(gas: int) -> int:
        instance.meter.charge(gas * MILLI)
        return gas

    instance = made(engine, counter, take)
    plain = spent(engine, counter, "ask", [0])
    before = instance.meter.left
    engine.invoke(instance, "ask", [1000])
    assert before - instance.meter.left == plain + 1000 * MILLI
    instance.meter.left = plain + 1000 * MILLI - 1
    with pytest.raises(OutOfGas):
        engine.invoke(instance, "ask", [1000])
    assert instance.meter.left < 0


def test_traps_have_their_places_on_every_way_in(engine: Engine) -> None:
    """The whole backtrace, as on the reference tier, through the host and a second instance."""
    seen = []
    for tier in (NATIVE, "reference"):
        on = Engine(tier=tier)
        meter = Meter(GAS)
        inner = on.instantiate(on.load(wat(TRAPS)), offered(), meter)
        functions: dict[tuple[str, str], Extern] = {("env", "host"): inner.exports["down"]}
        outer = on.instantiate(on.load(wat(TRAPS)), functions, meter)
        for name, operand in (("down", 5), ("divide", 0), ("load", PAGE - 3), ("none", 0), ("ask", 3), ("ask", 0)):
            for instance in (inner, outer):
                before = meter.left
                trap = None
                try:
                    on.invoke(instance, name, [operand])
                except Trap as caught:
                    trap = caught.code, caught.place, caught.backtrace
                seen.append((tier, (name, operand, trap, before - meter.left)))
        assert not on.refusals
    half = len(seen) // 2
    assert [what for _, what in seen[:half]] == [what for _, what in seen[half:]]
    assert sum(what[2] is not None for _, what in seen[:half]) >= 10


SMALL = """(module (memory 2) (table 1 funcref) (elem (i32.const 0) func $f) (global $g (mut i32) (i32.const 1))
  (func $f (export "f") (param i32) (result i32)
    (global.set $g (i32.add (local.get 0) (global.get $g)))
    (global.get $g)))"""
OWNER = """(module (memory (export "memory") 1 8)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "read") (param i32) (result i32) (i32.load (local.get 0))))"""
USER = """(module (import "m" "memory" (memory 1))
  (import "m" "grow" (func $grow (param i32) (result i32)))
  (func (export "f") (param i32) (result i32)
    (drop (call $grow (local.get 0)))
    (i32.store (i32.mul (i32.const 65532) (i32.const 1)) (i32.const 5))
    (i32.store (i32.sub (i32.mul (i32.add (local.get 0) (i32.const 1)) (i32.const 65536)) (i32.const 4)) (i32.const 77))
    (i32.add (i32.mul (memory.size) (i32.const 65536))
      (i32.load (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 4))))))"""
TRAPS = """(module (import "env" "host" (func $host (param i32) (result i32)))
  (memory 1) (table 2 2 funcref)
  (func $down (export "down") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
  (func (export "divide") (param i32) (result i32) (i32.add (i32.const 1) (i32.div_u (i32.const 7) (local.get 0))))
  (func (export "load") (param i32) (result i32) (i32.mul (i32.load (local.get 0)) (i32.const 3)))
  (func (export "none") (param i32) (result i32)
    (i32.add (call_indirect (param i32) (result i32) (local.get 0) (local.get 0)) (i32.const 1)))
  (func (export "ask") (param i32) (result i32) (i32.add (call $host (local.get 0)) (i32.const 1))))"""
