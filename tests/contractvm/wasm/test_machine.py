"""The wasm machine: dividing creation data, how frames end, what entering costs, and what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
import wasmtime

from contractvm.crypto import keccak256
from contractvm.errors import Fatal, Malformed, OutOfGas, Revert, Trap, TrapCode, Unlinkable
from contractvm.host import Session
from contractvm.machine import Call, Machine, Outcome, Status
from contractvm.rules import contract_rules
from contractvm.wasm import machine as machine_module
from contractvm.wasm.contract import reload
from contractvm.wasm.encode import section, sized
from contractvm.wasm.machine import WasmMachine
from tests.contractvm.host.rig import Rig, rig
from tests.tiers import tier_parameters

RULES = contract_rules()
MILLI = RULES.schedule.milli
EMPTY = '(memory (export "memory") 1) (func (export "call"))'


def code(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {text})"))


def with_length(module: bytes, length: int) -> bytes:
    """The module with a leading section `cvm` that says `length`."""
    return module[:8] + section(0, sized(b"cvm") + length.to_bytes(4, "little")) + module[8:]


def run(machine: WasmMachine, data: bytes, frame: Rig | None = None, entry: str = "call") -> bytes:
    return machine.run(data, keccak256(data), entry, (frame or rig()).host)


@pytest.fixture(params=tier_parameters())
def machine(request: pytest.FixtureRequest) -> WasmMachine:
    return WasmMachine(request.param)


def test_it_is_a_machine(machine: Machine) -> None:
    assert machine.name == "wasm"
    assert machine.accepts(b"\0asm\1\0\0\0")
    assert not machine.accepts(b"\x7fELF")
    assert not machine.accepts(b"\0as")
    with pytest.raises(ValueError, match="no tier 'fast'"):
        WasmMachine("fast")


class TestSplit:
    MODULE = code(EMPTY)

    def test_without_the_section_everything_is_the_module(self) -> None:
        assert WasmMachine().split(self.MODULE + b"args") == (self.MODULE + b"args", b"")

    @pytest.mark.parametrize("arguments", [b"", b"\0", b"arguments" * 100])
    def test_with_it_the_rest_is_arguments(self, arguments: bytes) -> None:
        module = with_length(self.MODULE, len(self.MODULE) + 10)
        assert WasmMachine().split(module + arguments) == (module, arguments)
        WasmMachine().check(module, RULES)

    @pytest.mark.parametrize("length", [0, 8, 17, 0xFFFF_FFFF])
    def test_a_forged_length_is_refused_at_its_place(self, length: int) -> None:
        data = with_length(self.MODULE, length)
        with pytest.raises(
            Malformed, match=f"section cvm says {length} bytes of module, {len(data)} are there"
        ) as caught:
            WasmMachine().split(data)
        assert caught.value.place.offset == 14

    def test_one_byte_too_many_is_refused(self) -> None:
        data = with_length(self.MODULE, len(self.MODULE) + 11)
        with pytest.raises(Malformed):
            WasmMachine().split(data)

    def test_a_length_within_the_module_cuts_it(self) -> None:
        data = with_length(self.MODULE, 18)
        module, arguments = WasmMachine().split(data)
        assert (module, module + arguments) == (data[:18], data)

    @pytest.mark.parametrize("size", range(8, 18))
    def test_a_section_cut_short(self, size: int) -> None:
        data = with_length(self.MODULE, 40)[:size]
        if size < 14:
            assert WasmMachine().split(data) == (data, b"")
        else:
            with pytest.raises(Malformed):
                WasmMachine().split(data)

    def test_a_section_that_is_not_first_says_nothing(self) -> None:
        data = self.MODULE + section(0, sized(b"cvm") + (9).to_bytes(4, "little"))
        assert WasmMachine().split(data) == (data, b"")


ENDS = """(import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "revert" (func $revert (param i32 i32)))
  (import "cvm1" "input_size" (func $input (result i32)))
  (memory (export "memory") 1) (data (i32.const 4) "output")
  (func $trap (drop (i32.div_u (i32.const 1) (i32.const 0))))
  (func (export "call")
    (if (i32.eq (call $input) (i32.const 1)) (then (call $finish (i32.const 4) (i32.const 6)) (unreachable)))
    (if (i32.eq (call $input) (i32.const 2)) (then (call $revert (i32.const 4) (i32.const 3)) (unreachable)))
    (if (i32.eq (call $input) (i32.const 3)) (then (call $trap)))
    (if (i32.eq (call $input) (i32.const 4)) (then (call $finish (i32.const -1) (i32.const 1))))
    (if (i32.eq (call $input) (i32.const 5)) (then (loop (br 0)))))"""


class TestEnds:
    CODE = code(ENDS)

    def frame(self, size: int) -> Rig:
        return rig(data=bytes(size), gas=20_000)

    def test_by_returning(self, machine: WasmMachine) -> None:
        assert run(machine, self.CODE, self.frame(0)) == b""

    def test_by_finish(self, machine: WasmMachine) -> None:
        assert run(machine, self.CODE, self.frame(1)) == b"output"

    def test_by_revert(self, machine: WasmMachine) -> None:
        with pytest.raises(Revert) as caught:
            run(machine, self.CODE, self.frame(2))
        assert caught.value.data == b"out"

    def test_by_a_trap_with_its_place_and_backtrace(self, machine: WasmMachine) -> None:
        with pytest.raises(Trap) as caught:
            run(machine, self.CODE, self.frame(3))
        trap = caught.value
        assert trap.code is TrapCode.INTEGER_DIVIDE_BY_ZERO
        assert trap.place == trap.backtrace[0]
        assert [place.function for place in trap.backtrace] == [3, 4]
        assert trap.backtrace[1].name == "call"

    def test_by_a_trap_of_the_host(self, machine: WasmMachine) -> None:
        with pytest.raises(Trap) as caught:
            run(machine, self.CODE, self.frame(4))
        assert caught.value.code is TrapCode.HOST_POINTER
        assert caught.value.place is not None
        assert caught.value.place.function == 4

    def test_by_running_out_of_gas(self, machine: WasmMachine) -> None:
        with pytest.raises(OutOfGas):
            run(machine, self.CODE, self.frame(5))

    def test_an_absent_constructor_costs_nothing(self, machine: WasmMachine) -> None:
        frame = rig()
        before = frame.host.meter.left
        assert run(machine, self.CODE, frame, "deploy") == b""
        assert frame.host.meter.left == before
        assert not frame.host.world.warm_address(keccak256(self.CODE))


def test_what_a_host_raises_by_mistake_is_no_trap(machine: WasmMachine) -> None:
    """An IndexError of ours must not pass for memory out of bounds."""

    def broken(call: Call) -> Outcome:
        raise IndexError("a bug")

    frame = rig(gas=10**8)
    frame.answer = broken
    with pytest.raises(IndexError, match="a bug"):
        run(machine, code(GROWER), frame)


BUSY = """(memory (export "memory") 2) (table 3 funcref) (elem (i32.const 0) 0) (data (i32.const 0) "12345")
  (func (export "call") (nop))"""


class TestCost:
    @pytest.mark.parametrize("depth", [0, 1])
    def test_cold_then_warm(self, machine: WasmMachine, depth: int) -> None:
        """The transaction has paid for the outermost frame's first page; a cold account for the first bytes of code."""
        data = code(BUSY) + section(0, sized(b"x") + bytes(30_000))
        frame = rig(depth=depth)
        first = MILLI("wasm.frame.page") if depth else 0
        entering = first + MILLI("wasm.page") + 4 * MILLI("wasm.table_entry") + 5 * MILLI("wasm.frame.segment_byte")
        spent = []
        for _ in range(3):
            before = frame.host.meter.left
            run(machine, data, frame)
            spent.append(before - frame.host.meter.left)
        warm = entering + MILLI("wasm.nop")
        assert spent == [warm + (len(data) - 24_576) * MILLI("wasm.frame.code_byte"), warm, warm]

    def test_code_of_the_size_that_is_covered(self, machine: WasmMachine) -> None:
        data, spent = code(EMPTY), []
        for size in (24_576, 24_577):
            frame = rig()
            before, padding = frame.host.meter.left, size - len(data) - 6
            padded = data + section(0, sized(b"x") + bytes(padding))
            assert len(padded) == size
            run(machine, padded, frame)
            spent.append(before - frame.host.meter.left)
        assert spent[1] - spent[0] == MILLI("wasm.frame.code_byte")

    def test_cold_code_that_cannot_be_paid_is_not_decoded(self, machine: WasmMachine) -> None:
        data = code(EMPTY) + section(0, sized(b"x") + bytes(30_000))
        with pytest.raises(OutOfGas):
            run(machine, data, rig(gas=5_000))
        assert machine.kept_code_bytes == 0

    def test_what_is_kept_changes_no_price(self, machine: WasmMachine) -> None:
        spent = set()
        for fresh in (machine, WasmMachine(machine.tier), machine):
            frame = rig()
            before = frame.host.meter.left
            run(fresh, code(BUSY), frame)
            spent.add(before - frame.host.meter.left)
        assert len(spent) == 1


