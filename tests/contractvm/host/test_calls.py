"""Calls and creation: what is asked of `invoke`, what comes back, gas, refusals, static frames, re-entry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contractvm.errors import OutOfGas, Trap, TrapCode
from contractvm.host import Session
from contractvm.machine import Call, Kind, Outcome, Status
from contractvm.types import Address
from tests.contractvm.host.rig import CALLER, CREATED, GAS, ME, OTHER, OUT_AT, RULES, Rig, rig

gas = RULES.schedule.gas
WARM, COLD, WORD = gas("account.warm"), gas("account.cold"), gas("copy.word")
VALUE, NEW, STIPEND, CREATE = gas("call.value"), gas("call.new_account"), gas("call.stipend"), gas("create.base")
ADDRESS_AT, WEI_AT, INPUT_AT, SALT_AT = 0, 32, 64, 0x80
ALL = 2**64 - 1
REENTER = 1


def message(
    frame: Rig,
    name: str = "call",
    *,
    to: Address = OTHER,
    wei: int = 0,
    data: bytes = b"",
    asked: int = ALL,
    flags: int = 0,
) -> int | None:
    """One of the four ways to call, with the arguments put into memory."""
    frame.put(ADDRESS_AT, to)
    frame.put(WEI_AT, wei.to_bytes(32, "little"))
    frame.put(INPUT_AT, data)
    if name == "transfer":
        return frame.run(name, ADDRESS_AT, WEI_AT)
    if name == "call":
        return frame.run(name, ADDRESS_AT, WEI_AT, INPUT_AT, len(data), asked, flags)
    return frame.run(name, ADDRESS_AT, INPUT_AT, len(data), asked, flags)


def creation(
    frame: Rig, name: str = "create", *, code: bytes = b"\0asm", wei: int = 0, data: bytes = b"", asked: int = ALL
) -> int | None:
    frame.put(WEI_AT, wei.to_bytes(32, "little"))
    frame.put(INPUT_AT, code)
    frame.put(INPUT_AT + len(code), data)
    frame.put(OUT_AT, b"\xee" * 20)
    salt = (frame.put(0x1000, b"salt" * 8),) if name == "create2" else ()
    return frame.run(name, INPUT_AT, len(code), WEI_AT, INPUT_AT + len(code), len(data), asked, *salt, OUT_AT)


def spent(frame: Rig) -> int:
    return GAS - frame.host.meter.gas_left


CALLS = ("call", "static_call", "delegate_call", "transfer")


def test_what_a_call_asks_for() -> None:
    frame = rig(depth=3)
    frame.world.set_balance(ME, 10)
    frame.world.set_nonce(OTHER, 1)
    assert message(frame, wei=4, data=b"hello", asked=5_000) == 0
    assert frame.calls == [Call(Kind.CALL, ME, OTHER, OTHER, 4, b"hello", 5_000 + STIPEND, 4)]


def test_what_a_static_call_asks_for() -> None:
    frame = rig()
    assert message(frame, "static_call", data=b"hello", asked=5_000) == 0
    assert frame.calls == [Call(Kind.STATIC, ME, OTHER, OTHER, 0, b"hello", 5_000, 1, static=True)]


def test_what_a_delegate_call_asks_for() -> None:
    """The frame's own address, caller and value; only the code is the other's."""
    frame = rig(value=3)
    assert message(frame, "delegate_call", data=b"hello", asked=5_000) == 0
    assert frame.calls == [Call(Kind.DELEGATE, CALLER, ME, OTHER, 3, b"hello", 5_000, 1)]


def test_a_transfer_is_a_call_with_all_gas_and_no_input() -> None:
    frame = rig()
    frame.world.set_balance(ME, 10)
    frame.world.set_nonce(OTHER, 1)
    left = GAS - COLD - VALUE
    assert message(frame, "transfer", wei=4) == 0
    assert frame.calls == [Call(Kind.CALL, ME, OTHER, OTHER, 4, b"", left - left // 64 + STIPEND, 1)]


@pytest.mark.parametrize("name", ["call", "static_call", "delegate_call"])
def test_static_is_inherited(name: str) -> None:
    frame = rig(static=True)
    message(frame, name)
    assert frame.calls[0].static


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", list(Status))
def test_the_status_and_the_output_come_back(name: str, status: Status) -> None:
    frame = rig()
    frame.answer = lambda call: Outcome(status, 0, b"output")
    assert message(frame, name) == status
    assert frame.host.returndata == b"output"


def test_returndata_is_the_last_calls() -> None:
    frame = rig()
    frame.answer = lambda call: Outcome(Status.OK, 0, b"first")
    message(frame, asked=0)
    frame.answer = lambda call: Outcome(Status.OK, 0)
    message(frame, asked=0)
    assert frame.run("returndata_size") == 0


@pytest.mark.parametrize("name", CALLS)
def test_a_cold_address_costs_more_once(name: str) -> None:
    frame = rig()
    message(frame, name)
    assert spent(frame) == COLD
    message(frame, name)
    assert spent(frame) == COLD + WARM


def test_input_is_copied_at_a_price() -> None:
    frame = rig()
    message(frame, data=bytes(65))
    assert spent(frame) == COLD + 3 * WORD


@pytest.mark.parametrize(
    ("wei", "exists", "price"),
    [(0, False, COLD), (1, True, COLD + VALUE - STIPEND), (1, False, COLD + VALUE + NEW - STIPEND)],
)
def test_what_value_costs(wei: int, exists: bool, price: int) -> None:
    """A callee that uses nothing gives its stipend back to the caller."""
    frame = rig()
    frame.world.set_balance(ME, 10)
    if exists:
        frame.world.set_nonce(OTHER, 1)
    assert message(frame, wei=wei) == 0
    assert spent(frame) == price


@pytest.mark.parametrize("asked", [0, 1, 1_000, GAS, ALL])
def test_no_more_than_63_64ths_go_along(asked: int) -> None:
    frame = rig()
    message(frame, asked=asked)
    left = GAS - COLD
    assert frame.calls[0].gas == min(asked, left - left // 64)


def test_what_the_callee_used_is_gone() -> None:
    frame = rig()
    frame.answer = lambda call: Outcome(Status.OK, call.gas - 777)
    message(frame)
    assert spent(frame) == COLD + 777


def test_milligas_left_over_stay_with_the_caller() -> None:
    frame = rig()
    frame.host.meter.left -= 1
    message(frame, asked=ALL)
    assert frame.host.meter.left == (GAS - COLD) * 1000 - 1


@pytest.mark.parametrize("name", ["call", "transfer"])
def test_missing_funds(name: str) -> None:
    frame = rig()
    frame.world.set_balance(ME, 3)
    frame.world.set_nonce(OTHER, 1)
    frame.host.returndata = b"old"
    assert message(frame, name, wei=4) == Status.FUNDS
    assert frame.calls == [] and frame.host.returndata == b""
    assert spent(frame) == COLD + VALUE - STIPEND
    assert message(frame, name, wei=3) == 0


@pytest.mark.parametrize("name", CALLS)
def test_depth(name: str) -> None:
    limit = RULES.limits.call_depth
    frame = rig(depth=limit)
    frame.host.returndata = b"old"
    assert message(frame, name) == Status.DEPTH
    assert frame.calls == [] and frame.host.returndata == b"" and spent(frame) == COLD
    frame = rig(depth=limit - 1)
    assert message(frame, name) == 0
    assert frame.calls[0].depth == limit


def test_out_of_gas_before_the_callee_is_entered() -> None:
    for missing in (1, COLD - WARM, COLD):
        frame = rig(gas=COLD - missing)
        with pytest.raises(OutOfGas):
            message(frame)
        assert frame.calls == []


@pytest.mark.parametrize("name", ["call", "static_call", "delegate_call"])
@pytest.mark.parametrize("flags", [2, 3, 0x8000_0000, 0xFFFF_FFFF])
def test_unknown_flags_trap(name: str, flags: int) -> None:
    with pytest.raises(Trap) as trap:
        message(rig(), name, flags=flags)
    assert trap.value.code is TrapCode.HOST_ARGUMENT


@pytest.mark.parametrize("name", ["call", "static_call", "delegate_call", "create", "create2"])
def test_input_has_a_limit(name: str) -> None:
    limit = 1_000
    frame = rig(limits=replace(RULES.limits, input_bytes=limit))
    if name.startswith("create"):
        creation(frame, name, data=bytes(limit - 4))
        with pytest.raises(Trap) as trap:
            creation(frame, name, data=bytes(limit - 3))
    else:
        message(frame, name, data=bytes(limit))
        with pytest.raises(Trap) as trap:
            message(frame, name, data=bytes(limit + 1))
    assert trap.value.code is TrapCode.HOST_ARGUMENT


@pytest.mark.parametrize(
    ("name", "wei"), [("call", 1), ("transfer", 1), ("transfer", 0), ("create", 0), ("create2", 0)]
)
def test_static_frames_send_nothing_and_create_nothing(name: str, wei: int) -> None:
    frame = rig(static=True)
    frame.world.set_balance(ME, 10)
    with pytest.raises(Trap) as trap:
        creation(frame, name) if name.startswith("create") else message(frame, name, wei=wei)
    assert trap.value.code is TrapCode.STATIC_WRITE
    assert frame.calls == []


# Creation


def created(call: Call) -> Outcome:
    return Outcome(Status.OK, call.gas, b"", created=CREATED)


@pytest.mark.parametrize("name", ["create", "create2"])
def test_what_creation_asks_for(name: str) -> None:
    frame = rig(depth=5)
    frame.world.set_balance(ME, 10)
    frame.answer = created
    assert creation(frame, name, code=b"\0asm....", wei=2, data=b"arguments", asked=50_000) == 0
    kind, salt = (Kind.CREATE2, b"salt" * 8) if name == "create2" else (Kind.CREATE, b"")
    (call,) = frame.calls
    assert (call.kind, call.caller, call.value, call.input) == (kind, ME, 2, b"\0asm....arguments")
    assert (call.gas, call.depth, call.static, call.salt) == (50_000, 6, False, salt)
    assert frame.get(OUT_AT, 20) == CREATED
    assert frame.host.returndata == b""


def test_what_creation_costs() -> None:
    """The host's part: `invoke` charges init and deposited bytes to the new frame."""
    frame = rig()
    frame.answer = created
    creation(frame, data=bytes(60))
    assert spent(frame) == CREATE + 2 * WORD
    creation(frame, "create2", data=bytes(60))
    assert spent(frame) == 2 * CREATE + 4 * WORD + 2 * gas("keccak.word")


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_the_address_is_written_only_on_success(status: Status) -> None:
    frame = rig()
    frame.answer = lambda call: Outcome(status, 0, b"reason")
    assert creation(frame, asked=0) == status
    assert frame.get(OUT_AT, 20) == b"\xee" * 20
    assert frame.host.returndata == b"reason"


