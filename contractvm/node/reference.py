"""Writes `docs/rpc.md` from the methods' table: `python -m contractvm.node.reference [--check]`.

`--check` writes nothing and fails when the page is older than the table, as a test does. Never: imported by the node.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from contractvm.node.openrpc import page
from contractvm.node.table import methods

PAGE: Final = Path(__file__).parents[2] / "docs" / "rpc.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or compare it; 1 when it is older than the table."""
    parser = argparse.ArgumentParser(prog="python -m contractvm.node.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    text = page(methods())
    if not options.check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print(f"{PAGE} is older than the methods; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
