"""What the checker makes of valid sources: entries, resolved names, types, what is implicit made explicit."""

from __future__ import annotations

from pathlib import Path

import pytest

from contractvm.crypto import keccak256
from sdk.compiler import tree
from sdk.compiler.check import check_contract
from sdk.compiler.check.show import show, show_function
from sdk.compiler.check.walk import below
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.load import load
from sdk.compiler.symbols import Mutability
from sdk.compiler.types import U256, Int


def program(folder: Path, source: str, contract: str | None = None) -> tree.Program:
    path = folder / "case.py"
    path.write_text("from sdk import *\n\n" + source)
    reporter = Reporter()
    unit = load(path, contract, reporter)
    assert unit.contract is not None
    made = check_contract(unit, unit.contract, reporter)
    assert [str(said) for said in reporter.diagnostics() if said.severity == "error"] == []
    assert made is not None
    return made


def body(folder: Path, lines: str, parameters: str = "") -> list[str]:
    """The statements of a function, as they are shown."""
    indented = "\n".join("        " + line for line in lines.splitlines())
    fields = "    total: u256\n    names: Map[Address, u256]\n    items: List[u256]\n"
    source = f"class T(Contract):\n{fields}\n    @external\n    def f(self{parameters}) -> None:\n{indented}\n"
    function = next(one for one in program(folder, source).functions if one.name == "f")
    return [line.strip() for line in show_function(function).splitlines()[1:]]


INHERITED = """
class A(Contract):
    log: u256

    def __init__(self) -> None:
        self.log = 1

    def step(self) -> u256:
        return 1

    @external
    def run(self) -> u256:
        return self.step()

class B(A):
    def __init__(self) -> None:
        super().__init__()

    def step(self) -> u256:
        return super().step() + 2

class C(A):
    def step(self) -> u256:
        return super().step() + 3

class D(B, C):
    pass
"""


def test_super_is_the_next_of_the_finished_contract(tmp_path: Path) -> None:
    made = program(tmp_path, INHERITED)
    calls = {
        function.qualified: [node.function.qualified for node in below(function.body) if isinstance(node, tree.Call)]
        for function in made.functions
    }
    assert calls == {
        "B.__init__": ["A.__init__"],
        "A.__init__": [],
        "A.run": ["B.step"],
        "B.step": ["C.step"],
        "C.step": ["A.step"],
        "A.step": [],
    }
    assert made.constructor is not None
    assert made.constructor.qualified == "B.__init__"


def test_the_same_class_finished_alone_has_another_next(tmp_path: Path) -> None:
    made = program(tmp_path, INHERITED, "B")
    step = next(function for function in made.functions if function.qualified == "B.step")
    assert [node.function.qualified for node in below(step.body) if isinstance(node, tree.Call)] == ["A.step"]


ENTRIES = """
class Point(Struct):
    x: u64
    tags: List[u8]
    y: u64

class T(Contract):
    NAME: Public[Const[String]] = "T"
    total_supply: Public[u256]
    grid: Public[Map[u8, Map[Address, List[u256]]]]
    points: Public[Map[u8, Point]]

    @external
    @view
    def twice(self, x: u256, times: u8 = 2, plus: u256 = 2**3) -> u256:
        return x * u256(times) + plus

    @external
    @view
    def count(self) -> u256:
        return self.total_supply

    @external
    @payable
    def pay_in(self) -> None:
        pass

    @external(name="burnAll")
    def burn(self) -> tuple[u256, bool]:
        return self.unused_here(), True

    def unused_here(self) -> u256:
        return 1

    def never_called(self) -> u256:
        return 2
"""


def test_entries(tmp_path: Path) -> None:
    made = program(tmp_path, ENTRIES)
    found = {entry.signature: entry for entry in made.entries}
    assert {signature: entry.mutability for signature, entry in found.items()} == {
        "NAME()": Mutability.VIEW,
        "totalSupply()": Mutability.VIEW,
        "grid(uint8,address,uint64)": Mutability.VIEW,
        "points(uint8)": Mutability.VIEW,
        "twice(uint256)": Mutability.PURE,
        "twice(uint256,uint8)": Mutability.PURE,
        "twice(uint256,uint8,uint256)": Mutability.PURE,
        "count()": Mutability.VIEW,
        "payIn()": Mutability.PAYABLE,
        "burnAll()": Mutability.NONPAYABLE,
    }
    selectors = [keccak256(entry.signature.encode())[:4] for entry in made.entries]
    assert selectors == sorted(selectors)
    shortest = found["twice(uint256)"]
    assert shortest.given == 1
    assert [(value.value, value.type) for value in shortest.defaults if isinstance(value, tree.Constant)] == [
        (2, Int(8)),
        (8, U256),
    ]
    assert str(found["points(uint8)"].function.returns) == "tuple[u64, u64]"
    assert found["count()"].function.writes is False


