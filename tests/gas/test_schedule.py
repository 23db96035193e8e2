"""Schedules: the shipped one is total and reasoned, its digest covers what it must, bad files are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contractvm.host import Prices
from contractvm.host.prices import price_name
from contractvm.wasm.opcodes import OPS
from gas import schedule
from gas.schedule import ScheduleError, load

ROOT = Path(__file__).parents[2]


def test_every_price_is_read_by_the_code() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "contractvm").rglob("*.py"))
    known = {price_name(field) for field in Prices.__dataclass_fields__} | {op.cost for op in OPS}
    assert [name for name in load("cvm1").prices if name not in known and f'"{name}"' not in sources] == []


def test_every_price_has_a_name_and_a_reason() -> None:
    shipped = load("cvm1")
    for name, why in shipped.why.items():
        assert re.fullmatch(r"[a-z0-9]+(\.[a-z0-9_]+)+", name)
        assert len(why) >= 5 and "TODO" not in why and "to be measured" not in why, name
    assert [name for name, price in shipped.prices.items() if price == 0] == ["wasm.structure"]


EIPS = {
    "tx.base": 21000, "tx.create": 32000, "tx.zero_byte": 4, "tx.data_byte": 16,
    "tx.access_address": 2400, "tx.access_key": 1900, "refund.quotient": 5,
    "account.cold": 2600, "account.warm": 100, "slot.cold": 2100, "slot.warm": 100, "slot.set": 20000,
    "slot.reset": 2900, "slot.sentry": 2300, "slot.clear_refund": 4800, "transient.base": 100,
    "call.value": 9000, "call.stipend": 2300, "call.new_account": 25000, "create.base": 32000,
    "log.base": 375, "log.topic": 375, "log.byte": 8, "keccak.base": 30, "keccak.word": 6, "copy.word": 3,
    "sha256.base": 60, "sha256.word": 12, "ripemd160.base": 600, "ripemd160.word": 120, "ecrecover.base": 3000,
}  # fmt: skip
"""Read from the yellow paper (Cancun) and the EIPs, apart from the schedule."""


@pytest.mark.parametrize("name", EIPS)
def test_ethereums_prices_are_ethereums(name: str) -> None:
    assert load("cvm1").gas(name) == EIPS[name]


def write(folder: Path, text: str, name: str = "test") -> None:
    (folder / f"{name}.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(schedule, "SCHEDULES", tmp_path)
    return tmp_path


def fresh(name: str = "test") -> schedule.Schedule:
    return load.__wrapped__(name)


GOOD = """
run_definition = "1"
[gas]
"a.b" = {price = 2, why = "reason"}
[milligas]
"c.d" = {price = 3, why = "reason"}
"""


def test_units(folder: Path) -> None:
    write(folder, GOOD)
    read = fresh()
    assert dict(read.prices) == {"a.b": 2_000, "c.d": 3}
    assert read.gas("a.b") == 2 and read.milli("a.b") == 2_000
    with pytest.raises(ScheduleError, match=r"'c\.d'.*not in whole gas"):
        read.gas("c.d")
    with pytest.raises(ScheduleError, match="no price 'e'"):
        read.milli("e")


def test_the_digest_covers_prices_names_and_the_run_definition_but_not_reasons(folder: Path) -> None:
    write(folder, GOOD)
    first = fresh()
    same = [GOOD.replace('"reason"', '"other"'), GOOD.replace("price = 2", "price=2"), "# note\n" + GOOD]
    other = [GOOD.replace("price = 2", "price = 4"), GOOD.replace("a.b", "a.c"), GOOD.replace('= "1"', '= "2"')]
    for text in same:
        write(folder, text)
        assert fresh().digest == first.digest and hash(fresh()) == hash(first)
    for text in other:
        write(folder, text)
        assert fresh().digest != first.digest


@pytest.mark.parametrize(
    "entry",
    [
        '{price = -1, why = "reason"}', '{price = 1.5, why = "reason"}', '{price = true, why = "reason"}',
        '{price = "1", why = "reason"}', '{why = "reason"}', "{price = 1}", '{price = 1, why = ""}',
    ],
)  # fmt: skip
def test_a_bad_entry_is_named(folder: Path, entry: str) -> None:
    write(folder, f'run_definition = "1"\n[gas]\n"a.b" = {entry}\n')
    with pytest.raises(ScheduleError, match=r"test\.toml.*'a\.b'"):
        fresh()


def test_a_price_in_both_tables_is_named(folder: Path) -> None:
    write(folder, GOOD.replace("c.d", "a.b"))
    with pytest.raises(ScheduleError, match=r"'a\.b' is priced twice"):
        fresh()


def test_an_unknown_schedule_lists_the_known_ones(folder: Path) -> None:
    write(folder, GOOD, "one")
    write(folder, GOOD, "two")
    with pytest.raises(ScheduleError, match="no gas schedule 'three'; there are: one, two"):
        fresh("three")
