"""The collection: EIP-721's rules, who may move what, and contracts that take tokens or do not."""

import pytest

from contracts.nft.erc721 import (
    ERC721IncorrectOwner,
    ERC721InsufficientApproval,
    ERC721InvalidReceiver,
    ERC721NonexistentToken,
)
from contracts.nft.nft import NFT
from contracts.nft.receivers import Keeper, Refuser
from contractvm.types import Address
from sdk.testing import Deployed, MockChain, expect_event, reverts

ZERO = bytes(20)
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def nft(chain: MockChain, accounts: Accounts) -> Deployed:
    """Three tokens: the first two are accounts[0]'s, the third accounts[1]'s."""
    nft = chain.deploy(NFT)
    for to in (accounts[0], accounts[0], accounts[1]):
        nft.mint(to, "ipfs://x")
    return nft


def test_describes_itself(nft: Deployed) -> None:
    assert (nft.name(), nft.symbol(), nft.total_supply()) == ("Contract Collection", "CVMN", 3)
    assert nft.tokenURI(3) == "ipfs://x"


@pytest.mark.parametrize(
    ("id", "known"), [("01ffc9a7", True), ("80ac58cd", True), ("5b5e139f", True), ("ffffffff", False)]
)
def test_tells_its_interfaces(nft: Deployed, id: str, known: bool) -> None:
    assert nft.supports_interface(bytes.fromhex(id)) is known


def test_minting(nft: Deployed, accounts: Accounts) -> None:
    with expect_event(nft, "Transfer", from_=ZERO, to=accounts[2], token_id=4):
        assert nft.mint(accounts[2], "") == 4
    assert nft.owner_of(4) == accounts[2]
    assert [nft.balance_of(account) for account in accounts[:3]] == [2, 1, 1]
    with reverts("not the minter"):
        nft.mint(accounts[1], "", sender=accounts[1])
    with reverts(ERC721InvalidReceiver, receiver=ZERO):
        nft.mint(ZERO, "")


def test_a_token_that_is_not_there(nft: Deployed, accounts: Accounts) -> None:
    for question in (nft.owner_of, nft.tokenURI, nft.get_approved):
        with reverts(ERC721NonexistentToken, token_id=9):
            question(9)


def test_the_owner_moves(nft: Deployed, accounts: Accounts) -> None:
    alice, bob = accounts[:2]
    with expect_event(nft, "Transfer", from_=alice, to=bob, token_id=1):
        nft.transfer_from(alice, bob, 1)
    assert (nft.owner_of(1), nft.balance_of(alice), nft.balance_of(bob)) == (bob, 1, 2)


def test_others_move_what_they_may(nft: Deployed, accounts: Accounts) -> None:
    alice, bob, carol = accounts[:3]
    with reverts(ERC721InsufficientApproval, operator=bob, token_id=1):
        nft.transfer_from(alice, bob, 1, sender=bob)
    with expect_event(nft, "Approval", owner=alice, approved=bob, token_id=1):
        nft.approve(bob, 1)
    assert nft.get_approved(1) == bob
    nft.transfer_from(alice, carol, 1, sender=bob)
    assert nft.get_approved(1) == ZERO, "an approval ends with the ownership"
    with reverts(ERC721InsufficientApproval):
        nft.transfer_from(carol, bob, 1, sender=bob)
    nft.set_approval_for_all(bob, True)
    assert nft.is_approved_for_all(alice, bob) is True
    nft.transfer_from(alice, bob, 2, sender=bob)
    assert nft.owner_of(2) == bob


def test_approving_needs_the_owner(nft: Deployed, accounts: Accounts) -> None:
    with reverts(ERC721InsufficientApproval):
        nft.approve(accounts[2], 1, sender=accounts[2])
    nft.set_approval_for_all(accounts[2], True)
    nft.approve(accounts[3], 1, sender=accounts[2])
    assert nft.get_approved(1) == accounts[3]


def test_the_sender_must_be_right(nft: Deployed, accounts: Accounts) -> None:
    alice, bob = accounts[:2]
    with reverts(ERC721IncorrectOwner, sender=bob, token_id=1, owner=alice):
        nft.transfer_from(bob, bob, 1)
    with reverts(ERC721InvalidReceiver):
        nft.transfer_from(alice, ZERO, 1)


def test_contracts_take_tokens_or_do_not(chain: MockChain, nft: Deployed, accounts: Accounts) -> None:
    alice = accounts[0]
    keeper, refuser = chain.deploy(Keeper), chain.deploy(Refuser)
    nft.safe_transfer_from(alice, keeper, 1, b"hello")
    assert (nft.owner_of(1), keeper.last(), keeper.data()) == (keeper.address, 1, b"hello")
    nft["safeTransferFrom(address,address,uint256)"](alice, keeper, 2)
    assert keeper.data() == b""
    nft.mint(alice, "")
    for stubborn in (refuser, nft):
        with reverts(ERC721InvalidReceiver, receiver=stubborn):
            nft.safe_transfer_from(alice, stubborn, 4, b"")
    nft.safe_transfer_from(alice, accounts[5], 4, b"")
    assert nft.owner_of(4) == accounts[5]
