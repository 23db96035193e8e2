"""`contractvm node`'s options: what is wrong with them is said before anything listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contractvm.cli.conftest import Cli

pytest.importorskip("uvicorn", reason="the extra 'node' is not installed")

FAR = str(10**30)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--block-time", "nan"), "--block-time is no number"),
        (("--block-time", "inf"), "not in the range"),
        (("--block-time", "1e300"), "not in the range"),
        (("--chain-id", FAR), "not in the range"),
        (("--gas-limit", FAR), "not in the range"),
        (("--base-fee", FAR), "not in the range"),
        (("--balance", "9" * 70), "not in the range"),
        (("--host", ""), "--host is empty"),
        (("--mnemonic", " "), "--mnemonic is empty"),
    ],
)
def test_what_no_chain_can_have_is_wrong_usage(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], says: str
) -> None:
    monkeypatch.delenv("CONTRACTVM_DATA")
    cli("node", "--port", "0", *options).failed(says, code=2)


def test_a_state_that_could_not_be_written_is_refused_before_anything_is_done(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("CONTRACTVM_DATA")
    cli("node", "--port", "0", "--state", str(tmp_path / "none" / "x")).failed("the state would be lost", code=2)


@pytest.mark.parametrize("url", ["http://me:secret@127.0.0.1:9/secret", "http://me:secret@[/", "ftp://me:secret@x"])
def test_no_more_is_shown_of_a_forks_url_than_its_place(cli: Cli, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("CONTRACTVM_DATA")
    ran = cli("node", "--port", "0", "--fork-url", url).failed()
    assert "secret" not in ran.err
