"""Proofs of accounts and storage against a state root, as EIP-1186 shapes them, as plain data.

They are of the state that the reader holds, which has to be the latest: older tries are not kept. `verify_proof` (in
`state.merkle`) checks them from the root alone.
"""

from collections.abc import Iterable

from state.account import Account, account_of, encode_account
from state.codec import encode_bytes
from state.dataclass import dataclass
from state.merkle import Keccak
from state.records import ACCOUNT, ACCOUNT_TRIE, STORAGE, STORAGE_TRIE
from state.store import Reader
from state.trie import Trie


@dataclass(frozen=True, slots=True)
class StorageProof:
    """The value at a storage key, empty when there is none, and the nodes that show it."""

    key: bytes
    value: bytes
    proof: list[bytes]


@dataclass(frozen=True, slots=True)
class AccountProof:
    """An account, None when there is none, the nodes that show it, and proofs of some of its storage (EIP-1186)."""

    address: bytes
    account: Account | None
    proof: list[bytes]
    storage: list[StorageProof]


def prove_account(reader: Reader, address: bytes, keys: Iterable[bytes], keccak: Keccak) -> AccountProof:
    """Return the account at `address` and its storage at `keys`, with the nodes that show them."""
    slots = STORAGE + address

    def account_leaf(key: bytes) -> bytes | None:
        record = reader.get(ACCOUNT + key)
        return None if record is None else encode_account(account_of(record))

    def storage_leaf(key: bytes) -> bytes | None:
        value = reader.get(slots + key)
        return None if value is None else encode_bytes(value)

    accounts = Trie(reader.get, ACCOUNT_TRIE, account_leaf, keccak)
    storage = Trie(reader.get, STORAGE_TRIE + address, storage_leaf, keccak)
    record = reader.get(ACCOUNT + address)
    account = None if record is None else account_of(record)
    proofs = [StorageProof(key, reader.get(slots + key) or b"", storage.prove(key)) for key in keys]
    return AccountProof(address, account, accounts.prove(address), proofs)
