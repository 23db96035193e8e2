"""A series of messages gives back what each gives back alone, to the byte and the unit of gas, and changes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
import wasmtime

from contractvm.chain import Chain
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Rejected
from contractvm.execute import Executed, Message, Series
from contractvm.genesis import Genesis
from contractvm.machine import Status
from contractvm.nesting import RaisedRecursionLimit
from contractvm.types import Address
from contractvm.wasm import machine as wasm_machine
from contractvm.wasm import repeated
from contractvm.wasm.machine import WasmMachine
from contractvm.wasm.runner import MOST_GAS_COUNTED
from contractvm.wasm.unwinding import NoRoom
from state.store import MemoryStore
from state.world import World
from tests.contractvm.wasm.test_runner import DIRTY, FRESH, place_code
from tests.tiers import NATIVE, missing

pytestmark = pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))

# The first byte of input says what is done, the second what a call to itself is told to do. Everything that is seen,
# the gas between any two steps included, is given back.
SEEING = """(module
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
  (import "cvm1" "gas_left" (func $gas (result i64)))
  (import "cvm1" "caller" (func $caller (param i32)))
  (import "cvm1" "origin" (func $origin (param i32)))
  (import "cvm1" "self_address" (func $self (param i32)))
  (import "cvm1" "base_fee" (func $fee (param i32)))
  (import "cvm1" "balance" (func $balance (param i32 i32) (result i32)))
  (import "cvm1" "storage_get" (func $get (param i32 i32 i32 i32) (result i32)))
  (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
  (import "cvm1" "transient_get" (func $tget (param i32 i32 i32 i32) (result i32)))
  (import "cvm1" "transient_set" (func $tset (param i32 i32 i32 i32)))
  (import "cvm1" "iter_open" (func $open (param i32 i32 i32 i32 i32) (result i32)))
  (import "cvm1" "iter_next" (func $next (param i32) (result i32)))
  (import "cvm1" "iter_key" (func $key (param i32 i32 i32) (result i32)))
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "cvm1" "returndata_size" (func $size (result i32)))
  (import "cvm1" "returndata_copy" (func $back (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1 4)
  (global $at (mut i32) (i32.const 2048))
  (func $does (param i32) (result i32) (i32.and (i32.load8_u (i32.const 0)) (local.get 0)))
  (func $note (param i64)
    (i64.store (global.get $at) (local.get 0)) (global.set $at (i32.add (global.get $at) (i32.const 8))))
  (func $seen (param i32)
    (call $note (i64.extend_i32_s (local.get 0))) (call $note (call $gas)))
  (func (export "call") (local $handle i32)
    (call $seen (call $size))
    (call $seen (call $input (i32.const 0) (i32.const 0) (i32.const 64)))
    (call $caller (i32.const 128)) (call $origin (i32.const 160)) (call $self (i32.const 192))
    (call $fee (i32.const 224)) (call $seen (i32.load8_u (i32.const 65535)))
    (if (call $does (i32.const 1)) (then
      (call $seen (call $get (i32.const 0) (i32.const 2) (i32.const 256) (i32.const 32)))
      (call $seen (call $get (i32.const 0) (i32.const 2) (i32.const 256) (i32.const 32)))
      (call $seen (call $balance (i32.const 128) (i32.const 320)))))
    (if (call $does (i32.const 2)) (then
      (call $set (i32.const 0) (i32.const 2) (i32.const 128) (i32.const 20))
      (call $seen (call $get (i32.const 0) (i32.const 2) (i32.const 256) (i32.const 32)))
      (call $seen (call $tget (i32.const 0) (i32.const 1) (i32.const 288) (i32.const 32)))
      (call $tset (i32.const 0) (i32.const 1) (i32.const 128) (i32.const 20))
      (call $seen (call $tget (i32.const 0) (i32.const 1) (i32.const 288) (i32.const 32)))))
    (if (call $does (i32.const 4)) (then
      (local.set $handle (call $open (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1)))
      (call $seen (local.get $handle))
      (call $seen (call $next (local.get $handle)))
      (call $seen (call $key (local.get $handle) (i32.const 352) (i32.const 32)))))
    (if (call $does (i32.const 8)) (then
      (call $seen (call $call (i32.const 192) (i32.const 400) (i32.const 1) (i32.const 1) (i64.const 300000)
        (i32.const 1)))
      (call $seen (call $size))
      (call $seen (call $back (i32.const 512) (i32.const 0) (i32.const 512)))))
    (if (call $does (i32.const 16)) (then (call $seen (memory.grow (i32.const 2)))))
    (i32.store8 (i32.const 65535) (i32.const 255))
    (if (call $does (i32.const 32)) (then (call $revert (i32.const 0) (i32.const 4096))))
    (if (call $does (i32.const 64)) (then (unreachable)))
    (if (call $does (i32.const 128)) (then (return)))
    (call $finish (i32.const 0) (i32.const 4096))))"""

PLACE, DIRTIED, NOBODY = (Address(bytes([each]) * 20) for each in (0x11, 0x12, 0x13))
WHO = [account.address for account in dev_accounts()[:3]] + [PLACE, Address(bytes(20))]


class Bench:
    """A chain with both contracts, compiled; worlds over its head."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.context = chain.context("latest")

    def world(self) -> World:
        return self.chain.world()

    def series(self, world: World, to: Address = PLACE) -> Series | None:
        executor = self.chain.executor
        return executor.series(world, self.context, to)

    def alone(self, message: Message) -> Executed | None:
        try:
            return self.chain.call(message)
        except Rejected:
            return None


def filled(world: World) -> None:
    for n in range(40):
        world.set_storage(PLACE, bytes([n, 2 * n % 7]), bytes([n]))


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Chain(MemoryStore(), Genesis(), machines=[WasmMachine(NATIVE)]) as chain:
        for address, text in ((PLACE, SEEING), (DIRTIED, DIRTY)):
            place_code(chain, address, bytes(wasmtime.wat2wasm(text)))
            chain.call(Message(to=address, gas_limit=1_000_000))
        chain.edit(filled)
        yield Bench(chain)


def messages(seed: int, count: int) -> Iterator[Message]:
    chance = random.Random(seed)
    for _ in range(count):
        length = chance.choice((0, 2, 9))
        data = bytes(chance.choice((chance.randrange(16), chance.randrange(256))) for _ in range(length))
        gas = chance.choice((21_000, 22_000, 30_000, 45_000, 100_000, 5_000_000, 10**15, chance.randrange(60_000)))
        yield Message(sender=chance.choice(WHO), to=PLACE, data=data, gas_limit=gas)


def changes(world: World) -> list[object]:
    return [change for change in world.changes() if change.account != change.before or change.storage]


@pytest.mark.parametrize("seed", range(8))
def test_a_series_says_what_each_message_gives_back(bench: Bench, seed: int) -> None:
    world = bench.world()
    series = bench.series(world)
    assert series is not None
    given = failed = 0
    with RaisedRecursionLimit():
        for message in messages(seed, 150):
            expected, gas = bench.alone(message), message.gas_limit or 0
            output = series.output(message.sender, message.data, gas)
            if expected is None or not expected.ok or gas > MOST_GAS_COUNTED:
                assert output is None
                failed += 1
            else:
                assert output == expected.output
                given += 1
    series.end()
    assert given > 40 and failed > 20
    assert not changes(world)


def test_nothing_of_a_message_is_left_for_the_next(bench: Bench) -> None:
    world = bench.world()
    series = bench.series(world, DIRTIED)
    assert series is not None
    for ending in (0, 1, 2, 3, 0, 0, 3, 1):
        output = series.output(WHO[0], bytes([ending]), 400_000)
        assert output == (FRESH if ending == 0 else None)
    series.end()
    assert bench.chain.call(Message(to=DIRTIED, data=b"\0", gas_limit=400_000)).output == FRESH


def test_series_messages_and_frames_below_them_take_turns(bench: Bench) -> None:
    """Of two contracts, with the same contract run in the usual way in between."""
    world, executor = bench.world(), bench.chain.executor
    frames = executor.frames(world, bench.context)
    both = [bench.series(bench.world(), to) for to in (PLACE, DIRTIED)]
    for message in messages(99, 60):
        mark = world.checkpoint()
        usual = None
        if message.gas_limit == 100_000:
            usual = executor.simulate(message, world, bench.context, frames=frames)
            world.rollback(mark)
        for to, series in zip((PLACE, DIRTIED), both, strict=True):
            assert series is not None
            expected = bench.chain.call(Message(message.sender, to, 0, message.data, 5_000_000))
            output = series.output(message.sender, message.data, 5_000_000)
            assert output == (expected.output if expected.ok else None)
        if usual is not None:
            assert usual == bench.alone(message)
    for series in both:
        assert series is not None
        series.end()


def test_where_there_is_nothing_to_repeat(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    world = bench.world()
    assert bench.series(world, NOBODY) is None, "no code"
    monkeypatch.setattr(wasm_machine, "MOST_REPEATED_PAGES", 0)
    assert bench.series(world) is None, "an instance that is too large to be kept"
    for tier in ("reference", "portable"):
        with Chain(MemoryStore(), Genesis(), machines=[WasmMachine(tier)]) as chain:
            place_code(chain, PLACE, bytes(wasmtime.wat2wasm(SEEING)))
            assert chain.call(Message(to=PLACE, gas_limit=1_000_000)).status is Status.OK
            assert Bench(chain).series(chain.world()) is None


def test_what_compiled_code_cannot_finish_is_left_to_others(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    world = bench.world()
    series = bench.series(world)
    assert series is not None
    assert series.output(WHO[0], b"", 1_000_000)
    assert series.output(WHO[0], b"", 10**16) is None, "more gas than it counts"
    assert series.output(WHO[0], bytes(2_000_000), 10**9) is None, "input beyond the limit"
    assert series.output(WHO[0], b"", 20_000) is None, "less gas than the message itself costs"

    def full(_: int) -> bytes:
        raise NoRoom

    monkeypatch.setattr(series._repeat, "_entry", full)
    assert series.output(WHO[0], b"", 1_000_000) is None
    series.end()
    assert not changes(world)


def test_cold_code_costs_what_it_costs(bench: Bench) -> None:
    """A module longer than what every transaction covers, in a series and alone."""
    filler = f'(data (i32.const 8192) "{"x" * 30_000}")'
    long = SEEING.replace("(global $at", f"{filler} (global $at")
    place = Address(b"\x14" * 20)
    place_code(bench.chain, place, bytes(wasmtime.wat2wasm(long)))
    message = Message(WHO[0], place, 0, b"\x0b\x03", 5_000_000)
    expected = bench.chain.call(message)
    bench = Bench(bench.chain)
    of_usual, series = bench.series(bench.world()), bench.series(bench.world(), place)
    assert of_usual is not None and series is not None
    usual = of_usual._repeat
    assert isinstance(usual, repeated.Repeated)
    assert isinstance(series._repeat, repeated.Repeated)
    assert series._repeat._cost > usual._cost
    assert [series.output(WHO[0], b"\x0b\x03", 5_000_000) for _ in range(3)] == [expected.output] * 3
    of_usual.end()
    series.end()
