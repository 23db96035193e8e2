"""Settings of a process that is contractvm's own: the command line's and the benchmark's, not an embedder's.

Never: called by the library itself, since they hold for the whole process.
"""

from __future__ import annotations

import gc
from typing import Final

COLLECT_AFTER: Final = (100_000, 20, 50)
"""Allocations between collections, and how many of a generation go before the next is looked at."""


def claim() -> None:
    """Let the cyclic garbage collector run less often: a block's thousands of objects live until it is written.

    With CPython's own thresholds (700, 10, 10) looking through them again and again costs a few percent.
    """
    gc.set_threshold(*COLLECT_AFTER)
