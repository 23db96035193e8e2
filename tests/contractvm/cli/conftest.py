"""The command line in this process, with a data directory and an environment of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contractvm.cli.app import run


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object on one line and nothing else."""
        assert self.out.count("\n") == 1, self.out
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document

    def failed(self, *words: str, code: int = 1) -> Ran:
        """Assert that it failed with that code, said so in one or two lines, and used these words."""
        assert self.code == code, self
        lines = self.err.strip().split("\n")
        said = [line for line in lines if not line.startswith(("note:", "warning:", "debug:"))]
        assert said[0].startswith("error: ") and len(said) <= 2, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err, self.err
        return self


Cli = Callable[..., Ran]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where the chain's directory will be; there is none yet."""
    return tmp_path / "chain"


@pytest.fixture
def cli(data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("run", path, "--json")` runs a command and returns what it left."""
    for name in ("FROM", "PRIVATE_KEY", "GAS_LIMIT", "GAS_PRICE"):
        monkeypatch.delenv(f"ETH_{name}", raising=False)
        monkeypatch.delenv(f"CONTRACTVM_{name}", raising=False)
    monkeypatch.delenv("CONTRACTVM_TIER", raising=False)
    monkeypatch.setenv("CONTRACTVM_DATA", str(data))

    def command(*words: object) -> Ran:
        capsys.readouterr()
        code = run([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command
