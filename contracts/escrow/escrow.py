"""Escrow: a buyer pays in, and the money goes to the seller or comes back.

The buyer releases it to the seller; the seller or the arbiter refunds it; after the deadline the buyer takes it back
alone. A deposit is removed before money moves, so that whoever is paid cannot be paid twice.
"""

from sdk import *


class Opened(Event):
    id: Indexed[u256]
    buyer: Indexed[Address]
    seller: Address
    amount: u256


class Closed(Event):
    id: Indexed[u256]
    paid: Indexed[Address]
    amount: u256


class NotOpen(Error):
    id: u256


class NotAllowed(Error):
    caller: Address


class TooEarly(Error):
    deadline: u64


class Deposit(Struct):
    buyer: Address
    seller: Address
    arbiter: Address
    deadline: u64
    amount: u256


class Escrow(Contract):
    count: u256
    deposits: Map[u256, Deposit]

    @external
    @payable
    def open(self, seller: Address, arbiter: Address, deadline: u64) -> u256:
        assert msg.value > 0, "no money sent"
        assert deadline > block.timestamp, "deadline has passed"
        self.count += 1
        self.deposits[self.count] = Deposit(msg.sender, seller, arbiter, deadline, msg.value)
        emit(Opened(self.count, msg.sender, seller, msg.value))
        return self.count

    @external
    def release(self, id: u256) -> None:
        found = self.find(id)
        if msg.sender != found.buyer:
            raise NotAllowed(msg.sender)
        self.close(id, found.seller, found.amount)

    @external
    def refund(self, id: u256) -> None:
        found = self.find(id)
        if msg.sender == found.buyer:
            if block.timestamp < found.deadline:
                raise TooEarly(found.deadline)
        elif msg.sender != found.seller and msg.sender != found.arbiter:
            raise NotAllowed(msg.sender)
        self.close(id, found.buyer, found.amount)

    @external
    @view
    def deposit(self, id: u256) -> tuple[Address, Address, Address, u64, u256]:
        found = self.find(id)
        return found.buyer, found.seller, found.arbiter, found.deadline, found.amount

    def find(self, id: u256) -> Deposit:
        found = self.deposits[id].copy()
        if found.amount == 0:
            raise NotOpen(id)
        return found

    def close(self, id: u256, to: Address, amount: u256) -> None:
        del self.deposits[id]
        emit(Closed(id, to, amount))
        send(to, amount)
