"""What earlier blocks replaced: how it is remembered, undone and forgotten.

Block `height` leaves, for each record it changed, what that held before (`past_key`), and one list of those records
(`DIFF`). A view of an older state takes the earliest past after its height (`state.view`); undoing walks the lists
down; forgetting drops both. The first block kept leaves nothing: there is no state before it.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias

from state.codec import RLPError, decode, encode
from state.errors import StoreCorrupt
from state.records import DIFF, height_bytes, past_keys
from state.store import Reader

FORGOTTEN_TOGETHER: Final = 4_096
"""Records about which are forgotten in one batch."""
_LISTED: Final = 24
"""Bytes of a list that count as a record: few are shorter, and most not twice as long."""

Writes: TypeAlias = "dict[bytes, bytes | None]"


def remembered(height: int, old: Mapping[bytes, bytes], amended: Reader | None) -> Writes:
    """Return the records that keep what block `height` replaced, `old` by record, empty where there was none.

    Args:
        amended: where the block is already, if it is; then what it replaced first is kept.
    """
    where = DIFF + height_bytes(height)
    listed = None if amended is None else amended.get(where)
    known = dict.fromkeys([] if listed is None else _changed(listed))
    new = {record: value for record, value in old.items() if record not in known} if known else old
    writes: Writes = dict(zip(past_keys(new, height), new.values(), strict=True))
    writes[where] = encode([*known, *new])
    return writes


def undone(reader: Reader, height: int, head: int) -> tuple[dict[bytes, bytes], Writes]:
    """Return what each record changed above `height`, up to `head`, held there, empty for nothing, and the removal of
    its pasts.

    Raises:
        StoreCorrupt: a past is missing or a list does not parse.
    """
    past: dict[bytes, bytes] = {}
    removals: Writes = {}
    for at in range(head, height, -1):
        records = _list(reader, at, removals)
        for record, where in zip(records, past_keys(records, at), strict=True):
            old = reader.get(where)
            if old is None:
                raise StoreCorrupt(f"what {record.hex()} held before block {at} is not kept; restore a copy")
            past[record] = old
            removals[where] = None
    return past, removals


def forgotten(reader: Reader, oldest: int, below: int) -> Writes:
    """Return the removal of what is needed only for heights from `oldest`, the lowest so far, to before `below`."""
    removals: Writes = {}
    for at in range(oldest, below + 1):
        removals |= dict.fromkeys(past_keys(_list(reader, at, removals), at))
    return removals


def within(reader: Reader, oldest: int, below: int, records: int) -> int:
    """Return how far, at most to `below`, can be forgotten from `oldest` on for so many records, or for one block's.

    About so many: lists are weighed, not read.
    """
    left = records * _LISTED
    for at in range(oldest + 1, below):
        left -= len(reader.get(DIFF + height_bytes(at)) or b"")
        if left <= 0:
            return at
    return below


def _list(reader: Reader, height: int, removals: Writes) -> list[bytes]:
    """Return the records that block `height` changed, none where no list is kept, and put the list's removal down.

    Lists are looked up one by one: nothing else would need the keys of a store in memory in order.
    """
    listed = reader.get(DIFF + height_bytes(height))
    if listed is None:
        return []
    removals[DIFF + height_bytes(height)] = None
    return _changed(listed)


def _changed(listed: bytes) -> list[bytes]:
    """Return the records that a block's list names."""
    try:
        return [record for record in decode(listed) if isinstance(record, bytes)]
    except RLPError as error:
        raise StoreCorrupt(f"a block's list of changed records does not parse ({error}); restore a copy") from error
