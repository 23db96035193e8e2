"""Which block is meant: by height, by hash, or by one of Ethereum's words for it.

Source: execution-apis' block tags; a chain of one node is final at once, so `safe` and `finalized` are its head.
Never: reads a block.
"""

from __future__ import annotations

from typing import Final, Literal

from contractvm.archive import Archive
from contractvm.errors import ContractVMError

Tag = Literal["latest", "pending", "earliest", "safe", "finalized"]
BlockId = int | bytes | str
"""A height, a block's hash, or a `Tag`."""
BLOCKS_BEHIND: Final = 256
"""Blocks that are kept below the oldest state: their hashes can be asked for by whatever runs on it."""


class UnknownBlock(ContractVMError):
    """There is no such block here."""


class Pruned(UnknownBlock):
    """The block was there, and was forgotten to keep history within bounds; the text says what is kept."""


def height_of(at: BlockId, head: int, archive: Archive) -> int:
    """The height of a block; "pending" counts as the head, on whose state it stands. Raises: UnknownBlock."""
    match at:
        case "latest" | "pending" | "safe" | "finalized":
            return head
        case "earliest":
            return 0
        case int() if 0 <= at <= head:
            if 0 < at < archive.oldest:
                raise Pruned(f"block {at} is no longer kept, only those from {archive.oldest} to {head}")
            return at
        case bytes() if (number := archive.number_of(at)) is not None:
            return number
    name = "0x" + at.hex() if isinstance(at, bytes) else at
    raise UnknownBlock(f"no block {name}; the head is {head}")
