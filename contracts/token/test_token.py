"""The token, in Python, C and Rust: EIP-20's functions and events, ERC-6093's errors, how little it stores."""

from pathlib import Path

import pytest

from contractvm.types import Address
from sdk.abi import Error, Event, Function
from sdk.build import Artifact, build
from sdk.errors import ToolMissing
from sdk.interface import Interface
from sdk.testing import Deployed, MockChain, reverts

SUPPLY = 10**27
MAX = 2**256 - 1
ZERO = bytes(20)


HERE = Path(__file__).parent
LANGUAGES = {"python": HERE / "token.py", "c": HERE / "token.c", "rust": HERE / "rust" / "Cargo.toml"}


@pytest.fixture(scope="module", params=LANGUAGES)
def artifact(request: pytest.FixtureRequest) -> Artifact:
    try:
        return build(LANGUAGES[request.param])
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def token(chain: MockChain, artifact: Artifact) -> Deployed:
    return chain.deploy(artifact, SUPPLY)


def test_describes_itself(token: Deployed) -> None:
    assert (token.name(), token.symbol(), token.decimals()) == ("Contract Token", "CVM", 18)


def test_constructor_gives_the_supply_to_the_deployer(token: Deployed, accounts: tuple[Address, ...]) -> None:
    assert token.totalSupply() == token.balanceOf(accounts[0]) == SUPPLY
    assert token.balanceOf(accounts[1]) == 0


def test_transfer_moves_and_tells(token: Deployed, accounts: tuple[Address, ...]) -> None:
    alice, bob = accounts[:2]
    receipt = token.transfer.tx(bob, 5)
    assert receipt.events("Transfer") == [(alice, bob, 5)]
    assert (token.balanceOf(alice), token.balanceOf(bob)) == (SUPPLY - 5, 5)


def test_transfer_answers_true(token: Deployed, accounts: tuple[Address, ...]) -> None:
    assert token.transfer(accounts[1], 5) is True


def test_transfer_to_oneself_changes_nothing(token: Deployed, accounts: tuple[Address, ...]) -> None:
    assert token.transfer.tx(accounts[0], 7).events("Transfer") == [(accounts[0], accounts[0], 7)]
    assert token.balanceOf(accounts[0]) == SUPPLY


def test_transfer_of_all_and_of_nothing(token: Deployed, accounts: tuple[Address, ...]) -> None:
    token.transfer(accounts[1], SUPPLY)
    token.transfer(accounts[1], 0)
    assert (token.balanceOf(accounts[0]), token.balanceOf(accounts[1])) == (0, SUPPLY)


@pytest.mark.parametrize("amount", [2**64 - 1, 2**64, 2**127 + 2**65 + 3, 2**255 + 2**192 - 1, MAX])
def test_amounts_of_every_width(
    chain: MockChain, artifact: Artifact, accounts: tuple[Address, ...], amount: int
) -> None:
    token = chain.deploy(artifact, MAX)
    token.transfer(accounts[1], amount)
    assert token.balanceOf(accounts[1]) == amount
    assert token.balanceOf(accounts[0]) == MAX - amount
    token.transfer(accounts[0], amount, sender=accounts[1])
    assert (token.balanceOf(accounts[0]), token.balanceOf(accounts[1])) == (MAX, 0)


def test_transfer_of_more_than_there_is(token: Deployed, accounts: tuple[Address, ...]) -> None:
    alice, bob = accounts[:2]
    with reverts("ERC20InsufficientBalance", sender=alice, balance=SUPPLY, needed=SUPPLY + 1):
        token.transfer(bob, SUPPLY + 1)
    assert token.balanceOf(alice) == SUPPLY


def test_transfer_to_nobody(token: Deployed) -> None:
    with reverts("ERC20InvalidReceiver"):
        token.transfer(ZERO, 1)


def test_allowance_is_spent(token: Deployed, accounts: tuple[Address, ...]) -> None:
    alice, bob, carol = accounts[:3]
    assert token.approve.tx(bob, 10).events("Approval") == [(alice, bob, 10)]
    assert token.allowance(alice, bob) == 10
    receipt = token.transferFrom.tx(alice, carol, 4, sender=bob)
    assert receipt.events("Transfer") == [(alice, carol, 4)]
    assert (token.allowance(alice, bob), token.balanceOf(carol)) == (6, 4)
    with reverts("ERC20InsufficientAllowance", spender=bob, allowance=6, needed=7):
        token.transferFrom(alice, carol, 7, sender=bob)


def test_the_largest_allowance_is_never_used_up(token: Deployed, accounts: tuple[Address, ...]) -> None:
    alice, bob = accounts[:2]
    token.approve(bob, MAX)
    token.transferFrom(alice, bob, 5, sender=bob)
    assert token.allowance(alice, bob) == MAX


def test_allowance_does_not_lend_what_is_not_there(token: Deployed, accounts: tuple[Address, ...]) -> None:
    alice, bob, carol = accounts[:3]
    token.approve(alice, 10, sender=bob)
    with reverts("ERC20InsufficientBalance"):
        token.transferFrom(bob, carol, 1, sender=alice)
    assert token.allowance(bob, alice) == 10


def test_approval_of_nobody(token: Deployed) -> None:
    with reverts("ERC20InvalidSpender"):
        token.approve(ZERO, 1)


def test_refuses_money_and_unknown_functions(token: Deployed, accounts: tuple[Address, ...]) -> None:
    with reverts("not payable"):
        token.transfer(accounts[1], 1, value=1)
    with reverts("unknown function"):
        token["mint(uint256)"](1)


def test_refuses_malformed_arguments(chain: MockChain, token: Deployed, accounts: tuple[Address, ...]) -> None:
    selector = token.transfer.encode(accounts[1], 0)[:4]
    dirty = b"\1".ljust(12, b"\0") + accounts[1]
    for arguments in (b"", bytes(63), dirty + bytes(32)):
        with reverts("reverted without a reason") as caught:
            chain.transact(token.address, selector + arguments)
        assert caught.error is not None
        assert caught.error.data == b""


def test_balances_are_short_and_vanish_when_empty(
    chain: MockChain, artifact: Artifact, token: Deployed, accounts: tuple[Address, ...]
) -> None:
    alice, bob = accounts[:2]
    fields = artifact.layout["fields"] if artifact.layout else []  # C and Rust keep balances under bare addresses
    prefixes = [bytes.fromhex(field["prefix"][2:]) for field in fields if field["name"] == "Token.balance_of"]
    key = b"".join(prefixes) + bob
    token.transfer(bob, 0x1234)
    assert chain.storage(token, key) == b"\x34\x12"
    token.transfer(alice, 0x1234, sender=bob)
    assert chain.storage(token, key) == b""


def test_the_languages_declare_one_interface(artifact: Artifact) -> None:
    def declared(interface: Interface) -> set[str]:
        found = [f"{f.text} {f.reads_only} {[out.type.name for out in f.outputs]}" for f in functions(interface)]
        return {*found, *(Event.parse(text).declaration for text in interface.events)}

    def functions(interface: Interface) -> list[Function]:
        return [Function.parse(text) for text in interface.functions]

    def errors(interface: Interface) -> set[str]:
        return {Error.parse(text).declaration for text in interface.errors}

    pytest.importorskip("ziglang", reason="the C token, with which the others are compared, needs the extra 'c'")
    with_c = build(LANGUAGES["c"]).interface
    assert declared(artifact.interface) == declared(with_c)
    assert errors(artifact.interface) == errors(with_c)
