"""The C headers' arithmetic, ABI accessors and allocator, compared with Python on the real engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.abi_types import Bytes, encode
from sdk.build import Artifact
from sdk.testing import Deployed, MockChain, Reverted, Trapped, reverts

MAX = 2**256 - 1
EDGES = st.sampled_from([0, 1, 2**64 - 1, 2**64, 2**128 - 1, 2**128, 2**192, 2**255, MAX - 1, MAX])
NUMBERS = (
    EDGES
    | st.integers(0, MAX)
    | st.integers(0, 2**64)
    | st.builds(lambda n, k: n << k & MAX, EDGES, st.integers(0, 255))
)
OVERFLOW, DIVISION = "panic 0x11: arithmetic overflow or underflow", "panic 0x12: division or modulo by zero"


@pytest.fixture(scope="module")
def helper(numbers: Artifact) -> Deployed:
    return MockChain().deploy(numbers)


def outcome(contract: Deployed, function: str, *arguments: object) -> object:
    """The answer, or the text of the revert."""
    try:
        return contract[function].call(*arguments)
    except Reverted as error:
        return error.refusal.text


def expected(operation: Callable[[int, int], int], a: int, b: int) -> object:
    try:
        result = operation(a, b)
    except ZeroDivisionError:
        return DIVISION
    return result if 0 <= result <= MAX else OVERFLOW


@given(NUMBERS, NUMBERS)
@settings(max_examples=150)
def test_arithmetic_is_pythons_or_a_panic(helper: Deployed, a: int, b: int) -> None:
    operations: dict[str, Callable[[int, int], int]] = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a // b,
        "mod": lambda a, b: a % b,
    }
    for name, operation in operations.items():
        assert outcome(helper, name, a, b) == expected(operation, a, b), name
    assert helper.compare.call(a, b) == (a < b, a == b, a == 0, a == MAX)


@given(NUMBERS)
@settings(max_examples=100)
def test_amounts_are_kept_in_as_few_bytes_as_they_need(helper: Deployed, x: int) -> None:
    assert helper.keep.call(x) == (x, (x.bit_length() + 7) // 8)


@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**64 - 1), NUMBERS)
@settings(max_examples=50)
def test_words_are_read_and_written(helper: Deployed, who: bytes, n: int, x: int) -> None:
    assert helper.words.call(who, True, n, x) == (who, n, x)
    assert helper.zero.call(who) == (who == bytes(20))


@given(st.binary(max_size=300), st.text(max_size=40), NUMBERS)
@settings(max_examples=50)
def test_bytes_are_read_and_written(helper: Deployed, data: bytes, text: str, x: int) -> None:
    assert helper.echo.call(data, x, text) == data


@given(st.binary(max_size=40), st.binary(max_size=40))
@settings(max_examples=50)
def test_equal_bytes(helper: Deployed, a: bytes, b: bytes) -> None:
    assert helper.equal.call(a, b) is (a == b)
    assert helper.equal.call(a, a) is True


@given(st.binary(max_size=200))
@settings(max_examples=100)
def test_hostile_arguments_are_refused_or_read(helper: Deployed, data: bytes) -> None:
    for function in ("echo", "words", "equal"):
        parsed = helper[function].function
        try:
            output = helper.chain.run(helper.address, parsed.selector + data)
        except Reverted:
            continue
        parsed.decode_output(output)


@pytest.mark.parametrize(
    "offset", [0, 1, 31, 32, 96, 97, 1023, 2**31, 2**32 - 36, 2**32 - 1, 2**32, 2**64 - 1, 2**256 - 1]
)
@pytest.mark.parametrize("length", [0, 1, 988, 1024, 2**32 - 1, 2**32, 2**64 - 1, 2**256 - 1])
def test_no_offset_or_length_reads_outside_the_input(helper: Deployed, offset: int, length: int) -> None:
    words = [offset, 0, 96, length]
    data = helper["echo"].function.selector + b"".join(word.to_bytes(32, "big") for word in words)
    try:
        output = helper.chain.run(helper.address, data)
    except Reverted:
        return
    body = data[4:]
    assert offset + 32 <= len(body)
    size = int.from_bytes(body[offset : offset + 32], "big")
    assert output == encode([Bytes(False)], [body[offset + 32 : offset + 32 + size]])


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("words", [1 << 160, 1, 0, 0]),
        ("words", [1, 2, 0, 0]),
        ("words", [1, 1, 2**64, 0]),
        ("words", [1, 1, 0]),
        ("zero", []),
        ("add", [1]),
    ],
)
def test_words_out_of_range_or_missing_revert_with_nothing(helper: Deployed, function: str, words: list[int]) -> None:
    data = helper[function].function.selector + b"".join(word.to_bytes(32, "big") for word in words)
    with reverts("reverted without a reason"):
        helper.chain.run(helper.address, data)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (1, 1), (7, 9), (100, 70_000), (65_536, 65_536), (200_000, 1)])
def test_allocations_are_zero_aligned_and_apart(helper: Deployed, first: int, second: int) -> None:
    answer = helper.allocate.call(first, second)
    assert isinstance(answer, tuple)
    a, b = answer
    assert a % 8 == b % 8 == 0
    assert b >= a + first


@pytest.mark.parametrize("size", [2**24, 2**31, 2**32 - 8, 2**32 - 1])
def test_an_allocation_that_cannot_be_is_a_trap(helper: Deployed, size: int) -> None:
    with pytest.raises(Trapped, match="unreachable"):
        helper.allocate.call(1, size)


@pytest.mark.parametrize(("size", "fits"), [(0, True), (960, True), (961, False), (2**31, False), (2**32 - 1, False)])
def test_the_output_cannot_overflow(helper: Deployed, size: int, fits: bool) -> None:
    result = outcome(helper, "overflow(uint64)(bytes)", size)
    assert result == "panic 0x41: out of memory" if not fits else isinstance(result, bytes) and len(result) == size


def test_panic_codes(helper: Deployed) -> None:
    with reverts("panic 0x01: assertion failed"):
        helper.panic.call(1)
