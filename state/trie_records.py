"""How a trie's branches are kept in the store.

One record a branch, shaped so that a change touches few bytes and needs no other record:

    used, leaves, extended, short    2 bytes each: masks of the slots in use, of those that hold a leaf, of those that
                                     reach their branch through an extension, of children below 32 bytes
    ends                             4 bytes for each leaf and extension: where its name ends
    names                            a leaf's key; an extension's digits, in ASCII
    node                             the branch as it is hashed: a header, the RLP of 16 slots (33 bytes for a hash, 1
                                     for no child), and the empty value

The record of the branch at a path is at `prefix ‖ "." ‖ path`; what the trie begins with is at `prefix` itself: `L` or
`B`, the root hash, then the only leaf's key or the digits to the top branch.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import TypeAlias

from state.codec import wrap_list
from state.errors import StoreCorrupt
from state.merkle import EMPTY_ITEM, HASHED

LookUp: TypeAlias = Callable[[bytes], "bytes | None"]
Slot: TypeAlias = tuple[bytes, bool, bytes]  # reference, whether a leaf, name

MASKS = Struct(">HHHH")
NODE_BYTES = [len(wrap_list(bytes(17 + 32 * used))) for used in range(17)]
"""Length of a branch as it is hashed, by the number of its children, all of them hashed."""
_END_BYTES = 4


class Records:
    """The records of one trie."""

    __slots__ = ("branches", "prefix", "read")

    def __init__(self, read: LookUp, prefix: bytes) -> None:
        self.read = read
        self.prefix = prefix
        self.branches = prefix + b"."

    def top(self) -> Slot | None:
        """Return what the trie begins with, its reference left out; None when it is empty."""
        record = self.read(self.prefix)
        return None if record is None else (b"", record[:1] == b"L", record[33:])

    def place(self, path: bytes) -> bytes:
        """Return where the branch at `path` is kept."""
        return self.branches + path

    def branch(self, path: bytes) -> bytes:
        """Return the record of the branch at `path`.

        Raises:
            StoreCorrupt: it is not there, although its parent leads to it.
        """
        record = self.read(self.branches + path)
        if record is None:
            where = path.decode() or "its top"
            raise StoreCorrupt(f"the trie at {self.prefix.hex()} has no branch at {where}; restore a copy")
        return record


def slots_of(record: bytes) -> list[Slot | None]:
    """Return what each of the 16 slots of a branch's record leads to."""
    used, leaves, extended, _ = MASKS.unpack_from(record)
    sides = (leaves | extended).bit_count()
    side_at = MASKS.size + _END_BYTES * sides
    ends = [0] + [int.from_bytes(record[at : at + _END_BYTES], "big") for at in range(MASKS.size, side_at, _END_BYTES)]
    at, side = side_at + ends[-1], 0
    at += 1 if record[at] < 0xF8 else record[at] - 0xF6  # past the node's header
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


def digest_at(record: bytes, used: int, slot: int) -> int:
    """Return where the hash of the child in `slot` stands, in a record all of whose children are hashed."""
    return len(record) - 16 + slot - 32 * (used >> slot).bit_count()


def branch_node(record: bytes) -> bytes:
    """Return the node, as it is hashed, of a branch's record."""
    _, leaves, extended, _ = MASKS.unpack_from(record)
    at = MASKS.size + _END_BYTES * (leaves | extended).bit_count()
    if at > MASKS.size:
        at += int.from_bytes(record[at - _END_BYTES : at], "big")
    return record[at:]


def record_of(slots: Iterable[Slot | None]) -> bytes:
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
    items.append(EMPTY_ITEM)
    return b"".join((MASKS.pack(used, leaves, extended, short), *ends, *sides, wrap_list(b"".join(items))))


def name_of(record: bytes, named: int, bit: int) -> bytes:
    """Return the key or the digits of the slot `bit` stands for."""
    index = (named & (bit - 1)).bit_count()
    base = MASKS.size + _END_BYTES * named.bit_count()
    at = MASKS.size + _END_BYTES * index
    low = int.from_bytes(record[at - _END_BYTES : at], "big") if index else 0
    return record[base + low : base + int.from_bytes(record[at : at + _END_BYTES], "big")]
