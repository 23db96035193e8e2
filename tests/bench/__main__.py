"""`python -m tests.bench [SECTION ...] [--json] [--write]`: figures beside their peers of the same run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path

from contractvm.process import claim
from tests.bench import render
from tests.bench.compile import BenchError
from tests.bench.report import Row

SECTIONS = ("start", "tx", "compute", "native", "contracts", "kit", "state", "node", "growth")
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def section(name: str) -> Callable[[], Sequence[Row]]:
    """The measuring function of a section; imported only when asked for."""
    run: Callable[[], Sequence[Row]] = import_module(f"tests.bench.{name}").run
    return run


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the sections asked for, or all; 1 when one of them cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("section", nargs="*", metavar="|".join(SECTIONS), help="all when none is named")
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md from this run")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.section if name not in SECTIONS]:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    claim()  # as `contractvm` itself does
    facts = render.machine()
    measured: dict[str, Sequence[Row]] = {}
    failed = 0
    for name in options.section or SECTIONS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            measured[name] = section(name)()
        except BenchError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = 1
    _show(facts, measured, as_json=options.json)
    if options.write:
        PAGE.write_text(render.page(facts, measured))
        print(f"wrote {PAGE}", file=sys.stderr)
    return failed


def _show(facts: Mapping[str, str], measured: Mapping[str, Sequence[Row]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(render.as_object(facts, measured), indent=2))
        return
    print(render.machine_line(facts))
    for name, rows in measured.items():
        print(f"\n{name}\n{render.table(rows)}")


if __name__ == "__main__":
    sys.exit(main())