GROWER = """(import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (memory (export "memory") 2)
  (func (export "call")
    (i32.store8 (i32.const 0) (memory.grow (i32.const 3)))
    (i32.store8 (i32.const 1)
      (call $call (i32.const 64) (i32.const 96) (i32.const 0) (i32.const 0) (i64.const -1) (i32.const 1)))
    (i32.store8 (i32.const 2) (memory.grow (i32.const 1)))
    (call $finish (i32.const 0) (i32.const 3)))"""


class TestPages:
    CODE = code(GROWER)

    def session(self, pages: int) -> Session:
        return Session(replace(RULES, limits=replace(RULES.limits, live_pages=pages)))

    def test_a_frame_gives_back_what_it_held(self, machine: WasmMachine) -> None:
        session = self.session(6)
        assert run(machine, self.CODE, rig(session=session, gas=10**8)) == bytes([2, 0, 5])
        assert session.pages.left == 6

    def test_growth_beyond_the_budget_is_refused(self, machine: WasmMachine) -> None:
        session = self.session(4)
        assert run(machine, self.CODE, rig(session=session, gas=10**8)) == bytes([255, 0, 2])
        assert session.pages.left == 4

    def test_a_frame_that_does_not_fit_traps_before_it_runs(self, machine: WasmMachine) -> None:
        session = self.session(1)
        with pytest.raises(Trap, match="2 pages wanted, 1 left"):
            run(machine, self.CODE, rig(session=session, gas=10**8))
        assert session.pages.left == 1

    @pytest.mark.parametrize(("pages", "output"), [(12, [2, 0, 5]), (10, [2, 0, 255]), (6, [2, 3, 5])])
    def test_nested_frames_hold_pages_together(self, machine: WasmMachine, pages: int, output: list[int]) -> None:
        """The outer frame has grown to 5 pages; the inner one starts with 2, grows to 5, then to 6."""
        session = self.session(pages)
        inner: list[bytes] = []

        def answer(call: Call) -> Outcome:
            frame = rig(session=session, gas=10**7, depth=1)
            try:
                inner.append(run(machine, self.CODE, frame))
            except Trap as trap:
                return Outcome(Status.TRAP, call.gas, trap=trap)
            return Outcome(Status.OK, call.gas)

        outer = rig(session=session, gas=10**8)
        outer.answer = answer
        result = run(machine, self.CODE, outer)
        assert session.pages.left == pages
        if pages == 6:
            assert (list(result), inner) == ([2, Status.TRAP, 5], [])
        else:
            assert (list(result), [list(i) for i in inner]) == ([2, Status.OK, 5], [output])

    @pytest.mark.parametrize("end", ["(unreachable)", "(loop (br 0))", "(call $revert (i32.const 0) (i32.const 0))"])
    def test_pages_come_back_however_a_frame_ends(self, machine: WasmMachine, end: str) -> None:
        data = code(
            '(import "cvm1" "revert" (func $revert (param i32 i32))) (memory (export "memory") 1)'
            f'(func (export "call") (drop (memory.grow (i32.const 2))) {end})'
        )
        session = self.session(7)
        with pytest.raises((Trap, OutOfGas, Revert)):
            run(machine, data, rig(session=session, gas=20_000))
        assert session.pages.left == 7


