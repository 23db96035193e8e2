"""What a frame knows, its input, its output, events: effects and prices."""

from __future__ import annotations

import pytest

from contractvm.errors import Revert, Trap, TrapCode
from contractvm.host import Finish, Log
from tests.contractvm.host.rig import CALLER, COINBASE, GAS, ME, MINUS_ONE, ORIGIN, OUT_AT, PAGE, RULES, Memory, rig

gas = RULES.schedule.gas
READ, COPY, END, PRINT, WORD = gas("env.read"), gas("env.copy"), gas("frame.end"), gas("copy.base"), gas("copy.word")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("caller", CALLER),
        ("origin", ORIGIN),
        ("self_address", ME),
        ("coinbase", COINBASE),
        ("value", (5).to_bytes(32, "little")),
        ("gas_price", (9).to_bytes(32, "little")),
        ("base_fee", (7).to_bytes(32, "little")),
    ],
)
def test_what_is_written(name: str, content: bytes) -> None:
    frame = rig(value=5)
    frame.put(OUT_AT, b"\xee" * 40)
    assert frame.cost(name, OUT_AT) == READ
    assert frame.get(OUT_AT, 40) == content + b"\xee" * (40 - len(content))
    frame.run(name, PAGE - len(content))
    assert frame.get(PAGE - len(content), len(content)) == content


@pytest.mark.parametrize(
    ("name", "number"), [("block_number", 1_000), ("block_timestamp", 1_700_000_000), ("chain_id", 31_337)]
)
def test_what_is_returned(name: str, number: int) -> None:
    frame = rig()
    assert frame.run(name) == number
    assert frame.cost(name) == READ


def test_gas_left_is_whole_gas_after_the_call_itself() -> None:
    frame = rig()
    assert frame.run("gas_left") == GAS - READ
    frame.host.meter.left -= 1
    assert frame.run("gas_left") == GAS - 2 * READ - 1


def test_values_as_large_as_they_get() -> None:
    frame = rig(value=2**256 - 1)
    frame.run("value", OUT_AT)
    assert frame.get(OUT_AT, 32) == b"\xff" * 32


@pytest.mark.parametrize(("number", "known"), [(999, True), (744, True), (743, False), (1_000, False), (990, False),
                                               (1_001, False), (0, False), (2**64 - 1, False)])  # fmt: skip
def test_block_hash_knows_the_last_256(number: int, known: bool) -> None:
    frame = rig()
    frame.put(OUT_AT, b"\xee" * 32)
    assert frame.run("block_hash", number, OUT_AT) == (32 if known else MINUS_ONE)
    assert frame.get(OUT_AT, 32) == (number.to_bytes(32, "big") if known else b"\xee" * 32)
    assert frame.cost("block_hash", number, OUT_AT) == gas("block.hash")


@pytest.mark.parametrize("which", ["input", "returndata"])
@pytest.mark.parametrize(
    ("offset", "cap", "copied"),
    [(0, 100, b"0123456789"), (0, 10, b"0123456789"), (0, 3, b"012"), (8, 5, b"89"), (10, 5, b""), (11, 5, b""),
     (0, 0, b""), (0xFFFF_FFFF, 0x100, b""), (9, 0x1000, b"9")],
)  # fmt: skip
def test_copies_of_input_and_returndata(which: str, offset: int, cap: int, copied: bytes) -> None:
    frame = rig(data=b"0123456789")
    frame.host.returndata = b"0123456789"
    frame.put(OUT_AT, b"\xee" * 200)
    assert frame.run(f"{which}_size") == 10
    price = frame.cost(f"{which}_copy", OUT_AT, offset, cap)
    assert frame.run(f"{which}_copy", OUT_AT, offset, cap) == 10
    assert frame.get(OUT_AT, 200) == copied + b"\xee" * (200 - len(copied))
    assert price == COPY + (WORD if copied else 0)


def test_copying_pays_for_what_is_copied_and_not_for_cap() -> None:
    frame = rig(data=bytes(100))
    assert frame.cost("input_copy", 0, 0, PAGE) == COPY + 4 * WORD
    assert frame.cost("input_copy", 0, 90, PAGE) == COPY + WORD


@pytest.mark.parametrize(("name", "kind"), [("finish", Finish), ("revert", Revert)])
def test_how_a_frame_ends(name: str, kind: type[Exception]) -> None:
    frame = rig()
    frame.put(OUT_AT, b"the end")
    with pytest.raises(kind) as end:
        frame.run(name, OUT_AT, 7)
    assert isinstance(end.value, Finish | Revert)
    assert end.value.data == b"the end"
    assert GAS - frame.host.meter.gas_left == END + WORD
    with pytest.raises(kind) as end:
        frame.run(name, PAGE, 0)
    assert isinstance(end.value, Finish | Revert)
    assert end.value.data == b""


@pytest.mark.parametrize("name", ["finish", "revert", "debug_print"])
def test_output_has_a_limit(name: str) -> None:
    limit = RULES.limits.input_bytes
    frame = rig(gas=100_000_000)
    frame.host.memory = Memory(limit + 1)
    with pytest.raises(Trap) as trap:
        frame.run(name, 0, limit + 1)
    assert trap.value.code is TrapCode.HOST_ARGUMENT


@pytest.mark.parametrize("count", range(5))
def test_log(count: int) -> None:
    frame = rig()
    topics = [bytes([n]) * 32 for n in range(count)]
    frame.put(0, b"".join(topics))
    frame.put(OUT_AT, b"data")
    price = frame.cost("log", 0, count, OUT_AT, 4)
    assert price == gas("log.base") + count * gas("log.topic") + 4 * gas("log.byte")
    assert frame.world.logs == (Log(ME, tuple(topics), b"data"),)


@pytest.mark.parametrize(("count", "size"), [(5, 0), (0, 65_537), (100, 0)])
def test_logs_have_limits(count: int, size: int) -> None:
    frame = rig()
    frame.host.memory = Memory(2 * PAGE)
    with pytest.raises(Trap) as trap:
        frame.run("log", 0, count, 0, size)
    assert trap.value.code is TrapCode.HOST_ARGUMENT
    assert frame.world.logs == ()


def test_a_static_frame_logs_nothing_but_prints() -> None:
    frame = rig(static=True)
    with pytest.raises(Trap) as trap:
        frame.run("log", 0, 0, 0, 0)
    assert trap.value.code is TrapCode.STATIC_WRITE
    frame.run("debug_print", 0, 1)
    assert frame.printed == [(ME, b"\0")]


def test_printing_costs_the_same_where_nobody_looks() -> None:
    seen, unseen = rig(), rig()
    unseen.host.env = type(seen.host.env)(
        **{name: getattr(seen.host.env, name) for name in seen.host.env.__slots__ if name != "debug"}
    )
    assert unseen.host.env.debug is None
    assert seen.cost("debug_print", 0, 33) == unseen.cost("debug_print", 0, 33) == PRINT + 2 * WORD
    assert seen.printed == [(ME, bytes(33))] and unseen.printed == []
