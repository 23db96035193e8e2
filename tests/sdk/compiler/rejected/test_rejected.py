"""Everything that the front end refuses: the whole message, with place, line, caret and help."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.compiler.cases import Case, check_cases
from tests.sdk.compiler.rejected.cases import cases, said


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.file}: {case.name}") for case in cases()])
def test_what_is_said(case: Case, tmp_path: Path) -> None:
    assert case.expected
    assert said(case.source, tmp_path) == case.expected


def test_every_case_is_one_and_everything_said_has_help() -> None:
    check_cases(list(cases()))
