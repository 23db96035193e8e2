"""The blocks of a mock chain, executed at once and sealed only when somebody looks.

Every transaction is a block, as on any chain with a block a transaction; but roots, hashes and records are worked out
when they are asked for, by letting a `contractvm.Chain` make the same blocks. What a test mostly asks for, the
transaction's outcome and gas, is there at once, and an undo log takes back a hundred writes in microseconds. Blocks
know their parents, so any moment can be come back to, any number of times, a branch that was left included.
Never: executes in another way than the chain does; sealing compares the two and stops if they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field, replace
from typing import TypeAlias

from contractvm.block import Header, base_fee_after
from contractvm.chain import Chain
from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.execute import BlockContext, Executed, Message
from contractvm.transaction import Transaction
from contractvm.types import Address
from state.world import World

Change: TypeAlias = Callable[[World], None]
"""What a test does to the world outside a transaction; done again when the block is sealed."""
Debug: TypeAlias = Callable[[Address, bytes], None]


@dataclass(slots=True, eq=False)
class Node:
    """A block: what happened in it, and where its parent is. Its effects lie before `mark` in the undo log."""

    parent: Node | None
    height: int
    timestamp: int
    next_base_fee: int = 0
    """Wei a gas of the block after it."""
    mark: int = 0
    transaction: Transaction | None = None
    change: Change | None = None
    executed: Executed | None = field(default=None, repr=False)
    foreign: bool = False
    """Whether it was made on the chain itself and stands for all blocks since its parent."""
    hash: bytes | None = None
    """The block's, once it was sealed."""

    @property
    def gas_used(self) -> int:
        return 0 if self.executed is None else self.executed.gas_used

    def path(self) -> Iterator[Node]:
        """This block and those before it, the latest first."""
        node: Node | None = self
        while node is not None:
            yield node
            node = node.parent


class NotThere(LookupError):
    """A moment that cannot be come back to."""


