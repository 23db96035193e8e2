"""The database against model worlds: roots, views at every kept height, the way back, proofs, amendments."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.account import Account, Nothing, encode_account
from state.codec import encode_bytes
from state.database import HeightError, StateDB
from state.errors import StoreCorrupt
from state.merkle import EMPTY_ROOT, verify_proof
from state.records import ACCOUNT, ACCOUNT_TRIE, CODE, DIFF, HEAD, PAST, STORAGE, past_end, past_key, record_of_past
from state.store import MemoryStore, Store
from state.world import World
from tests.state.support import (
    BACKENDS,
    DISK_BACKENDS,
    PlainWorld,
    copied,
    installed_backends,
    keccak,
    make_store,
    state_root,
)
from tests.state.twin import ADDRESSES, KEYS, STEPS, Twin

A, B = b"a" * 20, b"b" * 20
TRIES = (ACCOUNT_TRIE, b"\x06")  # the records of all tries lie between

PLANS = st.lists(
    st.one_of(
        st.tuples(st.just("block"), STEPS),
        st.tuples(st.just("block"), STEPS),
        st.tuples(st.just("amend"), STEPS),
        st.tuples(st.just("revert"), st.integers(0, 9)),
        st.tuples(st.just("prune"), st.integers(0, 9)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=8,
)


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with make_store(request.param, tmp_path / "db") as made:
        yield made


def put(state: StateDB, height: int, changes: dict[bytes, dict[bytes, bytes]]) -> bytes:
    """Commit a block that sets storage; return the root."""
    world = World(state.view())
    for address, slots in changes.items():
        for key, value in slots.items():
            world.set_storage(address, key, value)
    prepared = state.prepare(world, height)
    state.commit(prepared)
    return prepared.root


class Chain:
    """A database and the models of its heights."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.state = StateDB(store, keccak)
        self.model: PlainWorld = {}
        self.past: dict[int, PlainWorld] = {}

    def block(self, steps: list[tuple[Any, ...]]) -> None:
        self._commit(steps, 0 if self.state.height is None else self.state.height + 1)

    def amend(self, steps: list[tuple[Any, ...]]) -> None:
        self._commit(steps, self.state.height or 0)

    def revert(self, which: int) -> None:
        if self.past:
            height = sorted(self.past)[which % len(self.past)]
            self.state.revert_to(height, {b"head": b"%d" % height})
            self.past = {at: model for at, model in self.past.items() if at <= height}
            self.model = copied(self.past[height])

    def prune(self, which: int) -> None:
        if self.past:
            height = sorted(self.past)[which % len(self.past)]
            self.state.prune(height)
            self.past = {at: model for at, model in self.past.items() if at >= height}

    def reopen(self, _: int) -> None:
        self.state = StateDB(self.store, keccak)

    def same(self) -> None:
        """Compare every kept height, the root, proofs, and the records with those of a database made at once."""
        assert self.state.root == state_root(self.model)
        for height, model in self.past.items():
            Twin(World(self.state.view(height)), model).same()
        for address in ADDRESSES:
            self._same_proof(address)
        fresh = MemoryStore()
        made = StateDB(fresh, keccak)
        twin = Twin(World(made.view()), {})
        for address, account in self.model.items():
            twin.set_nonce(address, account.nonce)
            twin.set_balance(address, account.balance)
            twin.set_code(address, account.code)
            for key, value in account.storage.items():
                twin.set_storage(address, key, value)
        made.commit(made.prepare(twin.world, 0))
        for start, stop in (TRIES, (ACCOUNT, CODE)):
            assert dict(self.store.iterate(start, stop)) == dict(fresh.iterate(start, stop))

    def _same_proof(self, address: bytes) -> None:
        found = self.state.account_proof(address, KEYS)
        shown = verify_proof(self.state.root, keccak(address), found.proof, keccak)
        assert shown == (None if found.account is None else encode_account(found.account))
        assert (found.account is not None) == (address in self.model)
        root = EMPTY_ROOT if found.account is None else found.account.storage_root
        for slot in found.storage:
            value = self.model[address].storage.get(slot.key) if found.account is not None else None
            leaf = verify_proof(root, keccak(slot.key), slot.proof, keccak)
            assert leaf == (None if value is None else encode_bytes(value))
            assert slot.value == (value or b"")

    def _commit(self, steps: list[tuple[Any, ...]], height: int) -> None:
        twin = Twin(World(self.state.view()), copied(self.model))
        twin.run(steps)
        twin.end(set(), set())
        prepared = self.state.prepare(twin.world, height)
        assert prepared.root == state_root(twin.model)
        self.state.commit(prepared, {b"head": b"%d" % height})
        self.model = twin.model
        self.past[height] = copied(twin.model)


