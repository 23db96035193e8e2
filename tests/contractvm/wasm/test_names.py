"""Function names: where they come from, in which order, and what a broken name section costs (nothing)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.rules import bare_rules
from contractvm.wasm import names
from contractvm.wasm.decode import decode
from contractvm.wasm.encode import section, sized, unsigned, vector
from tests.contractvm.wasm.modules import HEADER, name_section, one_function

MODULE_NAME = b"\x00" + sized(sized(b"token"))
LOCAL_NAMES = b"\x02" + sized(vector([b"\x00" + vector([b"\x00" + sized(b"amount")])]))
FUNCTION_NAMES = b"\x01" + sized(vector([b"\x00" + sized(b"transfer"), unsigned(300) + sized("größe".encode())]))


def test_reads_function_names_among_other_subsections() -> None:
    assert names.function_names(MODULE_NAME + FUNCTION_NAMES + LOCAL_NAMES) == {0: "transfer", 300: "größe"}


@pytest.mark.parametrize(
    "content",
    [
        FUNCTION_NAMES[:-1],
        b"\x01\x05\x01",
        b"\x01" + unsigned(0xFFFF_FFFF),
        b"\x01\x03\x01\x00\x01",
        b"\x01\x04\x01\x00\x01\xff",
    ],
)
def test_a_broken_section_names_nothing(content: bytes) -> None:
    assert names.function_names(content) == {}


def test_the_section_overrules_exports_and_exports_stand_in() -> None:
    exports = section(7, vector([sized(b"mint") + b"\x00\x00"]))
    data = one_function(b"", between=exports)
    assert decode(data, bare_rules()).function_name(0) == "mint"
    assert decode(data + name_section({0: "mint_tokens"}), bare_rules()).function_name(0) == "mint_tokens"
    assert decode(one_function(b""), bare_rules()).function_name(0) == "f0"


def test_an_import_is_named_by_its_module_and_name() -> None:
    types = section(1, vector([b"\x60\x00\x00"]))
    data = HEADER + types + section(2, vector([sized(b"cvm1") + sized(b"caller") + b"\x00\x00"]))
    assert decode(data, bare_rules()).function_name(0) == "cvm1.caller"


def test_a_module_cut_off_before_its_names_has_none() -> None:
    data = one_function(b"") + name_section({0: "transfer"})
    assert names.find(data) == {0: "transfer"}
    assert names.find(data[:-3]) == {}
    assert names.find(b"\0asm") == {}


@given(st.binary(max_size=80))
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    assert all(isinstance(text, str) for text in names.function_names(content).values())
    names.find(HEADER + content)
