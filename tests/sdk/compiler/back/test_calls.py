"""Calls of other contracts, sending, creating: results, reasons, what is refused."""

from __future__ import annotations

import pytest

from contractvm.types import Address
from sdk.testing import Deployed, MockChain, reverts
from tests.sdk.compiler.back.sources import artifact_of

SOURCE = """
class Point(Struct):
    x: u64
    y: i24

class Short(Error):
    have: u256
    want: u256

class ICallee(Interface):
    def add(self, n: u256) -> u256: ...

    @view
    def count(self) -> u256: ...

    @payable
    def pay(self, note: String) -> tuple[u256, String, List[Point]]: ...

    def fail(self, kind: u8) -> None: ...

    def silent(self) -> None: ...

    @view
    def sneaky(self) -> u256: ...

    def back(self, to: Address) -> u256: ...

    @view
    def missing(self) -> tuple[u256, u256]: ...

    def burn(self) -> u64: ...

class Callee(Contract):
    count: Public[u256]

    @external
    def add(self, n: u256) -> u256:
        if n > 9:
            raise Short(n, 9)
        self.count += n
        return self.count

    @external
    @payable
    def pay(self, note: String) -> tuple[u256, String, List[Point]]:
        return msg.value, note + "!", [Point(1, -1), Point(2, -2)]

    @external
    def fail(self, kind: u8) -> None:
        assert kind != 0, "zero"
        assert kind != 1
        if kind == 2:
            raise Revert("LONG")

    @external
    def silent(self) -> None:
        self.count += 100

    @external
    def sneaky(self) -> u256:
        self.count += 1
        return self.count

    @external
    def back(self, to: Address) -> u256:
        return ICaller(to).enter()

    @external
    def burn(self) -> u64:
        n: u64 = 0
        while True:
            n += 1
        return n

    @payable
    def receive(self) -> None:
        assert msg.value != 13, "unlucky"

class ICaller(Interface):
    def enter(self) -> u256: ...

class Caller(Contract):
    callee: Public[ICallee]
    entered: Public[u256]

    def __init__(self, callee: ICallee) -> None:
        self.callee = callee

    @external
    def add(self, n: u256) -> u256:
        return self.callee.add(n) * 10 + self.callee.count()

    @external
    @payable
    def pay(self, note: String) -> tuple[u256, String, List[Point]]:
        return self.callee.call(value=msg.value).pay(note)

    @external
    def fail(self, kind: u8) -> u8:
        self.callee.fail(kind)
        self.callee.silent()
        return kind

    @external
    def sneaky(self) -> u256:
        return self.callee.sneaky()

    @external
    def missing(self) -> u256:
        return self.callee.missing()[0]

    @external
    def try_missing(self) -> tuple[bool, u256]:
        ok, found = try_call(self.callee.missing)
        return ok, found[0] + found[1]

    @external
    def try_short(self, to: Address) -> tuple[bool, u256]:
        return try_call(ICallee(to).add, 3)

    @external
    def short(self, to: Address) -> u256:
        return ICallee(to).add(3)

    @external
    def try_add(self, n: u256) -> tuple[bool, u256]:
        return try_call(self.callee.add, n)

    @external
    def try_pay(self, note: String) -> tuple[bool, u64, String]:
        ok, found = try_call(self.callee.pay, note)
        return ok, len(found[2]), found[1]

    @external
    def try_fail(self, kind: u8) -> bool:
        return try_call(self.callee.fail, kind)

    @external
    def with_gas(self, gas: u64) -> tuple[bool, u64]:
        return try_call(self.callee.call(gas=gas).burn)

    @external
    def reenter(self) -> u256:
        return self.callee.call(reentry=True).back(self.address)

    @external
    def come_back(self) -> u256:
        return self.callee.back(self.address)

    @external
    def enter(self) -> u256:
        self.entered += 1
        return self.entered

    @external
    def raw(self, to: Address, data: Bytes, kind: u8) -> tuple[bool, Bytes]:
        if kind == 0:
            return try_raw_call(to, data)
        if kind == 1:
            return try_raw_static_call(to, data)
        if kind == 2:
            return try_raw_delegate_call(to, data)
        if kind == 3:
            return True, raw_call(to, data)
        if kind == 4:
            return True, raw_static_call(to, data)
        return True, raw_delegate_call(to, data)

    @external
    @payable
    def give(self, to: Address, amount: u256) -> u256:
        send(to, amount)
        return self.balance

    @external
    @payable
    def try_give(self, to: Address, amount: u256) -> bool:
        return try_send(to, amount)

    @payable
    def receive(self) -> None:
        pass

class Child(Contract):
    name: Public[String]
    numbers: Public[List[u256]]
    paid: Public[u256]

    @payable
    def __init__(self, name: String, numbers: List[u256]) -> None:
        assert len(numbers) < 4, "too many"
        self.name = name
        self.numbers = numbers.copy()
        self.paid = msg.value

class Empty(Contract):
    @external
    @view
    def seven(self) -> u8:
        return 7

class Factory(Contract):
    @external
    @payable
    def make(self, name: String, numbers: List[u256]) -> Address:
        return create(Child.code, name, numbers, value=msg.value)

    @external
    def make2(self, name: String, salt: bytes32) -> Address:
        return create2(Child.code, name, [u256(1)], salt=salt)

    @external
    def empty(self) -> Address:
        return create(Empty.code)
""".replace("LONG", "x" * 100)
NOBODY = b"\x99" * 20


