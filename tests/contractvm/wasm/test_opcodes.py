"""THE TABLE is total: each row is well-formed, priced and of a known feature; each price and form is used."""

from __future__ import annotations

import pytest

from contractvm.rules import FEATURES
from contractvm.table import Op
from contractvm.wasm.module import TYPE_NAMES
from contractvm.wasm.opcodes import BY_CODE, BY_NAME, FLOAT_NAMES, OPS, PREFIX
from gas.schedule import load

FORMS = {"", "block", "label", "labels", "func", "type_table", "local", "global", "table", "types", "i32", "i64"}
FORMS |= {"memarg", "memory", "data_memory", "memory_memory", "elem_table", "table_table", "data", "elem", "reftype"}
DYNAMIC = {"wasm.page", "wasm.bulk_byte", "wasm.table_entry", "wasm.frame.segment_byte", "wasm.frame.code_byte"}
DYNAMIC |= {"wasm.frame.local", "wasm.frame.page"}
"""Prices by amount, charged beside an instruction's own or when a frame is entered."""


def test_codes_and_names_are_unique() -> None:
    assert len(BY_CODE) == len(BY_NAME) == len(OPS)
    assert not set(BY_CODE) & set(FLOAT_NAMES)


def test_the_float_free_part_of_one_byte_opcodes_is_complete() -> None:
    """Every opcode of WebAssembly 2.0 up to 0xC4 and the references, with the two tail calls, is a row or a float."""
    reserved = {0x06, 0x07, 0x08, 0x09, 0x0A, *range(0x14, 0x1A), 0x1D, 0x1E, 0x1F, 0x27}
    known = {code for code in (*BY_CODE, *FLOAT_NAMES) if code < 0x100}
    assert known == (set(range(0xC5)) | {0xD0, 0xD1, 0xD2}) - reserved


def test_the_prefixed_opcodes_are_complete() -> None:
    known = {code & 0xFF for code in (*BY_CODE, *FLOAT_NAMES) if code >> 8 == PREFIX}
    assert known == set(range(0x17)) - {0x12}


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_row_is_well_formed(op: Op) -> None:
    assert op.imm in FORMS
    assert op.feature in FEATURES
    assert set(op.params + op.results) <= set(TYPE_NAMES.values())
    assert (op.width > 0) == (op.imm == "memarg")
    assert "f32" not in op.name
    assert "f64" not in op.name


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_row_is_priced_and_only_structure_is_free(op: Op) -> None:
    price = load("cvm1").milli(op.cost)
    assert (price == 0) == (op.cost == "wasm.structure")
    assert (op.name in ("block", "loop", "else", "end")) == (op.cost == "wasm.structure")


def test_every_wasm_price_is_used() -> None:
    prices = {name for name in load("cvm1").prices if name.startswith("wasm.")}
    assert prices == {op.cost for op in OPS} | DYNAMIC


def test_every_form_is_used() -> None:
    assert {op.imm for op in OPS} == FORMS


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("unreachable", 0x00),
        ("return_call_indirect", 0x13),
        ("i32.load", 0x28),
        ("i64.store32", 0x3E),
        ("i32.eqz", 0x45),
        ("i64.ge_u", 0x5A),
        ("i32.rotr", 0x78),
        ("i64.rotr", 0x8A),
        ("i64.extend32_s", 0xC4),
        ("table.fill", 0xFC11),
        ("i64.mul_wide_u", 0xFC16),
    ],
)
def test_the_ends_of_each_range_stand_where_the_format_has_them(name: str, code: int) -> None:
    assert BY_NAME[name].code == code


@pytest.mark.parametrize(
    ("name", "code"), [("f32.load", 0x2A), ("f64.ge", 0x66), ("f64.copysign", 0xA6), ("f64.reinterpret_i64", 0xBF)]
)
def test_float_names_stand_where_the_format_has_them(name: str, code: int) -> None:
    assert FLOAT_NAMES[code] == name
