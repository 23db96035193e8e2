"""Everything that the checker refuses: the whole message, with place, line, caret and help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sdk.compiler.check
from tests.sdk.compiler.cases import Case, check_cases
from tests.sdk.compiler.check.cases import cases, said


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.file}: {case.name}") for case in cases()])
def test_what_is_said(case: Case, tmp_path: Path) -> None:
    assert case.expected
    assert said(case.source, tmp_path) == case.expected


def test_every_case_is_one_and_everything_said_has_help() -> None:
    check_cases(list(cases()))


def test_every_code_of_the_checker_has_a_case() -> None:
    folder = Path(sdk.compiler.check.__file__).parent
    used = {code for file in folder.glob("*.py") for code in re.findall(r'"(CV\d{3})"', file.read_text())}
    shown = {code for case in cases() for code in re.findall(r"\[(CV\d{3})\]", case.expected)}
    assert used - shown == set()


def test_the_constructor_is_no_door(tmp_path: Path) -> None:
    source = """from sdk import *

class Purse(Contract):
    def __init__(self) -> None:
        self.pay(msg.sender)

    @external
    @nonreentrant
    def pay(self, to: Address) -> None:
        send(to, 0)

    @external
    @nonreentrant
    def empty(self, to: Address) -> None:
        self.pay(to)
"""
    assert said(source, tmp_path) == ""