@pytest.mark.parametrize("backend", BACKENDS)
@given(PLANS)
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_chain_follows_its_models(
    backend: str, tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[str, Any]]
) -> None:
    with make_store(backend, tmp_path_factory.mktemp("db")) as store:
        chain = Chain(store)
        for action, argument in plan:
            getattr(chain, action)(argument)
            chain.same()


def test_backends_hold_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for backend in installed_backends():
        with make_store(backend, tmp_path / backend) as store:
            state = StateDB(store, keccak)
            for height in range(5):
                put(state, height, {A: {bytes((i,)): bytes((height + 1,)) * i for i in range(height, 40)}})
            contents.append(list(store.iterate(b"", None)))
    assert len(contents) > 1
    assert all(content == contents[0] for content in contents)


def test_nothing_is_written_by_preparing(store: Store) -> None:
    state = StateDB(store, keccak)
    world = World(state.view())
    world.set_balance(A, 1)
    prepared = state.prepare(world, 0)
    assert list(store.iterate(b"", None)) == []
    assert (state.height, state.oldest, state.root) == (None, None, EMPTY_ROOT)
    assert state.prepare(world, 0).root == prepared.root


def test_an_empty_block_keeps_the_root(store: Store) -> None:
    state = StateDB(store, keccak)
    root = put(state, 0, {A: {b"k": b"v"}})
    assert put(state, 1, {}) == root
    assert put(state, 2, {A: {b"k": b"v"}}) == root
    assert (state.height, state.oldest) == (2, 0)


def test_what_was_prepared_before_another_commit_is_refused() -> None:
    state = StateDB(MemoryStore(), keccak)
    stale_view = state.view()
    prepared = state.prepare(World(stale_view), 0)
    put(state, 0, {A: {b"k": b"v"}})
    with pytest.raises(ValueError, match="prepare it again"):
        state.commit(prepared)
    with pytest.raises(ValueError, match="take a new view"):
        state.prepare(World(stale_view), 1)
    with pytest.raises(ValueError, match="take a new view"):
        state.prepare(World(Nothing(keccak)), 1)
    put(state, 1, {A: {b"k": b"w"}})
    with pytest.raises(ValueError, match="take a new view"):
        state.prepare(World(state.view(0)), 2)


def test_heights_only_go_up() -> None:
    state = StateDB(MemoryStore(), keccak)
    put(state, 5, {A: {b"k": b"v"}})
    with pytest.raises(ValueError, match="height 4 is below the current one, 5"):
        state.prepare(World(state.view()), 4)


def test_heights_that_are_not_kept_name_those_that_are() -> None:
    state = StateDB(MemoryStore(), keccak)
    with pytest.raises(HeightError, match="nothing was committed"):
        state.view(0)
    for height in range(3, 10):
        put(state, height, {A: {b"k": b"%d" % height}})
    state.prune(6)
    for height in (2, 5, 10):
        with pytest.raises(HeightError, match=f"height {height}, only from 6 to 9"):
            state.view(height)
        with pytest.raises(HeightError, match=f"height {height}, only from 6 to 9"):
            state.revert_to(height)
    assert [state.view(height).storage(A, b"k") for height in range(6, 10)] == [b"6", b"7", b"8", b"9"]
    with pytest.raises(HeightError, match="height 99"):
        state.prune(99)


