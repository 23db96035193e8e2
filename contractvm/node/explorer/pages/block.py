"""One block: its header and its transactions."""

from __future__ import annotations

from typing import Final

from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.request import Missing, Page, Request

LISTED: Final = 100


def block(lens: Lens, request: Request, which: str) -> Page:
    """A block by height or hash. Raises: Missing, UnknownBlock."""
    found = lens.chain.block(block_id(which))
    first = request.number("from") or 0
    entries = lens.entries(found)[first : first + LISTED]
    facts = {"block": found, "header": found.header, "entries": entries, "first": first, "listed": LISTED}
    return Page("block.html", facts)


def block_id(which: str) -> int | bytes | str:
    """A height, a hash or `latest`. Raises: Missing."""
    if which.isascii() and which.isdigit() and len(which) <= 20:
        return int(which)
    if which == "latest":
        return which
    digest = digits(which)
    if digest is None or len(digest) != 32:
        raise Missing(f"{which[:80]!r} is neither a height nor the hash of a block")
    return digest


def digits(text: str) -> bytes | None:
    """Bytes from `0x` and hex digits; None for what is none."""
    if not text.startswith(("0x", "0X")):
        return None
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        return None
