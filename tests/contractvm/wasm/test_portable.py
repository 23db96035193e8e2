"""The portable tier at run time: functions made when first called, traps found by their lines, deep stacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contractvm.errors import OutOfGas, Place, Trap, TrapCode
from contractvm.nesting import PYTHON_FRAMES_A_CALL, untie
from contractvm.rules import Limits, bare_rules
from contractvm.wasm.encode import section, signed, sized, unsigned, vector
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import HostFunction
from contractvm.wasm.instance import Instance
from contractvm.wasm.module import I32, FuncType
from contractvm.wasm.portable import Tail
from contractvm.wasm.sections import BASE_WEIGHT
from gas.meter import Meter
from tests.contractvm.wasm.modules import HEADER
from tests.contractvm.wasm.test_tiers import WAYS, instance_on, wat
from tests.threads import on_thread
from tests.tiers import COUNTING, HERE

SMALL_STACK = 256 << 10


def chain(length: int, link: Callable[[int], bytes]) -> bytes:
    """Functions i32 -> i32, all in table 0; each but the last is `local.get 0` and `link(its successor)`."""
    bodies = [b"\0\x20\0" + (link(n + 1) if n + 1 < length else b"") + b"\x0b" for n in range(length)]
    return (
        HEADER
        + section(1, b"\1\x60\1\x7f\1\x7f")
        + section(3, vector([b"\0"] * length))
        + section(4, b"\1\x70\0" + unsigned(length))
        + section(7, vector([sized(b"f") + b"\0\0"]))
        + section(9, vector([b"\0\x41\0\x0b" + vector([unsigned(n) for n in range(length)])]))
        + section(10, vector([sized(body) for body in bodies]))
    )


def call(n: int) -> bytes:
    return b"\x10" + unsigned(n) + b"\x41\1\x6a"


def call_indirect(n: int) -> bytes:
    return b"\x41" + signed(n) + b"\x11\0\0"


def tail(n: int) -> bytes:
    return b"\x12" + unsigned(n)


def tail_indirect(n: int) -> bytes:
    return b"\x41" + signed(n) + b"\x13\0\0"


def mixed(n: int) -> bytes:
    return tail(n) if n % 2 else call(n)


@pytest.mark.parametrize(
    ("link", "result"), [(call, 5 + 1999), (call_indirect, 5), (tail, 5), (tail_indirect, 5), (mixed, 5 + 999)]
)
def test_a_chain_of_first_calls_takes_no_c_stack(link: Callable[[int], bytes], result: int) -> None:
    """Each function calls the next for the first time: all are generated while all before them wait."""
    data = chain(2000, link)

    def run() -> list[tuple[Any, ...]]:
        seen = []
        for tier in COUNTING:
            engine = Engine(tier=tier, count=True)
            compiled = engine.load(data)
            for _ in range(2):  # the second instance finds the code
                instance = engine.instantiate(compiled, meter=Meter(10**9))
                seen.append((engine.invoke(instance, "f", [5]), instance.meter.left, instance.instructions))
                if tier == "portable":
                    _linkage(instance).release()
        return seen

    seen = on_thread(SMALL_STACK, run)
    assert seen[0][0] == [result]
    assert seen == seen[:1] * 4


def _linkage(instance: Instance) -> Any:
    return instance.enter.__self__  # type: ignore[attr-defined]


def test_first_tail_calls_do_not_nest() -> None:
    """However long the chain, the stack is one function deep."""
    engine = Engine()
    compiled = engine.load(chain(300, tail))
    instance = engine.instantiate(compiled)
    depths: list[int] = []

    def profile(frame: Any, event: str, arg: object) -> None:
        depth, at = 0, frame
        while at is not None:
            depth, at = depth + 1, at.f_back
        if event == "call" and frame.f_code.co_name.startswith("f"):
            depths.append(depth)

    sys.setprofile(profile)
    try:
        assert engine.invoke(instance, "f", [3]) == [3]
    finally:
        sys.setprofile(None)
    bodies = depths[1:]
    assert len(bodies) >= 299
    assert max(bodies) - min(bodies) < 30


def test_python_frames_of_one_call_are_bounded() -> None:
    """At most five for each wasm call that the stack weight allows, and the engine's own."""
    assert 5 * (Limits().stack_weight // BASE_WEIGHT) + 1_000 < PYTHON_FRAMES_A_CALL


DEEP = wat("""(module (func $f (export "f") (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
  (func (export "spin") (param i32) (result i32)
    (if (local.get 0) (then (return (call 1 (i32.sub (local.get 0) (i32.const 1)))))) (loop (br 0)) (unreachable)))""")


@pytest.mark.parametrize(("name", "depth", "gas"), [("f", 4_000, 10**6), ("f", 10**6, 10**9), ("spin", 4_000, 10**5)])
def test_errors_from_deep_stacks_are_freed_on_small_ones(name: str, depth: int, gas: int) -> None:
    def run() -> object:
        engine = Engine()
        instance = engine.instantiate(engine.load(DEEP), meter=Meter(gas))
        try:
            return engine.invoke(instance, name, [depth])
        except Trap as trap:
            return trap.code
        except OutOfGas:
            return "out of gas"

    expected: dict[tuple[str, int], object] = {
        ("f", 4_000): TrapCode.UNREACHABLE,
        ("f", 10**6): TrapCode.STACK_EXHAUSTED,
        ("spin", 4_000): "out of gas",
    }
    assert on_thread(SMALL_STACK, run) == expected[name, depth]


def test_untying_takes_the_traceback() -> None:
    def deep(n: int) -> None:
        if n:
            deep(n - 1)
        raise ValueError("kept")

    with pytest.raises(ValueError, match="kept") as caught:
        deep(50)
    error = caught.value
    entry = error.__traceback__
    assert entry is not None and entry.tb_next is not None
    untie(error)
    assert error.__traceback__ is None
    assert entry.tb_next is None
    assert error.args == ("kept",)


# $outer calls $middle, which tail-calls $inner, which traps in one of several ways.
TRACED = wat("""(module (import "m" "host" (func $host (param i32)))
  (memory 1) (table 2 funcref) (elem (i32.const 0) $inner) (type $t (func (param i32)))
  (func $inner (param i32)
    (if (i32.eq (local.get 0) (i32.const 0)) (then (unreachable)))
    (if (i32.eq (local.get 0) (i32.const 1)) (then (drop (i32.load (i32.const -1)))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (drop (i32.div_u (i32.const 1) (i32.const 0)))))
    (if (i32.eq (local.get 0) (i32.const 3)) (then (call $host (i32.const 1))))
    (if (i32.eq (local.get 0) (i32.const 4)) (then (call_indirect (type $t) (i32.const 0) (i32.const 1))))
    (if (i32.eq (local.get 0) (i32.const 5)) (then (memory.fill (i32.const 0) (i32.const 0) (i32.const 65537))))
    (if (i32.eq (local.get 0) (i32.const 6)) (then (return_call $host (i32.const 1))))
    (if (i32.eq (local.get 0) (i32.const 7)) (then (call $endless (i32.const 0)))))
  (func $middle (param i32) (return_call_indirect (type $t) (local.get 0) (i32.const 0)))
  (func $outer (export "f") (param i32) (result i32)
    (block (loop (call $middle (i32.const 99)) (call $middle (local.get 0))))
    (i32.const 1))
  (func $endless (param i32) (call $endless (i32.add (local.get 0) (i32.const 1)))))""")


def traced(way: str, how: int) -> Trap:
    def host(a: int) -> None:
        raise Trap(TrapCode.HOST_ARGUMENT)

    imports = {("m", "host"): HostFunction(FuncType((I32,), ()), host)}
    engine, instance = instance_on(way, TRACED, imports=imports)
    with pytest.raises(Trap) as caught:
        engine.invoke(instance, "f", [how])
    return caught.value


@pytest.mark.parametrize("how", range(8))
def test_backtraces_are_the_same_in_every_tier(how: int) -> None:
    traps = [traced(way, how) for way in WAYS]
    codes, places, backtraces = zip(*[(t.code, t.place, t.backtrace) for t in traps], strict=True)
    assert len(set(codes)) == len(set(places)) == len(set(backtraces)) == 1
    backtrace = backtraces[0]
    assert backtrace[0] == places[0]
    if how == 7:
        assert len(backtrace) == Trap.BACKTRACE
        assert {place.function for place in backtrace} == {4}
        assert len({place.offset for place in backtrace[1:]}) == 1
    else:
        # A tail call leaves no trace: $inner was entered from where $outer called $middle.
        assert [place.function for place in backtrace] == [1, 3]


# The entry calls $hop, which tail-calls $heavy, a frame with ten slots.
WEIGHTS = wat("""(module (table 1 funcref) (elem (i32.const 0) $heavy)
  (func $heavy (param i32) (result i32) (local i64 i64 i64 i64 i64 i64 i64 i64) (local.get 0))
  (func $hop (param i32) (result i32) (return_call $heavy (local.get 0)))
  (func $hop-indirect (param i32) (result i32)
    (return_call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))
  (func (export "f") (param i32) (result i32) (call $hop (local.get 0)))
  (func (export "g") (param i32) (result i32) (call $hop-indirect (local.get 0))))""")


@pytest.mark.parametrize("name", ["f", "g"])
def test_a_tail_call_is_weighed_as_if_its_caller_were_gone(name: str) -> None:
    """The entry weighs 80; $heavy 144; $hop 80 or 88. Enough is 224, and the callee of a tail call is where it ends."""
    ends = set()
    for tier in HERE:
        found: list[object] = []
        for weight in (79, 80, 80 + 87, 80 + 143, 80 + 144):
            rules = bare_rules()
            engine = Engine(replace(rules, limits=replace(rules.limits, stack_weight=weight)), tier)
            instance = engine.instantiate(engine.load(WEIGHTS), meter=Meter(10**6))
            try:
                found.append(engine.invoke(instance, name, [7])[0])
            except Trap as trap:
                assert trap.code is TrapCode.STACK_EXHAUSTED
                found.append(tuple(place.name for place in trap.backtrace))
            found.append(instance.meter.left)
        ends.add(tuple(found))
    assert len(ends) == 1
    results = next(iter(ends))[::2]
    assert results[0] == (name,)
    assert results[3:] == (("heavy", name), 7)


def test_a_backtrace_names_calls_and_functions() -> None:
    trap = traced("nested", 0)
    inner, outer = trap.backtrace
    assert isinstance(inner, Place)
    assert (inner.name, outer.name) == ("inner", "outer")
    assert str(outer) == f"function 3 (outer), byte {outer.offset:#x}"


def test_a_trap_passes_through_an_engine_inside_a_host_function_as_it_is() -> None:
    """A host may run another module; the outer one must not move its trap's place or give anything back for it."""
    seen = []
    for tier in HERE:
        engine, meter = Engine(tier=tier), Meter(10**6)
        inner = engine.instantiate(engine.load(wat('(module (func (export "f") nop unreachable))')), {}, meter)

        def host(engine: Engine = engine, inner: Instance = inner) -> None:
            engine.invoke(inner, "f")

        imports = {("m", "host"): HostFunction(FuncType((), ()), host)}
        source = '(module (import "m" "host" (func $h)) (func (export "g") nop nop (call $h)))'
        outer = engine.instantiate(engine.load(wat(source)), imports, meter)
        with pytest.raises(Trap) as caught:
            engine.invoke(outer, "g")
        seen.append((caught.value.place, caught.value.backtrace, meter.left))
    assert all(one == seen[0] for one in seen)
    assert [place.function for place in seen[0][1]] == [0]


def test_errors_that_are_ours_are_not_taken_for_traps() -> None:
    for error in (IndexError("ours"), ZeroDivisionError("ours"), KeyError("ours"), RecursionError("ours")):

        def host(error: Exception = error) -> None:
            raise error

        for tier in HERE:
            engine = Engine(tier=tier)
            source = '(module (import "m" "host" (func $h)) (func (export "g") (call $h)))'
            instance = engine.instantiate(
                engine.load(wat(source)), {("m", "host"): HostFunction(FuncType((), ()), host)}
            )
            with pytest.raises(type(error), match="ours"):
                engine.invoke(instance, "g")


def test_code_is_generated_once_for_all_instances() -> None:
    engine = Engine()
    compiled = engine.load(chain(3, call))
    engine.invoke(engine.instantiate(compiled), "f", [1])
    codes = {index: made.code for index, made in compiled.generated.items()}
    instance = engine.instantiate(compiled)
    engine.invoke(instance, "f", [1])
    assert {index: made.code for index, made in compiled.generated.items()} == codes
    assert instance.function(0).call.__code__ is codes[0]


def test_functions_that_are_not_called_are_not_generated() -> None:
    engine = Engine()
    compiled = engine.load(wat('(module (func (export "f") (if (i32.const 0) (then (call 1)))) (func))'))
    engine.invoke(engine.instantiate(compiled), "f")
    assert set(compiled.generated) == {0}


def test_a_reference_made_before_the_code_enters_it_afterwards() -> None:
    """A global holds a function before the tier is chosen; a table holds one before it is generated."""
    data = wat("""(module (table 1 funcref) (elem (i32.const 0) $f) (global $g funcref (ref.func $f))
      (func $f (result i32) (i32.const 42))
      (func (export "table") (result i32) (call_indirect (result i32) (i32.const 0)))
      (func (export "global") (result i32) (table.set 0 (i32.const 0) (global.get $g))
        (call_indirect (result i32) (i32.const 0))))""")
    for way in WAYS:
        engine, instance = instance_on(way, data)
        assert engine.invoke(instance, "table") == engine.invoke(instance, "global") == [42]
        assert engine.invoke(instance, "table") == [42]


def test_no_tail_escapes() -> None:
    """A function that ends in a tail call answers its host with a value, whichever way it is entered."""
    data = wat("""(module (table 1 funcref) (elem (i32.const 0) $f)
      (func $g (result i32) (i32.const 7))
      (func $f (export "f") (result i32) (return_call $g))
      (func (export "direct") (result i32) (i32.add (call $f) (i32.const 1)))
      (func (export "indirect") (result i32) (i32.add (call_indirect (result i32) (i32.const 0)) (i32.const 2))))""")
    for way in WAYS:
        engine, instance = instance_on(way, data)
        for name, result in (("f", 7), ("direct", 8), ("indirect", 9), ("f", 7)):
            answer = engine.invoke(instance, name)
            assert answer == [result]
            assert not isinstance(answer[0], Tail)
