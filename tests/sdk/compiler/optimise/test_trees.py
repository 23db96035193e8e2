"""What the passes make of single functions, as trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdk.compiler import tree
from sdk.compiler.check.show import show_function
from sdk.compiler.check.walk import below
from sdk.compiler.optimise import optimise
from sdk.compiler.optimise.loads import MOST
from tests.sdk.compiler.check.test_tree import program


def optimised(folder: Path, lines: str) -> tree.Function:
    indented = "\n".join("        " + line for line in lines.splitlines())
    source = f"""
class IToken(Interface):
    def poke(self) -> None: ...

class T(Contract):
    n: u256
    m: Map[Address, u256]
    items: List[u256]

    @external
    def f(self, x: u256, y: u256, to: Address) -> None:
{indented}
"""
    return next(one for one in optimise(program(folder, source)).functions if one.name == "f")


def loads(function: tree.Function) -> int:
    """How many loads of storage there are, reading parts of `op=` among them."""
    return sum(
        isinstance(node, tree.Augment | tree.Length)
        or (isinstance(node, tree.Load) and not isinstance(node.place, tree.LocalPlace))
        for node in below(function.body)
    )


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("assert self.n > x\nself.n -= x", 1),
        ("self.n = x\nassert self.n != y", 0),
        ("self.n += 1\nself.m[to] = self.n", 1),
        ("assert self.m[to] > x\nself.m[msg.sender] = 1\nassert self.m[to] > y", 2),
        ("assert self.n > x\nIToken(to).poke()\nassert self.n > y", 1),
        ("assert self.n > x\nIToken(to).call(reentry=True).poke()\nassert self.n > y", 2),
        ("if x > 1 and self.n > 2:\n    return\nassert self.n > 5", 2),
        ("i: u64 = 0\nwhile i < len(self.items):\n    i += 1", 2),
        ("i: u64 = 0\nwhile i < len(self.items):\n    self.items.append(1)", 1),
    ],
)
def test_loads_that_are_left(tmp_path: Path, lines: str, count: int) -> None:
    assert loads(optimised(tmp_path, lines)) == count


@pytest.mark.parametrize(
    ("lines", "checked"),
    [
        ("if x < y:\n    raise Revert()\nself.n = x - y", False),
        ("if x < y:\n    return\nx -= 1\nself.n = x - y", True),
        ("assert y <= x\nself.n = x - y", False),
        ("assert x < y\nself.n = x + 1", False),
        ("assert x <= y\nself.n = x + 1", True),
        ("self.n = x - y if x >= y else 0", False),
        ("self.n = u256(u64(x)) * u256(u64(y))", False),
        ("self.n = x % 10 + y % 10", False),
        ("self.n = x + y", True),
        ("while x > y:\n    self.n = x - y\n    x -= 1", False),
        ("while x > y:\n    x -= 1\n    self.n = x - y", True),
    ],
)
def test_checks_that_are_left(tmp_path: Path, lines: str, checked: bool) -> None:
    function = optimised(tmp_path, lines)
    stores = [node for node in below(function.body) if isinstance(node, tree.Assign)]
    value = next(node.value for node in stores if isinstance(node.place, tree.FieldPlace))
    if isinstance(value, tree.Conditional):
        value = value.then
    assert isinstance(value, tree.Binary)
    assert value.checked is checked


def test_what_is_never_reached_is_gone(tmp_path: Path) -> None:
    function = optimised(tmp_path, "if False:\n    self.n = 1\nassert True\nif not (x < y):\n    self.n = 2")
    assert show_function(function).splitlines()[1:] == [
        "  If Compare(ge, x, y):bool",
        "    Assign self.n, 2:u256",
    ]


def test_merging_makes_so_many_variables_and_no_more(tmp_path: Path) -> None:
    function = optimised(tmp_path, "\n".join(["self.n += x"] * 500))
    made = {place.local for node in below(function.body) if isinstance(place := node, tree.LocalPlace)}
    assert len([local for local in made if not local.name]) == MOST
