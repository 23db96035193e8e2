"""The pytest plugin, run by pytest inside pytest: isolation by scope, xdist, and silence where nobody asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contractvm.wasm.choice import MACHINE_TIERS
from sdk.testing.loading import PACKAGES
from sdk.testing.plugin import TIERS
from tests.sdk.testing.conftest import Run
from tests.tiers import HERE

ROOT = Path(__file__).parents[3]


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder to run tests in, with our packages and our plugin whether or not they are installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return pytester


def run(inner: pytest.Pytester, *arguments: str, process: bool = False) -> pytest.RunResult:
    """Run pytest in this process or its own. The plugin comes by its entry point, or by name if not installed."""
    from importlib.metadata import entry_points

    installed = any(point.value == "sdk.testing.plugin" for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "sdk.testing.plugin"]
    start = inner.runpytest_subprocess if process else inner.runpytest_inprocess
    return start(*plugin, "-p", "no:cacheprovider", *arguments)


SCOPES = """
import pytest

BOB = b"\\x0b" * 20

@pytest.fixture(scope="module")
def rich(chain):
    chain.deal(BOB, 100)

@pytest.fixture(scope="class")
def richer(chain, rich):
    chain.deal(BOB, 200)

@pytest.fixture
def richest(chain, rich):
    chain.deal(BOB, 300)

def test_module_fixtures_stay(chain, rich):
    assert chain.balance(BOB) == 100
    chain.deal(BOB, 1)

def test_what_a_test_did_is_gone(chain, rich):
    assert chain.balance(BOB) == 100
    chain.warp(1000)
    chain.mine(3)

def test_time_is_back_too(chain, rich):
    assert chain.balance(BOB) == 100
    chain.mine()
    assert chain.timestamp < 1_700_000_100

def test_function_fixtures(chain, richest):
    assert chain.balance(BOB) == 300

class TestClass:
    def test_class_fixtures(self, chain, richer):
        assert chain.balance(BOB) == 200
        chain.deal(BOB, 2)

    def test_class_fixtures_stay(self, chain, richer):
        assert chain.balance(BOB) == 200

def test_class_fixtures_end_with_their_class(chain, rich):
    assert chain.balance(BOB) == 100

def test_snapshots_of_a_test_are_its_own(chain):
    here = chain.snapshot()
    chain.deal(BOB, 5)
    chain.revert(here)
    chain.deal(BOB, 6)
"""

AFTER = """
def test_module_fixtures_end_with_their_module(chain, accounts):
    assert chain.balance(b"\\x0b" * 20) == 0
    assert chain.height == 0
    assert len(accounts) == 10
"""


def test_the_chain_is_put_back_at_every_scope(inner: pytest.Pytester) -> None:
    inner.makepyfile(test_a=SCOPES, test_b=AFTER, test_c=SCOPES)
    run(inner, "-v").assert_outcomes(passed=17)


def test_a_chain_asked_for_late_is_put_back(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        def test_one(request):
            chain = request.getfixturevalue("chain")
            chain.mine(5)

        def test_two(chain):
            assert chain.height == 0
        """
    )
    run(inner).assert_outcomes(passed=2)


PARAMETRISED = """
import pytest

BOB = b"\\x0b" * 20

@pytest.fixture(scope="module", params=[1, 2])
def rich(chain, request):
    assert chain.balance(BOB) == 0
    chain.deal(BOB, request.param)
    yield request.param
    assert chain.balance(BOB) == request.param

@pytest.fixture(scope="module")
def carol(chain):
    chain.deal(b"\\x0c" * 20, 5)
    return True

def test_one(chain, rich, carol):
    assert chain.balance(BOB) == rich
    assert chain.balance(b"\\x0c" * 20) == (5 if carol else 0)
    chain.deal(BOB, 9)

def test_two(chain, rich):
    assert chain.balance(BOB) == rich
"""


def test_a_parametrised_fixtures_end_puts_the_chain_back(inside: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PARAMETRISED.replace(", carol)", ", carol=False)"))
    inside().assert_outcomes(passed=4)


def test_a_younger_fixture_keeps_what_it_did(inside: Run, pytester: pytest.Pytester) -> None:
    """The parametrised fixture ends while `carol`, which came after it, lives on: nothing of hers is taken back."""
    pytester.makepyfile(
        PARAMETRISED.replace("assert chain.balance(BOB) == 0", "pass").replace(
            "(chain, rich):", "(chain, rich, carol):"
        )
    )
    inside().assert_outcomes(passed=4)


