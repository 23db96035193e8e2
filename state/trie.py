"""The state's Merkle-Patricia tries, kept in the store and changed once a block.

Yellow Paper, appendix D, over hashed keys: the path of a key is keccak(key), always 64 digits, so that a value never
sits in a branch. What is stored is shaped for that job, and differs from the nodes that are hashed:

- One record a branch, at `prefix ‖ "." ‖ path of the branch`. A branch exists exactly where two keys part, whatever
  happened before, so records are overwritten or deleted and never become garbage. Extensions have no record: the slot
  that leads to a branch knows the digits in between.
- A leaf's value is not stored again. Its parent's slot names the leaf's key, and `leaf` (the flat records) has the
  value, which is needed only where a neighbour comes or goes, and in proofs.
- A record ends with the RLP of its 16 slots as it is hashed, so that a changed child is spliced in place.

`update` takes all of a block's changes, walks each touched branch once, and gives the new root and the records to
write; it writes nothing itself, so that a header can be made before its batch. Recursion is bounded by the 64 digits of
a path.
"""

from collections.abc import Callable, Mapping

from state.errors import StoreCorrupt
from state.merkle import (
    EMPTY_ROOT,
    SLOT,
    Keccak,
    ProofError,
    extension_node,
    leaf_node,
    path_of,
    reference_of,
    root_of,
    trie_root,
    verify_proof,
)
from state.trie_records import LookUp, Records, branch_node, slots_of
from state.trie_update import Update, node_reference

__all__ = ["EMPTY_ROOT", "Keccak", "ProofError", "Trie", "trie_root", "verify_proof"]


class Trie:
    """One trie in the store.

    Args:
        read: the store's look-up, through a cache or not.
        prefix: where the trie's records are; no other record may start with it.
        leaf: the value of a key that is in the trie, as it was before any change given to `update`.
        keccak: keccak-256.
        path: the path of a key, from who may remember it; worked out by default.
    """

    __slots__ = ("_keccak", "_leaf", "_path", "_records")

    def __init__(
        self, read: LookUp, prefix: bytes, leaf: LookUp, keccak: Keccak, path: Callable[[bytes], bytes] | None = None
    ) -> None:
        self._records = Records(read, prefix)
        self._leaf = leaf
        self._keccak = keccak
        self._path = path or (lambda key: path_of(keccak(key)))

    @property
    def root(self) -> bytes:
        """The root hash, `EMPTY_ROOT` when nothing is in the trie."""
        record = self._records.read(self._records.prefix)
        return EMPTY_ROOT if record is None else record[1:33]

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key` as the trie leads to it, None when it is not in the trie."""
        path, depth = path_of(self._keccak(key)), 0
        slot = self._records.top()
        while slot is not None:
            _, is_leaf, name = slot
            if is_leaf:
                return self._value(name) if name == key else None
            if not path.startswith(name, depth):
                return None
            depth += len(name)
            slot = slots_of(self._records.branch(path[:depth]))[SLOT[path[depth]]]
            depth += 1
        return None

    def prove(self, key: bytes) -> list[bytes]:
        """Return the nodes from the root towards `key`, which show its value or that it has none (EIP-1186)."""
        path, depth = path_of(self._keccak(key)), 0
        slot = self._records.top()
        nodes: list[bytes] = []

        def add(node: bytes) -> None:
            if len(node) >= 32 or not nodes:  # a shorter one stands in its parent
                nodes.append(node)

        while slot is not None:
            _, is_leaf, name = slot
            if is_leaf:
                add(leaf_node(path_of(self._keccak(name))[depth:], self._value(name)))
                break
            record = self._records.branch(path[:depth] + name)
            branch = branch_node(record)
            if name:
                add(extension_node(name, reference_of(branch, self._keccak)))
            if not path.startswith(name, depth):
                break
            add(branch)
            depth += len(name)
            slot = slots_of(record)[SLOT[path[depth]]]
            depth += 1
        return nodes

    def update(self, changes: Mapping[bytes, bytes | None], writes: dict[bytes, bytes | None]) -> bytes:
        """Return the root after `changes`, and put the records to write for it into `writes`.

        Args:
            changes: values by key; None removes a key, whether it is there or not. Values are not empty.
            writes: records by place, None for those to delete.

        Raises:
            StoreCorrupt: a record or a leaf's value is missing.
        """
        if not changes:
            return self.root
        keccak, records, path = self._keccak, self._records, self._path
        ordered = sorted([(path(key), key, value) for key, value in changes.items()])
        node = Update(records, self._value, keccak, writes).slot(0, records.top(), ordered)
        if node is None:
            writes[records.prefix] = None
            return EMPTY_ROOT
        root = root_of(node_reference(node, 0, keccak), keccak)
        kind, name = (b"L", node[1]) if len(node) == 3 else (b"B", node[0])
        writes[records.prefix] = kind + root + name
        return root

    def _value(self, key: bytes) -> bytes:
        """Return the value of a key that the trie holds."""
        value = self._leaf(key)
        if value is None:
            prefix = self._records.prefix.hex()
            raise StoreCorrupt(f"key {key.hex()} of the trie at {prefix} has no record; restore a copy")
        return value
