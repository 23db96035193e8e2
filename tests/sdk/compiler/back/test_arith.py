"""Arithmetic against Python's integers: every width and sign, checked and wrapping, on the edges and at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contractvm.errors import Revert
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import HostFunction
from contractvm.wasm.module import I32, FuncType
from sdk.compiler.back import arith, arith_convert
from sdk.compiler.back.asm import HOST_TYPES, Assembly, Body
from sdk.compiler.back.link import link
from sdk.compiler.back.slots import slots
from sdk.compiler.back.writer import StorageParts, Tables, Unit, Writer
from sdk.compiler.symbols import Span
from sdk.compiler.tree import Binary, Builtin, Load, Local, LocalPlace, Program, Unary
from sdk.compiler.types import U64, Address, Enum, FixedBytes, Int, Type

SPAN = Span(0, 1, 0, 1, 1)
NO_STORAGE = cast(StorageParts, None)
WIDTHS = (8, 16, 24, 32, 40, 64, 72, 120, 128, 136, 160, 192, 200, 248, 256)
TYPES = [Int(bits, signed) for bits in WIDTHS for signed in (False, True)]
SOME = [type_ for type_ in TYPES if type_.bits in (8, 40, 64, 72, 128, 136, 192, 256)]


def to_slots(type_: Type, value: int) -> list[int]:
    """A value as its wasm slots, bit patterns."""
    if isinstance(type_, (FixedBytes, Address)):
        size = type_.size if isinstance(type_, FixedBytes) else 20
        raw = value.to_bytes(size, "big")
        return [int.from_bytes(raw[i : i + 8], "little") for i in range(0, size, 8)]
    return [value >> 64 * i & (1 << 64) - 1 for i in range(len(slots(type_)))]


def from_slots(type_: Type, values: Sequence[int]) -> int:
    """The other way; what is no value of the type fails the test."""
    if isinstance(type_, (FixedBytes, Address)):
        size = type_.size if isinstance(type_, FixedBytes) else 20
        raw = b"".join(value.to_bytes(8, "little") for value in values)
        assert not any(raw[size:])
        return int.from_bytes(raw[:size], "big")
    if not isinstance(type_, Int):
        return values[0]
    raw = b"".join(value.to_bytes(8, "little") for value in values)
    value = int.from_bytes(raw, "little", signed=type_.signed)
    assert type_.holds(value), f"{values} is no {type_}"
    return value


class Panicked(Exception):
    """A Panic, with its code."""


def revert(pointer: int, length: int) -> None:
    raise Revert(pointer.to_bytes(4, "little") + length.to_bytes(4, "little"))


@cache
def engine() -> Engine:
    return Engine(tier="portable")


Build = Callable[[Writer, list[Load]], None]


class Compiled:
    """A function of values of these types to one of another, as wasm."""

    def __init__(self, parameters: Sequence[Type], result: Type, write: Build) -> None:
        self.parameters, self.result = parameters, result
        assembly = Assembly()
        types = tuple(slot for type_ in parameters for slot in slots(type_))
        results = (I32,) if not isinstance(result, (Int, FixedBytes, Address)) else slots(result)
        defined = assembly.declare("f", types, results)
        program = Program("T", (), (), None, (), False, None, None, False, (), (), (), ())
        tables = Tables({**arith.EXPRESSIONS, Load: _load}, {}, NO_STORAGE)
        writer = Writer(Unit(program, assembly, tables), Body(assembly, defined))
        loads, at = [], 0
        for i, type_ in enumerate(parameters):
            local = Local(f"p{i}", type_)
            writer.variables[local] = tuple(range(at, at + len(slots(type_))))
            at += len(slots(type_))
            loads.append(Load(LocalPlace(local, type_, SPAN), type_, SPAN))
        write(writer, loads)
        assembly.exports.append(("f", defined))
        module = engine().load(link(assembly).module)
        host = HOST_TYPES["revert"]
        self.instance = engine().instantiate(
            module, {("cvm1", "revert"): HostFunction(FuncType(host.params, host.results), revert)}
        )

    def __call__(self, *values: int) -> int:
        arguments = [
            slot for type_, value in zip(self.parameters, values, strict=True) for slot in to_slots(type_, value)
        ]
        try:
            results = engine().invoke(self.instance, "f", arguments)
        except Revert as reverted:
            at, length = (int.from_bytes(reverted.data[i : i + 4], "little") for i in (0, 4))
            assert self.instance.memory is not None
            data = bytes(self.instance.memory.data[at : at + length])
            assert length == 36 and data[:4].hex() == "4e487b71" and not any(data[4:35])
            raise Panicked(data[35]) from None
        return from_slots(self.result, results)


def _load(w: Writer, node: Load) -> None:
    assert isinstance(node.place, LocalPlace)
    w.b.get(*w.variables[node.place.local])


# What Python says.


def wrapped(type_: Int, value: int) -> int:
    value %= 1 << type_.bits
    return value - (1 << type_.bits) if value > type_.high else value


def expected(op: str, type_: Int, checked: bool, a: int, b: int) -> int | str:
    """The result, or the Panic's code in hex."""
    match op:
        case "floordiv" | "mod" if b == 0:
            return "0x12"
        case "floordiv":
            value = a // b
        case "mod":
            value = a % b
        case "add":
            value = a + b
        case "sub":
            value = a - b
        case "mul":
            value = a * b
        case "shl":
            value = a << min(b, 600)
        case "shr":
            value = a >> min(b, 600)
        case "pow" if not checked:
            return wrapped(type_, pow(a, b, 1 << type_.bits))
        case "pow":
            value = a ** (b if -2 < a < 2 and b < 9 else b % 2 + 2 if -2 < a < 2 else min(b, 600))
        case "and":
            value = a & b
        case "or":
            value = a | b
        case _:
            value = a ^ b
    if checked:
        return value if type_.holds(value) else "0x11"
    return wrapped(type_, value)


