"""A registry of names: rented by the year, resolved to an address, listed in order."""

from sdk import *

YEAR: Const[u64] = 365 * DAYS
GRACE: Const[u64] = 30 * DAYS


class Registered(Event):
    owner: Indexed[Address]
    key: Indexed[String]
    name: String
    until: u64


class Transferred(Event):
    from_: Indexed[Address]
    to: Indexed[Address]
    name: String


class NotOwner(Error):
    owner: Address


class WrongPrice(Error):
    price: u256


class Record(Struct):
    owner: Address
    target: Address
    until: u64
    text: String


class Names(Contract):
    keeper: Public[Immutable[Address]]
    price: Public[Immutable[u256]]
    records: Public[Map[String, Record]]

    def __init__(self, price: u256) -> None:
        self.keeper = msg.sender
        self.price = price

    @external
    @payable
    def register(self, name: String, years: u64 = 1) -> u64:
        """Rents a name that is free, or prolongs one's own; returns until when."""
        assert 0 < years <= 10, "one to ten years"
        assert 0 < len(name.encode()) <= 64, "one to 64 bytes"
        price = self.price * u256(years)
        if msg.value != price:
            raise WrongPrice(price)
        record = self.records[name].copy()
        if self.is_free(record.until):
            record = Record(msg.sender, msg.sender, block.timestamp, "")
        elif record.owner != msg.sender:
            raise NotOwner(record.owner)
        record.until += years * YEAR
        self.records[name] = record.copy()
        emit(Registered(msg.sender, name, name, record.until))
        return record.until

    @external
    @view
    def resolve(self, name: String) -> Address:
        """Where a name points to; nowhere when it is not rented."""
        return self.records[name].target if block.timestamp < self.records[name].until else ZERO_ADDRESS

    @external
    def set(self, name: String, target: Address, text: String) -> None:
        self.only_owner(name)
        self.records[name].target = target
        self.records[name].text = text

    @external
    def transfer(self, name: String, to: Address) -> None:
        self.only_owner(name)
        self.records[name].owner = to
        emit(Transferred(msg.sender, to, name))

    @external
    @view
    def list(self, skip: u64, limit: u64) -> List[String]:
        """A page of all names, in the order of their bytes."""
        found: List[String] = []
        for i, name in enumerate(self.records):
            if len(found) == limit:
                break
            if i >= skip:
                found.append(name)
        return found

    @external
    def drop(self, limit: u64) -> u64:
        """Removes names that have been free for long, at most so many; anybody may."""
        dropped: u64 = 0
        for name, record in self.records.items():
            if dropped == limit:
                break
            if self.is_free(record.until):
                del self.records[name]
                dropped += 1
        return dropped

    @external
    def withdraw(self) -> u256:
        amount = self.balance
        send(self.keeper, amount)
        return amount

    def is_free(self, until: u64) -> bool:
        return block.timestamp >= until + GRACE

    def only_owner(self, name: String) -> None:
        if self.records[name].owner != msg.sender or block.timestamp >= self.records[name].until:
            raise NotOwner(self.records[name].owner)
