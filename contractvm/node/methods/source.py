"""What another contractvm node needs to go on from a block of this one: records of its state, and blocks as kept.

The state's records, tries included, are handed out as they lie in the store (`state.records`), by key and by range, as
of any block whose state is kept; so the other node has true roots and proofs without this one's help. A block is named
by its hash where it matters that it is the same one. Never: hands out anything but the state, or more than is bounded.
"""

from __future__ import annotations

from collections.abc import Awaitable
from itertools import islice
from typing import Any, Final

from contractvm.chain import BlockId
from contractvm.node.fault import LIMIT, Fault, bad_params
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.values import ANY, BLOCK, BOOLEAN, DATA, U64, data, data_hex
from state.records import ACCOUNT, PAST
from state.store import Reader

rows = Rows()

MOST_RECORDS: Final = 1_024
"""Records in one answer."""
MOST_BYTES: Final = 4 << 20
"""Bytes after which an answer ends; it has one record in any case."""

AT: Final = Param("block", BLOCK)


@rows.method("cvm_source", Param("block", BLOCK, "latest"), result="object")
def source(node: Node, block: BlockId) -> dict[str, Any]:
    """What this chain is, and the block that another node may go on from."""
    chain = node.chain
    header = chain.header(block)
    return {
        "node": node.name,
        "identity": data_hex(chain.identity.pack()),
        "number": hex(header.number),
        "hash": data_hex(header.hash),
        "header": data_hex(header.encode()),
        "oldestState": hex(chain.oldest),
    }


@rows.method("cvm_records", AT, Param("keys", ANY), result="list of data, null where there is none")
def records(node: Node, block: BlockId, keys: object) -> Awaitable[list[str | None]]:
    """Records of the state at a block, by key."""
    if not isinstance(keys, list) or len(keys) > MOST_RECORDS:
        raise bad_params(f"keys must be a list of at most {MOST_RECORDS} keys in hex")
    wanted = [_state_key(data(key)) for key in keys]

    def read() -> list[str | None]:
        reader, answer, size = _reader(node, block), [], 0
        for key in wanted:
            value = reader.get(key)
            size += len(value or b"")
            if size > MOST_BYTES and len(wanted) > 1:
                raise Fault(LIMIT, f"response too large: these records pass {MOST_BYTES} bytes; ask for fewer at once")
            answer.append(None if value is None else data_hex(value))
        return answer

    return node.pace.elsewhere(read)


@rows.method(
    "cvm_recordRange",
    AT,
    Param("start", DATA),
    Param("stop", DATA),
    Param("reverse", BOOLEAN, False),
    Param("limit", U64, MOST_RECORDS),
    result="list of pairs of key and value",
)
def record_range(
    node: Node, block: BlockId, start: bytes, stop: bytes, reverse: bool, limit: int
) -> Awaitable[list[list[str]]]:
    """Records of the state at a block, in order of keys from start to before stop; fewer than there are, if many."""
    _state_key(start)
    if stop > PAST or stop < start:
        raise bad_params(f"stop must be between start and {data_hex(PAST)}")

    def read() -> list[list[str]]:
        answer, size = [], 0
        pairs = _reader(node, block).iterate(start, stop, reverse)
        for key, value in islice(pairs, max(1, min(limit, MOST_RECORDS))):
            answer.append([data_hex(key), data_hex(value)])
            size += len(key) + len(value)
            if size > MOST_BYTES:
                break
        return answer

    return node.pace.elsewhere(read)


@rows.method("cvm_sourceBlock", AT, result="object")
def source_block(node: Node, block: BlockId) -> dict[str, Any]:
    """A block as it is kept: its header, transactions and receipts as bytes."""
    chain = node.chain
    kept = chain.block(block)
    return {
        "number": hex(kept.number),
        "header": data_hex(kept.header.encode()),
        "transactions": [data_hex(tx.encode()) for tx in kept.transactions],
        "receipts": [data_hex(receipt.pack()) for receipt in chain.receipts(kept.number)],
    }


def _reader(node: Node, block: BlockId) -> Reader:
    """All records at a block. Raises: UnknownBlock, HeightError."""
    return node.sources.at(block)


def _state_key(key: bytes) -> bytes:
    if not ACCOUNT <= key < PAST:
        raise bad_params(f"{data_hex(key[:8])} begins no record of the state: those begin with 01 to 05")
    return key