def test_creation_is_refused_for_funds_and_depth() -> None:
    frame = rig()
    frame.host.returndata = b"old"
    assert creation(frame, wei=1) == Status.FUNDS
    assert frame.host.returndata == b""
    assert creation(rig(depth=RULES.limits.call_depth)) == Status.DEPTH
    assert frame.calls == []


# Re-entry


def nested(frame: Rig, session: Session, target: Address, name: str, results: list[int | None]) -> None:
    """Have the callee's frame, at its own address, call `target`."""

    def answer(call: Call) -> Outcome:
        inner = rig(world=frame.world, session=session, me=call.self_address, depth=call.depth, gas=1_000_000)
        results.append(message(inner, name, to=target))
        return Outcome(Status.OK, call.gas)

    frame.answer = answer


@pytest.mark.parametrize("inner", ["call", "static_call"])
@pytest.mark.parametrize("outer", ["call", "static_call", "transfer"])
@pytest.mark.parametrize("flags", [0, REENTER])
def test_coming_back_is_denied_unless_the_flag_allows_it(outer: str, inner: str, flags: int) -> None:
    session, results = Session(RULES), list[int | None]()
    frame = rig(session=session)
    nested(frame, session, ME, inner, results)
    message(frame, outer, flags=flags)
    allowed = flags == REENTER and outer != "transfer"
    assert results == [Status.OK if allowed else Status.REENTRY]
    assert session.locked == {}


