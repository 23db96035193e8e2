"""The development accounts everybody has: keys derived from the well-known test phrase, worthless and public.

Source: BIP-39 (phrase to seed), BIP-32 (derivation), BIP-44 path m/44'/60'/0'/0/i, as anvil and Hardhat do.
Never: checks a phrase's words or checksum (a phrase is any text), or guards a key that is worth something.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from functools import cache
from typing import Final

from contractvm.crypto import ORDER, address_of_secret, public_key
from contractvm.dataclass import dataclass
from contractvm.types import Address

TEST_PHRASE: Final = "test test test test test test test test test test test junk"
COUNT: Final = 10
ETHER: Final = 10**18
BALANCE: Final = 10_000 * ETHER
"""Wei that each account starts with."""
_HARD: Final = 1 << 31
_PATH: Final = (44 | _HARD, 60 | _HARD, 0 | _HARD, 0)


@dataclass(frozen=True, slots=True)
class DevAccount:
    """A key and its address; the key never shows in `repr`, so that the habit carries over to keys that matter."""

    address: Address
    secret: bytes

    def __repr__(self) -> str:
        return f"DevAccount(0x{self.address.hex()})"


@cache
def dev_accounts(count: int = COUNT, phrase: str = TEST_PHRASE) -> tuple[DevAccount, ...]:
    """The first `count` accounts of a phrase."""
    secret, chain = _master(phrase)
    for index in _PATH:
        secret, chain = _child(secret, chain, index)
    accounts = []
    for index in range(count):
        child, _ = _child(secret, chain, index)
        accounts.append(DevAccount(address_of_secret(child), child))
    return tuple(accounts)


def _master(phrase: str) -> tuple[bytes, bytes]:
    """(secret, chain code) of a phrase without a passphrase."""
    words = unicodedata.normalize("NFKD", phrase).encode()
    seed = hashlib.pbkdf2_hmac("sha512", words, b"mnemonic", 2048)
    mac = hmac.digest(b"Bitcoin seed", seed, "sha512")
    return mac[:32], mac[32:]


def _child(secret: bytes, chain: bytes, index: int) -> tuple[bytes, bytes]:
    """(secret, chain code) one step down. Source: BIP-32, CKDpriv.

    An index whose key would be zero or above the order (one in 2**127) makes `public_key` refuse it.
    """
    if index & _HARD:
        data = b"\0" + secret
    else:
        key = public_key(secret)
        data = bytes([2 + (key[64] & 1)]) + key[1:33]
    mac = hmac.digest(chain, data + index.to_bytes(4, "big"), "sha512")
    child = (int.from_bytes(mac[:32], "big") + int.from_bytes(secret, "big")) % ORDER
    return child.to_bytes(32, "big"), mac[32:]
