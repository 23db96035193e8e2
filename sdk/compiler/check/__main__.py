"""`python -m sdk.compiler.check FILE [CONTRACT]`: prints the typed tree, or what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

from sdk.compiler.check.program import check_contract
from sdk.compiler.check.show import show
from sdk.compiler.diagnostics import Reporter
from sdk.compiler.front.load import load


def main(arguments: list[str]) -> int:
    reporter = Reporter()
    unit = load(Path(arguments[0]), arguments[1] if len(arguments) > 1 else None, reporter)
    program = None if unit.contract is None else check_contract(unit, unit.contract, reporter)
    for said in reporter.diagnostics():
        print(said, file=sys.stderr)
    if program is None or reporter.failed:
        return 1
    sys.stdout.write(show(program))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
