"""The C contract and the test that `contracts/README.md` shows, taken from there and run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.sdk.conftest import need

README = Path(__file__).parents[2] / "contracts" / "README.md"


def block(language: str) -> str:
    """The one code block in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert isinstance(found, str)
    return found


def test_the_readmes_contract_passes_the_readmes_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("ziglang", "c")
    from tests.sdk.testing.test_plugin import run

    monkeypatch.setenv("PYTHONPATH", str(README.parents[1]))
    (pytester.path / "square.c").write_text(block("c"), encoding="utf-8")
    (pytester.path / "test_square.py").write_text(block("python"), encoding="utf-8")
    run(pytester).assert_outcomes(passed=1)


def test_the_readme_names_every_header() -> None:
    headers = {path.name for path in (README.parents[1] / "sdk" / "c").glob("*.h")}
    assert headers == set(re.findall(r"`(cvm\w*\.h)`", README.read_text(encoding="utf-8")))
