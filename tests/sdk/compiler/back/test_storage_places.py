"""Lists, arrays and structs in storage by their parts; transient fields, immutables; keys that are built twice."""

from __future__ import annotations

import pytest

from contractvm.types import Address
from sdk.testing import Deployed, MockChain, reverts
from tests.sdk.compiler.back.sources import artifact_of, deployed, entries, raw_entries

SOURCE = """
class Point(Struct):
    x: u64
    y: u64

class Line(Struct):
    name: String
    points: List[Point]
    ends: Array[Point, Literal[2]]

class Places(Contract):
    items: List[u256]
    points: List[Point]
    lists: Map[u8, List[String]]
    nested: List[List[u16]]
    board: Array[u8, Literal[9]]
    grid: Array[Array[u16, Literal[2]], Literal[3]]
    big: Array[u256, Literal[5]]
    line: Line
    lines: Map[Address, Line]
    pairs: Map[u8, tuple[u64, Bytes]]
    seen: Transient[u64]
    marks: Transient[Map[Address, Map[u256, bool]]]
    table: Map[u256, u256]
    rows: Transient[Map[u8, Array[u256, Literal[3]]]]
    heaps: Transient[Map[u8, List[u8]]]
    kept: Map[u8, Array[u256, Literal[3]]]
    owner: Public[Immutable[Address]]
    label: Public[Immutable[String]]

    def __init__(self, label: String) -> None:
        self.owner = msg.sender
        self.label = label

    @external
    def append(self, x: u256) -> u64:
        self.items.append(x)
        return len(self.items)

    @external
    def pop(self) -> u256:
        return self.items.pop()

    @external
    @view
    def at(self, i: u64) -> u256:
        return self.items[i]

    @external
    def set_at(self, i: u8, x: u256) -> None:
        self.items[i] = x

    @external
    @view
    def known(self, x: u256) -> bool:
        return x in self.items

    @external
    @view
    def total(self) -> tuple[u256, u64]:
        total: u256 = 0
        last: u64 = 0
        for i, x in enumerate(self.items):
            if x == 13:
                continue
            if x == 99:
                break
            total += x
            last = i
        return total, last

    @external
    def replace(self, xs: List[u256]) -> None:
        self.items = xs.copy()

    @external
    @view
    def all_items(self) -> List[u256]:
        return self.items.copy()

    @external
    def drop_items(self) -> None:
        del self.items

    @external
    def push_point(self, x: u64, y: u64) -> u64:
        self.points.append(Point(x, y))
        at = len(self.points) - 1
        self.points[at].y += 1
        self.points[at].x = self.points[at].y
        return self.points[at].x

    @external
    def say(self, key: u8, text: String) -> u64:
        self.lists[key].append(text)
        return len(self.lists[key])

    @external
    @view
    def said(self, key: u8) -> String:
        whole: String = ""
        for text in self.lists[key]:
            whole += text
        return whole

    @external
    def hush(self, key: u8) -> String:
        return self.lists[key].pop()

    @external
    def nest(self, xs: List[u16]) -> u64:
        self.nested.append(xs.copy())
        self.nested[len(self.nested) - 1].append(7)
        self.nested[0][0] = 9
        return len(self.nested[0])

    @external
    @view
    def all_nested(self) -> List[List[u16]]:
        return self.nested.copy()

    @external
    def unnest(self) -> List[u16]:
        return self.nested.pop()

    @external
    def mark(self, i: u64) -> Array[u8, Literal[9]]:
        self.board[i] += 200
        return self.board.copy()

    @external
    @view
    def on_board(self, x: u8) -> tuple[bool, u64]:
        count: u64 = 0
        for value in self.board:
            if value == x:
                count += 1
        return x in self.board, count

    @external
    def cell(self, i: u64, j: u64, value: u16) -> u16:
        self.grid[i][j] = value
        self.grid[2][1] += 1
        return self.grid[i][j] + self.grid[2][1]

    @external
    def set_big(self, i: u64, value: u256) -> u256:
        self.big[i] = value
        self.big[4] += 1
        total: u256 = 0
        for x in self.big:
            total += x
        return total

    @external
    def draw(self, who: Address, name: String, x: u64) -> Line:
        self.line.name = name
        self.line.points.append(Point(x, 1))
        self.line.points[0].y += 5
        self.line.ends[1].y = x
        self.line.ends[0] = Point(3, 4)
        self.lines[who] = self.line.copy()
        self.lines[who].points.append(Point(8, 8))
        self.lines[who].name += "?"
        return self.lines[who].copy()

    @external
    def shorten(self, who: Address) -> tuple[u64, u64, bool, u64]:
        gone = self.lines[who].points.pop()
        has = Point(8, 8) in self.lines[who].points
        total: u64 = 0
        for p in self.lines[who].points:
            total += p.y
        return gone.x, len(self.lines[who].points), has, total

    @external
    def pair(self, key: u8, n: u64, data: Bytes) -> tuple[u64, Bytes]:
        self.pairs[key] = (n, data)
        return self.pairs[key][0] + 1, self.pairs[key][1] + b"!"

    @external
    def passing(self, n: u256) -> tuple[u64, bool, bool]:
        self.seen += 2
        self.seen += 3
        before = self.marks[msg.sender][n]
        self.marks[msg.sender][n] = True
        return self.seen, before, self.marks[msg.sender][n]

    @external
    def present(self, at: u64, value: u256) -> tuple[bool, bool, bool, bool, bool, bool]:
        a = 1 in self.rows
        b = 1 in self.heaps
        c = 1 in self.kept
        self.rows[1][at] = value
        self.kept[1][at] = value
        self.kept[2][0] = 1
        self.heaps[1] = [u8(0)]
        return a, b, c, 1 in self.rows, 1 in self.heaps, 1 in self.kept

    def count(self, n: u256) -> u256:
        self.table[n] += 1
        return self.table[n]

    @external
    def tangled(self, n: u256) -> u256:
        self.table[n] += self.table[n + 1] + self.count(n + 2)
        self.table[self.count(5)] += self.table[n]
        self.table[n], self.table[n + 1] = self.table[n + 1] + 100, self.table[n]
        if self.table[n] > 5:
            self.table[n + 9] = self.table[n]
        else:
            self.table[n + 8] = 1
        self.table[n] = self.table[n] * 2
        return self.table[n]

    @external
    def wander(self, n: u256, k: u256) -> u256:
        self.table[k] = 1
        self.table[k] += n
        k += 1
        self.table[k] = 2
        if n > 3:
            self.table[k] = 3
            k += n
        else:
            self.table[k] += 40
        self.table[k] += 5
        for i in range(3):
            self.table[k] += u256(i) + 1
            k += 2
            self.table[k] += self.table[k - 2]
        if self.table[k] > 10 and self.table[k + 1] == 0:
            self.table[k] += 1
        self.table[k] = self.table[k] + (self.table[n] if n > 3 else self.table[k])
        other = k
        self.table[other] += 1
        other = n
        self.table[other] += self.table[k]
        return self.table[k]

    @external
    @view
    def table_at(self, n: u256) -> u256:
        return self.table[n]
"""


