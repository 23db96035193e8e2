"""A chain with what surrounds it while it is served: its accounts' keys, its miner, its listeners, its counters.

Never: knows JSON or HTTP; methods read their parameters first and write results afterwards.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from typing import Final

from contractvm.block import Block
from contractvm.chain import UnknownBlock
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Rejected
from contractvm.machine import Machine
from contractvm.node.artifacts import Artifacts
from contractvm.node.caller import Caller
from contractvm.node.config import Config
from contractvm.node.feed import Feed, News
from contractvm.node.fees import FeeHistory
from contractvm.node.history import History
from contractvm.node.logsearch import LogSearch
from contractvm.node.miner import Miner
from contractvm.node.opening import close_chain, open_chain, restart
from contractvm.node.pace import Pace
from contractvm.node.recall import Recall
from contractvm.node.remote import Remote, RemoteError
from contractvm.node.rows import Method
from contractvm.node.sources import Sources
from contractvm.node.turns import Turns
from contractvm.node.vigil import Vigil
from contractvm.node.watch import Watch
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash

TRACES: Final = 2
"""Transactions that are looked into at a time; others wait, so that calls find a thread."""


class Node:
    """An open chain, served. Belongs to the event loop's thread."""

    def __init__(self, config: Config, machines: Sequence[Machine] | None = None) -> None:
        """Open or make the chain. Raises: StoreError, IncompatibleChain, ValueError for a genesis out of bounds."""
        self.config = config
        self.keys: dict[Address, bytes] = {
            account.address: account.secret for account in dev_accounts(config.accounts, config.mnemonic)
        }
        self.name = secrets.token_hex(8)  # so that it is known again by who asks itself
        self.impersonated: set[Address] = set()
        self.impersonate_all = False
        self.talkative = True  # whether blocks are worth a line on the terminal: anvil_setLoggingEnabled
        self.started = time.monotonic()
        self.calls: Counter[str] = Counter()
        self.methods: Mapping[str, Method] = {}
        self.pace = Pace()
        self.tracing = asyncio.Semaphore(TRACES)
        self.feed = Feed()
        self.turns = Turns()
        self.vigil = Vigil()
        self._watch = Watch(config.limits)
        self.feed.add(self._watch)
        self.chain = open_chain(config, self.keys, machines)
        self.artifacts = Artifacts(None if config.data is None else config.data / "artifacts")
        self.miner = Miner(
            self.chain, self._sealed, self.tell, self.pace, automine=config.mining, interval=config.block_time
        )
        self.history = History(self.chain, self.miner.write, self.miner.free, config.keep)
        if config.data is None or config.keep is not None:
            self.feed.add(self.history)
        self.fees = FeeHistory(self.chain)
        self.logs = LogSearch(self.chain)
        self.feed.add(self.logs)
        self.sources = Sources(self.chain)
        self.feed.add(self.sources)
        self.caller = Caller(self.chain, lambda: not self.miner.automine)
        self.feed.add(self.caller)
        self.recall = Recall(self.chain, self.caller)
        self.feed.add(self.recall)
        self._decoded: dict[bytes, Transaction | Rejected] = {}
        self._untold: list[Block] = []
        self._behind = self._closed = False

    def start(self) -> None:
        """Begin what runs by itself; from within the event loop."""
        self.caller.settle()
        self.miner.start()

    async def close(self) -> None:
        """End everything; a block under way is finished first."""
        await self.history.close()
        await self.miner.close()
        self.tell()
        self._closed = True
        self.pace.close()
        close_chain(self.chain, self.config, read=not self.pace.ended())

    def restart(self, fork: tuple[str, int | None] | None = None) -> None:
        """Begin the chain anew, or go on from a block of another node's; on the thread that changes the chain.

        Raises: HeightError; of a fork RemoteError, IncompatibleChain, ValueError.
        """
        config = self.config if fork is None else replace(self.config, fork_url=fork[0], fork_block=fork[1])
        if fork is not None and config.data is None:
            theirs = None
            with closing(Remote(fork[0])) as remote, suppress(RemoteError):  # which `restart` has words for
                theirs = remote.ask("cvm_source")
            if isinstance(theirs, dict) and theirs.get("node") == self.name:
                raise ValueError("a chain cannot go on from itself; anvil_rollback goes back, evm_snapshot remembers")
        restart(self.chain, config, self.keys)
        self.config = config

    @property
    def watch(self) -> Watch:
        """What clients are told of, up to the head."""
        self.tell()
        return self._watch

    # Transactions

    def decoded(self, raws: Sequence[bytes], transactions: Sequence[Transaction | Rejected]) -> None:
        """Be told what bytes that will be sent mean; they are asked for once each."""
        self._decoded = dict(zip(raws, transactions, strict=True))

    def send(self, raw: bytes) -> Hash | asyncio.Future[Hash]:
        """Take a signed transaction; the hash is there when the next request will find what automining makes of it.

        Raises: Rejected.
        """
        known = self._decoded.pop(raw, None)
        if isinstance(known, Rejected):
            raise known
        return self.take(Transaction.decode(raw, self.chain.chain_id) if known is None else known)

    def take(self, transaction: Transaction) -> Hash | asyncio.Future[Hash]:
        """Take a decoded transaction, as `send` does. Raises: Rejected."""
        digest = self.chain.take(transaction)
        self.tell()  # what was before comes first
        self.feed.arrived(transaction)
        if not self.miner.automine or self.miner.promised(digest):
            return digest
        return self.miner.mined(digest)

    def tell(self) -> None:
        """Pass on the blocks that nobody was told of yet.

        Before the chain may go back behind them, or somebody asks for what they were told.
        """
        if self._untold:
            blocks, self._untold = self._untold, []
            for block in blocks:
                self.feed.sealed(News(block, partial(self._receipts, block)))

    def _receipts(self, block: Block) -> tuple[Receipt, ...]:
        """A block's receipts; none of one that has been undone already."""
        try:
            receipts = self.chain.receipts(block.number)
        except UnknownBlock:
            return ()
        return receipts if all(receipt.block_hash == block.hash for receipt in receipts) else ()

    def _sealed(self, block: Block) -> None:
        self._untold.append(block)
        self.vigil.ends()
        if not self._behind:
            self._behind = True
            asyncio.get_running_loop().call_soon(self._catch_up)

    def _catch_up(self) -> None:
        """Do what can wait until what has been asked by now is answered: the receipt of what was just sent, mostly."""
        self._behind = False
        self.tell()
        if not self._closed:
            self.chain.catch_up()
            self.history.catch_up()

    def known_errors(self) -> Sequence[str]:
        """Signatures of the custom errors of the contracts whose artifacts are known here."""
        return self.artifacts.errors
