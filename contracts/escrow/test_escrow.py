"""Escrow, in Python and in C: who may move the money, and when."""

from pathlib import Path

import pytest

from contractvm.types import Address
from sdk.testing import Deployed, MockChain, reverts

DAY = 86_400
ETHER = 10**18


@pytest.fixture(scope="module", params=["escrow.py", "escrow.c"])
def source(request: pytest.FixtureRequest) -> Path:
    return Path(__file__).with_name(request.param)


@pytest.fixture(scope="module")
def escrow(chain: MockChain, source: Path) -> Deployed:
    return chain.deploy(source)


@pytest.fixture
def deposit(chain: MockChain, escrow: Deployed, accounts: tuple[Address, ...]) -> int:
    """One ether from accounts[0] for accounts[1]; accounts[2] is the arbiter; a day to go."""
    buyer, seller, arbiter = accounts[:3]
    receipt = escrow.open.tx(seller, arbiter, chain.timestamp + DAY, value=ETHER)
    ((number, opener, payee, amount),) = receipt.events("Opened")
    assert (opener, payee, amount) == (buyer, seller, ETHER)
    assert isinstance(number, int)
    return number


def test_a_deposit_is_kept(chain: MockChain, escrow: Deployed, deposit: int, accounts: tuple[Address, ...]) -> None:
    buyer, seller, arbiter = accounts[:3]
    assert chain.balance(escrow) == ETHER
    found = escrow.deposit(deposit)
    assert isinstance(found, tuple)
    assert found[:3] == (buyer, seller, arbiter)
    assert found[4] == ETHER


def test_deposits_have_numbers_of_their_own(chain: MockChain, escrow: Deployed, accounts: tuple[Address, ...]) -> None:
    until = chain.timestamp + DAY
    opened = [escrow.open.tx(accounts[1], accounts[2], until, value=wei).events("Opened") for wei in (1, 2)]
    assert [event[0] for (event,) in opened] == [1, 2]


def test_the_buyer_releases(chain: MockChain, escrow: Deployed, deposit: int, accounts: tuple[Address, ...]) -> None:
    seller = accounts[1]
    before = chain.balance(seller)
    receipt = escrow.release.tx(deposit)
    assert receipt.events("Closed") == [(deposit, seller, ETHER)]
    assert chain.balance(seller) == before + ETHER
    assert chain.balance(escrow) == 0
    with reverts("NotOpen"):
        escrow.release(deposit)


@pytest.mark.parametrize("who", [1, 2])
def test_seller_and_arbiter_refund(
    chain: MockChain, escrow: Deployed, deposit: int, accounts: tuple[Address, ...], who: int
) -> None:
    before = chain.balance(accounts[0])
    escrow.refund(deposit, sender=accounts[who])
    assert chain.balance(accounts[0]) == before + ETHER


def test_the_buyer_waits_for_the_deadline(
    chain: MockChain, escrow: Deployed, deposit: int, accounts: tuple[Address, ...]
) -> None:
    with reverts("TooEarly"):
        escrow.refund(deposit)
    chain.warp(DAY)
    before = chain.balance(accounts[0])
    escrow.refund(deposit)
    assert chain.balance(accounts[0]) == before + ETHER


def test_nobody_else_decides(escrow: Deployed, deposit: int, accounts: tuple[Address, ...]) -> None:
    for function, outsiders in (("release", accounts[1:4]), ("refund", accounts[3:4])):
        for outsider in outsiders:
            with reverts("NotAllowed", caller=outsider):
                escrow[function](deposit, sender=outsider)


def test_refuses_deposits_that_make_no_sense(chain: MockChain, escrow: Deployed, accounts: tuple[Address, ...]) -> None:
    seller, arbiter = accounts[1:3]
    with reverts("no money sent"):
        escrow.open(seller, arbiter, chain.timestamp + DAY)
    with reverts("deadline has passed"):
        escrow.open(seller, arbiter, chain.timestamp, value=1)


def test_keeps_the_deposit_when_the_seller_cannot_be_paid(
    chain: MockChain, escrow: Deployed, source: Path, accounts: tuple[Address, ...]
) -> None:
    seller = chain.deploy(source)  # a contract that takes no plain payment
    (opened,) = escrow.open.tx(seller, accounts[2], chain.timestamp + DAY, value=5).events("Opened")
    with reverts("not payable" if source.suffix == ".c" else "unknown function"):
        escrow.release(opened[0])
    assert chain.balance(escrow) == 5
    escrow.refund(opened[0], sender=accounts[2])
    assert chain.balance(escrow) == 0


def test_open_needs_an_open_deposit(escrow: Deployed) -> None:
    with reverts("NotOpen"):
        escrow.deposit(99)
