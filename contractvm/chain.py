"""The chain: one store, its head, the pool of what waits, and the making of blocks.

A block is executed on a world over the head, its root computed, and everything (state, header, transactions, receipts,
head pointer) written as one batch, synced before anything of it can be read. So a killed process leaves whole blocks.
Source: design of the chain, sections 2 and 8; EIP-1559 for the base fee. Never: a thread or a timer of its own; when to
make a block is the caller's choice. One thread at a time makes blocks; other threads read whole ones and fill the pool
meanwhile, and never wait for a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from threading import RLock
from typing import Self

from contractvm.ahead import Ahead, Incoming, take_all
from contractvm.archive import HEAD, Archive, Included, StoreArchive
from contractvm.block import Block, Header, next_base_fee
from contractvm.builder import Result, assemble, context_of, fill, hashes_of
from contractvm.clock import Clock, Time
from contractvm.errors import Fatal, Rejected
from contractvm.estimate import Estimate, estimate
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.founding import head_of, open_state
from contractvm.genesis import Genesis
from contractvm.heights import BLOCKS_BEHIND, BlockId, Pruned, UnknownBlock, height_of
from contractvm.identity import Identity
from contractvm.machine import Machine
from contractvm.mempool import Mempool, PoolLimits
from contractvm.receipt import Receipt
from contractvm.rejections import AlreadyKnown
from contractvm.rules import Rules, contract_rules
from contractvm.snapshots import Snapshot, Snapshots
from contractvm.transaction import Transaction
from contractvm.types import ZERO_ADDRESS, Address, Hash
from state.errors import StoreFull
from state.proofs import AccountProof
from state.store import Reader, Store
from state.world import World

__all__ = ["BlockId", "Chain", "Pruned", "UnknownBlock"]


class Chain:
    """An open chain. Close it, or use it in a `with` statement; it closes its store."""

    def __init__(
        self,
        store: Store,
        genesis: Genesis | None = None,
        *,
        rules: Rules | None = None,
        machines: Sequence[Machine] | None = None,
        clock: Clock | None = None,
        pool: PoolLimits | None = None,
        coinbase: Address = ZERO_ADDRESS,
        archive: Archive | None = None,
    ) -> None:
        """Open the chain in `store`, or write `genesis` (by default the development one) to an empty one.

        With a `genesis`, an existing chain must have its id. Raises: IncompatibleChain, ModuleError for code in the
        genesis; then nothing was touched, and the store is still the caller's to close.
        """
        self.rules = rules or contract_rules()
        self.coinbase = coinbase
        self.debug: Callable[[Address, bytes], None] | None = None
        self.clock = clock or Clock()
        # `_lock` is held for as long as a block takes, `_gate` only while the pool or the head is touched.
        self._lock = RLock()
        self._gate = RLock()
        self._ahead = Ahead()
        self.snapshots = Snapshots()
        self._reader: World | None = None
        self.next_base_fee = self.moves = 0
        """Wei a gas of the next block; setting it is for tests, and counts until the head moves. How often it did."""
        if machines is None:
            from contractvm.wasm.machine import WasmMachine

            machines = (WasmMachine(),)
        self._executor = Executor(self.rules, machines)
        self._open(store, genesis, archive)
        self.pool = Mempool(self._executor, self.chain_id, pool)

    def _open(self, store: Store, genesis: Genesis | None, archive: Archive | None) -> None:
        self._store = store
        self._archive: Archive = StoreArchive(store) if archive is None else archive
        self._block_hash = hashes_of(self._archive)
        self._state, self._identity = open_state(store, self._archive, genesis, self.rules, self._executor.check_code)
        self._move_head(head_of(self._archive))
        self.gas_limit = self._head.gas_limit

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store, and of the processes that `receive` started."""
        self._ahead.close()
        self._store.close()

    @property
    def chain_id(self) -> int:
        """EIP-155's."""
        return self._identity.chain_id

    @property
    def durable(self) -> bool:
        """Whether blocks outlive the process, so that each waits for the disk."""
        return self._store.backend != "memory"

    @property
    def identity(self) -> Identity:
        """What makes this chain this chain."""
        return self._identity

    @property
    def executor(self) -> Executor:
        """Runs transactions by this chain's rules."""
        return self._executor

    @property
    def head(self) -> Header:
        """Header of the last block."""
        return self._head

    # Writing

    def submit(self, transaction: Transaction | bytes) -> Hash:
        """Take a signed transaction, or its bytes, into the pool; return its hash. Raises: Rejected."""
        if isinstance(transaction, bytes):
            tx = Transaction.decode(transaction, self.chain_id)
        elif transaction.impersonated is None:
            tx = Transaction.decode(transaction.encode(), self.chain_id)
        else:
            tx = Transaction.decode_stored(transaction.encode())
        return self.take(tx)

    def receive(self, transactions: Iterable[bytes]) -> Incoming:
        """Decode signed transactions for `submit_many`, and let other processes recover their senders meanwhile.

        While a block is being made, the next one's senders are thereby worked out on the other processors.
        """
        return self._ahead.begin(transactions, self.chain_id)

    def submit_many(self, transactions: Iterable[bytes] | Incoming) -> list[Hash | Rejected]:
        """Take many signed transactions, in order; return each one's hash or why it is refused."""
        return take_all(self.take, transactions, self.chain_id)

    def take(self, tx: Transaction) -> Hash:
        """Take a decoded transaction into the pool. Raises: Rejected."""
        sender = tx.sender
        with self._gate:
            nonce, balance = self._account(sender)
            if tx.nonce < nonce and self._archive.transaction(tx.hash) is not None:
                raise AlreadyKnown(f"already known: 0x{tx.hash.hex()} is in a block")
            return self.pool.add(tx, nonce, balance, self.next_base_fee, self.gas_limit)

    def produce(self, *, timestamp: int | None = None, coinbase: Address | None = None, lazily: bool = False) -> Block:
        """Make a block of what waits, as much as fits, and return it; it may be empty, and then `lazily` unsynced.

        Raises: ValueError for a timestamp not after the head's; StoreError or Fatal, then there is no block.
        """
        with self._lock:
            context, world, results, refused = self._fill(timestamp, coinbase)
            return self._include(world, context, results, refused, sync=bool(results) or not lazily)

    def sync(self) -> None:
        """Have blocks that were made lazily on the disk."""
        with self._lock:
            self._store.write({HEAD: self._head.number.to_bytes(8, "big")}, sync=True)

    def produce_some(self) -> Block | None:
        """Make a block of what waits, or none where nothing of it can run. Raises: StoreError or Fatal."""
        with self._lock:
            context, world, results, refused = self._fill(None, None)
            if results:
                return self._include(world, context, results, refused)
            self.drop(refused)
            return None

    def _fill(
        self, timestamp: int | None, coinbase: Address | None
    ) -> tuple[BlockContext, World, list[Result], list[Hash]]:
        context = self._next_context(self._head, timestamp, coinbase)
        with self._gate:
            # The pool has looked at most senders through the reader, which thereby holds their accounts.
            world, self._reader = self._look(), None
            selection = self.pool.select(context.base_fee, world.nonce)
        results, refused = fill(self._executor, selection, world, context)
        return context, world, results, refused

    def _include(
        self, world: World, context: BlockContext, results: Sequence[Result], refused: Iterable[Hash], sync: bool = True
    ) -> Block:
        block = self._seal(world, context, results, sync)
        with self._gate:
            self.pool.included(block.transactions)
            self.drop(refused)
        return block

    def drop(self, waiting: Iterable[Hash]) -> int:
        """Forget transactions that wait; how many of them did."""
        with self._gate:
            return sum(self.pool.drop(digest) for digest in waiting)

    def catch_up(self) -> None:
        """Do what blocks put off and begin with, if none is being made; from any thread."""
        if self._lock.acquire(blocking=False):
            try:
                with suppress(StoreFull):  # of which the next block tells, and this one is at hand
                    self._archive.catch_up()
                with self._gate:
                    self._state.read_ahead(self._look())
            finally:
                self._lock.release()

    def edit(self, change: Callable[[World], None], *, timeless: bool = False) -> Block:
        """Let a test set balances, nonces or storage: the change is a block of its own, without transactions.

        So every state that can be read has a header that commits to it, and a height to go back to. A `timeless` one
        takes no time: it has its parent's, and the next block's time and base fee stay what they were to be.
        """
        with self._lock:
            context, moment = self._next_context(self._head), self.clock.next
            if timeless:
                context = replace(context, timestamp=self._head.timestamp)
            world = self.world()
            world.begin_transaction()
            change(world)
            world.end_transaction()
            block = self._seal(world, context, [])
            if timeless:
                self.clock.next, self.next_base_fee = moment, context.base_fee
            with self._gate:
                self.pool.revalidate(self._account)
            return block

    def snapshot(self) -> int:
        """Remember this moment; the number is for `revert`."""
        with self._lock:
            point = self._state.snapshot() if self._store.backend == "memory" else None
            with self._gate:
                head, fee, waiting = self._head, self.next_base_fee, tuple(self.pool)
            return self.snapshots.keep(Snapshot(head.number, head.hash, waiting, self.clock.state(), fee, point))

    def revert(self, snapshot: int) -> None:
        """Go back to a snapshot, which is then used up together with those taken after it.

        Raises: KeyError when there is none of that number; Pruned or HeightError when its state is not kept.
        """
        with self._lock:
            then = self.snapshots.find(snapshot)
            if (point := then.point) is None:
                self.rewind(then.height)
            else:
                if 0 < then.height < self._archive.oldest:
                    raise Pruned(f"block {then.height} of the snapshot is no longer kept: the snapshot is void")
                self._go_back(then.height, lambda: self._state.restore(point))
            self.snapshots.use_up(snapshot)
            self.clock.restore(then.time)
            self.next_base_fee = then.base_fee
            with self._gate:
                self.pool.restore(then.waiting)

    def rewind(self, height: int) -> None:
        """Make the block at `height` the head again; those above, and snapshots of them, are forgotten.

        Raises: UnknownBlock; HeightError when its state is not kept.
        """
        with self._lock:
            head = self._head.number
            if not 0 <= height <= head:
                raise UnknownBlock(f"block {height} is not on this chain, whose head is {head}")
            if height < head:
                self.world(height)  # before the archive is asked for blocks that may be gone
                gone = self._archive.remove(height, head)
                self._go_back(height, lambda: self._state.revert_to(height, gone, sync=True))
                self.snapshots.forget_above(height)
                with self._gate:
                    self.pool.revalidate(self._account)

    def prune(self, keep: int, *, blocks: bool = True, most: int = 64) -> bool:
        """Forget states older than `keep` blocks before the head, and `blocks` much older; whether more is to be done.

        Does at most `most` heights of it, and of large blocks fewer. Blocks stay whose hashes code can ask for.
        """
        with self._lock:
            below = self._state.reach(min(self._head.number - keep, self.oldest + most))
            if below <= self.oldest:
                return False
            self._state.prune(below, self._archive.prune(below - BLOCKS_BEHIND) if blocks else None)
            self._archive.settle(self._head.number)
            return below < self._head.number - keep

    def restart(self, store: Store | None, genesis: Genesis | None = None, archive: Archive | None = None) -> None:
        """Be a new chain in an empty store, or without one the first block again; nothing waits, the time is now.

        The store before is left to whoever still reads it. Raises: HeightError when that block's state is not kept.
        """
        with self._lock, self._gate:
            if store is None:
                self.rewind(0)
                self.gas_limit = self._head.gas_limit
            else:
                self._open(store, genesis, archive)
            self.pool.clear()
            self.snapshots = Snapshots()
            self.clock.restore(Time(0, None, None))

    # Reading

    @property
    def oldest(self) -> int:
        """The lowest height whose state is kept."""
        return self._state.oldest or 0

    def world(self, at: BlockId = "latest") -> World:
        """A world over the state at a block, to read or to run on; nothing of it is kept. Raises: UnknownBlock."""
        return World(self._state.view(self.height(at)))

    def height(self, at: BlockId) -> int:
        """The height of a block; "pending" counts as the head, on whose state it stands. Raises: UnknownBlock."""
        return height_of(at, self._head.number, self._archive)

    def header(self, at: BlockId = "latest") -> Header:
        """Raises: UnknownBlock."""
        number, head = self.height(at), self._head
        header = head if number == head.number else self._archive.header(number)
        if header is None:
            self.height(number)  # it may have been forgotten meanwhile
            raise Fatal(f"block {number} is missing: the database is damaged")
        return header

    def block(self, at: BlockId = "latest") -> Block:
        """Raises: UnknownBlock."""
        header = self.header(at)
        return Block(header, self._archive.transactions(header.number))

    def receipts(self, at: BlockId = "latest") -> tuple[Receipt, ...]:
        """A block's receipts in order. Raises: UnknownBlock."""
        return self._archive.receipts(self.height(at))

    def receipt(self, transaction: bytes) -> Receipt | None:
        """The receipt of a transaction by hash; None while it is in no block."""
        return self._archive.receipt(transaction)

    def transaction(self, digest: bytes) -> Included | None:
        """A transaction in a block, by hash; `pool` knows those that wait."""
        return self._archive.transaction(digest)

    def next_nonce(self, sender: Address) -> int:
        """The first nonce of `sender` that neither a block nor the pool uses."""
        with self._gate:
            return self.pool.next_nonce(sender, self._look().nonce(sender))

    def call(self, message: Message, at: BlockId = "latest") -> Executed:
        """Run a message on the state at a block and drop what it changes; "pending" runs as in the next block.

        Raises: Rejected when it could not be sent; UnknownBlock. A revert or trap is in the result.
        """
        head, context = self._stage(at)
        return self._executor.simulate(message, self.world(head), context)

    def estimate(self, message: Message, at: BlockId = "pending") -> Estimate:
        """The least gas limit that succeeds where one less fails. Raises: CannotSucceed, Rejected, UnknownBlock."""
        head, context = self._stage(at)
        return estimate(self._executor, message, lambda: self.world(head), context)

    def context(self, at: BlockId) -> BlockContext:
        """What a call at a block sees as its block. Raises: UnknownBlock."""
        return self._stage(at)[1]

    def records(self, at: BlockId = "latest") -> tuple[Header, Reader]:
        """A block's header and all records of its state, which no later block changes. Raises: as `world`."""
        header = self.header(at)
        return header, self._state.records_at(header.number)

    def proof(self, address: Address, keys: Iterable[bytes] = (), at: BlockId = "latest") -> AccountProof:
        """An account and some of its storage at a block, with proofs against its state root. Source: EIP-1186."""
        return self._state.account_proof(address, keys, self.height(at))

    # Inside

    def _stage(self, at: BlockId) -> tuple[int, BlockContext]:
        """The height whose state a call at a block runs on, and its context: of one block, should the head move."""
        header = self.header(at)
        if at == "pending":
            return header.number, self._next_context(header)
        return header.number, context_of(header, self.chain_id, self._block_hash, self.debug)

    def _next_context(
        self, head: Header, timestamp: int | None = None, coinbase: Address | None = None
    ) -> BlockContext:
        if timestamp is None:
            timestamp = self.clock.after(head.timestamp)
        if timestamp <= head.timestamp:
            raise ValueError(f"timestamp {timestamp} is not after the head's, {head.timestamp}")
        return BlockContext(
            self.chain_id,
            head.number + 1,
            timestamp,
            self.coinbase if coinbase is None else coinbase,
            self.next_base_fee if head is self._head else next_base_fee(head, self.rules),
            self.gas_limit,
            self._block_hash,
            self.debug,
        )

    def _seal(self, world: World, context: BlockContext, results: Sequence[Result], sync: bool = True) -> Block:
        """Compute roots and header, write everything as one batch, and only then move the head."""
        prepared = self._state.prepare(world, context.number)
        block, receipts = assemble(self._head, context, results, Hash(prepared.root))
        self._state.commit(prepared, self._archive.add(block, receipts), sync=sync)
        self.clock.next = None
        self._move_head(block.header)
        return block

    def _go_back(self, height: int, undo: Callable[[], None]) -> None:
        """Undo blocks; readers take the one at `height` for the head before the state above it is gone."""
        before, fee, header = self._head, self.next_base_fee, self.header(height)
        try:
            if height >= self.oldest:  # in memory a snapshot brings back a state that was forgotten since
                self._move_head(header)
            undo()
        except BaseException:
            self._move_head(before)
            self.next_base_fee = fee
            raise
        self._archive.settle(height)
        self._move_head(header)

    def _move_head(self, header: Header) -> None:
        with self._gate:
            self._head = header
            self.moves += 1
            self.next_base_fee = next_base_fee(header, self.rules)
            self._reader = None

    def _look(self) -> World:
        """The world over the head that the pool looks at, and the next block is made on; asked for under `_gate`."""
        if self._reader is None:
            self._reader = self.world()
        return self._reader

    def _account(self, address: Address) -> tuple[int, int]:
        return (reader := self._look()).nonce(address), reader.balance(address)
