# ruff: noqa: F403, F405
# mypy: disable-error-code="empty-body"
"""Contracts that make, call and pay one another."""

from sdk import *


class IChild(Interface):
    def add(self, n: u64, text: String) -> u64: ...

    def fail(self, how: u8) -> None: ...

    @payable
    def pay(self) -> u256: ...

    def pair(self, xs: List[u16]) -> tuple[u64, List[u16]]: ...

    @view
    def total(self) -> u64: ...

    @view
    def owner(self) -> Address: ...


class Refused(Error):
    how: u8
    by_owner: bool


class Added(Event):
    by_owner: Indexed[bool]
    total: u64


class Child(Contract):
    owner: Public[Immutable[Address]]
    total: Public[u64]
    texts: List[String]

    def __init__(self, start: u64, text: String) -> None:
        assert start != 13, "unlucky"
        self.owner = msg.sender
        self.total = start
        self.texts.append(text)

    @payable
    def receive(self) -> None:
        assert msg.value != 13, "no such amount"
        self.total += 1

    @external
    def add(self, n: u64, text: String) -> u64:
        self.texts.append(text)
        self.total += n
        emit(Added(msg.sender == self.owner, self.total))
        return self.total

    @external
    def fail(self, how: u8) -> None:
        self.total += 1
        if how == 0:
            raise Refused(how, msg.sender == self.owner)
        assert how != 1, "one"
        assert how != 2
        self.total += 100 // (u64(how) - 3)

    @external
    @payable
    def pay(self) -> u256:
        self.total += 2
        return msg.value + self.balance

    @external
    def pair(self, xs: List[u16]) -> tuple[u64, List[u16]]:
        return len(xs), xs[1:]


class Parent(Contract):
    children: List[IChild]
    log: List[u8]

    @payable
    def __init__(self) -> None:
        self.children.append(IChild(create(Child.code, 5, "first")))

    @payable
    def receive(self) -> None:
        pass

    def child(self, i: u64) -> IChild:
        return self.children[i % len(self.children)]

    @external
    def make(self, start: u64, text: String) -> u64:
        self.children.append(IChild(create(Child.code, start, text)))
        return len(self.children)

    @external
    @view
    def all(self) -> tuple[List[u64], bool]:
        found: List[u64] = []
        mine: bool = True
        for child in self.children:
            found.append(child.total())
            mine = mine and child.owner() == self.address
        return found, mine

    @external
    def add(self, i: u64, n: u64, text: String) -> u64:
        return self.child(i).add(n, text) // 2

    @external
    def attempt(self, i: u64, n: u64) -> tuple[bool, u64]:
        ok, total = try_call(self.child(i).add, n, text="x")
        return ok, total

    @external
    def fail(self, i: u64, how: u8) -> u64:
        self.log.append(how)
        self.child(i).fail(how)
        return len(self.log)

    @external
    def fail_quietly(self, i: u64, how: u8) -> tuple[bool, u64]:
        self.log.append(how)
        fine: bool = try_call(self.child(i).fail, how)
        return fine, len(self.log)

    @external
    @payable
    def pay(self, i: u64, amount: u8) -> tuple[u256, u256]:
        got = self.child(i).call(value=u256(amount)).pay()
        return got, self.balance

    @external
    @payable
    def send_it(self, i: u64, amount: u8) -> u256:
        send(self.child(i).address, u256(amount))
        return self.child(i).address.balance

    @external
    @payable
    def try_it(self, i: u64, amount: u8) -> bool:
        return try_send(self.child(i).address, u256(amount))

    @external
    def pair(self, i: u64, xs: List[u16]) -> tuple[u64, List[u16]]:
        n, rest = self.child(i).pair(xs)
        return n + 1, rest

    @external
    def nowhere(self, who: Address) -> bool:
        ok, _n = try_call(IChild(who).add, 1, "")
        return ok
