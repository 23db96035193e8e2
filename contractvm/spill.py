"""The blocks of a chain in memory, kept where they take hardly any: bytes in a `BlobLog`, hashes in a `HashIndex`.

A block is one blob: the number of its transactions, where each of its parts ends, all hashes, then header, transactions
and receipts as the archive of a store has them. So a transaction costs 16 bytes of memory and a block 24, and reading
one transaction or receipt of a large block reads little else. The last block is at hand as it was added: it is what
clients ask for, and they need not wait until it is put away as bytes (`catch_up`).
Never: outlives its process.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from itertools import accumulate
from struct import Struct, pack
from threading import Lock
from typing import Final, NamedTuple

from contractvm.archive import HEAD, Included, StoreArchive, Writes
from contractvm.block import Block, Header
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.blobs import BlobLog
from state.errors import StoreFull
from state.hashindex import HashIndex
from state.store import Reader

_COUNT: Final = Struct(">I")
_ENDS: Final = Struct(">II")
_HASH: Final = 32
_AT_ONCE: Final = 16_384
"""Bytes of a block that are read together."""
_FEW: Final = 16
"""Transactions of a block that is put away later. A longer one is put away at once, where it is made."""
_INDEX_BITS: Final = 24
"""Of a transaction's number in its block, where it is found by hash; the rest is the block's height."""


class SpillArchive:
    """Blocks of one process; head and identity are the store's, written with the state.

    Args:
        store: the state's.
        first: the height of the first block that is added.
        log: where the bytes go.
    """

    __slots__ = (
        "_first",
        "_genesis",
        "_last",
        "_lock",
        "_log",
        "_numbers",
        "_places",
        "_put_off",
        "_records",
        "_starts",
        "oldest",
    )

    def __init__(self, store: Reader, first: int = 0, log: BlobLog | None = None) -> None:
        self._records = StoreArchive(store)
        self._log = BlobLog() if log is None else log
        self._first = first
        self._starts = array("Q")
        self._numbers = HashIndex()
        self._places = HashIndex()
        self._genesis: Header | None = None
        self._last: _Last | None = None
        self._put_off = False  # whether the last block is not in the log yet
        self._lock = Lock()
        self.oldest = 0

    def head(self) -> int | None:
        """Height of the last block; None for an empty store."""
        return self._records.head()

    def identity(self) -> bytes | None:
        """The identity record as written."""
        return self._records.identity()

    def header(self, number: int) -> Header | None:
        """Header at a height; None above the head and where it was forgotten."""
        if number == 0 and self._genesis is not None:
            return self._genesis
        if (last := self._at_hand(number)) is not None:
            return last.block.header
        with self._lock:
            blob = self._blob(number)
            raw = None if blob is None else blob.part(0)
        return None if raw is None else Header.decode(raw)

    def number_of(self, block_hash: bytes) -> int | None:
        """Height of the block of that hash."""
        last = self._last
        if last is not None and last.block.hash == block_hash:
            return last.block.number
        with self._lock:
            for number in self._numbers.find(block_hash):
                blob = self._blob(number)
                if blob is not None and blob.block_hash == block_hash:
                    return number
        return 0 if self._genesis is not None and self._genesis.hash == block_hash else None

    def transactions(self, number: int) -> tuple[Transaction, ...]:
        """A block's transactions in order."""
        if (last := self._at_hand(number)) is not None:
            return last.block.transactions
        with self._lock:
            blob = self._blob(number)
            raws = [] if blob is None else [blob.part(1 + index) for index in range(blob.count)]
        return tuple(Transaction.decode_stored(raw) for raw in raws)

    def receipts(self, number: int) -> tuple[Receipt, ...]:
        """A block's receipts in order."""
        if (last := self._at_hand(number)) is not None:
            return last.receipts
        with self._lock:
            blob = self._blob(number)
            if blob is None:
                return ()
            records = [blob.part(1 + blob.count + index) for index in range(blob.count)]
        return tuple(Receipt.unpack(record, number, blob.block_hash) for record in records)

    def transaction(self, digest: bytes) -> Included | None:
        """A transaction by its hash."""
        last = self._last
        if last is not None and (at := last.places.get(digest)) is not None:
            return Included(last.block.transactions[at], last.block.number, last.block.hash, at)
        with self._lock:
            found = self._placed(digest)
            if found is None:
                return None
            number, index, blob = found
            raw = blob.part(1 + index)
        return Included(Transaction.decode_stored(raw), number, blob.block_hash, index)

    def receipt(self, digest: bytes) -> Receipt | None:
        """A receipt by its transaction's hash."""
        last = self._last
        if last is not None and (at := last.places.get(digest)) is not None:
            return last.receipts[at]
        with self._lock:
            found = self._placed(digest)
            if found is None:
                return None
            number, index, blob = found
            record = blob.part(1 + blob.count + index)
        return Receipt.unpack(record, number, blob.block_hash)

    def add(self, block: Block, receipts: Sequence[Receipt]) -> Writes:
        """Keep a block, above which there is none, and say what to write for it as the head.

        Raises: StoreFull when there is no room for its bytes, or those of the one before.
        """
        number, digest = block.number, block.hash
        for receipt in receipts:
            receipt.block_number, receipt.block_hash = number, digest
        with self._lock:
            self._cut(number - 1)
            self._put_away()
            self._last = _Last(block, tuple(receipts), {tx.hash: at for at, tx in enumerate(block.transactions)})
            self._put_off = True
            if len(block.transactions) > _FEW:
                try:
                    self._put_away()
                except StoreFull:
                    self._cut(number - 1)
                    raise
            if number == 0:
                self._genesis = block.header
        return {HEAD: number.to_bytes(8, "big")}

    def catch_up(self) -> None:
        """Put the last block away as bytes, if it is not yet. Raises: StoreFull, and it stays at hand."""
        with self._lock:
            self._put_away()

    def remove(self, above: int, head: int) -> Writes:
        """What to write to make `above` the head again; `settle` takes the blocks away."""
        return {HEAD: above.to_bytes(8, "big")}

    def prune(self, below: int) -> Writes:
        """Forget the blocks below a height, the first one of a chain excepted; nothing is to be written for it."""
        with self._lock:
            if self._last is not None and self._last.block.number <= below:
                self._put_away()
            for number in range(max(1, self.oldest, self._first), below):
                self._unlist(number)
            if below > self.oldest:
                self.oldest = below
                self._log.forget(self._starts[below - self._first])
        return {}

    def settle(self, head: int) -> None:
        """Take away the blocks above the head."""
        with self._lock:
            self._cut(head)

    def close(self) -> None:
        """Let go of memory and files."""
        self._log.close()

    def _put_away(self) -> None:
        if self._last is None or not self._put_off:
            return
        block, receipts, places = self._last
        header = block.header
        parts = [
            header.encode(),
            *[tx.encode() for tx in block.transactions],
            *[receipt.pack() for receipt in receipts],
        ]
        ends = list(accumulate(map(len, parts)))
        start = self._log.append(
            b"".join([pack(f">{1 + len(ends)}I", len(places), *ends), header.hash, *places, *parts])
        )
        self._starts.append(start)
        self._numbers.add(header.hash, header.number)
        first = header.number << _INDEX_BITS
        for digest, index in places.items():
            self._places.add(digest, first | index)
        self._put_off = False

    def _cut(self, head: int) -> None:
        last, kept = self._last, head + 1 - self._first
        if last is not None and last.block.number > head:
            self._last, self._put_off = None, False
        if kept >= len(self._starts):
            return
        for number in range(head + 1, self._first + len(self._starts)):
            self._unlist(number)
        self._log.cut(self._starts[kept])
        del self._starts[kept:]

    def _unlist(self, number: int) -> None:
        """Let nothing lead to a block that goes."""
        blob = self._blob(number)
        if blob is not None:
            self._numbers.remove(blob.block_hash, number)
            for index in range(blob.count):
                self._places.remove(blob.hash_of(index), number << _INDEX_BITS | index)

    def _at_hand(self, number: int) -> _Last | None:
        """The last block, if it is the one at this height."""
        last = self._last
        return last if last is not None and last.block.number == number else None

    def _blob(self, number: int) -> _Blob | None:
        at = number - self._first
        if at < 0 or at >= len(self._starts) or number < self.oldest:
            return None
        start = self._starts[at]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else self._log.end
        return _Blob(self._log.read, start, end)

    def _placed(self, digest: bytes) -> tuple[int, int, _Blob] | None:
        """Height, number and block of a transaction."""
        for place in self._places.find(digest):
            number, index = place >> _INDEX_BITS, place & (1 << _INDEX_BITS) - 1
            blob = self._blob(number)
            if blob is not None and index < blob.count and blob.hash_of(index) == digest:
                return number, index, blob
        return None


