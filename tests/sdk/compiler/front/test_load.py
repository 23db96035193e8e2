"""Modules: imports of every form, the project's root, cycles, which contract is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.declared import ConstDecl, EventDecl, FunctionDecl, LanguageName
from sdk.compiler.front.load import LONGEST_CHAIN, load
from tests.sdk.compiler.front.sources import declared, errors, write

OWNED = "class Owned(Contract):\n    owner: Address\n"
TOKEN = "class Token(Owned):\n    total: u256\n"


def test_a_relative_import(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": "", "a/base.py": OWNED, "b/main.py": "from ..a.base import Owned\n" + TOKEN})
    reporter = Reporter()
    unit = load(tmp_path / "b" / "main.py", None, reporter)
    assert reporter.diagnostics() == []
    assert unit.root == tmp_path
    assert [module.name for module in unit.modules] == ["main", "base"]
    assert [module.source.index for module in unit.modules] == [0, 1]
    assert unit.files == (tmp_path / "b" / "main.py", tmp_path / "a" / "base.py")
    assert unit.contract is not None
    assert [base.name for base in unit.contract.linearisation] == ["Token", "Owned"]


def test_an_import_from_the_root_and_from_a_package(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "",
        "contracts/base/__init__.py": OWNED,
        "contracts/main.py": "from contracts.base import Owned as Base\nclass Token(Base):\n    total: u256\n",
    }
    assert errors(tmp_path, files, main="contracts/main.py") == []


def test_everything_can_be_imported(tmp_path: Path) -> None:
    base = """
class I(Interface):
    def f(self) -> None: ...
class S(Struct):
    x: u8
class E(Enum):
    A = 0
class V(Event):
    x: u8
class R(Error):
    x: u8
C: Const[u8] = 1
def g() -> u8:
    return 1
