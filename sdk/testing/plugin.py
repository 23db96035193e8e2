"""The pytest plugin: fixtures `chain` and `accounts`, put back to where they were at every scope's boundary.

One chain serves a session. What a fixture deploys lasts as long as the fixture does: the chain is put back when a test,
a class, a module and a package end, and when a fixture with a wider scope than a test is made anew for another
parameter. A project that never asks for `chain` pays for a look at a dictionary.
Never: imports the engine before a test wants it, or touches a fixture of the same name that somebody else defines.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from contractvm.types import Address
    from sdk.testing.chain import MockChain, Moment

TIERS = ("auto", "native", "portable", "reference")
"""As the engine has them; named here because the engine is not imported before a test wants it."""

CHAIN: pytest.StashKey[MockChain] = pytest.StashKey()
_ALIVE: pytest.StashKey[list[Moment]] = pytest.StashKey()
"""When the parametrised fixtures that are set up now were begun, the youngest last."""
_FIRST: pytest.StashKey[Moment] = pytest.StashKey()
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


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> pytest.Function | None:
    """Collect subclasses of `Invariant`; those whose names begin with an underscore are bases of others."""
    if not isinstance(obj, type) or name.startswith("_"):
        return None
    if not any(base.__module__ == "sdk.testing.invariant" for base in obj.__mro__[1:]):
        return None
    from sdk.testing.invariant import as_test

    return pytest.Function.from_parent(collector, name=name, callobj=as_test(obj))


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """Put the chain back when a parameter of a fixture that outlives tests ends, unless a younger fixture lives on."""
    made = request.config.stash.get(CHAIN, None)
    if made is not None and fixturedef.params is not None and request.scope != "function":
        alive, moment = request.config.stash.setdefault(_ALIVE, []), made.moment()
        alive.append(moment)
        fixturedef.addfinalizer(functools.partial(_end, request.config, moment))
    return (yield)


def _end(config: pytest.Config, moment: Moment) -> None:
    alive = config.stash[_ALIVE]
    made = config.stash.get(CHAIN, None)
    if made is not None and alive[-1:] == [moment]:
        made.restore(moment)
    if moment in alive:
        alive.remove(moment)


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
