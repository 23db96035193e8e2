"""MockChain: a `contractvm.Chain` in memory, with what tests want around it.

Every transaction is a block, run by the chain's own executor. Three things differ from a public chain, all of them
settings of the chain: gas is counted but free (the base fee starts at 0), so that balances are exact; time moves one
second a block unless a test moves it; and senders need no signature, so that a test can be anyone. Roots and records
are worked out when somebody looks (`ledger`).
Never: a second engine.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, overload

from contractvm.chain import Chain
from contractvm.clock import Clock
from contractvm.devaccounts import dev_accounts
from contractvm.errors import ContractVMError, Fatal
from contractvm.execute import Executed, Message
from contractvm.genesis import Genesis
from contractvm.machine import Machine
from contractvm.rules import Rules
from contractvm.transaction import Transaction
from contractvm.types import Address
from sdk.abi import ABIError, Constructor, Function, Value
from sdk.interface import Interface
from sdk.testing.book import Book, Entry
from sdk.testing.contract import Deployed
from sdk.testing.failures import CallFailed, failure
from sdk.testing.ledger import Ledger, Node
from sdk.testing.receipt import Receipt
from sdk.testing.source import Sources, asking_file, locate
from sdk.testing.values import to_address
from state.store import MemoryStore

if TYPE_CHECKING:
    from sdk import Contract
    from sdk.build import Artifact
    from sdk.compiler import Compiled
    from sdk.testing.coverage import Coverage
    from sdk.testing.saved import Saved

P = ParamSpec("P")
D = TypeVar("D", bound=Deployed)

START = 1_700_000_000
"""Seconds since 1970 of the first block: a fixed moment, so that every run is the same."""
COINBASE = Address(bytes.fromhex("c0ffee" + "00" * 16 + "01"))
"""Gets the fees; none of the accounts."""


class MockChain:
    """A chain for tests. `accounts` are the ten development accounts, each with 10,000 ether; the first one sends."""

    def __init__(
        self, *, tier: str = "auto", base_fee: int = 0, seed: int | None = None, coverage: Coverage | None = None
    ) -> None:
        """`auto` compiles in the background; `native` waits, and warns of what has to run on the portable tier.

        `seed` is what `fuzz` and `Invariant` draw their examples from; without one every run draws others. With a
        `coverage` contracts in Python run on the reference tier and are followed.
        Raises: ValueError for an unknown tier; Unavailable when the native tier is asked for and cannot be had.
        """
        from contractvm.wasm.machine import WasmMachine

        machine: Machine = WasmMachine(tier, fell_back=_warn)
        if coverage is not None:
            from sdk.testing.coverage import Covering

            machine = Covering(coverage)
        self._coverage = coverage
        self._store = MemoryStore()
        self._chain = Chain(
            self._store,
            Genesis(timestamp=START, base_fee=base_fee),
            machines=[machine],
            clock=Clock(lambda: START),
            coinbase=COINBASE,
        )
        self.seed = seed
        self.ledger = Ledger(self._chain, _show_debug)
        self.book = Book()
        self.accounts: tuple[Address, ...] = tuple(account.address for account in dev_accounts())
        for number, account in enumerate(self.accounts):
            self.book.label(account, f"accounts[{number}]")
        self._sender = self.accounts[0]
        self._sources = Sources()
        self._moments: dict[int | str, Moment] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._chain.close()

    @property
    def rules(self) -> Rules:
        """What everything runs by."""
        return self._chain.rules

    @property
    def inner(self) -> Chain:
        """The chain itself, with every block so far. Ask anew after each change: what it has is what it had then."""
        self.ledger.look()
        self.ledger.seal()
        return self._chain

    # Contracts

    # The class in a stub (`contractvm stubs`) is made with what its contract is deployed with.
    @overload
    def deploy(self, contract: Callable[P, D], *arguments: P.args, **options: P.kwargs) -> D: ...
    @overload
    def deploy(
        self,
        contract: type[Contract] | str | Path | Artifact | Compiled | bytes,
        *arguments: Value,
        abi: Sequence[str] | str = (),
        sender: Value = None,
        value: int = 0,
        gas: int | None = None,
        label: str | None = None,
    ) -> Deployed: ...
    def deploy(  # type: ignore[misc]  # what a stub's class takes is these options, which only mypy cannot know
        self,
        contract: Any,
        *arguments: Value,
        abi: Sequence[str] | str = (),
        sender: Value = None,
        value: int = 0,
        gas: int | None = None,
        label: str | None = None,
    ) -> Deployed:
        """Deploy a class, a source (built once), an artifact or bytes, and return the contract.

        `abi` holds signatures that the source does not declare: functions, `constructor(...)`, `event ...`,
        `error ...`. Raises: BuildError, CompileError, ABIError, Rejected, CallFailed.
        """
        __tracebackhide__ = True
        source = self._sources.obtain(contract, asking_file() if isinstance(contract, str | Path) else None)
        if self._coverage is not None:
            self._coverage.expect(source)
        interface = source.interface.extended(abi) if abi else source.interface
        if arguments and not interface.constructor:
            raise ABIError(f"{source.name} has no constructor that is known; give abi='constructor(types)'")
        parameters = Constructor.parse(interface.constructor) if interface.constructor else Constructor(())
        entry = Entry("deploy", source.name, None, arguments, self._who(sender), value, gas, source=source)
        node = self._transact(None, source.code + parameters.encode(*arguments), entry, interface.errors)
        created = node.executed.created if node.executed is not None else None
        if created is None:
            raise Fatal("a deployment succeeded without an address")
        name = self.book.deployed(created, label or source.name, source, interface)
        entry.result = name
        return Deployed(self, created, interface)

    def at(self, where: Value, abi: Sequence[str] | str = ()) -> Deployed:
        """A contract that is already there. Raises: ABIError, when there is none."""
        address = to_address(where)
        self._require_code(address)
        known = self.book.interface(address) or Interface()
        return Deployed(self, address, known.extended(abi))

    def _require_code(self, address: Address) -> None:
        """Raises: ABIError."""
        if not self.ledger.world.code(address):
            raise ABIError(
                f"there is no contract at {self.label_of(address)}"
                + (
                    ": it was deployed after the moment that the chain was put back to"
                    if self.book.interface(address)
                    else ""
                )
            )

    def label(self, address: Value, name: str) -> None:
        """Call an address by a name in traces, reports and errors."""
        self.book.label(to_address(address), name)

    def label_of(self, address: bytes) -> str:
        """The name of an address, or its hex digits."""
        return self.book.labels.get(address) or f"0x{address.hex()}"

    # Calls: what `Deployed` is made of

    def invoke(
        self,
        contract: Deployed,
        function: Function,
        arguments: Sequence[Value],
        sender: Value,
        value: int,
        gas: int | None,
    ) -> Receipt:
        """Send a function's transaction. Raises: ABIError, CallFailed, Rejected."""
        __tracebackhide__ = True
        data, interface = function.encode(*arguments), contract.interface
        self._require_code(contract.address)
        entry = Entry("tx", contract.address, function, arguments, self._who(sender), value, gas)
        node = self._transact(contract.address, data, entry, interface.errors)
        return Receipt(self, node, interface.events, function)

    def invoke_view(
        self,
        contract: Deployed,
        function: Function,
        arguments: Sequence[Value],
        sender: Value,
        value: int,
        gas: int | None,
    ) -> Value:
        """Run a function as the next block would, keep nothing, and decode its value. Raises: ABIError, CallFailed."""
        __tracebackhide__ = True
        data = function.encode(*arguments)
        self._require_code(contract.address)
        entry = Entry("call", contract.address, function, arguments, self._who(sender), value, gas)
        return function.decode_output(self._run(contract.address, data, entry, contract.interface.errors))

    # Transactions as bytes

    def pay(self, to: Value, wei: int, *, sender: Value = None) -> Receipt:
        """Send ether with empty input. Raises: CallFailed, Rejected."""
        __tracebackhide__ = True
        target = to_address(to)
        entry = Entry("pay", target, None, (wei,), self._who(sender), wei)
        return Receipt(self, self._transact(target, b"", entry, ()))

    def transact(
        self,
        to: Address | None,
        data: bytes = b"",
        *,
        sender: Value = None,
        value: int = 0,
        gas: int | None = None,
        errors: Sequence[str] = (),
    ) -> Receipt:
        """Send one transaction, make a block of it and return its receipt.

        `gas` is the limit, by default a whole block's; `errors` are signatures that explain a revert.
        Raises: CallFailed, Rejected.
        """
        __tracebackhide__ = True
        entry = Entry("transact", to, None, (data,), self._who(sender), value, gas)
        return Receipt(self, self._transact(to, data, entry, errors))

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
        __tracebackhide__ = True
        return self._run(to, data, Entry("run", to, None, (data,), self._who(sender), value, gas), errors)

    def _transact(self, to: Address | None, data: bytes, entry: Entry, errors: Sequence[str]) -> Node:
        __tracebackhide__ = True
        ledger = self.ledger
        fee, sender = ledger.head.next_base_fee, entry.sender
        transaction = Transaction(
            nonce=ledger.world.nonce(sender),
            max_fee=fee,
            gas_limit=self._chain.head.gas_limit if entry.gas is None else entry.gas,
            to=to,
            value=entry.value,
            data=data,
            chain_id=self._chain.chain_id,
            impersonated=sender,
        )
        self.book.enter(entry, ledger)
        node = ledger.apply(transaction)
        entry.node = node
        self._settle(entry, node.executed, errors)
        return node

    def _run(self, to: Address, data: bytes, entry: Entry, errors: Sequence[str]) -> bytes:
        __tracebackhide__ = True
        message = Message(sender=entry.sender, to=to, value=entry.value, data=data, gas_limit=entry.gas)
        self.book.enter(entry, self.ledger)
        entry.message = message
        executed = self.ledger.simulate(message)
        self._settle(entry, executed, errors)
        return executed.output

    def _settle(self, entry: Entry, executed: Executed | None, errors: Sequence[str]) -> None:
        """Write down what came of it. Raises: CallFailed."""
        __tracebackhide__ = True
        if executed is None:
            raise Fatal("a transaction came to nothing")
        entry.gas_used = executed.gas_used
        self.book.spent(entry)
        if not executed.ok:
            reason = self.book.tell(entry, executed.trap) if executed.trap is not None else executed.detail
            everything = (*errors, *self.book.errors)
            entry.failed = failure(executed.status, executed.output, reason, executed.gas_used, everything)
            raise entry.failed

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
        self.book.enter(Entry("deal", account, None, (wei,)), self.ledger)
        self.ledger.edit(lambda world: world.set_balance(account, wei))

    def balance(self, address: Value) -> int:
        """Wei at an address."""
        self.ledger.look()
        return self.ledger.world.balance(to_address(address))

    def storage(self, address: Value, key: bytes) -> bytes:
        """What a contract's storage has at a key; no bytes when there is nothing."""
        self.ledger.look()
        return self.ledger.world.storage(to_address(address), key)

    # Time and blocks

    @property
    def height(self) -> int:
        self.ledger.look()
        return self.ledger.head.height

    @property
    def timestamp(self) -> int:
        """Seconds since 1970 of the last block."""
        self.ledger.look()
        return self.ledger.head.timestamp

    def warp(self, seconds: int = 0, *, to: int | None = None) -> None:
        """Let the next block come `seconds` later than the last one, on top of earlier warps, or at the moment `to`.

        Raises: ValueError when that is not after the last block.
        """
        last, waiting = self.timestamp, self.ledger.next_timestamp
        moment = (last if waiting is None else waiting) + seconds if to is None else to
        if moment <= last:
            raise ValueError(f"timestamp {moment} is not after the last block's, {last}")
        self.book.enter(Entry("warp", None, None, (seconds,) if to is None else (), result=to), self.ledger)
        self.ledger.next_timestamp = moment

    def mine(self, blocks: int = 1) -> None:
        """Make empty blocks, or blocks of what was submitted to `inner`."""
        self.book.enter(Entry("mine", None, None, (blocks,)), self.ledger)
        for _ in range(blocks):
            self.ledger.mine()

    # Moments

    def snapshot(self, name: str | None = None) -> int | str:
        """Remember this moment, under a name or a number of its own, for `revert`."""
        key: int | str = len(self._moments) + 1 if name is None else name
        self._moments[key] = self.moment()
        return key

    def revert(self, snapshot: int | str) -> None:
        """Go back to a snapshot, or over to one on a branch that was left. It stays, and so do all others.

        Raises: KeyError for an unknown one.
        """
        if snapshot not in self._moments:
            raise KeyError(f"no snapshot {snapshot!r}; there are: {', '.join(map(repr, self._moments)) or 'none'}")
        self.book.enter(Entry("revert", None, None, (snapshot,)), self.ledger)
        self.restore(self._moments[snapshot])

    def moment(self) -> Moment:
        """This moment, for `restore`."""
        self.ledger.look()
        return Moment(self.ledger.head, self.ledger.next_timestamp)

    def restore(self, moment: Moment) -> None:
        """Go to a moment of this chain. Raises: NotThere."""
        self.ledger.go(moment.node)
        self.ledger.next_timestamp = moment.next_timestamp

    # States in files

    def save(self, path: str | Path) -> None:
        """Write every account and what is known of the contracts to a file, for `load`. Raises: OSError."""
        from sdk.testing.saved import save

        self.ledger.look()
        self.ledger.seal()
        save(self, self._store, Path(path))

    def load(self, path: str | Path) -> Saved:
        """Set the accounts of a file, in a block, and return its contracts by label.

        A relative path is looked for as `deploy` looks. Raises: StateFileError, BuildError when there is no such file.
        """
        from sdk.testing.saved import load

        found = locate(Path(path), asking_file())
        self.book.enter(Entry("load", None, None, (str(path),)), self.ledger)
        return load(self, found)

    def labels(self) -> Mapping[bytes, str]:
        """Every address that has a name."""
        return self.book.labels


class Moment:
    """A block, and the time that the next one was to have."""

    __slots__ = ("next_timestamp", "node")

    def __init__(self, node: Node, next_timestamp: int | None) -> None:
        self.node = node
        self.next_timestamp = next_timestamp


def _warn(code_hash: bytes, problem: ContractVMError) -> None:
    """Say that a contract does not run natively though it should: pytest shows warnings at its end."""
    warnings.warn(f"code 0x{code_hash.hex()} runs on the portable tier: {problem}", RuntimeWarning, stacklevel=2)


def _show_debug(address: Address, text: bytes) -> None:
    """What a contract says by `debug_print`: to standard output, which pytest shows when a test fails."""
    print(f"debug 0x{address.hex()}: {text.decode('utf-8', 'backslashreplace')}")


__all__ = ["COINBASE", "START", "CallFailed", "MockChain", "Moment"]
