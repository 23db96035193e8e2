"""What the chain itself keeps beside the state: headers, transactions, receipts, and where to find each.

Keys start with `PREFIX`, which the state never uses; numbers are eight bytes big-endian, so that a block's records lie
side by side and in order. They are written in the state's own batch. Reading one transaction or receipt reads that one
record, not its block. Blocks below `oldest` were forgotten, but for the first one; what is asked of them is not there.
Never: writes; it says what to write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from contractvm.block import Block, Header
from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.store import Reader

PREFIX: Final = b"C"
IDENTITY: Final = PREFIX + b"i"
HEAD: Final = PREFIX + b"h"
_OLDEST: Final = PREFIX + b"o"
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


Writes = dict[bytes, bytes | None]


class Archive(Protocol):
    """Where a chain's blocks are. One thread adds, removes and prunes; any thread reads.

    What is to change is asked for first (`add`, `remove`, `prune`), as records for the state's batch; `settle` is
    called when that was written.
    """

    @property
    def oldest(self) -> int:
        """The lowest height above 0 that is kept, 0 while all are; the first block always is."""

    def head(self) -> int | None:
        """Height of the last block; None for an empty store."""

    def identity(self) -> bytes | None:
        """The identity record as written."""

    def header(self, number: int) -> Header | None:
        """Header at a height; None above the head and where it was forgotten."""

    def number_of(self, block_hash: bytes) -> int | None:
        """Height of the block of that hash."""

    def transactions(self, number: int) -> tuple[Transaction, ...]:
        """A block's transactions in order."""

    def receipts(self, number: int) -> tuple[Receipt, ...]:
        """A block's receipts in order."""

    def transaction(self, digest: bytes) -> Included | None:
        """A transaction by its hash."""

    def receipt(self, digest: bytes) -> Receipt | None:
        """A receipt by its transaction's hash."""

    def add(self, block: Block, receipts: Sequence[Receipt]) -> Writes:
        """What to write for a new head."""

    def remove(self, above: int, head: int) -> Writes:
        """What to write to make `above` the head again: every record of the blocks over it goes."""

    def prune(self, below: int) -> Writes:
        """What to write to forget the blocks below a height, the first one excepted."""

    def settle(self, head: int) -> None:
        """The records that were asked for are written, or the store was put back, and `head` is the last block."""

    def catch_up(self) -> None:
        """Do what `add` put off, while nobody waits; else it is done with the next block. Raises: StoreFull."""


class StoreArchive:
    """Blocks as records of a store, beside the state's."""

    __slots__ = ("_store", "oldest")

    def __init__(self, store: Reader) -> None:
        self._store = store
        self.oldest = 0
        self.settle(0)

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

    def receipts(self, number: int) -> tuple[Receipt, ...]:
        """A block's receipts in order."""
        header = self.header(number)
        if header is None:
            return ()
        return tuple(Receipt.unpack(record, number, header.hash) for record in self._run(_RECEIPT + _u64(number)))

    def transaction(self, digest: bytes) -> Included | None:
        """A transaction by its hash."""
        found = self._placed(_TRANSACTION, digest)
        if found is None:
            return None
        record, place, header = found
        number, index = int.from_bytes(place[:8], "big"), int.from_bytes(place[8:], "big")
        return Included(Transaction.decode_stored(record), number, header.hash, index)

    def receipt(self, digest: bytes) -> Receipt | None:
        """A receipt by its transaction's hash."""
        found = self._placed(_RECEIPT, digest)
        if found is None:
            return None
        record, place, header = found
        return Receipt.unpack(record, int.from_bytes(place[:8], "big"), header.hash)

    def add(self, block: Block, receipts: Sequence[Receipt]) -> Writes:
        """What to write for a new head."""
        number = _u64(block.number)
        puts: Writes = {
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

    def remove(self, above: int, head: int) -> Writes:
        """What to write to make `above` the head again."""
        puts: Writes = {HEAD: _u64(above)}
        for height in range(above + 1, head + 1):
            puts.update(self._removal(height))
        return puts

    def prune(self, below: int) -> Writes:
        """What to write to forget the blocks below a height, the first one excepted."""
        if below <= self.oldest:
            return {}
        puts: Writes = {_OLDEST: _u64(below)}
        for height in range(max(1, self.oldest), below):
            puts.update(self._removal(height))
        return puts

    def settle(self, head: int) -> None:
        """Look up from which height on blocks are kept; `head` says nothing new."""
        record = self._store.get(_OLDEST)
        self.oldest = 0 if record is None else int.from_bytes(record, "big")

    def catch_up(self) -> None:
        """All is in the state's batch."""

    def _removal(self, height: int) -> Writes:
        header = self.header(height)
        if header is None:
            raise Fatal(f"block {height} is missing: the database is damaged")
        number = _u64(height)
        puts: Writes = {_HEADER + number: None, _NUMBER + header.hash: None}
        for index, transaction in enumerate(self.transactions(height)):
            place = number + index.to_bytes(4, "big")
            puts[_PLACE + transaction.hash] = None
            puts[_TRANSACTION + place] = None
            puts[_RECEIPT + place] = None
        return puts

    def _placed(self, kind: bytes, digest: bytes) -> tuple[bytes, bytes, Header] | None:
        """A transaction's record of some kind, its place, and its block's header."""
        place = self._store.get(_PLACE + digest)
        if place is None:
            return None
        number = int.from_bytes(place[:8], "big")
        record, header = self._store.get(kind + place), self.header(number)
        if record is not None and header is not None:
            return record, place, header
        if self._store.get(_PLACE + digest) is None:  # forgotten or taken back meanwhile
            return None
        raise Fatal(f"transaction {digest.hex()} of block {number} is missing: the database is damaged")

    def _run(self, prefix: bytes) -> Iterator[bytes]:
        return (value for _, value in self._store.iterate(prefix, prefix + b"\xff" * 5))


def _u64(number: int) -> bytes:
    return number.to_bytes(8, "big")