@pytest.fixture(params=["reference", "portable"])
def chain(request: pytest.FixtureRequest) -> MockChain:
    return MockChain(tier=request.param)


@pytest.fixture
def callee(chain: MockChain) -> Deployed:
    return chain.deploy(artifact_of(SOURCE, "Callee")[0])


@pytest.fixture
def caller(chain: MockChain, callee: Deployed) -> Deployed:
    return chain.deploy(artifact_of(SOURCE, "Caller")[0], callee.address)


def test_results_and_reasons(caller: Deployed) -> None:
    assert caller.add(4) == 44
    with reverts("Short", have=10, want=9):
        caller.add(10)
    assert caller.pay("hi", value=5) == (5, "hi!", [(1, -1), (2, -2)])
    assert caller.fail(3) == 3
    with reverts("zero"):
        caller.fail(0)
    with reverts("Panic", code=1):
        caller.fail(1)
    with reverts("x" * 100):
        caller.fail(2)


def test_a_view_cannot_write(caller: Deployed) -> None:
    with reverts(""):
        caller.sneaky()


def test_an_unknown_function_and_an_address_without_code(chain: MockChain, caller: Deployed) -> None:
    with reverts("unknown function"):
        caller.missing()
    lonely = chain.deploy(artifact_of(SOURCE, "Caller")[0], NOBODY)
    for name, argument in (("add", 1), ("fail", 3), ("pay", "x")):
        with reverts("") as caught:
            getattr(lonely, name)(argument)
        assert caught.error is not None and caught.error.data == b""
    assert lonely.tryAdd(1) == (False, 0)
    assert lonely.tryFail(3) is False


def test_answers_that_are_too_short(chain: MockChain, caller: Deployed) -> None:
    nothing = chain.deploy(artifact_of(QUIET)[0])
    assert caller.tryShort(nothing.address) == (False, 0)
    with reverts("") as caught:
        caller.short(nothing.address)
    assert caught.error is not None and caught.error.data == b""


QUIET = """
class Quiet(Contract):
    def fallback(self, data: Bytes) -> Bytes:
        return data[:3] + b"\\x01" * 20
"""


def test_tried_calls(caller: Deployed) -> None:
    assert caller.tryAdd(3) == (True, 3)
    assert caller.tryAdd(10) == (False, 0)
    assert caller.tryPay("n") == (True, 2, "n!")
    assert caller.tryMissing() == (False, 0)
    assert (caller.tryFail(0), caller.tryFail(3)) == (False, True)
    assert caller.withGas(10_000) == (False, 0)


def test_reentry(caller: Deployed) -> None:
    assert caller.reenter() == 1
    with reverts("reentrant call"):
        caller.comeBack()
    assert caller.entered() == 1


def test_raw_calls(callee: Deployed, caller: Deployed) -> None:
    add = bytes.fromhex("1003e2d2") + (4).to_bytes(32, "big")
    count = bytes.fromhex("06661abd")
    four = (4).to_bytes(32, "big")
    assert caller.raw(callee.address, add, 0) == (True, four)
    assert caller.raw(callee.address, count, 1) == (True, four)
    assert caller.raw(callee.address, add, 1) == (False, b"")
    assert caller.raw(callee.address, count, 4) == (True, four)
    assert caller.raw(callee.address, add, 3) == (True, (8).to_bytes(32, "big"))
    ok, data = caller.raw(callee.address, add[:4] + (10).to_bytes(32, "big"), 0)
    assert (ok, len(data)) == (False, 68)
    with reverts("Short", have=10, want=9):
        caller.raw(callee.address, add[:4] + (10).to_bytes(32, "big"), 3)
    # Run on the caller's storage, whose fields have other names: nothing of the callee's is touched.
    assert caller.raw(callee.address, add, 2) == (True, four)
    assert caller.raw(callee.address, add, 5) == (True, (8).to_bytes(32, "big"))
    assert callee.count() == 8


def test_sending(chain: MockChain, callee: Deployed, caller: Deployed) -> None:
    assert caller.give(NOBODY, 7, value=10) == 3
    assert chain.balance(NOBODY) == 7
    with reverts("unlucky"):
        caller.give(callee.address, 13, value=13)
    assert caller.tryGive(callee.address, 13, value=13) is False
    assert caller.tryGive(callee.address, 12) is True
    assert caller.tryGive(callee.address, 2**200) is False
    with reverts(""):
        caller.give(NOBODY, 2**200)


def test_creating(chain: MockChain) -> None:
    factory = chain.deploy(artifact_of(SOURCE, "Factory")[0])
    made, _ = artifact_of(SOURCE, "Child")
    interface = [*made.interface.functions]
    child = chain.at(factory.make("first", [1, 2, 3], value=9), interface)
    assert (child.name(), child.numbers(2), child.paid()) == ("first", 3, 9)
    with reverts("too many"):
        factory.make("second", [1, 2, 3, 4])
    one = factory.make2("x", bytes(32))
    assert Address(one) != Address(factory.make2("x", b"\1" * 32))
    assert chain.at(one, interface).numbers(0) == 1
    with reverts():
        factory.make2("x", bytes(32))
    assert chain.at(factory.empty(), ["seven() view returns (uint8)"]).seven() == 7
