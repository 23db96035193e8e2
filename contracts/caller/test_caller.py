"""Calls between contracts: answers and refusals passed on, failures survived, writes forbidden, re-entry decided."""

from pathlib import Path

import pytest

from contractvm.machine import Status
from sdk.abi import explain
from sdk.testing import Contract, MockChain, reverts


@pytest.fixture(scope="module")
def caller(chain: MockChain) -> Contract:
    return chain.deploy(Path(__file__).with_name("caller.c"))


@pytest.fixture(scope="module")
def callee(chain: MockChain) -> Contract:
    return chain.deploy(Path(__file__).with_name("callee.c"))


def test_passes_an_answer_on(caller: Contract, callee: Contract) -> None:
    assert caller.call("forward", callee, 21) == 42


def test_passes_a_panic_on(caller: Contract, callee: Contract) -> None:
    with reverts("panic 0x11: arithmetic overflow or underflow"):
        caller.send("forward", callee, 2**255)


def test_passes_a_reason_on(caller: Contract, callee: Contract) -> None:
    with reverts("callee says no"):
        caller.send("bubble", callee)


def test_survives_a_failure_and_sees_why(caller: Contract, callee: Contract) -> None:
    answer = caller.call("attempt", callee)
    assert isinstance(answer, tuple)
    status, reason = answer
    assert status == Status.REVERT
    assert explain(reason).text == "callee says no"


def test_no_code_is_a_status(caller: Contract) -> None:
    answer = caller.call("attempt", b"\x01" * 20)
    assert answer == (Status.NO_CODE, b"")


def test_a_static_call_cannot_write(chain: MockChain, caller: Contract, callee: Contract) -> None:
    assert caller.call("peek", callee) == Status.TRAP
    assert chain.inner.world().storage(callee.address, b"c") == b""
    callee.send("bump()")
    assert chain.inner.world().storage(callee.address, b"c") == b"\1".ljust(8, b"\0")


def test_reentry_is_refused_unless_allowed(caller: Contract, callee: Contract) -> None:
    assert caller.call("visit", callee, False) == Status.REENTRY
    assert caller.call("visit", callee, True) == Status.OK
    caller.send("visit", callee, True)
    assert caller.call("entered") == 2


def test_a_contract_calling_itself_reenters(caller: Contract) -> None:
    assert caller.call("attempt", caller) == (Status.REENTRY, b"")
