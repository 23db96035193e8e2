"""The module after linking: smaller, and doing the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.errors import Malformed
from contractvm.rules import bare_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.engine import Engine
from contractvm.wasm.module import Module
from sdk import envelope
from sdk.build import compile_module
from sdk.clang import compile_c
from sdk.tidy import tidy
from tests.sdk.conftest import SOURCES, need

Wat = Callable[[str], Path]


def decoded(module: bytes) -> Module:
    return decode(module, bare_rules())


def memory_of(module: bytes) -> bytes:
    """What an instance's memory holds before anything runs."""
    engine = Engine(bare_rules())
    memory = engine.instantiate(engine.load(module)).exports["memory"]
    return bytes(memory.data)  # type: ignore[union-attr]


def test_smaller_and_stable() -> None:
    need("ziglang", "c")
    linked = compile_c(SOURCES / "numbers.c").module
    small = tidy(linked)
    assert len(small) < len(linked)
    assert tidy(small) == small
    assert decoded(small).names == decoded(linked).names
    assert [f.code.ops for f in decoded(small).functions] == [f.code.ops for f in decoded(linked).functions]


def test_an_unused_table_goes_and_a_used_one_stays(wat: Wat) -> None:
    unused = compile_module(wat("(module (table 1 1 funcref))"))
    assert decoded(tidy(unused)).tables == []
    for text in (
        "(module (table 1 1 funcref) (func (call_indirect (i32.const 0))))",
        "(module (table 1 funcref) (func (result i32) (table.size 0)))",
        '(module (table (export "t") 1 funcref))',
        "(module (table funcref (elem $f)) (func $f))",
    ):
        assert len(decoded(tidy(compile_module(wat(text)))).tables) == 1


@pytest.mark.parametrize(
    ("content", "segments"),
    [
        ("", []),
        ("\\00" * 40, []),
        ("a" + "\\00" * 11 + "b", [(16, 13)]),
        ("a" + "\\00" * 12 + "b", [(16, 1), (29, 1)]),
        ("\\00" * 20 + "b" + "\\00" * 5, [(36, 1)]),
    ],
)
def test_data_is_cut_at_runs_of_zeros(wat: Wat, content: str, segments: list[tuple[int, int]]) -> None:
    module = compile_module(wat(f'(module (memory (export "memory") 1) (data (i32.const 16) "{content}"))'))
    data = decoded(tidy(module)).data
    assert [(part.at and part.at.imms[0], len(part.content)) for part in data] == segments
    assert memory_of(tidy(module)) == memory_of(module)


def test_data_that_code_names_is_left_alone(wat: Wat) -> None:
    text = '(module (memory 1) (data $d (i32.const 0) "a") (data "b\\00\\00") (func (data.drop $d)))'
    module = compile_module(wat(text))
    assert decoded(tidy(module)).data == decoded(module).data


def test_data_at_a_computed_address_stays_whole(wat: Wat) -> None:
    text = '(module (memory 1) (global $g i32 (i32.const 8)) (data (global.get $g) "a\\00\\00"))'
    (segment,) = decoded(tidy(compile_module(wat(text)))).data
    assert segment.content == b"a\0\0"


@given(st.binary(max_size=120))
def test_any_bytes_are_divided_or_malformed(data: bytes) -> None:
    for module in (data, envelope.HEADER + data):
        try:
            sealed = envelope.seal(module)
        except Malformed:
            continue
        assert envelope.seal(sealed) == sealed
        assert int.from_bytes(sealed[14:18], "little") == len(sealed)
        assert b"".join(section for _, section in envelope.sections(module)) == module[8:]
