"""`python -m tests.fuzz [--cases N] [--calls N] [--seed S] [--tier T]... [--jobs N]`: exit code 1 when tiers differ.

A case is a call, compared on every tier and mostly with wasmtime; `--calls` of them are made on each generated module.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING

from contractvm.wasm.engine import TIERS
from tests.fuzz.tally import Plan, Tally
from tests.fuzz.tiers import WAYS
from tests.tiers import HERE, missing

if TYPE_CHECKING:
    from tests.fuzz.generate import Case

PROGRESS_SECONDS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare cases of modules from consecutive seeds until there are enough; shrink and keep what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000, help="at least so many calls")
    parser.add_argument("--calls", type=int, default=100, help="of each module (contracts: transactions)")
    parser.add_argument("--seed", type=int, default=0, help="of the first module")
    parser.add_argument("--tier", action="append", choices=WAYS, help="repeatable; all when none is named")
    parser.add_argument("--contracts", action="store_true", help="contracts in a world, tier against tier")
    parser.add_argument("--no-wasmtime", action="store_true", help="our tiers alone, in every round")
    parser.add_argument("--no-shrink", action="store_true", help="keep failing cases as they were generated")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("wasmtime") is None:
        print("the fuzzer compares with wasmtime, which is missing: pip install '.[test]'", file=sys.stderr)
        return 1
    for tier in TIERS if options.tier is None else ():
        if reason := missing(tier):
            print(reason, file=sys.stderr)
    return _run(options)


def _run(options: argparse.Namespace) -> int:
    from tests.fuzz.jobs import Job, batches

    tiers = tuple(options.tier or HERE)
    oracle = not (options.no_wasmtime or options.contracts)
    job = Job(Plan(tiers, options.calls, oracle=oracle), options.contracts)
    tally, failed, last = Tally(), 0, options.seed - 1
    started = said = monotonic()
    for seeds, done, cases in batches(job, options.seed, options.jobs):
        tally.add(done)
        last = max(last, seeds[-1])
        for case in cases:
            failed += 1
            _report(case, tiers, shrinking=not options.no_shrink)
        if monotonic() - said > PROGRESS_SECONDS:
            said = monotonic()
            rate = tally.cases / (said - started)
            print(f"{tally.cases} cases, seeds to {last}, {failed} differed, {rate:.0f} a second", flush=True)
        if tally.cases >= options.cases:
            break
    seconds = monotonic() - started
    kind = "transactions to contracts" if options.contracts else "cases"
    print(f"{tally.cases} {kind} on {tally.modules} modules, seeds {options.seed} to {last}, {seconds:.0f} s")
    print(f"tiers: {', '.join(tiers)}; wasmtime confirmed {tally.confirmed}")
    print(f"modules that a tier left to another: {tally.refused}")
    print("ends: " + ", ".join(f"{end} {number}" for end, number in tally.ends.most_common()))
    print(f"{failed} differed")
    return 1 if failed else 0


def _report(case: Case, tiers: tuple[str, ...], *, shrinking: bool) -> None:
    """Say how a case differs, make it small, keep it."""
    from tests.fuzz import corpus
    from tests.fuzz.differential import check, compare
    from tests.fuzz.shrink import shrink

    found = check(case, tiers)
    print(f"seed {case.seed}: {found or 'a difference that is not there the second time'}", flush=True)
    if shrinking and found is not None:
        what, sides = found.what, found.sides

        def same_kind(candidate: Case) -> bool:
            again = compare(candidate, sides)
            return again is not None and again.what == what

        case = shrink(case, same_kind)
        found = compare(case, sides) or found
    print(f"  kept as {corpus.save(case, str(found))}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
