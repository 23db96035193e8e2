"""Tries the modules of consecutive seeds in batches, in this process or in several.

Never: prints, and never lets a process that died pass for one that found nothing.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import count

from tests.fuzz.contracts import differing_contract
from tests.fuzz.generate import Case
from tests.fuzz.lockstep import differing
from tests.fuzz.tally import Plan, Tally

BATCH = 10
"""Seeds handed to a process at a time."""

Batch = tuple[range, Tally, list[Case]]
"""Seeds, what was done with them, the cases that differ."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every process does with its seeds."""

    plan: Plan
    contracts: bool

    def __call__(self, seeds: range) -> Batch:
        tally = Tally()
        one = differing_contract if self.contracts else differing
        return seeds, tally, [case for seed in seeds for case in one(seed, self.plan, tally)]


def batches(job: Job, first: int, jobs: int) -> Iterator[Batch]:
    """Results for batches of consecutive seeds, for ever. A process that dies names its seeds."""
    if jobs < 2:
        yield from (job(range(start, start + BATCH)) for start in count(first, BATCH))
    waiting: deque[tuple[range, Future[Batch]]] = deque()
    context = multiprocessing.get_context("spawn")
    starts = count(first, BATCH)
    with ProcessPoolExecutor(jobs, context, faulthandler.enable) as pool:
        try:
            while True:
                while len(waiting) < 2 * jobs:
                    start = next(starts)
                    seeds = range(start, start + BATCH)
                    waiting.append((seeds, pool.submit(job, seeds)))
                yield waiting.popleft()[1].result()
        except BrokenProcessPool:
            held = ", ".join(f"{seeds[0]} to {seeds[-1]}" for seeds, _ in waiting)
            raise SystemExit(
                f"a process died; its seeds are among those before {held}; try them with --jobs 1"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)
