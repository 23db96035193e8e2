"""A new version reads what the old one kept, where `sdk.upgrade` says that it can: by way of a proxy's storage."""

from __future__ import annotations

from typing import Any

from sdk.testing import Deployed, MockChain, reverts
from sdk.upgrade import compare, fields_of
from tests.sdk.compiler.back.sources import artifact_of

PROXY = """
class Proxy(Contract):
    target: Address

    @external
    def point_to(self, target: Address) -> None:
        self.target = target

    def fallback(self, data: Bytes) -> Bytes:
        return raw_delegate_call(self.target, data)
"""
OLD = """
class Point(Struct):
    x: u64
    y: u8

class Store(Contract):
    points: Map[u64, Point]
    listed: List[Point]
    total: Public[u64]
    gone: Transient[u8]

    @external
    def put(self, at: u64, x: u64, y: u8) -> None:
        self.points[at] = Point(x, y)
        self.listed.append(Point(x, y))
        self.total += x
"""
NEW = """
class Extra(Struct):
    a: i24
    b: Array[u16, Literal[2]]

class Point(Struct):
    x: u64
    y: u8
    z: u256
    extra: Extra

class Store(Contract):
    fresh: Map[String, u8]
    total: Public[u256]
    listed: List[Point]
    points: Map[u64, Point]

    @external
    @view
    def get(self, at: u64) -> tuple[Point, Point]:
        return self.points[at].copy(), self.listed[at].copy()

    @external
    def change(self, at: u64, z: u256) -> None:
        self.points[at].z = z
        self.points[at].extra.b[1] += 7
        self.listed[at].extra.a -= 1
"""


def behind(chain: MockChain, proxy: Deployed, source: str) -> Deployed:
    """The proxy with the functions of a contract that it now runs."""
    made = artifact_of(source)[0]
    proxy.pointTo(chain.deploy(made).address)
    return chain.at(proxy.address, made.interface.functions)


def test_what_grew_at_its_end_reads_zeros_there() -> None:
    chain = MockChain(tier="portable")
    proxy = chain.deploy(artifact_of(PROXY)[0])
    old, new = (fields_of(artifact_of(text)[1], "layout") for text in (OLD, NEW))
    assert compare(old, new) == []
    store: Any = behind(chain, proxy, OLD)
    store.put(0, 5, 0)
    store.put(1, 2**64 - 1 - 5, 255)
    store = behind(chain, proxy, NEW)
    rest = (0, (0, [0, 0]))
    assert store.total() == 2**64 - 1
    assert store.get(0) == ((5, 0, *rest), (5, 0, *rest))
    assert store.get(1) == ((2**64 - 6, 255, *rest), (2**64 - 6, 255, *rest))
    store.change(1, 2**255)
    assert store.get(1) == ((2**64 - 6, 255, 2**255, (0, [0, 7])), (2**64 - 6, 255, 0, (-1, [0, 0])))


WIDE = """
class Kept(Contract):
    state: u8
    flag: u8
    pair: List[u8]

    @external
    def put(self, x: u8) -> None:
        self.state = x
        self.flag = x
        self.pair.append(x)
"""
NARROW = """
class State(Enum):
    OPEN = 0
    PAID = 1
    CLOSED = 7

class Kept(Contract):
    state: Public[State]
    flag: Public[bool]
    pair: Public[List[bool]]

    @external
    @view
    def alike(self) -> bool:
        return self.flag == True and self.flag == self.pair[0]
"""


def test_what_other_code_wrote_is_still_of_its_type() -> None:
    """A number that no member has is Panic 0x21, and whatever is not 0 is True: nothing else is ever seen of them."""
    chain = MockChain(tier="portable")
    proxy = chain.deploy(artifact_of(PROXY)[0])
    for number, member in ((7, 7), (6, None), (255, None), (1, 1)):
        behind(chain, proxy, WIDE).put(number)
        store = behind(chain, proxy, NARROW)
        assert (store.flag(), store.pair(0), store.alike()) == (True, True, True)
        if member is None:
            with reverts("panic 0x21: value is not a member of the enum"):
                store.state()
        else:
            assert store.state() == member
