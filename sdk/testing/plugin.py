"""The pytest plugin: fixtures `chain` and `accounts`, put back to where they were at every scope's boundary.

One chain serves a session. What a fixture deploys lasts as long as the fixture does: the chain is put back when a test,
a class, a module and a package end, and when a fixture with a wider scope than a test is made anew for another
parameter. A project that never asks for `chain` pays for a look at a dictionary.
Never: imports the engine before a test wants it, or touches a fixture of the same name that somebody else defines.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from sdk.testing.loading import AsItIs, out_of_the_collectors_way

if TYPE_CHECKING:
    from contractvm.types import Address
    from sdk.testing.chain import MockChain, Moment
    from sdk.testing.covered import CoverageReport
    from sdk.testing.reports import GasReport

TIERS = ("auto", "native", "portable", "reference")
"""As the engine has them; named here because the engine is not imported before a test wants it."""

GAS = "contractvm_gas"
"""The property of a test's report that has the gas of its transactions."""
CALLS = "Contract calls"
"""Title of what a report tells of a test's calls."""
TRACES = ("fail", "all", "none")

CHAIN: pytest.StashKey[MockChain] = pytest.StashKey()
_COVERAGE: pytest.StashKey[CoverageReport] = pytest.StashKey()
_GAS_REPORT: pytest.StashKey[GasReport] = pytest.StashKey()
_ALIVE: pytest.StashKey[list[Moment]] = pytest.StashKey()
"""When those fixtures were begun that are set up now and did something on the chain, the youngest last."""
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
        "--call-trace",
        choices=TRACES,
        default="fail",
        help="Show the contract calls of tests that fail, of all, or of none.",
    )
    group.addoption(
        "--contract-coverage",
        action="store_true",
        help="Show which lines and branches of contracts in Python ran, and write contracts.lcov.",
    )
    group.addoption("--gas-report", action="store_true", help="Show the gas of every contract's functions.")
    group.addoption("--gas-snapshot", action="store_true", help="Write the gas of every test to .gas-snapshot.")
    group.addoption(
        "--gas-snapshot-check", action="store_true", help="Fail when a test uses other gas than .gas-snapshot says."
    )
    group.addoption(
        "--gas-tolerance",
        type=float,
        default=0.0,
        metavar="PERCENT",
        help="How far from .gas-snapshot gas may be (default: 0).",
    )
    group.addoption(
        "--chain-seed", type=int, metavar="N", help="Draw the examples of @fuzz and Invariant from this number."
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Let the engine be imported as it is from the first conftest on."""
    AsItIs.begin(sys.meta_path)


def pytest_unconfigure() -> None:
    AsItIs.end(sys.meta_path)


def pytest_configure(config: pytest.Config) -> None:
    """Take on what the options ask for. Raises: pytest.UsageError for options that contradict each other."""
    AsItIs.begin(sys.meta_path)
    option = config.getoption
    write, check = option("--gas-snapshot"), option("--gas-snapshot-check")
    if write and check:
        raise pytest.UsageError("--gas-snapshot writes what --gas-snapshot-check compares with: give one of them")
    if option("--contract-coverage"):
        if option("--tier") not in ("auto", "reference"):
            raise pytest.UsageError("--contract-coverage follows instructions on the reference tier: leave --tier out")
        from sdk.testing.covered import CoverageReport

        covered = config.stash[_COVERAGE] = CoverageReport(config.rootpath)
        config.pluginmanager.register(covered, "contractvm coverage")
    if option("--gas-report"):
        from sdk.testing.reports import GasReport

        report = config.stash[_GAS_REPORT] = GasReport()
        config.pluginmanager.register(report, "contractvm gas report")
    if write or check:
        from sdk.testing.reports import SNAPSHOT, GasSnapshot

        snapshot = GasSnapshot(config.rootpath / SNAPSHOT, GAS, check=check, tolerance=option("--gas-tolerance"))
        config.pluginmanager.register(snapshot, "contractvm gas snapshot")
    if option("--call-trace") == "all":
        config.pluginmanager.register(Shown(config), "contractvm call traces")


@pytest.fixture(scope="session")
def chain(pytestconfig: pytest.Config) -> Iterator[MockChain]:
    """A development chain in memory (`sdk.testing.MockChain`)."""
    option, covered = pytestconfig.getoption, pytestconfig.stash.get(_COVERAGE, None)
    with out_of_the_collectors_way() as go_on:
        from sdk.testing.chain import MockChain

        coverage = None if covered is None else covered.begin()
        with MockChain(tier=option("--tier"), seed=option("--chain-seed"), coverage=coverage) as made:
            go_on()
            pytestconfig.stash[CHAIN] = made
            pytestconfig.stash[_FIRST] = made.moment()
            report = pytestconfig.stash.get(_GAS_REPORT, None)
            if report is not None:
                made.book.gas = report.gas
            yield made
            del pytestconfig.stash[CHAIN]


@pytest.fixture(scope="session")
def accounts(chain: MockChain) -> tuple[Address, ...]:
    """Addresses of ten accounts with 10,000 ether each; the first one sends unless a test says otherwise."""
    return chain.accounts


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin a test's own pages."""
    made = item.config.stash.get(CHAIN, None)
    if made is not None:
        made.book.open()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Count the gas of the test itself: what its fixtures did is theirs."""
    made = item.config.stash.get(CHAIN, None)
    if made is not None:
        made.book.total = 0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the gas of a test to its report, and its calls if they are to be shown."""
    report = yield
    made = item.config.stash.get(CHAIN, None)
    if made is None or call.when == "teardown":
        return report
    if call.when == "call" and made.book.total and not getattr(getattr(item, "obj", None), "contractvm_drawn", False):
        report.user_properties.append((GAS, made.book.total))
    wanted = item.config.getoption("--call-trace")
    if (wanted == "fail" and report.failed) or (wanted == "all" and (report.failed or call.when == "call")):
        from sdk.testing.replay import looked_into

        text = looked_into(made)
        if text:
            report.sections.append((CALLS, text))
    return report


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
    """Put the chain back when a package's fixture ends, or a parameter of one that outlives tests.

    A package ends where only its own fixtures know; and of parametrised fixtures a younger one may live on, which keeps
    what it did.
    """
    made = request.config.stash.get(CHAIN, None)
    if made is None or request.scope in ("function", "session"):
        return (yield)
    moment = made.moment()
    ends_early = fixturedef.params is not None or request.scope == "package"
    fixturedef.addfinalizer(functools.partial(_end, request.config, moment, ends_early))
    result = yield
    if made.moment().node is not moment.node:
        request.config.stash.setdefault(_ALIVE, []).append(moment)
    return result


def _end(config: pytest.Config, moment: Moment, ends_early: bool) -> None:
    """A fixture has ended that began at this moment."""
    alive = config.stash.get(_ALIVE, [])
    made = config.stash.get(CHAIN, None)
    if made is not None and ends_early and alive[-1:] == [moment]:
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


@pytest.fixture(scope="module", autouse=True)
def _contractvm_module(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


@pytest.fixture(scope="class", autouse=True)
def _contractvm_class(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


@pytest.fixture(autouse=True)
def _contractvm_function(pytestconfig: pytest.Config) -> Iterator[None]:
    yield from _put_back(pytestconfig)


class Shown:
    """Prints the calls of tests that pass; those of tests that fail are in their reports."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or not report.passed:
            return
        for title, text in report.sections:
            if title == CALLS:
                terminal.ensure_newline()
                terminal.section(f"{title} of {report.nodeid}", "-")
                terminal.line(text)
