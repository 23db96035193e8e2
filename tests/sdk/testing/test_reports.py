"""What pytest says of gas and of calls: the flags, alone and on the workers of pytest-xdist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sdk.testing.conftest import Run

TESTS = """
import pytest
from sdk.testing import fuzz, reverts
from hypothesis.strategies import integers

@pytest.fixture(scope="module")
def token(chain):
    return chain.deploy({token!r}, 1000)

def test_transfer(token, accounts):
    token.transfer(accounts[1], 1000)

@pytest.mark.parametrize("n", range(3))
def test_approve(token, accounts, n):
    token.approve(accounts[1], n)

@fuzz(n=integers(0, 9), examples=3)
def test_drawn(token, accounts, n):
    token.transfer(accounts[1], n)

def test_nothing():
    pass
"""


@pytest.fixture
def tests(pytester: pytest.Pytester, token_source: Path) -> Path:
    return pytester.makepyfile(test_it=TESTS.format(token=str(token_source)))


@pytest.mark.parametrize("workers", [0, 2])
def test_the_gas_report(tests: Path, inside: Run, workers: int) -> None:
    options = ["-p", "xdist", "-n", str(workers)] if workers else []
    result = inside("--gas-report", *options, process=bool(workers))
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["*= gas =*", "function *calls *min *median *mean *max"])
    rows = {row[0]: row[1:] for line in result.outlines if (row := line.split()) and row[0].startswith("token.")}
    assert rows["token.approve"][0] == "3"
    assert rows["token.transfer"][0] == "4"
    least, middle, _, most = (int(number.replace(",", "")) for number in rows["token.approve"][1:])
    assert 21_000 < least < middle <= most


def snapshot(pytester: pytest.Pytester) -> dict[str, int]:
    lines = (pytester.path / ".gas-snapshot").read_text().splitlines()
    return {name: int(gas) for name, gas in (line.rsplit(" ", 1) for line in lines)}


@pytest.mark.parametrize("workers", [0, 2])
def test_gas_is_compared_with_a_snapshot(pytester: pytest.Pytester, tests: Path, inside: Run, workers: int) -> None:
    options = ["-p", "xdist", "-n", str(workers)] if workers else []
    inside("--gas-snapshot", *options, process=bool(workers)).stdout.fnmatch_lines(["wrote 4 tests to .gas-snapshot"])
    taken = snapshot(pytester)
    assert set(taken) == {f"test_it.py::test_approve[{n}]" for n in range(3)} | {"test_it.py::test_transfer"}
    same = inside("--gas-snapshot-check", *options, process=bool(workers))
    assert same.ret == pytest.ExitCode.OK
    same.stdout.fnmatch_lines(["4 of 4 tests use the gas that .gas-snapshot says"])

    gas = taken["test_it.py::test_transfer"]
    changed = f"test_it.py::test_transfer {gas * 100 // 104}\n"
    file = pytester.path / ".gas-snapshot"
    file.write_text(re.sub(r"test_it.py::test_transfer \d+\n", changed, file.read_text()))
    other = inside("--gas-snapshot-check", *options, process=bool(workers))
    assert other.ret == pytest.ExitCode.TESTS_FAILED
    other.stdout.fnmatch_lines(["test_it.py::test_transfer: * gas (+4.0* %)", "if that is meant*"])
    assert inside("--gas-snapshot-check", "--gas-tolerance=5", *options, process=bool(workers)).ret == 0


def test_a_snapshot_keeps_what_was_not_run(pytester: pytest.Pytester, tests: Path, inside: Run) -> None:
    inside("--gas-snapshot")
    everything = snapshot(pytester)
    pytester.makepyfile(test_other="def test_pay(chain, accounts):\n    chain.pay(accounts[1], 1)\n")
    inside("--gas-snapshot", "test_other.py")
    assert snapshot(pytester) == everything | {"test_other.py::test_pay": 21_000}
    inside("--gas-snapshot", "-k", "transfer")
    assert snapshot(pytester) == everything | {"test_other.py::test_pay": 21_000}


def test_a_snapshot_that_is_not_there_or_broken(pytester: pytest.Pytester, tests: Path, inside: Run) -> None:
    missing = inside("--gas-snapshot-check", process=True)
    assert missing.ret != 0
    assert "make it with --gas-snapshot" in missing.stdout.str() + missing.stderr.str()
    (pytester.path / ".gas-snapshot").write_text("what\n")
    broken = inside("--gas-snapshot-check", process=True)
    assert "is not a test and its gas" in broken.stdout.str() + broken.stderr.str()
    both = inside("--gas-snapshot-check", "--gas-snapshot", process=True)
    assert both.ret == pytest.ExitCode.USAGE_ERROR
    assert "give one of them" in both.stderr.str()


FAILING = """
import pytest
from sdk.testing import fuzz
from hypothesis.strategies import integers

@pytest.fixture(scope="module")
def caller(chain):
    return chain.deploy({caller!r})

@pytest.fixture(scope="module")
def callee(chain):
    return chain.deploy({callee!r})

def test_reverts(caller, callee):
    caller.bubble(callee)

def test_asserts(caller, callee):
    assert caller.visit(callee, True) == 1

@fuzz(n=integers(0, 1000))
def test_drawn(caller, callee, n):
    assert caller.forward(callee, n) < 100

def test_passes(caller, callee):
    assert caller.forward(callee, 4) == 8
"""


@pytest.fixture
def failing(pytester: pytest.Pytester, token_source: Path) -> Path:
    folder = token_source.parents[1] / "caller"
    return pytester.makepyfile(test_it=FAILING.format(caller=str(folder / "caller.c"), callee=str(folder / "callee.c")))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_failure_shows_its_calls(failing: Path, inside: Run, workers: int) -> None:
    options = ["-p", "xdist", "-n", str(workers)] if workers else []
    result = inside(*options, process=bool(workers))
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "*test_reverts*",
            "*- Contract calls -*",
            "caller.bubble(callee)  # Reverted: callee says no  [[]*gas[]]",
            "├─ callee.fail()  [[]*gas[]]    (*)",
            "│  └─ reverted: callee says no    (*)",
            "└─ reverted: callee says no    (*)",
        ]
    )
    result.stdout.fnmatch_lines(
        [
            "*test_asserts*",
            "caller.visit(callee, True)  [[]*",
            "├─ callee.callBack()  [[]*",
            "│  ├─ caller.entered()  [[]*",
            "│  │  ├─ storage 0x74: nothing -> 0x0100000000000000 *",
            "│  │  └─ returned 1",
            "│  └─ returned 0",
            "└─ returned 0",
        ]
    )
    result.stdout.fnmatch_lines(
        ["*test_drawn*", "caller.forward(callee, 50)  [[]*", "├─ callee.double(50)*", "└─ returned 100"]
    )


def test_calls_can_be_shown_always_or_never(failing: Path, inside: Run) -> None:
    shown = inside("--call-trace=all")
    shown.stdout.fnmatch_lines(["*Contract calls of test_it.py::test_passes*", "caller.forward(callee, 4)*"])
    assert "Contract calls" not in inside("--call-trace=none").stdout.str()


def test_no_flag_is_somebody_elses(inside: Run) -> None:
    """pytest itself and the plugins that are here take none of ours, nor a beginning of one."""
    helped = inside("--help").stdout.str()
    for flag in ("--tier", "--chain-seed", "--call-trace", "--gas-report", "--gas-snapshot", "--gas-tolerance"):
        assert len(re.findall(rf"^  {flag}[ =\n]", helped, re.MULTILINE)) == 1
