"""Which logs a client asks for: read from its object, matched against a log, and against a block's bloom.

Source: execution-apis' Filter (addresses any
of, topics by position, null for any, a list for any of); EIP-234 for `blockHash`. Never: keeps anything between calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from contractvm.chain import BlockId, Chain
from contractvm.host import Log
from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.shapes import log_document, place_document
from contractvm.node.values import address, block, hash32, shown
from contractvm.receipt import Receipt, logs_bloom
from contractvm.types import Address, Hash

MOST_TOPICS: Final = 4
MOST_CHOICES: Final = 1_000
"""Addresses, and values of one topic, that a client may name."""
_FIELDS: Final = frozenset({"fromBlock", "toBlock", "address", "topics", "blockHash", "limit"})

Documents = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Logs by any of `addresses` (none named: all) whose topics are, place by place, among those named (None: any).

    `masks` are the bits that a block's bloom must have: of each group at least one mask whole.
    """

    addresses: frozenset[Address]
    topics: tuple[frozenset[Hash] | None, ...]
    first: BlockId | None
    last: BlockId | None
    block_hash: Hash | None
    masks: tuple[tuple[int, ...], ...]

    def may_match(self, bloom: bytes) -> bool:
        """Whether a block with this bloom can hold such a log."""
        return not self.masks or self.admits(int.from_bytes(bloom, "big"))

    def admits(self, bits: int) -> bool:
        """The same of a bloom as a number, or of several together."""
        return all(any(bits & mask == mask for mask in group) for group in self.masks)

    def matches(self, log: Log) -> bool:
        """Whether it is such a log."""
        if self.addresses and log.address not in self.addresses:
            return False
        topics = log.topics
        if len(topics) < len(self.topics):
            return False
        return all(wanted is None or topic in wanted for wanted, topic in zip(self.topics, topics, strict=False))

    def among(self, receipts: tuple[Receipt, ...], timestamp: int) -> Documents:
        """The matching logs of a block, as clients are given them."""
        found: Documents = []
        for receipt in receipts:
            wanted = [(index, log) for index, log in enumerate(receipt.logs, receipt.log_index) if self.matches(log)]
            if wanted:
                place = place_document(receipt, timestamp)
                found += [log_document(log, index, place) for index, log in wanted]
        return found


def log_query(given: Mapping[str, Any]) -> LogQuery:
    """Read a filter object. Raises: Fault."""
    unknown = given.keys() - _FIELDS
    if unknown:
        raise bad_params(
            f"a filter has no {sorted(unknown)[0]!r}; it has fromBlock, toBlock, blockHash, address, topics"
        )
    first, last, digest = given.get("fromBlock"), given.get("toBlock"), given.get("blockHash")
    if digest is not None and (first is not None or last is not None):
        raise bad_params("cannot specify both blockHash and fromBlock/toBlock, choose one or the other")
    first, last = (None if at is None else block(at) for at in (first, last))
    if isinstance(first, int) and isinstance(last, int) and first > last:
        raise bad_params(f"invalid block range: fromBlock {first} is after toBlock {last}")
    addresses = _addresses(given.get("address"))
    topics = _topics(given.get("topics"))
    groups: list[list[bytes]] = [list(addresses)] if addresses else []
    groups += [list(choices) for choices in topics if choices is not None]
    return LogQuery(
        addresses,
        topics,
        first,
        last,
        None if digest is None else hash32(digest),
        tuple(tuple(_mask(item) for item in group) for group in groups),
    )


def _addresses(given: object) -> frozenset[Address]:
    if given is None:
        return frozenset()
    many = given if isinstance(given, list) else [given]
    _few(many, "addresses")
    return frozenset(address(item) for item in many)


def _topics(given: object) -> tuple[frozenset[Hash] | None, ...]:
    """What each place may hold; None at the end is dropped, for it asks nothing. An empty list asks nothing either."""
    if given is None:
        return ()
    if not isinstance(given, list):
        raise bad_params(f"topics: {shown(given)} is no list")
    if len(given) > MOST_TOPICS:
        raise bad_params(f"topics: a log has at most {MOST_TOPICS}, {len(given)} are given")
    read: list[frozenset[Hash] | None] = []
    for choice in given:
        if choice is None or choice == []:
            read.append(None)
            continue
        many = choice if isinstance(choice, list) else [choice]
        _few(many, "values of a topic")
        read.append(None if None in many else frozenset(hash32(item) for item in many))
    return tuple(read)


def _few(many: list[Any], what: str) -> None:
    if len(many) > MOST_CHOICES:
        raise bad_params(f"a filter names at most {MOST_CHOICES} {what}, {len(many)} are given")


def _mask(item: bytes) -> int:
    """The bits of a bloom that an address or topic sets."""
    return int.from_bytes(logs_bloom((Log(Address(item), (), b""),)), "big")


def span(chain: Chain, query: LogQuery) -> range:
    """The heights to look at; without bounds the head alone. Raises: UnknownBlock.

    A range may reach above the head, where nothing is yet: clients that poll ask so.
    """
    if query.block_hash is not None:
        number = chain.height(query.block_hash)
        return range(number, number + 1)
    head = chain.head.number
    first = _bound(chain, query.first, head)
    last = _bound(chain, query.last, head)
    return range(first, min(last, head) + 1)


def _bound(chain: Chain, at: BlockId | None, head: int) -> int:
    if at is None:
        return head
    return at if isinstance(at, int) else chain.height(at)


def unknown_filter(name: str) -> Fault:
    """There is no such filter, or it has expired."""
    return Fault(SERVER, f"filter not found: {shown(name)}; it was never made, uninstalled, or expired")
