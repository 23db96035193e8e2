"""The chain as one page sees it: its head, names for addresses, and calls and logs in words.

A lens is made for one request, on one thread, over one height. Never: changes anything.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from contractvm.block import Block, Header
from contractvm.chain import Chain, UnknownBlock
from contractvm.errors import ModuleError
from contractvm.frames import choose
from contractvm.host import Log
from contractvm.node.artifacts import Known
from contractvm.node.explorer import decoded
from contractvm.node.explorer.decoded import Told
from contractvm.node.explorer.standards import STANDARDS
from contractvm.node.node import Node
from contractvm.receipt import Receipt
from contractvm.transaction import Transaction
from contractvm.types import ZERO_ADDRESS, Address
from sdk.abi import ABIError, Constructor
from sdk.abi import decode as abi_decode
from state.world import EMPTY_CODE_HASH, World

CREATION: Final = "create"
PAYMENT: Final = "pay"
SUGGESTED: Final = 30
"""Names of contracts that the search suggests."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction in a block, as lists show it."""

    transaction: Transaction
    receipt: Receipt
    header: Header
    method: str


class Lens:
    """What a page looks through."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.chain: Chain = node.chain
        self.head: Header = self.chain.head
        self.world: World = self.chain.world(self.head.number)
        # Blocks made faster than one a second are ahead of the clock; their age is counted from the last of them.
        self.now = max(int(time.time()), self.head.timestamp)
        self.accounts: tuple[Address, ...] = tuple(node.keys)
        self._dev = {address: f"dev {place}" for place, address in enumerate(self.accounts)}
        self._names: dict[bytes, str] = {}

    # Names

    def known(self, address: bytes) -> Known | None:
        """What is known of the contract at an address now."""
        return self.known_code(self.world.code_hash(address))

    def known_code(self, code_hash: bytes) -> Known | None:
        """What is known of code."""
        return self.node.artifacts.get(code_hash)

    def name(self, address: bytes) -> str:
        """What an address is called here; nothing if it has no name."""
        name = self._names.get(address)
        if name is None:
            known = self.known(address)
            name = known.name if known else self._dev.get(Address(address), "zero" if address == ZERO_ADDRESS else "")
            self._names[address] = name
        return name

    def contract_names(self) -> list[str]:
        """Names of the contracts that the node was told of last, for the search."""
        return list(dict.fromkeys(known.name for known in reversed(self.node.artifacts.all())))[:SUGGESTED]

    def is_contract(self, address: bytes) -> bool:
        """Whether there is code."""
        return bool(self.world.code_hash(address) != EMPTY_CODE_HASH)

    def kind(self, code: bytes) -> str:
        """Which machine runs some code."""
        machine = choose(self.chain.executor.machines, code)
        return machine.name if machine is not None else "unknown"

    # Words

    def call(self, to: bytes | None, data: bytes) -> Told | None:
        """What a transaction asks of a contract."""
        if to is None or len(data) < 4:
            return None
        known = self.known(to)
        if known is not None:
            return decoded.call(known.interface, data)
        if not self.is_contract(to):
            return None
        guesses = (decoded.call(interface, data, standard) for standard, interface in STANDARDS.items())
        return next((told for told in guesses if told is not None), None)

    def event(self, log: Log) -> Told | None:
        """What a log says."""
        known = self.known(log.address)
        if known is not None:
            return decoded.event(known.interface, log)
        guesses = (decoded.event(interface, log, standard) for standard, interface in STANDARDS.items())
        return next((told for told in guesses if told is not None), None)

    def creation(self, transaction: Transaction, created: bytes | None) -> Told | None:
        """What a contract was made with."""
        known = self.known(created) if created is not None else None
        machine = choose(self.chain.executor.machines, transaction.data)
        if known is None or machine is None or not known.interface.constructor:
            return None
        constructor = Constructor.parse(known.interface.constructor)
        try:
            _, arguments = machine.split(transaction.data)
            values = abi_decode(constructor.types, arguments)
        except (ABIError, ModuleError):
            return None
        return Told("constructor", constructor.declaration, decoded.items_of(constructor.inputs, values))

    def method(self, transaction: Transaction) -> str:
        """What a transaction does, in a word."""
        if transaction.to is None:
            return CREATION
        if not transaction.data:
            return PAYMENT
        told = self.call(transaction.to, transaction.data)
        return told.name if told is not None else "0x" + transaction.data[:4].hex()

    def errors(self, address: bytes | None) -> tuple[str, ...]:
        """Custom errors of a contract and of all that are known."""
        known = self.known(address) if address is not None else None
        return (*(known.interface.errors if known else ()), *self.node.known_errors())

    # Lists

    def entries(self, block: Block) -> list[Entry]:
        """A block's transactions with their receipts. Raises: UnknownBlock when it was replaced meanwhile."""
        receipts = self.chain.receipts(block.number)
        if any(receipt.block_hash != block.hash for receipt in receipts) or len(receipts) != len(block.transactions):
            raise UnknownBlock(f"block 0x{block.hash.hex()} is gone: the chain was set back")
        pairs = zip(block.transactions, receipts, strict=True)
        return [Entry(tx, receipt, block.header, self.method(tx)) for tx, receipt in pairs]
