"""Validation: the pack's invalid modules, places, feature switches, limits, and what hostile bodies may cost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contractvm.errors import Invalid, Place
from contractvm.rules import FEATURES, Rules, bare_rules, contract_rules
from contractvm.wasm.decode import FloatRefused, decode
from contractvm.wasm.encode import section, sized, unsigned, vector
from contractvm.wasm.opcodes import BY_CODE
from contractvm.wasm.operands import Operands
from contractvm.wasm.validate import validate
from contractvm.wasm.validate_body import _ROWS
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

MISCLASSIFIED = {("conversions", line) for line in (679, 680, 681, 682, 683, 686, 687, 688, 689, 690)}
"""Class `int` in the pack, yet each module holds a float instruction (i32.trunc_f32_s ...): refused for that."""
FLOATS_IN_PLAIN_MODULES = {("binary", 194), ("float_literals", 224)}
"""`module` commands of class `int` with a float local and a float result."""
BEYOND_LIMITS = {("table", 9)}
"""A table of 2^32-1 entries: valid, and more than `Limits.table_entries` of the bare engine."""
OTHER_WORDS = {("align", 949), ("align", 1017), ("elem", 525), ("global", 675), ("memory_size3", 4)}
"""Invalid for the reason given only with multi-memory, memory64 or typed references; refused by that name before."""

MEMORY = section(5, b"\x01\x00\x01")
TABLE = section(4, b"\x01\x70\x00\x02")


def check(data: bytes, rules: Rules | None = None) -> None:
    rules = rules or bare_rules()
    validate(decode(data, rules), rules)


def refusal(data: bytes, rules: Rules | None = None) -> Invalid:
    with pytest.raises(Invalid) as caught:
        check(data, rules)
    return caught.value


def test_every_invalid_module_of_the_pack_is_invalid() -> None:
    seen = 0
    for command, data in pack_commands("assert_invalid"):
        where = command.script, command.line
        if command.given_class != "int":
            continue
        seen += 1
        error = refusal(data)
        assert isinstance(error, FloatRefused) == (where in MISCLASSIFIED), str(command)
        if where not in OTHER_WORDS | MISCLASSIFIED:
            assert error.reason.startswith(command.body["text"]), f"{command}: {error}"
    assert seen == 689


def test_every_other_module_of_the_pack_is_valid() -> None:
    kinds = ("module", "module_definition", "assert_unlinkable", "assert_uninstantiable")
    for command, data in pack_commands(*kinds):
        where = command.script, command.line
        if command.given_class == "int" and where not in FLOATS_IN_PLAIN_MODULES | BEYOND_LIMITS:
            check(data)


class TestPlaces:
    def test_names_function_byte_and_types(self) -> None:
        data = one_function(b"\x42\x00\x45\x1a") + name_section({0: "mint"})
        error = refusal(data)
        assert error.reason == "type mismatch: [i32] needed, [i64] on the stack"
        assert error.place == Place(data.index(b"\x45\x1a"), 0, "mint")

    def test_a_long_stack_is_named_by_its_end(self) -> None:
        assert refusal(one_function(b"\x41\x00" * 500)).reason.startswith("type mismatch: [... i32 i32 i32 i32 i32 i32")

    def test_exports_name_their_byte(self) -> None:
        data = HEADER + section(7, vector([sized(b"g") + b"\x03\x05"]))
        assert refusal(data).place == Place(data.index(b"\x01g"))

    def test_constant_expressions_name_their_byte(self) -> None:
        data = HEADER + section(6, vector([b"\x7f\x00\x41\x00\x67\x0b"]))
        error = refusal(data)
        assert (error.reason, error.place.offset) == ("constant expression required, not i32.clz", data.index(b"\x67"))


class TestBodies:
    @pytest.mark.parametrize(
        ("code", "results"),
        [
            (b"\x00", b"\x7f"),
            (b"\x00\x6a", b"\x7f"),
            (b"\x00\x1b", b"\x7e"),
            (b"\x00\x41\x00\x1b", b"\x7e"),
            (b"\x00\x42\x00\x41\x00\x1b", b"\x7e"),
            (b"\x00\x0e\x01\x00\x00", b"\x7f\x7e"),
            (b"\x00\xd1", b"\x7f"),
            (b"\x02\x7f\x00\x0c\x00\x0b", b"\x7f"),
            (b"\x02\x40\x00\x0b\x41\x00", b"\x7f"),
            (b"\x41\x01\x04\x7f\x41\x00\x05\x00\x0b", b"\x7f"),
            (b"\x00\x12\x00", b"\x7f"),
        ],
    )
    def test_unreachable_code_has_whatever_it_needs(self, code: bytes, results: bytes) -> None:
        check(one_function(code, results=results))

    @pytest.mark.parametrize(
        ("code", "reason"),
        [
            (b"\x00\x41\x00\x42\x00\x6a", "type mismatch"),
            (b"\x00\x42\x00\xd1", "type mismatch: a reference needed"),
            (b"\x41\x00\x02\x40\x45\x1a\x0b", "type mismatch"),
            (b"\x41\x00\x04\x7f\x41\x00\x0b\x1a", "type mismatch: if without else"),
            (b"\x1a", "type mismatch: a value needed"),
            (b"\x41\x00\x42\x00\x41\x00\x1b\x1a", "type mismatch: select needs two equal numbers"),
            (b"\xd0\x70\xd0\x70\x41\x00\x1b\x1a", "type mismatch: select needs two equal numbers"),
            (b"\x41\x00\x41\x00\x41\x00\x1c\x00\x1a", "invalid result arity"),
            (b"\x0c\x02", "unknown label 2"),
            (b"\x20\x00\x1a", "unknown local 0"),
            (b"\x10\x01", "unknown function 1"),
            (b"\x41\x00\x11\x00\x00", "unknown table 0"),
            (b"\xd2\x00\x1a", "undeclared function reference"),
            (b"\x41\x00\x28\x02\x00\x1a", "unknown memory 0"),
            (b"\x3f\x00\x1a", "unknown memory 0"),
            (b"\x02\x40\x02\x7f\x41\x00\x41\x00\x0e\x01\x00\x01\x0b\x1a\x0b", "type mismatch: br_table targets"),
            (b"\x12\x01", "unknown function 1"),
            (b"\x25\x00\x1a", "unknown table 0"),
            (b"\xfc\x0d\x00", "unknown elem segment 0"),
        ],
    )
    def test_refuses(self, code: bytes, reason: str) -> None:
        assert refusal(one_function(code)).reason.startswith(reason)

    def test_an_alignment_above_the_access_is_refused(self) -> None:
        data = one_function(b"\x41\x00\x2d\x01\x00\x1a", between=MEMORY)
        assert refusal(data).reason == "alignment must not be larger than natural: 2^1 for i32.load8_u"

    def test_a_tail_call_returns_what_the_caller_does(self) -> None:
        types = section(1, vector([b"\x60\x00\x00", b"\x60\x00\x01\x7f"]))
        code = section(10, vector([body(b""), body(b"\x12\x00")]))
        assert refusal(HEADER + types + section(3, b"\x02\0\1") + code).reason.startswith("type mismatch: tail call")

    def test_the_fast_shapes_agree_with_the_general_rules(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without its shortcuts the checker accepts and refuses the same modules for the same reasons."""
        cases = [(command, data) for command, data in pack_commands("module", "assert_invalid") if len(data) < 20_000]
        fast = [verdict(data) for _, data in cases]
        general = dict.fromkeys(BY_CODE, (8, 0, 0))
        assert {shape for shape, _, _ in _ROWS.values()} == set(range(9))
        monkeypatch.setattr("contractvm.wasm.validate_body._ROWS", general)
        assert [verdict(data) for _, data in cases] == fast


