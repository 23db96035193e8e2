"""The example contracts in Python: each compiles, without a warning, to the same bytes every time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sdk.compiler import compile_file
from tests.sources import ROOT

NAMES = {"token", "nft", "multitoken", "escrow", "multisig", "vesting", "auction", "exchange", "governor", "airdrop"}


def contracts(path: Path) -> list[str]:
    """The classes of a file that are contracts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [node.name for node in classes if ast.unparse(node.bases[0]) == "Contract"]


SOURCES = sorted(path for path in (ROOT / "contracts").rglob("*.py") if not path.name.startswith("test_"))
EVERY = [(path, name) for path in SOURCES for name in contracts(path)]


def test_all_are_there() -> None:
    assert {path.stem for path, _ in EVERY} >= NAMES | {"names"}


@pytest.mark.parametrize(("path", "name"), EVERY, ids=lambda part: part if isinstance(part, str) else part.stem)
def test_compiles_without_a_warning_and_always_the_same(path: Path, name: str) -> None:
    first, second = compile_file(path, name), compile_file(path, name)
    assert first.warnings == ()
    assert (first.module, first.abi, first.layout) == (second.module, second.abi, second.layout)
