"""Finds logs in the blocks of a chain: its blooms first, block by block and by groups of blocks, then receipts.

What a group's blooms admit together is remembered, of blocks that are made as they come and of others once they were
searched, so that most of a long chain is passed in steps of `GROUP` blocks. A search that takes too long ends with an
error; asked again it gets further. Never: remembers logs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import Final

from contractvm.block import Header
from contractvm.chain import Chain
from contractvm.node.fault import LIMIT, Fault
from contractvm.node.feed import News
from contractvm.node.logquery import Documents, LogQuery
from contractvm.receipt import EMPTY_BLOOM
from contractvm.transaction import Transaction
from contractvm.types import Hash

SEARCH_SECONDS: Final = 20.0
"""How long one search may take."""
GROUP: Final = 64
"""Blocks, from a multiple of it on, whose blooms are remembered together."""
MOST_GROUPS: Final = 1 << 16
"""Groups that are remembered: 300 bytes each."""

Group = tuple[Hash, int]
"""Hash of the last block, by which the group is the same, and the union of the blooms."""


class LogSearch:
    """Searches one chain, from any thread; a `Listener`."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._groups: dict[int, Group] = {}
        self._last: Hash | None = None
        """The block that the group which is being gathered has got to; None while there is none."""
        self._union = 0

    def sealed(self, news: News) -> None:
        """A block is the new head: the last one of a group completes what is remembered of it."""
        header = news.block.header
        if header.number % GROUP == 0:
            self._union = 0
        elif header.parent_hash != self._last:
            self._last = None  # its group's first blocks were not seen, or have been undone
            return
        self._last = header.hash
        if header.logs_bloom != EMPTY_BLOOM:
            self._union |= int.from_bytes(header.logs_bloom, "big")
        if header.number % GROUP == GROUP - 1:
            self._remember(header, self._union)

    def arrived(self, transaction: Transaction) -> None:
        """What waits in the pool has no logs."""

    def search(self, query: LogQuery, heights: range, most: int) -> Documents:
        """The matching logs at some heights, in order. Raises: Fault when they pass `most`, or it takes too long."""
        found: Documents = []
        for header in self._candidates(query, heights):
            found += query.among(self._chain.receipts(header.number), header.timestamp)
            if len(found) > most:
                raise _too_many(most)
        return found

    def at(self, query: LogQuery, places: Sequence[tuple[int, Hash]], most: int) -> Documents:
        """The matching logs of some blocks; those of blocks that were undone are no more. Raises: Fault."""
        found: Documents = []
        for number, digest in places:
            if number <= self._chain.head.number and self._chain.header(number).hash == digest:
                found += self.search(query, range(number, number + 1), most)
            if len(found) > most:
                raise _too_many(most)
        return found

    def _candidates(self, query: LogQuery, heights: range) -> Iterator[Header]:
        """The headers of the blocks that may hold such logs."""
        end = time.monotonic() + SEARCH_SECONDS
        number = heights.start
        while number < heights.stop:
            if time.monotonic() > end:
                reached = (
                    f"{number - heights.start} of {len(heights)} blocks were looked at in {SEARCH_SECONDS:g} seconds"
                )
                raise Fault(LIMIT, f"query timeout exceeded: {reached}; ask again, or for fewer at a time")
            after = min((number // GROUP + 1) * GROUP, heights.stop)
            whole = number % GROUP == 0 and after - number == GROUP
            if not (whole and self._passed(query, number)):
                headers = [self._chain.header(height) for height in range(number, after)]
                if whole:
                    self._remember(headers[-1], reduce(or_, (int.from_bytes(one.logs_bloom, "big") for one in headers)))
                for header in headers:
                    if header.logs_bloom != EMPTY_BLOOM and query.may_match(header.logs_bloom):
                        yield header
            number = after

    def _passed(self, query: LogQuery, first: int) -> bool:
        """Whether a group is known to hold no such logs."""
        group = self._groups.get(first)
        if group is None or (group[1] and query.admits(group[1])):
            return False
        return self._chain.header(first + GROUP - 1).hash == group[0]

    def _remember(self, last: Header, union: int) -> None:
        if len(self._groups) >= MOST_GROUPS:
            self._groups.clear()
        self._groups[last.number - GROUP + 1] = last.hash, union


def _too_many(most: int) -> Fault:
    return Fault(LIMIT, f"query returned more than {most} results; ask for fewer blocks, addresses or topics")