def test_heights_may_be_skipped() -> None:
    state = StateDB(MemoryStore(), keccak)
    put(state, 0, {A: {b"k": b"0"}})
    put(state, 10, {A: {b"k": b"10"}})
    assert [state.view(height).storage(A, b"k") for height in (0, 5, 9, 10)] == [b"0", b"0", b"0", b"10"]
    state.revert_to(7)
    assert (state.height, state.view().storage(A, b"k")) == (7, b"0")


def test_pruning_leaves_no_past_behind() -> None:
    store = MemoryStore()
    state = StateDB(store, keccak)
    for height in range(6):
        put(state, height, {A: {b"\x00": b"%d" % height, b"%d" % height: b"v"}})
    state.prune(5)
    assert list(store.iterate(PAST, DIFF + b"\xff" * 9)) == []


def test_pruning_between_preparing_and_committing() -> None:
    store = MemoryStore()
    state = StateDB(store, keccak)
    for height in range(4):
        put(state, height, {A: {b"k": b"%d" % height}})
    prepared = state.prepare(World(state.view()), 4)
    state.prune(3)
    state.commit(prepared)
    assert (state.oldest, StateDB(store, keccak).oldest) == (3, 3)


def test_reverting_restores_every_record(store: Store) -> None:
    state = StateDB(store, keccak)
    put(state, 0, {A: {b"k": b"v"}})
    rows = dict(store.iterate(b"", None))
    for height in range(1, 5):
        put(state, height, {A: {b"k": b"%d" % height}, B: {b"%d" % height: b"v"}})
    state.revert_to(0, {b"meta": None})
    assert dict(store.iterate(b"", None)) == rows


def test_reverting_over_a_destroyed_account(store: Store) -> None:
    state = StateDB(store, keccak)
    put(state, 0, {A: {bytes((i,)): b"v" for i in range(50)}})
    root = state.root
    world = World(state.view())
    world.destroy(A)
    world.end_transaction()
    state.commit(state.prepare(world, 1))
    assert state.root == EMPTY_ROOT
    assert list(store.keys(STORAGE, CODE)) == []
    assert World(state.view(0)).has_storage(A)
    state.revert_to(0)
    assert state.root == root


def test_restore_points_of_a_memory_store() -> None:
    store = MemoryStore()
    state = StateDB(store, keccak)
    put(state, 0, {A: {b"k": b"0"}})
    point = state.snapshot()
    for _ in range(3):
        root = put(state, 1, {A: {b"k": b"1", b"l": b"1"}, B: {b"k": b"1"}})
        assert root == state_root_of(state, {A: {b"k": b"1", b"l": b"1"}, B: {b"k": b"1"}})
        put(state, 1, {A: {b"m": b"an amendment"}})
        state.restore(point)
        assert (state.height, state.view().storage(A, b"k"), state.view().storage(B, b"k")) == (0, b"0", b"")
        assert World(state.view()).next_key(A, b"k", inclusive=False, stop=None) is None


def state_root_of(state: StateDB, storage: dict[bytes, dict[bytes, bytes]]) -> bytes:
    """The root of accounts that have nothing but storage, from a database of their own."""
    other = StateDB(MemoryStore(), keccak)
    return put(other, 0, storage)


def test_disk_stores_have_no_restore_points(tmp_path: Path) -> None:
    for backend in DISK_BACKENDS:
        with make_store(backend, tmp_path / backend) as store, pytest.raises(ValueError, match="use revert_to"):
            StateDB(store, keccak).snapshot()


def test_the_callers_records_are_in_the_same_batch(store: Store) -> None:
    state = StateDB(store, keccak)
    prepared = state.prepare(World(state.view()), 0)
    for key in (b"", b"\x00", b"\x1f-reserved"):
        with pytest.raises(ValueError, match="reserved"):
            state.commit(prepared, {key: b"v"})
    state.commit(prepared, {b"block": b"0", b"gone": None}, sync=True)
    assert store.get(b"block") == b"0"
    state.revert_to(0, {b"block": None})
    assert store.get(b"block") is None


