"""A chain's state in a file: made once, by tests or a script, and loaded by a fixture.

    @pytest.fixture(scope="module")
    def world(chain: MockChain) -> Saved:
        return chain.load("grown.json")          # world["token"].balance_of(...)

The file is JSON: every account with balance, nonce, code and storage, and what is known of the contracts. Loading it is
a block that sets these accounts; others stay as they are.
Never: blocks, receipts or a clock; a state is what is there, not how it came to be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contractvm.errors import ContractVMError, ModuleError, Rejected
from contractvm.types import Address
from sdk.abi import ABIError
from sdk.interface import Interface
from sdk.testing.contract import Deployed
from sdk.testing.source import Source
from state.account import account_of
from state.ordered import prefix_end
from state.records import ACCOUNT, CODE, STORAGE
from state.store import Store
from state.world import World

if TYPE_CHECKING:
    from sdk.testing.chain import MockChain

FORMAT = 1


class StateFileError(ContractVMError):
    """A file of a state that cannot be read; the text names it and the way out."""


class Saved(Mapping[str, Deployed]):
    """The contracts of a file by label."""

    __slots__ = ("_contracts",)

    def __init__(self, contracts: dict[str, Deployed]) -> None:
        self._contracts = contracts

    def __getitem__(self, label: str) -> Deployed:
        found = self._contracts.get(label)
        if found is None:
            raise KeyError(f"no contract {label!r} in the file; there are: {', '.join(self._contracts) or 'none'}")
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._contracts)

    def __len__(self) -> int:
        return len(self._contracts)


def save(chain: MockChain, store: Store, path: Path) -> None:
    """Write the state that `store` has, whose blocks are sealed. Raises: OSError."""
    accounts = {}
    for record in store.keys(ACCOUNT, prefix_end(ACCOUNT)):
        address, account = record[len(ACCOUNT) :], account_of(store.get(record) or b"")
        prefix = STORAGE + address
        storage = {
            "0x" + key[len(prefix) :].hex(): "0x" + (store.get(key) or b"").hex()
            for key in store.keys(prefix, prefix_end(prefix))
        }
        code = store.get(CODE + account.code_hash) or b""
        accounts["0x" + address.hex()] = {
            "nonce": account.nonce,
            "balance": str(account.balance),
            "code": "0x" + code.hex(),
            "storage": storage,
        }
    contracts = {
        chain.label_of(address): {"address": "0x" + address.hex(), "name": source.name} | _told(interface)
        for address, (source, interface) in chain.book.deployments()
        if "0x" + address.hex() in accounts
    }
    content = {"format": FORMAT, "timestamp": chain.timestamp, "accounts": accounts, "contracts": contracts}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def load(chain: MockChain, path: Path) -> Saved:
    """Make the block that sets the accounts of a file. Raises: StateFileError, OSError."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = content["format"] if isinstance(content, dict) else None
        if found != FORMAT:
            raise StateFileError(f"{path} has the format {found!r}, this version reads {FORMAT}: save the state again")
        accounts = {_address(text): _Account(entry) for text, entry in content["accounts"].items()}
        known = {label: (_address(entry["address"]), entry) for label, entry in content["contracts"].items()}
        interfaces = {label: _interface(entry) for label, (_, entry) in known.items()}
        timestamp = int(content["timestamp"])
    except (ValueError, KeyError, TypeError, AttributeError, ABIError) as error:
        raise StateFileError(f"{path} is no saved state ({error!r}): make it with chain.save") from None
    for address, account in accounts.items():
        if account.code:
            try:
                chain.inner.executor.check_code(account.code)
            except (ModuleError, Rejected) as error:
                raise StateFileError(f"{path}: the code at 0x{address.hex()} is refused: {error}") from None
    if timestamp > chain.timestamp:
        chain.ledger.next_timestamp = timestamp

    def put(world: World) -> None:
        for address, account in accounts.items():
            account.put(world, address)

    chain.ledger.edit(put)
    contracts = {}
    for label, (address, entry) in known.items():
        source = Source(str(entry["name"]), accounts[address].code, interfaces[label])
        chain.book.deployed(address, label, source, interfaces[label])
        contracts[label] = Deployed(chain, address, interfaces[label])
    return Saved(contracts)


class _Account:
    """An account of a file. Raises: ValueError, KeyError, TypeError, AttributeError."""

    __slots__ = ("balance", "code", "nonce", "storage")

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.nonce, self.balance = int(entry["nonce"]), int(entry["balance"])
        self.code = _bytes(entry["code"])
        self.storage = {_bytes(key): _bytes(value) for key, value in entry["storage"].items()}

    def put(self, world: World, address: Address) -> None:
        """Make the account what the file says."""
        if self.code or self.storage:
            world.create(address)
        world.set_balance(address, self.balance)
        world.set_nonce(address, self.nonce)
        if self.code:
            world.set_code(address, self.code)
        for key, value in self.storage.items():
            world.set_storage(address, key, value)


def _told(interface: Interface) -> dict[str, object]:
    """The declarations of a contract, without the ones it has not."""
    names = ("functions", "events", "errors", "constructor", "fallback", "receive")
    return {name: value for name in names if (value := getattr(interface, name))}


def _interface(entry: Mapping[str, Any]) -> Interface:
    """Raises: ABIError, TypeError."""
    functions, events, errors = (tuple(map(str, entry.get(name, ()))) for name in ("functions", "events", "errors"))
    constructor, fallback, receive = (str(entry.get(name, "")) for name in ("constructor", "fallback", "receive"))
    return Interface(functions, events, errors, constructor, fallback, receive)


def _address(text: str) -> Address:
    raw = _bytes(text)
    if len(raw) != 20:
        raise ValueError(f"{text!r} is no address")
    return Address(raw)


def _bytes(text: str) -> bytes:
    if not text.startswith("0x"):
        raise ValueError(f"{text!r} is not 0x and hex digits")
    return bytes.fromhex(text[2:])
