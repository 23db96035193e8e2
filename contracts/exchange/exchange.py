# mypy: disable-error-code="empty-body"
"""A constant-product exchange: a pair of tokens whose reserves' product never falls, and a factory that makes pairs.

Each swap leaves 0.3 % with the pair. Shares of a pair are a plain number for each provider; the first thousand belong
to nobody, so that the price of a share cannot be driven up (as in Uniswap v2).
"""

from sdk import *

LOCKED: Const[u256] = 1000


class IToken(Interface):
    def transfer(self, to: Address, amount: u256) -> bool: ...

    def transfer_from(self, from_: Address, to: Address, amount: u256) -> bool: ...


class Swapped(Event):
    who: Indexed[Address]
    token_in: Indexed[Address]
    amount_in: u256
    amount_out: u256


class PairMade(Event):
    a: Indexed[Address]
    b: Indexed[Address]
    pair: Address


def root(x: u256) -> u256:
    """The square root, rounded down (Newton's)."""
    guess, next = x, x // 2 + x % 2
    while next < guess:
        guess, next = next, (next + x // next) // 2
    return guess


class Pair(Contract):
    a: Public[Immutable[IToken]]
    b: Public[Immutable[IToken]]
    reserves: Public[Map[IToken, u256]]
    shares: Public[Map[Address, u256]]
    total_shares: Public[u256]

    def __init__(self, a: IToken, b: IToken) -> None:
        self.a = a
        self.b = b

    @external
    def add(self, most_a: u256, most_b: u256, least: u256) -> u256:
        """Puts in both tokens at the reserves' ratio, at most so much of each, for shares."""
        total = self.total_shares
        if total == 0:
            got = root(most_a * most_b)
            assert got > LOCKED, "too little"
            self.shares[ZERO_ADDRESS] = LOCKED
            self.total_shares = got
            got -= LOCKED
            amount_a, amount_b = most_a, most_b
        else:
            a, b = self.reserves[self.a], self.reserves[self.b]
            got = min(most_a * total // a, most_b * total // b)
            amount_a, amount_b = (a * got + total - 1) // total, (b * got + total - 1) // total
            self.total_shares = total + got
        assert got > 0 and got >= least, "too few shares"
        self.shares[msg.sender] += got
        self.take(self.a, amount_a)
        self.take(self.b, amount_b)
        return got

    @external
    def remove(self, shares: u256) -> tuple[u256, u256]:
        """Takes out a part of both tokens."""
        amount_a = self.reserves[self.a] * shares // self.total_shares
        amount_b = self.reserves[self.b] * shares // self.total_shares
        self.shares[msg.sender] -= shares
        self.total_shares -= shares
        self.give(self.a, amount_a)
        self.give(self.b, amount_b)
        return amount_a, amount_b

    @external
    def swap(self, token: IToken, amount: u256, least: u256) -> u256:
        """Sells so much of a token for the other one."""
        assert token == self.a or token == self.b, "not of this pair"
        other = self.b if token == self.a else self.a
        paid = amount * 997
        out = self.reserves[other] * paid // (self.reserves[token] * 1000 + paid)
        assert out > 0 and out >= least, "too little out"
        self.take(token, amount)
        self.give(other, out)
        emit(Swapped(msg.sender, token.address, amount, out))
        return out

    def take(self, token: IToken, amount: u256) -> None:
        self.reserves[token] += amount
        assert token.transfer_from(msg.sender, self.address, amount), "the token refused"

    def give(self, token: IToken, amount: u256) -> None:
        self.reserves[token] -= amount
        assert token.transfer(msg.sender, amount), "the token refused"


class Factory(Contract):
    pairs: Public[List[Address]]
    pair_of: Public[Map[IToken, Map[IToken, Address]]]

    @external
    def make(self, a: IToken, b: IToken) -> Address:
        assert a.address < b.address, "order the tokens"
        assert self.pair_of[a][b] == ZERO_ADDRESS, "there is one"
        pair = create2(Pair.code, a, b, salt=ZERO_BYTES32)
        self.pair_of[a][b] = pair
        self.pair_of[b][a] = pair
        self.pairs.append(pair)
        emit(PairMade(a.address, b.address, pair))
        return pair
