"""The world against a model, its substate, and iterators over removed keys."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state import view
from state.account import Nothing
from state.database import StateDB
from state.store import MemoryStore
from state.world import EMPTY_CODE_HASH, World
from tests.state.support import CountingStore, PlainWorld, copied, keccak
from tests.state.twin import STEPS, Twin

A, B = b"a" * 20, b"b" * 20


@pytest.fixture
def world() -> World:
    return World(Nothing(keccak))


@given(STEPS, STEPS, STEPS)
@settings(deadline=None, max_examples=150)
def test_a_world_over_a_base_follows_a_model(below: list, steps: list, more: list) -> None:  # type: ignore[type-arg]
    store = MemoryStore()
    state = StateDB(store, keccak)
    model: PlainWorld = {}
    first = Twin(World(state.view()), model)
    first.run(below)
    first.world.end_transaction()
    state.commit(state.prepare(first.world, 0))
    rows = dict(store.iterate(b"", None))
    twin = Twin(World(state.view()), copied(first.model))
    twin.same()
    twin.run(steps)
    twin.same()
    twin.run(more)
    twin.same()
    assert dict(store.iterate(b"", None)) == rows, "a world writes nothing by itself"


@given(st.lists(st.integers(0, 11), max_size=40))
@settings(deadline=None)
def test_the_substate_is_rolled_back_with_the_rest(steps: list[int]) -> None:
    world = World(Nothing(keccak))

    def substate() -> tuple[object, ...]:
        mark = world.checkpoint()
        warm = [world.warm_address(A), world.warm_address(B), world.warm_slot(A, b"k"), world.warm_slot(B, b"k")]
        world.rollback(mark)
        return warm, world.transient(A, b"k"), world.logs, world.refund, world.was_created(A), world.storage(A, b"k")

    marks: list[tuple[int, tuple[object, ...]]] = []
    for number, step in enumerate(steps):
        match step:
            case 0 | 1:
                world.warm_address((A, B)[step])
            case 2 | 3:
                world.warm_slot((A, B)[step - 2], b"k")
            case 4:
                world.set_transient(A, b"k", b"%d" % number)
            case 5:
                world.add_log(number)
            case 6:
                world.add_refund(number - 5)
            case 7:
                world.create(A)
            case 8:
                world.set_storage(A, b"k", b"%d" % number)
            case 9 | 10:
                marks.append((world.checkpoint(), substate()))
            case _:
                if marks:
                    mark, saw = marks.pop()
                    world.rollback(mark)
                    assert substate() == saw


def test_a_new_world_is_empty(world: World) -> None:
    assert not world.exists(A)
    assert world.is_empty(A)
    assert (world.nonce(A), world.balance(A), world.code(A), world.storage(A, b"k")) == (0, 0, b"", b"")
    assert world.code_hash(A) == EMPTY_CODE_HASH == keccak(b"")
    assert world.next_key(A, None, inclusive=True, stop=None) is None
    assert not world.has_storage(A)


def test_balances(world: World) -> None:
    world.add_balance(A, 5)
    world.sub_balance(A, 2)
    assert world.balance(A) == 3
    with pytest.raises(ValueError, match=f"balance of {A.hex()} would be -1"):
        world.sub_balance(A, 4)
    assert world.balance(A) == 3


def test_original_storage_is_that_of_the_transactions_start(world: World) -> None:
    world.set_storage(A, b"k", b"1")
    world.begin_transaction()
    mark = world.checkpoint()
    world.set_storage(A, b"k", b"2")
    world.set_storage(A, b"k", b"3")
    assert (world.storage(A, b"k"), world.open_slot(A, b"k")[1]) == (b"3", b"1")
    world.rollback(mark)
    assert (world.storage(A, b"k"), world.open_slot(A, b"k")[1]) == (b"1", b"1")
    world.begin_transaction()
    mark = world.checkpoint()
    world.create(A)
    world.set_storage(A, b"k", b"4")
    assert world.open_slot(A, b"k")[1] == b"", "a created account began without storage"
    world.rollback(mark)
    assert world.open_slot(A, b"k")[1] == b"1"
    world.set_storage(A, b"k", b"5")
    assert world.open_slot(A, b"k")[1] == b"1"


def test_a_transaction_begins_with_a_clean_substate(world: World) -> None:
    world.warm_address(A)
    world.warm_slot(A, b"k")
    world.set_transient(A, b"k", b"v")
    world.add_log("log")
    world.add_refund(7)
    world.create(B)
    world.begin_transaction()
    assert not world.warm_address(A)
    assert not world.warm_slot(A, b"k")
    assert world.warm_slot(A, b"k")
    assert (world.transient(A, b"k"), world.logs, world.refund, world.was_created(B)) == (b"", (), 0, False)


def test_a_rollback_reaches_across_the_end_of_a_transaction(world: World) -> None:
    """As estimating gas needs it: one world, the same transaction many times."""
    world.set_balance(A, 10)
    mark = world.checkpoint()
    for _ in range(3):
        world.begin_transaction()
        world.sub_balance(A, 10)
        world.set_storage(B, b"k", b"v")
        world.destroy(B)
        world.end_transaction()
        assert (world.exists(A), world.exists(B)) == (False, False)
        world.rollback(mark)
        assert (world.balance(A), world.exists(B)) == (10, False)


def test_logs_are_those_of_now(world: World) -> None:
    world.add_log(1)
    logs = world.logs
    world.add_log(2)
    assert (logs, world.logs) == ((1,), (1, 2))


def test_empty_accounts_go_when_touched_and_stay_when_not(world: World) -> None:
    world.set_balance(A, 0)
    world.set_balance(B, 0)
    world.begin_transaction()
    world.touch(A)
    world.end_transaction()
    assert (world.exists(A), world.exists(B)) == (False, True)


def test_a_touch_is_rolled_back(world: World) -> None:
    world.set_balance(A, 0)
    world.begin_transaction()
    mark = world.checkpoint()
    world.add_balance(A, 0)
    world.rollback(mark)
    world.end_transaction()
    assert world.exists(A)


def test_a_destroyed_account_loses_what_it_gets_later(world: World) -> None:
    world.set_code(A, b"code")
    world.set_storage(A, b"k", b"v")
    world.destroy(A)
    world.add_balance(A, 5)
    assert world.code(A) == b"code", "it lives until the transaction ends"
    world.end_transaction()
    assert not world.exists(A)
    assert not world.has_storage(A)


# Iterating past removed keys: the attack is to make each step cost what the removals cost.

MANY = 20_000


def keys(count: int) -> list[bytes]:
    return [i.to_bytes(4, "big") for i in range(count)]


def over(store: CountingStore, count: int) -> tuple[StateDB, World]:
    """A database where account A has `count` keys, and a world over it."""
    state = StateDB(store, keccak)
    world = World(state.view())
    for key in keys(count):
        world.set_storage(A, key, b"v")
    state.commit(state.prepare(world, 0))
    return state, World(state.view())


@pytest.fixture
def counting() -> CountingStore:
    return CountingStore(MemoryStore())


@pytest.mark.parametrize("reverse", [False, True])
def test_removed_keys_are_passed_once(counting: CountingStore, reverse: bool) -> None:
    _, world = over(counting, MANY)
    for key in keys(MANY)[1:-1]:
        world.set_storage(A, key, b"")
    start, end = (keys(MANY)[0], keys(MANY)[-1])[:: -1 if reverse else 1]
    counting.walks = 0
    assert world.next_key(A, start, inclusive=False, stop=None, reverse=reverse) == end
    assert counting.walks <= MANY
    counting.walks = 0
    for key in [start, *keys(MANY)[5:-5:97]]:
        assert world.next_key(A, key, inclusive=False, stop=None, reverse=reverse) == end
    assert counting.walks <= MANY // 97 + 2, "at most one look into the base a step"


def test_a_rollback_brings_removed_keys_back_into_order(counting: CountingStore) -> None:
    _, world = over(counting, 1000)
    everything = keys(1000)
    world.set_storage(A, everything[0], b"changed before the checkpoint, so that its order outlives the rollback")
    for _ in range(3):
        mark = world.checkpoint()
        for key in everything[1:]:
            world.set_storage(A, key, b"")
        assert world.next_key(A, everything[0], inclusive=False, stop=None) is None
        inner = world.checkpoint()
        world.set_storage(A, everything[500], b"again")
        assert world.next_key(A, everything[0], inclusive=False, stop=None) == everything[500]
        world.rollback(inner)
        assert world.next_key(A, everything[0], inclusive=False, stop=None) is None
        world.rollback(mark)
        assert [world.next_key(A, key, inclusive=False, stop=None) for key in everything[:-1]] == everything[1:]


def test_keys_removed_by_earlier_blocks_are_passed_once(counting: CountingStore) -> None:
    """A disk store steps over the tombstones of removed keys; a later view already knows the stretch."""
    state, world = over(counting, 2000)
    for height in range(1, 20):
        for key in keys(2000)[height * 100 : height * 100 + 100]:
            world.set_storage(A, key, b"")
        state.commit(state.prepare(world, height))
        world = World(state.view())
    first, last = keys(2000)[99], None
    counting.walks = 0
    for _ in range(50):
        world = World(state.view())
        for key in keys(2000)[99:1999:50]:
            assert world.next_key(A, key, inclusive=False, stop=None) == last
    assert counting.walks <= 2, "only the first step looked"
    world.set_storage(A, keys(2000)[1500], b"back")
    state.commit(state.prepare(world, 20))
    assert World(state.view()).next_key(A, first, inclusive=False, stop=None) == keys(2000)[1500]


@pytest.mark.parametrize("most", [3, 1 << 14])
def test_keys_that_come_to_be_while_nobody_looks_are_found(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Also where they are too many to be taken out of the empty stretches one by one."""
    monkeypatch.setattr(view, "_MOST_GAPS", most)
    state = StateDB(MemoryStore(), keccak)
    for height, key in enumerate(keys(40)[::-3]):
        world = World(state.view())
        if height % 5 == 0:
            found, at = [], world.next_key(A, None, inclusive=True, stop=None)
            while at is not None:
                found.append(at)
                at = world.next_key(A, at, inclusive=False, stop=None)
            assert found == sorted(keys(40)[::-3][:height])
        world.set_storage(A, key, b"here")
        state.commit(state.prepare(world, height))


