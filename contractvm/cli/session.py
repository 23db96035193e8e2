"""The objects of `contractvm console`: the chain, its accounts, its contracts, as a person types them.

    token = chain.deploy("token.py", 1000)      # builds it first
    token.transfer(accounts[1], 5)              # sends a transaction, waits for its block
    token.balance_of(accounts[1])               # 5

Contracts are the test kit's: what holds for `Deployed` in a test holds here, but a function that writes answers with
its receipt, since a chain keeps nothing else. Never: sends anything that was not asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import click

from contractvm.cli.chainlike import Chainlike
from contractvm.cli.facts import BlockId, Entry, LogQuery, Mined, Sealed, Unsigned
from contractvm.cli.files import built
from contractvm.cli.literals import constructor_data
from contractvm.cli.logs import decoded, events_of
from contractvm.cli.opened import block_id
from contractvm.cli.output import number
from contractvm.cli.problem import Problem
from contractvm.cli.send import Sending, transact
from contractvm.cli.signer import Signer, account_of, caller_of
from contractvm.cli.traces import failure_of, failure_of_call, lines
from contractvm.cli.values import amount, checksum, hash_of
from contractvm.devaccounts import dev_accounts
from contractvm.types import Address, Hash
from sdk.abi import Constructor, Function, Value
from sdk.abi_types import AddressType
from sdk.interface import Interface
from sdk.testing.contract import Deployed

Who = int | str | bytes | Deployed | None
"""A development account by number, an address, a contract; None is the first account."""
BLOCKS: Final = 1_000
"""Blocks looked through for contracts when a session begins."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction in a block. `facts` has everything, `events` its logs in words."""

    facts: Mined
    events: tuple[str, ...]

    @property
    def value(self) -> Sent:
        """Itself: what a function answered is not kept by a chain."""
        return self

    @property
    def hash(self) -> str:
        """The transaction's."""
        return "0x" + self.facts.transaction_hash.hex()

    def __repr__(self) -> str:
        what = f": {', '.join(self.events)}" if self.events else ""
        facts = self.facts
        return f"<{self.hash[:10]}.. in block {facts.block_number}, {number(facts.gas_used)} gas{what}>"


