"""Maps: keys of every type in their order, entries, loops, maps in maps, and maps whose values are many entries."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.types import Address
from sdk.testing import Deployed, MockChain, reverts
from tests.sdk.compiler.back.sources import artifact_of, deployed, entries, raw_entries

TEXT = st.text(alphabet="a\0b\u00e9", max_size=4)
KEYS: dict[str, st.SearchStrategy[Any]] = {
    "u8": st.integers(0, 255),
    "u24": st.integers(0, 2**24 - 1),
    "u64": st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 300)),
    "u72": st.one_of(st.integers(0, 2**72 - 1), st.integers(0, 300)),
    "u128": st.one_of(st.integers(0, 2**128 - 1), st.integers(2**63, 2**65)),
    "u256": st.one_of(st.integers(0, 2**256 - 1), st.integers(0, 300), st.integers(2**64 - 2, 2**64 + 2)),
    "i8": st.integers(-128, 127),
    "i24": st.integers(-(2**23), 2**23 - 1),
    "i64": st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-2, 2)),
    "i72": st.one_of(st.integers(-(2**71), 2**71 - 1), st.integers(-2, 2)),
    "i136": st.one_of(st.integers(-(2**135), 2**135 - 1), st.integers(-2, 2)),
    "i256": st.one_of(st.integers(-(2**255), 2**255 - 1), st.integers(-2, 2)),
    "bool": st.booleans(),
    "Address": st.binary(min_size=20, max_size=20),
    "bytes3": st.binary(min_size=3, max_size=3),
    "bytes32": st.binary(min_size=32, max_size=32),
    "Bytes": st.binary(max_size=5),
    "String": TEXT,
    "tuple[u8, Bytes]": st.tuples(st.integers(0, 3), st.binary(max_size=3)),
    "tuple[Bytes, u256, String]": st.tuples(
        st.one_of(st.binary(max_size=3), st.sampled_from([b"", b"\0", b"\0\0", b"\0\xff"])), st.integers(0, 300), TEXT
    ),
}


def keys_source(key: str, value: str = "u64", given: str = "value") -> str:
    return f"""
class Keeps(Contract):
    before: Map[{key}, {value}]
    m: Map[{key}, {value}]
    outer: Map[u8, Map[{key}, {value}]]

    @external
    def put(self, key: {key}, value: u64) -> None:
        self.m[key] = {given}
        self.outer[7][key] = {given}

    @external
    def drop(self, key: {key}) -> None:
        del self.m[key]

    @external
    @view
    def has(self, key: {key}) -> bool:
        return key in self.m

    @external
    @view
    def listed(self) -> List[{key}]:
        found: List[{key}] = []
        for key in self.m:
            found.append(key)
        return found

    @external
    @view
    def inner(self) -> tuple[List[{key}], u64]:
        found: List[{key}] = []
        last: u64 = 0
        for at, key in enumerate(self.outer[7]):
            found.append(key)
            last = at + 1
        return found, last
"""


def order(key: str) -> Any:
    """What sorts keys as their numbers, bytes and texts."""
    if "String" not in key:
        return lambda value: value
    if key == "String":
        return lambda value: value.encode()
    return lambda value: tuple(part.encode() if isinstance(part, str) else part for part in value)


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_found_in_order(key: str) -> None:
    made, layout = artifact_of(keys_source(key))
    chain = MockChain(tier="portable")
    contract = chain.deploy(made)
    start = chain.snapshot()

    @settings(max_examples=15, deadline=None)
    @given(st.dictionaries(KEYS[key], st.integers(1, 2**64 - 1), max_size=6))
    def tried(model: dict[Any, int]) -> None:
        chain.revert(start)
        for one, value in model.items():
            contract.put(one, value)
        expected = sorted(model, key=order(key))
        assert [_plain(one) for one in contract.listed()] == expected
        assert [_plain(one) for one in contract.inner()[0]] == expected
        assert contract.inner()[1] == len(model)
        stored = entries(chain, Address(contract.address), layout)
        assert {where[1]: value for where, value in stored.items() if where[0] == "Keeps.m"} == model
        for one in expected[:2]:
            assert contract.has(one) is True
            contract.drop(one)
            assert contract.has(one) is False
            contract.drop(one)
        assert [_plain(one) for one in contract.listed()] == expected[2:]

    tried()


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return bytes(value) if isinstance(value, bytes) else value


@pytest.mark.parametrize("key", ["u8", "u256", "i24", "Bytes", "tuple[u8, Bytes]"])
@pytest.mark.parametrize(("value", "given_"), [("List[u64]", "[value, 0]"), ("Array[u256, Literal[3]]", "[0, 1, 2]")])
def test_values_of_many_entries_are_one_step_of_a_loop(key: str, value: str, given_: str) -> None:
    chain = MockChain(tier="portable")
    contract = deployed(chain, keys_source(key, value, given_))
    start = chain.snapshot()

    @settings(max_examples=8, deadline=None)
    @given(st.sets(KEYS[key], max_size=4))
    def tried(model: set[Any]) -> None:
        chain.revert(start)
        for one in model:
            contract.put(one, 3)
        expected = sorted(model, key=order(key))
        assert [_plain(one) for one in contract.listed()] == expected
        assert [_plain(one) for one in contract.inner()[0]] == expected
        for one in expected:
            assert contract.has(one) is True
            contract.drop(one)
            assert contract.has(one) is False
        assert contract.listed() == []

    tried()


LOOPS = """
class Point(Struct):
    name: String
    x: u64

