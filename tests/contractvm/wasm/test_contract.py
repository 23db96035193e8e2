"""What a contract may be: each refusal with its words and its place; and what entering one costs."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest
import wasmtime

from contractvm.errors import Invalid, Malformed, ModuleError, Unlinkable
from contractvm.host.table import HOST
from contractvm.rules import contract_rules
from contractvm.wasm.contract import SEES_GAS, accept, host_type, reload
from contractvm.wasm.encode import section, sized, vector
from contractvm.wasm.module import I32, I64, FuncType
from tests.contractvm.wasm.modules import HEADER, body

RULES = contract_rules()
CALL = '(func (export "call"))'
MEMORY = '(memory (export "memory") 1)'


def code(text: str) -> bytes:
    return bytes(wasmtime.wat2wasm(f"(module {text})"))


def refused(data: bytes) -> ModuleError:
    with pytest.raises(ModuleError) as caught:
        accept(data, RULES)
    return caught.value


def test_the_least_contract() -> None:
    contract = accept(code(MEMORY + CALL), RULES)
    assert contract.entries == {"call": 0}
    assert (contract.pages, contract.imports) == (1, ())


def test_a_constructor_is_optional_and_both_may_be_one_function() -> None:
    made = accept(code(MEMORY + '(func $f (export "call") (export "deploy"))'), RULES)
    assert made.entries == {"call": 0, "deploy": 0}


def test_every_host_function_can_be_imported() -> None:
    names = {I32: "i32", I64: "i64"}

    def declared(type_: FuncType) -> str:
        params = " ".join(names[t] for t in type_.params)
        results = " ".join(names[t] for t in type_.results)
        return f"(param {params}) (result {results})"

    imports = "".join(f'(import "cvm1" "{row.name}" (func {declared(host_type(row))}))' for row in HOST)
    contract = accept(code(imports + MEMORY + CALL), RULES)
    assert contract.imports == tuple(row.fn for row in HOST)


@pytest.mark.parametrize(
    ("text", "kind", "reason", "has_offset"),
    [
        (
            '(import "env" "caller" (func (param i32)))' + MEMORY + CALL,
            Unlinkable,
            'a contract imports from "cvm1" alone, not "env" "caller"',
            True,
        ),
        (
            '(import "cvm1" "nothing" (func))' + MEMORY + CALL,
            Unlinkable,
            'there is no host function "cvm1" "nothing": a func is imported',
            True,
        ),
        (
            '(import "cvm1" "caller" (global i32))' + MEMORY + CALL,
            Unlinkable,
            'there is no host function "cvm1" "caller": a global is imported',
            True,
        ),
        (
            '(import "cvm1" "memory" (memory 1)) (export "memory" (memory 0))' + CALL,
            Unlinkable,
            'there is no host function "cvm1" "memory": a memory is imported',
            True,
        ),
        (
            '(import "cvm1" "caller" (func (param i64)))' + MEMORY + CALL,
            Unlinkable,
            'host function "cvm1" "caller" is [i32] -> [], imported is [i64] -> []',
            True,
        ),
        (CALL, Invalid, "a contract defines exactly one memory; this one has none", False),
        (
            MEMORY + CALL + "(func $s) (start $s)",
            Invalid,
            "a contract has no start function; use `deploy` for what is to run once",
            False,
        ),
        ("(memory 1)" + CALL, Invalid, 'a contract exports its memory as "memory"', False),
        ('(memory 1) (func (export "memory"))' + CALL, Invalid, 'a contract exports its memory as "memory"', False),
        (MEMORY, Invalid, 'a contract exports a function "call" without operands and results', False),
        (
            MEMORY + '(global (export "call") i32 (i32.const 0))',
            Invalid,
            'a contract exports a function "call" without operands and results',
            False,
        ),
        (
            MEMORY + CALL + '(table (export "deploy") 1 funcref)',
            Invalid,
            'a contract exports a function "deploy" without operands and results',
            False,
        ),
        (MEMORY + '(func (export "call") (param i32))', Invalid, '"call" must be [] -> [], it is [i32] -> []', False),
        (
            MEMORY + CALL + '(func (export "deploy") (result i64) (i64.const 0))',
            Invalid,
            '"deploy" must be [] -> [], it is [] -> [i64]',
            False,
        ),
        (
            MEMORY + CALL + '(data (i32.const 65534) "abc")',
            Invalid,
            "data segment 0 ends at byte 65537 of a memory that starts with 65536 bytes",
            True,
        ),
        (
            MEMORY + CALL + '(data "passive") (data (i32.const -1) "")',
            Invalid,
            "data segment 1 ends at byte 4294967295 of a memory that starts with 65536 bytes",
            True,
        ),
        (
            MEMORY + '(func $f (export "call")) (table 2 funcref) (elem (i32.const 1) $f $f)',
            Invalid,
            "element segment 0 does not fit a table that starts with 2 entries",
            True,
        ),
    ],
)
def test_refusals(text: str, kind: type[ModuleError], reason: str, has_offset: bool) -> None:
    error = refused(code(text))
    assert type(error) is kind
    assert error.reason == reason
    assert (error.place.offset is not None) == has_offset


@pytest.mark.parametrize(
    "text",
    [
        "(func (param externref))",
        "(func (result externref) unreachable)",
        "(func (local externref))",
        "(table 1 externref)",
        "(global externref (ref.null extern))",
        "(elem externref)",
        "(type (func (result externref)))",
    ],
)
def test_externref_is_refused_in_declarations(text: str) -> None:
    assert refused(code(MEMORY + CALL + text)).reason.startswith("a contract has no externref")


@pytest.mark.parametrize(
    "text",
    [
        "(drop (ref.null extern))",
        "(block (result externref) (unreachable)) (drop)",
        "(unreachable) (loop (result externref) (unreachable)) (drop)",
        "(unreachable) (if (result externref) (then (unreachable)) (else (unreachable))) (drop)",
        "(unreachable) (select (result externref)) (drop)",
    ],
)
def test_externref_is_refused_in_bodies_with_its_place(text: str) -> None:
    error = refused(code(MEMORY + CALL + f"(func $bad nop {text})"))
    assert error.reason == "a contract has no externref"
    assert error.place.function == 1
    assert error.place.offset is not None


def test_funcref_is_welcome() -> None:
    text = "(table 1 funcref) (elem declare func 0) (func (block (result funcref) (ref.func 0)) (drop))"
    assert accept(code(MEMORY + CALL + text), RULES).entries == {"call": 0}


def test_what_the_decoder_and_the_validator_refuse() -> None:
    assert type(refused(b"\0asm\1\0\0")) is Malformed
    assert type(refused(code(MEMORY + CALL)[:-1])) is Malformed
    assert type(refused(code(MEMORY + CALL + "(func (drop (f32.const 1)))"))).__name__ == "FloatRefused"
    invalid = HEADER + section(1, b"\1\x60\0\0") + section(3, b"\1\0") + section(10, vector([body(b"\x6a")]))
    assert type(refused(invalid)) is Invalid


def test_two_memories() -> None:
    data = HEADER + section(5, b"\2\0\1\0\1") + section(7, vector([sized(b"memory") + b"\2\0"]))
    assert refused(data).reason == "multiple memories: multi-memory is not in the profile"


def test_an_imported_entry() -> None:
    text = '(import "cvm1" "iter_close" (func (param i32)))' + MEMORY + '(export "call" (func 0))'
    assert refused(code(text)).reason.startswith('"call" must be [] -> []')


def test_segments_may_just_fit() -> None:
    text = (
        '(data (i32.const 65533) "abc") (data (i32.const 65536) "") (func $g) (table 2 funcref) (elem (i32.const 1) $g)'
    )
    assert accept(code(MEMORY + CALL + text), RULES).pages == 1


def test_offsets_from_globals_are_worked_out() -> None:
    text = '(global i32 (i32.const 65535)) (data (i32.add (global.get 0) (i32.const 1)) "a")'
    assert refused(code(MEMORY + CALL + text)).reason.startswith("data segment 0 ends at byte 65537")


def test_the_price_of_a_frame() -> None:
    milli = RULES.schedule.milli
    text = """(memory (export "memory") 3) (func $f (export "call")) (table 5 funcref) (table 7 9 funcref)
      (elem (i32.const 0) $f $f) (elem func $f) (data (i32.const 0) "four") (data "passive")"""
    expected = 2 * milli("wasm.page") + (5 + 7 + 2 + 1) * milli("wasm.table_entry")
    expected += len("four") * milli("wasm.frame.segment_byte")
    for contract in accept(code(text), RULES), reload(code(text), RULES):
        assert contract.outermost_cost == expected
        assert contract.cost == expected + milli("wasm.frame.page")


def test_no_pages_cost_nothing() -> None:
    none = accept(code('(memory (export "memory") 0)' + CALL), RULES)
    assert none.cost == none.outermost_cost == 0


def test_reloading_asks_no_questions() -> None:
    """Later rules must not invalidate what was deployed, so code is not checked again."""
    strange = code(MEMORY + CALL + "(func (drop (ref.null extern)))")
    assert reload(strange, RULES).entries == {"call": 0}


def test_who_can_see_how_much_gas_is_left() -> None:
    assert not accept(code(MEMORY + CALL), RULES).sees_gas
    assert accept(code('(import "cvm1" "gas_left" (func (result i64)))' + MEMORY + CALL), RULES).sees_gas


def test_host_functions_that_tell_of_gas_are_known() -> None:
    """Each that asks the meter for what is left, or forwards a part of it, itself or through what it calls."""

    def asks(function: Callable[..., Any], seen: frozenset[str] = frozenset()) -> bool:
        names = set(getattr(function, "__code__").co_names)  # noqa: B009 - host functions are plain functions
        called = {name: function.__globals__.get(name) for name in names - seen}
        return bool(names & {"gas_left", "forward"}) or any(
            asks(each, seen | names) for each in called.values() if isinstance(each, FunctionType)
        )

    assert {row.name for row in HOST if asks(row.fn)} == SEES_GAS
