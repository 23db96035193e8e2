"""What pytest does for `--contract-coverage`: collects from workers, prints, and writes `contracts.lcov`.

Never: imports the engine before a test wants it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sdk.testing.coverage import Coverage, FileCoverage, Packed

TRACEFILE = "contracts.lcov"
"""In pytest's root directory."""
_OUTPUT = "contractvm_coverage"


class CoverageReport:
    """The coverage of a session; `coverage` is made when the chain is."""

    def __init__(self, root: Path) -> None:
        self.coverage: Coverage | None = None
        self._root = root
        self._packed: list[dict[str, Packed]] = []

    def begin(self) -> Coverage:
        """What the chain is to write to."""
        from sdk.testing.coverage import Coverage

        if self.coverage is None:
            self.coverage = Coverage()
        return self.coverage

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands over what it has."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None and self.coverage is not None:
            output[_OUTPUT] = {str(path): covered.pack() for path, covered in self.coverage.files().items()}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """A worker has ended."""
        self._packed.append(getattr(node, "workeroutput", {}).get(_OUTPUT, {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        files = self._files()
        if not files:
            terminalreporter.section("contract coverage")
            terminalreporter.line("no contract in Python was deployed")
            return
        from sdk.testing.coverage import lcov, table

        terminalreporter.section("contract coverage")
        for line in table(files, self._root):
            terminalreporter.line(line)
        (self._root / TRACEFILE).write_text(lcov(files, self._root), encoding="utf-8")
        terminalreporter.line(f"wrote {TRACEFILE}")

    def _files(self) -> dict[Path, FileCoverage]:
        """Everything that ran here and on workers."""
        found = {} if self.coverage is None else self.coverage.files()
        if any(self._packed):
            from sdk.testing.coverage import FileCoverage

            for packed in self._packed:
                for path, covered in packed.items():
                    found.setdefault(Path(path), FileCoverage()).add(FileCoverage.unpack(covered))
        return found
