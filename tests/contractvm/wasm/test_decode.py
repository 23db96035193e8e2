"""Decoding: the pack's malformed modules, places and names in errors, floats, limits, declared sizes that lie."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.errors import Invalid, Malformed, ModuleError, Place
from contractvm.rules import bare_rules, contract_rules
from contractvm.wasm.binary import Reader
from contractvm.wasm.decode import FloatRefused, decode
from contractvm.wasm.encode import section, signed, sized, unsigned, vector
from contractvm.wasm.module import FUNCREF, I32, I64, FuncType
from tests.contractvm.wasm.modules import (
    HEADER,
    NO_TYPE,
    bare_with,
    body,
    default_limits,
    name_section,
    one_function,
    pack_commands,
)

OTHER_WORDS = {
    ("binary-gc", 2),
    ("binary", 7),
    ("binary", 93),
    ("binary", 738),
    ("binary", 878),
    ("binary", 999),
    ("start", 103),
    ("try_table", 367),
}
"""Malformed in more than one way, or by a proposal's word: we meet another mistake first."""


def refusal(data: bytes) -> ModuleError:
    with pytest.raises(ModuleError) as caught:
        decode(data, bare_rules())
    return caught.value


def test_every_malformed_module_of_the_pack_is_malformed() -> None:
    rules, seen = bare_rules(), 0
    for command, data in pack_commands("assert_malformed"):
        if command.given_class != "int":
            continue
        seen += 1
        with pytest.raises(Malformed) as caught:
            decode(data, rules)
        if (command.script, command.line) not in OTHER_WORDS:
            assert caught.value.reason.startswith(command.body["text"]), str(command)
    assert seen == 478


def test_float_modules_of_the_pack_are_refused_by_name() -> None:
    rules, seen = bare_rules(), 0
    for command, data in pack_commands("module", "assert_unlinkable"):
        if command.given_class == "float-module":
            seen += 1
            with pytest.raises(FloatRefused, match=r"floats are not deterministic: .*(f32|f64)"):
                decode(data, rules)
    assert seen == 151


class TestPlaces:
    def test_names_the_function_by_the_name_section_behind_the_error(self) -> None:
        data = one_function(b"\x01\xff") + name_section({0: "transfer"})
        error = refusal(data)
        assert (error.reason, error.place) == ("illegal opcode ff", Place(data.index(b"\xff"), 0, "transfer"))

    def test_names_the_function_by_its_export(self) -> None:
        export = section(7, vector([sized(b"mint") + b"\x00\x00"]))
        assert refusal(one_function(b"\xff", between=export)).place.name == "mint"

    def test_a_broken_name_section_is_ignored(self) -> None:
        broken = section(0, sized(b"name") + b"\x01\x05\x01\x00\x09ab")
        assert decode(one_function(b"") + broken, bare_rules()).names == {}

    def test_counts_imported_functions(self) -> None:
        imports = section(2, vector([sized(b"m") + sized(b"f") + b"\x00\x00"]))
        data = HEADER + NO_TYPE + imports + section(3, b"\x01\x00") + section(10, vector([body(b"\xff")]))
        assert refusal(data).place.function == 1

    @pytest.mark.parametrize(
        ("code", "proposal"),
        [
            (b"\xfd\x0c", "SIMD"),
            (b"\xfe\x00", "threads"),
            (b"\xfb\x00", "garbage collection"),
            (b"\x06\x40", "exception handling"),
            (b"\x14\x00", "typed function references"),
            (b"\x02\x7b", "SIMD"),
        ],
    )
    def test_names_the_proposal_outside_the_profile(self, code: bytes, proposal: str) -> None:
        assert f"{proposal} is not in the profile" in str(refusal(one_function(code)))


class TestFloats:
    def test_names_function_byte_and_instruction(self) -> None:
        code = b"\x43\x00\x00\x80\x3f\x1a"
        data = one_function(code) + name_section({0: "rate"})
        error = refusal(data)
        assert isinstance(error, FloatRefused)
        offset = data.index(code)
        assert str(error) == f"floats are not deterministic: f32.const (at function 0 (rate), byte {offset:#x})"

    def test_a_float_in_a_signature_belongs_to_its_function(self) -> None:
        error = refusal(one_function(b"", params=b"\x7c") + name_section({0: "rate"}))
        assert (error.reason, error.place.name) == ("floats are not deterministic: f64 in the signature", "rate")

    def test_gathers_the_first_mention_of_each_function(self) -> None:
        bodies = [body(b"\x43\0\0\0\0\x1a" * 3), body(b""), body(b"", b"\x01\x01\x7c")]
        data = HEADER + NO_TYPE + section(3, b"\x03\0\0\0") + section(10, vector(bodies))
        error = refusal(data)
        assert isinstance(error, FloatRefused)
        assert [(m.what, m.place.function) for m in error.mentions] == [("f32.const", 0), ("f64", 2)]
        assert error.reason == "floats are not deterministic: f32.const (and 1 more place)"

    @pytest.mark.parametrize(
        "data",
        [
            HEADER + section(1, vector([b"\x60\x01\x7d\x00"])),
            HEADER + section(6, vector([b"\x7c\x00\x44" + bytes(8) + b"\x0b"])),
            HEADER + section(2, vector([sized(b"m") + sized(b"g") + b"\x03\x7d\x00"])),
            one_function(b"\x02\x7d\x00\x0b\x1a"),
            one_function(b"\x00\x1c\x01\x7c"),
            one_function(b"\x00\xfc\x07\x1a"),
            one_function(b"\x00\x2b\x02\x00\x1a"),
        ],
        ids=["unused type", "global", "import", "block type", "select", "trunc_sat", "load"],
    )
    def test_is_found_wherever_it_stands(self, data: bytes) -> None:
        assert isinstance(refusal(data), FloatRefused)

    def test_a_malformed_module_with_floats_is_malformed(self) -> None:
        assert isinstance(refusal(one_function(b"\x43\0\0\0\0\xff")), Malformed)