def verdict(data: bytes) -> str:
    try:
        check(data)
    except Exception as error:  # noqa: BLE001 (whatever comes must be the same twice)
        return f"{type(error).__name__}: {error}"
    return "valid"


class TestModule:
    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (HEADER + section(5, b"\x02\x00\x01\x00\x01"), "multiple memories"),
            (HEADER + section(5, b"\x01\x00" + unsigned(65_537)), "memory size must be at most 65536 pages (4 GiB)"),
            (HEADER + section(5, b"\x01\x01\x02\x01"), "size minimum must not be greater than maximum"),
            (HEADER + NO_TYPE + section(3, b"\x01\x01") + section(10, vector([body(b"")])), "unknown type 1"),
            (one_function(b"", between=section(8, b"\x01")), "unknown function 1"),
            (one_function(b"", params=b"\x7f", between=section(8, b"\x00")), "start function"),
            (HEADER + section(7, vector([sized(b"m") + b"\x02\x00"])), "unknown memory 0"),
            (HEADER + section(7, vector([sized(b"g") + b"\x03\x05"])), "unknown global 5"),
            (HEADER + section(11, vector([b"\x00\x41\x00\x0b\x00"])), "unknown memory 0"),
            (HEADER + TABLE + section(9, vector([b"\x00\x41\x00\x0b\x01\x07"])), "unknown function 7"),
            (HEADER + section(6, vector([b"\x7f\x00\x23\x00\x0b"])), "unknown global 0"),
            (
                HEADER + section(6, vector([b"\x7f\x01\x41\x00\x0b", b"\x7f\x00\x23\x00\x0b"])),
                "constant expression required, global 0 is mutable",
            ),
            (HEADER + section(6, vector([b"\x7f\x00\x42\x00\x0b"])), "type mismatch: [i32] needed, [i64]"),
        ],
    )  # fmt: skip
    def test_refuses(self, data: bytes, reason: str) -> None:
        assert refusal(data).reason.startswith(reason)

    def test_a_constant_expression_may_calculate_and_see_globals_before_it(self) -> None:
        check(HEADER + section(6, vector([b"\x7f\x00\x41\x02\x0b", b"\x7f\x00\x23\x00\x41\x03\x6c\x0b"])))

    def test_a_reference_is_declared_by_an_export_a_segment_or_a_global(self) -> None:
        take = b"\xd2\x00\x1a"
        check(one_function(take, between=section(7, vector([sized(b"f") + b"\x00\x00"]))))
        check(one_function(take, between=section(9, vector([b"\x03\x00\x01\x00"]))))
        check(one_function(take, between=section(6, vector([b"\x70\x00\xd2\x00\x0b"]))))