class Session:
    """`chain` in a console."""

    def __init__(self, chain: Chainlike) -> None:
        self._chain = chain
        self._names: dict[Address, str] = {}
        self.accounts = [checksum(each) for each in chain.accounts()]

    def __repr__(self) -> str:
        return f"<{self._chain.name}, chain id {self._chain.chain_id}, block {self.height}>"

    # Reading

    @property
    def height(self) -> int:
        """Number of the last block."""
        return self._chain.block("latest").number

    def balance(self, who: Who = None, block: str | int = "latest") -> int:
        """Wei of an account."""
        return self._chain.holdings([self._address(who)], _at(block))[0].balance

    def nonce(self, who: Who = None, block: str | int = "latest") -> int:
        """Nonce of an account."""
        return self._chain.holdings([self._address(who)], _at(block))[0].nonce

    def code(self, who: Who) -> bytes:
        """Code of a contract."""
        return self._chain.code(self._address(who))

    def block(self, which: str | int = "latest") -> Sealed:
        """A block."""
        return self._chain.block(_at(which))

    def receipt(self, digest: str | Sent) -> Sent | None:
        """A transaction in a block."""
        found = self._chain.receipt(_hash(digest))
        return None if found is None else self._sent(found)

    def logs(self, *of: Who, first: str | int = "earliest", last: str | int = "latest") -> list[str]:
        """Logs in words, of all contracts or some."""
        addresses = tuple(self._address(each) for each in of)
        return self._words(self._chain.logs(LogQuery(_at(first), _at(last), addresses)))

    def storage(self, who: Who, most: int = 100) -> dict[bytes, bytes]:
        """Keys and values of a contract."""
        return {slot.key: slot.value for slot in self._chain.entries(self._address(who), "latest", most)}

    def trace(self, digest: str | Sent) -> None:
        """Print a transaction's calls, storage and events."""
        for line in lines(self._chain.trace(_hash(digest))["call"], places=True):
            click.echo(line)

    # Contracts

    def at(self, address: Who, abi: Sequence[str] | str | None = None) -> Deployed:
        """The contract at an address, with what is known of it, or with signatures given here."""
        where = self._address(address)
        if not self._chain.code(where):
            raise Problem(f"{checksum(where)} has no code", "check the address, or deploy first")
        known = self._chain.contract(where)
        name, interface = known if known is not None else ("contract", Interface())
        self._names.setdefault(where, name)
        return Deployed(cast(Any, self), where, interface if abi is None else interface.extended(abi))

    def contracts(self) -> list[Deployed]:
        """The contracts that recent blocks made and whose builds are known, the earliest first."""
        head = self.height
        found = self._chain.created(max(0, head - BLOCKS + 1), head)
        return [self.at(each) for each in found if self._chain.contract(each) is not None]

    def deploy(
        self, file: str | Path, *arguments: Value, sender: Who = None, value: int | str = 0, gas: int | None = None
    ) -> Deployed:
        """Build a source, or take a module as it is, and deploy it."""
        artifact = built(Path(file))
        declared = artifact.interface.constructor
        if declared:
            data = Constructor.parse(declared).encode(*arguments)
        elif arguments:
            raise Problem(f"{file} declares no constructor", "deploy it by the command line, with its types")
        else:
            data = constructor_data(None, ())
        self._chain.check_runs_wasm()
        facts = self._transact(sender, None, artifact.code + data, value, gas)
        if facts.created is None:
            raise Problem("the transaction made no contract", "see chain.receipt of its hash")
        self._chain.remember(artifact)
        self._names[facts.created] = artifact.name
        return Deployed(cast(Any, self), facts.created, artifact.interface)

    def send(
        self, to: Who, value: int | str = 0, data: bytes = b"", sender: Who = None, gas: int | None = None
    ) -> Sent:
        """Send a transaction; `value` in wei, or as `"1.5ether"`."""
        return self._sent(self._transact(sender, self._address(to), data, value, gas))

    # What the contracts of the test kit ask their chain for

    def invoke_view(
        self,
        contract: Deployed,
        function: Function,
        arguments: Sequence[Value],
        sender: Value,
        value: int,
        gas: int | None,
    ) -> Value:
        """Run a function and keep nothing. Raises: Problem when it fails."""
        caller = caller_of(None, self._chain) if sender is None else self._address(cast(Who, sender))
        message = Unsigned(caller, contract.address, value, function.encode(*arguments), gas)
        outcome = self._chain.call(message, "latest")
        if not outcome.ok:
            places = failure_of_call(self._chain, message, "latest")
            raise Problem(f"{contract!r}.{function.name}: {outcome.reason}", "\n  ".join(places))
        return function.decode_output(outcome.output)

    def invoke(
        self,
        contract: Deployed,
        function: Function,
        arguments: Sequence[Value],
        sender: Value,
        value: int,
        gas: int | None,
    ) -> Sent:
        """Send a transaction to a function. Raises: Problem when it fails."""
        return self._sent(self._transact(cast(Who, sender), contract.address, function.encode(*arguments), value, gas))

    def label_of(self, address: Address) -> str:
        """What a contract is called."""
        return f"{self._names.get(address, 'contract')}({checksum(address)})"

    def _transact(self, sender: Who, to: Address | None, data: bytes, value: int | str, gas: int | None) -> Mined:
        wei = amount(value) if isinstance(value, str) else value
        sending = Sending(value=wei, gas_limit=gas, gas_price=None, priority_gas_price=None, nonce=None, legacy=False)
        facts = transact(self._chain, self._signer(sender), to, data, sending)
        if not facts.ok:
            places = failure_of(self._chain, facts)
            raise Problem(f"the transaction was mined but {facts.reason}", "\n  ".join(places))
        return facts

    def _signer(self, sender: Who) -> Signer:
        """Our own key where it is a development account's, the node's otherwise."""
        wanted = self._address(sender)
        return Signer(wanted, next((each.secret for each in dev_accounts() if each.address == wanted), None))

    def _address(self, who: Who) -> Address:
        match who:
            case None | int():
                return account_of(str(who or 0), self._chain)
            case str():
                return account_of(who, self._chain)
        return Address(AddressType().encode(who, "address")[12:])

    def _sent(self, facts: Mined) -> Sent:
        return Sent(facts, tuple(self._words(facts.logs)))

    def _words(self, entries: Sequence[Entry]) -> list[str]:
        """Logs in the words of the builds that are known."""
        events = events_of(self._chain, entries)
        found = []
        for entry in entries:
            known_event = decoded(entry, events)
            found.append(known_event[2] if known_event else f"log of {checksum(entry.address)}: 0x{entry.data.hex()}")
        return found


def _at(block: str | int) -> BlockId:
    return block if isinstance(block, int) else block_id(block)


def _hash(digest: str | Sent) -> Hash:
    return digest.facts.transaction_hash if isinstance(digest, Sent) else hash_of(digest)
