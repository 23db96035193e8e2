"""Where runs happen: here once they are known to be short, elsewhere when they are long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from contractvm.node import pace
from contractvm.node.config import Config
from contractvm.node.opening import close_chain, open_chain
from contractvm.node.pace import Pace
from contractvm.types import ZERO_ADDRESS
from state.errors import StoreError


class Clock:
    """Time as the test wants it."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.now


def taking(clock: Clock, seconds: float) -> Any:
    def work() -> int:
        clock.now += seconds
        return threading.get_ident()

    return work


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(pace, "time", made)
    return made


def where(clock: Clock, *runs: float) -> str:
    """For runs of one kind, one after another: h for here, e for elsewhere."""

    async def go() -> str:
        paced, here, places = Pace(), threading.get_ident(), ""
        for seconds in runs:
            result = paced.run("kind", taking(clock, seconds))
            done = await result if isinstance(result, Awaitable) else result
            places += "h" if done == here else "e"
        paced.close()
        return places

    return asyncio.run(go())


def test_what_nobody_knows_goes_elsewhere_first(clock: Clock) -> None:
    assert where(clock, 0.001, 0.001, 0.001) == "ehh"


def test_what_is_long_stays_elsewhere_until_it_was_short(clock: Clock) -> None:
    assert where(clock, 0.01, 0.01, 0.001, 0.001) == "eeeh"


def test_one_delay_is_forgiven(clock: Clock) -> None:
    assert where(clock, 0.001, 0.01, 0.001, 0.01, 0.001) == "ehhhh"


def test_two_in_a_row_are_not(clock: Clock) -> None:
    assert where(clock, 0.001, 0.01, 0.01, 0.01) == "ehhe"


def test_what_was_very_long_goes_at_once(clock: Clock) -> None:
    assert where(clock, 0.001, 0.1, 0.1) == "ehe"


def test_an_error_comes_through_from_both(clock: Clock) -> None:
    async def go() -> None:
        paced = Pace()

        def fails() -> None:
            raise KeyError("mine")

        for _ in range(2):
            with pytest.raises(KeyError, match="mine"):
                result = paced.run("kind", fails)
                if isinstance(result, Awaitable):
                    await result
        paced.close()

    asyncio.run(go())


def test_a_long_kind_leaves_room_for_others() -> None:
    """A hundred runs of one kind that do not end leave threads for the others, and two of them run at once."""
    shared, end = Pace(), threading.Event()
    running, most = 0, 0
    lock = threading.Lock()

    def long() -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        end.wait(20)
        with lock:
            running -= 1
        return 1

    async def main() -> None:
        many = [asyncio.ensure_future(awaited(shared.run("long", long))) for _ in range(100)]
        await asyncio.sleep(0.05)
        assert [await awaited(shared.run(("other", number), lambda: 2)) for number in range(5)] == [2] * 5
        end.set()
        assert await asyncio.gather(*many) == [1] * 100

    asyncio.run(main())
    shared.close()
    assert most <= 2


async def awaited(answer: int | Awaitable[int]) -> int:
    """An answer, now or later."""
    return await answer if isinstance(answer, Awaitable) else answer


def test_what_ran_has_ended_or_not() -> None:
    paced, end = Pace(), threading.Event()

    async def run() -> None:
        running = asyncio.ensure_future(paced.elsewhere(end.wait))
        await asyncio.sleep(0)
        paced.close()
        assert not paced.ended()
        end.set()
        assert await running
        assert paced.ended()

    asyncio.run(run())


def test_a_store_on_disk_is_not_closed_under_those_who_read_it(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "c")
    chain = open_chain(config, ())
    world = chain.world()
    close_chain(chain, config, read=True)
    assert world.nonce(ZERO_ADDRESS) == 0
    close_chain(chain, config)
    with pytest.raises(StoreError, match="closed"):
        chain.world()
