"""The generated C header and Rust externs: fresh, total, and refused for a row that nobody has thought about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from contractvm.errors import Fatal
from contractvm.host import BY_NAME, HOST
from sdk import headers


def test_the_files_are_fresh() -> None:
    assert headers.HEADER.read_text(encoding="utf-8") == headers.render(), "run `python -m sdk.headers`"
    assert headers.EXTERNS.read_text(encoding="utf-8") == headers.render_rust(), "run `python -m sdk.headers`"
    assert headers.main(["--check"]) == 0


def test_a_stale_header_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(headers, "HEADER", tmp_path / "cvm.h")
    monkeypatch.setattr(headers, "EXTERNS", tmp_path / "host.rs")
    assert headers.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "cvm.h is stale: run `python -m sdk.headers`" in said and "host.rs is stale" in said
    assert headers.main([]) == 0
    assert headers.main(["--check"]) == 0
    (tmp_path / "host.rs").write_text("")
    assert headers.main(["--check"]) == 1
    assert headers.main(["--chekc"]) == 2


def test_every_row_is_declared_once() -> None:
    text, rust = headers.render(), headers.render_rust()
    for row in HOST:
        assert rust.count(f"    pub fn {row.name}(") == 1
        assert text.count(f'CVM_IMPORT("{row.name}")') == 1
        assert f" cvm_{row.name}(" in text


def test_a_parameter_that_is_in_no_list_is_refused() -> None:
    def odd(host: object, thing: int) -> None: ...

    with pytest.raises(Fatal, match="'thing' is a pointer"):
        headers.declare(replace(BY_NAME["caller"], name="odd", params="i", fn=odd))
    with pytest.raises(Fatal, match="2 parameters in the table, 1 in the function"):
        headers.declare(replace(BY_NAME["caller"], name="odd", params="ii", fn=odd))