def outcome(function: Compiled, *values: int) -> int | str:
    try:
        return function(*values)
    except Panicked as panic:
        return hex(panic.args[0])


def numbers(type_: Int) -> st.SearchStrategy[int]:
    """Edges of every width up to the type's, and anything between."""
    edges = {
        value + by
        for bits in range(0, type_.bits + 1, 8)
        for value in (1 << bits, -(1 << bits))
        for by in (-2, -1, 0, 1, 2)
        if type_.holds(value + by)
    }
    return st.sampled_from(sorted(edges)) | st.integers(type_.low, type_.high) | st.integers(0, min(300, type_.high))


@cache
def binary(op: str, type_: Int, checked: bool, right: Int | None = None) -> Compiled:
    other = right or type_

    def write(w: Writer, loads: list[Load]) -> None:
        w.expr(Binary(op, loads[0], loads[1], checked, type_, SPAN))

    return Compiled((type_, other), type_, write)


ARITHMETIC = ("add", "sub", "mul", "floordiv", "mod", "and", "or", "xor")


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "wrapping"])
@pytest.mark.parametrize("op", ARITHMETIC)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_binary(op: str, checked: bool, data: st.DataObject) -> None:
    type_ = data.draw(st.sampled_from(TYPES))
    a, b = data.draw(numbers(type_)), data.draw(numbers(type_))
    assert outcome(binary(op, type_, checked), a, b) == expected(op, type_, checked, a, b)


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_division_on_the_edges(type_: Int) -> None:
    """All pairs of values around the powers of 2^32, where a digit's guess is wrong."""
    values = sorted(
        {
            sign * (1 << bits) + by
            for bits in (0, 31, 32, 33, 63, 64, 96, 127, 128, 191, 192, 223, 255)
            for sign in (1, -1)
            for by in (-1, 0, 1)
            if type_.holds(sign * (1 << bits) + by)
        }
    )
    for op in ("floordiv", "mod"):
        function = binary(op, type_, True)
        for a in [*values[:: 1 if type_.bits < 256 else 2], type_.low, type_.high]:
            for b in values:
                assert outcome(function, a, b) == expected(op, type_, True, a, b), (op, a, b)


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "wrapping"])
@pytest.mark.parametrize("op", ["shl", "shr"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_shift(op: str, checked: bool, data: st.DataObject) -> None:
    type_, right = data.draw(st.sampled_from(TYPES)), data.draw(st.sampled_from([Int(8), Int(64), Int(256)]))
    a = data.draw(numbers(type_))
    b = data.draw(st.integers(0, min(type_.bits + 2, right.high)) | numbers(right))
    assert outcome(binary(op, type_, checked, right), a, b) == expected(op, type_, checked, a, b)


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "wrapping"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_pow(checked: bool, data: st.DataObject) -> None:
    type_, right = data.draw(st.sampled_from(SOME)), data.draw(st.sampled_from([Int(8), Int(256)]))
    a = data.draw(st.integers(max(type_.low, -17), 17) | numbers(type_))
    b = data.draw(st.integers(0, 40) | numbers(right))
    assert outcome(binary("pow", type_, checked, right), a, b) == expected("pow", type_, checked, a, b)


@cache
def unary(op: str, type_: Int | FixedBytes, checked: bool) -> Compiled:
    def write(w: Writer, loads: list[Load]) -> None:
        if op == "abs":
            arith.BUILTINS["abs"](w, Builtin("abs", (loads[0],), checked, type_, SPAN))
        else:
            w.expr(Unary(op, loads[0], checked, type_, SPAN))

    return Compiled((type_,), type_, write)


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "wrapping"])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_unary(checked: bool, data: st.DataObject) -> None:
    type_ = data.draw(st.sampled_from([type_ for type_ in TYPES if type_.signed]))
    a = data.draw(numbers(type_))
    for op, value in (("neg", -a), ("abs", abs(a))):
        wanted = value if type_.holds(value) else "0x11" if checked else wrapped(type_, value)
        assert outcome(unary(op, type_, checked), a) == wanted
    assert unary("invert", type_, checked)(a) == ~a