def test_only_what_can_be_reached_is_there(tmp_path: Path) -> None:
    names = {function.name for function in program(tmp_path, ENTRIES).functions}
    assert "unused_here" in names
    assert "never_called" not in names


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("self.total = 2 * x + 1", ["Assign self.total, Binary(add, Binary(mul, 2:u256, x):u256, 1:u256):u256"]),
        ("self.total = 9 - 2**3 + x", ["Assign self.total, Binary(add, 1:u256, x):u256"]),
        ("self.total += 1", ["Augment add, self.total, 1:u256, True"]),
        (
            "with unchecked():\n    self.total = x + 1\nself.total -= 1",
            ["Assign self.total, Binary~(add, x, 1:u256):u256", "Augment sub, self.total, 1:u256, True"],
        ),
        (
            "a, b = x, self.total\na, b = b, a",
            [
                "Unpack (a, b), MakeTuple((x, self.total)):tuple[u256, u256]",
                "Unpack (a, b), MakeTuple((b, a)):tuple[u256, u256]",
            ],
        ),
        (
            "for i in range(3):\n    self.total += u256(i)\nfor i in range(9, 3, -2):\n    pass",
            [
                "ForRange i, 0:u64, 3:u64, 1",
                "Augment add, self.total, Convert(i):u256, True",
                "ForRange i, 9:u64, 3:u64, -2",
            ],
        ),
        ("y = 1 < x < 5", ["Assign y, Chain(1:u256, ((lt, x), (lt, 5:u256))):bool"]),
        ("y = x in [1, 2]", ["Assign y, Contains(x, MakeList((1:u256, 2:u256)):Array[u256, 2]):bool"]),
        (
            "y = self.items[x]",
            ["Assign y, self.items[Convert~(Builtin(min, (x, 18446744073709551615:u256)):u256):u64]"],
        ),
        ("y = min(3, x)", ["Assign y, Builtin(min, (3:u256, x)):u256"]),
        ('y: String = "a" "b"', ["Assign y, b'ab':String"]),
        ('y: bytes4 = b"\\0" * 4', ["Assign y, b'\\x00\\x00\\x00\\x00':bytes4"]),
        ("y = u256(msg.sender)", ["Assign y, Convert(Convert(Builtin(msg.sender, ()):Address):u160):u256"]),
        ("y: Array[u8, Literal[3]] = [0] * 3", ["Assign y, Default():Array[u8, 3]"]),
        ("assert x > 1", ["Assert Compare(gt, x, 1:u256):bool, None"]),
        ("del self.names[msg.sender]", ["Delete self.names[Builtin(msg.sender, ()):Address]"]),
        ('raise Revert("no")', ["Fail b'no':String"]),
    ],
)
def test_what_is_implicit_is_explicit(tmp_path: Path, lines: str, expected: list[str]) -> None:
    assert body(tmp_path, lines, ", x: u256") == expected


@pytest.mark.parametrize(
    "lines",
    [
        "if x > 1:\n    y = x\nelse:\n    raise Revert()\nself.total = y",
        "while True:\n    y = x\n    break\nself.total = y",
        "y: u256\nif x > 1:\n    y = 1\nelif x > 0:\n    y = 2\nelse:\n    return\nself.total = y",
        "assert x > 1\ny = x\nfor i in range(3):\n    z = y\n    self.total += z",
        "xs: List[u256] = [1]\nys = xs[1:]\nys.append(xs.pop())\nself.items = [x, x]",
        "xs = [x, 1]\nfor at, y in enumerate(xs):\n    xs[at] = y + 1",
        "t = (x, True)\nself.total = t[0]",
        "if self.total == 0 and msg.sender not in self.names:\n    self.names[msg.sender] += 1",
    ],
)
def test_valid_flow(tmp_path: Path, lines: str) -> None:
    assert body(tmp_path, lines, ", x: u256")


def test_arguments_by_name_keep_the_order_of_the_source(tmp_path: Path) -> None:
    source = """
class T(Contract):
    def g(self, a: u256, b: u256 = 5, c: u256 = 6) -> u256:
        return a

    @external
    def f(self, x: u256) -> u256:
        return self.g(c=x + 1, a=x)
"""
    f = next(one for one in program(tmp_path, source).functions if one.name == "f")
    call = next(node for node in below(f.body) if isinstance(node, tree.Call))
    assert call.order == (2, 0, 1)
    assert [value.type for value in call.arguments] == [U256] * 3
    assert isinstance(call.arguments[1], tree.Constant)
    assert call.arguments[1].value == 5


def test_module_functions_structs_and_constants(tmp_path: Path) -> None:
    source = """
LIMIT: Const[u64] = 2 * 60 * 60
ROLE: Const[bytes32] = keccak256(b"role")

class Point(Struct):
    x: u64
    y: u64 = LIMIT

def far(p: Point) -> bool:
    return p.x + p.y > LIMIT

class T(Contract):
    @external
    def f(self) -> tuple[bool, bytes32]:
        return far(Point(x=1)), ROLE
"""
    made = program(tmp_path, source)
    shown = show(made)
    assert "case.far" in [function.qualified for function in made.functions]
    assert "7200:u64" in shown
    assert repr(keccak256(b"role")) in shown


def test_the_same_source_gives_the_same_tree(tmp_path: Path) -> None:
    assert show(program(tmp_path, ENTRIES)) == show(program(tmp_path, ENTRIES))
