"""Threads for deep chains of calls: results and exceptions cross, limits come back, interrupts reach the deepest."""

from __future__ import annotations

import signal
import sys
import threading
import time

import pytest

from contractvm.errors import Trap, TrapCode
from contractvm.nesting import RECURSION_LIMIT, STACK_BYTES, Legs, RaisedRecursionLimit


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
    before = threading.stack_size()
    Legs().run(lambda _: None, 0)
    assert threading.stack_size() == before
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


def test_an_interrupt_reaches_the_deepest_leg() -> None:
    legs = Legs()
    unwound: list[int] = []
    main = threading.main_thread().ident or 0

    def descend(depth: int) -> None:
        try:
            if depth:
                legs.run(descend, depth - 1)
            else:
                threading.Timer(0.1, signal.pthread_kill, (main, signal.SIGINT)).start()
                while True:
                    time.sleep(0.001)
        finally:
            unwound.append(depth)

    with pytest.raises(KeyboardInterrupt):
        descend(3)
    assert unwound == [0, 1, 2, 3]
