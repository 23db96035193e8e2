"""Branches' records: what is spliced into one is what it would be, made anew."""

from hypothesis import given
from hypothesis import strategies as st

from state.trie_records import (
    Slot,
    branch_node,
    hashed_node,
    masks_of,
    name_of,
    record_of,
    slots_of,
    with_child,
    with_digest,
)

DIGESTS = st.binary(min_size=32, max_size=32)
LEAVES = st.tuples(DIGESTS, st.just(True), st.binary(max_size=40))
BRANCHES = st.tuples(DIGESTS, st.just(False), st.just(b"") | st.text("0123456789abcdef", max_size=9).map(str.encode))
SLOTS = st.integers(0, 15)
CHILDREN = st.dictionaries(SLOTS, LEAVES | BRANCHES, min_size=2)


def made(children: dict[int, Slot]) -> bytes:
    """The record of a branch whose children are hashed."""
    hashed = {at: (b"\xa0" + digest, is_leaf, name) for at, (digest, is_leaf, name) in children.items()}
    return record_of(sorted(hashed.items()))


@given(CHILDREN, SLOTS, LEAVES | BRANCHES)
def test_a_child_is_spliced_in(children: dict[int, Slot], slot: int, child: Slot) -> None:
    assert with_child(made(children), slot, *child) == made(children | {slot: child})


@given(CHILDREN, st.data())
def test_a_hash_is_spliced_in(children: dict[int, Slot], data: st.DataObject) -> None:
    slot, digest = data.draw(st.sampled_from(sorted(children))), data.draw(DIGESTS)
    record = made(children)
    _, is_leaf, name = children[slot]
    assert with_digest(record, masks_of(record)[0], slot, digest) == made(children | {slot: (digest, is_leaf, name)})


@given(CHILDREN)
def test_a_record_tells_its_children(children: dict[int, Slot]) -> None:
    record = made(children)
    found = {at: slot for at, slot in enumerate(slots_of(record)) if slot is not None}
    assert found == {at: (b"\xa0" + digest, is_leaf, name) for at, (digest, is_leaf, name) in children.items()}
    assert hashed_node(record) == branch_node(record)
    _, leaves, extended, short = masks_of(record)
    assert not short
    for at, (_, is_leaf, name) in children.items():
        if is_leaf or name:
            assert name_of(record, leaves | extended, 1 << at) == name
