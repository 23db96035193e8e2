"""What pytest says at its end about gas: `--gas-report`, `--gas-snapshot` and `--gas-snapshot-check`.

Workers of pytest-xdist hand over what they measured; one process adds it up, prints and writes.
Never: imports the engine, or measures anything itself; the chain's book does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median

import pytest

SNAPSHOT = ".gas-snapshot"
"""In pytest's root directory: a line a test, its name and its gas."""
_REPORT = "contractvm_gas_report"


class GasReport:
    """Gas by contract and function."""

    def __init__(self) -> None:
        self.gas: dict[tuple[str, str], list[int]] = {}

    def add(self, gas: Mapping[tuple[str, str], Iterable[int]]) -> None:
        """Take over what was measured."""
        for names, amounts in gas.items():
            self.gas.setdefault(names, []).extend(amounts)

    @pytest.hookimpl
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands over what it has."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_REPORT] = [[*names, amounts] for names, amounts in self.gas.items()]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """A worker has ended."""
        for contract, function, amounts in getattr(node, "workeroutput", {}).get(_REPORT, ()):
            self.add({(contract, function): amounts})

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.gas:
            return
        terminalreporter.section("gas")
        for line in table(self.gas):
            terminalreporter.line(line)


def table(gas: Mapping[tuple[str, str], list[int]]) -> list[str]:
    """A line a function: calls, least, median, mean and most gas."""
    head = ("function", "calls", "min", "median", "mean", "max")
    rows = [
        (
            f"{contract}.{function}",
            f"{len(amounts):,}",
            f"{min(amounts):,}",
            f"{int(median(amounts)):,}",
            f"{sum(amounts) // len(amounts):,}",
            f"{max(amounts):,}",
        )
        for (contract, function), amounts in sorted(gas.items())
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]

    def line(row: tuple[str, ...]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        return "  ".join((row[0].ljust(widths[0]), *numbers)).rstrip()

    return [line(row) for row in (head, *rows)]


class GasSnapshot:
    """Gas of each test, written to a file or compared with it."""

    def __init__(self, path: Path, told: str, *, check: bool, tolerance: float) -> None:
        """`told` is the property of a test's report that has its gas; `tolerance` is percent of what the file says."""
        self._told = told
        self._path = path
        self._check = check
        self._tolerance = tolerance
        self._gas: dict[str, int] = {}
        self._deselected: set[str] = set()
        self._said: list[str] = []
        self._failed = False

    def pytest_deselected(self, items: Iterable[pytest.Item]) -> None:
        self._deselected.update(item.nodeid for item in items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if report.when == "call" and report.passed and name == self._told and isinstance(value, int):
                self._gas[report.nodeid] = value

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write or compare; a difference fails the run. Raises: pytest.UsageError for a file that cannot be read."""
        if hasattr(session.config, "workerinput"):
            return
        if self._check:
            self._compare(read(self._path))
            if self._failed and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
        else:
            self._write()

    def _write(self) -> None:
        """Replace the lines of the files that were run; other files, and tests that were not asked for, stay."""
        old = read(self._path) if self._path.exists() else {}
        ran = {_file(nodeid) for nodeid in self._gas}
        kept = {name: gas for name, gas in old.items() if _file(name) not in ran or name in self._deselected}
        lines = [f"{name} {gas}\n" for name, gas in sorted((kept | self._gas).items())]
        self._path.write_text("".join(lines), encoding="utf-8")
        self._said.append(f"wrote {len(self._gas)} tests to {self._path.name}")

    def _compare(self, wanted: Mapping[str, int]) -> None:
        same = 0
        for name, gas in sorted(self._gas.items()):
            if name not in wanted:
                self._say(f"{name}: {gas:,} gas, not in {self._path.name}")
            elif abs(gas - wanted[name]) * 100 > self._tolerance * wanted[name]:
                change = (gas - wanted[name]) * 100 / (wanted[name] or 1)
                self._say(f"{name}: {wanted[name]:,} -> {gas:,} gas ({change:+.2f} %)")
            else:
                same += 1
        self._said.append(f"{same} of {len(self._gas)} tests use the gas that {self._path.name} says")
        if self._failed:
            self._said.append("if that is meant, run again with --gas-snapshot")

    def _say(self, text: str) -> None:
        self._failed = True
        self._said.append(text)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("gas snapshot")
        for line in self._said:
            terminalreporter.line(line, red=self._failed)


def read(path: Path) -> dict[str, int]:
    """Gas by test. Raises: pytest.UsageError."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return {name: int(gas) for name, gas in (line.rsplit(" ", 1) for line in lines if line)}
    except OSError as error:
        raise pytest.UsageError(f"{path}: {error.strerror}; make it with --gas-snapshot") from None
    except ValueError:
        raise pytest.UsageError(
            f"{path}: a line is not a test and its gas; make it again with --gas-snapshot"
        ) from None


def _file(nodeid: str) -> str:
    return nodeid.split("::")[0]
