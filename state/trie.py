"""The state's Merkle-Patricia tries, kept in the store and changed once a block.

Yellow Paper, appendix D, over hashed keys: the path of a key is keccak(key), always 64 digits, so that a value never
sits in a branch. What is stored is shaped for that job, and differs from the nodes that are hashed:

- One record a branch, at `prefix ‖ "." ‖ path of the branch`. A branch exists exactly where two keys part, whatever
  happened before, so records are overwritten or deleted and never become garbage. Extensions have no record: the slot
  that leads to a branch knows the digits in between.
- A leaf's value is not stored again. Its parent's slot names the leaf's key, and `leaf` (the flat records) has the
  value, which is needed only where a neighbour comes or goes, and in proofs.
- A record ends with the RLP of its 16 slots as it is hashed, so that a changed child is spliced in place.

`update` takes all of a block's changes, walks each touched branch once, and returns the new root and the records to
write; it writes nothing and changes nothing, so that a header can be made before its batch. Recursion is bounded by
the 64 digits of a path.
"""

from collections.abc import Callable, Iterable, Mapping
from struct import Struct
from typing import TypeAlias

from state.codec import wrap_list
from state.errors import StoreCorrupt
from state.merkle import (
    EMPTY_ITEM,
    EMPTY_ROOT,
    HASHED,
    Keccak,
    ProofError,
    agreement,
    extension_node,
    leaf_node,
    reference_of,
    root_of,
    trie_root,
    verify_proof,
)

__all__ = ["EMPTY_ROOT", "Keccak", "ProofError", "Trie", "trie_root", "verify_proof"]

LookUp: TypeAlias = Callable[[bytes], "bytes | None"]
Leaf: TypeAlias = tuple[str, bytes, bytes]  # path, key, value
Branch: TypeAlias = tuple[str, bytes]  # digits that lead to it, reference without them
Node: TypeAlias = "Leaf | Branch | None"
Change: TypeAlias = tuple[str, bytes, "bytes | None"]
Slot: TypeAlias = tuple[bytes, bool, bytes]  # reference, whether a leaf, its key or the digits (ASCII) to the branch

# A record: masks of the slots in use, of leaves, of branches behind digits, of children too short to be hashed; where
# each key or run of digits ends; those, joined; the RLP of the 16 slots, joined.
_MASKS = Struct(">HHHH")
_END_BYTES = 4
_DIGITS = {digit: slot for slot, digit in enumerate("0123456789abcdef")}
_DIGIT = "0123456789abcdef"
_BRANCH_HEADERS = [wrap_list(bytes(17 + 32 * used))[: -(17 + 32 * used)] for used in range(17)]


