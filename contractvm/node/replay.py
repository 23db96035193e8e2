"""Transactions run once more, to be looked into: on the state they ran on, after those before them in their block.

What runs them again are the chain's own machines or the reference tier, with a recorder around. So a trace costs
nothing until somebody asks for it. Outcome and gas are compared with the receipt's.
Never: changes the chain, prints again what contracts printed, or keeps anything. One thread runs a subject at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from contractvm.chain import BlockId, Chain, UnknownBlock
from contractvm.errors import Fatal
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.machine import Machine
from contractvm.node.caller import Caller
from contractvm.node.fault import SERVER, Fault
from contractvm.node.layer import Layer
from contractvm.node.overrides import NOTHING, Overrides
from contractvm.receipt import Receipt
from contractvm.tracing import Follows, Recorder, TooLong
from contractvm.transaction import Transaction
from contractvm.types import Address, Hash
from state.world import World

FOLLOWED: Final = 2_000_000
"""Instructions up to which a run is followed for its places, a few seconds; beyond, frames are shown without them."""
UNBOUNDED: Final = 1 << 62
"""Gas that a block has left for a transaction which was in it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A mined transaction with its receipt, or a message; `world` is what it runs on, and is not changed."""

    chain: Chain
    world: World
    context: BlockContext
    transaction: Transaction | None = None
    receipt: Receipt | None = None
    message: Message | None = None

    @property
    def sender(self) -> Address:
        """Who pays."""
        return self._sent.sender

    @property
    def to(self) -> Address | None:
        """Who is called; None: a contract is created."""
        return self._sent.to

    @property
    def value(self) -> int:
        """Wei sent along."""
        return self._sent.value

    @property
    def data(self) -> bytes:
        """Calldata, or code with arguments."""
        return self._sent.data

    @property
    def gas_limit(self) -> int:
        """Gas."""
        limit = self._sent.gas_limit
        return self.context.gas_limit if limit is None else limit

    @property
    def nonce(self) -> int:
        """The sender's, before."""
        return self.world.nonce(self.sender)

    @property
    def intrinsic(self) -> int:
        """Gas that is paid before anything runs."""
        sent = Transaction(to=self.to, data=self.data, access_list=self._sent.access_list)
        return sent.intrinsic_gas(self.chain.executor.prices)

    @property
    def _sent(self) -> Transaction | Message:
        sent = self.transaction or self.message
        if sent is None:
            raise Fatal("a subject without a transaction and without a message")
        return sent

    def run(self, recorder: Recorder | None = None, *, reference: bool = False) -> tuple[Executed, World]:
        """Run it and return what came of it, and the world afterwards, which lies over a `Layer`.

        Raises: TooLong on the reference tier, Rejected for a message that could not be sent.
        """
        executor = self._executor(recorder, reference)
        world = World(Layer(self.world))
        if self.message is not None:
            return executor.simulate(self.message, world, self.context), world
        if self.transaction is None:
            raise Fatal("a subject without a transaction and without a message")
        executed = executor.apply(self.transaction, world, self.context, UNBOUNDED)
        self._compare(executed)
        return executed, world

    def follow(self, follows: Follows | None = None) -> tuple[Recorder, Executed, bool]:
        """Record it with places, or without where it has too many instructions; whether with them."""
        recorder = Recorder(follows, most_steps=FOLLOWED)
        try:
            executed, _ = self.run(recorder, reference=True)
        except TooLong:
            recorder = Recorder()
            executed, _ = self.run(recorder)
            return recorder, executed, False
        return recorder, executed, True

    def advance(self) -> None:
        """Run it on `world` itself, for what comes after it in its block."""
        if self.transaction is None:
            raise Fatal("only a transaction has others after it")
        self.chain.executor.apply(self.transaction, self.world, self.context, UNBOUNDED)

    def _executor(self, recorder: Recorder | None, reference: bool) -> Executor:
        own = self.chain.executor
        if recorder is None:
            return own
        machines: list[Machine] = [recorder.around(machine) for machine in own.machines]
        if reference:
            machines.insert(0, recorder.reference())
        return Executor(own.rules, machines)

    def _compare(self, executed: Executed) -> None:
        """Raises: UnknownBlock when the block has gone meanwhile; Fatal when the outcome is another one."""
        receipt = self.receipt
        if receipt is None or (receipt.gas_used, receipt.status) == (executed.gas_used, executed.status):
            return
        if self.chain.height(receipt.block_hash) == receipt.block_number:
            raise Fatal(
                f"transaction 0x{receipt.transaction_hash.hex()} used {receipt.gas_used} gas and ended with "
                f"{receipt.status.name}, run again {executed.gas_used} and {executed.status.name}"
            )
        raise UnknownBlock(f"block 0x{receipt.block_hash.hex()} is gone")


def mined(chain: Chain, digest: Hash) -> Subject:
    """A transaction in a block. Raises: Fault when it is in none, HeightError when its state is not kept."""
    included, receipt = chain.transaction(digest), chain.receipt(digest)
    if included is None or receipt is None:
        if chain.pool.get(digest) is not None:
            raise Fault(
                SERVER, f"transaction 0x{digest.hex()} waits in the pool: it can be traced when it is in a block"
            )
        raise Fault(SERVER, f"transaction not found: 0x{digest.hex()}")
    block = chain.block(included.block_number)
    if not block.hash == included.block_hash == receipt.block_hash:
        raise UnknownBlock(f"block 0x{included.block_hash.hex()} is gone")
    world, context = _before(chain, included.block_number)
    for earlier in block.transactions[: included.index]:
        chain.executor.apply(earlier, world, context, UNBOUNDED)
    return Subject(chain, world, context, included.transaction, receipt)


def mined_block(chain: Chain, at: BlockId) -> Iterator[Subject]:
    """A block's transactions in order; each must be done with before the next is asked for. Raises: UnknownBlock."""
    block = chain.block(at)
    if not block.transactions:
        return
    receipts = chain.receipts(block.number)
    if len(receipts) != len(block.transactions):
        raise UnknownBlock(f"block 0x{block.hash.hex()} is gone")
    world, context = _before(chain, block.number)
    for transaction, receipt in zip(block.transactions, receipts, strict=True):
        subject = Subject(chain, world, context, transaction, receipt)
        yield subject
        subject.advance()


def message(chain: Chain, caller: Caller, what: Message, at: BlockId, overrides: Overrides = NOTHING) -> Subject:
    """A call on the state at a block, or on another state. Raises: UnknownBlock, HeightError."""
    world, context = caller.stage(at)
    return Subject(chain, world, overrides.apply(world, replace(context, debug=None)), message=what)


def _before(chain: Chain, height: int) -> tuple[World, BlockContext]:
    """The world that a block began with, and what its transactions see of it."""
    return chain.world(height - 1), replace(chain.context(height), debug=None)