def test_a_refused_entry_keeps_its_gas_and_has_no_output() -> None:
    session = Session(RULES)
    session.locked[OTHER] = 1
    frame = rig(session=session)
    frame.world.set_balance(ME, 10)
    frame.world.set_nonce(OTHER, 1)
    frame.host.returndata = b"old"
    assert message(frame, wei=1) == Status.REENTRY
    assert frame.host.returndata == b"" and frame.calls == []
    assert spent(frame) == COLD + VALUE - STIPEND


def test_calling_oneself_needs_the_flag() -> None:
    frame = rig()
    assert message(frame, to=ME) == Status.REENTRY
    assert message(frame, "static_call", to=ME) == Status.REENTRY
    assert message(frame, to=ME, flags=REENTER) == Status.OK


def test_the_flag_of_an_inner_frame_does_not_undo_the_outer_ones() -> None:
    session = Session(RULES)
    session.locked[ME] = 1
    assert message(rig(session=session), to=ME, flags=REENTER) == Status.REENTRY


def test_a_delegate_frame_is_its_storages_address() -> None:
    """Code of OTHER on ME's storage calls out: ME is locked, OTHER is not."""
    session, results = Session(RULES), list[int | None]()
    delegate = rig(session=session, kind=Kind.DELEGATE)
    nested(delegate, session, ME, "call", results)
    message(delegate, to=CREATED)
    nested(delegate, session, OTHER, "call", results)
    message(delegate, to=CREATED)
    assert results == [Status.REENTRY, Status.OK]