class TestBodies:
    def test_reads_immediates_of_every_size(self) -> None:
        code = b"\x41\xff\xff\xff\xff\x07\x1a" + b"\x41\x7f\x1a" + b"\x42" + signed(-(1 << 63)) + b"\x1a"
        code += b"\x41\x00\x28\x02" + unsigned(0xFFFF_FFFF) + b"\x1a"
        function = decode(one_function(code), bare_rules()).functions[0]
        assert function.code.imms[::2] == [0x7FFFFFFF, 0xFFFFFFFF, 1 << 63, 0, None]
        assert function.code.imms[7] == (2, 0xFFFFFFFF)

    def test_offsets_count_from_the_module(self) -> None:
        data = one_function(b"\x41\x01\x1a")
        code = decode(data, bare_rules()).functions[0].code
        assert [data[offset] for offset in code.offsets] == code.ops == [0x41, 0x1A, 0x0B]

    def test_resolves_block_types(self) -> None:
        code = decode(one_function(b"\x02\x40\x0b\x02\x7e\x00\x0b\x1a\x02\x00\x0b"), bare_rules()).functions[0].code
        assert [imm for op, imm in zip(code.ops, code.imms, strict=True) if op == 0x02] == [
            FuncType((), ()),
            FuncType((), (I64,)),
            FuncType((), ()),
        ]

    def test_expands_locals(self) -> None:
        function = decode(one_function(b"", locals_=b"\x02\x02\x7f\x01\x70"), bare_rules()).functions[0]
        assert function.locals == (I32, I32, FUNCREF)

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (b"\x05", "END opcode expected: else without if"),
            (b"\x02\x40\x05\x0b", "END opcode expected: else without if"),
            (b"\x02\x09\x0b", "unknown type 9"),
            (b"\x02\x50\x0b", "malformed block type"),
            (b"\x0b", "section size mismatch"),
            (b"\x41\x80\x80\x80\x80\x08\x1a", "integer too large"),
            (b"\x41\x80\x80\x80\x80\x80\x00\x1a", "integer representation too long"),
            (b"\x3f\x80\x00\x1a", "zero byte expected"),
            (b"\x41\x00\x28\x02\x80\x80\x80\x80\x80\x00\x1a", "integer representation too long"),
            (b"\xfc\x12\x00", "illegal opcode fc 12"),
            (b"\xfc\xff\xff\x03", "illegal opcode fc ffff"),
            (b"\xd0\x7f\x1a", "malformed reference type"),
        ],
    )
    def test_refuses(self, code: bytes, reason: str) -> None:
        assert refusal(one_function(code)).reason.startswith(reason)


class TestLimits:
    @pytest.mark.parametrize(
        ("limit", "data"),
        [
            ("code_bytes", one_function(b"\x01" * 40)),
            ("types", HEADER + section(1, vector([b"\x60\x00\x00"] * 3))),
            ("imports", HEADER + section(2, vector([sized(b"m") + sized(b"f") + b"\x02\x00\x00"] * 3))),
            ("functions", HEADER + NO_TYPE + section(3, b"\x03\0\0\0") + section(10, vector([body(b"")] * 3))),
            ("body_bytes", one_function(b"\x01")),
            ("params", one_function(b"", params=b"\x7f" * 3)),
            ("results", one_function(b"\x00", results=b"\x7f" * 3)),
            ("locals", one_function(b"", params=b"\x7f\x7f", locals_=b"\x01\x01\x7f")),
            ("module_locals", one_function(b"", locals_=b"\x02\x02\x7e\x01\x7f")),
            ("nesting", one_function(b"\x02\x40" * 3 + b"\x0b" * 3)),
            ("br_table_entries", one_function(b"\x41\x00\x0e\x03\0\0\0\0")),
            ("globals", HEADER + section(6, vector([b"\x7f\x00\x41\x00\x0b"] * 3))),
            ("exports", HEADER + section(7, vector([sized(n) + b"\0\0" for n in (b"a", b"b", b"c")]))),
            ("tables", HEADER + section(4, vector([b"\x70\x00\x00"] * 3))),
            ("element_entries", one_function(b"", between=section(9, vector([b"\x01\x00\x03\0\0\0"])))),
            ("data_segments", HEADER + section(11, vector([b"\x01\x00"] * 3))),
            ("name_bytes", HEADER + section(0, sized(b"abc"))),
        ],
    )  # fmt: skip
    def test_refuses_more_and_says_how_many_may_be(self, limit: str, data: bytes) -> None:
        room = {"code_bytes": len(data) - 1}.get(limit, 2)
        decode(data, bare_with(**{limit: room + 1}))
        with pytest.raises(Invalid, match=rf"the limit is {room}\b"):
            decode(data, bare_with(**{limit: room}))

    def test_entries_of_all_element_segments_count(self) -> None:
        data = one_function(b"", between=section(9, vector([b"\x01\x00\x02\0\0"] * 2)))
        with pytest.raises(Invalid, match="too many element entries: 4, the limit is 3"):
            decode(data, bare_with(element_entries=3))


