"""The auction: what is bid, who gets what back, and when it ends."""

import pytest

from contracts.auction.auction import Auction, Over, TooLow
from contractvm.types import Address
from sdk.testing import Deployed, MockChain, expect_event, reverts

DAY = 86_400
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def auction(chain: MockChain) -> Deployed:
    """From a hundred wei, for a day."""
    return chain.deploy(Auction, 100, DAY)


def test_begins_at_the_reserve(auction: Deployed, accounts: Accounts) -> None:
    assert (auction.least(), auction.highest_bid(), auction.seller()) == (100, 0, accounts[0])
    with reverts(TooLow, least=100):
        auction.bid(value=99)


def test_bids_and_refunds(chain: MockChain, auction: Deployed, accounts: Accounts) -> None:
    bob, carol = accounts[1:3]
    with expect_event(auction, "Bid", bidder=bob, amount=100):
        auction.bid(value=100, sender=bob)
    assert auction.least() == 105
    with reverts(TooLow, least=105):
        auction.bid(value=104, sender=carol)
    auction.bid(value=200, sender=carol)
    assert (auction.highest_bidder(), auction.refunds(bob)) == (carol, 100)
    before = chain.balance(bob)
    assert auction.withdraw(sender=bob) == 100
    assert chain.balance(bob) == before + 100
    for nobody in (bob, carol):
        with reverts("nothing to withdraw"):
            auction.withdraw(sender=nobody)
    assert chain.balance(auction) == 200


def test_bidding_against_oneself(auction: Deployed, accounts: Accounts) -> None:
    for value in (100, 105, 111):
        auction.bid(value=value, sender=accounts[1])
    assert auction.refunds(accounts[1]) == 205


def test_a_late_bid_prolongs(chain: MockChain, auction: Deployed, accounts: Accounts) -> None:
    end = auction.end()
    chain.warp(to=end - 10)
    auction.bid(value=100, sender=accounts[1])
    assert auction.end() == end - 10 + 300
    chain.warp(to=end)
    auction.bid(value=105, sender=accounts[2])
    assert auction.end() == end + 300


def test_the_end(chain: MockChain, auction: Deployed, accounts: Accounts) -> None:
    auction.bid(value=150, sender=accounts[1])
    with reverts("not over"):
        auction.settle()
    chain.warp(to=auction.end())
    with reverts(Over, end=auction.end()):
        auction.bid(value=200, sender=accounts[2])
    before = chain.balance(accounts[0])
    with expect_event(auction, "Ended", winner=accounts[1], amount=150):
        auction.settle(sender=accounts[5])
    assert chain.balance(accounts[0]) == before + 150
    with reverts("settled before"):
        auction.settle()


def test_nobody_bids(chain: MockChain, auction: Deployed) -> None:
    chain.warp(to=auction.end())
    with expect_event(auction, "Ended", winner=bytes(20), amount=0):
        auction.settle()


def test_refuses_what_is_too_short(chain: MockChain) -> None:
    with reverts("too short"):
        chain.deploy(Auction, 1, 299)
