"""The seam's own little logic: the budget of pages."""

from __future__ import annotations

from contractvm.machine import Outcome, PageBudget, Status


def test_pages_are_taken_whole_or_not_at_all() -> None:
    budget = PageBudget(10)
    assert budget.take(4) and budget.take(6)
    assert not budget.take(1)
    assert budget.take(0)
    budget.release(3)
    assert not budget.take(4) and budget.left == 3
    assert budget.take(3) and budget.left == 0


def test_only_status_0_is_ok() -> None:
    assert [status for status in Status if Outcome(status, 0).ok] == [Status.OK]
