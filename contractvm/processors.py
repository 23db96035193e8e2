"""How many processors there are for this process: what is worth a thread or a process of its own depends on it."""

from __future__ import annotations

import os


def processors() -> int:
    """Those that the process may use, which a container or `taskset` makes fewer than the machine's; at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