class TestLimits:
    def test_memory_of_the_least_size_must_fit(self) -> None:
        data = HEADER + section(5, b"\x01\x00\x03")
        check(data, bare_with(memory_pages=3))
        assert refusal(data, bare_with(memory_pages=2)).reason == "memory too large: 3 pages, the limit is 2"

    def test_a_greatest_size_beyond_the_limit_is_accepted(self) -> None:
        check(HEADER + section(5, b"\x01\x01\x01" + unsigned(60_000)), contract_rules())

    def test_table_of_the_least_size_must_fit(self) -> None:
        data = HEADER + TABLE
        check(data, bare_with(table_entries=2))
        reason = refusal(data, bare_with(table_entries=1)).reason
        assert reason == "table 0 too large: 2 entries, the limit is 1"

    @pytest.mark.parametrize(
        ("code", "carried"),
        [
            (b"\x41\x00\x41\x00\x0d\x00\x0f", 1),
            (b"\x41\x00\x41\x00\x0e\x03\x00\x00\x00\x00", 4),
            (b"\x10\x00\x10\x00\x1a", 2),
            (b"\x41\x00\x03\x40\x0c\x00\x0b", 0),
        ],
    )
    def test_operands_that_branches_carry_and_calls_return_are_limited(self, code: bytes, carried: int) -> None:
        data = one_function(code, results=b"\x7f")
        check(data, bare_with(carried_operands=carried))
        if carried:
            refused = refusal(data, bare_with(carried_operands=carried - 1))
            assert refused.reason.endswith(f"returned by calls: the limit is {carried - 1}")
            assert refused.place.function == 0


class TestFeatures:
    @pytest.mark.parametrize(
        ("feature", "data"),
        [
            ("sign-extension", one_function(b"\x41\x00\xc0\x1a")),
            ("mutable-globals", HEADER + section(2, vector([sized(b"m") + sized(b"g") + b"\x03\x7f\x01"]))),
            (
                "mutable-globals",
                HEADER + section(6, vector([b"\x7f\x01\x41\x00\x0b"])) + section(7, b"\x01" + sized(b"g") + b"\x03\0"),
            ),
            ("multi-value", one_function(b"\x00", results=b"\x7f\x7f")),
            ("multi-value", one_function(b"\x41\x00\x02\x00\x1a\x0b", params=b"\x7f")),
            ("bulk-memory", one_function(b"\x00\xfc\x0b\x00", between=MEMORY)),
            ("bulk-memory", HEADER + section(11, vector([b"\x01\x00"]))),
            ("reference-types", one_function(b"\xd0\x70\x1a")),
            ("reference-types", one_function(b"", params=b"\x6f")),
            ("reference-types", HEADER + section(4, vector([b"\x70\x00\x00"] * 2))),
            ("reference-types", HEADER + section(6, vector([b"\x70\x00\xd0\x70\x0b"]))),
            ("extended-const", HEADER + section(6, vector([b"\x7f\x00\x41\x00\x41\x00\x6a\x0b"]))),
            ("tail-call", one_function(b"\x12\x00")),
            ("wide-arithmetic", one_function(b"\x42\x00\x42\x00\xfc\x16\x1a\x1a")),
        ],
    )
    def test_is_refused_by_name_when_switched_off(self, feature: str, data: bytes) -> None:
        check(data)
        rules = replace(bare_rules(), features=FEATURES - {feature})
        assert refusal(data, rules).reason.startswith(f"feature {feature} is off under rules 'bare': ")

    def test_the_first_version_alone_still_runs_plain_modules(self) -> None:
        rules = replace(bare_rules(), features=frozenset({"mvp"}))
        check(one_function(b"\x41\x00\x41\x01\x6a\x1a"), rules)


class TestCost:
    """Work is bounded by the bytes: counted in operands looked at, not in seconds."""

    def operands(self, data: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
        work = 0
        expect = Operands.expect

        def counting(operands: Operands, types: tuple[int, ...]) -> list[int]:
            nonlocal work
            work += 1
            return expect(operands, types)

        monkeypatch.setattr(Operands, "expect", counting)
        check(data, default_limits())
        return work

    def test_a_branch_table_looks_at_each_kind_of_label_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        depth, entries = 400, 4_000
        table = b"\x41\x00\x0e" + unsigned(entries) + b"".join(unsigned(i % depth) for i in range(entries)) + b"\x00"
        data = one_function(b"\x02\x40" * depth + table + b"\x0b" * depth)
        assert self.operands(data, monkeypatch) < 4 * depth

    def test_wide_signatures_in_unreachable_code_cost_one_look_a_call(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls = 5_000
        data = one_function(b"\x00" + b"\x10\x00" * calls + b"\x00", params=b"\x7e" * 128, results=b"\x7e" * 16)
        assert self.operands(data, monkeypatch) < 2 * calls
