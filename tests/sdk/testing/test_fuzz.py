"""@fuzz and Invariant: examples begin where the fixtures left the chain; failures shrink and are told as Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import sdk.testing.invariant  # noqa: F401 - what pytest inside pytest imports first is gone after it
from sdk.testing import fuzz
from tests.sdk.testing.conftest import Run

COMMON = """
import pytest
from hypothesis.stateful import invariant, rule
from hypothesis.strategies import integers
from sdk import u256
from sdk.testing import Invariant, addresses, fuzz, reverts

@pytest.fixture(scope="module")
def token(chain):
    return chain.deploy({token!r}, 1000)
"""


def write(pytester: pytest.Pytester, source: Path, body: str) -> None:
    pytester.makepyfile(test_it=COMMON.format(token=str(source)) + body)


def test_every_example_begins_where_the_fixtures_left_the_chain(
    pytester: pytest.Pytester, inside: Run, token_source: Path
) -> None:
    write(
        pytester,
        token_source,
        """
seen = []

@fuzz(amount=integers(1, 1000), examples=30)
def test_amounts(token, accounts, amount):
    assert token.balanceOf(accounts[1]) == 0
    token.transfer(accounts[1], amount)
    seen.append(amount)

def test_it_was_run_often(token, accounts):
    assert len(seen) == 30
    assert token.balanceOf(accounts[1]) == 0

class TestInClasses:
    @fuzz
    def test_types_are_drawn(self, token, accounts, amount: u256):
        if amount > 1000:
            with reverts("ERC20InsufficientBalance", needed=amount):
                token.transfer(accounts[2], amount)
        else:
            assert token.transfer(accounts[2], amount) is True

@pytest.mark.parametrize("who", [1, 2])
@fuzz(to=addresses(), examples=5)
def test_beside_other_parameters(token, accounts, who, to):
    assert token.balanceOf(accounts[who]) == 0
""",
    )
    inside().assert_outcomes(passed=5)


def test_a_failure_shrinks_and_is_told(pytester: pytest.Pytester, inside: Run, token_source: Path) -> None:
    write(
        pytester,
        token_source,
        """
@fuzz(amount=integers(0, 1000))
def test_small(chain, token, accounts, amount):
    chain.warp(10)
    token.transfer(accounts[1], amount, sender=accounts[0])
    token.approve(accounts[0], 5, sender=accounts[1])
    assert token.balanceOf(accounts[1]) < 17

def test_nothing_of_it_is_left(chain, token, accounts):
    assert token.balanceOf(accounts[1]) == 0
""",
    )
    result = inside()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*Reproduction, on the fixtures' chain:",
            "*    chain.warp(10)",
            "*    token.transfer(accounts[[]1], 17)",
            "*    token.approve(accounts[[]0], 5, sender=accounts[[]1])",
            "*amount=17,*",
        ]
    )


INVARIANT = """
class TestSupply(Invariant):
    examples, steps = 20, 10

    def start(self, token, accounts):
        self.token, self.accounts = token, accounts
        assert token.balanceOf(accounts[1]) == 0

    @rule(to=integers(1, 3), amount=integers(0, 100))
    def transfer(self, to, amount):
        self.token.transfer(self.accounts[to], amount)

    @invariant()
    def supply(self):
        assert sum(self.token.balanceOf(a) for a in self.accounts) == {supply}
        assert self.token.balanceOf(self.accounts[1]) < {most}

def test_nothing_of_it_is_left(token, accounts):
    assert token.balanceOf(accounts[1]) == 0
"""


def test_an_invariant_holds(pytester: pytest.Pytester, inside: Run, token_source: Path) -> None:
    write(pytester, token_source, INVARIANT.format(supply=1000, most=10**6))
    result = inside("-v")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::TestSupply PASSED*"])


def test_a_broken_invariant_shrinks_and_is_told(pytester: pytest.Pytester, inside: Run, token_source: Path) -> None:
    write(pytester, token_source, INVARIANT.format(supply=1000, most=42))
    result = inside()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*Reproduction*", "*    token.transfer(accounts[[]1], 42)", "*state.transfer(amount=42, to=1)"]
    )


def test_a_seed_draws_the_same(pytester: pytest.Pytester, inside: Run, token_source: Path) -> None:
    write(
        pytester,
        token_source,
        """
@fuzz
def test_it(amount: u256):
    with open("drawn", "a") as file:
        print(amount, file=file)

class TestMachine(Invariant):
    examples, steps = 5, 5

    @rule(n=integers())
    def step(self, n):
        with open("drawn", "a") as file:
            print(n, file=file)
""",
    )
    drawn = []
    for _ in range(2):
        inside("--chain-seed=7").assert_outcomes(passed=2)
        drawn.append((pytester.path / "drawn").read_text())
        (pytester.path / "drawn").unlink()
    assert drawn[0] == drawn[1]
    assert len(drawn[0].splitlines()) > 100


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(TypeError, match="nothing to draw"):

        @fuzz
        def nothing(n: int) -> None: ...

    from hypothesis.strategies import integers

    with pytest.raises(TypeError, match="has no parameter other"):

        @fuzz(other=integers())
        def unknown(n: int) -> None: ...


BANK = """from sdk import *

class Bank(Contract):
    total: Public[u256]

    @external
    @payable
    def put(self, note: String) -> None:
        assert msg.value != 77, "seventy-seven"
        self.total += msg.value + (1 if len(note.encode()) > 3 else 0)

class Other(Contract):
    pass
"""
BROKEN = """
from hypothesis.strategies import integers, sampled_from
from bank import Bank
from sdk.testing import fuzz

@fuzz(who=integers(1, 2), amount=sampled_from([5, 77]), note=sampled_from(["x", "four"]))
def test_total(chain, accounts, who, amount, note):
    bank = chain.deploy(Bank)
    bank.put(note, value=amount, sender=accounts[who])
    assert bank.total() == amount
"""


def test_a_reproduction_can_be_run(pytester: pytest.Pytester, inside: Run) -> None:
    """Both failures of the test, as the lines that are printed: the one of a call, and the one of what came of it."""
    pytester.makepyfile(bank=BANK, test_broken=BROKEN)
    lines = inside(process=True).outlines
    starts = [at for at, line in enumerate(lines) if line.endswith("Reproduction, on the fixtures' chain:")]
    told = {"\n".join(line.removeprefix("    | ").lstrip("E |") for line in lines[at + 1 : at + 3]) for at in starts}
    assert len(told) == 2
    bodies = ["\n".join(f"    {line}" for line in text.splitlines()) for text in sorted(told)]
    for number, (body, outcome) in enumerate(zip(bodies, ("passed", "failed"), strict=True)):
        pytester.makepyfile(
            **{f"test_again{number}": f"def test_again(chain, accounts):\n{body}\n    assert Bank.total() == 6"}
        )
        result = inside(f"test_again{number}.py", process=True)
        result.assert_outcomes(**{outcome: 1})
        assert (outcome == "failed") == ("seventy-seven" in result.stdout.str())
