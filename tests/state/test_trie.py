"""Tries against ethereum/tests, against roots made at once from a dict, and against tampering."""

from collections.abc import Callable
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.errors import StoreCorrupt
from state.merkle import EMPTY_ROOT, MAX_KEY_BYTES, ProofError, trie_root, verify_proof
from state.ordered import SortedKeys
from state.trie import Trie
from tests.state.support import keccak, unhex, vectors

Hash = Callable[[bytes], bytes]
KEY_BYTES = 4


def crowded(data: bytes) -> bytes:
    """keccak for nodes; for keys a path that shares long stretches, so that extensions and deep branches are common.

    The last digits of a path tell apart any two keys of two bits a byte. Leaves near the end are short enough to stand
    in their parents, which keccak itself does not bring about.
    """
    if len(data) != KEY_BYTES:
        return keccak(data)
    digits = "".join("0370"[byte & 3] * (2 if byte & 3 == 1 else 1) for byte in data)
    return bytes.fromhex((digits + "f" * 8)[:8] + "5" * 48 + "".join(f"0{byte & 3:x}" for byte in data))


class Kept:
    """A trie whose records and values are in dicts."""

    def __init__(self, hashing: Hash = keccak) -> None:
        self.records: dict[bytes, bytes] = {}
        self.values: dict[bytes, bytes] = {}
        self.hashing = hashing
        self.trie = Trie(self.records.get, b"T", self.values.get, hashing)

    def apply(self, changes: dict[bytes, bytes | None]) -> bytes:
        """Update, write, and return the root."""
        before = dict(self.records)
        writes: dict[bytes, bytes | None] = {}
        root = self.trie.update(changes, writes)
        assert self.records == before, "an update writes nothing by itself"
        for table, written in ((self.records, writes), (self.values, changes)):
            for key, value in written.items():
                if value is None:
                    table.pop(key, None)
                else:
                    table[key] = value
        return root

    def root_made_at_once(self) -> bytes:
        return trie_root({self.hashing(key): value for key, value in self.values.items()}, self.hashing)


# ethereum/tests


@pytest.mark.parametrize("file", ["trieanyorder", "trieanyorder_secureTrie", "hex_encoded_securetrie_test"])
def test_vectors_in_any_order(file: str) -> None:
    cases = vectors(f"TrieTests/{file}.json")
    secure = file != "trieanyorder"
    for name, case in cases.items():
        items = {unhex(key): unhex(value) for key, value in case["in"].items()}
        root = unhex(case["root"])
        assert trie_root({keccak(k) if secure else k: v for k, v in items.items()}, keccak) == root, name
        if secure:
            for order in list(permutations(items))[:120]:
                kept = Kept()
                for key in order:
                    found = kept.apply({key: items[key]})
                assert found == root, (name, order)
    assert cases


@pytest.mark.parametrize("file", ["trietest", "trietest_secureTrie"])
def test_vectors_in_sequence(file: str) -> None:
    for name, case in vectors(f"TrieTests/{file}.json").items():
        root = unhex(case["root"])
        model: dict[bytes, bytes] = {}
        kept = Kept()
        found = EMPTY_ROOT
        for key, value in case["in"]:
            new = None if value is None else unhex(value)
            if new is None:
                model.pop(unhex(key), None)
            else:
                model[unhex(key)] = new
            if "secure" in file:
                found = kept.apply({unhex(key): new})
        if "secure" in file:
            assert found == root, name
            assert kept.values == model
        else:
            assert trie_root(model, keccak) == root, name


def test_vectors_of_neighbours() -> None:
    """`trietestnextprev` asks for the key before and after; our order of keys is in `SortedKeys`, not in the trie."""
    for name, case in vectors("TrieTests/trietestnextprev.json").items():
        keys = SortedKeys(key.encode() for key in case["in"])
        for key, before, after in case["tests"]:
            assert (keys.below(key.encode(), inclusive=False) or b"") == before.encode(), (name, key)
            assert (keys.above(key.encode(), inclusive=False) or b"") == after.encode(), (name, key)


