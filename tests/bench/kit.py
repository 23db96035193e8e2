"""What the pytest kit costs: a thousand calls in a test beyond pytest's own start, one call, and putting a chain back.

A test of its own process calls the token in C, built before, so that no compiler is in the figure; the native tier
finds its object in a cache that the first run, which does not count, has filled. What pytest takes for an empty test is
measured in turn with it and taken off. Bytecode is kept, as it is wherever nobody forbids it, in a folder of its own.
Never: asserts; the targets stand beside the figures.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from statistics import median
from time import perf_counter

from sdk.build import Artifact, build
from sdk.testing import MockChain
from tests.bench.compile import BenchError, require_peers
from tests.bench.report import Row
from tests.bench.timing import interleaved
from tests.tiers import NATIVE, missing

ROOT = Path(__file__).parents[2]
TOKEN = ROOT / "contracts" / "token" / "token.c"
SUPPLY = 10**27
CALLS = 1_000
WRITES = 100
REPEATS = 7
TARGETS = {"portable": "< 0.3 s", NATIVE: "< 0.1 s"}
EMPTY = "def test_it():\n    pass\n"
FULL = """
def test_it(chain, accounts):
    token = chain.deploy("token.wasm", {supply}, abi={abi!r})
    for _ in range({calls}):
        token.transfer(accounts[1], 1)
"""


def run() -> Sequence[Row]:
    """Measure. Raises: BenchError without ziglang, or when a test fails."""
    require_peers({"ziglang": "ziglang"})
    return list(_rows(build(TOKEN)))


def _rows(token: Artifact) -> Iterator[Row]:
    for tier, target in TARGETS.items():
        if missing(tier) is None:
            yield Row(
                f"{CALLS:,} calls in a test beyond pytest's start, {tier}", _thousand(token, tier), "s", target=target
            )
    yield Row("importing kit and engine, which is in these", _imported(), "s")
    for tier in TARGETS:
        if missing(tier) is None:
            yield from _calls(token, tier)
    yield Row(f"putting a chain back after {WRITES} writes", _putting_back(token) * 1e6, "us", target="< 100 us")


def _thousand(token: Artifact, tier: str) -> float:
    """Seconds that a test of a thousand transactions takes longer than one of nothing; both are whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "token.wasm").write_bytes(token.code)
        interface = token.interface
        abi = [*interface.functions, interface.constructor]
        (place / "test_empty.py").write_text(EMPTY)
        (place / "test_full.py").write_text(FULL.format(supply=SUPPLY, abi=abi, calls=CALLS))
        times: dict[str, list[float]] = {"test_empty.py": [], "test_full.py": []}
        for turn in range(REPEATS + 1):
            for name, taken in times.items():
                seconds = _pytest(place, name, tier)
                if turn:
                    taken.append(seconds)
        return median(times["test_full.py"]) - median(times["test_empty.py"])


def _pytest(place: Path, name: str, tier: str) -> float:
    """Seconds of a pytest process. Raises: BenchError when its test fails."""
    installed = any(point.value == "sdk.testing.plugin" for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "sdk.testing.plugin"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, f"--tier={tier}", name]
    start = perf_counter()
    done = subprocess.run(command, cwd=place, env=_environment(place), capture_output=True, text=True, check=False)
    seconds = perf_counter() - start
    if done.returncode:
        raise BenchError(f"the test of the bench failed:\n{done.stdout}{done.stderr}")
    return seconds


def _environment(place: Path) -> dict[str, str]:
    """That of a process which finds the package, and its own bytecode and objects in a folder."""
    paths = {"PYTHONPATH": ROOT, "CONTRACTVM_CACHE": place / "cache", "PYTHONPYCACHEPREFIX": place / "bytecode"}
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {name: str(path) for name, path in paths.items()}


def _imported() -> float:
    """Seconds of the imports that a first test waits for, where pytest has its own already."""
    program = (
        "import pytest, hypothesis; from time import perf_counter as now; start = now(); "
        "import sdk.testing.chain, contractvm.wasm.machine; print(now() - start)"
    )
    command = [sys.executable, "-c", program]
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        runs = [
            subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            for _ in range(REPEATS + 1)
        ]
    return median(float(done.stdout) for done in runs[1:])


def _calls(token: Artifact, tier: str) -> Iterator[Row]:
    """One transaction, and one call that keeps nothing."""
    with MockChain(tier=tier) as chain:
        contract = chain.deploy(token, SUPPLY)
        bob = chain.accounts[1]
        often = range(CALLS)
        moment = chain.moment()

        def send() -> None:
            chain.restore(moment)
            for _ in often:
                contract.transfer(bob, 1)

        def look() -> None:
            for _ in often:
                contract.balanceOf.call(bob)

        seconds = interleaved({"send": send, "look": look})
    yield Row(f"a transaction, {tier}", seconds["send"] / CALLS * 1e6, "us")
    yield Row(f"a call that keeps nothing, {tier}", seconds["look"] / CALLS * 1e6, "us")


def _putting_back(token: Artifact) -> float:
    """Seconds of going back over as many transactions that write a slot each: what a fixture's end does."""
    with MockChain(tier="portable") as chain:
        contract = chain.deploy(token, SUPPLY)
        moment = chain.moment()
        return median(_one(chain, lambda: _write(contract.approve), lambda: chain.restore(moment)) for _ in range(51))


def _write(approve: Callable[[bytes, int], object]) -> None:
    for number in range(1, WRITES + 1):
        approve(number.to_bytes(20, "big"), number)


def _one(chain: MockChain, write: Callable[[], None], back: Callable[[], None]) -> float:
    height = chain.height
    write()
    start = perf_counter()
    back()
    seconds = perf_counter() - start
    if chain.height != height:
        raise BenchError("the chain was not put back")
    return seconds
