"""Medians of interleaved repeats: what is compared takes turns, so that a disturbance meets all of it.

Never: prints.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from timeit import Timer

REPEATS = 9
SLICE = 0.01
"""Seconds that one repeat of something short takes altogether."""


def interleaved(actions: Mapping[str, Callable[[], object]], repeats: int = REPEATS) -> dict[str, float]:
    """Seconds of each action: the median of repeats in which all take turns."""
    return _medians({name: _seconds(action) for name, action in actions.items()}, repeats)


def statements(texts: Mapping[str, str], names: Mapping[str, object], repeats: int = REPEATS) -> dict[str, float]:
    """Seconds of each statement, by the loop of `timeit`, in which all take turns; the loop's own time is in them.

    The garbage collector runs, which `timeit` would stop: what makes instances must let go of them too.
    """
    timers = {name: Timer(text, "gc.enable()", globals=dict(names) | {"gc": gc}) for name, text in texts.items()}
    return _medians({name: _often(timer) for name, timer in timers.items()}, repeats)


def _medians(measure: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    for once in measure.values():
        once()  # whatever is made at first use
    gc.collect()
    turns = [{name: once() for name, once in measure.items()} for _ in range(repeats)]
    return {name: median(turn[name] for turn in turns) for name in measure}


def _seconds(action: Callable[[], object]) -> Callable[[], float]:
    def once() -> float:
        start = perf_counter()
        action()
        return perf_counter() - start

    return once


def _often(timer: Timer) -> Callable[[], float]:
    """One call's seconds, taken over as many calls as fill a slice."""
    count, spent = 1, timer.timeit(1)
    while spent < SLICE:
        count = max(2 * count, min(20 * count, int(count * SLICE / max(spent, 1e-9))))
        spent = timer.timeit(count)
    return lambda: timer.timeit(count) / count
