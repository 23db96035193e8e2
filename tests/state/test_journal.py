"""The undo log against copies of the tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.journal import Journal

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 1), st.integers(0, 4), st.integers(0, 99)),
        st.tuples(st.just("mark"), st.just(0), st.just(0), st.just(0)),
        st.tuples(st.just("back"), st.integers(0, 20), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_rollback_restores_what_a_checkpoint_saw(steps: list[tuple[str, int, int, int]]) -> None:
    journal = Journal()
    tables: list[dict[int, int]] = [{}, {}]
    marks: list[tuple[int, list[dict[int, int]]]] = []
    for action, which, key, value in steps:
        if action == "put":
            journal.put(tables[which], key, value)
        elif action == "mark":
            marks.append((journal.checkpoint(), [dict(table) for table in tables]))
        elif marks:
            at = which % len(marks)
            mark, saw = marks[at]
            journal.rollback(mark)
            assert tables == saw
            assert journal.checkpoint() == mark
            del marks[at + 1 :]


def test_a_mark_of_the_future_is_refused() -> None:
    journal = Journal()
    table: dict[int, int] = {}
    start = journal.checkpoint()
    journal.put(table, 1, 1)
    later = journal.checkpoint()
    journal.rollback(start)
    with pytest.raises(ValueError, match="not in this journal of 0 changes"):
        journal.rollback(later)
    with pytest.raises(ValueError, match="checkpoint -1"):
        journal.rollback(-1)


def test_old_values_are_kept_by_reference() -> None:
    journal = Journal()
    table: dict[int, bytes] = {}
    first = bytes(1 << 16)
    journal.put(table, 0, first)
    journal.put(table, 0, bytes(1 << 16))
    journal.rollback(1)
    assert table[0] is first
