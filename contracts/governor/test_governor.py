"""The governor: from a proposal to a call, and all the ways that do not lead there."""

import pytest

from contracts.governor.governor import Governor, State
from contracts.token.token import Token
from contractvm.types import Address
from sdk.testing import Deployed, MockChain, expect_event, reverts

DAY = 86_400
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def token(chain: MockChain, accounts: Accounts) -> Deployed:
    token = chain.deploy(Token, 10**6)
    for account in accounts[1:4]:
        token.transfer(account, 1000)
    return token


@pytest.fixture(scope="module")
def governor(chain: MockChain, token: Deployed, accounts: Accounts) -> Deployed:
    """A quorum of 300; accounts[1..3] have locked 100, 200 and 300; it holds fifty wei."""
    governor = chain.deploy(Governor, token, 300)
    for i, account in enumerate(accounts[1:4], 1):
        token.approve(governor, 1000, sender=account)
        governor.lock(100 * i, sender=account)
    chain.pay(governor, 50)
    return governor


@pytest.fixture(scope="module")
def coin(chain: MockChain, governor: Deployed) -> Deployed:
    """Another token, of which the governor has a thousand."""
    coin = chain.deploy(Token, 1000)
    coin.transfer(governor, 1000)
    return coin


@pytest.fixture
def proposal(coin: Deployed, governor: Deployed, accounts: Accounts) -> int:
    """To give accounts[9] seventy coins."""
    data = coin.transfer.encode(accounts[9], 70)
    with expect_event(governor, "Proposed", id=0, proposer=accounts[1], description="pay nine"):
        proposed = governor.propose(coin, 0, data, "pay nine", sender=accounts[1])
    assert isinstance(proposed, int)
    return proposed


def decide(chain: MockChain, governor: Deployed, id: int, votes: dict[Address, bool]) -> None:
    for voter, support in votes.items():
        governor.vote(id, support, sender=voter)
    chain.warp(3 * DAY)


def test_accepted_and_done(
    chain: MockChain, coin: Deployed, governor: Deployed, proposal: int, accounts: Accounts
) -> None:
    assert governor.state(proposal) == State.VOTING
    with expect_event(governor, "Voted", id=0, voter=accounts[2], support=True, weight=200):
        governor.vote(proposal, True, sender=accounts[2])
    decide(chain, governor, proposal, {accounts[1]: True})
    assert governor.state(proposal) == State.WAITING
    with reverts("not ready"):
        governor.execute(proposal)
    chain.warp(DAY)
    assert governor.state(proposal) == State.READY
    with expect_event(governor, "Executed", id=0):
        assert governor.execute(proposal) == (1).to_bytes(32, "big")
    assert coin.balance_of(accounts[9]) == 70
    assert governor.state(proposal) == State.EXECUTED
    with reverts("not ready"):
        governor.execute(proposal)


@pytest.mark.parametrize(
    "votes",
    [{}, {1: True}, {2: True}, {1: True, 3: False}, {1: True, 2: True, 3: False}],
    ids=["nobody", "few", "no quorum", "more against", "as many against"],
)
def test_defeated(
    chain: MockChain, governor: Deployed, proposal: int, accounts: Accounts, votes: dict[int, bool]
) -> None:
    decide(chain, governor, proposal, {accounts[voter]: support for voter, support in votes.items()})
    chain.warp(30 * DAY)
    assert governor.state(proposal) == State.DEFEATED
    with reverts("not ready"):
        governor.execute(proposal)


def test_votes_are_counted_once(chain: MockChain, governor: Deployed, proposal: int, accounts: Accounts) -> None:
    governor.vote(proposal, True, sender=accounts[3])
    with reverts("voted before"):
        governor.vote(proposal, False, sender=accounts[3])
    chain.warp(3 * DAY)
    with reverts("no vote going on"):
        governor.vote(proposal, False, sender=accounts[2])
    with reverts("no vote going on"):
        governor.vote(proposal + 1, False, sender=accounts[2])
    assert governor.state(proposal + 1) == State.UNKNOWN


def test_tokens_stay_locked_while_the_vote_goes_on(
    chain: MockChain, token: Deployed, governor: Deployed, proposal: int, accounts: Accounts
) -> None:
    governor.vote(proposal, True, sender=accounts[3])
    with reverts("a vote is not over"):
        governor.unlock(1, sender=accounts[3])
    governor.unlock(200, sender=accounts[2])
    assert token.balance_of(accounts[2]) == 1000
    chain.warp(3 * DAY)
    governor.unlock(300, sender=accounts[3])
    assert governor.locked(accounts[3]) == 0
    with reverts("panic 0x11: arithmetic overflow or underflow"):
        governor.unlock(1, sender=accounts[3])


def test_proposing_needs_tokens(governor: Deployed, accounts: Accounts) -> None:
    with reverts("no tokens locked"):
        governor.propose(accounts[5], 1, b"", "mine", sender=accounts[5])


def test_nobody_votes_away_what_others_locked(token: Deployed, governor: Deployed, accounts: Accounts) -> None:
    with reverts("the locked tokens are not its own"):
        governor.propose(token, 0, token.transfer.encode(accounts[3], 600), "mine", sender=accounts[3])


def test_money_moves_and_failures_can_be_tried_again(chain: MockChain, governor: Deployed, accounts: Accounts) -> None:
    to = bytes(19) + b"\x55"
    proposal = governor.propose(to, 60, b"", "more than there is", sender=accounts[3])
    decide(chain, governor, proposal, {accounts[3]: True})
    chain.warp(DAY)
    with reverts():
        governor.execute(proposal)
    chain.pay(governor, 10)
    governor.execute(proposal)
    assert chain.balance(to) == 60
