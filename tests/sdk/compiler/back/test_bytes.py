"""Bytes, texts and bytesN: constants, joining, slices, single bytes, equality, conversions."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.compiler.tree import Builtin, ByteAt, Constant, Convert, Expression, Length, Local, Slice
from sdk.compiler.types import (
    ADDRESS,
    BOOL,
    BYTES,
    STRING,
    U8,
    U64,
    U256,
    Enum,
    FixedBytes,
    Int,
    Remote,
    Tuple,
    Type,
)
from tests.sdk.compiler.back.rig import TIERS, Panicked, Rig, S, compare, const, function, get, ret, tup, value_of
from tests.sdk.compiler.back.values import COLOR

each_tier = pytest.mark.parametrize("tier", TIERS)
PARTS = st.lists(
    st.one_of(
        st.binary(max_size=40).map(lambda value: const(value, BYTES)),
        st.binary(min_size=1, max_size=32).map(lambda value: const(value, FixedBytes(len(value)))),
        st.binary(min_size=20, max_size=20).map(lambda value: const(value, ADDRESS)),
    ),
    min_size=1,
    max_size=6,
)


def convert(value: Expression, type_: Type, checked: bool = True) -> Convert:
    return Convert(value, checked, type_, S)


@given(PARTS)
@settings(max_examples=120, deadline=None)
def test_joining(parts: list[Constant]) -> None:
    """What is stored in whole slots does not reach into what lies behind it."""
    joined = Builtin("concat", tuple(parts), True, BYTES, S)
    expected = b"".join(cast(bytes, part.value) for part in parts)
    again = Builtin("concat", (const(b"x", BYTES),), True, BYTES, S)
    assert value_of(tup(joined, again, joined)) == (expected, b"x", expected)


@given(st.binary(max_size=40), st.binary(max_size=40), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_equality(one: bytes, other: bytes, common: int) -> None:
    """Lengths that end anywhere in a word, and a difference anywhere."""
    pairs = [(one, other), (one, one), (one[:common], other[:common]), (one, one[:common] + b"!" + one[common + 1 :])]
    for left, right in pairs:
        for type_ in (BYTES, STRING):
            assert value_of(compare("eq", const(left, type_), const(right, type_))) == (left == right)


@pytest.fixture(scope="module")
def cut() -> Rig:
    i, j = Local("i", U64), Local("j", U64)
    data = const(bytes(range(10)), BYTES)
    return Rig(function("f", [i, j], BYTES, ret(Slice(data, get(i), get(j), BYTES, S))))


@given(*(st.integers(0, 12) | st.integers(0, 2**64 - 1) for _ in "ab"))
@settings(max_examples=150, deadline=None)
def test_slices(cut: Rig, i: int, j: int) -> None:
    assert cut.call("f", i, j) == bytes(range(10))[i:j]


@each_tier
def test_open_slices(tier: str) -> None:
    data = const(b"abcdef", BYTES)
    assert value_of(Slice(data, None, const(4), BYTES, S), tier) == b"abcd"
    assert value_of(Slice(data, const(4), None, BYTES, S), tier) == b"ef"
    assert value_of(Slice(const(b"abcdef", FixedBytes(6)), const(1), const(3), BYTES, S), tier) == b"bc"


@pytest.mark.parametrize("type_", [BYTES, FixedBytes(1), FixedBytes(8), FixedBytes(9), FixedBytes(20), FixedBytes(32)])
@pytest.mark.parametrize("constant", [False, True])
@each_tier
def test_single_bytes(tier: str, type_: Type, constant: bool) -> None:
    size = type_.size if isinstance(type_, FixedBytes) else 11
    value = bytes(200 + i for i in range(size))
    i = Local("i", U64)
    for at in {0, 1, 7, 8, size - 1, size, 255, 2**32, 2**64 - 1}:
        rig = Rig(
            function("f", [i], U8, ret(ByteAt(const(value, type_), const(at) if constant else get(i), U8, S))),
            tier=tier,
        )
        if at < size:
            assert rig.call("f", at) == value[at]
        else:
            with pytest.raises(Panicked, match="50"):
                rig.call("f", at)


@each_tier
def test_lengths(tier: str) -> None:
    assert value_of(Length(const(b"abc", BYTES), U64, S), tier) == 3
    assert value_of(Length(const(b"", BYTES), U64, S), tier) == 0
    assert value_of(Length(const(bytes(20), FixedBytes(20)), U64, S), tier) == 20


@pytest.mark.parametrize("size", range(1, 33))
def test_bytes_become_bytes_of_a_size(size: int) -> None:
    """Exactly so many; with other data around them that must not be seen."""
    whole = bytes(range(1, 80))
    part = Slice(const(whole, BYTES), const(5), const(5 + size), BYTES, S)
    assert value_of(convert(part, FixedBytes(size))) == whole[5 : 5 + size]
    for other in (size - 1, size + 1):
        wrong = Slice(const(whole, BYTES), const(5), const(5 + other), BYTES, S)
        with pytest.raises(Panicked, match="17"):
            value_of(convert(wrong, FixedBytes(size)))


@given(st.binary(min_size=1, max_size=32), st.integers(1, 32))
@settings(max_examples=100, deadline=None)
def test_bytes_of_another_size(value: bytes, size: int) -> None:
    """Zeros behind, or the first bytes."""
    found = value_of(convert(const(value, FixedBytes(len(value))), FixedBytes(size)))
    assert found == value[:size].ljust(size, b"\0")


@given(st.binary(min_size=1, max_size=32))
@settings(max_examples=60, deadline=None)
def test_bytes_as_numbers_and_back(value: bytes) -> None:
    type_, number = FixedBytes(len(value)), Int(8 * len(value))
    as_number = int.from_bytes(value, "big")
    assert value_of(convert(const(value, type_), number)) == as_number
    assert value_of(convert(const(as_number, number), type_)) == value
    assert value_of(convert(const(value, type_), BYTES)) == value


@each_tier
def test_addresses(tier: str) -> None:
    value = bytes(range(1, 21))
    a = const(value, ADDRESS)
    number = int.from_bytes(value, "big")
    assert value_of(convert(a, U256), tier) == number
    assert value_of(convert(a, Int(160)), tier) == number
    assert value_of(convert(const(number, Int(160)), ADDRESS), tier) == value
    assert value_of(convert(a, FixedBytes(20)), tier) == value
    assert value_of(convert(const(value, FixedBytes(20)), ADDRESS), tier) == value
    assert value_of(convert(a, BYTES), tier) == value
    token = Remote("IToken", "t.IToken")
    assert value_of(convert(convert(a, token), ADDRESS), tier) == value
    assert value_of(compare("eq", convert(a, token), convert(a, token)), tier) is True


@each_tier
def test_text_and_bytes(tier: str) -> None:
    assert value_of(convert(const(b"abc", STRING), BYTES), tier) == b"abc"
    assert value_of(convert(const(b"abc", BYTES), STRING), tier) == b"abc"


@pytest.mark.parametrize("source", [U8, U64, U256])
@each_tier
def test_enums(tier: str, source: Int) -> None:
    dense = Enum("D", "t.D", (("A", 0), ("B", 1), ("C", 2)))
    for type_ in (COLOR, dense):
        for number in (0, 1, 2, 3, 255, 2**64 - 1, 2**64, 2**256 - 1):
            if not source.holds(number):
                continue
            node = convert(const(number, source), type_)
            if number in type_.values:
                assert value_of(node, tier) == number
                assert value_of(convert(node, U8), tier) == number
            else:
                with pytest.raises(Panicked, match="33"):
                    value_of(node, tier)


@each_tier
def test_bools_as_numbers(tier: str) -> None:
    assert value_of(convert(const(True, BOOL), U256), tier) == 1
    assert value_of(convert(const(False, BOOL), U8), tier) == 0


@each_tier
def test_equal_constants_lie_once(tier: str) -> None:
    text = b"a text that stands here twice"
    rig = Rig(
        function("f", [], Tuple((BYTES, BYTES)), ret(tup(const(text, BYTES), const(text, BYTES)))),
        tier=tier,
    )
    assert rig.call("f") == (text, text)
    assert rig.linked.module.count(text) == 1
