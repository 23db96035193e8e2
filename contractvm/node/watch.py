"""What clients asked to be told of: filters, which they poll, and subscriptions, which are pushed to them.

Both are bounded: in number for each client, and each filter in what it keeps for whoever asks next. A filter that
nobody asks for expires; a subscription ends with its connection. Source: execution-apis (eth_newFilter and the like);
go-ethereum's rpc/subscription for `eth_subscribe`. Never: waits for a client, or reads receipts that nobody wants.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from contractvm.node.config import Limits
from contractvm.node.fault import LIMIT, Fault
from contractvm.node.feed import News
from contractvm.node.logquery import LogQuery, unknown_filter
from contractvm.node.session import Session
from contractvm.node.shapes import header_document, transaction_document
from contractvm.transaction import Transaction
from contractvm.types import Hash

BLOCKS: Final = "blocks"
LOGS: Final = "logs"
PENDING: Final = "pending"
SWEEP_SECONDS: Final = 5.0


Place = tuple[int, Hash]
"""A block by height and hash: it may have been undone since."""


@dataclass(slots=True)
class Filter:
    """What was asked for, what has come since it was last asked, and when that was.

    `changes` are hashes of blocks or transactions; of logs the blocks that may hold some, shared by all filters and
    read when somebody asks.
    """

    kind: str
    query: LogQuery | None
    asked: float
    session: Session | None = None
    changes: list[Any] = field(default_factory=list)
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    """What is pushed to a session. `full`: pending transactions whole instead of by hash."""

    kind: str
    session: Session
    query: LogQuery | None = None
    full: bool = False


class Watch:
    """All filters and subscriptions of a node: a `Listener`. Belongs to the event loop's thread."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._filters: dict[str, Filter] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._swept = clock()

    # Filters

    def install(self, kind: str, query: LogQuery | None, session: Session | None) -> str:
        """Make a filter; return its id. Raises: Fault when the client has too many."""
        self._sweep()
        mine = sum(1 for kept in self._filters.values() if kept.session is session)
        self._room(mine + (0 if session is None else len(session.subscriptions)))
        name = _name()
        self._filters[name] = Filter(kind, query, self._clock(), session)
        return name

    def uninstall(self, name: str) -> bool:
        """Forget a filter; whether it was there."""
        return self._filters.pop(name, None) is not None

    def hashes(self, name: str) -> list[Hash] | None:
        """What has come since it was last asked; None where `places` tells. Raises: as `places`."""
        return None if self._ask(name).kind == LOGS else self._take(name)

    def places(self, name: str) -> list[Place]:
        """Where to look for logs that have come since it was last asked.

        Raises: Fault for an unknown filter, or one that lost something.
        """
        return self._take(name)

    def _take(self, name: str) -> list[Any]:
        found = self._ask(name)
        changes, found.changes = found.changes, []
        if found.lost:
            found.lost = False
            most = self._limits.filter_items
            raise Fault(
                LIMIT, f"the filter was not asked for over {most} changes and lost some; read on with eth_getLogs"
            )
        return changes

    def query(self, name: str) -> LogQuery:
        """What a filter of logs looks for. Raises: Fault."""
        query = self._ask(name).query
        if query is None:
            raise Fault(LIMIT, "this filter is not one of logs; eth_getFilterChanges reads it")
        return query

    def _ask(self, name: str) -> Filter:
        self._sweep()
        found = self._filters.get(name)
        if found is None:
            raise unknown_filter(name)
        found.asked = self._clock()
        return found

    def _sweep(self) -> None:
        """Forget the filters that nobody asks for."""
        now = self._clock()
        if now - self._swept < SWEEP_SECONDS:
            return
        self._swept = now
        oldest = now - self._limits.filter_seconds
        self._filters = {name: kept for name, kept in self._filters.items() if kept.asked >= oldest}

    # Subscriptions

    def subscribe(self, subscription: Subscription) -> str:
        """Push to a session from now on; return the id. Raises: Fault when it has too many."""
        session = subscription.session
        mine = sum(1 for kept in self._filters.values() if kept.session is session)
        self._room(mine + len(session.subscriptions))
        name = _name()
        self._subscriptions[name] = subscription
        session.subscriptions.add(name)
        return name

    def unsubscribe(self, name: str, session: Session) -> bool:
        """End one of a session's subscriptions; whether it was there."""
        if name not in session.subscriptions:
            return False
        session.subscriptions.discard(name)
        return self._subscriptions.pop(name, None) is not None

    def leave(self, session: Session) -> None:
        """Forget all that a session asked for; it is gone."""
        for name in session.subscriptions:
            self._subscriptions.pop(name, None)
        session.subscriptions.clear()
        gone = [name for name, kept in self._filters.items() if kept.session is session]
        for name in gone:
            del self._filters[name]

    def _room(self, mine: int) -> None:
        most = self._limits.subscriptions
        if mine >= most:
            raise Fault(LIMIT, f"too many filters and subscriptions: {most} are open; uninstall some")

    # What happens

    def sealed(self, news: News) -> None:
        """A block is the new head."""
        if self._filters:
            self._sweep()
            header = news.block.header
            place = header.number, header.hash
            for kept in self._filters.values():
                if kept.kind == BLOCKS:
                    self._keep(kept, place[1])
                elif kept.query is not None and concerns(kept.query, news):
                    self._keep(kept, place)
        if self._subscriptions:
            self._push_block(news)

    def arrived(self, transaction: Transaction) -> None:
        """A transaction waits in the pool."""
        if not self._filters and not self._subscriptions:
            return
        for kept in self._filters.values():
            if kept.kind == PENDING:
                self._keep(kept, transaction.hash)
        digest = "0x" + transaction.hash.hex()
        whole: orjson.Fragment | None = None
        for name, wish in list(self._subscriptions.items()):
            if wish.kind == PENDING:
                if wish.full and whole is None:
                    whole = _encoded(transaction_document(transaction))
                self._push(name, wish, whole if wish.full else digest)

    def _push_block(self, news: News) -> None:
        head: orjson.Fragment | None = None
        for name, wish in list(self._subscriptions.items()):
            if wish.kind == BLOCKS:
                if head is None:
                    head = _encoded(header_document(news.block.header))
                self._push(name, wish, head)
            elif wish.query is not None and concerns(wish.query, news):
                for log in wish.query.among(news.receipts, news.block.header.timestamp):
                    self._push(name, wish, log)

    def _push(self, name: str, wish: Subscription, result: Any) -> None:
        wish.session.notify(name, result)
        if wish.session.closed:
            self.leave(wish.session)

    def _keep(self, kept: Filter, change: Hash | Place) -> None:
        """Add to what a filter holds; when that is too much, it starts anew and will say so."""
        if len(kept.changes) >= self._limits.filter_items:
            kept.changes, kept.lost = [], True
        else:
            kept.changes.append(change)


def concerns(query: LogQuery, news: News) -> bool:
    """Whether a new block may hold logs that a query matches, within the heights that it names."""
    header = news.block.header
    number = header.number
    if isinstance(query.first, int) and number < query.first:
        return False
    if isinstance(query.last, int) and number > query.last:
        return False
    return bool(news.block.transactions) and query.may_match(header.logs_bloom)


def _encoded(document: dict[str, Any]) -> orjson.Fragment:
    """Written once, for all who are told of it."""
    return orjson.Fragment(orjson.dumps(document))


def _name() -> str:
    return "0x" + secrets.token_hex(16)
