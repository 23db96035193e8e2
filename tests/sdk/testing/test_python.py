"""Contracts in Python under the kit: deployed by class or path, looked into by line, covered by line and branch."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from sdk.compiler import CompileError
from sdk.testing import MockChain, Trapped, reverts
from sdk.testing.replay import looked_into
from tests.sdk.testing.conftest import Run

SOURCE = '''"""A vault that counts."""

from sdk import *


class Raised(Event):
    by: Indexed[Address]
    amount: u64


class TooMuch(Error):
    wanted: u64
    limit: u64


class Vault(Contract):
    count: Public[u64]
    of: Public[Map[Address, u64]]

    @external
    def raise_by(self, amount: u64) -> u64:
        if amount > 10:
            raise TooMuch(amount, 10)
        if amount == 7:
            self.count += 1
        self.count += amount
        self.of[msg.sender] += amount
        emit(Raised(msg.sender, amount))
        return self.count

    @external
    def never(self) -> None:
        self.count = 0


class Other(Vault):
    pass
'''


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "vault.py"
    file.write_text(SOURCE)
    return file


@pytest.fixture
def module(path: Path) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("vault_under_test", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["vault_under_test"] = made
    spec.loader.exec_module(made)
    yield made
    del sys.modules["vault_under_test"]


def test_a_class_or_a_path_is_deployed(path: Path, module: ModuleType) -> None:
    with MockChain() as mock:
        vault, other, last = mock.deploy(module.Vault), mock.deploy(module.Other), mock.deploy(path)
        assert [repr(contract) for contract in (vault, other, last)] == ["Vault", "Other", "Other_2"]
        assert vault.raise_by(5) == 5
        assert vault.raise_by(amount=2) == 7
        assert (vault.count(), other.count(), vault.of(mock.accounts[0])) == (7, 0, 7)
        with reverts(module.TooMuch, wanted=11, limit=10):
            vault.raise_by(11)
        path.write_text(SOURCE.replace("> 10", "> 20"))
        assert mock.deploy(module.Vault).raise_by(11) == 11
        path.write_text(SOURCE.replace("amount == 7", "amout == 7"))
        with pytest.raises(CompileError, match="amout"):
            mock.deploy(module.Vault)


def test_calls_are_shown_with_lines_and_fields(path: Path) -> None:
    with MockChain() as mock:
        vault = mock.deploy(path, label="vault")
        mock.book.open()
        vault.raise_by(7)
        with reverts():
            vault.raise_by(12, sender=mock.accounts[1])
        text = looked_into(mock)
    lines = [line.split("  [")[0] for line in text.splitlines()]
    assert lines == [
        "vault.raiseBy(7)",
        "├─ storage Vault.count: nothing -> 1    (vault.py:25: self.count += 1)",
        "├─ storage Vault.count: 1 -> 8    (vault.py:26: self.count += amount)",
        "├─ storage Vault.of[accounts[0]]: nothing -> 7    (vault.py:27: self.of[msg.sender] += amount)",
        "├─ emitted Raised(by=accounts[0], amount=7)    (vault.py:28: emit(Raised(msg.sender, amount)))",
        "└─ returned 8",
        "vault.raiseBy(12, sender=accounts[1])  # Reverted: TooMuch(wanted=12, limit=10)",
        "└─ reverted: TooMuch(wanted=12, limit=10)    (vault.py:23: raise TooMuch(amount, 10))",
    ]


COVERED = """
import pytest
from sdk.testing import reverts

@pytest.fixture(scope="module")
def vault(chain):
    return chain.deploy("vault.py")

def test_small(vault):
    assert vault.raise_by(5) == 5

def test_large(vault):
    with reverts("TooMuch"):
        vault.raise_by(11)
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_coverage_of_lines_and_branches(pytester: pytest.Pytester, inside: Run, path: Path, workers: int) -> None:
    (pytester.path / "vault.py").write_text(SOURCE)
    pytester.makepyfile(test_it=COVERED)
    options = ["-p", "xdist", "-n", str(workers)] if workers else []
    result = inside("--contract-coverage", *options, process=True)
    result.assert_outcomes(passed=2)
    (row,) = [line for line in result.outlines if line.startswith("vault.py")]
    assert "  3/4 75 %  " in row
    # getters, the line that only 7 reaches, the function that nobody called, the test that was only false
    assert row.split("%")[-1].split(", ") == ["  17-18", "25", "32-33", "24?"]
    traced = (pytester.path / "contracts.lcov").read_text().splitlines()
    assert traced[0] == "SF:vault.py"
    assert {"DA:23,1", "DA:25,0", "DA:26,1", "DA:33,0", "BRF:4", "BRH:3", "end_of_record"} <= set(traced)
    ways = [line.split(",")[-1] for line in traced if line.startswith("BRDA:24")]
    assert ways == ["0", "1"]


def test_coverage_changes_no_gas(path: Path) -> None:
    from sdk.testing.coverage import Coverage

    used = []
    for coverage in (None, Coverage()):
        with MockChain(tier="portable", coverage=coverage) as mock:
            vault = mock.deploy(path)
            used.append([vault.raise_by.tx(amount).gas_used for amount in (1, 7, 9)])
    assert used[0] == used[1]


def test_coverage_is_not_of_another_tier(pytester: pytest.Pytester, inside: Run) -> None:
    refused = inside("--contract-coverage", "--tier=portable", process=True)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    assert "leave --tier out" in refused.stderr.str()
    pytester.makepyfile("def test_nothing(): pass")
    inside("--contract-coverage").stdout.fnmatch_lines(["no contract in Python was deployed"])


def test_a_trap_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_text(DEEP)
    with MockChain(tier="portable") as mock:
        with pytest.raises(Trapped, match=r"^trap: call stack exhausted \(deep\.py:7: return self\.down\(n \+ 1\)\)$"):
            mock.deploy(path, True)
        deep = mock.deploy(path, False)
        with pytest.raises(Trapped, match=r"deep\.py:7: "):
            deep.fall()
        deep.keep(b"x" * 40_000)
        with pytest.raises(Trapped, match=r"value bytes 80000, limit 65536 \(deep\.py:19: self\.kept \+= more\)$"):
            deep.keep(b"x" * 40_000)


DEEP = """from sdk import *

class Deep(Contract):
    kept: Bytes

    def down(self, n: u256) -> u256:
        return self.down(n + 1)

    def __init__(self, at_once: bool) -> None:
        assert not at_once or self.down(0) > 0

    @external
    @view
    def fall(self) -> u256:
        return self.down(0)

    @external
    def keep(self, more: Bytes) -> None:
        self.kept += more
"""
