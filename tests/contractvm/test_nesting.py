"""Threads for deep chains of calls: results and exceptions cross, limits come back, interrupts reach the deepest."""

from __future__ import annotations

import contextlib
import functools
import itertools
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from contractvm.errors import Trap, TrapCode
from contractvm.native import stack
from contractvm.nesting import (
    FRAMES_A_THREAD,
    FRAMES_ON_CALLER,
    RECURSION_LIMIT,
    STACK_BYTES,
    Legs,
    RaisedRecursionLimit,
    on_fresh_thread,
    roomy,
    stack_bytes,
)
from contractvm.rules import Limits
from tests.threads import on_thread


def test_results_and_exceptions_cross() -> None:
    legs = Legs()
    caller = threading.get_ident()
    assert legs.run(lambda number: (number + 1, threading.get_ident() != caller), 4) == (5, True)

    def fail(code: TrapCode) -> None:
        raise Trap(code, "deep down")

    with pytest.raises(Trap, match="deep down"):
        legs.run(fail, TrapCode.UNREACHABLE)


def test_legs_stand_on_legs() -> None:
    legs = Legs()

    def descend(depth: int) -> int:
        return 0 if depth == 0 else 1 + legs.run(descend, depth - 1)

    assert descend(40) == 40


def test_stack_size_comes_back() -> None:
    before = threading.stack_size(1 << 20)
    Legs().run(lambda _: None, 0)
    assert threading.stack_size(before) == 1 << 20
    assert STACK_BYTES >= 16 << 20


def test_recursion_limit_is_counted() -> None:
    before = sys.getrecursionlimit()
    with RaisedRecursionLimit():
        assert sys.getrecursionlimit() == RECURSION_LIMIT
        with RaisedRecursionLimit():
            pass
        assert sys.getrecursionlimit() == RECURSION_LIMIT
    assert sys.getrecursionlimit() == before


def test_a_leg_is_deep() -> None:
    def sink(depth: int) -> int:
        return 0 if depth == 0 else 1 + sink(depth - 1)

    with RaisedRecursionLimit():
        assert Legs().run(sink, 100_000) == 100_000


@contextmanager
def interrupted_in(seconds: float) -> Iterator[None]:
    """Ctrl-C for the main thread, once what is inside has begun."""
    main = threading.main_thread().ident or 0
    timer = threading.Timer(seconds, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()
    try:
        yield
    finally:
        timer.join()


def tick_for_ever(_: int) -> int:
    """What compiled code looks like to Python: 10 ms in C that holds the interpreter's lock, then a Python function."""
    return functools.reduce(lambda total, _: total + sum(range(400_000)), itertools.repeat(0), 0)


def sleep_for_ever(_: int) -> int:
    while True:
        time.sleep(0.001)


@pytest.mark.parametrize("work", [sleep_for_ever, tick_for_ever])
@pytest.mark.parametrize("legs", [1, 4])
def test_an_interrupt_reaches_the_deepest_leg(work: Callable[[int], int], legs: int) -> None:
    chain = Legs()
    unwound: list[int] = []

    def descend(depth: int) -> int:
        try:
            return chain.run(descend, depth - 1) if depth else work(depth)
        finally:
            unwound.append(depth)

    with pytest.raises(KeyboardInterrupt), interrupted_in(0.1):
        descend(legs)
    assert unwound == list(range(legs + 1))


@pytest.mark.parametrize("inner", [on_fresh_thread, None])
def test_an_interrupt_passes_chains_within_chains(inner: Callable[..., int] | None) -> None:
    """A leg that waits for a thread outside its chain passes on what it is told, if later."""
    ended: list[str] = []

    def work(_: int) -> int:
        try:
            return tick_for_ever(0)
        finally:
            ended.append("work")

    def middle(_: int) -> int:
        try:
            return inner(work, 0, stack_bytes(1, 64)) if inner else work(0)
        finally:
            ended.append("middle")

    with pytest.raises(KeyboardInterrupt), interrupted_in(0.1):
        Legs().run(middle, 0)
    assert ended == ["work", "middle"]


def test_an_impatient_user_waits_for_the_legs_to_end() -> None:
    """A second Ctrl-C while the legs unwind does not leave them running on what they share with the caller."""
    ended: list[str] = []

    def stubborn(_: int) -> int:
        for _ in range(3):
            with contextlib.suppress(KeyboardInterrupt):
                sleep_for_ever(0)
        ended.append("stubborn")
        return 0

    with pytest.raises(KeyboardInterrupt), interrupted_in(0.12), interrupted_in(0.1), interrupted_in(0.14):
        Legs().run(stubborn, 0)
    assert ended == ["stubborn"]


def test_stacks_are_sized_for_the_budget_of_weights() -> None:
    weight = Limits().stack_weight
    assert STACK_BYTES == stack_bytes(FRAMES_A_THREAD, weight) > FRAMES_A_THREAD * weight * stack.STACK_RATIO
    assert stack_bytes(FRAMES_ON_CALLER, weight) < 8 << 20, "the usual thread runs its share itself"
    assert stack_bytes(1, 1_048_576) < 8 << 20, "and a call of the bare engine"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody asks")
def test_room_is_found_where_there_is_none() -> None:
    assert roomy(1)
    for size in (64 << 10, 1 << 20):
        assert on_thread(size, lambda: roomy(20 << 20)) is False


def test_a_fresh_thread_has_the_room_asked_for() -> None:
    wanted = 30 << 20

    def look() -> tuple[bool, bool]:
        thread, room = on_fresh_thread(lambda _: (threading.get_ident(), roomy(wanted - (64 << 10))), 0, wanted)
        return thread != threading.get_ident(), room

    assert on_thread(256 << 10, look) == look() == (True, True)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody asks")
def test_a_thread_that_cannot_say_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask() -> int:
        raise OSError("no /proc")

    monkeypatch.setattr(stack, "size", ask)
    assert not roomy(1)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert roomy(1)
