"""Threads with a stack of a given size, on which tests run what may need more."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from contractvm.nesting import start_sized

T = TypeVar("T")


def started(stack_bytes: int, function: Callable[[], T]) -> Callable[[], T]:
    """Start on a fresh thread with a stack of this size, 0 for the system's choice; call the result to wait for its."""
    box: list[T] = []
    thread = threading.Thread(target=lambda: box.append(function()))
    start_sized(thread, stack_bytes)

    def wait() -> T:
        thread.join()
        assert box, "the thread raised; its error is above"
        return box[0]

    return wait


def on_thread(stack_bytes: int, function: Callable[[], T]) -> T:
    """What a function returns on a fresh thread with a stack of this size."""
    return started(stack_bytes, function)()
