"""What the passes make of a contract does the same as what the checker gave them, at no more gas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdk.compiler import Compiled, compile_file, pipeline, tree
from sdk.testing import Deployed, MockChain
from tests.sdk.semantics.compared import Pair, Step, on_the_chain, signatures, steps

SOURCES = sorted((Path(__file__).parent / "sources").glob("*.py"))


def plain(path: Path) -> Compiled:
    """The contract without any pass."""

    def untouched(program: tree.Program) -> tree.Program:
        return program

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipeline, "optimise", untouched)
        return compile_file(path)


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.stem)
def both(request: pytest.FixtureRequest, chain: MockChain) -> Iterator[tuple[Pair, Deployed]]:
    path: Path = request.param
    yield Pair.of(chain, path, compile_file(path)), chain.deploy(plain(path))


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_same_outcomes(both: tuple[Pair, Deployed], data: st.DataObject) -> None:
    pair, untouched = both
    known = signatures(pair.module, pair.contract)
    sequence = data.draw(steps(known, 5))
    pair.compare(sequence)
    before = pair.chain.snapshot()
    try:
        first = on_the_chain(pair.deployed, known, sequence, pair.events)
    finally:
        pair.chain.revert(before)
    before = pair.chain.snapshot()
    try:
        second = on_the_chain(untouched, known, sequence, pair.events)
    finally:
        pair.chain.revert(before)
    assert first == second


def test_the_passes_change_something(both: tuple[Pair, Deployed]) -> None:
    pair, _ = both
    path = next(path for path in SOURCES if path.read_text() == pair.source)
    assert compile_file(path).module != plain(path).module


def spent(chain: MockChain, deployed: Deployed, one: Step) -> int:
    before = chain.snapshot()
    try:
        return int(deployed[one.function].tx(*one.arguments).gas_used)
    finally:
        chain.revert(before)


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("loads", Step("sameKey", (1, 2, 5))),
        ("loads", Step("texts", ("abc",))),
        ("loads", Step("listed", (3,))),
        ("checks", Step("stored", (3,))),
        ("copies", Step("stored", ([1, 2],))),
        ("folded", Step("branches", (6,))),
    ],
)
def test_less_gas(chain: MockChain, source: str, call: Step) -> None:
    path = next(path for path in SOURCES if path.stem == source)
    cheaper, dearer = chain.deploy(compile_file(path)), chain.deploy(plain(path))
    assert spent(chain, cheaper, call) < spent(chain, dearer, call)
