"""What the chain itself keeps beside the state: headers, transactions, receipts, and where to find each.

Keys start with `PREFIX`, which the state never uses; numbers are eight bytes big-endian, so that a block's records lie
side by side and in order. They are written in the state's own batch. Reading one transaction or receipt reads that one
record, not its block. Never: writes; it says what to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from contractvm.block import Block, Header
from contractvm.errors import Fatal
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.store import Reader

PREFIX: Final = b"C"
IDENTITY: Final = PREFIX + b"i"
HEAD: Final = PREFIX + b"h"
_HEADER: Final = PREFIX + b"b"
_NUMBER: Final = PREFIX + b"n"
_TRANSACTION: Final = PREFIX + b"t"
_RECEIPT: Final = PREFIX + b"r"
_PLACE: Final = PREFIX + b"x"


@dataclass(frozen=True, slots=True)
class Included:
    """A transaction in a block."""

    transaction: Transaction
    block_number: int
    block_hash: Hash
    index: int


class Archive:
    """Reads the chain's records from a store or a snapshot of one."""

    __slots__ = ("_store",)

    def __init__(self, store: Reader) -> None:
        self._store = store

    def head(self) -> int | None:
        """Height of the last block; None for an empty store."""
        record = self._store.get(HEAD)
        return None if record is None else int.from_bytes(record, "big")

    def identity(self) -> bytes | None:
        """The identity record as written."""
        return self._store.get(IDENTITY)

    def header(self, number: int) -> Header | None:
        """Header at a height; None above the head."""
        record = self._store.get(_HEADER + _u64(number))
        return None if record is None else Header.decode(record)

    def number_of(self, block_hash: bytes) -> int | None:
        """Height of the block of that hash."""
        record = self._store.get(_NUMBER + block_hash)
        return None if record is None else int.from_bytes(record, "big")

    def transactions(self, number: int) -> tuple[Transaction, ...]:
        """A block's transactions in order."""
        return tuple(Transaction.decode_stored(raw) for raw in self._run(_TRANSACTION + _u64(number)))

    def block(self, number: int) -> Block | None:
        """Block at a height."""
        header = self.header(number)
        return None if header is None else Block(header, self.transactions(number))

    def receipts(self, number: int) -> tuple[Receipt, ...]:
        """A block's receipts in order."""
        block_hash = self._hash(number)
        return tuple(Receipt.unpack(record, number, block_hash) for record in self._run(_RECEIPT + _u64(number)))

    def transaction(self, digest: bytes) -> Included | None:
        """A transaction by its hash."""
        place = self._store.get(_PLACE + digest)
        if place is None:
            return None
        number, index = int.from_bytes(place[:8], "big"), int.from_bytes(place[8:], "big")
        transaction = Transaction.decode_stored(self._must(_TRANSACTION + place))
        return Included(transaction, number, self._hash(number), index)

    def receipt(self, digest: bytes) -> Receipt | None:
        """A receipt by its transaction's hash."""
        place = self._store.get(_PLACE + digest)
        if place is None:
            return None
        number = int.from_bytes(place[:8], "big")
        return Receipt.unpack(self._must(_RECEIPT + place), number, self._hash(number))

    def _hash(self, number: int) -> Hash:
        header = self.header(number)
        if header is None:
            raise Fatal(f"block {number} has transactions but no header: the database is damaged")
        return header.hash

    def _must(self, key: bytes) -> bytes:
        record = self._store.get(key)
        if record is None:
            raise Fatal(f"record {key.hex()} is missing: the database is damaged")
        return record

    def _run(self, prefix: bytes) -> Iterator[bytes]:
        return (value for _, value in self._store.iterate(prefix, prefix + b"\xff" * 5))


def block_records(block: Block, receipts: Sequence[Receipt]) -> dict[bytes, bytes | None]:
    """What to write for a new head."""
    number = _u64(block.number)
    puts: dict[bytes, bytes | None] = {
        HEAD: number,
        _HEADER + number: block.header.encode(),
        _NUMBER + block.hash: number,
    }
    for index, (transaction, receipt) in enumerate(zip(block.transactions, receipts, strict=True)):
        place = number + index.to_bytes(4, "big")
        puts[_PLACE + transaction.hash] = place
        puts[_TRANSACTION + place] = transaction.encode()
        puts[_RECEIPT + place] = receipt.pack()
    return puts


def removal_records(archive: Archive, above: int, head: int) -> dict[bytes, bytes | None]:
    """What to write to make `above` the head again: every record of the blocks over it goes."""
    puts: dict[bytes, bytes | None] = {HEAD: _u64(above)}
    for height in range(above + 1, head + 1):
        block = archive.block(height)
        if block is None:
            raise Fatal(f"block {height} is missing: the database is damaged")
        number = _u64(height)
        puts[_HEADER + number] = None
        puts[_NUMBER + block.hash] = None
        for index, transaction in enumerate(block.transactions):
            place = number + index.to_bytes(4, "big")
            puts[_PLACE + transaction.hash] = None
            puts[_TRANSACTION + place] = None
            puts[_RECEIPT + place] = None
    return puts


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")
