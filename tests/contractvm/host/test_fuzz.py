"""Every row with any integers: nothing but a frame's own endings comes out, and what is undone is undone."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contractvm.errors import OutOfGas, Revert, Trap
from contractvm.host import HOST, Finish, HostRow
from contractvm.machine import Call, Outcome, Status
from tests.contractvm.host.rig import CREATED, ME, OTHER, PAGE, Rig, rig

EDGES = [0, 1, 2, 3, 19, 20, 31, 32, 33, 64, 65, PAGE - 33, PAGE - 32, PAGE - 1, PAGE, PAGE + 1, 2**31, 2**32 - 1]
I32 = st.one_of(st.sampled_from(EDGES), st.integers(0, PAGE), st.integers(0, 2**32 - 1))
I64 = st.one_of(st.sampled_from([0, 1, 2**63, 2**64 - 1]), st.integers(0, 2**64 - 1))
GAS = st.one_of(st.integers(0, 10_000), st.integers(0, 100_000_000))


def filled(gas: int, static: bool) -> Rig:
    frame = rig(gas=10_000_000, data=bytes(range(256)), value=1)
    frame.world.set_balance(ME, 10**18)
    frame.world.set_code(OTHER, b"\0asm" + bytes(100))
    for n in range(64):
        frame.world.set_storage(ME, bytes(n), b"\1" * (n * 7 % 90 + 1))
    frame.world.begin_transaction()
    frame.put(0, OTHER + bytes(range(1, 200)))
    frame.put(PAGE // 2, bytes(range(256)) * 8)
    for flags in range(4):
        frame.run("iter_open", 0, 0, 0, 0, flags)
        frame.run("iter_next", flags + 1)
    frame.host.returndata = bytes(50)
    frame.host.meter.left = gas * 1000 + 999
    inner = frame.host.call
    frame.host.call = Call(
        inner.kind, inner.caller, inner.self_address, inner.code_address, inner.value, inner.input, gas, 0, static
    )

    def answer(call: Call) -> Outcome:
        status = Status(call.gas % 4)
        created = CREATED if status is Status.OK and call.kind.startswith("create") else None
        return Outcome(status, call.gas // 2, call.input[:100], created=created)

    frame.answer = answer
    return frame


def snapshot(frame: Rig) -> list[object]:
    """What the world shows of the accounts this test knows."""
    world = frame.world
    keys = []
    key = world.next_key(ME, None, inclusive=True, stop=None)
    while key is not None:
        keys.append((key, world.storage(ME, key)))
        key = world.next_key(ME, key, inclusive=False, stop=None)
    accounts = [(world.nonce(a), world.balance(a), world.code_hash(a)) for a in (ME, OTHER)]
    transient = [world.transient(ME, bytes(n)) for n in range(8)]
    return [keys, accounts, transient, world.logs, world.refund]


@pytest.mark.parametrize("row", HOST, ids=lambda row: row.name)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), gas=GAS, static=st.booleans())
def test_any_arguments(row: HostRow, data: st.DataObject, gas: int, static: bool) -> None:
    frame = filled(gas, static)
    arguments = [
        data.draw(I32 if kind == "i" else I64, name) for kind, name in zip(row.params, row.arguments, strict=True)
    ]
    before, mark, left = snapshot(frame), frame.world.checkpoint(), frame.host.meter.left
    try:
        result = row.fn(frame.host, *arguments)
    except (Trap, Revert, Finish):
        assert 0 <= frame.host.meter.left < left
    except OutOfGas:
        assert frame.host.meter.left <= left
    else:
        assert (result is None) == (row.results == "")
        assert result is None or 0 <= result < 2 ** (64 if row.results == "I" else 32)
        assert 0 <= frame.host.meter.left < left
    assert len(frame.host.memory.data) == PAGE
    assert frame.host.session.locked == {}
    assert len(frame.host.cursors) <= frame.host.limits.iterators
    if static:
        assert snapshot(frame) == before
    frame.world.rollback(mark)
    assert snapshot(frame) == before


@pytest.mark.parametrize("row", HOST, ids=lambda row: row.name)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_less_gas_never_shows_more(row: HostRow, data: st.DataObject) -> None:
    """What a call does with the gas it takes, it does not do with a milligas less: that is OutOfGas."""
    arguments = [
        data.draw(I32 if kind == "i" else I64, name) for kind, name in zip(row.params, row.arguments, strict=True)
    ]
    full = filled(50_000_000, False)
    before = full.host.meter.left
    try:
        row.fn(full.host, *arguments)
    except (Trap, Revert, Finish):
        pass
    except OutOfGas:
        return
    if full.calls or row.name in ("storage_set", "storage_remove"):
        return  # Gas forwarded and EIP-2200's sentry look at what is left.
    taken = before - full.host.meter.left
    short = filled(50_000_000, False)
    short.host.meter.left = taken - 1
    with pytest.raises(OutOfGas):
        row.fn(short.host, *arguments)
