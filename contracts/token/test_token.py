"""The token: EIP-20's functions and events, ERC-6093's errors, and what it costs."""

from pathlib import Path

import pytest

from contractvm.types import Address
from sdk.testing import Contract, MockChain, reverts

SUPPLY = 10**27
MAX = 2**256 - 1
ZERO = bytes(20)


@pytest.fixture(scope="module")
def token(chain: MockChain) -> Contract:
    return chain.deploy(Path(__file__).with_name("token.c"), SUPPLY)


def test_describes_itself(token: Contract) -> None:
    assert (token.call("name"), token.call("symbol"), token.call("decimals")) == ("Contract Token", "CVM", 18)


def test_constructor_gives_the_supply_to_the_deployer(token: Contract, accounts: tuple[Address, ...]) -> None:
    assert token.call("totalSupply") == token.call("balanceOf", accounts[0]) == SUPPLY
    assert token.call("balanceOf", accounts[1]) == 0


def test_transfer_moves_and_tells(token: Contract, accounts: tuple[Address, ...]) -> None:
    alice, bob = accounts[:2]
    receipt = token.send("transfer", bob, 5)
    assert receipt.events("Transfer") == [(alice, bob, 5)]
    assert (token.call("balanceOf", alice), token.call("balanceOf", bob)) == (SUPPLY - 5, 5)


def test_transfer_answers_true(token: Contract, accounts: tuple[Address, ...]) -> None:
    assert token.call("transfer", accounts[1], 5) is True


def test_transfer_to_oneself_changes_nothing(token: Contract, accounts: tuple[Address, ...]) -> None:
    assert token.send("transfer", accounts[0], 7).events("Transfer") == [(accounts[0], accounts[0], 7)]
    assert token.call("balanceOf", accounts[0]) == SUPPLY


def test_transfer_of_all_and_of_nothing(token: Contract, accounts: tuple[Address, ...]) -> None:
    token.send("transfer", accounts[1], SUPPLY)
    token.send("transfer", accounts[1], 0)
    assert (token.call("balanceOf", accounts[0]), token.call("balanceOf", accounts[1])) == (0, SUPPLY)


@pytest.mark.parametrize("amount", [2**64 - 1, 2**64, 2**127 + 2**65 + 3, 2**255 + 2**192 - 1, MAX])
def test_amounts_of_every_width(chain: MockChain, accounts: tuple[Address, ...], amount: int) -> None:
    token = chain.deploy(Path(__file__).with_name("token.c"), MAX)
    token.send("transfer", accounts[1], amount)
    assert token.call("balanceOf", accounts[1]) == amount
    assert token.call("balanceOf", accounts[0]) == MAX - amount
    token.send("transfer", accounts[0], amount, sender=accounts[1])
    assert (token.call("balanceOf", accounts[0]), token.call("balanceOf", accounts[1])) == (MAX, 0)


def test_transfer_of_more_than_there_is(token: Contract, accounts: tuple[Address, ...]) -> None:
    alice, bob = accounts[:2]
    with reverts("ERC20InsufficientBalance") as caught:
        token.send("transfer", bob, SUPPLY + 1)
    assert caught.error is not None
    assert caught.error.refusal.values == (alice, SUPPLY, SUPPLY + 1)
    assert token.call("balanceOf", alice) == SUPPLY


def test_transfer_to_nobody(token: Contract) -> None:
    with reverts("ERC20InvalidReceiver"):
        token.send("transfer", ZERO, 1)


def test_allowance_is_spent(token: Contract, accounts: tuple[Address, ...]) -> None:
    alice, bob, carol = accounts[:3]
    assert token.send("approve", bob, 10).events("Approval") == [(alice, bob, 10)]
    assert token.call("allowance", alice, bob) == 10
    receipt = token.send("transferFrom", alice, carol, 4, sender=bob)
    assert receipt.events("Transfer") == [(alice, carol, 4)]
    assert (token.call("allowance", alice, bob), token.call("balanceOf", carol)) == (6, 4)
    with reverts("ERC20InsufficientAllowance") as caught:
        token.send("transferFrom", alice, carol, 7, sender=bob)
    assert caught.error is not None
    assert caught.error.refusal.values == (bob, 6, 7)


def test_the_largest_allowance_is_never_used_up(token: Contract, accounts: tuple[Address, ...]) -> None:
    alice, bob = accounts[:2]
    token.send("approve", bob, MAX)
    token.send("transferFrom", alice, bob, 5, sender=bob)
    assert token.call("allowance", alice, bob) == MAX


def test_allowance_does_not_lend_what_is_not_there(token: Contract, accounts: tuple[Address, ...]) -> None:
    alice, bob, carol = accounts[:3]
    token.send("approve", alice, 10, sender=bob)
    with reverts("ERC20InsufficientBalance"):
        token.send("transferFrom", bob, carol, 1, sender=alice)
    assert token.call("allowance", bob, alice) == 10


def test_approval_of_nobody(token: Contract) -> None:
    with reverts("ERC20InvalidSpender"):
        token.send("approve", ZERO, 1)


def test_refuses_money_and_unknown_functions(token: Contract, accounts: tuple[Address, ...]) -> None:
    with reverts("not payable"):
        token.send("transfer", accounts[1], 1, value=1)
    with reverts("unknown function"):
        token.send("mint(uint256)", 1)


def test_refuses_malformed_arguments(chain: MockChain, token: Contract, accounts: tuple[Address, ...]) -> None:
    selector = token.function("transfer").selector
    dirty = b"\1".ljust(12, b"\0") + accounts[1]
    for arguments in (b"", bytes(63), dirty + bytes(32)):
        with reverts("reverted without a reason") as caught:
            chain.transact(token.address, selector + arguments)
        assert caught.error is not None
        assert caught.error.data == b""


def test_balances_are_short_and_vanish_when_empty(
    chain: MockChain, token: Contract, accounts: tuple[Address, ...]
) -> None:
    alice, bob = accounts[:2]
    token.send("transfer", bob, 0x1234)
    world = chain.inner.world()
    assert world.storage(token.address, bob) == b"\x34\x12"
    token.send("transfer", alice, 0x1234, sender=bob)
    assert chain.inner.world().storage(token.address, bob) == b""
