"""Host functions that compiled code serves itself: each ends as the host's own function does, in every tier.

Compared are output, gas, status, trap and its place; gas limits around the end of each call find the one where paying
fails. The contract takes the arguments from its calldata, so that nothing about them is known when it is compiled.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.host import HOST, HostRow, How
from contractvm.host.facts import BYTES, FACTS, FORM, NUMBER, OFFSET, SIZE, pack_into
from contractvm.rules import contract_rules
from contractvm.types import Address
from contractvm.wasm.machine import WasmMachine
from state.world import World
from tests.contractvm.fake import empty_world
from tests.contractvm.host.rig import rig
from tests.tiers import HERE

ROWS = [row for row in HOST if row.native is not None]
ME = Address(b"\x77" * 20)
ALICE = dev_accounts()[0].address
PAGE = 65_536
WASM = {"i": "i32", "I": "i64"}
POINTERS = (0, 1, 100, PAGE - 32, PAGE - 31, PAGE - 20, PAGE - 19, PAGE, PAGE + 1, 0xFFFF_FFFF)
BLOCK = BlockContext(chain_id=2**63 - 1, number=2**40, timestamp=2**41 + 1, coinbase=Address(b"\xcb" * 20), base_fee=9)


def contract(row: HostRow) -> bytes:
    """Calls itself with its own calldata's tail (so that there is return data), then the row, then shows the page."""
    loads = "".join(f"(i32.load (i32.const {40_000 + 4 * n}))" for n in range(len(row.params)))
    called = f"(call $row {loads})"
    if row.results:
        called = f"({WASM[row.results]}.store (i32.const 50000) {called})"
    params = f"(param{''.join(f' {WASM[k]}' for k in row.params)})" if row.params else ""
    results = f"(result {WASM[row.results]})" if row.results else ""
    wasmtime = pytest.importorskip("wasmtime", reason="assembling WAT needs the package wasmtime")
    return bytes(
        wasmtime.wat2wasm(
            f"""(module
            (import "cvm1" "{row.name}" (func $row {params} {results}))
            (import "cvm1" "input_copy" (func $copy (param i32 i32 i32) (result i32)))
            (import "cvm1" "input_size" (func $size (result i32)))
            (import "cvm1" "self_address" (func $me (param i32)))
            (import "cvm1" "static_call" (func $static (param i32 i32 i32 i64 i32) (result i32)))
            (import "cvm1" "finish" (func $end (param i32 i32)))
            (memory (export "memory") 1)
            (func $main
              (drop (call $copy (i32.const 40000) (i32.const 0) (i32.const 12)))
              (call $me (i32.const 41000))
              (drop (call $static (i32.const 41000) (i32.const 40000) (i32.const 7) (i64.const 100000) (i32.const 1)))
              {called}
              (call $end (i32.const 0) (i32.const 65536)))
            (func (export "call")
              (if (i32.eq (call $size) (i32.const 7))
                (then (call $end (i32.const 40) (i32.const 33))))
              (call $main)))"""
        )
    )


def arguments(row: HostRow) -> list[tuple[int, ...]]:
    """Ranges that fit, that just fit, and that do not."""
    if len(row.params) < 2:
        return [(at,) * len(row.params) for at in (POINTERS if row.params else (0,))]
    if len(row.params) == 2:
        return [(at, n) for at in (0, 5, PAGE - 1, PAGE, 0xFFFF_FFFF) for n in (0, 1, 2, 31, 33, 0xFFFF_FFFF)]
    offsets, caps = (0, 1, 11, 12, 13, 33, 40, 0xFFFF_FFFF), (0, 1, 12, 40, PAGE, 0xFFFF_FFFF)
    return [(at, offset, cap) for at in (0, 3, PAGE - 12, PAGE) for offset in offsets for cap in caps]


class Scene:
    """The contract of a row on every tier."""

    def __init__(self, row: HostRow) -> None:
        self.rules, self.code = contract_rules(), contract(row)
        self.executors = {tier: Executor(self.rules, [WasmMachine(tier)]) for tier in HERE}

    def _world(self) -> World:
        world = empty_world()
        world.set_code(ME, self.code)
        world.set_nonce(ME, 1)
        world.set_balance(ALICE, 10**30)
        return world

    def run(self, given: tuple[int, ...], gas: int) -> Executed:
        """What all tiers say."""
        data = b"".join(n.to_bytes(4, "little") for n in given).ljust(12, b"\x05")
        message = Message(ALICE, ME, 12345678901234567890, data, gas, gas_price=10**12 + 7)
        runs = {tier: executor.simulate(message, self._world(), BLOCK) for tier, executor in self.executors.items()}
        for tier, done in runs.items():
            first = runs[HERE[0]]
            assert replace(done, trap=None) == replace(first, trap=None), (tier, given, gas)
            assert str(done.trap) == str(first.trap), (tier, given, gas)
            if done.trap is not None and first.trap is not None:
                assert (done.trap.place, done.trap.backtrace) == (first.trap.place, first.trap.backtrace), (tier, given)
        return runs[HERE[0]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_tier_says_the_same(row: HostRow) -> None:
    scene, seen = Scene(row), set()
    for given in arguments(row):
        done = scene.run(given, 1_000_000)
        seen.add(done.trap.code if done.trap is not None else done.status)
    assert len(seen) >= (2 if row.params else 1), "ranges that fit and ranges that do not"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_gas_ends_at_the_same_call(row: HostRow) -> None:
    scene, given = Scene(row), (7, 3, 9)[: len(row.params)]
    spent = scene.run(given, 1_000_000).gas_spent
    ends = {scene.run(given, limit).status for limit in range(spent - 1200, spent + 20, 7)}
    assert len(ends) > 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_column_fits_the_row(row: HostRow) -> None:
    forms = {
        How.WRITE: ("i", ""),
        How.NUMBER: ("", "I"),
        How.GAS_LEFT: ("", "I"),
        How.SIZE: ("", "i"),
        How.COPY: ("iii", "i"),
        How.FINISH: ("ii", ""),
        How.REVERT: ("ii", ""),
    }
    assert row.native is not None
    assert (row.params, row.results) == forms[row.native]
    reads = row.native in (How.WRITE, How.NUMBER, How.SIZE, How.COPY)
    assert (row.fact in FORM) == reads
    assert set(row.also) <= {"copy.word"}


def test_facts_are_what_the_functions_say() -> None:
    frame = rig(data=bytes(range(50)), value=2**255 + 5)
    frame.host.answered(b"answer")
    block = bytearray(SIZE)
    pack_into(frame.host, block, 0)
    for row in ROWS:
        if row.native is How.WRITE:
            frame.run(row.name, 64)
            size, at = BYTES[FORM[row.fact]], OFFSET[row.fact]
            assert block[at : at + size] == frame.get(64, size), row.name
        elif row.native is How.NUMBER:
            assert int.from_bytes(block[OFFSET[row.fact] :][:8], "little") == frame.run(row.name)
        elif row.native is How.SIZE:
            assert int.from_bytes(block[OFFSET[row.fact] + 8 :][:8], "little") == frame.run(row.name)
    assert all(OFFSET[fact.name] % 8 == 0 for fact in FACTS) and NUMBER in {fact.form for fact in FACTS}
    assert {fact.name for fact in FACTS} == {row.fact for row in ROWS if row.fact in FORM}


def test_return_data_is_kept_up_to_date() -> None:
    frame, block = rig(), bytearray(SIZE)
    frame.host.facts = block, 0
    frame.host.answered(bytes(77))
    assert int.from_bytes(block[OFFSET["returndata"] + 8 :][:8], "little") == 77
