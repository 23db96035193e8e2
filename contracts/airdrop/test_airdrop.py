"""The airdrop: everybody in the tree gets the tokens, once, and nobody else does."""

import pytest

from contracts.airdrop.airdrop import Airdrop
from contracts.token.token import Token
from contractvm.crypto import keccak256
from contractvm.types import Address
from sdk.abi import encode, parse_types
from sdk.testing import Deployed, MockChain, expect_event, reverts

DAY = 86_400
Accounts = tuple[Address, ...]


class Tree:
    """A merkle tree of (index, account, amount); each pair of nodes is hashed in order of size."""

    def __init__(self, rows: list[tuple[int, bytes, int]]) -> None:
        leaves = [keccak256(keccak256(encode(parse_types("(uint64,address,uint256)"), row))) for row in rows]
        self.levels = [leaves]
        while len(self.levels[-1]) > 1:
            last = self.levels[-1]
            pairs = [last[i : i + 2] for i in range(0, len(last), 2)]
            self.levels.append([keccak256(b"".join(sorted(pair))) if len(pair) == 2 else pair[0] for pair in pairs])

    @property
    def root(self) -> bytes:
        return self.levels[-1][0]

    def proof(self, index: int) -> list[bytes]:
        path = []
        for level in self.levels[:-1]:
            if index ^ 1 < len(level):
                path.append(level[index ^ 1])
            index //= 2
        return path


@pytest.fixture(scope="module")
def rows(accounts: Accounts) -> list[tuple[int, bytes, int]]:
    """Three hundred claims, so that the marks need two words; every account has thirty."""
    return [(i, accounts[i % 10], 10 + i) for i in range(300)]


@pytest.fixture(scope="module")
def tree(rows: list[tuple[int, bytes, int]]) -> Tree:
    return Tree(rows)


@pytest.fixture(scope="module")
def token(chain: MockChain) -> Deployed:
    return chain.deploy(Token, 10**9)


@pytest.fixture(scope="module")
def airdrop(chain: MockChain, token: Deployed, tree: Tree) -> Deployed:
    airdrop = chain.deploy(Airdrop, token, tree.root, 10 * DAY)
    token.transfer(airdrop, 10**6)
    return airdrop


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_claims(
    airdrop: Deployed, token: Deployed, tree: Tree, rows: list[tuple[int, bytes, int]], accounts: Accounts, index: int
) -> None:
    _, account, amount = rows[index]
    before = token.balance_of(account)
    assert airdrop.is_claimed(index) is False
    with expect_event(airdrop, "Claimed", index=index, account=account, amount=amount):
        airdrop.claim(index, account, amount, tree.proof(index), sender=accounts[8])
    assert token.balance_of(account) == before + amount
    assert [airdrop.is_claimed(i) for i in (index - 1 if index else 5, index, index + 1)] == [False, True, False]
    with reverts("claimed before"):
        airdrop.claim(index, account, amount, tree.proof(index))


def test_refuses_who_is_not_in_the_tree(
    airdrop: Deployed, tree: Tree, rows: list[tuple[int, bytes, int]], accounts: Accounts
) -> None:
    index, account, amount = rows[7]
    proof = tree.proof(7)
    for claim in (
        (index, accounts[1], amount, proof),
        (index, account, amount + 1, proof),
        (8, account, amount, proof),
        (index, account, amount, proof[:-1]),
        (index, account, amount, [*proof, bytes(32)]),
        (index, account, amount, []),
    ):
        with reverts("not in the tree"):
            airdrop.claim(*claim)


def test_a_tree_of_one(chain: MockChain, token: Deployed, accounts: Accounts) -> None:
    airdrop = chain.deploy(Airdrop, token, Tree([(0, accounts[3], 5)]).root, DAY)
    with reverts("ERC20InsufficientBalance"):
        airdrop.claim(0, accounts[3], 5, [])
    token.transfer(airdrop, 5)
    airdrop.claim(0, accounts[3], 5, [])
    assert token.balance_of(accounts[3]) == 5


def test_the_end(chain: MockChain, airdrop: Deployed, token: Deployed, tree: Tree, accounts: Accounts) -> None:
    with reverts("not over"):
        airdrop.sweep()
    chain.warp(to=airdrop.end())
    with reverts("over"):
        airdrop.claim(0, accounts[0], 10, tree.proof(0))
    before = token.balance_of(accounts[0])
    assert airdrop.sweep(sender=accounts[4]) == 10**6
    assert token.balance_of(accounts[0]) == before + 10**6
