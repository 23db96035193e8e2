"""The pytest plugin: fixtures `chain` and `accounts`, put back to where they were after each test; `--contractvm-tier`.

One chain serves a session. What a fixture deploys lasts as long as the fixture does: the chain is put back when a test,
a class and a module end. A project that never asks for `chain` pays for a look at a dictionary.
Never: imports the engine before a test wants it, or touches a fixture of the same name that somebody else defines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contractvm.types import Address
    from sdk.testing.chain import MockChain

TIERS = ("auto", "native", "portable", "reference")
"""As the engine has them; named here because the engine is not imported before a test wants it."""

_CHAIN: pytest.StashKey[MockChain] = pytest.StashKey()
_FIRST: pytest.StashKey[int] = pytest.StashKey()
"""The snapshot taken when the chain was made."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contractvm", "smart contracts")
    group.addoption(
        "--contractvm-tier",
        choices=TIERS,
        default="auto",
        help="How the fixture `chain` runs contracts: auto (compile in the background), native (wait for the "
        "compiler), portable, or reference.",
    )


@pytest.fixture(scope="session")
def chain(pytestconfig: pytest.Config) -> Iterator[MockChain]:
    """A development chain in memory (`sdk.testing.MockChain`)."""
    from sdk.testing.chain import MockChain

    with MockChain(tier=pytestconfig.getoption("--contractvm-tier")) as made:
        pytestconfig.stash[_CHAIN] = made
        pytestconfig.stash[_FIRST] = made.snapshot()
        yield made
        del pytestconfig.stash[_CHAIN]


@pytest.fixture(scope="session")
def accounts(chain: MockChain) -> tuple[Address, ...]:
    """Addresses of ten accounts with 10,000 ether each; the first one sends unless a test says otherwise."""
    return chain.accounts


def _put_back(config: pytest.Config) -> Iterator[None]:
    """Put the chain back to how it was found; one that was made meanwhile, to how it was made."""
    found = config.stash.get(_CHAIN, None)
    snapshot = found.snapshot() if found is not None else None
    yield
    made = config.stash.get(_CHAIN, None)
    if made is None:
        return
    if snapshot is None:
        snapshot = config.stash[_FIRST]
        made.revert(snapshot)
        config.stash[_FIRST] = made.snapshot()
    else:
        made.revert(snapshot)


@pytest.fixture(scope="module", autouse=True)
def _contractvm_module(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


@pytest.fixture(scope="class", autouse=True)
def _contractvm_class(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


@pytest.fixture(autouse=True)
def _contractvm_function(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)
