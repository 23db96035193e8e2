"""The vigil: kept where requests come one right after the other, and no longer than that may be worth."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from contractvm.node import vigil
from contractvm.node.vigil import NEAR, Vigil
from tests.contractvm.node.local import Local


class Loop:
    """An event loop whose callbacks and time are the test's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.ready: list[Callable[[], object]] = []
        monkeypatch.setattr(vigil, "perf_counter", lambda: self.now)
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: self)
        monkeypatch.setattr(vigil, "processors", lambda: 2)

    def call_soon(self, callback: Callable[..., object], *operands: Any) -> None:
        """Keep it for `turn`."""
        self.ready.append(lambda: callback(*operands))

    def turn(self, seconds: float) -> bool:
        """Let time pass and run what is ready; whether anything was."""
        self.now += seconds
        ready, self.ready = self.ready, []
        for callback in ready:
            callback()
        return bool(ready)


def test_it_looks_where_requests_follow_answers_and_then_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(monkeypatch)
    kept = Vigil()
    kept.begins()
    kept.ends()
    assert not loop.turn(0)  # the first request of all
    loop.now += NEAR / 2
    kept.begins()
    kept.ends()
    assert loop.turn(NEAR / 4) and loop.turn(NEAR / 4)
    kept.begins()
    kept.ends()
    assert len(loop.ready) == 1  # one look at a time
    assert loop.turn(NEAR * 0.9)
    assert loop.turn(NEAR * 0.2)
    assert not loop.turn(0)
    kept.ends()
    assert not loop.turn(0)  # a block in between is nobody's request
    loop.now += NEAR * 2
    kept.begins()
    kept.ends()
    assert not loop.turn(0)  # this client does not hurry


def test_a_block_made_after_the_answer_counts_as_work(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(monkeypatch)
    kept = Vigil()
    kept.ends()
    kept.begins()
    kept.ends()
    loop.now += NEAR * 3
    kept.ends()
    assert loop.turn(NEAR / 2)
    kept.begins()
    kept.ends()
    assert loop.turn(NEAR / 2)


def test_one_processor_is_the_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(monkeypatch)
    monkeypatch.setattr(vigil, "processors", lambda: 1)
    kept = Vigil()
    for _ in range(3):
        kept.begins()
        kept.ends()
    assert not loop.turn(0)


def test_a_node_that_nobody_asks_sleeps(node: Local) -> None:
    async def looks() -> bool:
        awake: bool = node.node.vigil._awake
        return awake

    for _ in range(100):
        node.rpc("eth_chainId")
    for _ in range(1_000):
        if node.on_loop(looks()) is False:
            return
        time.sleep(0.01)
    raise AssertionError("it still looks, ten seconds after the last request")
