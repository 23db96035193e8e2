"""The names of the language at run time and for mypy: what an import gives, and what it refuses to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sdk
from sdk import lang
from sdk.compiler.front.language import SDK
from sdk.lang.forms import OnlyOnChain
from tests.sources import ROOT

L: Any = lang
"""The names as run time has them; for mypy many are another thing."""


def test_the_package_the_module_and_the_compiler_have_the_same_names() -> None:
    assert set(sdk.__all__) == set(lang.__all__) == SDK


def test_every_name_of_the_page_is_there() -> None:
    scope: dict[str, Any] = {}
    exec("from sdk import *", scope)
    assert set(sdk.__all__) <= set(scope)


def test_importing_the_kit_does_not_import_the_language() -> None:
    code = "import sys, sdk.testing.plugin; sys.exit('sdk.lang' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_unknown_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match="no attribute 'uint256'"):
        sdk.__getattr__("uint256")


def test_types_say_what_they_are() -> None:
    assert repr(L.Map[L.Address, L.Map[L.u64, L.List[L.bytes4]]]) == "Map[Address, Map[u64, List[bytes4]]]"
    assert repr(L.Public[L.Const[L.String]]) == "Public[Const[String]]"
    assert repr(L.Array[L.u8, L.Literal[4]]) == "Array[u8, Literal[4]]"


@pytest.mark.parametrize(("form", "low", "high"), [("u8", 0, 255), ("i8", -128, 127), ("u256", 0, 2**256 - 1)])
def test_integers_of_constants_are_checked(form: str, low: int, high: int) -> None:
    kind = getattr(lang, form)
    assert (kind(low), kind(high), L.min_value(kind), L.max_value(kind)) == (low, high, low, high)
    for outside in (low - 1, high + 1):
        with pytest.raises(OverflowError, match=f"does not fit {form}"):
            kind(outside)


def test_bytes_of_constants() -> None:
    assert L.bytes4.fromhex("01020304") == L.bytes4(b"\1\2\3\4") == L.bytes4(0x01020304)
    assert L.Bytes(b"abc") == b"abc"
    assert L.u256(L.keccak256(b"role")) == int.from_bytes(L.keccak256(b"role"), "big")
    assert L.Address(5) == bytes(19) + b"\5"
    with pytest.raises(OverflowError):
        L.bytes4(b"abc")


def test_contract_code_says_that_it_runs_on_a_chain() -> None:
    class Token(lang.Contract):
        def __init__(self, supply: int) -> None: ...

    class IToken(lang.Interface): ...

    for act in (
        lambda: Token(5),
        lambda: IToken(lang.ZERO_ADDRESS),
        lambda: lang.msg.sender,
        lambda: lang.block.timestamp,
        lambda: lang.send(lang.ZERO_ADDRESS, 5),
        lambda: lang.abi_encode(5),
        lambda: L.Map(),
        lambda: lang.unchecked().__enter__(),
    ):
        with pytest.raises(OnlyOnChain, match=r"has a meaning on a chain only: in a test, `chain\.deploy"):
            act()


def test_records_are_tuples_in_a_test() -> None:
    class Point(lang.Struct):
        x: int
        y: int = 1

    three: Any = Point(3)
    assert three == Point(x=3, y=1) and three == (3, 1)
    assert (Point(3).x, Point(3).copy().y, repr(Point(3))) == (3, 1, "Point(x=3, y=1)")
    for wrong, why in (((), "lacks x"), ((1, 2, 3), "has 2 fields, 3 were given")):
        with pytest.raises(TypeError, match=why):
            type(three)(*wrong)


def test_enums_are_numbers_in_a_test() -> None:
    class State(lang.Enum):
        OPEN = 0
        CLOSED = 1

    assert State.CLOSED == 1 and State(1) is State.CLOSED and State.OPEN != State.CLOSED


def test_errors_have_their_fields() -> None:
    class Short(lang.Error):
        have: int
        want: int

    assert Short(1, want=2).args == (1, 2)
    assert issubclass(Short, Exception)


def test_decorators_leave_functions_as_they_are() -> None:
    def f() -> int:
        return 1

    assert lang.external(f) is lang.view(f) is lang.payable(f) is lang.nonreentrant(f) is f
    assert lang.external(name="g")(f) is f


TRICKY = """
from sdk import *

class State(Enum):
    OPEN = 0
    CLOSED = 1

class Point(Struct):
    x: u64
    tags: List[String]

class IToken(Interface):
    def transfer(self, to: Address, amount: u256) -> bool: ...

    def burn(self) -> None: ...

class All(Contract):
    name: Public[Const[String]] = "all"
    owner: Public[Immutable[IToken]]
    state: State
    points: Map[u256, Point]
    board: Array[u8, Literal[4]]
    tag: bytes4

    def step(self) -> None:
        self.state = State.CLOSED

    @external(name="doIt")
    @payable
    @nonreentrant
    def do_it(self, to: Address, n: u256 = 3) -> tuple[bool, bytes32]:
        if self.state == State.OPEN:
            self.step()
        assert self.state == State.CLOSED, "closed"
        p = self.points[n].copy()
        p.x += 1
        self.points[n] = Point(x=1, tags=["a"])
        self.board = [0] * 4
        self.tag = b"abcd"
        for k, v in self.points.items():
            if k in self.points and v.x > 0:
                del self.points[k]
        ok, sent = try_call(IToken(to).call(value=1, gas=9).transfer, to, 5)
        fine: bool = try_call(IToken(to).burn)
        x, y = abi_decode(abi_encode(n, to), tuple[u256, Address])
        encode_call(IToken.transfer, to, 1)
        with unchecked():
            n += u256(x) + u256(to) + u256(len(self.board)) + max_value(u256)
        return ok and sent and fine and y != ZERO_ADDRESS, keccak256(bytes32(n) + msg.data)
"""


def mypy(source: str, folder: Path) -> str:
    from mypy.api import run

    path = folder / "contract.py"
    path.write_text(source, encoding="utf-8")
    options = ["--strict", "--disable-error-code=empty-body", "--config-file", "", "--cache-dir", str(folder / "cache")]
    return run([*options, str(path)])[0]


def test_mypy_accepts_what_is_tricky_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    assert "Success" in mypy(TRICKY, tmp_path)
    wrong = TRICKY.replace("Point(x=1", "Point(y=1").replace("transfer, to, 1)", "transfer, to)")
    wrong = wrong.replace("ok and sent", "ok and self.points").replace("p.x += 1", 'p.x += "a"')
    report = mypy(wrong, tmp_path)
    for what in ("call-arg", "operator", "return-value"):
        assert what in report, report
