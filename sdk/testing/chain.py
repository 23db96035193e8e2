"""MockChain: a `contractvm.Chain` on the memory store, with what tests want around it.

Every transaction is a block, run by the chain as any other. Three things differ from a public chain, all of them
settings of the chain: gas is counted but free (the base fee starts at 0), so that balances are exact; time moves one
second a block unless a test moves it; and senders need no signature, so that a test can be anyone.
Never: a second engine, and no state beside the chain's.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from contractvm.chain import Chain
from contractvm.devaccounts import dev_accounts
from contractvm.errors import ContractVMError, Fatal
from contractvm.execute import Message
from contractvm.genesis import Genesis
from contractvm.receipt import Receipt as ChainReceipt
from contractvm.transaction import Transaction
from contractvm.types import Address
from sdk.abi import ABIError, Value, encode, parse_types
from sdk.abi_types import AddressType
from sdk.build import Artifact, build
from sdk.interface import Interface
from sdk.testing.contract import Contract
from sdk.testing.failures import failure
from sdk.testing.receipt import Receipt
from state.store import MemoryStore

START = 1_700_000_000
"""Seconds since 1970 of the first block: a fixed moment, so that every run is the same."""
COINBASE = Address(bytes.fromhex("c0ffee" + "00" * 16 + "01"))
"""Gets the fees; none of the accounts."""


class MockChain:
    """A chain for tests. `accounts` are the ten development accounts, each with 10,000 ether; the first one sends."""

    def __init__(self, *, tier: str = "auto", base_fee: int = 0) -> None:
        """`auto` compiles in the background; `native` waits, and warns of what has to run on the portable tier.

        Raises: ValueError for an unknown tier; Unavailable when the native tier is asked for and cannot be had.
        """
        from contractvm.wasm.machine import WasmMachine

        self.inner = Chain(
            MemoryStore(),
            Genesis(timestamp=START, base_fee=base_fee),
            machines=[WasmMachine(tier, fell_back=_warn)],
            clock=lambda: START,
            coinbase=COINBASE,
        )
        self.inner.debug = _show_debug
        self.accounts: tuple[Address, ...] = tuple(account.address for account in dev_accounts())
        self._sender = self.accounts[0]
        self._built: dict[Path, Artifact] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.inner.close()

    # Contracts

    def deploy(
        self,
        contract: str | Path | Artifact | bytes,
        *arguments: Value,
        abi: Sequence[str] | str = (),
        sender: Value = None,
        value: int = 0,
        gas: int | None = None,
    ) -> Contract:
        """Deploy a source (built once), an artifact or bytes, and return the contract.

        `abi` holds signatures that the source does not declare: functions, `constructor(...)`, `event ...`,
        `error ...`. Raises: BuildError, ABIError, Rejected, CallFailed.
        """
        code, declared = self._code(contract)
        interface = declared.extended(abi)
        if arguments and not interface.constructor:
            raise ABIError("constructor arguments need its signature: abi='constructor(types)' (CVM_CONSTRUCTOR in C)")
        types = parse_types(interface.constructor) if interface.constructor else ()
        data = code + encode(types, arguments, "constructor argument")
        receipt = self.transact(None, data, sender=sender, value=value, gas=gas, errors=interface.errors)
        if receipt.created is None:
            raise Fatal("a deployment succeeded without an address")
        return Contract(self, receipt.created, interface)

    def _code(self, contract: str | Path | Artifact | bytes) -> tuple[bytes, Interface]:
        """What to deploy and what is known of it; a source is built once. Raises: BuildError."""
        if isinstance(contract, bytes):
            return contract, Interface()
        if not isinstance(contract, Artifact):
            path = Path(contract).resolve()
            contract = self._built.get(path) or self._built.setdefault(path, build(path))
        return contract.code, contract.interface

    def at(self, where: Value, abi: Sequence[str] | str = ()) -> Contract:
        """A contract that is already there. Raises: ABIError, when there is none."""
        address = to_address(where)
        if not self.inner.world().code(address):
            raise ABIError(f"there is no contract at 0x{address.hex()}")
        return Contract(self, address, Interface().extended(abi))

    def call(self, to: Value, function: str, *arguments: Value, sender: Value = None, value: int = 0) -> Value:
        """Run a function of the contract at `to` without a transaction. Raises: CallFailed, ABIError."""
        return self.at(to).call(function, *arguments, sender=sender, value=value)

    def send(self, to: Value, function: str, *arguments: Value, sender: Value = None, value: int = 0) -> Receipt:
        """Send a transaction to the contract at `to`. Raises: CallFailed, Rejected, ABIError."""
        return self.at(to).send(function, *arguments, sender=sender, value=value)

    def pay(self, to: Value, wei: int, *, sender: Value = None) -> Receipt:
        """Send ether with empty input. Raises: CallFailed, Rejected."""
        return Receipt(self.transact(to_address(to), sender=sender, value=wei))

    # Transactions as bytes: what the rest is made of

    def transact(
        self,
        to: Address | None,
        data: bytes = b"",
        *,
        sender: Value = None,
        value: int = 0,
        gas: int | None = None,
        errors: Sequence[str] = (),
    ) -> ChainReceipt:
        """Send one transaction, make a block of it and return its receipt.

        `gas` is the limit, by default a whole block's; `errors` are signatures that explain a revert.
        Raises: CallFailed, Rejected.
        """
        who = self._who(sender)
        fee = self.inner.next_base_fee
        transaction = Transaction(
            nonce=self.inner.next_nonce(who),
            max_fee=fee,
            max_tip=0,
            gas_limit=self.inner.head.gas_limit if gas is None else gas,
            to=to,
            value=value,
            data=data,
            chain_id=self.inner.chain_id,
        ).impersonate(who)
        digest = self.inner.submit(transaction)
        self.inner.produce()
        receipt = self.inner.receipt(digest)
        if receipt is None:
            raise Fatal("a transaction was taken and is in no block")
        if not receipt.ok:
            reason = str(receipt.trap or receipt.detail)
            raise failure(receipt.status, receipt.output, reason, receipt.gas_used, errors)
        return receipt

    def run(
        self,
        to: Address,
        data: bytes = b"",
        *,
        sender: Value = None,
        value: int = 0,
        gas: int | None = None,
        errors: Sequence[str] = (),
    ) -> bytes:
        """Run a call as the next block would, keep nothing, and return its output. Raises: CallFailed, Rejected."""
        message = Message(sender=self._who(sender), to=to, value=value, data=data, gas_limit=gas)
        executed = self.inner.call(message, "pending")
        if not executed.ok:
            reason = str(executed.trap or executed.detail)
            raise failure(executed.status, executed.output, reason, executed.gas_used, errors)
        return executed.output

    def _who(self, sender: Value) -> Address:
        return self._sender if sender is None else to_address(sender)

    # Cheats

    @contextmanager
    def prank(self, address: Value) -> Iterator[None]:
        """Send as `address` inside the block, wherever no other sender is given."""
        before, self._sender = self._sender, to_address(address)
        try:
            yield
        finally:
            self._sender = before

    def deal(self, address: Value, wei: int) -> None:
        """Set a balance. Raises: ValueError for a negative one."""
        if wei < 0:
            raise ValueError(f"a balance of {wei} wei")
        account = to_address(address)
        self.inner.edit(lambda world: world.set_balance(account, wei))

    def balance(self, address: Value) -> int:
        """Wei at an address."""
        return self.inner.world().balance(to_address(address))

    # Time and blocks

    @property
    def height(self) -> int:
        return self.inner.head.number

    @property
    def timestamp(self) -> int:
        """Seconds since 1970 of the last block."""
        return self.inner.head.timestamp

    def warp(self, seconds: int = 0, *, to: int | None = None) -> None:
        """Let the next block come `seconds` after the last one, or at the moment `to`. Raises: ValueError backwards."""
        self.inner.set_next_timestamp(self.timestamp + seconds if to is None else to)

    def mine(self, blocks: int = 1) -> None:
        """Make empty blocks."""
        for _ in range(blocks):
            self.inner.produce()

    def snapshot(self) -> int:
        """Remember this moment; the number is for `revert`."""
        return self.inner.snapshot()

    def revert(self, snapshot: int) -> None:
        """Go back to a snapshot, which is used up together with later ones. Raises: KeyError for an unknown one."""
        self.inner.revert(snapshot)


def to_address(value: Value) -> Address:
    """20 bytes of an address, hex text, or anything with an `address`. Raises: ABIError."""
    return Address(AddressType().encode(value, "address")[12:])


def _warn(code_hash: bytes, problem: ContractVMError) -> None:
    """Say that a contract does not run natively though it should: pytest shows warnings at its end."""
    warnings.warn(f"code 0x{code_hash.hex()} runs on the portable tier: {problem}", RuntimeWarning, stacklevel=2)


def _show_debug(address: Address, text: bytes) -> None:
    """What a contract says by `debug_print`: to standard output, which pytest shows when a test fails."""
    print(f"debug 0x{address.hex()}: {text.decode('utf-8', 'backslashreplace')}")
