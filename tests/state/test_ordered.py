"""`SortedKeys` against a sorted list, `Gaps` against a set of points."""

from bisect import bisect_left, bisect_right
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from state.ordered import Gaps, SortedKeys, prefix_end, successor

KEYS = st.binary(max_size=2)


@given(st.lists(st.tuples(st.booleans(), KEYS)), st.lists(KEYS))
def test_sorted_keys_are_a_sorted_set(steps: list[tuple[bool, bytes]], first: list[bytes]) -> None:
    keys, model = SortedKeys(first), set(first)
    for put, key in steps:
        (keys.add if put else keys.discard)(key)
        (model.add if put else model.discard)(key)
        ordered = sorted(model)
        assert list(keys) == ordered
        assert len(keys) == len(ordered)
        for probe in (key, successor(key), key[:1]):
            low, high = bisect_left(ordered, probe), bisect_right(ordered, probe)
            assert keys.above(probe, inclusive=True) == (ordered[low] if low < len(ordered) else None)
            assert keys.above(probe, inclusive=False) == (ordered[high] if high < len(ordered) else None)
            assert keys.below(probe, inclusive=True) == (ordered[high - 1] if high else None)
            assert keys.below(probe, inclusive=False) == (ordered[low - 1] if low else None)
            assert (probe in keys) == (probe in model)
        assert keys.below(None, inclusive=True) == (ordered[-1] if ordered else None)


def test_sorted_keys_over_many_chunks() -> None:
    numbers = [(i * 7919) % 10007 for i in range(10007)]
    keys = SortedKeys()
    for number in numbers:
        keys.add(number.to_bytes(2, "big"))
    assert list(keys) == [i.to_bytes(2, "big") for i in range(10007)]
    for number in numbers[:9000]:
        keys.discard(number.to_bytes(2, "big"))
    left = sorted(number.to_bytes(2, "big") for number in numbers[9000:])
    assert list(keys) == left
    assert [keys.above(key, inclusive=False) for key in left[:-1]] == left[1:]
    assert [keys.below(key, inclusive=False) for key in left[1:]] == left[:-1]


POINTS = [bytes((i,)) for i in range(12)]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 11), st.one_of(st.none(), st.integers(0, 11))),
        st.tuples(st.just("split"), st.integers(0, 11), st.none()),
    )
)


@given(STEPS)
def test_gaps_are_a_set_of_points(steps: list[tuple[str, int, int | None]]) -> None:
    """Points are single bytes; a gap from one to another holds every one between, and whatever lies between those."""
    gaps = Gaps()
    covered: set[int] = set()
    for action, low, high in steps:
        if action == "add":
            gaps.add(POINTS[low], None if high is None else POINTS[high])
            covered |= set(range(low, 12 if high is None else high))
        else:
            gaps.split(POINTS[low])
            covered.discard(low)
        for at in range(12):
            inside = gaps.end_of(POINTS[at]) != POINTS[at]
            assert inside == (at in covered)
            assert (gaps.start_of(successor(POINTS[at])) != successor(POINTS[at])) == (at in covered)
        stretches = list(gaps)
        for (_, end), (start, _) in pairwise(stretches):
            assert end is not None
            assert end < start, "touching gaps are joined"


def test_a_gap_without_end() -> None:
    gaps = Gaps()
    gaps.add(b"b", None)
    assert gaps.end_of(b"zzz") is None
    assert gaps.start_of(None) == b"b"
    assert gaps.start_of(b"a") == b"a"
    gaps.split(b"m")
    assert list(gaps) == [(b"b", b"m"), (b"m\x00", None)]
    gaps.clear()
    assert len(gaps) == 0


@given(st.binary(max_size=4), st.binary(max_size=4))
@settings(max_examples=200)
def test_prefix_end_bounds_the_prefix(prefix: bytes, rest: bytes) -> None:
    end = prefix_end(prefix)
    assert end is None or prefix + rest < end
    if end is None:
        assert set(prefix) <= {0xFF}
