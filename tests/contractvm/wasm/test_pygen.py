"""The portable tier's code: evaluation order against the reference tier, what stands on a line, where operands wait."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.wasm.engine import Engine
from contractvm.wasm.opcodes import OPS
from contractvm.wasm.pycalls import CALLS
from contractvm.wasm.pygen import FORMS, Generated, generate
from contractvm.wasm.pyinstructions import INSTRUCTIONS
from contractvm.wasm.pystructured import MAX_INDENT, MAX_LOOPS, TooDeep
from tests.contractvm.wasm.test_tiers import agree, wat


def made(text: str, form: str | None = None) -> Generated:
    return generate(Engine().load(wat(f"(module (memory 1) {text})")), 0, form)


def test_every_instruction_is_translated_in_one_place() -> None:
    control = {op.code for op in OPS if op.imm in ("block", "label", "labels")}
    control |= {op.code for op in OPS if op.name in ("else", "end", "return", "unreachable")}
    assert set(INSTRUCTIONS) | set(CALLS) | control == {op.code for op in OPS}
    assert not set(INSTRUCTIONS) & (set(CALLS) | control)


SLOT = "(i32.rotl (i32.mul (local.get 2) (i32.const 5)) (i32.const 3))"
# Every way an operand can be evaluated early, while something below it could trap and must be evaluated before.
EARLY = {
    "a constant rotation takes a slot": "(i32.rotl (i32.add (local.get 2) (i32.const 1)) (i32.const 3))",
    "a rotated load": "(i32.rotr (i32.load (local.get 1)) (i32.const 9))",
    "a load beside a slot": f"(i32.add (i32.load (local.get 1)) {SLOT})",
    "a slot beside a load": f"(i32.add {SLOT} (i32.load (local.get 1)))",
    "wide": "(i32.wrap_i64 (i64.add (i64.add128 (i64.load (local.get 1)) (i64.const 1) (i64.const 2) (i64.const 3))))",
    "wide product": "(i32.wrap_i64 (i64.add (i64.mul_wide_u (i64.const 1) (i64.load (local.get 1)))))",
    "select of loads": "(select (i32.load (local.get 1)) (i32.load8_u (local.get 1)) (local.get 2))",
    "select by a load": "(select (local.get 2) (i32.const 1) (i32.load (local.get 1)))",
    "tee": "(i32.add (local.tee 3 (i32.load (local.get 1))) (local.get 3))",
    "division": "(i32.div_u (i32.load (local.get 1)) (i32.load (local.get 1)))",
    "signed division": "(i32.rem_s (i32.const 3) (i32.load (local.get 1)))",
    "a call": "(call $same (i32.load (local.get 1)))",
    "an indirect call": "(call_indirect (param i32) (result i32) (local.get 2) (i32.load (local.get 1)))",
    "a block": "(block (result i32) (i32.load (local.get 1)))",
    "an if": "(if (result i32) (i32.load (local.get 1)) (then (local.get 2)) (else (i32.const 4)))",
    "a loop": "(i32.load (local.get 1)) (loop (param i32) (result i32))",
    "growth": "(memory.grow (i32.load (local.get 1)))",
    "a table": "(ref.is_null (table.get 0 (i32.load (local.get 1))))",
    "depth": "(i32.load (local.get 1)) " + "(local.get 2) (i32.mul) " * 60,
    "length": "(i32.load (local.get 1)) " + "(i32.xor (i32.const 1234567890)) " * 60,
    "a store": "(i32.store8 (i32.load (local.get 1)) (i32.load (local.get 1))) (i32.const 1)",
    "a drop": "(drop (i32.load (local.get 1))) (i32.const 1)",
    "a global": "(global.set $g (i32.load (local.get 1))) (global.get $g)",
    "br_if": "(block (result i32) (i32.const 7) (br_if 0 (i32.load (local.get 1))))",
    "br_table": "(block (result i32) (i32.const 7) (br_table 0 0 (i32.load (local.get 1))))",
    "return": "(block (result i32) (return (i32.load (local.get 1))))",
    "a tail call": "(block (result i32) (return_call $same (i32.load (local.get 1))))",
}  # fmt: skip


@pytest.mark.parametrize("below", ["(i32.load (local.get 0))", "(i32.div_u (i32.const 9) (i32.load (local.get 0)))"])
@pytest.mark.parametrize("name", EARLY)
def test_what_could_trap_is_evaluated_in_order(name: str, below: str) -> None:
    data = wat(f"""(module (memory 1 1) (table 3 funcref) (elem (i32.const 0) $same) (global $g (mut i32) (i32.const 1))
      (func $same (param i32) (result i32) (local.get 0))
      (func (export "f") (param i32 i32 i32) (result i32) (local i32)
        {below} {EARLY[name]} (i32.rotl (i32.add (local.get 2) (i32.const 2)) (i32.const 5)) (i32.add) (i32.add)))""")
    places = {agree(data, "f", first, second, 0).trap for first in (0, 65533) for second in (0, 65533)}
    assert len(places) >= 2


ATOMS = st.sampled_from(("l0", "l1", "l2", "const", "load", "global", "size"))


@st.composite
def expressions(draw: st.DrawFn, depth: int = 4) -> str:
    """Text of an i32 expression that reads, traps and writes in many orders."""
    if depth == 0:
        atom = draw(ATOMS)
        return {
            "const": f"(i32.const {draw(st.sampled_from((0, 1, 3, 7, 31, 65532, 65536, -1)))})",
            "load": f"(i32.load8_u (local.get {draw(st.integers(0, 2))}))",
            "global": "(global.get $g)",
            "size": "(memory.size)",
        }.get(atom, f"(local.get {atom[1:]})")

    def inner() -> str:
        return draw(expressions(draw(st.integers(0, depth - 1))))

    match draw(st.integers(0, 11)):
        case 0 | 1 | 2:
            op = draw(st.sampled_from(("add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "lt_s", "eq", "ge_u")))
            return f"(i32.{op} {inner()} {inner()})"
        case 3:
            op = draw(st.sampled_from(("div_s", "div_u", "rem_s", "rem_u")))
            return f"(i32.{op} {inner()} {inner()})"
        case 4:
            return f"(i32.rotl {inner()} (i32.const {draw(st.integers(0, 33))}))"
        case 5:
            return f"(select {inner()} {inner()} {inner()})"
        case 6:
            return f"(local.tee {draw(st.integers(0, 2))} {inner()})"
        case 7:
            load = draw(st.sampled_from(("load", "load8_s", "load16_u", "load offset=3")))
            return f"(i32.{load} {inner()})"
        case 8:
            return f"(block (result i32) (i32.store16 {inner()} {inner()}) {inner()})"
        case 9:
            return f"(block (result i32) (global.set $g {inner()}) {inner()})"
        case 10:
            return f"(block (result i32) {inner()} (br_if 0 {inner()}) (drop) {inner()})"
        case _:
            return f"(if (result i32) {inner()} (then {inner()}) (else {inner()}))"


@settings(max_examples=150)
@given(expressions(), st.tuples(*[st.sampled_from((0, 1, 5, 65533, 65535, 65536, 0xFFFF_FFFF))] * 3))
def test_expressions_agree_with_the_reference(text: str, operands: tuple[int, int, int]) -> None:
    """Results, trap places, gas, instructions: whatever the order of reads, writes and traps."""
    data = wat(f"""(module (memory 1) (global $g (mut i32) (i32.const 3)) (data (i32.const 0) "\\01\\02\\80\\ff")
      (func (export "f") (param i32 i32 i32) (result i32) {text}))""")
    agree(data, "f", *operands)


def test_each_line_that_can_trap_belongs_to_an_instruction() -> None:
    """What raises stands at the start of its line, and a line starts one thing."""
    generated = made("""(func (param i32) (result i32)
        (i32.add (i32.load (i32.load8_u (local.get 0))) (i32.div_u (i32.load16_s (local.get 0)) (local.get 0))))""")
    lines = generated.source.splitlines()
    opening = re.compile(r"^(ld_|mem\[|\(|div_|rem_)")
    for number, at in generated.instructions.items():
        if at != 0:
            assert opening.match(lines[number - 1]), lines[number - 1]
    # 0 local.get, 1 load8_u, 2 load, 3 local.get, 4 load16_s, 5 local.get, 6 div_u
    assert sorted(set(generated.instructions.values()) - {0}) == [1, 2, 4, 6]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))",
            "return (t if (t := (l0 + 1)) <= 4294967295 else t & 4294967295)",
        ),
        (
            "(func (param i32 i32) (result i32) (i32.lt_u (local.get 0) (local.get 1)))",
            "return (1 if (l0 < l1) else 0)",
        ),
        ("(func (param i32) (loop (br_if 0 (local.get 0))))", "if l0:"),
        ("(func (param i32) (i32.store8 (local.get 0) (i32.const 300)))", "mem[l0] = (44)"),
        ("(func (param i64) (result i32) (i64.eqz (local.get 0)))", "return (1 if (not l0) else 0)"),
    ],
)
def test_forms_that_speed_depends_on(text: str, line: str) -> None:
    assert line in [stripped.strip() for stripped in made(text).source.splitlines()]


def test_a_block_left_by_its_own_br_if_is_an_if() -> None:
    text = "(func (param i32) (block (br_if 0 (local.get 0)) (local.set 0 (i32.const 1))))"
    assert "while" not in made(text, "nested").source
    assert "while 1:" in made(text, "structured").source


def test_a_loop_in_a_block_needs_no_flag() -> None:
    text = """(func (param i32) (block (loop (br_if 1 (i32.eqz (local.get 0)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br 0))))"""
    source = made(text).source
    assert "b = " not in source
    assert source.count("break") >= 1


def loops(depth: int) -> str:
    return "(func (param i32)" + "(loop (br_if 0 (local.get 0))" * depth + ")" * depth + ")"


def ifs(depth: int) -> str:
    return "(func (param i32)" + "(if (local.get 0) (then " * depth + "))" * depth + ")"


@pytest.mark.parametrize(("text", "fits"), [(loops(MAX_LOOPS), True), (loops(MAX_LOOPS + 1), False)])
def test_loops_nest_as_far_as_cpython_compiles(text: str, fits: bool) -> None:
    if fits:
        assert made(text, "structured").form == "structured"
    else:
        with pytest.raises(TooDeep):
            made(text, "structured")
    assert made(text).form == ("nested" if fits else "states")


@pytest.mark.parametrize("depth", [MAX_INDENT - 2, MAX_INDENT + 2])
def test_ifs_nest_as_far_as_cpython_indents(depth: int) -> None:
    assert made(ifs(depth)).form == ("nested" if depth < MAX_INDENT else "states")
    data = wat(f'(module {ifs(depth)} (export "f" (func 0)))')
    assert agree(data, "f", 1).results == ()


@pytest.mark.parametrize("form", FORMS)
def test_code_behind_a_branch_is_not_generated(form: str) -> None:
    source = made(
        "(func (param i32) (block (br 0) (local.set 0 (i32.const 12345))) (return) (drop (i32.const 54321)))", form
    ).source
    assert "12345" not in source
    assert "54321" not in source
