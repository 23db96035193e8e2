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
_WELL_KNOWN: Final = """
f39fd6e51aad88f6f4ce6ab8827279cfffb92266 ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80
70997970c51812dc3a010c7d01b50e0d17dc79c8 59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d
3c44cdddb6a900fa2b585dd299e03d12fa4293bc 5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a
90f79bf6eb2c4f870365e785982e1f101e93b906 7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6
15d34aaf54267db7d7c367839aaf71a00a2c6a65 47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a
9965507d1a55bcc2695c58ba16fb37d819b0a4dc 8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba
976ea74026e726554db657fa54763abd0c3a0aa9 92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e
14dc79964da2c08b23698b3d3cc7ca32193d9955 4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356
23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97
a0ee7a142d267c1f36714e4a8f75612f20a79720 2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6
"""
"""Address and key of the ten that everybody knows, which a test derives: stretching the phrase takes milliseconds of
every process, and needs the curve, which a chain of unsigned transactions never loads."""


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
    if phrase == TEST_PHRASE and count <= COUNT:
        rows = [line.split() for line in _WELL_KNOWN.split("\n") if line]
        return tuple(DevAccount(Address(bytes.fromhex(row[0])), bytes.fromhex(row[1])) for row in rows[:count])
    return derived(count, phrase)


def derived(count: int, phrase: str) -> tuple[DevAccount, ...]:
    """The first `count` accounts of a phrase, worked out from it."""
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