# Against a dict

KEYS = st.lists(st.integers(0, 3), min_size=KEY_BYTES, max_size=KEY_BYTES).map(bytes)
VALUES = st.binary(min_size=1, max_size=3) | st.binary(min_size=30, max_size=70)
BATCHES = st.lists(st.dictionaries(KEYS, st.none() | VALUES, max_size=9), max_size=9)


@pytest.mark.parametrize("hashing", [keccak, crowded])
@given(BATCHES)
@settings(deadline=None, max_examples=150)
def test_updates_give_the_root_and_the_records_of_a_trie_made_at_once(
    hashing: Hash, batches: list[dict[bytes, bytes | None]]
) -> None:
    kept = Kept(hashing)
    for batch in batches:
        root = kept.apply(batch)
        assert root == kept.root_made_at_once() == kept.trie.root
    fresh = Kept(hashing)
    fresh.apply(dict(kept.values))
    assert fresh.records == kept.records, "records depend on the content alone: nothing is left behind"
    for key in {key for batch in batches for key in batch}:
        assert kept.trie.get(key) == kept.values.get(key)
        proof = kept.trie.prove(key)
        assert verify_proof(kept.trie.root, hashing(key), proof, hashing) == kept.values.get(key)


def test_crowded_paths_are_what_they_are_for() -> None:
    """The test above reaches extensions, children that stand in their parents, and 64 digits of depth."""
    kept = Kept(crowded)
    keys = [bytes((a, b, c, d)) for a in range(4) for b in range(4) for c in range(4) for d in range(4)]
    assert len({crowded(key) for key in keys}) == len(keys)
    kept.apply(dict.fromkeys(keys, b"v"))
    depths = {len(place) - 2 for place in kept.records if place[1:2] == b"."}
    assert max(depths) >= 60
    proofs = [kept.trie.prove(key) for key in keys]
    assert any(len(node) < 64 and node[0] < 0xF8 for proof in proofs for node in proof)
    assert kept.apply(dict.fromkeys(keys)) == EMPTY_ROOT
    assert not kept.records


def test_a_branch_gives_way_to_the_child_it_is_left_with() -> None:
    """The child: a leaf, a branch, a branch behind digits; changed in the same batch or not."""
    paths = {
        b"leaf": "1" * 64,
        b"near": "2" + "0" * 63,
        b"next": "2" + "1" * 63,
        b"far1": "4" + "5" * 20 + "0" * 43,
        b"far2": "4" + "5" * 20 + "1" * 43,
    }

    def chosen(data: bytes) -> bytes:
        return bytes.fromhex(paths[data]) if data in paths else keccak(data)

    for group in ([b"near", b"next"], [b"far1", b"far2"], [b"near"], [b"near", b"next", b"far1"]):
        for touched in (None, group[0]):
            kept = Kept(chosen)
            kept.apply(dict.fromkeys([b"leaf", *group], b"v" * 40))
            gone: dict[bytes, bytes | None] = {b"leaf": None}
            root = kept.apply(gone if touched is None else gone | {touched: b"w"})
            assert root == kept.root_made_at_once()
            fresh = Kept(chosen)
            fresh.apply(dict(kept.values))
            assert fresh.records == kept.records


@given(st.dictionaries(st.binary(max_size=6), st.binary(min_size=1, max_size=40), max_size=12), st.binary(max_size=6))
def test_roots_over_plain_keys(items: dict[bytes, bytes], key: bytes) -> None:
    """`trie_root` takes keys that begin one another; its root must not depend on their order."""
    assert trie_root(items, keccak) == trie_root(list(items.items())[::-1], keccak)
    assert trie_root(items | {key: b""}, keccak) == trie_root({k: v for k, v in items.items() if k != key}, keccak)


def test_trie_root_bounds_its_keys() -> None:
    trie_root({bytes(MAX_KEY_BYTES): b"v"}, keccak)
    with pytest.raises(ValueError, match="longer than 32 bytes"):
        trie_root({bytes(MAX_KEY_BYTES + 1): b"v"}, keccak)


