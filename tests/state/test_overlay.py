"""A store over another: it shows what a single store would, and leaves the one below as it is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from state.database import StateDB
from state.overlay import OverlayStore
from state.store import MemoryStore
from state.trie import EMPTY_ROOT
from state.world import World
from tests.state.support import keccak

KEYS = st.binary(min_size=1, max_size=2).map(lambda key: bytes(byte & 0x83 for byte in key))
BATCH = st.dictionaries(KEYS, st.none() | st.binary(max_size=3), max_size=6)
BOUNDS = st.tuples(KEYS, KEYS | st.none(), st.booleans())


@given(BATCH, st.lists(st.tuples(BATCH, st.sampled_from(["write", "keep", "restore"]), BOUNDS), max_size=10))
@settings(deadline=None)
def test_it_follows_a_model(
    below: dict[bytes, bytes | None],
    steps: list[tuple[dict[bytes, bytes | None], str, tuple[bytes, bytes | None, bool]]],
) -> None:
    base = MemoryStore()
    base.write(below)
    model = {key: value for key, value in below.items() if value is not None}
    before = dict(model)
    store = OverlayStore(base.snapshot())
    kept = (store.snapshot(), dict(model))
    for batch, what, (start, stop, reverse) in steps:
        if what == "keep":
            kept = (store.snapshot(), dict(model))
        elif what == "restore":
            store.restore(kept[0])
            model = dict(kept[1])
        else:
            store.write(batch)
            for key, value in batch.items():
                model.pop(key, None)
                if value is not None:
                    model[key] = value
        for reader, wanted in ((store, model), kept):
            inside = sorted((k, v) for k, v in wanted.items() if k >= start and (stop is None or k < stop))
            assert list(reader.iterate(start, stop, reverse)) == (inside[::-1] if reverse else inside)
            assert reader.get(start) == wanted.get(start)
    assert dict(base.iterate(b"", None)) == before


def test_records_at_a_height_have_its_root_and_its_tries() -> None:
    store = MemoryStore()
    state = StateDB(store, keccak)
    roots = []
    for height in range(6):
        world = World(state.view())
        for number in range(40):
            address = bytes([number % 5]) * 20
            world.set_balance(address, height * number + 1)
            value = b"" if (number + height) % 3 == 0 else bytes([height + 1])
            world.set_storage(address, bytes([number]), value)
        state.commit(state.prepare(world, height))
        roots.append(state.root)
    latest = dict(store.iterate(b"", None))
    for height, root in enumerate(roots):
        past = StateDB(OverlayStore(state.records_at(height)), keccak)
        assert (past.root, past.height) == (root, height)
        proof = past.account_proof(b"\3" * 20, [b"\3", b"\x09"])
        assert proof.account == state.view(height).account(b"\3" * 20)
        world = World(past.view())
        world.set_balance(b"\7" * 20, 7)
        past.commit(past.prepare(world, height + 1))
        assert past.root not in (root, EMPTY_ROOT)
    assert dict(store.iterate(b"", None)) == latest
