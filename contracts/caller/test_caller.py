"""Calls between contracts: answers and refusals passed on, failures survived, writes forbidden, re-entry decided."""

from pathlib import Path

import pytest

from contractvm.machine import Status
from sdk.abi import explain
from sdk.testing import Deployed, MockChain, reverts


@pytest.fixture(scope="module")
def caller(chain: MockChain) -> Deployed:
    return chain.deploy(Path(__file__).with_name("caller.c"))


@pytest.fixture(scope="module")
def callee(chain: MockChain) -> Deployed:
    return chain.deploy(Path(__file__).with_name("callee.c"))


def test_passes_an_answer_on(caller: Deployed, callee: Deployed) -> None:
    assert caller.forward(callee, 21) == 42


def test_passes_a_panic_on(caller: Deployed, callee: Deployed) -> None:
    with reverts("panic 0x11: arithmetic overflow or underflow"):
        caller.forward(callee, 2**255)


def test_passes_a_reason_on(caller: Deployed, callee: Deployed) -> None:
    with reverts("callee says no"):
        caller.bubble(callee)


def test_survives_a_failure_and_sees_why(caller: Deployed, callee: Deployed) -> None:
    answer = caller.attempt(callee)
    assert isinstance(answer, tuple)
    status, reason = answer
    assert status == Status.REVERT
    assert explain(reason).text == "callee says no"


def test_no_code_is_a_status(caller: Deployed) -> None:
    answer = caller.attempt(b"\x01" * 20)
    assert answer == (Status.NO_CODE, b"")


def test_a_static_call_cannot_write(chain: MockChain, caller: Deployed, callee: Deployed) -> None:
    assert caller.peek(callee) == Status.TRAP
    assert chain.storage(callee.address, b"c") == b""
    callee.bump()
    assert chain.storage(callee.address, b"c") == b"\1".ljust(8, b"\0")


def test_reentry_is_refused_unless_allowed(caller: Deployed, callee: Deployed) -> None:
    assert caller.visit(callee, False) == Status.REENTRY
    assert caller.visit(callee, True) == Status.OK
    assert caller.entered() == 2


def test_a_contract_calling_itself_reenters(caller: Deployed) -> None:
    assert caller.attempt(caller) == (Status.REENTRY, b"")