def test_delegate_calls_lock_but_are_not_refused() -> None:
    session, results = Session(RULES), list[int | None]()
    session.locked[OTHER] = 1
    frame = rig(session=session)
    assert message(frame, "delegate_call") == Status.OK
    nested(frame, session, CREATED, "call", results)
    frame.answer = lambda call: Outcome(Status.OK if ME in session.locked else Status.TRAP, call.gas)
    assert message(frame, "delegate_call") == Status.OK
    assert message(frame, "delegate_call", flags=REENTER) == Status.TRAP


@pytest.mark.parametrize("name", ["create", "create2"])
def test_constructors_cannot_come_back(name: str) -> None:
    session, results = Session(RULES), list[int | None]()
    frame = rig(session=session)

    def answer(call: Call) -> Outcome:
        inner = rig(world=frame.world, session=session, me=CREATED, depth=1)
        results.append(message(inner, to=ME))
        return created(call)

    frame.answer = answer
    assert creation(frame, name) == 0
    assert results == [Status.REENTRY]
    assert session.locked == {}


def test_locks_are_counted() -> None:
    """Two frames at one address, both calling out: the inner one's return does not unlock."""
    session = Session(RULES)
    session.locked[ME] = 1
    frame = rig(session=session)
    assert message(frame) == 0
    assert session.locked == {ME: 1}


def test_a_lock_does_not_outlive_a_fatal_error() -> None:
    session = Session(RULES)
    frame = rig(session=session)

    def answer(call: Call) -> Outcome:
        raise KeyboardInterrupt

    frame.answer = answer
    with pytest.raises(KeyboardInterrupt):
        message(frame)
    assert session.locked == {}
