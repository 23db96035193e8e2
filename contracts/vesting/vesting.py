# mypy: disable-error-code="empty-body"
"""Tokens that come free evenly over time, none before the cliff and all at the end. The rest can be called back."""

from sdk import *


class IToken(Interface):
    def transfer(self, to: Address, amount: u256) -> bool: ...

    @view
    def balance_of(self, owner: Address) -> u256: ...


class Released(Event):
    to: Indexed[Address]
    amount: u256


class Revoked(Event):
    to: Indexed[Address]
    amount: u256


class NotAllowed(Error):
    caller: Address


class Vesting(Contract):
    token: Public[Immutable[IToken]]
    owner: Public[Immutable[Address]]
    beneficiary: Public[Immutable[Address]]
    start: Public[Immutable[u64]]
    cliff: Public[Immutable[u64]]
    end: Public[Immutable[u64]]
    released: Public[u256]
    revoked: Public[bool]

    def __init__(self, token: IToken, beneficiary: Address, cliff: u64, duration: u64) -> None:
        assert beneficiary != ZERO_ADDRESS, "no beneficiary"
        assert cliff <= duration, "the cliff is behind the end"
        self.token = token
        self.owner = msg.sender
        self.beneficiary = beneficiary
        self.start = block.timestamp
        self.cliff = block.timestamp + cliff
        self.end = block.timestamp + duration

    @external
    @view
    def vested(self, at: u64) -> u256:
        """How much of all that ever came in is free at a time."""
        total = self.token.balance_of(self.address) + self.released
        if self.revoked or at >= self.end:
            return total
        if at < self.cliff:
            return 0
        return total * u256(at - self.start) // u256(self.end - self.start)

    @external
    @view
    def releasable(self) -> u256:
        return self.vested(block.timestamp) - self.released

    @external
    def release(self) -> u256:
        amount = self.releasable()
        self.released += amount
        emit(Released(self.beneficiary, amount))
        self.pay(self.beneficiary, amount)
        return amount

    @external
    def revoke(self) -> u256:
        """The owner gets back what is not free yet; the rest stays for the beneficiary."""
        if msg.sender != self.owner:
            raise NotAllowed(msg.sender)
        assert not self.revoked, "revoked before"
        amount = self.token.balance_of(self.address) - self.releasable()
        self.revoked = True
        emit(Revoked(self.owner, amount))
        self.pay(self.owner, amount)
        return amount

    def pay(self, to: Address, amount: u256) -> None:
        assert self.token.transfer(to, amount), "the token refused"