class _Last(NamedTuple):
    """The last block, its receipts, and each transaction's number in it by hash."""

    block: Block
    receipts: tuple[Receipt, ...]
    places: dict[bytes, int]


class _Blob:
    """A block's bytes in a log, read as they are asked for."""

    __slots__ = ("_begun", "_body", "_hashes", "_read", "_start", "block_hash", "count")

    def __init__(self, read: Callable[[int, int], bytes], start: int, end: int) -> None:
        self._read = read
        self._start = start
        self._begun = read(start, min(end - start, _AT_ONCE))
        (self.count,) = _COUNT.unpack_from(self._begun)
        self._hashes = _COUNT.size * (2 + 2 * self.count)
        self._body = self._hashes + _HASH * (1 + self.count)
        self.block_hash = Hash(self._bytes(self._hashes, _HASH))

    def hash_of(self, index: int) -> bytes:
        """The hash of a transaction."""
        return self._bytes(self._hashes + _HASH * (1 + index), _HASH)

    def part(self, number: int) -> bytes:
        """The header, or a transaction, or a receipt."""
        if number:
            start, end = _ENDS.unpack(self._bytes(_COUNT.size * number, _ENDS.size))
        else:
            start, (end,) = 0, _COUNT.unpack(self._bytes(_COUNT.size, _COUNT.size))
        return self._bytes(self._body + start, end - start)

    def _bytes(self, at: int, size: int) -> bytes:
        if at + size <= len(self._begun):
            return self._begun[at : at + size]
        return self._read(self._start + at, size)
