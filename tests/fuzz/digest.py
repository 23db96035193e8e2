"""`python -m tests.fuzz.digest FIRST COUNT TIER`: one digest over everything that generated cases do on a tier.

Two processes, Pythons or machines agree on all of it exactly when they print the same line. It needs no more than
contractvm itself does.
Never: compares; who calls it does.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

from tests.fuzz.generate import generate
from tests.fuzz.tiers import run_tier


def digest(seeds: range, tier: str) -> str:
    """SHA-256 over the modules and the steps of the seeds' cases."""
    found = hashlib.sha256()
    for seed in seeds:
        case = generate(seed)
        found.update(case.wasm)
        for step in run_tier(case, tier):
            found.update(repr(step).encode())
    return found.hexdigest()


def main(arguments: Sequence[str]) -> int:
    """Print the digest; 2 for wrong arguments."""
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    first, count = map(int, arguments[:2])
    print(digest(range(first, first + count), arguments[2]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
