"""expect_event: what was emitted in a block, with its fields, and what there was instead."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sdk.abi import ABIError
from sdk.testing import Deployed, MockChain, Reverted, expect_event

BOB = b"\x0b" * 20


@pytest.fixture
def mock() -> Iterator[MockChain]:
    with MockChain() as made:
        yield made


@pytest.fixture
def token(mock: MockChain, token_source: Path) -> Deployed:
    return mock.deploy(token_source, 1000)


class Transfer:
    """Stands for a contract's event class: it is known by its name."""


def test_an_event_with_its_fields(mock: MockChain, token: Deployed) -> None:
    with expect_event(token, "Transfer", from_=mock.accounts[0], to=BOB, value=5) as seen:
        with pytest.raises(LookupError, match="goes on"):
            _ = seen.fields
        token.transfer(BOB, 5)
    assert seen.fields == {"from": mock.accounts[0], "to": BOB, "value": 5}
    with expect_event(token, Transfer, to="0x" + BOB.hex(), count=2) as seen:
        token.transfer(BOB, 1)
        token.transfer(mock.accounts[1], 9)
        token.transfer(BOB, 2)
    assert [event["value"] for event in seen.events] == [1, 2]
    with expect_event(token, "Transfer", count=0):
        token.approve(BOB, 5)
    with expect_event(token, "Transfer(address indexed from, address indexed to, uint256 value)", value=1):
        token.transfer(BOB, 1)


def test_what_was_emitted_instead(mock: MockChain, token: Deployed, token_source: Path) -> None:
    other = mock.deploy(token_source, 1000, label="other")
    token.transfer(BOB, 6)
    with pytest.raises(AssertionError) as caught, expect_event(token, "Transfer", to=BOB, value=6):
        token.transfer(BOB, 5)
        token.approve(BOB, 6)
        other.transfer(BOB, 6)
    assert str(caught.value) == (
        f"expected Transfer(to=0x{BOB.hex()}, value=6) of token; else there was:\n"
        f"  Transfer(from=accounts[0], to=0x{BOB.hex()}, value=5)\n"
        f"  Approval(owner=accounts[0], spender=0x{BOB.hex()}, value=6)\n"
        "  other: a log of another contract"
    )
    with (
        pytest.raises(AssertionError, match=r"of token 1 times; it was seen 2 times"),
        expect_event(token, "Transfer", count=1),
    ):
        token.transfer(BOB, 5)
        token.transfer(BOB, 5)
    with pytest.raises(AssertionError, match=r"there was: nothing$"), expect_event(token, "Transfer"):
        pass


def test_what_failed_was_not_emitted(token: Deployed) -> None:
    with pytest.raises(Reverted), expect_event(token, "Transfer"):
        token.transfer(BOB, 5000)


def test_names_that_are_not_declared(token: Deployed) -> None:
    with (
        pytest.raises(ABIError, match=r"no event 'Tranfer' is declared \(did you mean Transfer\?\)"),
        expect_event(token, "Tranfer"),
    ):
        pass
    with (
        pytest.raises(ABIError, match="event Transfer has no field 'amount'; known: from, to, value"),
        expect_event(token, "Transfer", amount=5),
    ):
        pass
