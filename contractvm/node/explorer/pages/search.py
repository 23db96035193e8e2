"""From a few words to a page: a hash, a height, an address, or a contract's name."""

from __future__ import annotations

from contractvm.chain import UnknownBlock
from contractvm.node.explorer.lens import Lens
from contractvm.node.explorer.pages.block import digits
from contractvm.node.explorer.pages.contracts import made
from contractvm.node.explorer.request import Elsewhere, Missing, Page, Request
from contractvm.node.explorer.walk import Walk


def search(lens: Lens, request: Request) -> Page | Elsewhere:
    """Where a reader wants to go. Raises: Missing, with what can be looked for."""
    words = request.query.get("q", "").strip()
    if not words:
        raise Missing("nothing to look for; give a height, a hash, an address or a contract's name")
    if words == "latest":
        return Elsewhere(f"/block/{lens.head.number}")
    plain = words.replace(",", "").replace("_", "")
    if plain.isascii() and plain.isdigit() and len(plain) <= 20:
        if int(plain) <= lens.head.number:
            return Elsewhere(f"/block/{int(plain)}")
        raise Missing(f"block {int(plain):,} is not there yet; the head is {lens.head.number:,}")
    content = digits(words if words[:2] in ("0x", "0X") else "0x" + words)
    if content is not None and len(content) == 20:
        return Elsewhere("/address/0x" + content.hex())
    if content is not None and len(content) == 32:
        return _hash(lens, content)
    named = made(lens, Walk(lens.chain, None), 1, words)
    if named:
        return Elsewhere("/address/0x" + named[0].address.hex())
    raise Missing(
        f"nothing is called {words[:80]!r} here; look for a height, a hash (64 hex digits), an address (40), "
        "or the name of a contract that the node was told of"
    )


def _hash(lens: Lens, digest: bytes) -> Elsewhere:
    if lens.chain.transaction(digest) is not None or lens.chain.pool.get(digest) is not None:  # type: ignore[arg-type]
        return Elsewhere("/tx/0x" + digest.hex())
    try:
        return Elsewhere(f"/block/{lens.chain.height(digest)}")
    except UnknownBlock:
        raise Missing(f"no transaction and no block here has the hash 0x{digest.hex()}") from None
