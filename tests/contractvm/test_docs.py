"""The generated reference is fresh, total, and says what the tables say."""

from __future__ import annotations

from pathlib import Path

import pytest

from contractvm import docs
from contractvm.host import HOST
from contractvm.wasm.opcodes import OPS
from gas.schedule import load


def test_the_committed_pages_are_fresh() -> None:
    assert docs.stale(docs.FOLDER, load("cvm1")) == [], "run `python -m contractvm.docs`"


def test_every_row_without_a_signature_says_what_it_does_and_no_other() -> None:
    assert set(docs.EFFECTS) == {op.name for op in OPS if op.sig == ""}


def test_every_form_of_immediates_has_words() -> None:
    assert set(docs.IMMEDIATES) == {op.imm for op in OPS}


def test_every_instruction_and_import_is_there_once() -> None:
    schedule = load("cvm1")
    opcodes, host = docs.opcodes_page(schedule), docs.host_page(schedule)
    assert [opcodes.count(f"| `{op.name}` |") for op in OPS] == [1] * len(OPS)
    assert [host.count(f"| `{row.name}(") for row in HOST] == [1] * len(HOST)


@pytest.mark.parametrize(
    ("milligas", "text"), [(0, "0"), (300, "0.3"), (1_100, "1.1"), (3_000_000, "3,000"), (1_001, "1.001")]
)
def test_prices_are_exact(milligas: int, text: str) -> None:
    assert docs.gas(milligas) == text


def test_check_fails_on_a_stale_page_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "FOLDER", tmp_path)
    assert docs.main(["--check"]) == 1
    assert "opcodes.md is stale" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
