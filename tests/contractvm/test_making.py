"""The lock on a chain: one thread, entered again by itself, and the collector as it was found."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from contractvm.making import Making


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Leave the collector on, whatever a test does."""
    gc.enable()
    yield
    gc.enable()


def test_no_collection_until_the_outermost_is_left() -> None:
    making = Making()
    with making:
        assert not gc.isenabled()
        with making:
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_one_that_is_off_stays_off() -> None:
    gc.disable()
    with Making():
        assert not gc.isenabled()
    assert not gc.isenabled()


def test_an_error_turns_it_on_again() -> None:
    making = Making()
    with pytest.raises(ValueError, match="no block"), making:
        raise ValueError("no block")
    assert gc.isenabled()
    with making:
        assert not gc.isenabled()


def test_two_chains_in_turn() -> None:
    """The one that turned it off turns it on, in whichever order they end."""
    one, other = Making(), Making()
    one.__enter__()
    other.__enter__()
    one.__exit__()
    other.__exit__()
    assert gc.isenabled()


def test_another_thread_waits() -> None:
    making, seen = Making(), list[str]()
    entered = threading.Event()

    def late() -> None:
        entered.set()
        with making:
            seen.append("late")

    with making:
        thread = threading.Thread(target=late)
        thread.start()
        assert entered.wait(10)
        seen.append("early")
    thread.join()
    assert seen == ["early", "late"]
