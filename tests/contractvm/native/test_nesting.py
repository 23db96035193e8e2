"""Native code on real stacks: 1,024 contract calls on every Python and thread, each at its end; interrupts; threads."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contractvm.errors import TrapCode
from contractvm.machine import Status
from contractvm.native import stack
from contractvm.nesting import FRAMES_ON_CALLER, stack_bytes
from contractvm.rules import contract_rules
from contractvm.wasm.engine import Engine
from contractvm.wasm.instance import Instance
from tests.contractvm.attack.rig import Ring, assemble
from tests.contractvm.native.depths import BARE, BARE_CALLS, PLENTY, SHAPES, source
from tests.determinism.pythons import MINORS, Unavailable, environment
from tests.sources import ROOT
from tests.threads import on_thread
from tests.tiers import NATIVE, missing

pytestmark = pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))

Lines = list[dict[str, Any]]
OTHERS = [minor for minor in MINORS if sys.version_info[:2] != (3, minor)]
SPIN = "(func $spin (loop $l (br $l)))"
MIB = 1 << 20


def wat(text: str) -> bytes:
    wasmtime = pytest.importorskip("wasmtime", reason="assembling WAT needs the package wasmtime")
    return bytes(wasmtime.wat2wasm(text))


@pytest.fixture(scope="module")
def tell(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path | str], Lines]:
    """`tell("native", python)` runs the chains of `depths` in a process and returns its lines."""
    folder = tmp_path_factory.mktemp("codes")
    for shape in SHAPES:
        (folder / f"{shape}.wasm").write_bytes(wat(source(shape)))
    (folder / "bare.wasm").write_bytes(wat(BARE))

    def run(tier: str, python: Path | str = sys.executable) -> Lines:
        command = [str(python), "-m", "tests.contractvm.native.depths", str(folder), tier]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture(scope="module")
def here(tell: Callable[[str], Lines]) -> Lines:
    return tell(NATIVE)


def test_1024_calls_nest_at_the_end_of_their_stacks(here: Lines) -> None:
    """On the main thread, on threads of any size, on eight at once; and one frame more than the weight allows traps."""
    limits = contract_rules().limits
    deep = [line for line in here if "shape" in line and line["where"] != "too deep"]
    assert len(deep) == len(SHAPES) * (1 + 4 + 8)
    for line in deep:
        assert (line["status"], line["frames"], line["last"]) == ("OK", 1 + limits.call_depth, Status.DEPTH.name), line
    for line in here:
        if line["where"] == "too deep":
            assert line["trap"] == str(TrapCode.STACK_EXHAUSTED)
    for shape in SHAPES:
        of_shape = [line for line in deep if line["shape"] == shape and "at once" not in line["where"]]
        assert len({(line["depth"], line["gas"]) for line in of_shape}) == 1


@pytest.mark.parametrize("minor", OTHERS)
def test_on_other_pythons(tell: Callable[..., Lines], here: Lines, minor: int) -> None:
    try:
        python = environment(minor, "native")
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert tell(NATIVE, python) == here


def test_portable_agrees(tell: Callable[[str], Lines], here: Lines) -> None:
    assert tell("portable") == [line for line in here if "shape" in line]


def test_host_and_module_call_one_another_without_end(here: Lines) -> None:
    """Each call takes the bare engine's two megabytes and a little of CPython's own count of calls in C."""
    assert [line["calls"] for line in here if "calls" in line] == [BARE_CALLS] * 2


def instance_of(text: str) -> tuple[Engine, Instance]:
    engine = Engine(tier=NATIVE)
    return engine, engine.instantiate(engine.load(wat(f"(module {text})")))


RECURSION = """(func $f (export "f") (param i32) (result i32)
  (if (result i32) (local.get 0)
    (then (i32.add (i32.const 1) (call $f (i32.sub (local.get 0) (i32.const 1)))))
    (else (i32.const 0))))"""


@pytest.mark.parametrize("size", [64 << 10, MIB, 8 * MIB])
def test_the_bare_engine_finds_room(size: int) -> None:
    """A call with the bare rules' budget runs on any thread: on a small one, on a leg."""
    engine, instance = instance_of(RECURSION)
    assert on_thread(size, lambda: engine.invoke(instance, "f", [10_000])) == [10_000]
    assert engine.invoke(instance, "f", [10_000]) == [10_000]


