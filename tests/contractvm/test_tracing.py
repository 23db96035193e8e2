"""The recorder: what it keeps, where it stops, and that what runs under it is the same."""

from __future__ import annotations

import pytest
import wasmtime

from contractvm.errors import Place
from contractvm.execute import Executed, Executor
from contractvm.machine import Kind, Machine, Status
from contractvm.tracing import Emitted, Frame, Recorder, TooLong, Write
from contractvm.transaction import Transaction
from contractvm.wasm.machine import WasmMachine
from state.world import World
from tests.contractvm.fake import empty_world
from tests.contractvm.scene import (
    ALICE,
    BLOCK,
    CALL,
    ETHER,
    OTHER,
    RULES,
    SHOP,
    apply,
    reverts,
    traps,
    works,
    world_with,
)

WRITES = wasmtime.wat2wasm("""(module
  (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
  (import "cvm1" "log" (func $log (param i32 i32 i32 i32)))
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "keyvalue") (data (i32.const 32) "DDDDDDDDDDDDDDDDDDDD")
  (func (export "call")
    (call $set (i32.const 0) (i32.const 3) (i32.const 3) (i32.const 5))
    (call $log (i32.const 0) (i32.const 0) (i32.const 3) (i32.const 5))
    (drop (call $call (i32.const 32) (i32.const 64) (i32.const 0) (i32.const 4) (i64.const -1) (i32.const 0)))
    (call $set (i32.const 0) (i32.const 3) (i32.const 3) (i32.const 0))))""")
"""Writes, logs, calls the contract at 44..., removes what it wrote."""
TRAPS = wasmtime.wat2wasm('(module (memory (export "memory") 1) (func (export "call") nop unreachable))')


def scene() -> World:
    world = empty_world()
    world.set_balance(ALICE.address, ETHER)
    for address, code in ((SHOP, WRITES), (OTHER, TRAPS)):
        world.set_nonce(address, 1)
        world.set_code(address, bytes(code))
    return world


def run(*machines: Machine, tx: Transaction = CALL) -> Executed:
    return apply(Executor(RULES, machines), scene(), tx)


def shape(frame: Frame) -> list[object]:
    """What happened, without places."""
    told: list[object] = [frame.kind, frame.address, frame.status, frame.gas_used, frame.output]
    for event in frame.events:
        match event:
            case Frame():
                told.append(shape(event))
            case Write():
                told.append((event.address, event.key, event.before, event.after))
            case Emitted():
                told.append(event.log.data)
    return told


def test_what_is_recorded_runs_as_it_does_alone() -> None:
    plain = run(WasmMachine("portable"))
    recorder = Recorder()
    followed = Recorder()
    for machine, listening in ((recorder.around(WasmMachine("portable")), recorder), (followed.reference(), followed)):
        executed = run(machine)
        assert (executed.status, executed.gas_used, executed.logs) == (plain.status, plain.gas_used, plain.logs)
        assert listening.frames == [listening.roots[0], listening.roots[0].events[2]]
    assert shape(recorder.roots[0]) == shape(followed.roots[0])


def test_events_come_in_order_and_have_places() -> None:
    recorder = Recorder()
    run(recorder.reference())
    [top] = recorder.roots
    first, emitted, inner, last = top.events
    assert isinstance(first, Write) and (first.key, first.before, first.after) == (b"key", b"", b"value")
    assert isinstance(emitted, Emitted) and emitted.log.data == b"value"
    assert isinstance(last, Write) and (last.before, last.after) == (b"value", b"")
    assert isinstance(inner, Frame)
    assert (inner.kind, inner.address, inner.caller, inner.status) == (Kind.CALL, OTHER, SHOP, Status.TRAP)
    assert (inner.input, inner.depth, inner.detail) == (b"keyv", 1, "unreachable")
    offsets = [event.place.offset for event in top.events if event.place is not None and event.place.offset is not None]
    assert len(offsets) == 4 and offsets == sorted(offsets)
    assert all(WRITES[offset] == 0x10 for offset in offsets)
    assert inner.stopped is not None and inner.stopped.offset is not None and TRAPS[inner.stopped.offset] == 0x00


def test_only_what_is_followed_is_a_place() -> None:
    everywhere = Recorder()
    run(everywhere.reference())
    first = everywhere.roots[0].events[0]
    assert isinstance(first, Write) and isinstance(first.place, Place)
    recorder = Recorder(lambda code_hash, offset: offset == first.place.offset)  # type: ignore[union-attr]
    run(recorder.reference())
    assert {event.place for event in recorder.roots[0].events} == {first.place}


def test_no_more_is_kept_than_there_is_room_for() -> None:
    for recorder in (Recorder(most_events=2), Recorder(most_bytes=150)):
        executed = run(recorder.around(WasmMachine("portable")))
        assert executed.ok and recorder.cut
        assert 0 < len(recorder.roots[0].events) < 4
    calls = Recorder(writes=False, most_events=2)
    run(calls.around(WasmMachine("portable")))
    assert [type(event) for event in calls.roots[0].events] == [Emitted, Frame] and not calls.cut
    whole = Recorder()
    run(whole.around(WasmMachine("portable")))
    assert not whole.cut


def test_a_run_that_is_too_long_is_given_up() -> None:
    with pytest.raises(TooLong):
        run(Recorder(most_steps=3).reference())
    run(Recorder(most_steps=100).reference())


@pytest.mark.parametrize(("contract", "status"), [(works, Status.OK), (reverts, Status.REVERT), (traps, Status.TRAP)])
def test_any_machine_is_recorded(contract: object, status: Status) -> None:
    world, executor = world_with(shop=contract)  # type: ignore[arg-type]
    recorder = Recorder()
    apply(Executor(RULES, [recorder.around(machine) for machine in executor.machines]), world, CALL)
    [top] = recorder.roots
    assert top.status is status
    assert [event.key for event in top.events if isinstance(event, Write)] == [b"key"]


def test_a_payment_opens_no_frame() -> None:
    recorder = Recorder()
    world = scene()
    tx = Transaction(max_fee=10, gas_limit=21_000, to=BLOCK.coinbase, value=1, chain_id=1)
    assert apply(Executor(RULES, [recorder.reference()]), world, tx).ok
    assert recorder.roots == []
