"""One pass over a trie with a block's changes.

The changes come sorted by path, so that those behind one slot stand together. Each touched branch is read once; where
its slots only change their children's hashes, those are spliced into its record, else the record is made anew. A
branch that is left with one child gives way to it, which needs that child's own node: the leaf's value, or the
branch's reference without the digits that led to it. Recursion is bounded by the 64 digits of a path.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from state.merkle import DIGITS, HASHED, SLOT, Keccak, agreement, extension_node, leaf_node, path_of, reference_of
from state.trie_records import MASKS, NODE_BYTES, Records, Slot, branch_node, digest_at, name_of, record_of, slots_of

Leaf: TypeAlias = tuple[bytes, bytes, bytes]  # path, key, value
Branch: TypeAlias = tuple[bytes, bytes]  # digits that lead to it, reference without them
Node: TypeAlias = "Leaf | Branch | None"
Change: TypeAlias = tuple[bytes, bytes, "bytes | None"]
C = TypeVar("C", Leaf, Change)


def node_reference(node: "Leaf | Branch", depth: int, keccak: Keccak) -> bytes:
    """Return how a slot `depth` digits from the top refers to `node`."""
    if len(node) == 2:
        digits, reference = node
        return reference_of(extension_node(digits, reference), keccak) if digits else reference
    return reference_of(leaf_node(node[0][depth:], node[2]), keccak)


class Update:
    """One pass over a trie; `writes` collects the records to write, None to delete.

    Args:
        records: the trie's records.
        leaf: the value, before any change, of a key that the trie holds.
        keccak: keccak-256.
    """

    __slots__ = ("_keccak", "_leaf", "_records", "writes")

    def __init__(self, records: Records, leaf: Callable[[bytes], bytes], keccak: Keccak) -> None:
        self._records = records
        self._leaf = leaf
        self._keccak = keccak
        self.writes: dict[bytes, bytes | None] = {}

    def slot(self, depth: int, slot: Slot | None, changes: list[Change]) -> Node:
        """Return what is behind a slot after `changes`, sorted and alike in the `depth` digits that lead there."""
        if slot is None:
            return self._build(depth, _live(changes))
        _, is_leaf, name = slot
        if is_leaf:
            return self._beside(depth, name, changes)
        return self._along(depth, name, changes)

    def _beside(self, depth: int, key: bytes, changes: list[Change]) -> Node:
        """Change a slot that holds the leaf of `key`."""
        leaves = _live(changes)
        if all(change[1] != key for change in changes):
            leaves.append((path_of(self._keccak(key)), key, self._leaf(key)))
            leaves.sort()
        return self._build(depth, leaves)

    def _along(self, depth: int, digits: bytes, changes: list[Change]) -> Node:
        """Change a slot that leads along `digits` to a branch."""
        inner = changes[0][0][:depth] + digits
        inside = [change for change in changes if change[0].startswith(inner)]
        outside = _live(change for change in changes if not change[0].startswith(inner))
        node: Node = self._branch(inner, inside) if inside else (b"", self._own_reference(inner))
        if node is None:
            return self._build(depth, outside)
        if len(node) == 3:
            return self._build(depth, sorted([*outside, node]))
        return self._join(depth, inner + node[0], node[1], outside)

    def _join(self, depth: int, branch: bytes, reference: bytes, leaves: list[Leaf]) -> Branch:
        """Put the branch at `branch` and `leaves`, none of which lies below it, behind one slot."""
        if not leaves:
            return branch[depth:], reference
        # Sorted, so that the first and the last leaf part from the branch no later than those between them.
        parting = min(agreement(branch, leaf[0], depth) for leaf in (leaves[0], leaves[-1]))
        slots: list[Slot | None] = [None] * 16
        own, same = SLOT[branch[parting]], []
        for slot, group in _groups(leaves, parting):
            if slot == own:
                same = group
            else:
                slots[slot] = self._seal(self._build(parting + 1, group), parting + 1)
        slots[own] = self._seal(self._join(parting + 1, branch, reference, same), parting + 1)
        return branch[depth:parting], self._write(branch[:parting], slots)

    def _build(self, depth: int, leaves: list[Leaf]) -> Node:
        """Make what is behind a slot that holds just `leaves`."""
        if len(leaves) < 2:
            return leaves[0] if leaves else None
        first = leaves[0][0]
        parting = agreement(first, leaves[-1][0], depth)
        slots: list[Slot | None] = [None] * 16
        for slot, group in _groups(leaves, parting):
            slots[slot] = self._seal(self._build(parting + 1, group), parting + 1)
        return first[depth:parting], self._write(first[:parting], slots)

    def _branch(self, path: bytes, changes: list[Change]) -> Node:
        """Change the branch at `path`; what comes back stands relative to `path`."""
        if len(changes) == 1:
            reference = self._alone(len(path), changes[0])
            if reference is not None:
                return b"", reference
        record = self._records.branch(path)
        used, leaves, extended, short = MASKS.unpack_from(record)
        plain = used & ~leaves & ~extended
        spliced = bytearray(record)
        depth = len(path) + 1
        touched: dict[int, Node] = {}
        reshaped = short != 0
        for slot, group in _groups(changes, depth - 1):
            if leaves >> slot & 1 and len(group) == 1 and not reshaped:
                digest = self._same_leaf(depth, record, 1 << slot, group[0])
                if digest is not None:
                    touched[slot] = group[0]  # type: ignore[assignment]  # it has a value, so it is a leaf
                    at = digest_at(record, used, slot)
                    spliced[at : at + 32] = digest
                    continue
            if plain >> slot & 1:
                node = self._branch(group[0][0][:depth], group)
                same = node is not None and len(node) == 2 and not node[0]
            else:
                node, same = self._child(depth, record, 1 << slot, group)
            touched[slot] = node
            if same and node is not None and not reshaped:
                reference = node_reference(node, depth, self._keccak)
                if len(reference) == HASHED:
                    at = digest_at(record, used, slot)
                    spliced[at : at + 32] = reference[1:]
                    continue
            reshaped = reshaped or node is not None or not same
        if reshaped:
            return self._reshape(path, record, touched)
        after = bytes(spliced)
        self.writes[self._records.place(path)] = after
        return b"", reference_of(after[-NODE_BYTES[used.bit_count()] :], self._keccak)

    def _same_leaf(self, depth: int, record: bytes, bit: int, change: Change) -> bytes | None:
        """Return the new hash of the leaf in a branch's slot, if the change gives that very leaf another value."""
        path, key, value = change
        _, leaves, extended, _ = MASKS.unpack_from(record)
        if value is None or name_of(record, leaves | extended, bit) != key:
            return None
        node = leaf_node(path[depth:], value)
        return self._keccak(node) if len(node) >= 32 else None

    def _child(self, depth: int, record: bytes, bit: int, changes: list[Change]) -> tuple[Node, bool]:
        """Return what is behind a branch's slot after `changes`, and whether its kind and name are as before."""
        used, leaves, extended, _ = MASKS.unpack_from(record)
        node: Node
        if not used & bit:
            node = self._build(depth, _live(changes))
            return node, node is None
        name = name_of(record, leaves | extended, bit)
        if extended & bit:
            node = self._along(depth, name, changes)
            return node, node is not None and len(node) == 2 and node[0] == name
        if len(changes) == 1 and changes[0][1] == name:
            path, _, value = changes[0]
            node = None if value is None else (path, name, value)
        else:
            node = self._beside(depth, name, changes)
        return node, node is not None and len(node) == 3 and node[1] == name

    def _alone(self, depth: int, change: Change) -> bytes | None:
        """Give one key a new value by splicing the branches from `depth` down; return the first one's reference.

        Most changes of a block are alone from the third or fourth branch down. Where that won't do, because a slot
        changes its kind or a child is too short to be hashed, nothing is done and None returned.
        """
        path, key, value = change
        if value is None:
            return None
        read, keccak, branches = self._records.read, self._keccak, self._records.branches
        trail: list[tuple[bytes, bytes, int, int]] = []
        while True:
            place = branches + path[:depth]
            record = read(place)
            if record is None:
                return None
            used, leaves, extended, short = MASKS.unpack_from(record)
            slot = SLOT[path[depth]]
            bit = 1 << slot
            if short or extended & bit or not used & bit:
                return None
            trail.append((place, record, len(record) - NODE_BYTES[used.bit_count()], digest_at(record, used, slot)))
            depth += 1
            if leaves & bit:
                break
        node = leaf_node(path[depth:], value)
        if len(node) < 32 or name_of(record, leaves | extended, bit) != key:
            return None
        for place, record, node_at, at in reversed(trail):
            after = self.writes[place] = record[:at] + keccak(node) + record[at + 32 :]
            node = after[node_at:]
        return b"\xa0" + keccak(node)

    def _reshape(self, path: bytes, record: bytes, touched: dict[int, Node]) -> Node:
        """Write a branch anew whose slots changed in kind; it may collapse into its only child, or vanish."""
        slots = slots_of(record)
        for at, node in touched.items():
            slots[at] = self._seal(node, len(path) + 1)
        left = [at for at, slot in enumerate(slots) if slot is not None]
        if len(left) > 1:
            return b"", self._write(path, slots)
        self.writes[self._records.place(path)] = None
        if not left:
            return None
        only = left[0]
        digit = DIGITS[only : only + 1]
        node = touched[only] if only in touched else self._open(path + digit, slots[only])
        if node is not None and len(node) == 2:
            return digit + node[0], node[1]
        return node

    def _open(self, path: bytes, slot: Slot | None) -> Node:
        """Return what is behind an untouched slot at `path`."""
        if slot is None:
            return None
        reference, is_leaf, name = slot
        if is_leaf:
            return path_of(self._keccak(name)), name, self._leaf(name)
        return name, self._own_reference(path + name) if name else reference

    def _own_reference(self, path: bytes) -> bytes:
        """Return the reference of the untouched branch at `path`, without the digits that lead to it."""
        return reference_of(branch_node(self._records.branch(path)), self._keccak)

    def _seal(self, node: Node, depth: int) -> Slot | None:
        """Return the slot, `depth` digits from the top, that leads to `node`."""
        if node is None:
            return None
        reference = node_reference(node, depth, self._keccak)
        return (reference, True, node[1]) if len(node) == 3 else (reference, False, node[0])

    def _write(self, path: bytes, slots: list[Slot | None]) -> bytes:
        """Set the record of the branch at `path` and return its reference."""
        record = record_of(slots)
        self.writes[self._records.place(path)] = record
        return reference_of(branch_node(record), self._keccak)


def _live(changes: Iterable[Change]) -> list[Leaf]:
    """Return the changes that give a value."""
    return [(path, key, value) for path, key, value in changes if value is not None]


def _groups(changes: list[C], depth: int) -> list[tuple[int, list[C]]]:
    """Split sorted changes by the slot that their digit at `depth` leads to."""
    if len(changes) == 1:
        return [(SLOT[changes[0][0][depth]], changes)]
    groups: list[tuple[int, list[C]]] = []
    low, count = 0, len(changes)
    while low < count:
        digit = changes[low][0][depth]
        high = low + 1
        while high < count and changes[high][0][depth] == digit:
            high += 1
        groups.append((SLOT[digit], changes[low:high]))
        low = high
    return groups
