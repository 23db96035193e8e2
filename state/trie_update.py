"""One pass over a trie with a block's changes.

The changes come sorted by path, so that those behind one slot stand together. Each touched branch is read once; where
its slots only change their children's hashes, those are spliced into its record, else the record is made anew. A
branch that is left with one child gives way to it, which needs that child's own node: the leaf's value, or the
branch's reference without the digits that led to it. Recursion is bounded by the 64 digits of a path.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from state.codec import wrap_list
from state.merkle import EMPTY_ITEM, HASHED, Keccak, agreement, extension_node, leaf_node, reference_of
from state.trie_records import MASKS, Records, Slot, branch_node, name_of, record_of, slots_of

Leaf: TypeAlias = tuple[str, bytes, bytes]  # path, key, value
Branch: TypeAlias = tuple[str, bytes]  # digits that lead to it, reference without them
Node: TypeAlias = "Leaf | Branch | None"
Change: TypeAlias = tuple[str, bytes, "bytes | None"]
C = TypeVar("C", Leaf, Change)

_DIGIT = "0123456789abcdef"
_SLOT = {digit: slot for slot, digit in enumerate(_DIGIT)}
_BRANCH_HEADERS = [wrap_list(bytes(17 + 32 * used))[: -(17 + 32 * used)] for used in range(17)]


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

    def slot(self, path: str, slot: Slot | None, changes: list[Change]) -> Node:
        """Return what is behind the slot at `path` after `changes`, which are sorted and all lie behind it."""
        if slot is None:
            return self._build(path, _live(changes))
        _, is_leaf, name = slot
        if is_leaf:
            return self._beside(path, name, changes)
        return self._along(path, name.decode(), changes)

    def _beside(self, path: str, key: bytes, changes: list[Change]) -> Node:
        """Change a slot that holds the leaf of `key`."""
        leaves = _live(changes)
        if all(change[1] != key for change in changes):
            leaves.append((self._keccak(key).hex(), key, self._leaf(key)))
            leaves.sort()
        return self._build(path, leaves)

    def _along(self, path: str, digits: str, changes: list[Change]) -> Node:
        """Change a slot that leads along `digits` to a branch."""
        inner = path + digits
        inside = [change for change in changes if change[0].startswith(inner)]
        outside = _live(change for change in changes if not change[0].startswith(inner))
        node: Node = self._branch(inner, inside) if inside else ("", self._own_reference(inner))
        if node is None:
            return self._build(path, outside)
        if len(node) == 3:
            return self._build(path, sorted([*outside, node]))
        return self._join(path, inner + node[0], node[1], outside)

    def _join(self, path: str, branch: str, reference: bytes, leaves: list[Leaf]) -> Branch:
        """Put `leaves`, none of which lies below the branch at `branch`, and that branch behind one slot at `path`."""
        if not leaves:
            return branch[len(path) :], reference
        # Sorted, so that the first and the last leaf part from the branch no later than those between them.
        depth = min(agreement(branch, leaf[0], len(path)) for leaf in (leaves[0], leaves[-1]))
        top = branch[:depth]
        slots: list[Slot | None] = [None] * 16
        same: list[Leaf] = []
        for digit, group in _groups(leaves, depth):
            if digit == branch[depth]:
                same = group
            else:
                slots[_SLOT[digit]] = self._seal(self._build(top + digit, group), depth + 1)
        below = self._join(branch[: depth + 1], branch, reference, same)
        slots[_SLOT[branch[depth]]] = self._seal(below, depth + 1)
        return top[len(path) :], self._write(top, slots)

    def _build(self, path: str, leaves: list[Leaf]) -> Node:
        """Make what is behind a slot at `path` that holds just `leaves`."""
        if len(leaves) < 2:
            return leaves[0] if leaves else None
        depth = agreement(leaves[0][0], leaves[-1][0], len(path))
        top = leaves[0][0][:depth]
        slots: list[Slot | None] = [None] * 16
        for digit, group in _groups(leaves, depth):
            slots[_SLOT[digit]] = self._seal(self._build(top + digit, group), depth + 1)
        return top[len(path) :], self._write(top, slots)

    def _branch(self, path: str, changes: list[Change]) -> Node:
        """Change the branch at `path`; what comes back stands relative to `path`."""
        if len(changes) == 1:
            branch = self._alone(path, changes[0])
            if branch is not None:
                return branch
        record = self._records.branch(path)
        used, _, _, short = MASKS.unpack_from(record)
        items_at = len(record) - 16 - 32 * used.bit_count()
        spliced = bytearray(record)
        depth = len(path) + 1
        touched: dict[int, Node] = {}
        reshaped = short != 0
        for digit, group in _groups(changes, depth - 1):
            slot = _SLOT[digit]
            node, same = self._child(path + digit, record, 1 << slot, group)
            touched[slot] = node
            if same and node is not None:
                reference = node_reference(node, depth, self._keccak)
                if len(reference) == HASHED and not short:
                    at = items_at + slot + 32 * (used & ((1 << slot) - 1)).bit_count()
                    spliced[at : at + HASHED] = reference
                    continue
            reshaped = reshaped or node is not None or not same
        if reshaped:
            return self._reshape(path, record, touched)
        after = bytes(spliced)
        self.writes[self._records.place(path)] = after
        return "", reference_of(_BRANCH_HEADERS[used.bit_count()] + after[items_at:] + EMPTY_ITEM, self._keccak)

    def _child(self, path: str, record: bytes, bit: int, changes: list[Change]) -> tuple[Node, bool]:
        """Return what is behind a branch's slot after `changes`, and whether its kind and name are as before."""
        used, leaves, extended, _ = MASKS.unpack_from(record)
        if leaves & bit:
            key = name_of(record, leaves | extended, bit)
            node: Node
            if len(changes) == 1 and changes[0][1] == key:
                digits, _, value = changes[0]
                node = None if value is None else (digits, key, value)
            else:
                node = self._beside(path, key, changes)
            return node, node is not None and len(node) == 3 and node[1] == key
        if not used & bit:
            node = self._build(path, _live(changes))
            return node, node is None
        if extended & bit:
            name = name_of(record, leaves | extended, bit).decode()
            node = self._along(path, name, changes)
        else:
            name = ""
            node = self._branch(path, changes)
        return node, node is not None and len(node) == 2 and node[0] == name

    def _alone(self, path: str, change: Change) -> Branch | None:
        """Give one key below the branch at `path` a new value by splicing; None, and nothing done, if that won't do.

        Most changes of a block are like this from the third or fourth branch down.
        """
        read, keccak, prefix = self._records.read, self._keccak, self._records.prefix + b"."
        digits, key, value = change
        trail: list[tuple[bytes, bytes, int, int]] = []
        depth = len(path)
        while True:
            place = prefix + digits[:depth].encode()
            record = read(place)
            if record is None or value is None:
                return None
            used, leaves, extended, short = MASKS.unpack_from(record)
            slot = _SLOT[digits[depth]]
            bit = 1 << slot
            if short or extended & bit or not used & bit:
                return None
            items_at = len(record) - 16 - 32 * used.bit_count()
            trail.append((place, record, items_at, items_at + slot + 32 * (used & (bit - 1)).bit_count() + 1))
            depth += 1
            if leaves & bit:
                break
        node = leaf_node(digits[depth:], value)
        if len(node) < 32 or name_of(record, leaves | extended, bit) != key:
            return None
        for place, record, items_at, at in reversed(trail):
            after = record[:at] + keccak(node) + record[at + 32 :]
            self.writes[place] = after
            items = after[items_at:]
            node = _BRANCH_HEADERS[(len(items) - 16) >> 5] + items + EMPTY_ITEM
        return "", reference_of(node, keccak)

    def _reshape(self, path: str, record: bytes, touched: dict[int, Node]) -> Node:
        """Write a branch anew whose slots changed in kind; it may collapse into its only child, or vanish."""
        slots = slots_of(record)
        for at, node in touched.items():
            slots[at] = self._seal(node, len(path) + 1)
        left = [at for at, slot in enumerate(slots) if slot is not None]
        if len(left) > 1:
            return "", self._write(path, slots)
        self.writes[self._records.place(path)] = None
        if not left:
            return None
        node = touched[left[0]] if left[0] in touched else self._open(path + _DIGIT[left[0]], slots[left[0]])
        if node is not None and len(node) == 2:
            return _DIGIT[left[0]] + node[0], node[1]
        return node

    def _open(self, path: str, slot: Slot | None) -> Node:
        """Return what is behind an untouched slot at `path`."""
        if slot is None:
            return None
        reference, is_leaf, side = slot
        if is_leaf:
            return self._keccak(side).hex(), side, self._leaf(side)
        digits = side.decode()
        return digits, self._own_reference(path + digits) if digits else reference

    def _own_reference(self, path: str) -> bytes:
        """Return the reference of the untouched branch at `path`, without the digits that lead to it."""
        return reference_of(branch_node(self._records.branch(path)), self._keccak)

    def _seal(self, node: Node, depth: int) -> Slot | None:
        """Return the slot, `depth` digits from the top, that leads to `node`."""
        if node is None:
            return None
        reference = node_reference(node, depth, self._keccak)
        return (reference, True, node[1]) if len(node) == 3 else (reference, False, node[0].encode())

    def _write(self, path: str, slots: list[Slot | None]) -> bytes:
        """Set the record of the branch at `path` and return its reference."""
        record = record_of(slots)
        self.writes[self._records.place(path)] = record
        return reference_of(branch_node(record), self._keccak)


def _live(changes: Iterable[Change]) -> list[Leaf]:
    """Return the changes that give a value."""
    return [(path, key, value) for path, key, value in changes if value is not None]


def _groups(changes: list[C], depth: int) -> list[tuple[str, list[C]]]:
    """Split sorted changes by the digit at `depth`."""
    if len(changes) == 1:
        return [(changes[0][0][depth], changes)]
    groups: list[tuple[str, list[C]]] = []
    low, count = 0, len(changes)
    while low < count:
        digit = changes[low][0][depth]
        high = low + 1
        while high < count and changes[high][0][depth] == digit:
            high += 1
        groups.append((digit, changes[low:high]))
        low = high
    return groups
