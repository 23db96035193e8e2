"""Call trees: what is shown of transfers, creations, traps, exhausted gas and moments that were left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sdk.testing import CallFailed, MockChain, RanOutOfGas, Reverted, Trapped, replay
from sdk.testing.replay import looked_into
from tests.sdk.conftest import need
from tests.sdk.testing.conftest import ROOT

BOB = b"\x0b" * 20
ODD = """(module
  (import "cvm1" "input_copy" (func $input_copy (param i32 i32 i32) (result i32)))
  (import "cvm1" "create" (func $create (param i32 i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "call")
    (drop (call $input_copy (i32.const 0) (i32.const 0) (i32.const 1)))
    (block $spin (block $trap (block $create
      (br_table $create $trap $spin (i32.load8_u (i32.const 0))))
      (drop (call $create (i32.const 0) (i32.const 1) (i32.const 64) (i32.const 0) (i32.const 0)
        (i64.const 100000) (i32.const 128)))
      return)
      unreachable)
    (loop $again (br $again))))"""
CREATE, TRAP, SPIN = (bytes([number]) for number in range(3))


@pytest.fixture
def mock() -> Iterator[MockChain]:
    with MockChain(tier="portable") as made:
        made.label(BOB, "bob")
        yield made


def shapes(mock: MockChain) -> list[str]:
    """The lines of what is shown, without gas."""
    return [line.split("  [")[0] for line in looked_into(mock).splitlines()]


def test_transfers_and_values(mock: MockChain) -> None:
    need("ziglang", "c")
    escrow = mock.deploy(ROOT / "contracts" / "escrow" / "escrow.c")
    escrow.open(BOB, mock.accounts[2], mock.timestamp + 100, value=5)
    mock.book.open()
    escrow.release(1)
    mock.pay(BOB, 3)
    lines = shapes(mock)
    assert lines[0] == "escrow.release(1)"
    assert "├─ bob.receive() with 5 wei" in lines
    assert any("emitted Closed(" in line and "_amount=5" not in line and "bob" in line for line in lines)
    assert lines[-1] == "chain.pay(bob, 3)"


def test_how_frames_end(mock: MockChain, tmp_path: Path) -> None:
    need("wasmtime", "wat")
    (tmp_path / "odd.wat").write_text(ODD)
    odd = mock.deploy(tmp_path / "odd.wat")
    mock.book.open()
    with pytest.raises(Trapped):
        mock.transact(odd.address, TRAP)
    with pytest.raises(RanOutOfGas):
        mock.transact(odd.address, SPIN, gas=60_000)
    mock.transact(odd.address, CREATE)
    lines = shapes(mock)
    assert lines[0].startswith("chain.transact(odd, bytes.fromhex('01'))  # Trapped: trap: unreachable")
    assert lines[1].startswith("└─ trapped: unreachable    (call at byte 0x")
    assert lines[2].startswith(
        "chain.transact(odd, bytes.fromhex('02'), gas=60000)  # RanOutOfGas: out of gas after 60000"
    )
    assert lines[3].startswith("└─ out of gas    (call at byte 0x")
    assert lines[5].startswith("├─ create ")
    assert "code refused" in lines[6] or "no machine runs" in lines[6]
    assert lines[7] == "└─ returned"


def test_looking_changes_nothing(mock: MockChain, token_source: Path) -> None:
    token = mock.deploy(token_source, 1000)
    before = mock.snapshot()
    token.transfer(BOB, 5)
    mock.revert(before)
    token.transfer(BOB, 7)
    mock.warp(50)
    with pytest.raises(Reverted):
        token.transfer(BOB, 5000)
    mock.warp(20)
    moment, balance = mock.moment(), token.balanceOf.call(BOB)
    lines = shapes(mock)
    assert [line for line in lines if line.startswith("token.transfer")] == [
        "token.transfer(bob, 5)",
        "token.transfer(bob, 7)",
        "token.transfer(bob, 5000)  # Reverted: ERC20InsufficientBalance(sender=accounts[0], balance=993, needed=5000)",
    ]
    after = mock.moment()
    assert (after.node, after.next_timestamp) == (moment.node, moment.next_timestamp)
    assert token.balanceOf.call(BOB) == balance == 7
    assert mock.inner.world().balance(BOB) == 0


def test_long_calls_are_not_followed(mock: MockChain, token_source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = mock.deploy(token_source, 1000)
    mock.book.open()
    token.transfer(BOB, 5)
    followed = looked_into(mock)
    monkeypatch.setattr(replay, "FOLLOWED", 0)
    short = looked_into(mock)
    assert " at byte 0x" in followed
    assert " at byte 0x" not in short
    assert [line.split("    (")[0] for line in followed.splitlines()] == short.splitlines()


def test_earlier_calls_are_a_line_each(mock: MockChain, token_source: Path) -> None:
    token = mock.deploy(token_source, 1000)
    mock.book.open()
    for number in range(40):
        token.approve(BOB, number)
    lines = shapes(mock)
    assert lines[0] == "... 12 before these"
    assert lines[1 : replay.LINES + 1] == [f"token.approve(bob, {number})" for number in range(12, 36)]
    assert sum(line.startswith("└─ returned True") for line in lines) == replay.TREES


def test_every_failure_is_a_call_that_failed() -> None:
    assert {Reverted, Trapped, RanOutOfGas} <= set(CallFailed.__subclasses__())
