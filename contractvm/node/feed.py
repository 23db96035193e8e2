"""What happens on the chain, told to whoever listens: subscriptions, filters, the terminal's live line, the explorer.

Never: waits for a listener, or works out what nobody listens for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from contractvm.block import Block
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction

log: Final = logging.getLogger("contractvm.node")


@dataclass(slots=True)
class News:
    """A block that became the head; its receipts are read when someone asks, none if it has been undone by then."""

    block: Block
    read: Callable[[], tuple[Receipt, ...]]
    _receipts: tuple[Receipt, ...] | None = None

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """In order."""
        if self._receipts is None:
            self._receipts = self.read()
        return self._receipts


class Listener(Protocol):
    """Is told of each thing once, on the event loop's thread. What it raises is logged and ends nothing."""

    def sealed(self, news: News) -> None:
        """A block is the new head."""

    def arrived(self, transaction: Transaction) -> None:
        """A transaction waits in the pool."""


class Feed:
    """Passes on news. Belongs to the event loop's thread."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """Tell it of everything from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Tell it nothing more."""
        self._listeners.remove(listener)

    def sealed(self, news: News) -> None:
        """Pass on a block."""
        for listener in tuple(self._listeners):
            try:
                listener.sealed(news)
            except Exception:
                log.exception("a listener failed")

    def arrived(self, transaction: Transaction) -> None:
        """Pass on a transaction."""
        for listener in tuple(self._listeners):
            try:
                listener.arrived(transaction)
            except Exception:
                log.exception("a listener failed")
