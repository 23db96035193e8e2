"""The wallet: who counts, when a call is made, and what becomes of one that fails."""

import pytest

from contracts.multisig.multisig import Multisig, NotOwner, TooFew
from contracts.token.token import Token
from contractvm.types import Address
from sdk.testing import Deployed, MockChain, expect_event, reverts

ZERO = bytes(20)
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def wallet(chain: MockChain, accounts: Accounts) -> Deployed:
    """Two of accounts[0..2] decide about ten wei."""
    wallet = chain.deploy(Multisig, accounts[:3], 2)
    chain.pay(wallet, 10)
    return wallet


def test_the_owners(wallet: Deployed, accounts: Accounts) -> None:
    assert [wallet.owners(i) for i in range(3)] == list(accounts[:3])
    assert wallet.threshold() == 2


@pytest.mark.parametrize(
    ("picked", "threshold", "reason"),
    [((0, 1), 0, "threshold"), ((0, 1), 3, "threshold"), ((0, 0), 1, "owner"), ((), 0, "threshold")],
)
def test_refuses_owners_that_make_no_sense(
    chain: MockChain, accounts: Accounts, picked: tuple[int, ...], threshold: int, reason: str
) -> None:
    with reverts(reason):
        chain.deploy(Multisig, [accounts[i] for i in picked], threshold)
    with reverts("owner"):
        chain.deploy(Multisig, [ZERO], 1)


def test_tells_what_it_gets(chain: MockChain, wallet: Deployed, accounts: Accounts) -> None:
    with expect_event(wallet, "Received", from_=accounts[5], value=3):
        chain.pay(wallet, 3, sender=accounts[5])


def test_pays_when_enough_agree(chain: MockChain, wallet: Deployed, accounts: Accounts) -> None:
    to = bytes(19) + b"\x77"
    with expect_event(wallet, "Submitted", id=0, owner=accounts[0], to=to, value=7, data=b""):
        assert wallet.submit(to, 7, b"") == 0
    with reverts(TooFew, have=1, want=2):
        wallet.execute(0)
    wallet.confirm(0, sender=accounts[1])
    assert wallet.confirmations(0) == 2
    with expect_event(wallet, "Executed", id=0, output=b""):
        wallet.execute(0, sender=accounts[2])
    assert (chain.balance(to), chain.balance(wallet)) == (7, 3)
    with reverts("executed before"):
        wallet.execute(0)


def test_a_confirmation_can_be_taken_back(wallet: Deployed, accounts: Accounts) -> None:
    wallet.submit(accounts[5], 1, b"")
    wallet.confirm(0, sender=accounts[1])
    with expect_event(wallet, "Revoked", id=0, owner=accounts[1]):
        wallet.revoke(0, sender=accounts[1])
    with reverts(TooFew, have=1):
        wallet.execute(0)
    with reverts("not confirmed"):
        wallet.revoke(0, sender=accounts[2])
    with reverts("confirmed before"):
        wallet.confirm(0)


def test_only_owners(wallet: Deployed, accounts: Accounts) -> None:
    wallet.submit(accounts[5], 1, b"")
    stranger = accounts[4]
    for act in (wallet.confirm, wallet.revoke, wallet.execute):
        with reverts(NotOwner, caller=stranger):
            act(0, sender=stranger)
        with reverts("no such call"):
            act(1)
    with reverts(NotOwner):
        wallet.submit(stranger, 1, b"", sender=stranger)


def test_calls_contracts(chain: MockChain, wallet: Deployed, accounts: Accounts) -> None:
    token = chain.deploy(Token, 100)
    token.transfer(wallet, 50)
    wallet.submit(token, 0, token.transfer.encode(accounts[6], 20))
    wallet.confirm(0, sender=accounts[2])
    assert wallet.execute(0) == (1).to_bytes(32, "big")
    assert token.balance_of(accounts[6]) == 20


def test_a_failing_call_stays(chain: MockChain, wallet: Deployed, accounts: Accounts) -> None:
    token = chain.deploy(Token, 100)
    wallet.submit(token, 0, token.transfer.encode(accounts[6], 20))
    wallet.confirm(0, sender=accounts[1])
    with reverts():
        wallet.execute(0)
    token.transfer(wallet, 20)
    wallet.execute(0)
    assert token.balance_of(accounts[6]) == 20


def test_asks_itself_in_vain(wallet: Deployed, accounts: Accounts) -> None:
    wallet.submit(wallet, 0, wallet.confirmations.encode(0))
    wallet.confirm(0, sender=accounts[1])
    with reverts():
        wallet.execute(0)
