"""An English auction: the highest bid at the end wins. Who is outbid takes the money back himself, so that nobody's
refusal to be paid can stop the others; a late bid prolongs the auction.
"""

from sdk import *

PROLONG: Const[u64] = 5 * MINUTES


class Bid(Event):
    bidder: Indexed[Address]
    amount: u256


class Ended(Event):
    winner: Indexed[Address]
    amount: u256


class TooLow(Error):
    least: u256


class Over(Error):
    end: u64


class Auction(Contract):
    seller: Public[Immutable[Address]]
    reserve: Public[Immutable[u256]]
    end: Public[u64]
    highest_bidder: Public[Address]
    highest_bid: Public[u256]
    refunds: Public[Map[Address, u256]]
    settled: Public[bool]

    def __init__(self, reserve: u256, duration: u64) -> None:
        assert duration >= PROLONG, "too short"
        self.seller = msg.sender
        self.reserve = reserve
        self.end = block.timestamp + duration

    @external
    @view
    def least(self) -> u256:
        """The smallest bid that is taken now: the reserve, then a twentieth more each time."""
        if self.highest_bidder == ZERO_ADDRESS:
            return max(self.reserve, 1)
        return self.highest_bid + max(self.highest_bid // 20, 1)

    @external
    @payable
    def bid(self) -> None:
        if block.timestamp >= self.end:
            raise Over(self.end)
        least = self.least()
        if msg.value < least:
            raise TooLow(least)
        self.refunds[self.highest_bidder] += self.highest_bid
        self.highest_bidder = msg.sender
        self.highest_bid = msg.value
        self.end = max(self.end, block.timestamp + PROLONG)
        emit(Bid(msg.sender, msg.value))

    @external
    def withdraw(self) -> u256:
        amount = self.refunds[msg.sender]
        assert amount > 0, "nothing to withdraw"
        del self.refunds[msg.sender]
        send(msg.sender, amount)
        return amount

    @external
    def settle(self) -> None:
        """Ends the auction and pays the seller; anybody may."""
        assert block.timestamp >= self.end, "not over"
        assert not self.settled, "settled before"
        self.settled = True
        emit(Ended(self.highest_bidder, self.highest_bid))
        send(self.seller, self.highest_bid)
