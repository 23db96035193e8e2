"""A chain with what surrounds it while it is served: its accounts' keys, its miner, its listeners, its counters.

Never: knows JSON or HTTP; methods read their parameters first and write results afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from contractvm.archive import Archive
from contractvm.block import Block
from contractvm.chain import Chain
from contractvm.devaccounts import ETHER, dev_accounts
from contractvm.errors import Rejected
from contractvm.genesis import BASE_FEE, CHAIN_ID, Allocation, Genesis
from contractvm.machine import Machine
from contractvm.node.config import Config
from contractvm.node.feed import Feed, News
from contractvm.node.miner import Miner
from contractvm.node.pace import Pace
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash
from state.directory import open_store
from state.store import MemoryStore, Store


class Node:
    """An open chain, served. Belongs to the event loop's thread."""

    def __init__(self, config: Config, machines: Sequence[Machine] | None = None) -> None:
        """Open or make the chain. Raises: StoreError, IncompatibleChain, ValueError for a genesis out of bounds."""
        self.config = config
        self.keys: dict[Address, bytes] = {
            account.address: account.secret for account in dev_accounts(config.accounts, config.mnemonic)
        }
        self.impersonated: set[Address] = set()
        self.impersonate_all = False
        self.started = time.monotonic()
        self.calls: Counter[str] = Counter()
        self.pace = Pace()
        self.feed = Feed()
        store: Store = MemoryStore() if config.data is None else open_store(config.data, create=True)
        try:
            self.chain = Chain(store, self._genesis(store), machines=machines)
        except BaseException:
            store.close()
            raise
        self.miner = Miner(self.chain, self._sealed, automine=config.mining, interval=config.block_time)
        self._decoded: dict[bytes, Transaction | Rejected] = {}

    def start(self) -> None:
        """Begin what runs by itself; from within the event loop."""
        self.miner.start()

    async def close(self) -> None:
        """End everything; a block under way is finished first."""
        await self.miner.close()
        self.pace.close()
        self.chain.close()

    def count(self, method: str) -> None:
        """Note that a method was asked for."""
        self.calls[method] += 1

    # Transactions

    def decoded(self, raws: Sequence[bytes], transactions: Sequence[Transaction | Rejected]) -> None:
        """Be told what bytes that will be sent mean; they are asked for once each."""
        self._decoded = dict(zip(raws, transactions, strict=True))

    def send(self, raw: bytes) -> Hash | asyncio.Future[Hash]:
        """Take a signed transaction; with automining the hash is there when its block is. Raises: Rejected."""
        known = self._decoded.pop(raw, None)
        if isinstance(known, Rejected):
            raise known
        return self.take(Transaction.decode(raw, self.chain.chain_id) if known is None else known)

    def take(self, transaction: Transaction) -> Hash | asyncio.Future[Hash]:
        """Take a decoded transaction, as `send` does. Raises: Rejected."""
        digest = self.chain.take(transaction)
        self.feed.arrived(transaction)
        if not self.miner.automine:
            return digest
        return asyncio.ensure_future(self._mined(digest))

    async def _mined(self, digest: Hash) -> Hash:
        await self.miner.mined(digest)
        return digest

    def _sealed(self, block: Block) -> None:
        self.feed.sealed(News(block, lambda: self.chain.receipts(block.number)))

    def known_errors(self) -> Sequence[str]:
        """Signatures of the custom errors of the contracts whose artifacts are known here."""
        return ()

    def _genesis(self, store: Store) -> Genesis | None:
        """What a new chain begins with; of one that is there only the chain id is compared, where one was given."""
        config = self.config
        if config.chain_id is None and Archive(store).identity() is not None:
            return None
        return Genesis(
            chain_id=CHAIN_ID if config.chain_id is None else config.chain_id,
            gas_limit=config.gas_limit,
            base_fee=BASE_FEE if config.base_fee is None else config.base_fee,
            alloc={address: Allocation(config.balance * ETHER) for address in self.keys},
        )
