"""The counter: what a contract in plain WebAssembly text does."""

from pathlib import Path

import pytest

from sdk.testing import Contract, MockChain, reverts

ABI = ("number()(uint256)", "setNumber(uint256)", "increment()")


@pytest.fixture
def counter(chain: MockChain) -> Contract:
    return chain.deploy(Path(__file__).with_name("counter.wat"), abi=ABI)


def test_starts_at_zero(counter: Contract) -> None:
    assert counter.call("number") == 0


def test_increments(counter: Contract) -> None:
    counter.send("increment")
    counter.send("increment")
    assert counter.call("number") == 2


@pytest.mark.parametrize("number", [0xFF, 0xFFFF, 2**64 - 1, 2**255 - 1, 2**256 - 2])
def test_carries_into_every_byte(counter: Contract, number: int) -> None:
    counter.send("setNumber", number)
    counter.send("increment")
    assert counter.call("number") == number + 1


def test_no_number_is_larger_than_the_largest(counter: Contract) -> None:
    counter.send("setNumber", 2**256 - 1)
    with reverts("panic 0x11: arithmetic overflow or underflow"):
        counter.send("increment")
    assert counter.call("number") == 2**256 - 1


def test_refuses_what_it_does_not_know(chain: MockChain, counter: Contract) -> None:
    with reverts():
        counter.send("decrement()")
    with reverts():
        chain.transact(counter.address, counter.function("setNumber").selector + bytes(31))
