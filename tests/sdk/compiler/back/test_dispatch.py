"""The module's doors: which function runs, value, short and long inputs, receive, fallback, nonreentrant."""

from __future__ import annotations

import pytest

from sdk.abi import Function
from sdk.testing import Deployed, MockChain, Reverted, reverts
from tests.sdk.compiler.back.sources import artifact_of, deployed

MANY = "\n".join(f"    @external\n    @view\n    def f{i}(self) -> u64:\n        return {i}\n" for i in range(40))
DOORS = """
class Doors(Contract):
    log: Public[List[u8]]
    last: Public[Bytes]

    @external
    def one(self, a: u8, b: Address, c: bool = True) -> u8:
        return a + 1 if c else a

    @external
    @payable
    def paid(self) -> u256:
        return msg.value

    @external
    def longest(self, a: Bytes, b: List[u8]) -> tuple[u64, u64, bytes4]:
        return len(a), len(b), msg.sig

    @external
    @view
    def data(self, a: u8) -> Bytes:
        return msg.data

    @external
    def nothing(self) -> None:
        pass
"""
RECEIVES = (
    DOORS
    + """
    @payable
    def receive(self) -> None:
        self.log.append(1)

    def fallback(self, data: Bytes) -> Bytes:
        self.log.append(2)
        self.last = data
        return data + b"!"
"""
)
PAID = """
class Doors(Contract):
    count: Public[u64]

    @payable
    def fallback(self) -> None:
        self.count += 1
"""


@pytest.fixture(params=["reference", "portable"])
def chain(request: pytest.FixtureRequest) -> MockChain:
    return MockChain(tier=request.param)


def raw(chain: MockChain, to: Deployed, data: bytes, value: int) -> bytes:
    """By way of a contract that passes it on, because people's tools make no such inputs."""
    relay = deployed(chain, RELAY)
    chain.deal(chain.accounts[0], 10**18)
    return bytes(relay.relay(to.address, data, value=value))


RELAY = """
class Relay(Contract):
    @external
    @payable
    def relay(self, to: Address, data: Bytes) -> Bytes:
        return raw_call(to, data, value=msg.value)
"""


def test_many_functions(chain: MockChain) -> None:
    c = deployed(chain, f"class Many(Contract):\n{MANY}")
    assert [getattr(c, f"f{i}")() for i in range(40)] == list(range(40))
    with reverts("unknown function"):
        raw(chain, c, b"\0\0\0\0", 0)


def test_inputs(chain: MockChain) -> None:
    c = deployed(chain, DOORS)
    one, short = Function.parse("one(uint8,address,bool)"), Function.parse("one(uint8,address)")
    good = one.encode(3, b"\7" * 20, False)
    assert int.from_bytes(raw(chain, c, good, 0), "big") == 3
    assert int.from_bytes(raw(chain, c, good + b"more" * 100, 0), "big") == 3
    assert int.from_bytes(raw(chain, c, short.encode(3, b"\7" * 20), 0), "big") == 4
    for data in (good[:-1], good[:4], good[:36], good[:4] + b"\1" + good[5:]):
        with pytest.raises(Reverted) as caught:
            raw(chain, c, data, 0)
        assert caught.value.data == b""
    for data in (b"", good[:3], b"\xff" * 4, b"\xff" * 400):
        with reverts("unknown function"):
            raw(chain, c, data, 0)
    assert raw(chain, c, Function.parse("nothing()").encode(), 0) == b""
    assert bytes(c.data(5)) == Function.parse("data(uint8)").encode(5)


def test_long_inputs(chain: MockChain) -> None:
    c = deployed(chain, DOORS)
    sig = Function.parse("longest(bytes,uint8[])").selector
    for size in (0, 1, 31, 100, 250, 5_000, 90_000):
        assert c.longest(b"x" * size, [1, 2]) == (size, 2, sig)


def test_value(chain: MockChain) -> None:
    c = deployed(chain, DOORS)
    assert c.paid(value=5) == 5
    with reverts("not payable"):
        c.one(1, bytes(20), True, value=1)
    with reverts("not payable"):
        chain.deploy(artifact_of(DOORS + "\n    def __init__(self) -> None:\n        pass\n")[0], value=1)
    with reverts("unknown function"):
        raw(chain, c, b"", 1)


def test_receive_and_fallback(chain: MockChain) -> None:
    c = deployed(chain, RECEIVES)
    assert raw(chain, c, b"", 3) == b""
    assert raw(chain, c, b"ab", 0) == b"ab!"
    assert raw(chain, c, b"z" * 1000, 0) == b"z" * 1000 + b"!"
    assert (c.log(0), c.log(1), c.log(2), bytes(c.last())) == (1, 2, 2, b"z" * 1000)
    with reverts("not payable"):
        raw(chain, c, b"ab", 3)
    paid = deployed(chain, PAID)
    assert raw(chain, paid, b"", 3) == raw(chain, paid, b"abcdef", 3) == b""
    assert paid.count() == 2


GUARDED = """
class IBack(Interface):
    def enter(self) -> u64: ...
    def plain(self) -> u64: ...
    def look(self) -> u64: ...
    def turn(self, to: Address, kind: u8) -> u64: ...

class Turner(Contract):
    @external
    def turn(self, to: Address, kind: u8) -> u64:
        if kind == 0:
            return IBack(to).enter()
        if kind == 1:
            return IBack(to).plain()
        return IBack(to).look()

class Guarded(Contract):
    count: u64

    @external
    @nonreentrant
    def out(self, to: Address, kind: u8) -> u64:
        return IBack(to).call(reentry=True).turn(self.address, kind)

    @external
    @nonreentrant
    def enter(self) -> u64:
        self.count += 1
        return self.count

    @external
    def plain(self) -> u64:
        self.count += 10
        return self.count

    @external
    @view
    def look(self) -> u64:
        return self.count
"""


def test_nonreentrant(chain: MockChain) -> None:
    turner = chain.deploy(artifact_of(GUARDED, "Turner")[0])
    c = chain.deploy(artifact_of(GUARDED, "Guarded")[0])
    with reverts("reentrant call"):
        c.out(turner.address, 0)
    assert c.out(turner.address, 2) == 0
    assert c.out(turner.address, 1) == 10
    assert (c.enter(), c.enter(), c.look()) == (11, 12, 12)


def test_a_contract_that_nobody_can_enter_again_needs_no_guard(chain: MockChain) -> None:
    shut = GUARDED.replace("reentry=True", "reentry=False")
    made = [artifact_of(text, "Guarded")[0].code for text in (GUARDED, shut)]
    assert b"transient_get" in made[0]
    assert b"transient_get" not in made[1]
    turner = chain.deploy(artifact_of(shut, "Turner")[0])
    c = chain.deploy(artifact_of(shut, "Guarded")[0])
    for kind in (0, 1, 2):
        with reverts("reentrant call"):
            c.out(turner.address, kind)
    assert c.enter() == 1


def test_defaults_are_evaluated_in_the_contract(chain: MockChain) -> None:
    c = deployed(chain, DOORS)
    assert chain.at(c.address, ["one(uint8,address) returns (uint8)"]).one(1, bytes(20)) == 2
