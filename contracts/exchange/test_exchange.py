"""The exchange: shares, prices, and a product that never falls."""

from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.exchange.exchange import Factory, Pair, root
from contracts.token.token import Token
from contractvm.types import Address
from sdk.compiler import compile_file
from sdk.testing import Deployed, MockChain, Reverted, expect_event, fuzz, reverts

MANY = 10**30
ZERO = bytes(20)
Accounts = tuple[Address, ...]


@pytest.fixture(scope="module")
def tokens(chain: MockChain) -> tuple[Deployed, Deployed]:
    """Two tokens in the order of their addresses."""
    first, second = sorted((chain.deploy(Token, MANY), chain.deploy(Token, MANY)), key=lambda token: token.address)
    return first, second


@pytest.fixture(scope="module")
def pair(chain: MockChain, tokens: tuple[Deployed, Deployed], accounts: Accounts) -> Deployed:
    """Empty; accounts[0] and [1] have tokens that the pair may take."""
    pair = chain.deploy(Pair, *tokens)
    for token in tokens:
        token.transfer(accounts[1], 10**24)
        for account in accounts[:2]:
            token.approve(pair, MANY, sender=account)
    return pair


@pytest.fixture(scope="module")
def filled(pair: Deployed) -> Deployed:
    """A million of the one, four million of the other."""
    pair.add(10**6, 4 * 10**6, 0)
    return pair


def reserves(pair: Deployed) -> tuple[int, int]:
    return pair.reserves(pair.a()), pair.reserves(pair.b())


def test_the_first_shares(pair: Deployed, accounts: Accounts) -> None:
    with reverts("too little"):
        pair.add(1000, 1000, 0)
    assert pair.add(10**6, 4 * 10**6, 0) == 2 * 10**6 - 1000
    assert (pair.total_shares(), pair.shares(accounts[0]), pair.shares(ZERO)) == (2 * 10**6, 2 * 10**6 - 1000, 1000)
    assert reserves(pair) == (10**6, 4 * 10**6)


def test_more_shares_at_the_same_price(filled: Deployed, tokens: tuple[Deployed, Deployed], accounts: Accounts) -> None:
    bob = accounts[1]
    before = tokens[1].balance_of(bob)
    assert filled.add(500, 10**9, 1000, sender=bob) == 1000
    assert tokens[1].balance_of(bob) == before - 2000, "no more than the price needs"
    with reverts("too few shares"):
        filled.add(500, 10**9, 1001, sender=bob)


def test_a_swap(filled: Deployed, tokens: tuple[Deployed, Deployed], accounts: Accounts) -> None:
    a, b = tokens
    paid = 1000 * 997
    out = 4 * 10**6 * paid // (10**6 * 1000 + paid)
    had = b.balance_of(accounts[1])
    with expect_event(filled, "Swapped", who=accounts[1], token_in=a, amount_in=1000, amount_out=out):
        assert filled.swap(a, 1000, out, sender=accounts[1]) == out
    assert b.balance_of(accounts[1]) == had + out
    assert reserves(filled) == (10**6 + 1000, 4 * 10**6 - out)
    assert (a.balance_of(filled), b.balance_of(filled)) == reserves(filled)


def test_a_swap_is_refused(filled: Deployed, tokens: tuple[Deployed, Deployed], accounts: Accounts) -> None:
    a, b = tokens
    with reverts("too little out"):
        filled.swap(b, 1000, 250)
    with reverts("too little out"):
        filled.swap(b, 1, 0)
    with reverts("not of this pair"):
        filled.swap(filled, 1000, 0)
    with reverts("ERC20InsufficientAllowance"):
        filled.swap(a, 1000, 0, sender=accounts[5])


def test_taking_out(filled: Deployed, tokens: tuple[Deployed, Deployed], accounts: Accounts) -> None:
    assert filled.remove(10**6) == (500_000, 2 * 10**6)
    assert reserves(filled) == (500_000, 2 * 10**6)
    with reverts("panic 0x11: arithmetic overflow or underflow"):
        filled.remove(1, sender=accounts[5])


@fuzz(swaps=st.lists(st.tuples(st.booleans(), st.integers(1, 10**9)), min_size=1, max_size=5), examples=30)
def test_the_product_never_falls(
    chain: MockChain, filled: Deployed, tokens: tuple[Deployed, Deployed], swaps: list[tuple[bool, int]]
) -> None:
    for first, amount in swaps:
        a, b = reserves(filled)
        try:
            filled.swap(tokens[not first], amount, 0)
        except Reverted as refused:
            assert refused.refusal.text == "too little out"
        after_a, after_b = reserves(filled)
        assert after_a * after_b >= a * b


@given(st.integers(0, 2**256 - 1))
def test_roots(x: int) -> None:
    assert root(x) == isqrt(x), "a module's function of plain numbers runs in Python too"


def test_the_factory(chain: MockChain, tokens: tuple[Deployed, Deployed]) -> None:
    a, b = tokens
    factory = chain.deploy(Factory)
    with expect_event(factory, "PairMade", a=a, b=b) as seen:
        made = factory.make(a, b)
    assert seen.fields["pair"] == made == factory.pair_of(a, b) == factory.pair_of(b, a) == factory.pairs(0)
    with reverts("there is one"):
        factory.make(a, b)
    with reverts("order the tokens"):
        factory.make(b, a)
    pair = Deployed(chain, made, compile_file(__file__.replace("test_", ""), "Pair").interface)
    assert (pair.a(), pair.b(), pair.total_shares()) == (a.address, b.address, 0)
    for token in tokens:
        token.approve(pair, 10**6)
    assert pair.add(10**4, 10**4, 0) == 9000