# Proofs


def tampered(proof: list[bytes]) -> list[list[bytes]]:
    """Proofs that must be refused: a node less, a node more, a byte changed, two nodes swapped."""
    changed = [
        [*proof[:at], node[:byte] + bytes((node[byte] ^ 1,)) + node[byte + 1 :], *proof[at + 1 :]]
        for at, node in enumerate(proof)
        for byte in range(0, len(node), 7)
    ]
    missing = [proof[:at] + proof[at + 1 :] for at in range(len(proof))]
    more = [[*proof, proof[-1]], [*proof, b"\x80"], [proof[0], *proof]]
    swapped = [[*proof[1:], proof[0]]] if len(proof) > 1 else []
    return [*changed, *missing, *more, *swapped]


def test_tampered_proofs_are_refused() -> None:
    kept = Kept()
    keys = [bytes((i & 255, i >> 8, 0, 0)) for i in range(300)]
    root = kept.apply({key: bytes(key) * 9 for key in keys[:250]})
    for key in (keys[0], keys[123], keys[260], keys[299]):
        proof = kept.trie.prove(key)
        assert verify_proof(root, keccak(key), proof, keccak) == kept.values.get(key)
        for wrong in tampered(proof):
            with pytest.raises(ProofError, match="node"):
                verify_proof(root, keccak(key), wrong, keccak)
        with pytest.raises(ProofError, match="does not hash to"):
            verify_proof(keccak(root), keccak(key), proof, keccak)


def test_a_proof_of_one_key_shows_nothing_of_another() -> None:
    kept = Kept()
    keys = [bytes((i, 0, 0, 0)) for i in range(200)]
    root = kept.apply({key: bytes(40) + key for key in keys})
    for one, other in pairwise(keys):
        try:
            shown: Any = verify_proof(root, keccak(other), kept.trie.prove(one), keccak)
        except ProofError:
            continue
        raise AssertionError(f"a proof of {one.hex()} shows {shown!r} at {other.hex()}")


def test_malformed_nodes_are_refused() -> None:
    for text in ("", "c0", "c180", "c28080", "c24001", "c20101", "c2c001", "c22001ff", "b8", "d180808080"):
        node = bytes.fromhex(text)
        with pytest.raises(ProofError):
            verify_proof(keccak(node), keccak(b"key"), [node], keccak)
    value_is_a_list = bytes.fromhex("e3a120") + keccak(b"key") + b"\xc0"
    with pytest.raises(ProofError, match="a value is a list"):
        verify_proof(keccak(value_is_a_list), keccak(b"key"), [value_is_a_list], keccak)


def test_an_empty_trie_proves_absence() -> None:
    kept = Kept()
    assert kept.trie.prove(b"key") == []
    assert verify_proof(EMPTY_ROOT, keccak(b"key"), [], keccak) is None
    assert verify_proof(EMPTY_ROOT, keccak(b"key"), [b"\x80"], keccak) is None
    with pytest.raises(ProofError, match="node 0 is missing"):
        verify_proof(keccak(b"root"), keccak(b"key"), [], keccak)


# Damage


def test_a_missing_record_is_damage_and_names_its_place() -> None:
    kept = Kept()
    keys = [bytes((i & 255, i >> 8, 0, 0)) for i in range(600)]
    kept.apply(dict.fromkeys(keys, b"v" * 40))
    place = max(kept.records, key=len)
    path = place[2:].decode()
    below = next(key for key in keys if keccak(key).hex().startswith(path))
    del kept.records[place]
    for use in (
        lambda: kept.trie.update({below: b"w"}, {}),
        lambda: kept.trie.prove(below),
        lambda: kept.trie.get(below),
    ):
        with pytest.raises(StoreCorrupt, match=f"no branch at {path}"):
            use()


def test_a_missing_value_is_damage() -> None:
    kept = Kept()
    kept.apply({b"one": b"1"})
    kept.values.clear()
    with pytest.raises(StoreCorrupt, match=b"one".hex()):
        kept.trie.update({b"two": b"2"}, {})