def test_a_dead_threads_stack_is_not_taken_for_a_living_ones() -> None:
    """An instance used on a large thread that ended refuses to run on small ones at the same addresses."""
    program = f"""
import os, sys, threading, time
from contractvm.native import stack
from contractvm.wasm.engine import Engine
from tests.threads import on_thread, started
engine = Engine(tier="native")
instance = engine.instantiate(engine.load(bytes.fromhex(sys.argv[1])))
enter, weight = instance.function(0).call, engine.rules.limits.stack_weight
low, high = on_thread(64 << 20, lambda: (enter(1, weight), stack.bounds())[1])
for _ in range(6):  # the C library keeps stacks of ended threads for a while
    on_thread(8 << 20, lambda: None)
    time.sleep(0.01)
inside, stop = 0, threading.Event()
def small():
    global inside
    bottom, top = stack.bounds()
    if low <= bottom and top <= high:
        try:
            enter(1, weight)
        except RecursionError:
            inside += 1
        else:
            os._exit(1)
    else:
        stop.wait()
threads = [started({256 << 10}, small) for _ in range(100)]
time.sleep(1)
stop.set()
print(inside)
"""
    code = wat(f"(module {RECURSION})").hex()
    variables = os.environ | {"MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", program, code]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    if not int(done.stdout):
        pytest.skip("no small thread came to lie where the large one had been")


@contextlib.contextmanager
def interrupted_in(seconds: float) -> Iterator[None]:
    """Ctrl-C for the main thread, once what is inside has begun."""
    timer = threading.Timer(seconds, signal.pthread_kill, (threading.main_thread().ident or 0, signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()


def test_an_interrupt_ends_a_long_call_of_the_bare_engine() -> None:
    engine, instance = instance_of(f'{SPIN} (func (export "spin") (call $spin)) {RECURSION}')
    with pytest.raises(KeyboardInterrupt), interrupted_in(0.2):
        engine.invoke(instance, "spin")
    assert engine.invoke(instance, "f", [10]) == [10]


CHAIN = f"""{SPIN}
  (func (export "call")
    (drop (call $input_copy (i32.const 0) (i32.const 0) (i32.const 4)))
    (call $self_address (i32.const 64))
    (if (i32.eqz (i32.load (i32.const 0)))
      (then (call $finish (i32.const 64) (i32.const 20))))
    (i32.store (i32.const 0) (i32.sub (i32.load (i32.const 0)) (i32.const 1)))
    (if (i32.eqz (i32.load (i32.const 0))) (then (call $spin)))
    (drop (call $call (i32.const 64) (i32.const 96) (i32.const 0) (i32.const 4) (i64.const -1) (i32.const 1))))"""
"""Calls itself as often as the input says, and then runs for ever; at once done when the input is 0."""


@pytest.mark.parametrize("frames", [1, FRAMES_ON_CALLER + 1, 45])
def test_an_interrupt_ends_a_long_contract_call(frames: int) -> None:
    """In the outermost frame, on the first leg and on the second; the machine serves the next call as before."""
    ring = Ring(NATIVE)
    address = ring.place(assemble(CHAIN, "input_copy", "self_address", "finish", "call"))
    assert ring.run(address, bytes(4)).output == address
    before = threading.active_count()
    mark = ring.world.checkpoint()
    with pytest.raises(KeyboardInterrupt), interrupted_in(0.3):
        ring.run(address, frames.to_bytes(4, "little"), PLENTY)
    assert threading.active_count() == before
    ring.world.rollback(mark)
    assert ring.run(address, bytes(4)).output == address


def test_other_threads_run_while_native_code_does() -> None:
    """Compiled code holds the interpreter's lock, and lets go of it between two slices of gas."""
    engine, instance = instance_of(f'{SPIN} (func (export "spin") (call $spin))')
    turns: list[int] = []
    stop = threading.Event()

    def other() -> None:
        while not stop.wait(0.001):
            turns.append(1)

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(KeyboardInterrupt), interrupted_in(0.5):
        engine.invoke(instance, "spin")
    before = len(turns)
    stop.set()
    thread.join()
    assert before >= 5


def test_an_entry_without_room_refuses_before_it_runs() -> None:
    """What compiled code checks is the stack that is left, whoever called it and however."""
    engine, instance = instance_of('(global $g (export "g") (mut i32) (i32.const 0))'
                                   '(func (export "f") (global.set $g (i32.const 1)))')  # fmt: skip
    function = instance.function(0)
    weight = engine.rules.limits.stack_weight

    def enter() -> str:
        with pytest.raises(RecursionError) as refused:
            function.call(weight)
        return str(refused.value)

    assert str(stack.need(weight)) in on_thread(MIB, enter)
    assert instance.globals[0].cell.cell_contents == 0
    function.call(weight)
    assert instance.globals[0].cell.cell_contents == 1


def test_the_usual_thread_needs_no_leg() -> None:
    assert on_thread(8 * MIB, stack.size) >= stack_bytes(FRAMES_ON_CALLER, contract_rules().limits.stack_weight)
