"""A chain that goes on from a block of another contractvm node, whose state is read as it is needed.

The other node's records at that block lie under this chain's own (`state.overlay`), tries included: roots and proofs
are true, and the first thing that is checked is that the root is the header's. Blocks up to there are asked for, those
after are kept here. So nothing is copied at the start, and the other node must stay reachable.
Never: forks a chain of another kind; what its contracts are written for does not run here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

from contractvm.archive import HEAD, IDENTITY, Included, Writes
from contractvm.block import Block, Header
from contractvm.identity import Identity, IncompatibleChain
from contractvm.node.remote import Remote, RemoteError, RemoteRecords
from contractvm.receipt import Receipt
from contractvm.rules import Rules
from contractvm.spill import SpillArchive
from contractvm.transaction import Transaction
from contractvm.types import Hash
from state.codec import encode
from state.overlay import OverlayStore
from state.records import HEAD as STATE_HEAD

CLIENT: Final = "contractvm/"
BLOCKS_KEPT: Final = 512
"""Blocks of the other chain that are kept once they were asked for."""


def fork(url: str, number: int | None, rules: Rules, chain_id: int | None) -> tuple[OverlayStore, ForkArchive]:
    """Store and archive of a chain that goes on from block `number` of the node at `url`; None: from its head.

    With a `chain_id` the new chain has another one. Raises: RemoteError when the node cannot be asked or has no such
    state; IncompatibleChain when its chain is of another kind or of other rules.
    """
    remote = Remote(url)
    client = remote.ask("web3_clientVersion")
    if not isinstance(client, str) or not client.startswith(CLIENT):
        raise IncompatibleChain(
            f"{remote.url} is {str(client)[:80]}, a chain of the EVM: its contracts are no WebAssembly and do not run "
            "here, and it does not serve the tries that a root is made of; only contractvm nodes can be forked"
        )
    source = remote.ask("cvm_source", "latest" if number is None else hex(number))
    try:
        theirs = Identity.unpack(bytes.fromhex(source["identity"][2:]))
        header = Header.decode(bytes.fromhex(source["header"][2:]))
        oldest = int(source["oldestState"], 16)
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteError(f"{remote.url} does not say what its chain is ({error!r}); is it of this version?") from error
    if theirs.rules != rules.digest:
        raise IncompatibleChain(
            f"{remote.url}: the chain was made under rules {theirs.rules.hex()[:16]}, "
            f"these are {rules.digest.hex()[:16]}; fork it with the version that made it"
        )
    if header.number < oldest:
        raise RemoteError(f"{remote.url} keeps no state of block {header.number}, only from {oldest} on")
    store = OverlayStore(RemoteRecords(remote, header.hash))
    mine = Identity(theirs.chain_id if chain_id is None else chain_id, rules.digest, theirs.genesis, store.backend)
    height = header.number
    store.write(
        {
            STATE_HEAD: encode([height, height, header.state_root]),
            HEAD: height.to_bytes(8, "big"),
            IDENTITY: mine.pack(),
        }
    )
    return store, ForkArchive(SpillArchive(store, first=height + 1), remote, header)


class ForkArchive:
    """Blocks: up to the fork the other node's, from there on those that were made here."""

    def __init__(self, own: SpillArchive, remote: Remote, header: Header) -> None:
        self._own = own
        self._remote = remote
        self._fork = header.number
        self._hash = header.hash
        self._blocks: OrderedDict[int, _Foreign] = OrderedDict()
        self._lock = Lock()
        self._header = header

    @property
    def oldest(self) -> int:
        """The lowest height above 0 that is kept: whatever the other node keeps can be asked for."""
        return 0 if self._own.oldest <= self._fork + 1 else self._own.oldest

    def head(self) -> int | None:
        """Height of the last block."""
        return self._own.head()

    def identity(self) -> bytes | None:
        """The identity record as written."""
        return self._own.identity()

    def header(self, number: int) -> Header | None:
        """Header at a height. Raises: RemoteError."""
        if number > self._fork:
            return self._own.header(number)
        if number == self._fork:
            return self._header
        return None if number < self.oldest else self._foreign(number).header

    def number_of(self, block_hash: bytes) -> int | None:
        """Height of the block of that hash. Raises: RemoteError."""
        own = self._own.number_of(block_hash)
        if own is not None or block_hash == self._hash:
            return self._fork if own is None else own
        found = self._remote.ask("eth_getBlockByHash", "0x" + block_hash.hex(), False)
        number = None if found is None else int(found["number"], 16)
        return number if number is not None and self.oldest <= number <= self._fork else None

    def transactions(self, number: int) -> tuple[Transaction, ...]:
        """A block's transactions in order. Raises: RemoteError."""
        return self._own.transactions(number) if number > self._fork else self._foreign(number).transactions

    def receipts(self, number: int) -> tuple[Receipt, ...]:
        """A block's receipts in order. Raises: RemoteError."""
        return self._own.receipts(number) if number > self._fork else self._foreign(number).receipts

    def transaction(self, digest: bytes) -> Included | None:
        """A transaction by its hash. Raises: RemoteError."""
        own = self._own.transaction(digest)
        if own is not None:
            return own
        place = self._place(digest)
        if place is None:
            return None
        number, index = place
        block = self._foreign(number)
        return Included(block.transactions[index], number, block.header.hash, index)

    def receipt(self, digest: bytes) -> Receipt | None:
        """A receipt by its transaction's hash. Raises: RemoteError."""
        own = self._own.receipt(digest)
        if own is not None:
            return own
        place = self._place(digest)
        return None if place is None else self._foreign(place[0]).receipts[place[1]]

    def add(self, block: Block, receipts: Sequence[Receipt]) -> Writes:
        """Keep a block, and say what to write for it as the head."""
        return self._own.add(block, receipts)

    def remove(self, above: int, head: int) -> Writes:
        """What to write to make `above` the head again."""
        return self._own.remove(above, head)

    def prune(self, below: int) -> Writes:
        """Forget the blocks below a height."""
        return self._own.prune(below) if below > self._fork + 1 else {}

    def settle(self, head: int) -> None:
        """Take away the blocks above the head."""
        self._own.settle(head)

    def catch_up(self) -> None:
        """Put the last block away."""
        self._own.catch_up()

    def _place(self, digest: bytes) -> tuple[int, int] | None:
        """Height and number of a transaction of the other chain, up to the fork."""
        found = self._remote.ask("eth_getTransactionByHash", "0x" + digest.hex())
        if found is None or found.get("blockNumber") is None:
            return None
        number = int(found["blockNumber"], 16)
        return (number, int(found["transactionIndex"], 16)) if self.oldest <= number <= self._fork else None

    def _foreign(self, number: int) -> _Foreign:
        with self._lock:
            block = self._blocks.get(number)
            if block is None:
                block = self._blocks[number] = _Foreign(self._remote.ask("cvm_sourceBlock", hex(number)), number)
                if len(self._blocks) > BLOCKS_KEPT:
                    self._blocks.popitem(last=False)
            self._blocks.move_to_end(number)
            return block


class _Foreign:
    """A block of the other chain."""

    __slots__ = ("header", "receipts", "transactions")

    def __init__(self, document: Any, number: int) -> None:
        """Read what `cvm_sourceBlock` answers. Raises: RemoteError."""
        try:
            raws = {name: [bytes.fromhex(raw[2:]) for raw in document[name]] for name in ("transactions", "receipts")}
            self.header = Header.decode(bytes.fromhex(document["header"][2:]))
        except (KeyError, TypeError, ValueError) as error:
            raise RemoteError(f"the forked node answers no block for {number}: {error!r}") from error
        block_hash: Hash = self.header.hash
        self.transactions = tuple(Transaction.decode_stored(raw) for raw in raws["transactions"])
        self.receipts = tuple(Receipt.unpack(record, number, block_hash) for record in raws["receipts"])
