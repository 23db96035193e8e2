"""The pytest plugin: fixtures `chain` and `accounts`, put back to where they were at every scope's boundary.

One chain serves a session. What a fixture deploys lasts as long as the fixture does: the chain is put back when a test,
a class, a module and a package end, and when a fixture with a wider scope than a test is made anew for another
parameter. A project that never asks for `chain` pays for a look at a dictionary.
Never: imports the engine before a test wants it, or touches a fixture of the same name that somebody else defines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from contractvm.types import Address
    from sdk.testing.chain import MockChain

TIERS = ("auto", "native", "portable", "reference")
"""As the engine has them; named here because the engine is not imported before a test wants it."""
TRACES = ("fail", "all", "none")

CHAIN: pytest.StashKey[MockChain] = pytest.StashKey()
_FIRST: pytest.StashKey[Any] = pytest.StashKey()
"""The moment when the chain was made."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contractvm", "smart contracts")
    group.addoption(
        "--tier",
        choices=TIERS,
        default="auto",
        help="How the fixture `chain` runs contracts: auto (compile in the background), native (wait for the "
        "compiler), portable, or reference.",
    )
    group.addoption(
        "--chain-seed", type=int, metavar="N", help="Draw the examples of @fuzz and Invariant from this number."
    )


@pytest.fixture(scope="session")
def chain(pytestconfig: pytest.Config) -> Iterator[MockChain]:
    """A development chain in memory (`sdk.testing.MockChain`)."""
    from sdk.testing.chain import MockChain

    with MockChain(tier=pytestconfig.getoption("--tier"), seed=pytestconfig.getoption("--chain-seed")) as made:
        pytestconfig.stash[CHAIN] = made
        pytestconfig.stash[_FIRST] = made.moment()
        yield made
        del pytestconfig.stash[CHAIN]


@pytest.fixture(scope="session")
def accounts(chain: MockChain) -> tuple[Address, ...]:
    """Addresses of ten accounts with 10,000 ether each; the first one sends unless a test says otherwise."""
    return chain.accounts


def _put_back(config: pytest.Config) -> Iterator[None]:
    """Put the chain back to how it was found; one that was made meanwhile, to how it was made."""
    found = config.stash.get(CHAIN, None)
    moment = found.moment() if found is not None else None
    yield
    made = config.stash.get(CHAIN, None)
    if made is not None:
        made.restore(config.stash[_FIRST] if moment is None else moment)


@pytest.fixture(scope="package", autouse=True)
def _contractvm_package(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


@pytest.fixture(scope="module", autouse=True)
def _contractvm_module(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


@pytest.fixture(scope="class", autouse=True)
def _contractvm_class(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


@pytest.fixture(autouse=True)
def _contractvm_function(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)
