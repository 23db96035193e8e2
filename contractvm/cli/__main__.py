"""Entry point of `contractvm` and `python -m contractvm.cli`."""

from __future__ import annotations

import sys
from typing import NoReturn

from contractvm.cli.app import run


def main() -> NoReturn:
    """Run the command line on the process's arguments and exit with its code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
