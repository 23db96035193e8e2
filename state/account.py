"""The account, and what the world is read from.

An account is Ethereum's (Yellow Paper, section 4.1): nonce, balance, storage root, code hash, in that order in its RLP,
which is the leaf of the account trie. Its flat record is the same without the 64 bytes that an account without code
and storage need not keep. A `Base` is any unchanging state that a `World` can be laid over.
"""

from typing import Protocol

from state.codec import RLPError, encode_int, wrap_list
from state.dataclass import dataclass
from state.errors import StoreCorrupt
from state.merkle import EMPTY_ROOT, Keccak

EMPTY_CODE_HASH = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
"""keccak of no bytes: the code hash of an account without code."""
_HASHES = 66
"""Bytes of the two hashes at the end of a whole account's RLP."""


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
    size = len(data)
    try:
        if size > _HASHES and data[0] == 0xF8 and data[1] == size - 2 and data[-66] == data[-33] == 0xA0:
            nonce, at = _number(data, 2)
            balance, at = _number(data, at)
            if at == size - _HASHES:
                return Account(nonce, balance, data[-32:], data[-65:-33])
        elif data[0] == 0xBF + size < 0xF8:
            nonce, at = _number(data, 1)
            balance, at = _number(data, at)
            if at == size:
                return Account(nonce, balance)
        problem = "neither 2 nor 4 fields, or a hash of another length than 32"
    except (ValueError, IndexError) as error:
        problem = str(error)
    raise StoreCorrupt(f"account record {data[:80].hex()} does not parse ({problem}); restore a copy")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return the integer of at most 32 bytes whose RLP begins at `at`, and where it ends.

    Raises: RLPError, or IndexError past the end of `data`.
    """
    first = data[at]
    if 0 < first < 0x80:
        return first, at + 1
    end = at + first - 0x7F
    number = int.from_bytes(data[at + 1 : end], "big")
    if first > 0xA0 or end > len(data) or (first > 0x80 and (not data[at + 1] or (first == 0x81 and number < 0x80))):
        raise RLPError(f"offset {at}: no integer of at most 256 bits")
    return number, end


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
