"""Entry point of `contractvm` and `python -m contractvm.cli`."""

from __future__ import annotations

import sys
from typing import NoReturn

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line on the process's arguments and exit with its code."""
    try:
        # Inside the guard: a Ctrl-C while modules are being imported is as quiet as a later one.
        from contractvm.cli.app import run
        from contractvm.process import claim

        claim()
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
