"""Every expression of the portable tier has the value that `numeric` gives, within the range it claims."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.errors import Trap
from contractvm.wasm import pyvalue as v
from contractvm.wasm.numeric import MEANINGS
from contractvm.wasm.portable import HELPERS
from contractvm.wasm.pyvalue import MASK, Value

MARKS = re.compile("\x01[0-9]+\x02")
BINARY: dict[str, Callable[[Value, Value, int], Value]] = {
    "add": v.add,
    "sub": v.sub,
    "mul": v.mul,
    "and": v.and_,
    "or": v.or_,
    "xor": v.xor,
    "shl": v.shl,
    "shr_u": v.shr_u,
    "shr_s": v.shr_s,
}
COMPARISONS = ("eq", "ne", *(f"{order}_{sign}" for order in v.ORDERS for sign in "su"))
DIVISIONS = ("div_s", "div_u", "rem_s", "rem_u")
COUNTS = ("clz", "ctz", "popcnt")
EDGES = [0, 1, 2, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 32767, 32768, 65535]
EDGES += [(1 << n) + d for n in (31, 32, 63, 64, 95, 96) for d in (-1, 0, 1)]
INTS = st.one_of(st.sampled_from(EDGES + [-n for n in EDGES]), st.integers(-(1 << 96), 1 << 96))


@dataclass(frozen=True)
class Known:
    """An operand, the type it has, and the bit pattern the specification says it holds."""

    value: Value
    bits: int
    pattern: int


def evaluate(text: str, names: dict[str, int]) -> Any:
    return eval(MARKS.sub("", text), dict(HELPERS), dict(names))


def check(known: Known, names: dict[str, int]) -> None:
    """The text's value is in the range, is the pattern modulo 2**bits, and is a condition only where it says so."""
    got = evaluate(known.value.text, names)
    assert isinstance(got, bool) == known.value.truth, known
    assert known.value.lo <= got <= known.value.hi, (known, got)
    assert got & MASK[known.bits] == known.pattern, (known, got)


@st.composite
def leaves(draw: st.DrawFn, number: int, names: dict[str, int]) -> Known:
    """A constant, an exact operand, or a loose one with a range around its value."""
    bits = draw(st.sampled_from((32, 64)))
    kind = draw(st.sampled_from(("const", "exact", "loose", "truth")))
    if kind == "truth":
        names[f"l{number}"] = draw(st.integers(0, 1))
        return Known(Value(f"(l{number} == 1)", 0, 1, truth=True), bits, names[f"l{number}"])
    value = draw(INTS)
    if kind == "const":
        return Known(v.const(value & MASK[bits]), bits, value & MASK[bits])
    if kind == "exact":
        value &= MASK[bits]
        lo, hi = 0, MASK[bits]
    else:
        lo, hi = sorted((value, draw(INTS)))
    names[f"l{number}"] = value
    return Known(Value(f"l{number}", lo, hi), bits, value & MASK[bits])


def of_bits(pool: list[Known], bits: int) -> st.SearchStrategy[Known]:
    return st.sampled_from([known for known in pool if known.bits == bits])


@st.composite
def steps(draw: st.DrawFn, pool: list[Known], names: dict[str, int]) -> Known | None:
    """One more operand over those of the pool; None where the operation traps, which is checked here."""
    bits = draw(st.sampled_from(sorted({known.bits for known in pool})))
    a, b, c = (draw(of_bits(pool, bits)) for _ in range(3))
    prefix = f"i{bits}."
    kind = draw(
        st.sampled_from(("binary", "compare", "divide", "count", "extend", "rotate", "convert", "select", "eqz"))
    )
    match kind:
        case "binary":
            name = draw(st.sampled_from(sorted(BINARY)))
            return Known(BINARY[name](a.value, b.value, bits), bits, meaning(prefix + name, a, b))
        case "compare":
            name = draw(st.sampled_from(COMPARISONS))
            return Known(v.compare(name, a.value, b.value, bits), 32, meaning(prefix + name, a, b))
        case "count":
            name = draw(st.sampled_from(COUNTS))
            return Known(v.count_bits(name, a.value, bits), bits, meaning(prefix + name, a))
        case "extend":
            source = draw(st.sampled_from([n for n in (8, 16, 32) if n < bits]))
            return Known(v.extend(a.value, source), bits, meaning(f"{prefix}extend{source}_s", a))
        case "rotate":
            name = draw(st.sampled_from(("rotl", "rotr")))
            at = draw(st.sampled_from((lambda x: None, lambda x: x.text if x.text.isidentifier() else None)))
            return Known(v.rotate(a.value, b.value, bits, name == "rotl", at), bits, meaning(prefix + name, a, b))
        case "convert":
            return convert(a, draw(st.sampled_from(("u", "s"))))
        case "select":
            chosen = a if c.pattern & MASK[32] else b
            condition = c.value if bits == 32 else v.exact(c.value, 32)
            return Known(v.select(a.value, b.value, condition), bits, chosen.pattern)
        case "eqz":
            return Known(v.eqz(a.value, bits), 32, meaning(f"{prefix}eqz", a))
    name = draw(st.sampled_from(DIVISIONS))
    made = v.divide(name, a.value, b.value, bits, 7)
    try:
        expected = meaning(prefix + name, a, b)
    except Trap:
        assert made.traps
        with pytest.raises((Trap, ZeroDivisionError)):
            evaluate(made.text, names)
        return None
    return Known(made, bits, expected)


