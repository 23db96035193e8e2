"""The counter: what a contract in plain WebAssembly text does."""

from pathlib import Path

import pytest

from sdk.testing import Deployed, MockChain, reverts

ABI = ("number() view returns (uint256)", "setNumber(uint256)", "increment()")


@pytest.fixture
def counter(chain: MockChain) -> Deployed:
    return chain.deploy(Path(__file__).with_name("counter.wat"), abi=ABI)


def test_starts_at_zero(counter: Deployed) -> None:
    assert counter.number() == 0


def test_increments(counter: Deployed) -> None:
    counter.increment()
    counter.increment()
    assert counter.number() == 2


@pytest.mark.parametrize("number", [0xFF, 0xFFFF, 2**64 - 1, 2**255 - 1, 2**256 - 2])
def test_carries_into_every_byte(counter: Deployed, number: int) -> None:
    counter.set_number(number)
    counter.increment()
    assert counter.number() == number + 1


def test_no_number_is_larger_than_the_largest(counter: Deployed) -> None:
    counter.set_number(2**256 - 1)
    with reverts("panic 0x11: arithmetic overflow or underflow"):
        counter.increment()
    assert counter.number() == 2**256 - 1


def test_refuses_what_it_does_not_know(chain: MockChain, counter: Deployed) -> None:
    with reverts():
        counter["decrement()"]()
    with reverts():
        chain.transact(counter.address, counter.set_number.encode(0)[:4] + bytes(31))
