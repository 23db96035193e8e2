"""Where the time goes: samples the main thread's stack on a timer and counts the stage that each sample is in.

A stage is known by the innermost frame whose file (and function) a rule names, so shared helpers count for whoever
called them. One sample a millisecond costs under a hundredth of the time; wrapping every function would cost more than
it measures.
Never: used in the same pass that a rate is taken from.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import FrameType

INTERVAL = 0.001
"""Seconds between samples."""
REST = "rest"


@dataclass(frozen=True, slots=True)
class Rule:
    """Frames of files that contain `path`, in `functions` if there are any, are in `stage`."""

    stage: str
    path: str
    functions: frozenset[str] = frozenset()


@contextmanager
def sampled(rules: Sequence[Rule]) -> Iterator[Counter[str]]:
    """Count samples by stage while the body runs on the main thread."""
    counts: Counter[str] = Counter()

    @cache
    def stage(path: str, function: str) -> str | None:
        return next((r.stage for r in rules if r.path in path and (not r.functions or function in r.functions)), None)

    def sample(number: int, frame: FrameType | None) -> None:
        while frame is not None:
            found = stage(frame.f_code.co_filename, frame.f_code.co_name)
            if found is not None:
                counts[found] += 1
                return
            frame = frame.f_back
        counts[REST] += 1

    before = signal.signal(signal.SIGALRM, sample)
    signal.siginterrupt(signal.SIGALRM, False)
    signal.setitimer(signal.ITIMER_REAL, INTERVAL, INTERVAL)
    try:
        yield counts
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
