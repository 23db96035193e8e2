"""`python -m tests.fuzz [--cases N] [--seed S] [--tier T]... [--no-shrink]`: exit code 1 when something differs."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from time import monotonic

from tests.fuzz.tiers import WAYS


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate and compare cases of consecutive seeds; shrink and keep what differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first case")
    parser.add_argument("--tier", action="append", choices=WAYS, help="repeatable; all when none is named")
    parser.add_argument("--contracts", action="store_true", help="contracts in a world, tier against tier")
    parser.add_argument("--no-shrink", action="store_true", help="keep failing cases as they were generated")
    options = parser.parse_args(arguments)
    if importlib.util.find_spec("wasmtime") is None:
        print("the fuzzer compares with wasmtime, which is missing: pip install '.[test]'", file=sys.stderr)
        return 1
    tiers = tuple(options.tier or WAYS)
    started, failed = monotonic(), 0
    for seed in range(options.seed, options.seed + options.cases):
        failed += _one(seed, tiers, contracts=options.contracts, shrinking=not options.no_shrink)
    seconds = monotonic() - started
    last = options.seed + options.cases - 1
    peers = ", ".join(tiers) + ("" if options.contracts else " and wasmtime")
    kind = "contracts" if options.contracts else "cases"
    print(f"{options.cases} {kind}, seeds {options.seed} to {last}, {peers}, {seconds:.0f} s")
    print(f"{options.cases - failed} agreed, {failed} differed")
    return 1 if failed else 0


def _one(seed: int, tiers: tuple[str, ...], *, contracts: bool, shrinking: bool) -> bool:
    """Whether the case of a seed shows a difference; reports and keeps it."""
    from tests.fuzz import corpus
    from tests.fuzz.contracts import generate_contract
    from tests.fuzz.differential import check, compare
    from tests.fuzz.generate import Case, generate
    from tests.fuzz.shrink import shrink

    case = generate_contract(seed) if contracts else generate(seed)
    found = check(case, tiers)
    if found is None:
        return False
    print(f"seed {seed}: {found}", flush=True)
    if shrinking:
        what, sides = found.what, found.sides

        def same_kind(candidate: Case) -> bool:
            again = compare(candidate, sides)
            return again is not None and again.what == what

        case = shrink(case, same_kind)
        found = compare(case, sides) or found
    print(f"  kept as {corpus.save(case, str(found))}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