def meaning(name: str, *operands: Known) -> int:
    result = MEANINGS[name](*(operand.pattern for operand in operands))
    assert isinstance(result, int)
    return result


def convert(a: Known, sign: str) -> Known:
    if a.bits == 64:
        return Known(v.number(a.value), 32, meaning("i32.wrap_i64", a))
    if sign == "u":
        return Known(v.exact(a.value, 32), 64, meaning("i64.extend_i32_u", a))
    return Known(v.signed(a.value, 32), 64, meaning("i64.extend_i32_s", a))


@settings(max_examples=400)
@given(st.data())
def test_expressions_have_the_value_of_the_specification(data: st.DataObject) -> None:
    names: dict[str, int] = {}
    pool = [data.draw(leaves(n, names)) for n in range(4)]
    for known in pool:
        check(known, names)
    for _ in range(data.draw(st.integers(1, 10))):
        made = data.draw(steps(pool, names))
        if made is None or len(made.value.text) > 3_000:
            continue
        check(made, names)
        pool.append(made)


@settings(max_examples=200)
@given(st.data(), st.sampled_from((32, 64)), st.sampled_from((8, 16, 32, 64)))
def test_reductions(data: st.DataObject, bits: int, width: int) -> None:
    """`exact` is the pattern, `low` its low bits, `signed` its two's complement reading; `condition` is its truth."""
    names: dict[str, int] = {}
    known = data.draw(leaves(0, names))
    bits = min(bits, known.bits)
    pattern = known.pattern & MASK[bits]
    assert evaluate(v.exact(known.value, bits).text, names) == pattern
    assert evaluate(v.low(known.value, min(width, bits)).text, names) == pattern & ((1 << min(width, bits)) - 1)
    assert evaluate(v.signed(known.value, bits).text, names) == pattern - (pattern >> (bits - 1) << bits)
    assert bool(evaluate(v.condition(known.value, bits), names)) == bool(pattern)
    for made in (v.exact(known.value, bits), v.low(known.value, min(width, bits)), v.signed(known.value, bits)):
        assert made.lo <= evaluate(made.text, names) <= made.hi


def test_a_value_inherits_what_it_depends_on() -> None:
    local = Value("l3", 0, MASK[32], locals=frozenset({3}))
    load = Value(f"{v.mark(5)}mem[l3]", 0, 255, locals=frozenset({3}), mutable=True, traps=True)
    both = v.add(local, v.add(load, Value("s4", 0, MASK[32]), 32), 32)
    assert both.locals == {3}
    assert both.slots and both.mutable and both.traps and not both.stable
    assert v.const(7).stable
    assert Value("s4", 0, 1).stable


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (v.add(Value("l0", 0, MASK[32]), v.const(0), 32), "l0"),
        (v.add(Value("l0", 0, MASK[32]), v.const(MASK[32]), 32), "(l0 - 1)"),
        (v.add(v.const(MASK[32]), v.const(2), 32), "1"),
        (v.exact(Value("l0", 0, MASK[32]), 32), "l0"),
        (v.exact(Value("l0", -1, MASK[32]), 32), "(t if (t := l0) >= 0 else t & 4294967295)"),
        (v.exact(Value("l0", -1 << 40, 5), 32), "(l0 & 4294967295)"),
        (v.low(v.const(0x1FF), 8), "255"),
        (v.shl(Value("l0", 0, 255), v.const(33), 32), "(l0 << 1)"),
        (v.divide("div_u", Value("l0", 0, 255), v.const(8), 32, 0), "(l0 // 8)"),
    ],
)
def test_texts(made: Value, text: str) -> None:
    """The forms that speed depends on."""
    assert made.text == text
