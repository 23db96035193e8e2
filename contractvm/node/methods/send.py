"""Transactions sent, signed elsewhere or here."""

from __future__ import annotations

import asyncio

from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import DATA
from contractvm.types import Hash

rows = Rows()


def answered(digest: Hash | asyncio.Future[Hash]) -> str | asyncio.Future[str]:
    """A hash as it is written, now or when its block is there."""
    if isinstance(digest, asyncio.Future):
        return asyncio.ensure_future(_later(digest))
    return "0x" + digest.hex()


async def _later(digest: asyncio.Future[Hash]) -> str:
    return "0x" + (await digest).hex()


@rows.method("eth_sendRawTransaction", Param("transaction", DATA), result="hash")
def send_raw(node: Node, raw: bytes) -> str | asyncio.Future[str]:
    """Take a signed transaction; with automining, answer when it is in a block."""
    return answered(node.send(raw))
