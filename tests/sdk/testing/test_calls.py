"""Calling a contract as Python is called: names, overloads, arguments, and what is said when they do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sdk.abi import ABIError
from sdk.errors import BuildError
from sdk.testing import Deployed, MockChain, Reverted, reverts
from sdk.testing.names import abi_name
from tests.sdk.conftest import need
from tests.sdk.testing.conftest import ROOT

BOB = b"\x0b" * 20
ECHO = """(module
  (import "cvm1" "input_size" (func $size (result i32)))
  (import "cvm1" "input_copy" (func $copy (param i32 i32 i32) (result i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "call")
    (drop (call $copy (i32.const 0) (i32.const 4) (i32.const 1000)))
    (call $finish (i32.const 0) (i32.sub (call $size) (i32.const 4)))))"""
ABI = (
    "echo(uint256 value) view returns (uint256)",
    "echo(address who) view returns (address)",
    "echo(uint256 first, uint256 second) returns (uint256, uint256)",
    "function address() view returns ()",
    "MAX_SIZE() view",
)


@pytest.fixture
def mock() -> Iterator[MockChain]:
    with MockChain() as made:
        yield made


@pytest.fixture
def token(mock: MockChain, token_source: Path) -> Deployed:
    return mock.deploy(token_source, 1000)


@pytest.fixture
def echo(mock: MockChain, tmp_path: Path) -> Deployed:
    need("wasmtime", "wat")
    (tmp_path / "echo.wat").write_text(ECHO)
    return mock.deploy(tmp_path / "echo.wat", abi=ABI)


@pytest.mark.parametrize(
    ("python", "abi"),
    [
        ("balance_of", "balanceOf"),
        ("from_", "from"),
        ("MAX_SIZE", "MAX_SIZE"),
        ("transfer", "transfer"),
        ("x2_y", "x2Y"),
        ("token_u_r_i", "tokenURI"),
        ("_private", "_private"),
    ],
)
def test_names(python: str, abi: str) -> None:
    assert abi_name(python) == abi


def test_a_writing_function_answers_and_a_view_makes_no_block(mock: MockChain, token: Deployed, echo: Deployed) -> None:
    height = mock.height
    assert token.transfer(BOB, 5) is True
    assert mock.height == height + 1
    assert echo.echo(BOB) == BOB
    assert token.transfer.call(BOB, 5) is True
    assert mock.height == height + 1
    receipt = token.transfer.tx(BOB, 5)
    assert (receipt.value, receipt.gas_used > 21_000, len(receipt.logs)) == (True, True, 1)
    assert echo.echo.tx(BOB).value == BOB
    assert mock.height == height + 3


def test_sender_value_and_gas(mock: MockChain, token: Deployed) -> None:
    token.transfer(BOB, 10)
    token.transfer(mock.accounts[1], 3, sender=BOB)
    with reverts("ERC20InsufficientBalance", sender=BOB):
        token.transfer(mock.accounts[1], 30, sender="0x" + BOB.hex())
    with reverts("not payable"):
        token.transfer(BOB, 1, value=1)
    with pytest.raises(Exception, match="out of gas after 25000"):
        token.transfer(BOB, 1, gas=25_000)


def test_arguments_by_name_and_overloads(echo: Deployed) -> None:
    assert echo.echo(value_=7) == 7, "a trailing underscore tells it from the wei that are sent"
    assert echo.echo(who=BOB) == BOB
    assert echo.echo(1, second=2) == (1, 2)
    assert echo.echo(second=2, first=1) == (1, 2)
    assert echo.echo(5) == 5
    assert echo["echo(address)"]("0x" + BOB.hex()) == BOB
    assert echo["address()"]() is None
    assert echo.address != b""
    assert echo.MAX_SIZE() is None
    with pytest.raises(ABIError, match=r"overloaded; write c\['echo\(uint256\)'\] or"):
        _ = echo.echo.function
    assert "echo" in dir(echo)


def test_what_does_not_fit_says_what_was_expected(mock: MockChain, token: Deployed, echo: Deployed) -> None:
    for call, said in (
        (lambda: token.transfer(BOB), r"transfer\(address to, uint256 \w+\) takes 2 arguments, 1 given"),
        (lambda: token.transfer(BOB, "5"), "uint256 takes an int, not str '5'"),
        (lambda: token.transfer(BOB, -1), "-1 does not fit uint256"),
        (lambda: token.transfer(BOB[:-1], 1), "an address has 20 bytes, not 19"),
        (lambda: token.transfer(BOB, too=1), r"argument 'too' is unknown; did you mean to\?"),
        (lambda: token.transfer(BOB, 5, to=BOB), "argument 'to' is given twice"),
        (lambda: token.tranfer(BOB, 1), r"token has no function 'tranfer'; did you mean transfer"),
        (lambda: echo.echo("x"), "address takes bytes or 0x"),
        (lambda: echo.echo(), "takes 1 argument, 0 given"),
        (lambda: token["transfer(addres,uint256)"], "addres"),
        (lambda: mock.at(BOB), "there is no contract at 0x0b0b"),
        (lambda: mock.at("nobody"), "address takes bytes or 0x"),
    ):
        with pytest.raises(ABIError, match=said):
            call()
    assert not hasattr(token, "nothing")


def test_a_contract_whose_block_was_taken_back(mock: MockChain, token_source: Path) -> None:
    before = mock.snapshot()
    token = mock.deploy(token_source, 1000)
    mock.revert(before)
    with pytest.raises(ABIError, match=r"no contract at token: it was deployed after the moment"):
        token.transfer(BOB, 1)


def test_reverts_compares_fields(mock: MockChain, token: Deployed) -> None:
    with (
        pytest.raises(AssertionError, match=r"ERC20InsufficientBalance.needed is 5_?000, not 6_?000"),
        reverts("ERC20InsufficientBalance", needed=6000),
    ):
        token.transfer(BOB, 5000)
    with (
        pytest.raises(AssertionError, match="has no field 'need'; did you mean needed"),
        reverts("ERC20InsufficientBalance", need=6000),
    ):
        token.transfer(BOB, 5000)
    with reverts("Error", message="not payable"):
        token.transfer(BOB, 1, value=1)
    with reverts() as caught:
        token.transfer(BOB, 5000)
    assert isinstance(caught.error, Reverted)
    assert caught.error.fields["balance"] == 1000


def test_paths_are_found_from_the_file_that_asks(
    mock: MockChain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    need("wasmtime", "wat")
    monkeypatch.chdir(tmp_path)
    counter = mock.deploy("contracts/counter/counter.wat", abi="number() view returns (uint256)")
    assert counter.number() == 0
    (tmp_path / "near.wat").write_text(ECHO)
    assert repr(mock.deploy("near.wat")) == "near"
    with pytest.raises(BuildError, match=r"missing\.wat: No such file; looked in .*testing.*"):
        mock.deploy("missing.wat")
    with pytest.raises(BuildError, match="give a contract's class, a path, an artifact or bytes"):
        mock.deploy(5)  # type: ignore[call-overload]


def test_a_source_is_built_again_when_it_changed(mock: MockChain, tmp_path: Path) -> None:
    need("wasmtime", "wat")
    path = tmp_path / "c.wat"
    path.write_text(ECHO)
    first = mock.deploy(path)
    path.write_text(ECHO.replace("1000", "100"))
    second = mock.deploy(path)
    code = [mock.ledger.world.code(contract.address) for contract in (first, second)]
    assert code[0] != code[1]
    assert (repr(first), repr(second)) == ("c", "c_2")


def test_labels(mock: MockChain, token: Deployed) -> None:
    mock.label(BOB, "bob")
    assert mock.label_of(BOB) == "bob"
    with pytest.raises(Reverted):
        token.transfer(token, 1, sender=BOB)
    assert mock.label_of(b"\x01" * 20) == "0x" + "01" * 20
    assert repr(token.transfer) == "token.transfer"


def test_the_receipt_of_the_chain_itself(mock: MockChain, token: Deployed) -> None:
    before = mock.snapshot()
    receipt = token.transfer.tx(BOB, 5)
    assert receipt.raw.gas_used == receipt.gas_used
    assert receipt.raw.block_hash == mock.inner.header(receipt.height).hash
    mock.revert(before)
    with pytest.raises(LookupError, match="was undone"):
        _ = receipt.raw


def test_what_draws_says_that_it_needs_hypothesis() -> None:
    program = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import sdk.testing\n"
        "sdk.testing.MockChain\n"
        "try:\n    sdk.testing.fuzz\nexcept ImportError as error:\n    print(error)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "sdk.testing.fuzz draws with hypothesis: pip install hypothesis\n"