@pytest.mark.parametrize("reverse", [False, True])
def test_what_an_earlier_view_found_empty_is_not_believed_later(reverse: bool) -> None:
    state = StateDB(MemoryStore(), keccak)
    early = state.view()
    world = World(state.view())
    world.set_storage(A, b"m", b"v")
    state.commit(state.prepare(world, 0))
    assert early.next_key(A, None, inclusive=True, stop=None, reverse=reverse) is None
    assert state.view().next_key(A, None, inclusive=True, stop=None, reverse=reverse) == b"m"
    assert early.next_key(A, None, inclusive=True, stop=None, reverse=reverse) is None


@pytest.mark.parametrize("reverse", [False, True])
def test_keys_of_later_blocks_are_passed_once_in_an_older_view(counting: CountingStore, reverse: bool) -> None:
    state, world = over(counting, 2)
    for key in keys(2000)[2:]:
        world.set_storage(A, key, b"later")
    world.set_storage(A, keys(2)[1], b"")
    state.commit(state.prepare(world, 1))
    old = World(state.view(0))
    first, second = keys(2)
    for turn in range(30):
        counting.walks = 0
        if reverse:
            assert old.next_key(A, None, inclusive=False, stop=None, reverse=True) == second
        else:
            assert old.next_key(A, second, inclusive=False, stop=None) is None
        assert old.next_key(A, first, inclusive=False, stop=None) == second
        assert counting.walks <= (6 if turn else 3 * 2000)