@pytest.fixture(params=["reference", "portable"])
def c(request: pytest.FixtureRequest) -> Deployed:
    chain = MockChain(tier=request.param)
    return deployed(chain, SOURCE, "label")


def test_lists(c: Deployed) -> None:
    assert [c.append(x) for x in (5, 2**255, 13)] == [1, 2, 3]
    assert (c.at(1), c.known(13), c.known(14)) == (2**255, True, False)
    with reverts("Panic", code=0x32):
        c.at(3)
    with reverts("Panic", code=0x32):
        c.at(2**64 - 1)
    c.setAt(1, 6)
    with reverts("Panic", code=0x32):
        c.setAt(3, 6)
    assert c.total() == (11, 1)
    assert c.allItems() == [5, 6, 13]
    c.replace([99])
    assert (c.allItems(), c.total()) == ([99], (0, 0))
    assert c.pop() == 99
    with reverts("Panic", code=0x31):
        c.pop()
    assert c.allItems() == []
    c.replace([1, 2, 3, 4])
    c.dropItems()
    assert c.allItems() == []


def test_nothing_stays_of_what_was_removed() -> None:
    chain = MockChain(tier="portable")
    made, layout = artifact_of(SOURCE)
    c = chain.deploy(made, "")
    clean = raw_entries(chain, Address(c.address))
    c.replace([1, 2, 3])
    c.replace([0, 5])
    assert entries(chain, Address(c.address), layout) == {
        ("Places.items", "len"): 2,
        ("Places.items", 1): 5,
        ("Places.owner",): bytes(chain.accounts[0]),
    }
    c.dropItems()
    c.nest([1, 2, 3])
    c.nest([])
    assert c.unnest() == [7]
    assert c.unnest() == [9, 2, 3, 7]
    c.say(1, "a")
    c.hush(1)
    c.pair(3, 0, b"")
    assert raw_entries(chain, Address(c.address)) == clean