class Ledger:
    """The blocks over one chain. `head` is the latest, `world` the state after it."""

    __slots__ = ("_base", "_chain", "_debug", "_sealed", "_sealed_header", "head", "next_timestamp", "world")

    def __init__(self, chain: Chain, debug: Debug | None = None) -> None:
        """Begin at the head of `chain`; `debug` is given what contracts print."""
        self._chain = chain
        self._debug = debug
        self._sealed_header = chain.head
        self.next_timestamp: int | None = None
        self.world = chain.world()
        self.head = self._base = self._sealed = self._over(chain.head, None)

    def _over(self, header: Header, parent: Node | None) -> Node:
        """The node of a block that the chain has made."""
        node = Node(parent, header.number, header.timestamp, self._chain.next_base_fee, self.world.checkpoint())
        node.foreign, node.hash = True, header.hash
        return node

    # What the next block sees

    @property
    def timestamp(self) -> int:
        """Seconds since 1970 of the next block: a second after the last one unless somebody set it."""
        return self.head.timestamp + 1 if self.next_timestamp is None else self.next_timestamp

    def context(self) -> BlockContext:
        """The environment of the next block."""
        chain = self._chain
        return BlockContext(
            chain_id=chain.chain_id,
            number=self.head.height + 1,
            timestamp=self.timestamp,
            coinbase=chain.coinbase,
            base_fee=self.head.next_base_fee,
            gas_limit=chain.head.gas_limit,
            block_hash=self._block_hash,
            debug=self._debug,
        )

    def _block_hash(self, number: int) -> bytes | None:
        """A hash that a contract asks for: the blocks so far are sealed, then it is known."""
        self.seal()
        return self._chain.header(number).hash if 0 <= number <= self.head.height else None

    # Blocks

    def apply(self, transaction: Transaction) -> Node:
        """Make the next block of one transaction. Raises: Rejected, and then there is none."""
        self.look()
        context = self.context()
        executed = self._chain.executor.apply(transaction, self.world, context, context.gas_limit)
        return self._append(Node(self.head, context.number, context.timestamp, 0, 0, transaction, executed=executed))

    def edit(self, change: Change) -> Node:
        """Make the next block of a change to the world."""
        self.look()
        self._change(change)
        return self._append(Node(self.head, self.head.height + 1, self.timestamp, change=change))

    def _change(self, change: Change) -> None:
        self.world.begin_transaction()
        change(self.world)
        self.world.end_transaction()

    def mine(self) -> Node:
        """Make the next block of what waits in the chain's own pool: mostly of nothing."""
        self.look()
        if len(self._chain.pool):
            self.seal()
            self._chain.produce(timestamp=self.timestamp)
            self.next_timestamp = None
            self.look()
            return self.head
        return self._append(Node(self.head, self.head.height + 1, self.timestamp))

    def _append(self, node: Node) -> Node:
        chain, parent = self._chain, self.head
        node.next_base_fee = base_fee_after(parent.next_base_fee, node.gas_used, chain.head.gas_limit, chain.rules)
        self.world.forget_transaction(parent.mark)
        node.mark = self.world.checkpoint()
        self.head = node
        self.next_timestamp = None
        return node

    def simulate(self, message: Message) -> Executed:
        """Run a message as the next block would and keep nothing. Raises: Rejected."""
        self.look()
        mark = self.world.checkpoint()
        try:
            return self._chain.executor.simulate(message, self.world, self.context())
        finally:
            self.world.rollback(mark)

    # Moments

    def go(self, target: Node) -> None:
        """Come back to the moment after a block, on this branch or another. Raises: NotThere."""
        self.look(strict=False)
        self.next_timestamp = None
        ancestor = _common(self.head, target)
        ahead: list[Node] = []
        for node in target.path():
            if node is ancestor:
                break
            ahead.append(node)
        self._back(ancestor)
        for again in reversed(ahead):
            self._again(again)

    def _back(self, ancestor: Node) -> None:
        """Take back every block after one on this branch."""
        if ancestor.height >= self._base.height:
            self.world.rollback(ancestor.mark)
        else:
            self._chain.rewind(ancestor.height)
            self._sealed, self._sealed_header = ancestor, self._chain.head
            self.world = self._chain.world()
            self._base = ancestor
            ancestor.mark = self.world.checkpoint()
        self.head = ancestor

    def _again(self, node: Node) -> None:
        """Make a block of a branch that was left once more, as it was."""
        if node.foreign:
            raise NotThere(f"block {node.height} was made on `chain.inner`; its branch was left and cannot be remade")
        self.next_timestamp = node.timestamp
        if node.transaction is not None:
            context = self.context()
            executed = self._chain.executor.apply(node.transaction, self.world, replace(context, debug=None), 1 << 62)
            _same(node, executed.gas_used, executed.ok)
        elif node.change is not None:
            self._change(node.change)
        self._append(node)

    # Sealing

    def look(self, *, strict: bool = True) -> None:
        """Take over what somebody did on the chain itself since it was last sealed.

        Raises: NotThere when blocks would be lost by that, unless not `strict`.
        """
        if self._chain.head is self._sealed_header:
            return
        if strict and self.head is not self._sealed:
            raise NotThere(
                "the chain was changed behind blocks that were not sealed; read `chain.inner` anew each time"
            )
        number = self._chain.head.number
        common = next(node for node in self._sealed.path() if self._kept(node, number))
        self.world = self._chain.world()
        self._sealed_header = self._chain.head
        if common.height == number:
            self._base = self._sealed = self.head = common
            common.mark = self.world.checkpoint()
        else:
            self.head = self._base = self._sealed = self._over(self._chain.head, common)
        self.next_timestamp = None

    def _kept(self, node: Node, number: int) -> bool:
        """Whether a sealed block is still the chain's."""
        return node.height <= number and self._chain.header(node.height).hash == node.hash

    def seal(self) -> None:
        """Let the chain make the blocks that it does not have yet. Raises: Fatal when it comes to something else."""
        if self._sealed is self.head:
            return
        common = _common(self._sealed, self.head)
        if common is not self._sealed:
            self._chain.rewind(common.height)
            self._sealed, self._sealed_header = common, self._chain.head
        waiting: list[Node] = []
        for node in self.head.path():
            if node is common:
                break
            waiting.append(node)
        for node in reversed(waiting):
            self._make(node)
            node.hash = self._chain.head.hash
            self._sealed, self._sealed_header = node, self._chain.head

    def _make(self, node: Node) -> None:
        chain = self._chain
        if node.change is not None:
            chain.clock.set_next(node.timestamp, chain.head.timestamp)
            chain.edit(node.change)
            return
        if node.transaction is not None:
            chain.submit(node.transaction)
        header = chain.produce(timestamp=node.timestamp).header
        if node.executed is not None:
            receipts = chain.receipts(header.number)
            _same(node, header.gas_used, bool(receipts) and receipts[-1].ok)


def _common(one: Node, other: Node) -> Node:
    """The last block that two branches share. Raises: NotThere when they are of two chains."""
    while one is not other:
        if one.height < other.height:
            one, other = other, one
        parent = one.parent
        if parent is None:
            raise NotThere("this moment belongs to another chain")
        one = parent
    return one


def _same(node: Node, gas_used: int, ok: bool) -> None:
    """Raises: Fatal unless a block came to the same again."""
    if node.executed is None or (node.executed.gas_used, node.executed.ok) != (gas_used, ok):
        raise Fatal(f"block {node.height} of a mock chain used {node.gas_used} gas, made again it used {gas_used}")
