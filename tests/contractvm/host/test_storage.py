"""Storage and transient storage: effects, Ethereum's prices for the first unit, unit prices for the rest, limits."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from contractvm.errors import OutOfGas, Trap, TrapCode
from contractvm.types import Address
from tests.contractvm.host.rig import KEY_AT, ME, MINUS_ONE, OUT_AT, PAGE, RULES, VALUE_AT, rig

gas = RULES.schedule.gas
WARM, COLD, SET, RESET, CLEARS = (gas(f"slot.{name}") for name in ("warm", "cold", "set", "reset", "clear_refund"))
READ_UNIT, WRITE_UNIT = gas("slot.read_unit"), gas("slot.write_unit")


def test_what_was_set_is_got() -> None:
    frame = rig()
    frame.store(b"key", b"value")
    assert frame.load(b"key") == b"value"
    assert frame.run("storage_has", KEY_AT, 3) == 1
    assert frame.world.storage(ME, b"key") == b"value"


def test_absence() -> None:
    frame = rig()
    assert frame.load(b"key") is None
    assert frame.run("storage_has", KEY_AT, 3) == 0
    assert frame.run("storage_remove", KEY_AT, 3) == 0


def test_an_empty_value_removes() -> None:
    frame = rig()
    frame.store(b"key", b"value")
    frame.store(b"key", b"")
    assert frame.load(b"key") is None


def test_remove_tells_whether_there_was_something() -> None:
    frame = rig()
    frame.store(b"key", b"value")
    assert frame.run("storage_remove", KEY_AT, 3) == 1
    assert frame.run("storage_remove", KEY_AT, 3) == 0


def test_the_empty_key_is_a_key() -> None:
    frame = rig()
    frame.store(b"", b"nameless")
    assert frame.load(b"") == b"nameless"


@pytest.mark.parametrize("cap", [0, 1, 9, 10, 11])
def test_a_copy_writes_no_more_than_cap_and_returns_the_whole_length(cap: int) -> None:
    frame = rig()
    frame.store(b"k", b"0123456789")
    frame.put(OUT_AT, b"\xee" * 20)
    assert frame.run("storage_get", KEY_AT, 1, OUT_AT, cap) == 10
    assert frame.get(OUT_AT, 20) == b"0123456789"[:cap] + b"\xee" * (20 - min(cap, 10))
    assert len(frame.host.memory.data) == PAGE


def test_storage_is_of_the_frames_own_address() -> None:
    mine = rig()
    mine.store(b"k", b"mine")
    theirs = rig(world=mine.world, me=Address(b"\x01" * 20))
    assert theirs.load(b"k") is None


def test_get_prices_cold_then_warm() -> None:
    frame = rig()
    frame.put(KEY_AT, b"k" * 20)
    assert frame.cost("storage_get", KEY_AT, 20, OUT_AT, 32) == COLD
    assert frame.cost("storage_get", KEY_AT, 20, OUT_AT, 32) == WARM
    assert frame.cost("storage_has", KEY_AT, 20) == WARM


@pytest.mark.parametrize(
    ("key", "value", "further"),
    [(20, 12, 0), (20, 13, 1), (32, 32, 1), (32, 33, 2), (33, 1, 1), (64, 32, 2), (65, 31, 2), (100, 65_436, 2047)],
)
def test_each_unit_beyond_the_first_is_paid_at_every_get_and_set(key: int, value: int, further: int) -> None:
    frame = rig()
    fresh = frame.cost("storage_set", KEY_AT, key, 0, value)
    assert fresh == COLD + SET + WRITE_UNIT * further
    assert frame.cost("storage_set", KEY_AT, key, 0, value) == WARM + WRITE_UNIT * further
    assert frame.cost("storage_get", KEY_AT, key, OUT_AT, 0) == WARM + READ_UNIT * further
    assert frame.cost("storage_has", KEY_AT, key) == WARM + READ_UNIT * further


def test_a_long_absent_key_pays_for_itself() -> None:
    assert rig().cost("storage_get", 0, 4096, OUT_AT, 0) == COLD + READ_UNIT * 127


EIP_2200 = [
    # original, then the values set one after the other, their gas and the refund; the slot warm before.
    # The table of EIP-3529, with 0 for the empty value.
    ("", "0 0", [100, 100], 0),
    ("", "0 1", [100, 20000], 0),
    ("", "1 0", [20000, 100], 19900),
    ("", "1 2", [20000, 100], 0),
    ("", "1 1", [20000, 100], 0),
    ("1", "0 0", [2900, 100], 4800),
    ("1", "0 1", [2900, 100], 2800),
    ("1", "0 2", [2900, 100], 0),
    ("1", "2 0", [2900, 100], 4800),
    ("1", "2 3", [2900, 100], 0),
    ("1", "2 1", [2900, 100], 2800),
    ("1", "2 2", [2900, 100], 0),
    ("1", "1 0", [100, 2900], 4800),
    ("1", "1 2", [100, 2900], 0),
    ("1", "1 1", [100, 100], 0),
    ("", "1 0 1", [20000, 100, 20000], 19900),
    ("1", "0 1 0", [2900, 100, 2900], 7600),
]


@pytest.mark.parametrize(("original", "values", "costs", "refund"), EIP_2200)
def test_a_slots_price_and_refund(original: str, values: str, costs: list[int], refund: int) -> None:
    frame = rig()
    if original:
        frame.world.set_storage(ME, b"k", original.encode())
        frame.world.begin_transaction()
    frame.world.warm_slot(ME, b"k")
    frame.put(KEY_AT, b"k")
    paid = []
    for value in values.split():
        content = b"" if value == "0" else value.encode()
        frame.put(VALUE_AT, content)
        paid.append(frame.cost("storage_set", KEY_AT, 1, VALUE_AT, len(content)))
    assert paid == costs
    assert frame.world.refund == refund


@pytest.mark.parametrize("values", list(itertools.product(("", "1", "2"), repeat=4)))
def test_remove_is_setting_the_empty_value(values: tuple[str, ...]) -> None:
    """Gas, refunds and world, whatever was done to the slot before."""
    ends = []
    for remove in ("storage_set", "storage_remove"):
        frame = rig()
        if values[0]:
            frame.world.set_storage(ME, b"k", values[0].encode())
            frame.world.begin_transaction()
        for value in values[1:]:
            if value:
                frame.store(b"k", value.encode())
            else:
                frame.put(KEY_AT, b"k")
                frame.run(remove, *((KEY_AT, 1) if remove == "storage_remove" else (KEY_AT, 1, 0, 0)))
        ends.append((frame.host.meter.left, frame.world.refund, frame.world.storage(ME, b"k")))
    assert ends[0] == ends[1]


def test_the_sentry() -> None:
    """EIP-2200: with a stipend's gas or less nothing is written, whatever it would have cost."""
    for left, ends in ((2_300_000, True), (2_300_001, False)):
        for name, arguments in (("storage_set", (KEY_AT, 1, 0, 0)), ("storage_remove", (KEY_AT, 1))):
            frame = rig()
            frame.world.warm_slot(ME, b"k")
            frame.put(KEY_AT, b"k")
            frame.host.meter.left = left
            if ends:
                with pytest.raises(OutOfGas):
                    frame.run(name, *arguments)
            else:
                frame.run(name, *arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("storage_set", (KEY_AT, 1, VALUE_AT, 1)),
        ("storage_remove", (KEY_AT, 1)),
        ("transient_set", (KEY_AT, 1, VALUE_AT, 1)),
    ],
)
def test_static_frames_write_nothing(name: str, arguments: tuple[int, ...]) -> None:
    frame = rig(static=True)
    with pytest.raises(Trap) as trap:
        frame.run(name, *arguments)
    assert trap.value.code is TrapCode.STATIC_WRITE
    assert frame.world.storage(ME, b"\0") == b""