def test_packages_end_too(inside: Run, pytester: pytest.Pytester) -> None:
    for name in ("a", "b"):
        folder = pytester.mkpydir(name)
        (folder / "conftest.py").write_text(
            "import pytest\n"
            "@pytest.fixture(scope='package')\n"
            "def rich(chain):\n"
            "    assert chain.balance(b'1' * 20) == 0\n"
            "    chain.deal(b'1' * 20, 7)\n"
        )
        for module in ("one", "two"):
            (folder / f"test_{module}.py").write_text(
                "def test_it(chain, rich):\n    assert chain.balance(b'1' * 20) == 7\n"
            )
    inside().assert_outcomes(passed=4)


def test_contracts_are_deployed_on_every_worker(inner: pytest.Pytester) -> None:
    pytest.importorskip("ziglang", reason="ziglang is not installed: pip install 'contractvm[c]'")
    token = ROOT / "contracts" / "token" / "token.c"
    inner.makepyfile(
        f"""
        import pytest

        @pytest.fixture(scope="module")
        def token(chain):
            return chain.deploy({str(token)!r}, 1000)

        @pytest.mark.parametrize("n", range(8))
        def test_transfer(token, accounts, n):
            token.transfer(accounts[1], 1000)
            assert token.balanceOf(accounts[1]) == 1000
        """
    )
    run(inner, "-p", "xdist", "-n", "2", process=True).assert_outcomes(passed=8)


def test_a_project_that_does_not_use_it_never_imports_the_engine(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import sys

        import pytest

        @pytest.fixture
        def chain():
            return "mine"

        def test_own_chain(chain):
            assert chain == "mine"

        def test_nothing_was_imported():
            ours = [name for name in sys.modules if name.split(".")[0] in ("contractvm", "gas", "state")]
            assert ours == []
        """
    )
    run(inner, process=True).assert_outcomes(passed=2)


def test_fixtures_are_documented(inner: pytest.Pytester) -> None:
    result = run(inner, "--fixtures")
    result.stdout.fnmatch_lines(["chain [[]session scope[]]*", "*A development chain in memory*"])
    result.stdout.fnmatch_lines(["accounts [[]session scope[]]*", "*ten accounts*"])
    assert "_contractvm" not in result.stdout.str()


def test_importing_the_plugin_imports_little() -> None:
    program = (
        "import sys, pytest; before = set(sys.modules); import sdk.testing.plugin; print(*set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == {"sdk", "sdk.testing", "sdk.testing.plugin", "sdk.testing.loading"}


LOADED = """
import sys

def test_it(chain):
    ours = [sys.modules[name] for name in sys.modules if name.partition(".")[0] in {packages!r}]
    assert len(ours) > 100
    rewritten = {{m.__name__ for m in ours if "rewrite" in type(m.__loader__).__module__}}
    assert rewritten <= {{"sdk", "sdk.testing", "sdk.testing.plugin", "sdk.testing.loading"}}
    assert "rewrite" in type(__loader__).__module__
"""


def test_the_engine_is_imported_as_it_is(inner: pytest.Pytester) -> None:
    """In a process of its own, which has none of it yet."""
    inner.makepyfile(LOADED.format(packages=set(PACKAGES)))
    run(inner, process=True).assert_outcomes(passed=1)


TIERED = """
def test_it(chain, pytestconfig):
    (machine,) = chain.inner.executor.machines
    assert machine.tier == {tier!r}
"""


@pytest.mark.parametrize("tier", [None, "reference", *(tier for tier in HERE if tier != "reference")])
def test_the_tier_is_an_option(inner: pytest.Pytester, tier: str | None) -> None:
    inner.makepyfile(TIERED.format(tier=tier or "auto"))
    run(inner, *([] if tier is None else ["--tier", tier])).assert_outcomes(passed=1)


def test_tiers_are_the_engines(inner: pytest.Pytester) -> None:
    assert sorted(TIERS) == sorted(MACHINE_TIERS)
    inner.makepyfile(TIERED.format(tier="fast"))
    refused = run(inner, "--tier", "fast", process=True)
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*--tier*fast*"])
