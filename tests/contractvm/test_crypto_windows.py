"""Signed digits: what they add up to, and how sparse they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contractvm.crypto_windows import signed_digits


@given(scalar=st.one_of(st.integers(0, 300), st.integers(0, (1 << 256) - 1)), width=st.integers(2, 9))
def test_digits_add_up_and_are_odd_small_and_sparse(scalar: int, width: int) -> None:
    digits = signed_digits(scalar, width)
    assert sum(digit << place for place, digit in enumerate(digits)) == scalar
    assert all(digit == 0 or (digit % 2 and abs(digit) < 1 << width - 1) for digit in digits)
    for place, digit in enumerate(digits):
        assert digit == 0 or not any(digits[place + 1 : place + width])


@pytest.mark.parametrize("width", [2, 5, 8])
def test_all_ones_carry_into_one_more_digit(width: int) -> None:
    assert signed_digits((1 << 253) - 1, width) == [-1] + [0] * 252 + [1]


def test_nothing_has_no_digits() -> None:
    assert signed_digits(0, 5) == []
