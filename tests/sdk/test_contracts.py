"""What all example contracts have in common: short, built without a warning, and one page of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdk.build import build
from sdk.errors import ToolMissing

CONTRACTS = Path(__file__).parents[2] / "contracts"
SOURCES = sorted(
    path
    for path in CONTRACTS.rglob("*.*")
    if path.suffix in (".c", ".wat", ".rs") or (path.suffix == ".py" and not path.name.startswith("test_"))
)
CRATES = sorted(CONTRACTS.rglob("Cargo.toml"))
DEPLOYABLE = [path for path in SOURCES if path.parent.name != "lessons" and path.suffix in (".c", ".wat")] + CRATES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_example_is_longer_than_120_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 120


@pytest.mark.parametrize("path", DEPLOYABLE, ids=lambda path: path.name)
def test_every_contract_builds_without_a_warning(path: Path) -> None:
    try:
        assert build(path).warnings == ()
    except ToolMissing as missing:
        pytest.skip(str(missing))


def test_every_contract_has_a_test_beside_it() -> None:
    for path in SOURCES:
        if path.parent.name != "lessons":
            home = path.parent if path.suffix != ".rs" else path.parents[2]
            assert list(home.glob("test_*.py")), path