def test_static_frames_read() -> None:
    frame = rig()
    frame.store(b"k", b"v")
    assert rig(static=True, world=frame.world).load(b"k") == b"v"


LONG_KEY = RULES.limits.key_bytes + 1


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("storage_get", (0, LONG_KEY, OUT_AT, 0)),
        ("storage_has", (0, LONG_KEY)),
        ("storage_set", (0, LONG_KEY, 0, 1)),
        ("storage_remove", (0, LONG_KEY)),
        ("transient_get", (0, LONG_KEY, OUT_AT, 0)),
        ("transient_set", (0, LONG_KEY, 0, 1)),
        ("iter_open", (0, LONG_KEY, 0, 0, 0)),
        ("iter_open", (0, 0, 0, LONG_KEY, 0)),
    ],
)
def test_keys_have_a_limit(name: str, arguments: tuple[int, ...]) -> None:
    frame = rig()
    with pytest.raises(Trap) as trap:
        frame.run(name, *arguments)
    assert trap.value.code is TrapCode.HOST_ARGUMENT
    shorter = [4096 if n == LONG_KEY else n for n in arguments]
    frame.run(name, *shorter)


@pytest.mark.parametrize("name", ["storage_set", "transient_set"])
def test_values_have_a_limit(name: str) -> None:
    frame = rig(limits=replace(RULES.limits, value_bytes=100))
    frame.run(name, KEY_AT, 1, 0, 100)
    with pytest.raises(Trap) as trap:
        frame.run(name, KEY_AT, 1, 0, 101)
    assert trap.value.code is TrapCode.HOST_ARGUMENT


def test_transient_values_last_a_transaction_and_cost_the_same_each_time() -> None:
    base, unit = gas("transient.base"), gas("transient.unit")
    frame = rig()
    frame.put(KEY_AT, b"k")
    frame.put(VALUE_AT, bytes(range(100)))
    assert frame.run("transient_get", KEY_AT, 1, OUT_AT, 8) == MINUS_ONE
    for _ in range(2):
        assert frame.cost("transient_set", KEY_AT, 1, VALUE_AT, 31) == base
        assert frame.cost("transient_get", KEY_AT, 1, OUT_AT, 64) == base
        assert frame.cost("transient_set", KEY_AT, 1, VALUE_AT, 100) == base + 3 * unit
        assert frame.cost("transient_get", KEY_AT, 1, OUT_AT, 64) == base + 3 * unit
    assert frame.run("transient_get", KEY_AT, 1, OUT_AT, 64) == 100
    assert frame.get(OUT_AT, 65) == bytes(range(64)) + b"\0"
    assert frame.world.storage(ME, b"k") == b""
    frame.world.begin_transaction()
    assert frame.run("transient_get", KEY_AT, 1, OUT_AT, 8) == MINUS_ONE


def test_what_is_written_is_read_before() -> None:
    """Key, value and output may overlap."""
    frame = rig()
    frame.put(KEY_AT, b"abcdef")
    frame.run("storage_set", KEY_AT, 4, KEY_AT + 2, 4)
    assert frame.world.storage(ME, b"abcd") == b"cdef"
    assert frame.run("storage_get", KEY_AT, 4, KEY_AT, 4) == 4
    assert frame.get(KEY_AT, 6) == b"cdefef"
