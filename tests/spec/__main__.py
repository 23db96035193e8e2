"""`python -m tests.spec [PACK.zip] [--tier T] [--script NAME]... [--wording]`: exit code 1 when anything failed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from contractvm.wasm.engine import TIERS
from tests.spec.pack import Pack, PackError, default_pack
from tests.spec.script import ScriptRunner
from tests.spec.summary import Summary


def main(arguments: list[str] | None = None) -> int:
    """Run a pack on one tier; 0 when nothing failed, 1 when something did, 2 when the pack cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m tests.spec", description=__doc__)
    parser.add_argument(
        "pack", type=Path, nargs="?", default=default_pack(), help="zip of NAME/commands.json and modules"
    )
    parser.add_argument("--tier", choices=TIERS, default="portable")
    parser.add_argument("--script", action="append", metavar="NAME", help="only this script (repeatable)")
    parser.add_argument("--wording", action="store_true", help="list refusals worded otherwise than the script")
    options = parser.parse_args(arguments)
    summary = Summary()
    try:
        with Pack(options.pack) as pack:
            scripts = options.script or pack.scripts
            if unknown := sorted({*scripts} - {*pack.scripts}):
                raise PackError(f"{options.pack}: no script {', '.join(unknown)} in it")
            for script in scripts:
                for result in ScriptRunner(pack, script, options.tier).run():
                    summary.add(result)
    except PackError as error:
        print(error, file=sys.stderr)
        return 2
    summary.print(sys.stdout, options.wording)
    return 1 if summary.failures else 0


if __name__ == "__main__":
    sys.exit(main())
