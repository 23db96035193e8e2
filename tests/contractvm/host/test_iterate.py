"""Iterators: ranges, directions, life among changes, handles, prices, and what an attacker would do with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.errors import OutOfGas, Trap, TrapCode
from tests.contractvm.host.rig import KEY_AT, ME, MINUS_ONE, OUT_AT, RULES, VALUE_AT, Rig, rig

gas = RULES.schedule.gas
DESCENDING, KEYS_ONLY = 1, 2
STEP = gas("iter.next")


def opened(frame: Rig, start: bytes = b"", end: bytes = b"", flags: int = 0) -> int:
    handle = frame.run("iter_open", frame.put(KEY_AT, start), len(start), frame.put(VALUE_AT, end), len(end), flags)
    assert handle
    return handle


def step(frame: Rig, handle: int) -> tuple[bytes, bytes | None] | None:
    if not frame.run("iter_next", handle):
        assert frame.run("iter_key", handle, OUT_AT, 0) == MINUS_ONE
        assert frame.run("iter_value", handle, OUT_AT, 0) == MINUS_ONE
        return None
    key = frame.run("iter_key", handle, OUT_AT, 0x1000)
    assert key is not None
    found = frame.get(OUT_AT, key)
    value = frame.run("iter_value", handle, OUT_AT, 0x1000)
    assert value is not None
    return found, None if value == MINUS_ONE else frame.get(OUT_AT, value)


def walk(frame: Rig, handle: int) -> list[tuple[bytes, bytes | None]]:
    found = []
    while (item := step(frame, handle)) is not None:
        found.append(item)
    return found


def filled(*keys: bytes) -> Rig:
    frame = rig(gas=1_000_000_000)
    for key in keys:
        frame.world.set_storage(ME, key, b"=" + key)
    return frame


def test_keys_come_in_byte_order() -> None:
    frame = filled(b"b", b"", b"a", b"ab", b"\xff", b"\xff\xff")
    assert [key for key, _ in walk(frame, opened(frame))] == [b"", b"a", b"ab", b"b", b"\xff", b"\xff\xff"]
    assert [key for key, _ in walk(frame, opened(frame, flags=DESCENDING))] == [
        b"\xff\xff", b"\xff", b"b", b"ab", b"a", b"",
    ]  # fmt: skip


def test_the_start_is_inside_and_the_end_is_not() -> None:
    frame = filled(b"a", b"b", b"c", b"d")
    for flags in (0, DESCENDING):
        found = [key for key, _ in walk(frame, opened(frame, b"b", b"d", flags))]
        assert sorted(found) == [b"b", b"c"]


@pytest.mark.parametrize("flags", [0, DESCENDING, KEYS_ONLY, DESCENDING | KEYS_ONLY])
@pytest.mark.parametrize(("start", "end"), [(b"c", b"c"), (b"d", b"b"), (b"e", b""), (b"", b"\0")])
def test_empty_ranges(start: bytes, end: bytes, flags: int) -> None:
    frame = filled(b"a", b"b", b"c", b"d")
    assert walk(frame, opened(frame, start, end, flags)) == []


def test_values_come_with_their_keys_unless_only_keys_are_asked_for() -> None:
    frame = filled(b"a", b"b")
    assert walk(frame, opened(frame)) == [(b"a", b"=a"), (b"b", b"=b")]
    assert walk(frame, opened(frame, flags=KEYS_ONLY)) == [(b"a", None), (b"b", None)]


def test_copies_of_key_and_value_obey_cap() -> None:
    frame = filled(b"long key")
    handle = opened(frame)
    assert frame.run("iter_key", handle, OUT_AT, 4) == MINUS_ONE
    assert frame.run("iter_next", handle) == 1
    frame.put(OUT_AT, b"........")
    assert frame.run("iter_key", handle, OUT_AT, 4) == 8
    assert frame.get(OUT_AT, 8) == b"long...."


def test_it_is_a_live_cursor() -> None:
    """Removed keys are not given, new ones ahead are, and the end is not final."""
    frame = filled(b"b", b"d", b"f")
    handle = opened(frame)
    assert step(frame, handle) == (b"b", b"=b")
    frame.store(b"d", b"")
    frame.store(b"c", b"new")
    frame.store(b"a", b"behind")
    assert step(frame, handle) == (b"c", b"new")
    frame.store(b"c", b"")
    assert step(frame, handle) == (b"f", b"=f")
    assert step(frame, handle) is None
    frame.store(b"g", b"late")
    assert step(frame, handle) == (b"g", b"late")
    assert step(frame, handle) is None


def test_the_value_is_as_it_was_found() -> None:
    frame = filled(b"a")
    handle = opened(frame)
    assert frame.run("iter_next", handle) == 1
    frame.store(b"a", b"changed")
    assert frame.run("iter_value", handle, OUT_AT, 16) == 2
    assert frame.get(OUT_AT, 2) == b"=a"


def test_every_step_pays_a_read_the_last_one_too() -> None:
    frame = filled(b"a", b"b")
    handle = opened(frame)
    assert [frame.cost("iter_next", handle) for _ in range(4)] == [STEP] * 4
    assert gas("slot.cold") == STEP


def test_long_keys_and_values_pay_by_the_unit() -> None:
    frame = rig()
    frame.world.set_storage(ME, b"k" * 40, b"v" * 60)
    assert frame.cost("iter_next", opened(frame)) == STEP + 3 * gas("slot.read_unit")
    assert frame.cost("iter_next", opened(frame, flags=KEYS_ONLY)) == STEP + gas("slot.read_unit")


def test_a_value_that_was_read_is_warm_and_one_that_was_not_is_cold() -> None:
    for flags, price in ((0, gas("slot.warm")), (KEYS_ONLY, gas("slot.cold"))):
        frame = filled(b"a")
        assert frame.run("iter_next", opened(frame, flags=flags)) == 1
        frame.put(KEY_AT, b"a")
        assert frame.cost("storage_get", KEY_AT, 1, OUT_AT, 8) == price


def test_bounds_are_copied_at_a_price() -> None:
    base, word = gas("iter.open"), gas("copy.word")
    assert rig().cost("iter_open", 0, 0, 0, 0, 0) == base
    assert rig().cost("iter_open", 0, 33, 0, 1, 0) == base + 3 * word


def test_at_most_sixteen_are_open() -> None:
    frame = rig()
    handles = [opened(frame) for _ in range(16)]
    assert handles == list(range(1, 17))
    with pytest.raises(Trap) as trap:
        opened(frame)
    assert trap.value.code is TrapCode.ITERATOR_LIMIT
    frame.run("iter_close", 3)
    assert opened(frame) == 17


@pytest.mark.parametrize("name", ["iter_next", "iter_close", "iter_key", "iter_value"])
@pytest.mark.parametrize("handle", [0, 2, 0xFFFF_FFFF])
def test_a_foreign_handle_traps(name: str, handle: int) -> None:
    frame = filled(b"a")
    opened(frame)
    opened(frame)
    frame.run("iter_close", 2)
    with pytest.raises(Trap) as trap:
        frame.run(name, handle, *((OUT_AT, 0) if name in ("iter_key", "iter_value") else ()))
    assert trap.value.code is TrapCode.ITERATOR_HANDLE


def test_handles_are_the_frames_own() -> None:
    frame = filled(b"a")
    handle = opened(frame)
    with pytest.raises(Trap):
        rig(world=frame.world).run("iter_next", handle)


@pytest.mark.parametrize("flags", [4, 8, 0x8000_0000, 0xFFFF_FFFF])
def test_unknown_flags_trap(flags: int) -> None:
    with pytest.raises(Trap) as trap:
        rig().run("iter_open", 0, 0, 0, 0, flags)
    assert trap.value.code is TrapCode.HOST_ARGUMENT


def test_a_static_frame_iterates() -> None:
    frame = filled(b"a")
    static = rig(static=True, world=frame.world)
    assert walk(static, opened(static)) == [(b"a", b"=a")]


def test_running_out_of_gas_inside_a_step() -> None:
    frame = rig(gas=10_000)
    frame.world.set_storage(ME, b"k", bytes(60_000))
    handle = opened(frame)
    with pytest.raises(OutOfGas):
        frame.run("iter_next", handle)


def test_walking_past_removed_keys_asks_the_world_once_a_step() -> None:
    """The world answers in logarithmic time; what is paid for must be one question, not one a removed key."""
    frame = filled(*(n.to_bytes(4, "big") for n in range(2_000)))
    for n in range(1_999):
        frame.world.set_storage(ME, n.to_bytes(4, "big"), b"")
    asked = 0
    real = frame.world.next_key

    def counting(*args: object, **kwargs: object) -> bytes | None:
        nonlocal asked
        asked += 1
        return real(*args, **kwargs)  # type: ignore[arg-type]

    frame.world.next_key = counting  # type: ignore[method-assign]
    for _ in range(50):
        handle = opened(frame)
        assert frame.run("iter_next", handle) == 1
        frame.run("iter_close", handle)
    assert asked == 50


KEYS = st.binary(max_size=3)


@given(
    keys=st.sets(KEYS, max_size=12),
    start=KEYS,
    end=KEYS,
    flags=st.integers(0, 3),
    changes=st.lists(st.tuples(KEYS, st.booleans()), max_size=12),
)
def test_against_a_sorted_list(
    keys: set[bytes], start: bytes, end: bytes, flags: int, changes: list[tuple[bytes, bool]]
) -> None:
    """A change between every two steps; the model is the set of keys, searched each time."""
    frame = filled(*keys)
    handle, live, last = opened(frame, start, end, flags), set(keys), None
    for key, add in [*changes, *[(b"", b"" in keys)] * 14]:
        ahead = [k for k in live if k >= start and (not end or k < end)]
        if last is not None:
            ahead = [k for k in ahead if (k < last if flags & DESCENDING else k > last)]
        expected = (max(ahead) if flags & DESCENDING else min(ahead)) if ahead else None
        item = step(frame, handle)
        assert (None if item is None else item[0]) == expected
        last = last if expected is None else expected
        frame.world.set_storage(ME, key, b"x" if add else b"")
        (live.add if add else live.discard)(key)
