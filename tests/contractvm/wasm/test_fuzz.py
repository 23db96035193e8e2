"""A few hundred fresh cases of the differential fuzzer, the kept ones, and the fuzzer's own promises."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from contractvm.host import HOST, Host, HostRow
from contractvm.rules import bare_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.opcodes import BY_NAME, OPS
from contractvm.wasm.validate import validate
from tests.determinism.pythons import MINORS, Unavailable, environment
from tests.fuzz import corpus, memcheck, patterns
from tests.fuzz.bodies import GENERIC, IMMEDIATES
from tests.fuzz.contracts import generate_contract, run_contract
from tests.fuzz.digest import digest
from tests.fuzz.generate import STATEMENTS, Case, generate
from tests.fuzz.outcome import EXHAUSTED, OK, OUT_OF_GAS, Step
from tests.fuzz.shrink import shrink
from tests.fuzz.tally import Plan, Tally
from tests.fuzz.tiers import WAYS, Tier, run_tier
from tests.sources import ROOT
from tests.tiers import HERE, NATIVE, missing

pytest.importorskip("wasmtime", reason="the fuzzer compares with wasmtime: pip install '.[test]'")

from tests.fuzz.differential import MEMORY_TRAP, check, difference
from tests.fuzz.lockstep import differing

BATCH = 40
FIRST_SEEDS = range(0, 400, BATCH)


@pytest.mark.parametrize("first", FIRST_SEEDS)
def test_fresh_cases_agree(first: int) -> None:
    found = {seed: check(generate(seed), WAYS) for seed in range(first, first + BATCH)}
    assert not {seed: str(d) for seed, d in found.items() if d is not None}


@pytest.mark.parametrize("first", range(100_000, 100_100, 20))
def test_many_calls_of_a_module_agree(first: int) -> None:
    """On fresh instances, with gas that runs out and stacks that are exhausted at the very same place."""
    tally, plan = Tally(), Plan(HERE, calls=40)
    assert [case.seed for seed in range(first, first + 20) for case in differing(seed, plan, tally)] == []
    assert tally.cases > 20 * 20
    assert tally.confirmed > tally.cases // 4


@pytest.mark.skipif(missing(NATIVE) is not None, reason=str(missing(NATIVE)))
def test_only_some_tail_calls_are_left_to_another_tier() -> None:
    """What is compared as the native tier is that tier."""
    reasons = []
    for seed in range(100_000, 100_060):
        case = generate(seed)
        tier = Tier(case, NATIVE)
        tier.start(case.gas)
        reasons += [refusal.reason for refusal in tier.engine.refusals]
    assert len(reasons) < 10
    assert all("tail call" in reason for reason in reasons), reasons


def test_many_calls_end_in_many_ways() -> None:
    tally, plan = Tally(), Plan(("portable",), calls=40, oracle=False)
    for seed in range(60):
        differing(seed, plan, tally)
    assert {OK, OUT_OF_GAS, EXHAUSTED, MEMORY_TRAP} <= tally.ends.keys()
    assert tally.ends[OK] > tally.cases // 3


@pytest.mark.parametrize("first", range(0, 200, BATCH))
def test_fresh_contracts_agree(first: int) -> None:
    found = {seed: check(generate_contract(seed), WAYS) for seed in range(first, first + BATCH)}
    assert not {seed: str(d) for seed, d in found.items() if d is not None}


def test_generated_contracts_call_every_host_function(monkeypatch: pytest.MonkeyPatch) -> None:
    called: set[str] = set()

    def noting(row: HostRow) -> HostRow:
        def fn(host: Host, *operands: int) -> int | None:
            called.add(row.name)
            return row.fn(host, *operands)

        return replace(row, fn=fn)

    monkeypatch.setattr("contractvm.wasm.contract.BY_NAME", {row.name: noting(row) for row in HOST})
    everything = {row.name for row in HOST}
    for seed in range(800):
        run_contract(generate_contract(seed), "portable")
        if called == everything:
            break
    assert called == everything


@pytest.mark.parametrize("path", list(corpus.paths()), ids=lambda path: path.stem)
def test_kept_cases_agree(path: Path) -> None:
    found = check(corpus.read(path), WAYS)
    assert found is None, str(found)


@pytest.mark.slow
@pytest.mark.skipif(memcheck.why_not() is not None, reason=str(memcheck.why_not()))
def test_compiled_code_touches_nothing_but_its_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert memcheck.main(["--modules", "30", "--calls", "30", "--seed", "70000"]) == 0, capsys.readouterr().out


def test_a_seed_is_a_case() -> None:
    assert [generate(seed) for seed in range(20)] == [generate(seed) for seed in range(20)]


def test_generator_knows_every_row() -> None:
    known = {*STATEMENTS, *(op.name for op in GENERIC), "else", "end"} - {"switch", *patterns.STATEMENTS}
    assert {op.name for op in OPS} == known
    assert {op.imm for op in GENERIC if op.imm} <= IMMEDIATES.keys()


def test_generated_modules_are_valid_and_cover_the_table() -> None:
    met: Counter[int] = Counter()
    for seed in range(300):
        module = decode(generate(seed).wasm, bare_rules())
        validate(module, bare_rules())
        for function in module.functions:
            met.update(function.code.ops)
    assert {op.name for op in OPS} - {op.name for op in OPS if met[op.code]} == set()


def test_generated_cases_end_in_many_ways() -> None:
    ends: Counter[str] = Counter()
    for seed in range(150):
        ends.update(step.end for step in run_tier(generate(seed), "portable"))
    assert ends["ok"] > ends.total() // 2
    assert len(ends) >= 7, ends


def printed_digest(python: Path | str, tier: str, hashseed: int = 0) -> str:
    command = [str(python), "-m", "tests.fuzz.digest", "50000", "150", tier]
    variables = os.environ | {"PYTHONHASHSEED": str(hashseed)}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def expected_digest() -> str:
    """Of this process, and this Python, on the reference tier; the tiers agree in all that is digested."""
    seeds = range(50_000, 50_150)
    found = {digest(seeds, way) for way in WAYS}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize("hashseed", [1, 77])
def test_other_hash_seeds_change_nothing(expected_digest: str, hashseed: int) -> None:
    assert printed_digest(sys.executable, "portable", hashseed) == expected_digest


@pytest.mark.parametrize("tier", WAYS)
@pytest.mark.parametrize("minor", MINORS)
def test_other_pythons_change_nothing(expected_digest: str, minor: int, tier: str) -> None:
    if sys.version_info[:2] == (3, minor):
        pytest.skip(f"this is Python 3.{minor}")
    try:
        python = environment(minor, *([NATIVE] if tier == NATIVE else []))
    except Unavailable as reason:
        pytest.skip(str(reason))
    assert printed_digest(python, tier) == expected_digest


def test_a_difference_names_step_field_and_sides() -> None:
    left, right = [Step("ok"), Step("ok", (1,))], [Step("ok"), Step("ok", (2,))]
    found = difference(left, right, ("a", "b"))
    assert str(found) == "call 1: results is (1,) in a, (2,) in b"
    assert difference(left, left, ("a", "b")) is None


def test_shrinking_keeps_the_failure_and_drops_the_rest() -> None:
    """The failure is made up: a module that still multiplies."""
    code = BY_NAME["i64.mul"].code
    seed = next(s for s in range(1_000) if _uses(generate(s), code) and _instructions(generate(s)) > 300)
    case = shrink(generate(seed), lambda c: _uses(c, code), attempts=1_000)
    assert _uses(case, code)
    assert _instructions(case) < _instructions(generate(seed)) // 4


def _instructions(case: Case) -> int:
    return sum(len(f.code.ops) for f in decode(case.wasm, bare_rules()).functions)


def _uses(case: Case, code: int) -> bool:
    return any(code in f.code.ops for f in decode(case.wasm, bare_rules()).functions)


def test_corpus_keeps_what_was_saved(tmp_path: Path) -> None:
    case = generate(7)
    path = corpus.save(case, "an example", tmp_path)
    assert list(corpus.paths(tmp_path)) == [path]
    assert corpus.read(path) == case
