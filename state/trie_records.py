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

_MASKS = Struct(">HHHH")
masks_of = _MASKS.unpack_from
"""Reads a record's masks: used, leaves, extended, short."""
_HEADS = [wrap_list(bytes(17 + 32 * used))[: -17 - 32 * used] for used in range(17)]
"""Header of a branch as it is hashed, by the number of its children, all of them hashed."""
NODE_BYTES = [len(_HEADS[used]) + 17 + 32 * used for used in range(17)]
"""Length of a branch as it is hashed, likewise."""
_END_BYTES = 4
_ENDS = [Struct(f">{count}I") for count in range(17)]
_UNUSED = [EMPTY_ITEM * count for count in range(18)]


class Records:
    """The records of one trie; that of the branch at a path is at `branches ‖ path`."""

    __slots__ = ("branches", "prefix", "read")

    def __init__(self, read: LookUp, prefix: bytes) -> None:
        self.read = read
        self.prefix = prefix
        self.branches = prefix + b"."

    def top(self) -> Slot | None:
        """Return what the trie begins with, its reference left out; None when it is empty."""
        record = self.read(self.prefix)
        return None if record is None else (b"", record[:1] == b"L", record[33:])

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
    used, leaves, extended, _ = masks_of(record)
    ends = (0, *_ENDS[(leaves | extended).bit_count()].unpack_from(record, _MASKS.size))
    side_at = _MASKS.size + _END_BYTES * (len(ends) - 1)
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


def hashed_node(record: bytes) -> bytes:
    """Return the node, as it is hashed, of the record of a branch all of whose children are hashed."""
    return record[-NODE_BYTES[(record[0] << 8 | record[1]).bit_count()] :]


def branch_node(record: bytes) -> bytes:
    """Return the node, as it is hashed, of a branch's record."""
    _, leaves, extended, _ = masks_of(record)
    at = _MASKS.size + _END_BYTES * (leaves | extended).bit_count()
    if at > _MASKS.size:
        at += int.from_bytes(record[at - _END_BYTES : at], "big")
    return record[at:]


def record_of(children: Iterable[tuple[int, Slot]]) -> bytes:
    """Return the record of a branch, its children given with their slots, in order; the inverse of `slots_of`."""
    used = leaves = extended = short = end = after = 0
    ends: list[int] = []
    sides: list[bytes] = []
    items: list[bytes] = []
    for slot, (reference, is_leaf, side) in children:
        bit = 1 << slot
        used |= bit
        items += _UNUSED[slot - after], reference
        after = slot + 1
        if is_leaf:
            leaves |= bit
        elif side:
            extended |= bit
        if is_leaf or side:
            end += len(side)
            ends.append(end)
            sides.append(side)
        if len(reference) != HASHED:
            short |= bit
    items.append(_UNUSED[17 - after])
    masks = _MASKS.pack(used, leaves, extended, short)
    return b"".join((masks, _ENDS[len(ends)].pack(*ends), *sides, wrap_list(b"".join(items))))


def with_digest(record: bytes, used: int, slot: int, digest: bytes) -> bytes:
    """Return a record with another hash of the child in `slot`; all of its children, `used`, are hashed."""
    at = len(record) - 16 + slot - 32 * (used >> slot).bit_count()
    return record[:at] + digest + record[at + 32 :]


def with_child(record: bytes, slot: int, digest: bytes, is_leaf: bool, name: bytes) -> bytes:
    """Return a record with another child, or a first one, in `slot`; all of its children are hashed."""
    used, leaves, extended, _ = masks_of(record)
    bit = 1 << slot
    named = leaves | extended
    if used & bit and not (named & bit or is_leaf or name):
        return with_digest(record, used, slot, digest)
    index = (named & (bit - 1)).bit_count()
    ends = _ENDS[named.bit_count()].unpack_from(record, _MASKS.size)
    names_at = _MASKS.size + _END_BYTES * len(ends)
    low = ends[index - 1] if index else 0
    high, following = (ends[index], index + 1) if named & bit else (low, index)
    grown = low + len(name) - high
    after = [*ends[:index], *((high + grown,) if is_leaf or name else ()), *[end + grown for end in ends[following:]]]
    children = used.bit_count()
    body_at = len(record) - 17 - 32 * children
    at = body_at + slot + 32 * (used & (bit - 1)).bit_count()
    rest = at + (HASHED if used & bit else 1)
    others = ~bit
    return b"".join(
        (
            _MASKS.pack(
                used | bit,
                leaves | bit if is_leaf else leaves & others,
                extended | bit if name and not is_leaf else extended & others,
                0,
            ),
            _ENDS[len(after)].pack(*after),
            record[names_at : names_at + low],
            name,
            record[names_at + high : body_at - len(_HEADS[children])],
            _HEADS[children + 1 - (used >> slot & 1)],
            record[body_at:at],
            b"\xa0",
            digest,
            record[rest:],
        )
    )


def name_of(record: bytes, named: int, bit: int) -> bytes:
    """Return the key or the digits of the slot `bit` stands for."""
    index = (named & (bit - 1)).bit_count()
    ends = _ENDS[named.bit_count()].unpack_from(record, _MASKS.size)
    base = _MASKS.size + _END_BYTES * len(ends)
    return record[base + (ends[index - 1] if index else 0) : base + ends[index]]
