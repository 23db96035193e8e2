"""Many tokens in one contract: EIP-1155's rules for single and batched transfers."""

import pytest

from contracts.multitoken.erc1155 import (
    ERC1155InsufficientBalance,
    ERC1155InvalidArrayLength,
    ERC1155InvalidReceiver,
    ERC1155MissingApprovalForAll,
)
from contracts.multitoken.multitoken import MultiToken
from contracts.multitoken.receivers import Keeper, Single
from contractvm.types import Address
from sdk.testing import Deployed, MockChain, expect_event, reverts

ZERO = bytes(20)
GOLD, SWORD = 1, 2**255
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def items(chain: MockChain, accounts: Accounts) -> Deployed:
    """A hundred gold and one sword for accounts[0]."""
    items = chain.deploy(MultiToken)
    items.mint(accounts[0], GOLD, 100, b"")
    items.mint(accounts[0], SWORD, 1, b"")
    return items


def test_describes_itself(items: Deployed) -> None:
    assert items.uri(GOLD) == "https://example.org/{id}.json"
    assert [items.supports_interface(bytes.fromhex(id)) for id in ("01ffc9a7", "d9b67a26", "80ac58cd")] == [1, 1, 0]


def test_balances(items: Deployed, accounts: Accounts) -> None:
    alice, bob = accounts[:2]
    assert items.balance_of_batch([alice, alice, bob], [GOLD, SWORD, GOLD]) == [100, 1, 0]
    assert items.balance_of_batch([], []) == []
    with reverts(ERC1155InvalidArrayLength, ids_length=1, values_length=2):
        items.balance_of_batch([alice, bob], [GOLD])


def test_only_the_minter_mints(items: Deployed, accounts: Accounts) -> None:
    with reverts("not the minter"):
        items.mint(accounts[1], GOLD, 1, b"", sender=accounts[1])
    with reverts(ERC1155InvalidReceiver, receiver=ZERO):
        items.mint(ZERO, GOLD, 1, b"")


def test_a_transfer(items: Deployed, accounts: Accounts) -> None:
    alice, bob = accounts[:2]
    with expect_event(items, "TransferSingle", operator=alice, from_=alice, to=bob, id=GOLD, value=30):
        items.safe_transfer_from(alice, bob, GOLD, 30, b"")
    assert (items.balance_of(alice, GOLD), items.balance_of(bob, GOLD)) == (70, 30)
    with reverts(ERC1155InsufficientBalance, sender=bob, balance=30, needed=31, token_id=GOLD):
        items.safe_transfer_from(bob, alice, GOLD, 31, b"", sender=bob)


def test_a_batch(items: Deployed, accounts: Accounts) -> None:
    alice, bob = accounts[:2]
    with expect_event(items, "TransferBatch", ids=[GOLD, SWORD, GOLD], values=[1, 1, 2]):
        items.safe_batch_transfer_from(alice, bob, [GOLD, SWORD, GOLD], [1, 1, 2], b"")
    assert items.balance_of_batch([alice, bob, bob], [GOLD, GOLD, SWORD]) == [97, 3, 1]
    with reverts(ERC1155InsufficientBalance, token_id=SWORD):
        items.safe_batch_transfer_from(alice, bob, [GOLD, SWORD], [1, 1], b"")
    assert items.balance_of(alice, GOLD) == 97, "all of a batch or nothing"


def test_an_operator(items: Deployed, accounts: Accounts) -> None:
    alice, bob = accounts[:2]
    with reverts(ERC1155MissingApprovalForAll, operator=bob, owner=alice):
        items.safe_transfer_from(alice, bob, GOLD, 1, b"", sender=bob)
    with expect_event(items, "ApprovalForAll", account=alice, operator=bob, approved=True):
        items.set_approval_for_all(bob, True)
    items.safe_transfer_from(alice, bob, GOLD, 1, b"", sender=bob)
    assert items.balance_of(bob, GOLD) == 1


def test_contracts_take_tokens_or_do_not(chain: MockChain, items: Deployed, accounts: Accounts) -> None:
    alice = accounts[0]
    keeper, single = chain.deploy(Keeper), chain.deploy(Single)
    items.safe_transfer_from(alice, keeper, GOLD, 5, b"x")
    items.safe_batch_transfer_from(alice, keeper, [GOLD, SWORD], [2, 1], b"x")
    assert (keeper.got(GOLD), keeper.got(SWORD)) == (7, 1)
    items.safe_transfer_from(alice, single, GOLD, 5, b"")
    with reverts(ERC1155InvalidReceiver, receiver=single):
        items.safe_batch_transfer_from(alice, single, [GOLD], [1], b"")
    with reverts(ERC1155InvalidReceiver, receiver=items):
        items.safe_transfer_from(alice, items, GOLD, 1, b"")
