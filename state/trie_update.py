"""One pass over a trie with a block's changes.

The changes come sorted by path, so that those behind one slot stand together. Each touched branch is read once, and
its changed slots are spliced into its record; where one is emptied, or its child is too short to be hashed, the record
is made anew. A branch that is left with one child gives way to it, which needs that child's own node: the leaf's
value, or the branch's reference without the digits that led to it. Recursion is bounded by the 64 digits of a path.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from state.merkle import DIGITS, HASHED, SLOT, Keccak, agreement, extension_node, leaf_node, path_of, reference_of
from state.trie_records import (
    Records,
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
    """One pass over a trie.

    Args:
        records: the trie's records.
        leaf: the value, before any change, of a key that the trie holds.
        keccak: keccak-256.
        writes: collects the records to write, None to delete.
    """

    __slots__ = ("_branches", "_keccak", "_leaf", "_read", "_records", "_writes")

    def __init__(
        self,
        records: Records,
        leaf: Callable[[bytes], bytes],
        keccak: Keccak,
        writes: dict[bytes, bytes | None],
    ) -> None:
        self._records = records
        self._read = records.read
        self._branches = records.branches
        self._leaf = leaf
        self._keccak = keccak
        self._writes = writes

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
        if not digits:
            return self._branch(inner, changes)
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
        own, same = SLOT[branch[parting]], []
        nodes: dict[int, Node] = {}
        for slot, group in _groups(leaves, parting):
            if slot == own:
                same = group
            else:
                nodes[slot] = self._build(parting + 1, group)
        nodes[own] = self._join(parting + 1, branch, reference, same)
        return branch[depth:parting], self._write(branch[:parting], sorted(nodes.items()))

    def _build(self, depth: int, leaves: list[Leaf]) -> Node:
        """Make what is behind a slot that holds just `leaves`."""
        if len(leaves) < 2:
            return leaves[0] if leaves else None
        first = leaves[0][0]
        parting = agreement(first, leaves[-1][0], depth)
        nodes = [(slot, self._build(parting + 1, group)) for slot, group in _groups(leaves, parting)]
        return first[depth:parting], self._write(first[:parting], nodes)

    def _branch(self, path: bytes, changes: list[Change]) -> Node:
        """Change the branch at `path`; what comes back stands relative to `path`."""
        record = self._records.branch(path)
        used, _, _, short = masks_of(record)
        depth = len(path)
        spliced = not short
        single: dict[int, Change] = {}
        touched: dict[int, Node] = {}
        for slot, group in _groups(changes, depth):
            if spliced and len(group) == 1:
                after = self._single(depth, record, group[0])
                if after is not None:
                    record = after
                    single[slot] = group[0]
                    continue
            node = self._child(depth + 1, record, slot, group)
            if node is None and not used >> slot & 1:
                continue
            touched[slot] = node
            if spliced:
                sealed = self._seal(node, depth + 1)
                if sealed is None or len(sealed[0]) != HASHED:
                    spliced = False
                else:
                    record = with_child(record, slot, sealed[0][1:], sealed[1], sealed[2])
        if not spliced:
            return self._reshape(path, record, touched, single)
        self._writes[self._branches + path] = record
        return b"", b"\xa0" + self._keccak(hashed_node(record))

    def _child(self, depth: int, record: bytes, slot: int, changes: list[Change]) -> Node:
        """Return what is behind a branch's slot after `changes`."""
        used, leaves, extended, _ = masks_of(record)
        bit = 1 << slot
        if not used & bit:
            return self._build(depth, _live(changes))
        name = name_of(record, leaves | extended, bit) if (leaves | extended) & bit else b""
        return self._beside(depth, name, changes) if leaves & bit else self._along(depth, name, changes)

    def _single(self, depth: int, record: bytes, change: Change) -> bytes | None:
        """Return the record of a branch, `depth` digits from the top, after one key below it was given a value.

        Most changes of a block are alone from the third or fourth branch down, and need nothing of what `_child` is
        prepared for. Where that won't do, because the key is removed, parts from the digits of an extension, or leads
        to children too short to be hashed, nothing is done and None returned.
        """
        path, key, value = change
        used, leaves, extended, short = masks_of(record)
        if value is None or short:
            return None
        slot = SLOT[path[depth]]
        bit = 1 << slot
        depth += 1
        if leaves & bit and (name := name_of(record, leaves | extended, bit)) != key:
            other = path_of(self._keccak(name)), name, self._leaf(name)
            parted = self._seal(self._build(depth, sorted([(path, key, value), other])), depth)
            if parted is None or len(parted[0]) != HASHED:
                return None  # what the long way writes is the same
            return with_child(record, slot, parted[0][1:], False, parted[2])
        if leaves & bit or not used & bit:
            node = leaf_node(path[depth:], value)
            if len(node) < 32:
                return None
            if used & bit:
                return with_digest(record, used, slot, self._keccak(node))
            return with_child(record, slot, self._keccak(node), True, key)
        digits = b""
        if extended & bit:
            digits = name_of(record, leaves | extended, bit)
            if not path.startswith(digits, depth):
                return None
            depth += len(digits)
        place = self._branches + path[:depth]
        child = self._read(place)
        after = None if child is None else self._single(depth, child, change)
        if after is None:
            return None
        self._writes[place] = after
        node = hashed_node(after)
        if digits:
            node = extension_node(digits, b"\xa0" + self._keccak(node))
        return with_digest(record, used, slot, self._keccak(node))

    def _reshape(self, path: bytes, record: bytes, touched: dict[int, Node], single: dict[int, Change]) -> Node:
        """Write a branch anew whose slots changed in kind; it may collapse into its only child, or vanish.

        What came of the slots of `single` is in the record already.
        """
        slots = slots_of(record)
        for at, node in touched.items():
            slots[at] = self._seal(node, len(path) + 1)
        left = [(at, slot) for at, slot in enumerate(slots) if slot is not None]
        if len(left) > 1:
            return b"", self._keep(path, left)
        self._writes[self._branches + path] = None
        if not left:
            return None
        only, slot = left[0]
        digit = DIGITS[only : only + 1]
        node = touched[only] if only in touched else self._open(path + digit, slot, single.get(only))
        if node is not None and len(node) == 2:
            return digit + node[0], node[1]
        return node

    def _open(self, path: bytes, slot: Slot, change: Change | None) -> Node:
        """Return what is behind a slot at `path` that is untouched or was given this change alone."""
        reference, is_leaf, name = slot
        if is_leaf:
            value = None if change is None else change[2]
            return path_of(self._keccak(name)), name, self._leaf(name) if value is None else value
        return name, self._own_reference(path + name) if name else reference

    def _own_reference(self, path: bytes) -> bytes:
        """Return the reference of the branch at `path` as it is now, without the digits that lead to it."""
        record = self._writes.get(self._branches + path) or self._records.branch(path)
        return reference_of(branch_node(record), self._keccak)

    def _seal(self, node: Node, depth: int) -> Slot | None:
        """Return the slot, `depth` digits from the top, that leads to `node`."""
        if node is None:
            return None
        reference = node_reference(node, depth, self._keccak)
        return (reference, True, node[1]) if len(node) == 3 else (reference, False, node[0])

    def _write(self, path: bytes, nodes: Iterable[tuple[int, Node]]) -> bytes:
        """Make the branch at `path` of what is behind its slots, in order, and return its reference."""
        depth = len(path) + 1
        return self._keep(path, [(at, slot) for at, node in nodes if (slot := self._seal(node, depth)) is not None])

    def _keep(self, path: bytes, slots: list[tuple[int, Slot]]) -> bytes:
        """Set the record of the branch at `path` and return its reference."""
        record = self._writes[self._branches + path] = record_of(slots)
        return reference_of(branch_node(record), self._keccak)


def _live(changes: Iterable[Change]) -> list[Leaf]:
    """Return the changes that give a value."""
    return [(path, key, value) for path, key, value in changes if value is not None]


def _groups(changes: list[C], depth: int) -> Iterable[tuple[int, list[C]]]:
    """Split sorted changes by the slot that their digit at `depth` leads to."""
    groups: dict[int, list[C]] = {}
    for change in changes:
        groups.setdefault(SLOT[change[0][depth]], []).append(change)
    return groups.items()
