"""The long contract of the bench: whether it is long, and all there."""

from __future__ import annotations

from pathlib import Path

from sdk.compiler import compile_file
from tests.bench.authored import PARTS, together


def test_the_long_contract_does_what_its_parts_do(tmp_path: Path) -> None:
    path = tmp_path / "everything.py"
    path.write_text(together(PARTS))
    assert len(path.read_text().splitlines()) >= 300
    whole = compile_file(path)
    parts = [compile_file(part) for part in PARTS]
    assert len(whole.interface.functions) == sum(len(part.interface.functions) for part in parts)
