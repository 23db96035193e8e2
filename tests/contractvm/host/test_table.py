"""The table is total: every row is priced, documented and well formed, and pays its price before anything else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import cast

import pytest

from contractvm.errors import OutOfGas, Trap
from contractvm.host import BY_NAME, HOST, Finish, HostRow, Prices
from contractvm.host.prices import price_name
from tests.contractvm.host.rig import RULES, rig
from tests.contractvm.host.test_pointers import FIXED, attempt, prepared

DESIGN = {
    "storage_get": "iiii:i", "storage_set": "iiii:", "storage_has": "ii:i", "storage_remove": "ii:i",
    "transient_get": "iiii:i", "transient_set": "iiii:",
    "iter_open": "iiiii:i", "iter_next": "i:i", "iter_close": "i:", "iter_key": "iii:i", "iter_value": "iii:i",
    "keccak256": "iii:", "sha256": "iii:", "blake2b256": "iii:", "ripemd160": "iii:",
    "ecrecover": "iiii:i", "secp256k1_verify": "iiii:i", "ed25519_verify": "iiii:i",
    "u256_mul": "iii:", "u256_div": "iii:", "u256_mod": "iii:", "u256_exp": "iii:",
    "u256_mulmod": "iiii:", "u256_addmod": "iiii:",
    "code_size": "i:i", "code_copy": "iiii:i", "transfer": "ii:i",
    "caller": "i:", "origin": "i:", "self_address": "i:", "coinbase": "i:",
    "value": "i:", "gas_price": "i:", "base_fee": "i:",
    "balance": "ii:i", "code_hash": "ii:i",
    "block_number": ":I", "block_timestamp": ":I", "chain_id": ":I", "gas_left": ":I",
    "block_hash": "Ii:i", "input_size": ":i", "returndata_size": ":i",
    "input_copy": "iii:i", "returndata_copy": "iii:i",
    "finish": "ii:", "revert": "ii:", "log": "iiii:",
    "call": "iiiiIi:i", "static_call": "iiiIi:i", "delegate_call": "iiiIi:i",
    "create": "iiiiiIi:i", "create2": "iiiiiIii:i", "debug_print": "ii:",
}  # fmt: skip
"""The interface as it was agreed on: changing it breaks deployed contracts."""

SENTRY = ("storage_set", "storage_remove")
"""EIP-2200's sentry comes before their price; test_storage has it."""

rows = pytest.mark.parametrize("row", HOST, ids=lambda row: row.name)


def test_the_table_is_the_interface() -> None:
    assert {row.name: f"{row.params}:{row.results}" for row in HOST} == DESIGN
    assert len(BY_NAME) == len(HOST) == 54


@rows
def test_a_row_is_well_formed(row: HostRow) -> None:
    assert re.fullmatch(r"[iI]*", row.params)
    assert re.fullmatch(r"[iI]?", row.results)
    assert len(row.arguments) == len(row.params)
    assert row.doc.endswith(".") and row.doc[0].isupper()
    assert row.fn.__doc__
    assert row.fn.__name__ == row.name


@rows
def test_a_row_is_priced(row: HostRow) -> None:
    assert RULES.schedule.milli(row.price) > 0
    assert all(RULES.schedule.milli(name) > 0 and RULES.schedule.why[name] for name in row.also)


class Recorder:
    """Prices that remember which of them were asked for."""

    def __init__(self, prices: Prices) -> None:
        self.prices = prices
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> int:
        self.asked.add(price_name(name))
        return cast(int, getattr(self.prices, name))


SCENES: dict[str, list[tuple[str, tuple[int, ...]]]] = {
    # The key of 8 zero bytes has had a value since before the transaction, that of 1 has none.
    "storage_set": [
        ("storage_set", arguments)
        for arguments in ((0, 8, 0, 4), (0, 8, 0, 0), (0, 8, 0, 4), (0, 1, 0, 4), (0, 1, 0, 0))
    ],
    "storage_remove": [("storage_set", (0, 1, 0, 4)), ("storage_remove", (0, 1)), ("storage_remove", (0, 8))],
    "iter_next": [("iter_open", (0, 0, 0, 0, 0)), ("iter_next", (2,))],
    # At 0 is an address that nobody has, at 0x8000 one wei.
    "call": [("call", (0, 0x8000, 0, 0, 0, 0))],
    "transfer": [("transfer", (0, 0x8000))],
}


def asked_for(name: str) -> set[str]:
    """The prices that a row asks for when it has everything to do that it can have."""
    frame = prepared()
    frame.world.begin_transaction()
    frame.put(0x8000, b"\1")
    real = frame.host.prices
    recorder = Recorder(real)
    for function, arguments in SCENES.get(name, []):
        frame.host.prices = cast(Prices, recorder) if function == name else real
        frame.run(function, *arguments)
    if name not in SCENES:
        frame.host.prices = cast(Prices, recorder)
        attempt(frame, name, {}) if name in FIXED else frame.run(name, *[1] * len(BY_NAME[name].params))
    return recorder.asked


@rows
def test_a_row_names_every_price_it_asks_for(row: HostRow) -> None:
    assert asked_for(row.name) == {row.price, *row.also}
    assert row.price not in row.also


@rows
def test_the_fixed_price_is_paid_before_pointers_are_looked_at(row: HostRow) -> None:
    """One milligas short of the row's price is OutOfGas even with pointers that trap."""
    frame = rig()
    frame.host.meter.left = RULES.schedule.milli(row.price) - 1
    with pytest.raises(OutOfGas):
        row.fn(frame.host, *[0xFFFF_FFFF if kind == "i" else 2**64 - 1 for kind in row.params])


@pytest.mark.parametrize("row", [row for row in HOST if row.name not in SENTRY], ids=lambda row: row.name)
def test_the_fixed_price_is_all_that_comes_before_the_pointers(row: HostRow) -> None:
    """With lengths of 0 and just the fixed price, a row gets as far as its pointers, or to its end."""
    frame = rig()
    frame.host.meter.left = RULES.schedule.milli(row.price)
    arguments = [0 if "len" in name or name in ("count", "length") else 0xFFFF_FFFF for name in row.arguments]
    try:
        row.fn(frame.host, *arguments)
    except (Trap, Finish) as end:
        assert not isinstance(end, OutOfGas)
    assert frame.host.meter.left == 0


def test_every_field_of_prices_is_a_price_that_the_host_reads() -> None:
    root = Path(__file__).parents[3]
    sources = "\n".join(p.read_text() for p in (root / "contractvm" / "host").glob("*.py") if p.stem != "prices")
    assert [name for name in Prices.__dataclass_fields__ if f"prices.{name}" not in sources] == []


def test_the_largest_code_fits_a_block() -> None:
    """Calldata, init code, deposit and the transaction itself, for code without a zero byte."""
    gas, size = RULES.schedule.gas, RULES.limits.code_bytes
    a_byte = gas("tx.data_byte") + gas("create.init_byte") + gas("create.deposit_byte")
    assert gas("tx.base") + gas("tx.create") + size * a_byte < 30_000_000
