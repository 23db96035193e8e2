"""Forms that write: a call of a contract's function, signed by a development account.

Never: takes a form that the guard did not see.
"""

from __future__ import annotations

from contractvm.node.explorer.request import Elsewhere, Missing, Page, Request
from contractvm.node.node import Node


class Writes:
    """Sends what forms ask for. Belongs to the event loop's thread."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def take(self, request: Request) -> Page | Elsewhere:
        """Take a form. Raises: Missing."""
        raise Missing("no form is sent to this address")
