"""The registry of names: rent, resolution, order, and what becomes of names that nobody pays for."""

import pytest

from contracts.names.names import Names, NotOwner, WrongPrice
from contractvm.types import Address
from sdk.testing import Deployed, MockChain, expect_event, reverts

PRICE = 1000
YEAR, DAY = 365 * 86_400, 86_400
ZERO = bytes(20)
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def names(chain: MockChain) -> Deployed:
    return chain.deploy(Names, PRICE)


@pytest.fixture(scope="module")
def full(names: Deployed) -> Deployed:
    for name in ("carol", "al", "zoë", "alice", "bob"):
        names["register(string)"](name, value=PRICE)
    return names


def test_registering(names: Deployed, accounts: Accounts) -> None:
    bob = accounts[1]
    with expect_event(names, "Registered", owner=bob, name="bob") as seen:
        until = names["register(string,uint64)"]("bob", 2, value=2 * PRICE, sender=bob)
    assert seen.fields["until"] == until
    assert names.records("bob") == (bob, bob, until, "")
    assert names.resolve("bob") == bob
    assert names.resolve("alice") == ZERO


def test_prolonging(full: Deployed, accounts: Accounts) -> None:
    until = full.records("bob")[2]
    assert full["register(string)"]("bob", value=PRICE) == until + YEAR
    with reverts(NotOwner, owner=accounts[0]):
        full["register(string)"]("bob", value=PRICE, sender=accounts[1])


@pytest.mark.parametrize(
    ("name", "years", "value", "reason"),
    [
        ("", 1, PRICE, "one to 64 bytes"),
        ("x" * 65, 1, PRICE, "one to 64 bytes"),
        ("x", 0, 0, "one to ten years"),
        ("x", 11, 11 * PRICE, "one to ten years"),
    ],
)
def test_refuses_what_makes_no_sense(names: Deployed, name: str, years: int, value: int, reason: str) -> None:
    with reverts(reason):
        names["register(string,uint64)"](name, years, value=value)


@pytest.mark.parametrize("value", [0, PRICE - 1, PRICE + 1])
def test_the_price_is_exact(names: Deployed, value: int) -> None:
    with reverts(WrongPrice, price=PRICE):
        names["register(string)"]("x" * 64, value=value)


def test_the_owner_decides(full: Deployed, accounts: Accounts) -> None:
    alice, bob, carol = accounts[:3]
    full.set("bob", carol, "hello")
    assert full.resolve("bob") == carol
    assert full.records("bob")[3] == "hello"
    with expect_event(full, "Transferred", from_=alice, to=bob, name="bob"):
        full.transfer("bob", bob)
    with reverts(NotOwner, owner=bob):
        full.set("bob", alice, "")
    with reverts(NotOwner, owner=bob):
        full.transfer("bob", alice)
    with reverts(NotOwner, owner=ZERO):
        full.set("nobody", alice, "")


def test_lists_in_order(full: Deployed) -> None:
    everything = ["al", "alice", "bob", "carol", "zoë"]
    assert full.list(0, 100) == everything
    assert full.list(1, 2) == everything[1:3]
    assert full.list(4, 2) == everything[4:]
    assert full.list(5, 2) == full.list(0, 0) == []


def test_names_run_out(chain: MockChain, full: Deployed, accounts: Accounts) -> None:
    chain.warp(YEAR + 10)
    assert full.resolve("bob") == ZERO
    with reverts(NotOwner):
        full.set("bob", accounts[1], "")
    with reverts(NotOwner):
        full["register(string)"]("bob", value=PRICE, sender=accounts[1])
    chain.warp(30 * DAY)
    full["register(string)"]("bob", value=PRICE, sender=accounts[1])
    assert full.resolve("bob") == accounts[1]
    assert full.drop(3) == 3
    assert full.list(0, 100) == ["bob", "zoë"]
    assert full.drop(3) == 1
    assert full.list(0, 100) == ["bob"]


def test_the_rent_is_the_keepers(chain: MockChain, full: Deployed, accounts: Accounts) -> None:
    before = chain.balance(accounts[0])
    assert full.withdraw(sender=accounts[4]) == 5 * PRICE
    assert (chain.balance(accounts[0]), chain.balance(full)) == (before + 5 * PRICE, 0)