def test_code_is_kept_by_its_hash(store: Store) -> None:
    state = StateDB(store, keccak)
    world = World(state.view())
    world.set_code(A, b"code")
    world.set_code(B, b"forgotten")
    world.set_code(B, b"code")
    state.commit(state.prepare(world, 0))
    view = state.view()
    assert view.account(A) == Account(0, 0, keccak(b"code"), EMPTY_ROOT) == view.account(B)
    assert view.code(keccak(b"code")) == b"code"
    with pytest.raises(StoreCorrupt, match="not in the store"):
        view.code(keccak(b"forgotten"))


def test_views_are_steady_while_blocks_are_committed(store: Store) -> None:
    """Readers in other threads see, in each view, one block's state: every slot has the block's number."""
    state = StateDB(store, keccak)
    slots = [bytes((i,)) for i in range(8)]
    put(state, 0, {A: dict.fromkeys(slots, b"0")})
    done, torn = Event(), []

    def read() -> None:
        while not done.is_set():
            view = state.view()
            number = b"%d" % (view.height or 0)
            seen = {view.storage(A, slot) for slot in slots}
            oldest = state.view(0)
            first = oldest.next_key(A, slots[3], inclusive=False, stop=None)
            if seen != {number} or oldest.storage(A, slots[0]) != b"0" or first != slots[4]:
                torn.append((number, seen, first))
            view.close()
            oldest.close()

    readers = [Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for height in range(1, 60):
        put(state, height, {A: dict.fromkeys(slots, b"%d" % height)})
    done.set()
    for reader in readers:
        reader.join()
    assert not torn


def test_damage_is_named() -> None:
    store = MemoryStore()
    state = StateDB(store, keccak)
    for height in range(3):
        put(state, height, {A: {b"k": b"%d" % height}})
    whole = store.snapshot()
    account = ACCOUNT + A
    cases: list[tuple[dict[bytes, bytes | None], str]] = [
        ({HEAD: b"\x80"}, "head record does not parse"),
        ({ACCOUNT_TRIE: None}, "account trie's root is"),
    ]
    for damage, message in cases:
        store.write(damage)
        with pytest.raises(StoreCorrupt, match=message):
            StateDB(store, keccak)
        store.restore(whole)
    for garbage in (b"", b"\xc0", b"\xc3\x01\x02\x03", b"\xc1\xc0", b"\x01", b"\xc4\x01\x02\x80\x80", b"\xc2\x00\x01"):
        store.write({account: garbage})
        with pytest.raises(StoreCorrupt, match="account record"):
            StateDB(store, keccak).view().account(A)
    store.restore(whole)
    past = past_key(STORAGE + A + b"k", 2)
    cases = [
        ({past: None}, "before block 2 is not kept"),
        ({past: b"other"}, "goes back to root"),
        ({DIFF + (2).to_bytes(8, "big"): b"\xff"}, "list of changed records does not parse"),
    ]
    for damage, message in cases:
        store.write(damage)
        with pytest.raises(StoreCorrupt, match=message):
            StateDB(store, keccak).revert_to(1)
        store.restore(whole)
    StateDB(store, keccak).revert_to(1)


def test_a_past_out_of_order_ends_a_walk() -> None:
    """A key that no `past_key` makes: decoding it leads backwards, which must not send the walk round in circles."""
    store = MemoryStore()
    state = StateDB(store, keccak)
    for height in range(2):
        put(state, height, {A: {b"m": b"%d" % height}})
    store.write({PAST + STORAGE + A + b"m" + bytes(2): b"v"})
    with pytest.raises(StoreCorrupt, match="out of order"):
        state.view(0).next_key(A, b"m", inclusive=True, stop=None)


RECORDS = st.binary(max_size=6).map(lambda key: STORAGE + A + bytes(byte % 3 * 127 for byte in key))


@given(RECORDS, RECORDS, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
@settings(max_examples=300)
def test_past_records_keep_the_order(one: bytes, other: bytes, height: int, later: int) -> None:
    assert record_of_past(past_key(one, height)) == one
    if one < other:
        assert past_key(one, height) < past_end(one) <= past_key(other, later)
    if one == other and height < later:
        assert past_key(one, height) < past_key(other, later) < past_end(one)