"""
    write(tmp_path, {"base.py": base})
    unit = declared(
        tmp_path, "from .base import I, S, E, V, R, C, g as h\nclass T(Contract):\n    x: Map[E, S]\n    i: I\n"
    )
    scope = unit.modules[0].scope
    assert isinstance(scope["C"], ConstDecl)
    assert isinstance(scope["V"], EventDecl)
    found = scope["h"]
    assert isinstance(found, FunctionDecl)
    assert found.qualified == "base.g"
    assert list(unit.interfaces) == ["base.I"]


def test_names_of_the_language_can_be_renamed(tmp_path: Path) -> None:
    unit = declared(tmp_path, "from sdk import Contract as Base, u256 as word\nclass T(Base):\n    x: word\n")
    found = unit.modules[0].scope["word"]
    assert isinstance(found, LanguageName)
    assert found.name == "u256"
    assert "Address" not in unit.modules[0].scope


def test_a_module_is_loaded_once(tmp_path: Path) -> None:
    files = {
        "base.py": OWNED,
        "left.py": "from .base import Owned\nclass Left(Owned):\n    l: u8\n",
        "right.py": "from .base import Owned\nclass Right(Owned):\n    r: u8\n",
        "main.py": "from .left import Left\nfrom .right import Right\nclass Both(Left, Right):\n    b: u8\n",
    }
    write(tmp_path, files)
    reporter = Reporter()
    unit = load(tmp_path / "main.py", None, reporter)
    assert reporter.diagnostics() == []
    assert [module.name for module in unit.modules] == ["main", "left", "base", "right"]
    assert unit.contract is not None
    assert [base.name for base in unit.contract.linearisation] == ["Both", "Left", "Right", "Owned"]


def test_modules_of_one_name_are_told_apart(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "",
        "a/base.py": OWNED,
        "b/base.py": "class Named(Contract):\n    name: String\n",
        "main.py": "from a.base import Owned\nfrom b.base import Named\nclass Both(Owned, Named):\n    x: u8\n",
    }
    write(tmp_path, files)
    unit = load(tmp_path / "main.py", None, Reporter())
    assert [module.name for module in unit.modules] == ["main", "base", "b.base"]


def test_a_circle(tmp_path: Path) -> None:
    files = {
        "main.py": "from .b import B\nclass A(B):\n    a: u8\n",
        "b.py": "from .main import A\nclass B(A):\n    b: u8\n",
    }
    assert errors(tmp_path, files) == [
        "b.py:2 CV014 modules import each other: main.py -> b.py -> main.py | move what both need to a third"
    ]


def test_a_module_that_imports_itself(tmp_path: Path) -> None:
    said = errors(tmp_path, {"main.py": "from .main import A\nclass B(Contract):\n    b: u8\n"})
    assert said == ["main.py:2 CV014 modules import each other: main.py -> main.py | move what both need to a third"]


def test_a_long_chain(tmp_path: Path) -> None:
    last = LONGEST_CHAIN + 5
    files = {f"m{i}.py": f"from .m{i + 1} import A\nclass B(Contract):\n    b: u8\n" for i in range(last)}
    files[f"m{last}.py"] = "class A(Contract):\n    a: u8\n"
    said = errors(tmp_path, files, main="m0.py")
    assert f"CV003 more than {LONGEST_CHAIN} modules" in said[0] or any("CV003" in row for row in said)


def test_errors_of_an_imported_module_are_told_there(tmp_path: Path) -> None:
    said = errors(
        tmp_path,
        {"base.py": "class Owned(Contract):\n    owner: int\n", "main.py": "from .base import Owned\n" + TOKEN},
    )
    assert [row.split(" ")[:2] for row in said] == [["base.py:3", "CV130"]]


def test_an_imported_module_that_is_no_python(tmp_path: Path) -> None:
    said = errors(tmp_path, {"base.py": "class Owned(\n", "main.py": "from .base import Owned\n" + TOKEN})
    assert [row.split(" ")[:2] for row in said] == [["base.py:2", "CV002"]]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from .base import Owner", "CV013 .base does not declare Owner | did you mean Owned?"),
        ("from .base import u256", "CV013 .base does not declare u256 | write from sdk import u256"),
        (
            "from .base import *",
            "CV015 only from sdk can everything be imported | name what is needed: from .base import ...",
        ),
        ("from .empty import a", "CV013 .empty does not declare a | it declares nothing"),
    ],
)
def test_imports_that_are_refused(line: str, said: str, tmp_path: Path) -> None:
    files = {"base.py": OWNED, "empty.py": "", "main.py": f"{line}\nclass Token(Contract):\n    total: u256\n"}
    assert [row.split(" ", 1)[1] for row in errors(tmp_path, files)] == [said]


def test_a_name_is_imported_from_where_it_is_declared(tmp_path: Path) -> None:
    files = {
        "base.py": OWNED,
        "middle.py": "from .base import Owned\n",
        "main.py": "from .middle import Owned\n" + TOKEN,
    }
    said = errors(tmp_path, files)
    assert said == [
        f"main.py:2 CV013 .middle imports Owned itself | import it from where it is declared: {tmp_path / 'base.py'}"
    ]


def test_a_name_that_is_there_already(tmp_path: Path) -> None:
    files = {
        "base.py": "def f() -> u8:\n    return 1\n",
        "main.py": "from .base import f\nfrom .base import f\nclass T(Contract):\n    x: u8\n",
    }
    assert errors(tmp_path, files) == ["main.py:3 CV101 f is there already | import it `as` something else"]
    files["main.py"] = "from .base import f\ndef f() -> u8:\n    return 1\nclass T(Contract):\n    x: u8\n"
    assert errors(tmp_path, files) == [
        "main.py:3 CV101 f is imported too | rename it, or import the other `as` something"
    ]


def test_without_a_project_the_folder_is_the_root(tmp_path: Path) -> None:
    files = {"base.py": OWNED, "in/main.py": "from ..base import Owned\n" + TOKEN}
    said = errors(tmp_path, files, main="in/main.py")
    assert said == [
        f"main.py:2 CV012 ..base is outside the project | the project is {tmp_path / 'in'}; "
        "put a pyproject.toml into the folder above both"
    ]


def test_a_link_that_leads_out_is_outside(tmp_path: Path) -> None:
    write(tmp_path, {"base.py": OWNED, "in/main.py": "from .base import Owned\n" + TOKEN})
    (tmp_path / "in" / "base.py").symlink_to(tmp_path / "base.py")
    assert [row.split(" ")[1] for row in errors(tmp_path, {}, main="in/main.py")] == ["CV012"]


def test_paths_are_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"base.py": OWNED, "main.py": "from .base import Owned\n" + TOKEN})
    monkeypatch.chdir(tmp_path)
    assert load(Path("main.py"), None, Reporter()).files == (Path("main.py"), Path("base.py"))


def test_which_contract_is_built(tmp_path: Path) -> None:
    text = "class A(Contract):\n    a: u8\nclass B(Contract):\n    b: u8\n"
    last, first = declared(tmp_path, text).contract, declared(tmp_path, text, "A").contract
    assert last is not None
    assert first is not None
    assert (last.name, first.name) == ("B", "A")
    said = errors(tmp_path, {"main.py": text}, "C")
    assert said == ["main.py:1 CV126 main.py has no contract C | it has A, B"]


def test_what_is_imported_is_not_built(tmp_path: Path) -> None:
    said = errors(tmp_path, {"base.py": OWNED, "main.py": "from .base import Owned\n"})
    assert said == ["main.py:1 CV126 main.py has no contract | write class Name(Contract):"]


def test_two_classes_of_one_name_in_one_contract(tmp_path: Path) -> None:
    files = {
        "a.py": "class Base(Contract):\n    a: u8\n",
        "b.py": "class Base(Contract):\n    b: u8\n",
        "main.py": "from .a import Base\nfrom .b import Base as Other\nclass Both(Base, Other):\n    c: u8\n",
    }
    said = errors(tmp_path, files)
    assert said == [
        "main.py:4 CV127 Both inherits from two classes called Base | "
        "rename one: storage keys are made from the class's name"
    ]


def test_a_collision_between_files_is_told_in_the_contract(tmp_path: Path) -> None:
    files = {
        "a.py": "class A(Contract):\n    total: Public[u256]\n",
        "main.py": "from .a import A\nclass B(A):\n    @external(name='total')\n    def f(self) -> u256: return 1\n",
    }
    assert [row.split(" ")[:2] for row in errors(tmp_path, files)] == [["main.py:5", "CV401"]]
