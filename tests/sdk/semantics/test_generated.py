"""Programs that nobody wrote: compiled, run on every tier, and compared with the oracle call by call."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from sdk.compiler import compile_file
from sdk.testing import MockChain
from tests.sdk.semantics.compared import Pair, Step, in_the_oracle, signatures, steps
from tests.sdk.semantics.generator import Generator
from tests.sdk.semantics.source import read
from tests.sources import ROOT
from tests.tiers import HERE

CALLS = 12
SETTINGS = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)


@pytest.fixture(scope="module")
def worlds() -> Iterator[list[MockChain]]:
    chains = [MockChain(tier=tier) for tier in HERE]
    yield chains
    for chain in chains:
        chain.inner.close()


def generated(seed: int) -> str:
    choices = random.Random(seed)
    return Generator(choices.randrange).program()


def compare(source: str, worlds: list[MockChain], folder: Path, seed: int) -> None:
    """Every tier and the oracle, on the same calls."""
    path = folder / "program.py"
    path.write_text(source, encoding="utf-8")
    compiled = compile_file(path)
    found = signatures(read(source, ROOT), "Program")
    pairs = [Pair.of(world, path, compiled) for world in worlds]

    @settings(SETTINGS, max_examples=1 + CALLS // 4)
    @given(steps(found, most=CALLS))
    def calls(sequence: list[Step]) -> None:
        for pair in pairs:
            pair.compare([*sequence, Step("look", ()), Step("read", ())])

    calls()


def test_programs_are_many_and_of_the_language() -> None:
    sources = {generated(seed) for seed in range(20)}
    assert len(sources) == 20
    whole = "\n".join(sources)
    for construct in ("while", "for", "unchecked", "del", ".append(", ".pop()", ".items()", "**", "<<", " in ", "abs("):
        assert construct in whole, construct


def test_the_oracle_runs_every_program() -> None:
    kinds: set[str] = set()
    for seed in range(20):
        kinds |= outcomes(generated(seed))
    assert kinds == {"value", "revert", "events"}


def outcomes(source: str) -> set[str]:
    """Kinds of them, of some calls in the oracle."""
    kinds: set[str] = set()

    @settings(SETTINGS, max_examples=3)
    @given(steps(signatures(read(source, ROOT), "Program"), most=CALLS))
    def calls(sequence: list[Step]) -> None:
        kinds.update(kind for kind, _ in in_the_oracle(source, "Program", sequence))

    calls()
    return kinds


@pytest.mark.parametrize("seed", range(12))
def test_a_program_means_the_same_everywhere(worlds: list[MockChain], tmp_path: Path, seed: int) -> None:
    compare(generated(seed), worlds, tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1150))
def test_many_programs_mean_the_same_everywhere(worlds: list[MockChain], tmp_path: Path, seed: int) -> None:
    compare(generated(seed), worlds, tmp_path, seed)