class Trie:
    """One trie in the store.

    Args:
        read: the store's look-up, through a cache or not.
        prefix: where the trie's records are; no other record may start with it.
        leaf: the value of a key that is in the trie, as it was before any change given to `update`.
        keccak: keccak-256.
    """

    __slots__ = ("_keccak", "_leaf", "_prefix", "_read")

    def __init__(
        self,
        read: Callable[[bytes], bytes | None],
        prefix: bytes,
        leaf: Callable[[bytes], bytes | None],
        keccak: Keccak,
    ) -> None:
        self._read = read
        self._prefix = prefix
        self._leaf = leaf
        self._keccak = keccak

    @property
    def root(self) -> bytes:
        """The root hash, `EMPTY_ROOT` when nothing is in the trie."""
        record = self._read(self._prefix)
        return EMPTY_ROOT if record is None else record[1:33]

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key` as the trie leads to it, None when it is not in the trie."""
        path, depth = self._keccak(key).hex(), 0
        slot = self._top()
        while slot is not None:
            _, is_leaf, side = slot
            if is_leaf:
                return self.leaf(side) if side == key else None
            digits = side.decode()
            if not path.startswith(digits, depth):
                return None
            depth += len(digits)
            slot = slots_of(self.record(path[:depth]))[_DIGITS[path[depth]]]
            depth += 1
        return None

    def prove(self, key: bytes) -> list[bytes]:
        """Return the nodes from the root towards `key`, which show its value or that it has none (EIP-1186)."""
        path, depth = self._keccak(key).hex(), 0
        slot = self._top()
        nodes: list[bytes] = []

        def add(node: bytes) -> None:
            if len(node) >= 32 or not nodes:  # a shorter one stands in its parent
                nodes.append(node)

        while slot is not None:
            _, is_leaf, side = slot
            if is_leaf:
                add(leaf_node(self._keccak(side).hex()[depth:], self.leaf(side)))
                break
            digits = side.decode()
            record = self.record(path[:depth] + digits)
            branch = branch_node(record)
            if digits:
                add(extension_node(digits, reference_of(branch, self._keccak)))
            if not path.startswith(digits, depth):
                break
            add(branch)
            depth += len(digits)
            slot = slots_of(record)[_DIGITS[path[depth]]]
            depth += 1
        return nodes

    def update(self, changes: Mapping[bytes, bytes | None]) -> tuple[bytes, dict[bytes, bytes | None]]:
        """Return the root after `changes` and the records to write for it.

        Args:
            changes: values by key; None removes a key, whether it is there or not. Values are not empty.

        Raises:
            StoreCorrupt: a record or a leaf's value is missing.
        """
        keccak = self._keccak
        ordered = sorted((keccak(key).hex(), key, value) for key, value in changes.items())
        writes: dict[bytes, bytes | None] = {}
        node = _Update(self, writes, keccak).slot("", self._top(), ordered)
        if node is None:
            if self._read(self._prefix) is not None:
                writes[self._prefix] = None
            return EMPTY_ROOT, writes
        root = root_of(_reference(node, 0, keccak), keccak)
        kind, side = (b"L", node[1]) if len(node) == 3 else (b"B", node[0].encode())
        writes[self._prefix] = kind + root + side
        return root, writes

    def leaf(self, key: bytes) -> bytes:
        """Return the value of a key that the trie holds."""
        value = self._leaf(key)
        if value is None:
            raise StoreCorrupt(
                f"the trie at {self._prefix.hex()} holds key {key.hex()}, which has no record; restore a copy"
            )
        return value

    def place(self, path: str) -> bytes:
        """Return the store's key for the branch at `path`."""
        return self._prefix + b"." + path.encode()

    def record(self, path: str) -> bytes:
        """Return the record of the branch at `path`."""
        record = self._read(self._prefix + b"." + path.encode())
        if record is None:
            raise StoreCorrupt(f"the trie at {self._prefix.hex()} has no branch at {path or 'its top'}; restore a copy")
        return record

    def _top(self) -> Slot | None:
        record = self._read(self._prefix)
        return None if record is None else (b"", record[:1] == b"L", record[33:])


def slots_of(record: bytes) -> list[Slot | None]:
    """Return what each of the 16 slots of a branch's record leads to."""
    used, leaves, extended, _ = _MASKS.unpack_from(record)
    sides = (leaves | extended).bit_count()
    side_at = _MASKS.size + _END_BYTES * sides
    ends = [0] + [int.from_bytes(record[at : at + _END_BYTES], "big") for at in range(_MASKS.size, side_at, _END_BYTES)]
    at, side = side_at + ends[-1], 0
    slots: list[Slot | None] = []
    for bit in range(16):
        first = record[at]
        size = 1 if first == 0x80 else HASHED if first == 0xA0 else first - 0xBF
        if used >> bit & 1:
            name = b""
            if (leaves | extended) >> bit & 1:
                name = record[side_at + ends[side] : side_at + ends[side + 1]]
                side += 1
            slots.append((record[at : at + size], bool(leaves >> bit & 1), name))
        else:
            slots.append(None)
        at += size
    return slots


def branch_node(record: bytes) -> bytes:
    """Return the node, as it is hashed, of a branch's record."""
    _, leaves, extended, _ = _MASKS.unpack_from(record)
    at = _MASKS.size + _END_BYTES * (leaves | extended).bit_count()
    if at > _MASKS.size:
        at += int.from_bytes(record[at - _END_BYTES : at], "big")
    return wrap_list(record[at:] + EMPTY_ITEM)


def _record_of(slots: Iterable[Slot | None]) -> bytes:
    """Return the record of a branch; the inverse of `slots_of`."""
    used = leaves = extended = short = end = 0
    ends: list[bytes] = []
    sides: list[bytes] = []
    items: list[bytes] = []
    bit = 1
    for slot in slots:
        if slot is None:
            items.append(EMPTY_ITEM)
        else:
            reference, is_leaf, side = slot
            used |= bit
            items.append(reference)
            if is_leaf:
                leaves |= bit
            elif side:
                extended |= bit
            if is_leaf or side:
                end += len(side)
                ends.append(end.to_bytes(_END_BYTES, "big"))
                sides.append(side)
            if len(reference) != HASHED:
                short |= bit
        bit <<= 1
    return b"".join((_MASKS.pack(used, leaves, extended, short), *ends, *sides, *items))


def _reference(node: "Leaf | Branch", depth: int, keccak: Keccak) -> bytes:
    """Return how a slot `depth` digits from the top refers to `node`."""
    if len(node) == 2:
        digits, reference = node
        return reference_of(extension_node(digits, reference), keccak) if digits else reference
    return reference_of(leaf_node(node[0][depth:], node[2]), keccak)


class _Update:
    """One pass over a trie with a sorted list of changes."""

    __slots__ = ("_keccak", "_prefix", "_read", "_trie", "_writes")

    def __init__(self, trie: Trie, writes: dict[bytes, bytes | None], keccak: Keccak) -> None:
        self._trie = trie
        self._read = trie._read
        self._prefix = trie._prefix + b"."
        self._writes = writes
        self._keccak = keccak

    def slot(self, path: str, slot: Slot | None, changes: list[Change]) -> Node:
        """Return what is behind the slot at `path` after `changes`, all of which lie behind it."""
        if slot is None:
            return self._build(path, [change for change in changes if change[2] is not None])
        _, is_leaf, side = slot
        if is_leaf:
            return self._beside(path, side, changes)
        return self._along(path, side.decode(), changes)

    def _beside(self, path: str, key: bytes, changes: list[Change]) -> Node:
        """Change a slot that holds the leaf of `key`."""
        leaves = [change for change in changes if change[2] is not None]
        if all(change[1] != key for change in changes):
            leaves.append((self._keccak(key).hex(), key, self._trie.leaf(key)))
            leaves.sort()
        return self._build(path, leaves)

    def _along(self, path: str, digits: str, changes: list[Change]) -> Node:
        """Change a slot that leads along `digits` to a branch."""
        inner = path + digits
        inside = [change for change in changes if change[0].startswith(inner)]
        outside = [change for change in changes if change[2] is not None and not change[0].startswith(inner)]
        node: Node = self._branch(inner, inside) if inside else ("", self._own_reference(inner))
        if node is None:
            return self._build(path, outside)
        if len(node) == 3:
            return self._build(path, sorted([*outside, node]))
        return self._join(path, inner + node[0], node[1], outside)

    def _join(self, path: str, branch: str, reference: bytes, leaves: list[Change]) -> Node:
        """Put `leaves`, none of which lies below the branch at `branch`, and that branch behind one slot at `path`."""
        if not leaves:
            return branch[len(path) :], reference
        # Sorted, so that the first and the last leaf part from the branch no later than those between them.
        start = len(path)
        depth = min(agreement(branch, leaf[0], start) for leaf in (leaves[0], leaves[-1]))
        top = branch[:depth]
        slots: list[Slot | None] = [None] * 16
        for digit, group in _groups(leaves, depth):
            if digit != branch[depth]:
                slots[_DIGITS[digit]] = self._seal(self._build(top + digit, group), depth + 1)
        same = [leaf for leaf in leaves if leaf[0][depth] == branch[depth]]
        below = self._join(branch[: depth + 1], branch, reference, same)
        slots[_DIGITS[branch[depth]]] = self._seal(below, depth + 1)
        return top[len(path) :], self._write(top, slots)

    def _build(self, path: str, leaves: list[Change]) -> Node:
        """Make what is behind a slot at `path` that holds just `leaves`."""
        if len(leaves) < 2:
            return leaves[0] if leaves else None  # type: ignore[return-value]
        depth = agreement(leaves[0][0], leaves[-1][0], len(path))
        top = leaves[0][0][:depth]
        slots: list[Slot | None] = [None] * 16
        for digit, group in _groups(leaves, depth):
            slots[_DIGITS[digit]] = self._seal(self._build(top + digit, group), depth + 1)
        return top[len(path) :], self._write(top, slots)

    def _branch(self, path: str, changes: list[Change]) -> Node:
        """Change the branch at `path`; what comes back stands relative to `path`."""
        trie, keccak = self._trie, self._keccak
        record = trie.record(path)
        used, leaves, extended, short = _MASKS.unpack_from(record)
        named = leaves | extended
        count = used.bit_count()
        spliced = bytearray(record)
        items_at = len(record) - 16 - 32 * count
        reshaped = short != 0
        depth = len(path)
        touched: dict[int, Node] = {}
        for digit, group in _groups(changes, depth):
            slot = _DIGITS[digit]
            bit = 1 << slot
            if not used & bit:
                node = self._build(path + digit, [change for change in group if change[2] is not None])
                same = node is None
            elif leaves & bit:
                key = _side(record, named, bit)
                if len(group) == 1 and group[0][1] == key:
                    node = group[0] if group[0][2] is not None else None  # type: ignore[assignment]
                else:
                    node = self._beside(path + digit, key, group)
                same = node is not None and len(node) == 3 and node[1] == key
            elif extended & bit:
                digits = _side(record, named, bit).decode()
                node = self._along(path + digit, digits, group)
                same = node is not None and len(node) == 2 and node[0] == digits
            else:
                node = (len(group) == 1 and self._one(path + digit, group[0])) or self._branch(path + digit, group)
                same = node is not None and len(node) == 2 and not node[0]
            touched[slot] = node
            if not same:
                reshaped = True
            elif node is not None and not reshaped:
                reference = _reference(node, depth + 1, keccak)
                if len(reference) == HASHED:
                    at = items_at + slot + 32 * (used & (bit - 1)).bit_count()
                    spliced[at : at + HASHED] = reference
                else:
                    reshaped = True
        if reshaped:
            return self._reshape(path, record, touched)
        after = bytes(spliced)
        self._writes[trie.place(path)] = after
        node_bytes = _BRANCH_HEADERS[count] + after[items_at:] + EMPTY_ITEM
        return "", reference_of(node_bytes, keccak)

    def _one(self, path: str, change: Change) -> Branch | None:
        """Give a key that is below the branch at `path` a new value; None when it takes more than that.

        What most changes are: from the third branch down nearly every one is alone, and no slot changes in kind.
        """
        read, keccak, prefix = self._read, self._keccak, self._prefix
        digits, key, value = change
        if value is None:
            return None
        trail: list[tuple[bytes, bytes, int, int]] = []
        for depth in range(len(path), len(digits)):
            place = prefix + digits[:depth].encode()
            record = read(place)
            if record is None:
                return None
            used, leaves, extended, short = _MASKS.unpack_from(record)
            slot = _DIGITS[digits[depth]]
            bit = 1 << slot
            if short or not used & bit or extended & bit:
                return None
            items_at = len(record) - 16 - 32 * used.bit_count()
            trail.append((place, record, items_at, items_at + slot + 32 * (used & (bit - 1)).bit_count()))
            if leaves & bit:
                if _side(record, leaves | extended, bit) != key:
                    return None
                break
        node = leaf_node(digits[depth + 1 :], value)
        for place, record, items_at, at in reversed(trail):
            if len(node) < 32:
                return None
            record = record[: at + 1] + keccak(node) + record[at + HASHED :]
            self._writes[place] = record
            items = record[items_at:]
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
        self._writes[self._trie.place(path)] = None
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
            return self._keccak(side).hex(), side, self._trie.leaf(side)
        digits = side.decode()
        return digits, self._own_reference(path + digits) if digits else reference

    def _own_reference(self, path: str) -> bytes:
        """Return the reference of the untouched branch at `path`, without the digits that lead to it."""
        return reference_of(branch_node(self._trie.record(path)), self._keccak)

    def _seal(self, node: Node, depth: int) -> Slot | None:
        """Return the slot, `depth` digits from the top, that leads to `node`."""
        if node is None:
            return None
        reference = _reference(node, depth, self._keccak)
        return (reference, True, node[1]) if len(node) == 3 else (reference, False, node[0].encode())

    def _write(self, path: str, slots: list[Slot | None]) -> bytes:
        """Set the record of the branch at `path` and return its reference."""
        record = _record_of(slots)
        self._writes[self._trie.place(path)] = record
        return reference_of(branch_node(record), self._keccak)


def _side(record: bytes, named: int, bit: int) -> bytes:
    """Return the key or the digits of the slot `bit` stands for."""
    index = (named & (bit - 1)).bit_count()
    base = _MASKS.size + _END_BYTES * named.bit_count()
    at = _MASKS.size + _END_BYTES * index
    low = int.from_bytes(record[at - _END_BYTES : at], "big") if index else 0
    return record[base + low : base + int.from_bytes(record[at : at + _END_BYTES], "big")]


def _groups(changes: list[Change], depth: int) -> list[tuple[str, list[Change]]]:
    """Split sorted changes by the digit at `depth`."""
    if len(changes) == 1:
        return [(changes[0][0][depth], changes)]
    groups: list[tuple[str, list[Change]]] = []
    low, count = 0, len(changes)
    while low < count:
        digit = changes[low][0][depth]
        high = low + 1
        while high < count and changes[high][0][depth] == digit:
            high += 1
        groups.append((digit, changes[low:high]))
        low = high
    return groups
