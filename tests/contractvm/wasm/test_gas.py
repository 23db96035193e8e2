"""Gas charged by the run equals gas counted by the instruction; every gas limit ends alike on every tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from contractvm.errors import OutOfGas, Trap, TrapCode
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.machine import Status
from contractvm.native.context import SLICE
from contractvm.rules import bare_rules, contract_rules
from contractvm.types import Address
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.engine import Engine
from contractvm.wasm.machine import WasmMachine
from gas.meter import MILLI, Meter
from state.world import World
from tests.contractvm.fake import empty_world
from tests.contractvm.wasm.naive import NaiveMeter
from tests.fuzz.generate import Case, generate
from tests.fuzz.host import Host
from tests.fuzz.outcome import OK, OUT_OF_GAS, Step
from tests.fuzz.tiers import imports, refuel, run_tier
from tests.tiers import HERE, NATIVE, hand_over

wasmtime = pytest.importorskip("wasmtime", reason="these modules are written in WAT: pip install '.[wat]'")

SEEDS = range(10_000, 10_240)
BATCH = 40


def naive_counts(case: Case) -> list[tuple[str, int]]:
    """How each call of a case ends on the reference tier, with the milligas counted one by one.

    Operands that could not be paid for do not count. The engine's own count of instructions is compared on the way.
    """
    meter, naive = Meter(case.gas), NaiveMeter(bare_rules())
    engine = Engine(tier="reference", trace=naive.trace)
    counted = []
    try:
        naive.instance = engine.instantiate(engine.load(case.wasm), imports(Host()), meter)
    except (Trap, OutOfGas):
        return []
    for name, arguments in case.calls:
        refuel(engine, naive.instance)
        meter.left = case.gas * MILLI
        naive.reset()
        before = naive.instance.instructions
        try:
            engine.invoke(naive.instance, name, arguments)
            end = OK
        except Trap as trap:
            end = str(trap.code)
        except OutOfGas:
            end = OUT_OF_GAS
        executed = naive.instance.instructions - before
        assert end == OUT_OF_GAS or executed == naive.instructions, f"seed {case.seed}: {name} counts {executed}"
        unpaid = naive.dynamic if end == OUT_OF_GAS else 0
        counted.append((end, naive.milligas - unpaid))
    return counted


@pytest.mark.parametrize("first", SEEDS[::BATCH])
def test_charged_gas_is_the_sum_over_executed_instructions(first: int) -> None:
    compared = 0
    for seed in range(first, first + BATCH):
        case = generate(seed)
        counted = naive_counts(case)
        for tier in HERE:
            for (end, milligas), step in zip(counted, run_tier(case, tier)[1:], strict=False):
                assert step.end == end
                if end != OUT_OF_GAS:
                    assert step.milligas == milligas, f"seed {seed} {tier}: {step}"
                    compared += 1
    assert compared > BATCH


def test_out_of_gas_comes_no_earlier_than_the_run_it_cannot_pay() -> None:
    """Nothing of the run is executed: the naive count of what was executed fits the limit."""
    met = 0
    for seed in range(300):
        case = generate(seed)
        for end, milligas in naive_counts(case):
            if end == OUT_OF_GAS and milligas:
                assert milligas <= case.gas * MILLI
                met += 1
    assert met > 10


# Every gas limit of a module's calls, in the engine's own unit.

SWEPT = bytes(
    wasmtime.wat2wasm("""(module
  (memory (export "memory") 1 3) (global $g (export "g0") (mut i32) (i32.const 0))
  (table 4 6 funcref) (elem (i32.const 0) $add $trap)
  (type $t (func (param i32) (result i32)))
  (func $add (type $t) (i32.add (local.get 0) (i32.const 7)))
  (func $trap (type $t) (i32.store (i32.const 65533) (local.get 0)) (i32.const 1))
  (func $work (param i32) (result i32) (local i32)
    (block $out (loop $again
      (br_if $out (i32.eqz (local.get 0)))
      (global.set $g (i32.add (global.get $g) (i32.const 1)))
      (i32.store (i32.mul (local.get 0) (i32.const 4)) (local.get 1))
      (local.set 1 (call_indirect (type $t) (local.get 1) (i32.const 0)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br $again)))
    (memory.fill (i32.const 100) (i32.const 9) (i32.const 30))
    (memory.copy (i32.const 200) (i32.const 100) (i32.const 20))
    (drop (table.grow (ref.null func) (i32.const 1)))
    (local.get 1))
  (func (export "f0") (param i32) (result i32) (call $work (local.get 0)))
  (func (export "f1") (param i32) (result i32)
    (call_indirect (type $t) (call $work (local.get 0)) (i32.const 1)))
  (func (export "f2") (param i32) (result i32)
    (i32.div_u (call $work (local.get 0)) (i32.and (local.get 0) (i32.const 4))))
  (func (export "f3") (param i32) (result i32) (return_call $add (call $work (local.get 0)))))""")
)


def ends_at(name: str, milligas: int, engine: Engine, compiled: Compiled, slice_: int = SLICE) -> tuple[Step, int]:
    """One call with that much gas, handed to native code in slices; the milligas that are left at the end."""
    meter = Meter(0)
    instance = engine.instantiate(compiled, {}, meter)
    meter.left = milligas
    hand_over(instance, slice_)
    try:
        results, end, place = tuple(engine.invoke(instance, name, [2])), OK, None
    except Trap as trap:
        results, end, place = (), str(trap.code), str(trap.place)
    except OutOfGas:
        results, end, place = (), OUT_OF_GAS, None
    memory = instance.memory
    assert memory is not None
    held = f"{bytes(memory.data[:256]).hex()} {instance.exports['g0'].value}"  # type: ignore[union-attr]
    return Step(end, results, memory=f"{held} {place}"), meter.left


def _engine(tier: str) -> Engine:
    return Engine(tier=tier)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("f0", OK),
        ("f1", str(TrapCode.MEMORY_OUT_OF_BOUNDS)),
        ("f2", str(TrapCode.INTEGER_DIVIDE_BY_ZERO)),
        ("f3", OK),
    ],
)
def test_every_gas_limit_of_a_call(name: str, end: str) -> None:
    plenty = 1 << 40
    ways: list[tuple[Engine, Compiled, int]] = []
    for engine in map(_engine, HERE):
        slices = (SLICE, 1, 130, 2_000) if engine.tier == NATIVE else (SLICE,)
        ways += [(engine, engine.load(SWEPT), slice_) for slice_ in slices]
    step, left = ends_at(name, plenty, *ways[0])
    assert step.end == end
    need = plenty - left
    seen = []
    for milligas in range(0, need + 400, 100):
        steps = [ends_at(name, milligas, *way) for way in ways]
        assert len({again for again, _ in steps}) == 1, milligas
        seen.append(steps[0][0].end)
        if seen[-1] == end:
            assert {milligas - left for _, left in steps} == {need}
    # A trap's run must be payable as a whole, so the first limit that reaches it may lie above what it uses.
    first = seen.index(end)
    assert need // 100 <= first <= need // 100 + 1
    assert set(seen[:first]) == {OUT_OF_GAS}
    assert set(seen[first:]) == {end}


# Every gas limit of a transaction: state is untouched below success.

CONTRACT = bytes(
    wasmtime.wat2wasm("""(module
  (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
  (import "cvm1" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "cvm1" "transient_set" (func $brief (param i32 i32 i32 i32)))
  (import "cvm1" "log" (func $log (param i32 i32 i32 i32)))
  (import "cvm1" "input_size" (func $size (result i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "key value")
  (func (export "call") (local i32)
    (local.set 0 (i32.const 3))
    (loop $again
      (i32.store8 (local.get 0) (i32.add (i32.load8_u (local.get 0)) (i32.const 1)))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (drop (call $get (i32.const 0) (i32.const 3) (i32.const 64) (i32.const 32)))
    (call $set (i32.const 0) (i32.const 3) (i32.const 4) (i32.const 5))
    (call $brief (i32.const 0) (i32.const 3) (i32.const 4) (i32.const 5))
    (memory.fill (i32.const 100) (i32.const 1) (i32.const 50))
    (call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 9))
    (if (i32.eq (call $size) (i32.const 1)) (then (call $revert (i32.const 0) (i32.const 4))))
    (if (i32.eq (call $size) (i32.const 2)) (then unreachable))
    (call $finish (i32.const 0) (i32.const 9))))""")
)

SHOP, OTHER, ALICE = Address(b"\x33" * 20), Address(b"\x44" * 20), Address(b"\x11" * 20)
BLOCK = BlockContext(chain_id=1, number=5, timestamp=1_000)
KEY = bytes(c + (i > 0) for i, c in enumerate(b"key"))
"""The contract adds one to the bytes 1 to 3 of its memory first."""


@dataclass(slots=True)
class Sweep:
    """One contract in one world, called again and again with the world put back after each call."""

    world: World
    executors: Sequence[Executor]
    data: bytes

    def ends(self, gas: int) -> Executed:
        """The end on every tier, which must be the same one; below success nothing may have changed."""
        ends = []
        for executor in self.executors:
            mark = self.world.checkpoint()
            done = executor.simulate(Message(ALICE, SHOP, 0, self.data, gas), self.world, BLOCK)
            stored, logs = self.world.storage(SHOP, KEY), len(self.world.logs)
            assert (stored, logs) == ((b"value", 1) if done.ok else (b"", 0)), gas
            self.world.rollback(mark)
            ends.append((done.status, done.gas_used, done.gas_spent, done.output, len(done.logs), str(done.trap)))
        assert len(set(ends)) == 1, (gas, ends)
        return done


def sweep(data: bytes) -> Sweep:
    world = empty_world()
    world.set_balance(ALICE, 10**18)
    world.set_nonce(SHOP, 1)
    world.set_code(SHOP, CONTRACT)
    return Sweep(world, [Executor(contract_rules(), [WasmMachine(tier)]) for tier in HERE], data)


ENDS = [(b"", Status.OK), (b"1", Status.REVERT), (b"12", Status.TRAP)]


def _limits(case: Sweep, status: Status) -> tuple[int, int]:
    """The least limit that is accepted and the least that does not run out of gas."""
    done = case.ends(200_000)
    assert done.status is status
    low, high = 21_000 + 16 * len(case.data), 200_000
    least = low
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if case.ends(middle).status is Status.OUT_OF_GAS else (low, middle)
    return least, low


@pytest.mark.parametrize(("data", "status"), ENDS)
def test_every_gas_limit_of_a_transaction(data: bytes, status: Status) -> None:
    case = sweep(data)
    least, need = _limits(case, status)
    # Every limit where the transaction succeeds in the end; where it does not, every seventh and all near the edges.
    edges = {*range(least, least + 60), *range(need - 60, need + 60)}
    for gas in sorted(edges | {*range(least, need, 1 if status is Status.OK else 7)}):
        done = case.ends(gas)
        assert done.status is (status if gas >= need else Status.OUT_OF_GAS), gas
        assert gas >= need or done.gas_used == gas


# A call inside a call: the inner frame may run out of gas alone, and then it left nothing behind.

CALLER = bytes(
    wasmtime.wat2wasm("""(module
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44\\44")
  (func (export "call")
    (if (i32.eqz (call $call (i32.const 0) (i32.const 32) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 0)))
      (then (call $finish (i32.const 0) (i32.const 1))))))""")
)


def test_every_gas_limit_of_a_call_in_a_call() -> None:
    world = empty_world()
    world.set_balance(ALICE, 10**18)
    for address, code in ((SHOP, CALLER), (OTHER, CONTRACT)):
        world.set_nonce(address, 1)
        world.set_code(address, code)
    executors = [Executor(contract_rules(), [WasmMachine(tier)]) for tier in HERE]
    seen: set[tuple[Status, bytes]] = set()
    for gas in range(21_000, 62_000, 3):
        ends = []
        for executor in executors:
            mark = world.checkpoint()
            done = executor.simulate(Message(ALICE, SHOP, gas_limit=gas), world, BLOCK)
            inner_succeeded = done.output != b""
            assert world.storage(OTHER, KEY) == (b"value" if inner_succeeded else b""), gas
            assert len(done.logs) == inner_succeeded
            world.rollback(mark)
            ends.append((done.status, done.gas_used, done.output))
        assert len(set(ends)) == 1, (gas, ends)
        seen.add((ends[0][0], ends[0][2]))
    assert seen == {(Status.OUT_OF_GAS, b""), (Status.OK, b""), (Status.OK, b"D")}