def test_lists_of_structs_lists_and_texts(c: Deployed) -> None:
    assert c.pushPoint(1, 2) == 3
    assert c.pushPoint(1, 9) == 10
    assert (c.say(1, "a"), c.say(1, "b" * 99), c.say(2, "c")) == (1, 2, 1)
    assert (c.said(1), c.said(2), c.said(3)) == ("a" + "b" * 99, "c", "")
    assert (c.hush(1), c.said(1)) == ("b" * 99, "a")
    assert (c.nest([1, 2]), c.nest([]), c.allNested()) == (3, 3, [[9, 2, 7], [7]])
    with reverts("Panic", code=0x31):
        c.hush(9)


def test_arrays(c: Deployed) -> None:
    assert c.mark(8) == [0] * 8 + [200]
    with reverts("Panic", code=0x11):
        c.mark(8)
    with reverts("Panic", code=0x32):
        c.mark(9)
    assert c.onBoard(200) == (True, 1)
    assert c.onBoard(0) == (True, 8)
    assert c.onBoard(7) == (False, 0)
    assert c.cell(0, 1, 50) == 51
    assert c.cell(2, 1, 50) == 102
    with reverts("Panic", code=0x32):
        c.cell(0, 2, 1)
    with reverts("Panic", code=0x32):
        c.cell(3, 0, 1)
    assert c.setBig(0, 10) == 11
    assert c.setBig(4, 2) == 13
    with reverts("Panic", code=0x32):
        c.setBig(5, 2)


def test_structs_with_lists_and_texts(c: Deployed) -> None:
    who = b"\5" * 20
    line = c.draw(who, "first", 6)
    assert line == ("first?", [(6, 6), (8, 8)], [(3, 4), (0, 6)])
    assert c.draw(who, "x" * 70, 7) == ("x" * 70 + "?", [(6, 11), (7, 1), (8, 8)], [(3, 4), (0, 7)])
    assert c.shorten(who) == (8, 2, False, 12)
    assert c.shorten(who) == (7, 1, False, 11)
    assert c.shorten(who) == (6, 0, False, 0)
    with reverts("Panic", code=0x31):
        c.shorten(who)


def test_tuples_with_bytes(c: Deployed) -> None:
    assert c.pair(1, 7, b"abc") == (8, b"abc!")
    assert c.pair(1, 0, b"") == (1, b"!")


def test_transient_fields_last_a_transaction(c: Deployed) -> None:
    assert c.passing(5) == (5, False, True)
    assert c.passing(5) == (5, False, True)


def test_whether_a_key_is_there_when_its_value_is_many_entries(c: Deployed) -> None:
    assert c.present(2, 0) == (False, False, False, False, True, False)
    for at in range(3):
        assert c.present(at, 5) == (False, False, at > 0, True, True, True)


def test_immutables() -> None:
    chain = MockChain(tier="portable")
    c = deployed(chain, SOURCE, "label", sender=chain.accounts[2])
    assert (bytes(c.owner()), c.label()) == (bytes(chain.accounts[2]), "label")


def test_keys_are_written_again_where_another_took_their_place(c: Deployed) -> None:
    model: dict[int, int] = {}

    def at(n: int) -> int:
        return model.get(n, 0)

    def count(n: int) -> int:
        model[n] = at(n) + 1
        return at(n)

    for n in (0, 3, 3, 4, 1):
        before = at(n)
        model[n] = before + at(n + 1) + count(n + 2)
        key = count(5)
        value = at(n)
        model[key] = at(key) + value
        model[n], model[n + 1] = at(n + 1) + 100, at(n)
        model[n + 9 if at(n) > 5 else n + 8] = at(n) if at(n) > 5 else 1
        model[n] *= 2
        assert c.tangled(n) == model[n]
        assert all(c.tableAt(i) == at(i) for i in range(20))


def test_a_key_is_made_of_what_its_variables_are_now(c: Deployed) -> None:
    model: dict[int, int] = {}

    def add(n: int, x: int) -> None:
        model[n] = model.get(n, 0) + x

    for n, k in ((2, 50), (5, 60), (4, 2), (2, 50), (9, 9)):
        at = k
        model[at] = 1 + n
        at += 1
        model[at] = 2
        if n > 3:
            model[at] = 3
            at += n
        else:
            add(at, 40)
        add(at, 5)
        for i in range(3):
            add(at, i + 1)
            at += 2
            add(at, model.get(at - 2, 0))
        if model.get(at, 0) > 10 and model.get(at + 1, 0) == 0:
            add(at, 1)
        model[at] = model.get(at, 0) + model.get(n if n > 3 else at, 0)
        add(at, 1)
        add(n, model.get(at, 0))
        assert c.wander(n, k) == model.get(at, 0)
        assert all(c.tableAt(i) == model.get(i, 0) for i in range(90))