@pytest.mark.parametrize("size", [1, 4, 8, 9, 20, 31, 32])
def test_bytes_are_inverted_and_combined(size: int) -> None:
    type_ = FixedBytes(size)
    a, b = int.from_bytes(bytes(range(7, 7 + size))), int.from_bytes(bytes(range(250, 250 - size, -1)))
    mask = (1 << 8 * size) - 1
    assert unary("invert", type_, True)(a) == a ^ mask

    for op, wanted in (("and", a & b), ("or", a | b), ("xor", a ^ b)):

        def write(w: Writer, loads: list[Load], op: str = op) -> None:
            w.expr(Binary(op, loads[0], loads[1], True, type_, SPAN))

        assert Compiled((type_, type_), type_, write)(a, b) == wanted


COMPARISONS = {
    "eq": int.__eq__, "ne": int.__ne__, "lt": int.__lt__, "le": int.__le__, "gt": int.__gt__, "ge": int.__ge__,
}  # fmt: skip


@cache
def comparison(op: str, type_: Type) -> Compiled:
    def write(w: Writer, loads: list[Load]) -> None:
        w.expr(loads[0])
        w.expr(loads[1])
        arith.compare(w, op, type_)

    return Compiled((type_, type_), Enum("bool", "bool", ()), write)


@pytest.mark.parametrize("op", COMPARISONS)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_compare(op: str, data: st.DataObject) -> None:
    type_ = data.draw(st.sampled_from([*TYPES, FixedBytes(1), FixedBytes(9), FixedBytes(32), Address()]))
    size = {Address: 20, FixedBytes: getattr(type_, "size", 0)}.get(type(type_), 0)
    some = numbers(type_ if isinstance(type_, Int) else Int(8 * size))
    a = data.draw(some)
    b = data.draw(some | st.just(a))
    assert comparison(op, type_)(a, b) == COMPARISONS[op](a, b)


@cache
def conversion(source: Type, target: Type, checked: bool) -> Compiled:
    def write(w: Writer, loads: list[Load]) -> None:
        w.expr(loads[0])
        arith_convert.convert_number(w.b, source, target, checked)

    return Compiled((source,), target, write)


@pytest.mark.parametrize("checked", [True, False], ids=["checked", "wrapping"])
@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_convert(checked: bool, data: st.DataObject) -> None:
    source, target = data.draw(st.sampled_from(TYPES)), data.draw(st.sampled_from(TYPES))
    a = data.draw(numbers(source))
    wanted = a if target.holds(a) else "0x11" if checked else wrapped(target, a)
    assert outcome(conversion(source, target, checked), a) == wanted


@pytest.mark.parametrize("type_", [*(FixedBytes(n) for n in range(1, 33)), Address()], ids=str)
def test_bytes_and_integers_of_their_width(type_: FixedBytes | Address) -> None:
    size = type_.size if isinstance(type_, FixedBytes) else 20
    value = int.from_bytes(bytes(range(0x81, 0x81 + size)))
    assert conversion(type_, Int(8 * size), True)(value) == value
    assert conversion(Int(8 * size), type_, True)(value) == value


@pytest.mark.parametrize("source", [U64, Int(256), Int(8, True), Int(128)], ids=str)
def test_enums(source: Int) -> None:
    dense, sparse = (Enum("E", "E", tuple((f"m{v}", v) for v in values)) for values in ((0, 1, 2), (0, 5, 250)))
    for value in (0, 1, 2, 3, 5, 6, 127, 250, source.high, source.low):
        if not source.holds(value):
            continue
        for enum in (dense, sparse):
            assert outcome(conversion(source, enum, True), value) == (value if value in enum.values else "0x21")
    assert conversion(dense, Int(16), True)(2) == 2


@cache
def modular(type_: Int) -> Compiled:
    def write(w: Writer, loads: list[Load]) -> None:
        arith.BUILTINS["pow_mod"](w, Builtin("pow_mod", tuple(loads), True, type_, SPAN))

    return Compiled((type_, type_, type_), type_, write)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
@example(data=None)
def test_pow_mod(data: st.DataObject | None) -> None:
    if data is None:
        type_, a, b, m = Int(256), (1 << 256) - 1, 3, (1 << 256) - 2
    else:
        type_ = data.draw(st.sampled_from([Int(8), U64, Int(136), Int(256)]))
        a, b, m = (data.draw(numbers(type_)) for _ in range(3))
    assert outcome(modular(type_), a, b, m) == (pow(a, b, m) if m else "0x12")


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_min_and_max(data: st.DataObject) -> None:
    type_ = data.draw(st.sampled_from(SOME))
    values = [data.draw(numbers(type_)) for _ in range(3)]
    for name, pick in (("min", min), ("max", max)):
        assert extreme(name, type_)(*values) == pick(values)


@cache
def extreme(name: str, type_: Int) -> Compiled:
    def write(w: Writer, loads: list[Load]) -> None:
        arith.BUILTINS[name](w, Builtin(name, tuple(loads), True, type_, SPAN))

    return Compiled((type_,) * 3, type_, write)
