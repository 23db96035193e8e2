"""Each construct, in WebAssembly on every tier and in plain Python: the same results and the same reverts.

The sources are in `sources`; numbers are tried at many widths by putting them in a template's place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sdk.compiler import Compiled, compile_file
from sdk.testing import MockChain
from tests.sdk.semantics.compared import Pair, Step, signatures, step, steps
from tests.tiers import tier_parameters

SOURCES = Path(__file__).with_name("sources")
OFTEN = (8, 32, 64, 128, 256)
WIDTHS = (8, 16, 24, 32, 40, 56, 64, 72, 96, 128, 136, 160, 192, 200, 248, 256)
WHOLE = ("flow", "objects", "maps", "texts", "remote", "order", "raw")
SETTINGS = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
"""What differs is told with its call; shrinking the calls around it would take minutes."""


@pytest.fixture(scope="module", params=tier_parameters())
def world(request: pytest.FixtureRequest) -> Iterator[MockChain]:
    """A chain of its own for each tier."""
    with MockChain(tier=request.param) as chain:
        yield chain


@cache
def template(name: str, bits: int) -> str:
    """A source of numbers with another width."""
    text = (SOURCES / f"{name}.py").read_text(encoding="utf-8")
    return re.sub(r"\b([ui])64\b", lambda found: f"{found[1]}{bits}", text)


@cache
def compiled(path: Path) -> Compiled:
    return compile_file(path)


def widths() -> list[ParameterSet]:
    """Both kinds of number; the widths that code treats alike are tried when there is time."""
    return [
        pytest.param(name, bits, marks=() if bits in OFTEN else pytest.mark.slow)
        for name in ("unsigned", "signed")
        for bits in WIDTHS
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.mark.parametrize(("name", "bits"), widths())
def test_numbers(world: MockChain, folder: Path, name: str, bits: int) -> None:
    path = folder / f"{name}{bits}.py"
    if not path.exists():
        path.write_text(template(name, bits), encoding="utf-8")
    every_function(Pair.of(world, path, compiled(path)), examples=10)


@pytest.mark.parametrize("name", WHOLE)
def test_every_function_of_a_contract(world: MockChain, name: str) -> None:
    path = SOURCES / f"{name}.py"
    every_function(Pair.of(world, path, compiled(path)), examples=10)


def every_function(pair: Pair, examples: int) -> None:
    """Examples in which each function is called once, with drawn arguments."""

    @settings(SETTINGS, max_examples=examples)
    @given(st.tuples(*map(step, signatures(pair.module, pair.contract))))
    def calls(sequence: tuple[Step, ...]) -> None:
        pair.compare(list(sequence))

    calls()


@pytest.mark.parametrize("name", WHOLE)
def test_sequences_of_calls(world: MockChain, name: str) -> None:
    path = SOURCES / f"{name}.py"
    pair = Pair.of(world, path, compiled(path))

    @settings(SETTINGS, max_examples=30)
    @given(steps(signatures(pair.module, pair.contract), most=12))
    def sequences(sequence: list[Step]) -> None:
        pair.compare(sequence)

    sequences()
