"""Vesting: nothing before the cliff, all at the end, and what is called back."""

import pytest

from contracts.token.token import Token
from contracts.vesting.vesting import NotAllowed, Vesting
from contractvm.types import Address
from sdk.testing import Deployed, MockChain, expect_event, reverts

DAY = 86_400
ALL = 36_500
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def token(chain: MockChain) -> Deployed:
    return chain.deploy(Token, 10**6)


@pytest.fixture(scope="module")
def vesting(chain: MockChain, token: Deployed, accounts: Accounts) -> Deployed:
    """A hundred a day for accounts[1], over a year, the first after thirty days."""
    vesting = chain.deploy(Vesting, token, accounts[1], 30 * DAY, 365 * DAY)
    token.transfer(vesting, ALL)
    return vesting


def test_tells_its_terms(vesting: Deployed, token: Deployed, accounts: Accounts) -> None:
    start = vesting.start()
    assert (vesting.token(), vesting.owner(), vesting.beneficiary()) == (token.address, accounts[0], accounts[1])
    assert (vesting.cliff(), vesting.end()) == (start + 30 * DAY, start + 365 * DAY)


@pytest.mark.parametrize(("day", "free"), [(0, 0), (29, 0), (30, 3000), (100, 10_000), (365, ALL), (900, ALL)])
def test_comes_free_over_time(vesting: Deployed, day: int, free: int) -> None:
    assert vesting.vested(vesting.start() + day * DAY) == free


def test_release(chain: MockChain, vesting: Deployed, token: Deployed, accounts: Accounts) -> None:
    chain.warp(to=vesting.start() + 40 * DAY)
    with expect_event(vesting, "Released", to=accounts[1], amount=4000):
        assert vesting.release(sender=accounts[7]) == 4000
    assert token.balance_of(accounts[1]) == 4000
    chain.warp(to=vesting.start() + 400 * DAY)
    vesting.release()
    assert (token.balance_of(accounts[1]), token.balance_of(vesting)) == (ALL, 0)
    assert vesting.release() == 0


def test_before_the_cliff_nothing_moves(vesting: Deployed, token: Deployed) -> None:
    assert vesting.release() == 0
    assert token.balance_of(vesting) == ALL


def test_what_is_called_back(chain: MockChain, vesting: Deployed, token: Deployed, accounts: Accounts) -> None:
    chain.warp(to=vesting.start() + 50 * DAY)
    vesting.release()
    chain.warp(to=vesting.start() + 73 * DAY)
    with reverts(NotAllowed, caller=accounts[1]):
        vesting.revoke(sender=accounts[1])
    with expect_event(vesting, "Revoked", to=accounts[0], amount=ALL - 7300):
        assert vesting.revoke() == ALL - 7300
    with reverts("revoked before"):
        vesting.revoke()
    chain.warp(400 * DAY)
    assert vesting.release() == 2300
    assert (token.balance_of(accounts[1]), token.balance_of(vesting)) == (7300, 0)


def test_refuses_terms_that_make_no_sense(chain: MockChain, token: Deployed, accounts: Accounts) -> None:
    with reverts("no beneficiary"):
        chain.deploy(Vesting, token, bytes(20), 0, 1)
    with reverts("the cliff is behind the end"):
        chain.deploy(Vesting, token, accounts[1], 2, 1)
    with reverts("panic 0x11: arithmetic overflow or underflow"):
        chain.deploy(Vesting, token, accounts[1], 0, 2**64 - 1)
