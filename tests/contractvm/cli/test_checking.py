"""`contractvm check` and `contractvm explain`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import contractvm
from tests.contractvm.cli.conftest import Cli

RIGHT = "from sdk import *\n\nclass Token(Contract):\n    total: u256\n"
WRONG = RIGHT + "    rate: Const[u256] = 1.5\n"
MATCHER = re.compile(r"^(.+):(\d+):(\d+): (error|warning)\[(CV\d+)\]: (.*)$")
"""As docs/editors.md has it."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "right.py").write_text(RIGHT)
    (tmp_path / "wrong.py").write_text(WRONG)
    return tmp_path


def test_nothing_is_wrong(cli: Cli, here: Path) -> None:
    ran = cli("check", "right.py")
    assert (ran.code, ran.out, ran.err) == (0, "0 errors, 0 warnings\n", "")


def test_errors_have_place_line_and_help(cli: Cli, here: Path) -> None:
    ran = cli("check", "wrong.py", "right.py")
    assert ran.code == 1
    assert ran.out.split("\n") == [
        "wrong.py:5:25: error[CV031]: a contract has no fractions",
        " 5 |     rate: Const[u256] = 1.5",
        "   |                         ^^^",
        "  help: count in the smallest unit, as a whole number: wei, cents, seconds",
        "",
        "1 error, 0 warnings; contractvm explain CV031 says more",
        "",
    ]


def test_quiet_is_a_line_for_each(cli: Cli, here: Path) -> None:
    assert cli("check", "-q", "wrong.py").out == "wrong.py:5:25: error[CV031]: a contract has no fractions\n"


def test_json_for_editors(cli: Cli, here: Path) -> None:
    ran = cli("check", "--json", "wrong.py")
    assert ran.code == 1
    assert ran.json == {
        "ok": False,
        "diagnostics": [
            {
                "code": "CV031",
                "severity": "error",
                "message": "a contract has no fractions",
                "help": "count in the smallest unit, as a whole number: wei, cents, seconds",
                "path": "wrong.py",
                "line": 5,
                "column": 25,
                "endLine": 5,
                "endColumn": 28,
            }
        ],
    }


def test_what_two_files_import_is_told_once(cli: Cli, here: Path) -> None:
    for name in ("a.py", "b.py"):
        (here / name).write_text(
            f"from sdk import *\nfrom .wrong import Token\nclass {name[0].upper()}(Token):\n    x: u8\n"
        )
    assert cli("check", "-q", "a.py", "b.py").out.count("CV031") == 1


def test_a_module_to_import_needs_no_contract(cli: Cli, here: Path) -> None:
    (here / "lib.py").write_text("from sdk import *\n\ndef square(x: u256) -> u256:\n    return x * x\n")
    assert cli("check", "lib.py").code == 0


def test_other_files(cli: Cli, here: Path) -> None:
    cli("check", "nowhere.py").failed("nowhere.py")
    (here / "token.c").write_text("")
    cli("check", "token.c").failed("token.c", "only contracts in Python", "contractvm build token.c")


def test_the_problem_matcher_fits(cli: Cli, here: Path) -> None:
    found = [MATCHER.match(line) for line in cli("check", "wrong.py").out.split("\n")]
    groups = [match.groups() for match in found if match]
    assert groups == [("wrong.py", "5", "25", "error", "CV031", "a contract has no fractions")]


def test_watching(here: Path) -> None:
    """A change is seen, and one of an imported file too; each time begins and ends with a line of its own."""
    (here / "main.py").write_text("from sdk import *\nfrom .right import Token\nclass Mine(Token):\n    x: u8\n")
    environment = os.environ | {"PYTHONPATH": str(Path(contractvm.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "contractvm.cli", "check", "--watch", "main.py"]
    watcher = subprocess.Popen(command, cwd=here, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        until_told(watcher, "0 errors, 0 warnings")
        (here / "right.py").write_text(WRONG)
        until_told(watcher, "right.py:5:25: error[CV031]")
        (here / "right.py").write_text(RIGHT)
        until_told(watcher, "0 errors, 0 warnings")
    finally:
        watcher.terminate()
        watcher.communicate()


def until_told(watcher: subprocess.Popen[str], beginning: str) -> None:
    """Read whole times until one has a line that begins so: a file may be looked at while it is written."""
    assert watcher.stdout is not None
    rows: list[str] = []
    for line in watcher.stdout:
        rows.append(line.rstrip("\n"))
        if line.startswith("done:"):
            assert rows[0] == "checking ..."
            if any(row.startswith(beginning) for row in rows):
                return
            rows = []
    raise AssertionError(f"the watcher ended: {rows}")


def test_explain(cli: Cli) -> None:
    ran = cli("explain", "cv031")
    assert ran.code == 0
    assert ran.out.startswith("CV031: fractions\n\nFloats round")
    assert "wrong:\n    self.total = x * 1.5\n\nright:\n    self.total = x * 3 // 2\n" in ran.out


def test_explain_for_programs(cli: Cli) -> None:
    document = cli("explain", "CV031", "--json").json
    assert document["title"] == "fractions"
    assert document["wrong"] == "self.total = x * 1.5"


def test_explain_lists_all(cli: Cli) -> None:
    rows = cli("explain").out.strip().split("\n")
    assert "CV031  fractions" in rows
    assert rows == sorted(rows)
    assert json.loads(cli("explain", "--json").out)["codes"]["CV031"] == "fractions"


def test_a_code_that_is_not_there(cli: Cli) -> None:
    cli("explain", "CV0311").failed("no code 'CV0311'", "did you mean CV031?")
    cli("explain", "nonsense").failed("contractvm explain lists all")
