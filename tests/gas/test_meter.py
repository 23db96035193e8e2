"""The meter: charging, rounding, forwarding 63/64, giving back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gas.meter import GasExhausted, Meter


def test_gas_left_is_rounded_down() -> None:
    meter = Meter(10)
    meter.charge(1)
    assert (meter.left, meter.gas_left) == (9_999, 9)


def test_the_last_milligas_can_be_spent_and_no_more() -> None:
    meter = Meter(1)
    meter.charge(1_000)
    assert meter.left == 0
    with pytest.raises(GasExhausted):
        meter.charge(1)
    assert meter.gas_left == 0


def test_the_cell_is_the_count() -> None:
    meter = Meter(3)
    meter.cell.cell_contents -= 1_500
    assert (meter.left, meter.gas_left) == (1_500, 1)
    meter.left = 7
    assert meter.cell.cell_contents == 7
    meter.take_all()
    assert meter.left == 0


@given(left=st.integers(0, 2**40), asked=st.integers(0, 2**64 - 1))
def test_forwarding_keeps_a_64th(left: int, asked: int) -> None:
    """EIP-150: what stays is at least a 64th, rounded down, of the whole gas there was."""
    meter = Meter(0)
    meter.left = left
    gas = meter.forward(asked)
    whole = left // 1000
    assert gas == min(asked, whole - whole // 64)
    assert meter.left == left - gas * 1000
    meter.give_back(gas)
    assert meter.left == left