class Loops(Contract):
    m: Public[Map[u64, u256]]
    texts: Map[String, String]
    points: Map[Address, Point]
    log: List[u64]
    byname: Map[String, Map[u64, u64]]
    byid: Map[u256, Map[Bytes, u8]]
    lists: Map[u8, List[u64]]
    listed: Map[u8, List[u64]]

    @external
    def fill(self, n: u64) -> None:
        for i in range(n):
            self.m[i * 3] = u256(i) + 1

    @external
    @view
    def first_above(self, least: u256) -> u64:
        for k, v in self.m.items():
            if v > least:
                return k
        return 999

    @external
    @view
    def until(self, stop: u64) -> tuple[u64, u256]:
        count: u64 = 0
        total: u256 = 0
        for k, v in self.m.items():
            if k == 3:
                continue
            if k > stop:
                break
            count += 1
            total += v
        return count, total

    @external
    def drop_odd(self) -> None:
        for k, v in self.m.items():
            if v % 2 == 1:
                del self.m[k]

    @external
    @view
    def pairs(self) -> u64:
        count: u64 = 0
        for a in self.m:
            for b in self.m:
                if a < b:
                    count += 1
        return count

    @external
    @view
    def many(self, n: u64) -> u64:
        total: u64 = 0
        for i in range(n):
            total += self.first_above(u256(i))
        return total

    @external
    def inside(self, name: String, id: u256, key: Bytes) -> tuple[u64, Bytes]:
        self.byname[name][7] = 3
        self.byname[name][300] = 4
        self.byname[name + "x"][5] = 500
        self.byid[id][key] = 1
        self.byid[id][key + b"z"] = 2
        self.byid[id + 1][b""] = 3
        total: u64 = 0
        wanted = name
        for k, v in self.byname[wanted].items():
            wanted = wanted + "x"
            total += k * v
        whole: Bytes = b""
        for part in self.byid[id]:
            id += 1
            whole += part + b";"
        return total, whole

    @external
    def in_lists(self) -> u64:
        self.lists[5] = [u64(1), 2, 3]
        self.lists[255] = [u64(10)]
        total: u64 = 0
        for k, v in self.lists.items():
            for x in v:
                total += x * u64(k)
        at: u8 = 5
        for x in self.lists[at]:
            at = 255
            total += x * 1000
        return total

    @external
    def say(self, key: String, value: String) -> None:
        self.texts[key] = value

    @external
    @view
    def said(self) -> String:
        whole = ""
        for k, v in self.texts.items():
            whole += k + "=" + v + ";"
        return whole

    @external
    def point(self, at: Address, name: String, x: u64) -> None:
        self.points[at] = Point(name, x)

    @external
    def move(self, at: Address, by: u64) -> u64:
        self.points[at].x += by
        self.points[at].name += "!"
        return self.points[at].x

    @external
    @view
    def named(self) -> String:
        whole = ""
        for p in self.points:
            whole += self.points[p].name
        for p, q in self.points.items():
            whole += q.name
        return whole
""".replace('whole = ""', 'whole: String = ""')


@pytest.fixture(params=["reference", "portable"])
def loops(request: pytest.FixtureRequest) -> tuple[MockChain, Deployed]:
    chain = MockChain(tier=request.param)
    return chain, deployed(chain, LOOPS)


def test_a_loop_ends_early_and_closes_its_cursor(loops: tuple[MockChain, Deployed]) -> None:
    chain, c = loops
    here = chain.snapshot()
    c.fill(6)
    assert c.firstAbove(3) == 9
    assert c.firstAbove(6) == 999
    assert c.until(9) == (3, 1 + 3 + 4)
    assert c.many(40) == sum(next((3 * i for i in range(6) if i + 1 > least), 999) for least in range(40))
    assert c.pairs() == 15
    chain.revert(here)


def test_the_current_entry_may_be_deleted(loops: tuple[MockChain, Deployed]) -> None:
    chain, c = loops
    here = chain.snapshot()
    c.fill(6)
    c.dropOdd()
    assert [c.m(3 * i) for i in range(6)] == [0, 2, 0, 4, 0, 6]
    chain.revert(here)


def test_texts_and_structs_as_values(loops: tuple[MockChain, Deployed]) -> None:
    chain, c = loops
    here = chain.snapshot()
    c.say("b", "two")
    c.say("a", "x" * 100)
    c.say("", "zero")
    assert c.said() == f"=zero;a={'x' * 100};b=two;"
    one, two = b"\1" * 20, b"\2" * 20
    c.point(two, "second", 5)
    c.point(one, "first", 2**64 - 1)
    assert c.named() == "firstsecond" * 2
    assert c.move(two, 6) == 11
    assert c.named() == "firstsecond!" * 2
    with reverts("Panic", code=0x11):
        c.move(one, 1)
    chain.revert(here)


def test_loops_in_maps_whose_keys_have_any_length(loops: tuple[MockChain, Deployed]) -> None:
    _, c = loops
    for name, id_ in (("", 0), ("name", 255), ("n" * 300, 2**200), ("a", 2**64 - 1)):
        assert c.inside(name, id_, b"key") == (7 * 3 + 300 * 4, b"key;keyz;")
    assert c.inLists() == 6 * 5 + 10 * 255 + 6000


def test_a_key_is_no_longer_than_the_chain_takes(loops: tuple[MockChain, Deployed]) -> None:
    chain, c = loops
    here = chain.snapshot()
    c.say("k" * 4094, "v")
    with reverts("key too long"):
        c.say("k" * 4095, "v")
    with reverts("key too long"):
        c.say("k" * 60_000, "v")
    assert len(raw_entries(chain, Address(c.address))) == 1
    chain.revert(here)
