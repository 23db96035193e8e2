"""The account, and what the world is read from.

An account is Ethereum's (Yellow Paper, section 4.1): nonce, balance, storage root, code hash, in that order in its RLP,
which is the leaf of the account trie. Its flat record is the same without the 64 bytes that an account without code
and storage need not keep. A `Base` is any unchanging state that a `World` can be laid over.
"""

from dataclasses import dataclass
from typing import Protocol

from state.codec import RLPError, decode, decode_uint, encode_int, wrap_list
from state.errors import StoreCorrupt
from state.merkle import EMPTY_ROOT, Keccak

EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""keccak of no bytes: the code hash of an account without code."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account: nonce, balance in wei, hash of its code, root of its storage."""

    nonce: int = 0
    balance: int = 0
    code_hash: bytes = EMPTY_CODE_HASH
    storage_root: bytes = EMPTY_ROOT


def encode_account(account: Account) -> bytes:
    """Return the account as the trie has it."""
    numbers = encode_int(account.nonce) + encode_int(account.balance)
    return wrap_list(numbers + b"\xa0" + account.storage_root + b"\xa0" + account.code_hash)


def account_record(account: Account) -> bytes:
    """Return the account's flat record: `[nonce, balance]`, then root and code hash if it has either."""
    if account.code_hash == EMPTY_CODE_HASH and account.storage_root == EMPTY_ROOT:
        return wrap_list(encode_int(account.nonce) + encode_int(account.balance))
    return encode_account(account)


def account_of(data: bytes) -> Account:
    """Return the account whose flat record is `data`.

    Raises:
        StoreCorrupt: `data` is no account; it comes from our own records, so the disk lied.
    """
    try:
        fields = decode(data)
        nonce, balance, *rest = (field for field in fields if isinstance(field, bytes))
        if not rest and len(fields) == 2:
            return Account(decode_uint(nonce), decode_uint(balance))
        storage_root, code_hash = rest
        if len(fields) != 4 or len(storage_root) != 32 or len(code_hash) != 32:
            raise RLPError("neither 2 nor 4 fields, or a hash of another length than 32")
        return Account(decode_uint(nonce), decode_uint(balance), code_hash, storage_root)
    except (ValueError, TypeError) as error:
        raise StoreCorrupt(f"account record {data[:80].hex()} does not parse ({error}); restore a copy") from error


class Base(Protocol):
    """An unchanging state: what a `World` reads where it has not been changed."""

    @property
    def keccak(self) -> Keccak:
        """keccak-256."""

    def account(self, address: bytes) -> Account | None:
        """Return the account at `address`, None when there is none."""

    def storage(self, address: bytes, key: bytes) -> bytes:
        """Return the value at `key` of the account's storage, empty when there is none."""

    def code(self, code_hash: bytes) -> bytes:
        """Return the code with this hash."""

    def next_key(
        self, address: bytes, key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool = False
    ) -> bytes | None:
        """Return the storage key next to `key`; see `World.next_key`."""


class Nothing:
    """The state before genesis: no account, no code."""

    __slots__ = ("keccak",)

    def __init__(self, keccak: Keccak) -> None:
        self.keccak = keccak

    def account(self, address: bytes) -> Account | None:
        """Return None."""
        return None

    def storage(self, address: bytes, key: bytes) -> bytes:
        """Return no bytes."""
        return b""

    def code(self, code_hash: bytes) -> bytes:
        """Refuse: no account has code.

        Raises:
            KeyError: always.
        """
        raise KeyError(code_hash)

    def next_key(
        self, address: bytes, key: bytes | None, *, inclusive: bool, stop: bytes | None, reverse: bool = False
    ) -> bytes | None:
        """Return None."""
        return None