def test_keys_added_by_the_thousand_stay_in_order(world: World) -> None:
    for number in range(5000):
        world.set_storage(A, ((number * 7919) % 5000).to_bytes(4, "big"), b"v")
        if number == 10:
            world.next_key(A, None, inclusive=True, stop=None)  # from here on the order is kept up
    found, walked = world.next_key(A, None, inclusive=True, stop=None), []
    while found is not None:
        walked.append(found)
        found = world.next_key(A, found, inclusive=False, stop=None)
    assert walked == keys(5000)
    assert world.next_key(A, None, inclusive=False, stop=None, reverse=True) == keys(5000)[-1]


def test_bounds_of_a_walk(world: World) -> None:
    for key in (b"a", b"b", b"c"):
        world.set_storage(A, key, b"v")
    assert world.next_key(A, b"a", inclusive=False, stop=b"b") is None
    assert world.next_key(A, b"a", inclusive=True, stop=b"b") == b"a"
    assert world.next_key(A, b"c", inclusive=False, stop=b"c", reverse=True) is None
    assert world.next_key(A, b"c", inclusive=False, stop=b"b", reverse=True) == b"b"
    assert world.next_key(A, b"zz", inclusive=True, stop=None, reverse=True) == b"c"


# Big values


def test_a_big_value_written_in_a_loop_is_kept_once_a_write() -> None:
    """The undo log holds the values themselves; nothing copies them."""
    world = World(Nothing(keccak))
    values = [bytes((i,)) * 65536 for i in range(64)]
    marks: list[int] = []
    for value in values:
        marks.append(world.checkpoint())
        world.set_storage(A, b"k", value)
    assert world.storage(A, b"k") is values[-1]
    for before, mark in zip(reversed(values[:-1]), reversed(marks[1:]), strict=True):
        world.rollback(mark)
        assert world.storage(A, b"k") is before


def test_what_lasted_for_a_transaction_can_be_forgotten(world: World) -> None:
    start = world.checkpoint()
    marks = []
    for number in range(1, 4):
        before = world.checkpoint()
        world.begin_transaction()
        world.add_balance(A, number)
        world.set_storage(A, b"key", bytes([number]))
        world.warm_slot(A, b"key")
        world.add_log("log")
        world.end_transaction()
        world.forget_transaction(before)
        marks.append(world.checkpoint())
    assert marks[2] - marks[1] == 2, "a balance and a slot are all that is left"
    assert (world.balance(A), world.storage(A, b"key")) == (6, b"\x03")
    world.rollback(marks[0])
    assert (world.balance(A), world.storage(A, b"key")) == (1, b"\x01")
    world.rollback(start)
    assert (world.balance(A), world.storage(A, b"key"), world.exists(A)) == (0, b"", False)
