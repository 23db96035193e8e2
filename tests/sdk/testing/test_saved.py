"""States in files: what is saved is there again when it is loaded, on this chain or another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sdk.errors import BuildError
from sdk.testing import MockChain, StateFileError, reverts

BOB = b"\x0b" * 20


def test_a_state_is_loaded_again(tmp_path: Path, token_source: Path) -> None:
    path = tmp_path / "state.json"
    with MockChain() as made:
        token = made.deploy(token_source, 1000, label="gold")
        token.transfer(BOB, 400)
        made.deal(BOB, 7)
        made.warp(5000)
        made.mine()
        made.save(path)
        saved_at = made.timestamp
    with MockChain() as mock:
        mock.pay(BOB, 1)
        before = mock.snapshot()
        world = mock.load(path)
        assert list(world) == ["gold"]
        gold = world["gold"]
        assert (gold.balanceOf(BOB), gold.balanceOf(mock.accounts[0])) == (400, 600)
        assert mock.balance(BOB) == 7
        assert mock.timestamp == saved_at
        assert repr(gold) == "gold"
        with reverts("ERC20InsufficientBalance", needed=401):
            gold.transfer(mock.accounts[0], 401, sender=BOB)
        gold.transfer(mock.accounts[0], 400, sender=BOB)
        assert mock.inner.world().balance(BOB) == 7
        mock.revert(before)
        assert mock.balance(BOB) == 1
        with pytest.raises(KeyError, match="there are: gold"):
            world["silver"]


def test_storage_that_was_there_is_replaced(tmp_path: Path, token_source: Path) -> None:
    with MockChain() as mock:
        token = mock.deploy(token_source, 1000)
        mock.save(tmp_path / "before")
        token.transfer(BOB, 1)
        mock.load(tmp_path / "before")
        assert (token.balanceOf(BOB), token.balanceOf(mock.accounts[0])) == (0, 1000)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("no json", "is no saved state"),
        ("[]", "has the format None"),
        ('{"format": 2}', "has the format 2, this version reads 1"),
        ('{"format": 1}', "is no saved state"),
        ('{"format": 1, "timestamp": 1, "contracts": {}, "accounts": {"0x12": {}}}', "is no saved state"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with MockChain() as mock, pytest.raises(StateFileError, match=problem):
        mock.load(path)


def test_code_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    account = {"nonce": 0, "balance": "0", "code": "0x0061736d", "storage": {}}
    content = {"format": 1, "timestamp": 1, "contracts": {}, "accounts": {"0x" + BOB.hex(): account}}
    path.write_text(json.dumps(content))
    with MockChain() as mock, pytest.raises(StateFileError, match=r"the code at 0x0b0b.* is refused"):
        mock.load(path)
    with MockChain() as mock, pytest.raises(BuildError, match="No such file"):
        mock.load("not-there.json")
