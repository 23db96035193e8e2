"""The integer meanings: against wasmtime on the edges, and against their definitions on any value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wasmtime
from hypothesis import given
from hypothesis import strategies as st

from contractvm.errors import Trap
from contractvm.table import Op
from contractvm.wasm.encode import encode
from contractvm.wasm.module import FUNC, I32, I64, Code, Export, Function, FuncType, Module
from contractvm.wasm.numeric import MEANINGS, sign_extend, signed
from contractvm.wasm.opcodes import OPS

CODES = {"i32": I32, "i64": I64}
BITS = {"i32": 32, "i64": 64}
OPERATORS = [op for op in OPS if op.fn is not None and op.imm == ""]


def edges(bits: int) -> list[int]:
    """Values around the powers of two that operators treat differently, as bit patterns."""
    near = {0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 0x5A5A5A5A, 0x0123456789ABCDEF}
    for power in (7, 8, 15, 16, 31, 32, bits - 1, bits):
        near |= {(1 << power) - 1, 1 << power, -(1 << power), 1 - (1 << power)}
    near |= {-1, -2, -7}
    return sorted({value & ((1 << bits) - 1) for value in near})


@pytest.fixture(scope="module")
def engine() -> wasmtime.Engine:
    config = wasmtime.Config()
    config.wasm_wide_arithmetic = True
    return wasmtime.Engine(config)


def oracle(engine: wasmtime.Engine, op: Op) -> Callable[..., tuple[int, ...] | None]:
    """The operator as wasmtime computes it: bit patterns in and out, None for a trap."""
    params, results = tuple(CODES[t] for t in op.params), tuple(CODES[t] for t in op.results)
    ops = [0x20] * len(params) + [op.code, 0x0B]
    imms: list[object] = [*range(len(params)), None, None]
    function = Function(0, (), Code(ops, imms, [0] * len(ops)), 0, 0)
    module = Module(types=[FuncType(params, results)], functions=[function], exports=[Export("f", FUNC, 0)])
    store = wasmtime.Store(engine)
    instance = wasmtime.Instance(store, wasmtime.Module(engine, encode(module)), [])
    run: Any = instance.exports(store)["f"]

    def call(*operands: int) -> tuple[int, ...] | None:
        arguments = [signed(BITS[t])(value) for t, value in zip(op.params, operands, strict=True)]
        try:
            answer = run(store, *arguments)
        except wasmtime.Trap:
            return None
        answers = answer if isinstance(answer, list) else [answer]
        return tuple(a & ((1 << BITS[t]) - 1) for t, a in zip(op.results, answers, strict=True))

    return call


def ours(op: Op, *operands: int) -> tuple[int, ...] | None:
    assert op.fn is not None
    try:
        answer = op.fn(*operands)
    except Trap:
        return None
    return answer if isinstance(answer, tuple) else (answer,)


@pytest.mark.parametrize("op", [op for op in OPERATORS if len(op.params) < 3], ids=lambda op: op.name)
def test_operator_agrees_with_wasmtime_on_edges(engine: wasmtime.Engine, op: Op) -> None:
    theirs = oracle(engine, op)
    values = edges(BITS[op.params[0]])
    cases = [(a,) for a in values] if len(op.params) == 1 else [(a, b) for a in values for b in values]
    assert [(case, ours(op, *case)) for case in cases] == [(case, theirs(*case)) for case in cases]


@pytest.mark.parametrize("op", [op for op in OPERATORS if len(op.params) > 2], ids=lambda op: op.name)
def test_wide_operator_agrees_with_wasmtime_on_edges(engine: wasmtime.Engine, op: Op) -> None:
    theirs = oracle(engine, op)
    values = [0, 1, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
    cases = [(a, b, c, d) for a in values for b in values for c in values for d in values]
    assert [(case, ours(op, *case)) for case in cases] == [(case, theirs(*case)) for case in cases]


def test_every_meaning_belongs_to_a_row_and_every_plain_row_has_one() -> None:
    assert set(MEANINGS) == {op.name for op in OPS if op.fn is not None}
    plain = {op.name for op in OPS if op.imm == "" and op.sig and op.name != "nop"}
    assert plain == {op.name for op in OPERATORS}


@given(st.sampled_from(OPERATORS), st.data())
def test_results_are_bit_patterns_and_only_marked_rows_trap(op: Op, data: st.DataObject) -> None:
    operands = [data.draw(st.integers(0, (1 << BITS[t]) - 1)) for t in op.params]
    answer = ours(op, *operands)
    if answer is None:
        assert op.traps
    else:
        assert len(answer) == len(op.results)
        assert all(0 <= a < 1 << BITS[t] for a, t in zip(answer, op.results, strict=True))


@pytest.mark.parametrize("t", ["i32", "i64"])
@given(st.data())
def test_quotient_and_remainder_make_the_dividend(t: str, data: st.DataObject) -> None:
    bits = BITS[t]
    a, b = data.draw(st.integers(0, (1 << bits) - 1)), data.draw(st.integers(1, (1 << bits) - 1))
    by_name = {op.name: op for op in OPERATORS}
    for kind in ("u", "s"):
        quotient, remainder = ours(by_name[f"{t}.div_{kind}"], a, b), ours(by_name[f"{t}.rem_{kind}"], a, b)
        if quotient is not None and remainder is not None:
            assert (quotient[0] * b + remainder[0]) % (1 << bits) == a


@pytest.mark.parametrize("op", [op for op in OPS if op.imm == "memarg"], ids=lambda op: op.name)
@given(value=st.integers(0, (1 << 64) - 1))
def test_memory_access_converts_between_values_and_bytes(op: Op, value: int) -> None:
    assert op.fn is not None
    if op.results:
        raw = value & ((1 << 8 * op.width) - 1)
        as_signed = int.from_bytes(raw.to_bytes(op.width, "little"), "little", signed=op.name.endswith("_s"))
        assert op.fn(raw) == as_signed % (1 << BITS[op.results[0]])
    else:
        operand = value & ((1 << BITS[op.params[1]]) - 1)
        assert op.fn(operand) == operand % (1 << 8 * op.width)


@given(st.integers(0, (1 << 64) - 1))
def test_sign_extension_reads_only_its_source_bits(value: int) -> None:
    assert sign_extend(8, 32)(value) == sign_extend(8, 32)(value & 0xFF)
    assert signed(8)(sign_extend(8, 32)(value) & 0xFF) == signed(32)(sign_extend(8, 32)(value))
