"""A wallet of several owners: a call is made once enough of them have confirmed it."""

from sdk import *


class Submitted(Event):
    id: Indexed[u64]
    owner: Indexed[Address]
    to: Indexed[Address]
    value: u256
    data: Bytes


class Confirmed(Event):
    id: Indexed[u64]
    owner: Indexed[Address]


class Revoked(Event):
    id: Indexed[u64]
    owner: Indexed[Address]


class Executed(Event):
    id: Indexed[u64]
    output: Bytes


class Received(Event):
    from_: Indexed[Address]
    value: u256


class NotOwner(Error):
    caller: Address


class TooFew(Error):
    have: u64
    want: u64


class Call(Struct):
    to: Address
    value: u256
    data: Bytes
    executed: bool


class Multisig(Contract):
    threshold: Public[Immutable[u64]]
    owners: Public[List[Address]]
    is_owner: Public[Map[Address, bool]]
    calls: Public[List[Call]]
    confirmed: Public[Map[u64, Map[Address, bool]]]
    confirmations: Public[Map[u64, u64]]

    def __init__(self, owners: List[Address], threshold: u64) -> None:
        assert 0 < threshold <= len(owners), "threshold"
        for owner in owners:
            assert owner != ZERO_ADDRESS and not self.is_owner[owner], "owner"
            self.is_owner[owner] = True
        self.owners = owners.copy()
        self.threshold = threshold

    @payable
    def receive(self) -> None:
        emit(Received(msg.sender, msg.value))

    @external
    def submit(self, to: Address, value: u256, data: Bytes) -> u64:
        self.only_owner()
        id = len(self.calls)
        self.calls.append(Call(to, value, data, False))
        emit(Submitted(id, msg.sender, to, value, data))
        self.confirm(id)
        return id

    @external
    def confirm(self, id: u64) -> None:
        self.only_owner()
        self.must_wait(id)
        assert not self.confirmed[id][msg.sender], "confirmed before"
        self.confirmed[id][msg.sender] = True
        self.confirmations[id] += 1
        emit(Confirmed(id, msg.sender))

    @external
    def revoke(self, id: u64) -> None:
        self.only_owner()
        self.must_wait(id)
        assert self.confirmed[id][msg.sender], "not confirmed"
        self.confirmed[id][msg.sender] = False
        self.confirmations[id] -= 1
        emit(Revoked(id, msg.sender))

    @external
    def execute(self, id: u64) -> Bytes:
        self.only_owner()
        self.must_wait(id)
        if self.confirmations[id] < self.threshold:
            raise TooFew(self.confirmations[id], self.threshold)
        self.calls[id].executed = True
        call = self.calls[id].copy()
        output = raw_call(call.to, call.data, value=call.value)
        emit(Executed(id, output))
        return output

    def only_owner(self) -> None:
        if not self.is_owner[msg.sender]:
            raise NotOwner(msg.sender)

    def must_wait(self, id: u64) -> None:
        assert id < len(self.calls), "no such call"
        assert not self.calls[id].executed, "executed before"
