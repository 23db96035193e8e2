"""The comparison of the pipeline's levels."""

from __future__ import annotations

import importlib.util

import pytest

from tests.tiers import NATIVE, missing

if reason := missing(NATIVE) or (None if importlib.util.find_spec("ziglang") else "no C compiler: pip install '.[c]'"):
    pytest.skip(reason, allow_module_level=True)

from contractvm.native import pipeline
from tests.bench.compile import compile_c
from tests.bench.levels import main, make, measure, table
from tests.bench.native_speed import Work

WORKS = (Work("fib", 10), Work("u256", 5))


def test_a_level_compiles_what_runs_alike_and_tells_its_cost() -> None:
    wasm = compile_c("native")
    made = {level: make(wasm, WORKS, level) for level in ("draft", pipeline.DEFAULT)}
    assert {one.programs["fib"](10) for one in made.values()} == {55}
    assert all({"parse", "optimise", "emit"} <= set(one.seconds) and one.size > 1_000 for one in made.values())
    assert made[pipeline.DEFAULT].too_large == 0
    over = measure(wasm, WORKS, made, repeats=1)
    lines = table(list(made), over, made).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["fib", "u256", "geomean"]
    assert {len(line) for line in lines} == {16 + 12 * len(made)}


def test_an_unknown_level_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["best"]) == 2
    assert f"no level best; there are: {', '.join(pipeline.LEVELS)}" in capsys.readouterr().err