def test_the_host_sees_memory_that_grew(machine: WasmMachine) -> None:
    data = code("""(import "cvm1" "self_address" (func $me (param i32)))
      (import "cvm1" "finish" (func $finish (param i32 i32)))
      (memory (export "memory") 1)
      (func (export "call") (drop (memory.grow (i32.const 1))) (call $me (i32.const 65530))
        (call $finish (i32.const 65530) (i32.const 20)))""")
    frame = rig(gas=10**8)
    assert run(machine, data, frame) == frame.host.self_address


class TestKept:
    def contracts(self, count: int, size: int) -> list[bytes]:
        return [code(EMPTY) + section(0, sized(b"pad") + bytes([n]) * size) for n in range(count)]

    def test_code_is_kept_up_to_a_bound_the_last_used_longest(
        self, machine: WasmMachine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        codes = self.contracts(4, 1_000)
        size = len(codes[0])
        monkeypatch.setattr(machine_module, "KEPT_CODE_BYTES", 3 * size)
        decoded: list[bytes] = []
        monkeypatch.setattr(machine_module, "reload", partial(_noting, decoded, reload))
        for data in codes[:3]:
            run(machine, data)
        assert machine.kept_code_bytes == 3 * size
        run(machine, codes[0])
        assert decoded == codes[:3]
        run(machine, codes[3])  # 1 goes, used longest ago
        assert machine.kept_code_bytes == 3 * size
        run(machine, codes[0])
        run(machine, codes[2])
        assert decoded == codes
        run(machine, codes[1])
        assert decoded == [*codes, codes[1]]

    def test_one_contract_larger_than_the_bound_still_runs(
        self, machine: WasmMachine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(machine_module, "KEPT_CODE_BYTES", 10)
        for data in self.contracts(3, 50):
            assert run(machine, data) == b""
            assert machine.kept_code_bytes == len(data)

    def test_waiting_instances_go_with_their_code(self, monkeypatch: pytest.MonkeyPatch) -> None:
        machine = WasmMachine()
        monkeypatch.setattr(machine_module, "KEPT_CODE_BYTES", 10)
        for data in self.contracts(5, 50):
            run(machine, data)
        assert machine.idle_pages == 1

    def test_checked_code_is_not_decoded_again(self, machine: WasmMachine, monkeypatch: pytest.MonkeyPatch) -> None:
        data = code(EMPTY)
        machine.check(data, RULES)
        monkeypatch.setattr(machine_module, "reload", partial(_noting, [], _never))
        monkeypatch.setattr(machine_module, "accept", _never)
        machine.check(data, RULES)
        assert run(machine, data) == b""

    def test_rules_are_told_apart(self, machine: WasmMachine) -> None:
        data = code('(memory (export "memory") 2) (func (export "call"))')
        dear = replace(RULES, limits=replace(RULES.limits, stack_weight=10))
        machine.check(data, RULES)
        assert run(machine, data) == b""
        frame = rig()
        frame.host.rules, frame.host.limits = dear, dear.limits
        with pytest.raises(Trap, match="call stack exhausted"):
            run(machine, data, frame)
        assert machine.kept_code_bytes == 2 * len(data)


def test_check_refuses(machine: WasmMachine) -> None:
    with pytest.raises(Unlinkable):
        machine.check(code('(import "env" "f" (func))' + EMPTY), RULES)
    assert machine.kept_code_bytes == 0


def _noting(seen: list[bytes], function: Callable[..., object], data: bytes, *rest: object) -> object:
    seen.append(data)
    return function(data, *rest)


def _never(*_: object) -> object:
    raise Fatal("this was kept and must not be made again")
