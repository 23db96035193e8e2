"""`compile_file`: what it gives, that it is the same everywhere, and what a bug of the compiler looks like."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import contractvm
from contractvm.errors import Fatal
from sdk import envelope
from sdk.compiler import CompileError, check_file, compile_file, pipeline
from sdk.compiler.bug import CompilerBug

COUNTER = """from sdk import *

class Counted(Event):
    count: u64

class Counter(Contract):
    count: Public[u64]

    @external
    def add(self, amount: u64 = 1) -> u64:
        self.count += amount
        emit(Counted(self.count))
        return self.count
"""


@pytest.fixture
def counter(tmp_path: Path) -> Path:
    path = tmp_path / "counter.py"
    path.write_text(COUNTER)
    return path


def test_what_is_compiled(counter: Path) -> None:
    compiled = compile_file(counter)
    assert compiled.name == "Counter"
    assert envelope.seal(compiled.module) == compiled.module
    assert compiled.debug.startswith(compiled.module)
    assert set(compiled.interface.functions) == {
        "add() returns (uint64)",
        "add(uint64 amount) returns (uint64)",
        "count() view returns (uint64)",
    }
    assert {entry["type"] for entry in compiled.abi} == {"function", "event"}
    assert [field["name"] for field in compiled.layout["fields"]] == ["Counter.count"]
    assert compiled.source_files == (counter,)
    assert compiled.warnings == ()


def test_text_is_a_path_too(counter: Path) -> None:
    assert compile_file(str(counter), "Counter").module == compile_file(counter).module


def test_the_same_source_gives_the_same_bytes_anywhere(counter: Path, tmp_path: Path) -> None:
    """Another folder, another process, another hash seed."""
    elsewhere = tmp_path / "far" / "away" / "counter.py"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text(COUNTER)
    ours = compile_file(counter).module
    assert compile_file(elsewhere).module == ours
    program = "import sys, sdk.compiler; print(sdk.compiler.compile_file(sys.argv[1]).module.hex())"
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(contractvm.__file__).parents[1])}
        ran = subprocess.run(
            [sys.executable, "-c", program, str(counter)], env=environment, capture_output=True, text=True, check=True
        )
        assert bytes.fromhex(ran.stdout.strip()) == ours


def test_all_errors_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text(
        "from sdk import *\n\nclass A(Contract):\n    x: u257\n    def f(self, a: u8) -> u16:\n        return a\n"
        "    def g(self) -> u8:\n        return 1.5\n"
    )
    with pytest.raises(CompileError) as raised:
        compile_file(path)
    assert [(found.line, found.path) for found in raised.value.diagnostics] == [(4, path), (6, path), (8, path)]
    assert {found.code[:3] for found in raised.value.diagnostics} == {"CV1", "CV2", "CV0"}
    assert "wrong.py:4:8: error[CV130]: u257 is not known" in str(raised.value)


def test_warnings_fail_nothing(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    path.write_text(
        "from sdk import *\n\nclass A(Contract):\n    xs: List[u8]\n    total: u8\n\n    @external\n"
        "    def f(self) -> None:\n        for x in self.xs:\n            self.total += x\n"
    )
    compiled = compile_file(path)
    assert [found.code for found in compiled.warnings] == ["CV901"]
    assert check_file(path).diagnostics == compiled.warnings


def test_code_within_code(tmp_path: Path) -> None:
    """Files of contracts whose code is contained count as sources; errors in them are told."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "base.py").write_text("from sdk import *\n\nclass Base(Contract):\n    total: u256\n")
    egg = tmp_path / "egg.py"
    egg.write_text("from sdk import *\nfrom .base import Base\n\nclass Egg(Base):\n    x: u8\n")
    hen = tmp_path / "hen.py"
    hen.write_text(
        "from sdk import *\nfrom .egg import Egg\n\nclass Hen(Contract):\n    @external\n"
        "    def lay(self) -> Address:\n        return create(Egg.code)\n"
    )
    compiled = compile_file(hen)
    assert {path.name for path in compiled.source_files} == {"hen.py", "egg.py", "base.py"}
    assert envelope.bare(compile_file(egg).module) in compiled.module or compile_file(egg).module in compiled.module
    egg.write_text("from sdk import *\n\nclass Egg(Contract):\n    x: int\n")
    with pytest.raises(CompileError, match=r"egg\.py:4:8: error\[CV130\]"):
        compile_file(hen)
    egg.write_text("from sdk import *\n\nclass Egg(Contract):\n    def f(self, x: u8) -> u16:\n        return x\n")
    with pytest.raises(CompileError, match=r"egg\.py:5:16: error\[CV2"):
        compile_file(hen)
    assert [(found.path.name, found.line) for found in check_file(hen).diagnostics] == [("egg.py", 5)]


def test_code_in_a_circle(tmp_path: Path) -> None:
    path = tmp_path / "circle.py"
    path.write_text(
        "from sdk import *\n"
        + "".join(
            f"class {name}(Contract):\n"
            f"    @external\n    def f(self) -> Address:\n        return create({other}.code)\n"
            for name, other in (("A", "B"), ("B", "C"), ("C", "A"))
        )
    )
    with pytest.raises(CompileError, match="code would contain itself: C -> A -> B -> C"):
        compile_file(path)
    assert {found.code for found in check_file(path).diagnostics} == {"CV138"}


@pytest.mark.parametrize(
    ("body", "place", "what"),
    [
        (
            "".join(f"        x += x // {n}\n" for n in range(1, 4_500)),
            "6:9",
            "Large.f is too large for the chain: function",
        ),
        ("", "3:7", "call is too large for the chain: too many locals"),
    ],
)
def test_what_is_too_large_for_the_chain_is_an_error_at_its_place(
    tmp_path: Path, body: str, place: str, what: str
) -> None:
    parameters = "x: u256" if body else ", ".join(f"p{n}: u256" for n in range(600))
    head = f"from sdk import *\n\nclass Large(Contract):\n    @external\n    @view\n    def f(self, {parameters})"
    path = tmp_path / "large.py"
    path.write_text(f"{head} -> u256:\n{body}        return {'x' if body else 'p0'}\n")
    with pytest.raises(CompileError) as raised:
        compile_file(path)
    (found,) = raised.value.diagnostics
    assert found.heading.startswith(f"{path}:{place}: error[CV003]: {what}")
    assert found.help.startswith("divide it")


def test_a_bug_of_the_compiler_says_so_and_leaves_a_file(
    counter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(program: object) -> object:
        raise KeyError("slots")

    monkeypatch.setattr(pipeline, "generate", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(
        CompilerBug, match="this is a bug of the compiler, not of the contract: KeyError: 'slots'"
    ) as raised:
        compile_file(counter)
    assert isinstance(raised.value, Fatal)
    report = raised.value.report
    assert report is not None
    assert str(report) in str(raised.value)
    text = report.read_text()
    assert COUNTER in text
    assert f"contractvm {contractvm.__version__}" in text
    assert "in broken" in text


def test_a_bug_on_a_full_disk_is_told_all_the_same(counter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(program: object) -> object:
        raise RecursionError

    monkeypatch.setattr(pipeline, "generate", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(counter / "no folder"))
    with pytest.raises(CompilerBug, match="report it with the source") as raised:
        compile_file(counter)
    assert raised.value.report is None


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=r"nowhere\.py:1:1: error\[CV001\]: the file cannot be read"):
        compile_file(tmp_path / "nowhere.py")
    assert [found.code for found in check_file(tmp_path / "nowhere.py").diagnostics] == ["CV001"]