class TestBombs:
    @pytest.mark.parametrize(
        "data",
        [
            *(HEADER + section(kind, unsigned(0xFFFF_FFFF)) for kind in (1, 2, 3, 4, 5, 6, 7, 9, 10, 11)),
            HEADER + NO_TYPE + section(3, b"\x01\x00") + section(10, b"\x01\x07" + unsigned(0xFFFF_FFFF) + b"\x7f\x0b"),
            one_function(b"", locals_=b"\x01" + unsigned(0xFFFF_FFFF) + b"\x7f"),
            one_function(b"\x0e" + unsigned(0xFFFF_FFFF)),
            HEADER + section(0, unsigned(0xFFFF_FFFF)),
            HEADER + section(1, vector([b"\x60" + unsigned(0xFFFF_FFFF)])),
        ],
    )
    def test_a_declared_count_allocates_nothing(self, data: bytes) -> None:
        decode_quietly(data)
        tracemalloc.start()
        try:
            decode_quietly(data)
            assert tracemalloc.get_traced_memory()[1] < 1 << 18
        finally:
            tracemalloc.stop()

    def test_locals_of_many_functions_stay_within_the_modules_budget(self) -> None:
        count = 2_000
        bodies = vector([body(b"", b"\x01" + unsigned(1_000) + b"\x7f")] * count)
        data = HEADER + NO_TYPE + section(3, vector([b"\0"] * count)) + section(10, bodies)
        with pytest.raises(Invalid, match="too many locals in the module"):
            decode(data, default_limits())

    def test_deep_nesting_needs_no_recursion(self) -> None:
        depth = 40_000
        data = one_function(b"\x02\x40" * depth + b"\x0b" * depth)
        assert len(decode(data, bare_with(nesting=depth)).functions[0].code.ops) == 2 * depth + 1
        with pytest.raises(Invalid, match="blocks nested too deeply: the limit is 512"):
            decode(data, contract_rules())


def decode_quietly(data: bytes) -> None:
    with pytest.raises(ModuleError):
        decode(data, bare_rules())


class TestSections:
    def test_custom_sections_know_what_they_follow(self) -> None:
        custom = section(0, sized(b"c") + b"xyz")
        module = decode(HEADER + custom + NO_TYPE + custom, bare_rules())
        assert [(c.name, c.content, c.after) for c in module.customs] == [("c", b"xyz", 0), ("c", b"xyz", 1)]

    @pytest.mark.parametrize("flags", [2, 3, 4, 5, 6, 7])
    def test_limits_flags_of_other_proposals_are_named(self, flags: int) -> None:
        proposal = "threads" if flags < 4 else "memory64"
        assert refusal(HEADER + section(5, bytes([1, flags, 0, 0]))).reason.endswith(
            f"{proposal} is not in the profile"
        )

    def test_a_second_memory_index_is_refused(self) -> None:
        data = HEADER + section(5, b"\x01\x00\x01") + section(11, vector([b"\x02\x01\x41\x00\x0b\x00"]))
        assert refusal(data).reason.startswith("unknown memory 1")


@given(st.integers(0, (1 << 64) - 1))
def test_unsigned_integers_read_back(value: int) -> None:
    assert Reader(unsigned(value)).unsigned(64) == value


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_signed_integers_read_back(value: int) -> None:
    assert Reader(signed(value)).signed(64) == value


@given(st.integers(0, (1 << 32) - 1), st.integers(0, 4))
def test_integers_may_be_padded_up_to_their_width(value: int, padding: int) -> None:
    short = unsigned(value)
    padded = bytes(b | 0x80 for b in short) + b"\x80" * padding + b"\x00"
    if len(padded) <= 5:
        assert Reader(padded).unsigned(32) == value
    else:
        with pytest.raises(Malformed, match="integer representation too long"):
            Reader(padded).unsigned(32)
