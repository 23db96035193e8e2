"""Hashes, signatures and addresses: the one door to cryptography, which is consensus here.

Keccak-256 comes from tiny-keccak where it is installed (a tenth of the time), otherwise from pycryptodome; secp256k1
from libsecp256k1 (by coincurve, else by btclib_libsecp256k1), otherwise from our own arithmetic. Which backend serves
can never be seen in a result: ranges, key formats and the low-s rule are decided here, before a backend is asked.
Source: yellow paper appendix F (recovery, addresses); SEC 1 v2 sections 2.3, 4.1; RFC 6979; EIP-2 (low s).
Never: imports a backend before it is first used, or draws randomness.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, Protocol, cast

from contractvm.errors import Fatal
from contractvm.types import Address

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Order n of secp256k1's group."""
HALF_ORDER = ORDER // 2
FIELD = 2**256 - 2**32 - 977
"""Prime p of secp256k1's field."""

_EDGE_LENGTHS = (0, 1, 32, 64, 135, 136, 137, 271, 272, 273)
"""Around the 136-byte rate of Keccak-256, where paddings differ."""
_EDGES = bytes.fromhex("ac4445790b65a842f2ff05a346e75002f92dd6f97a1a2281d51155556d49e1f3")
"""The hash of their hashes, so that nothing else has to be loaded for a backend to be tried."""


CURVE_LIBRARIES: Final[Mapping[str, str]] = MappingProxyType(
    {"contractvm.crypto_coincurve": "coincurve", "contractvm.crypto_btclib": "btclib_libsecp256k1"}
)
"""secp256k1 backends, the first choice first, and the library that each stands on."""


class Curve(Protocol):
    """What a secp256k1 backend (a module) gives. Ranges are checked before it is asked."""

    __name__: str

    def recover(self, digest: bytes, r: int, s: int, recid: int) -> bytes | None: ...

    def verify(self, digest: bytes, r: int, s: int, key: bytes) -> bool: ...

    def sign(self, digest: bytes, secret: bytes) -> tuple[int, int, int]: ...

    def public_key(self, secret: bytes) -> bytes: ...


@cache
def keccak_function() -> Callable[[bytes], bytes]:
    """The Keccak-256 in use, without the wrapper: for code that calls it thousands of times.

    Either is tried on the lengths around its block size first.

    Raises: Fatal, when a hash is wrong (a broken build would fork the chain).
    """
    try:
        found = cast("Callable[[bytes], bytes]", importlib.import_module("tiny_keccak").keccak256)
    except ImportError:
        found = _pycryptodome_keccak()
    edges = b"".join([found(bytes(i * 31 % 251 for i in range(length))) for length in _EDGE_LENGTHS])
    if found(edges) != _EDGES:
        raise Fatal("Keccak-256 comes out wrong: reinstall tiny-keccak, or pycryptodome where that is missing")
    return found


def _pycryptodome_keccak() -> Callable[[bytes], bytes]:
    from Crypto.Hash import keccak

    def keccak256(data: bytes) -> bytes:
        return keccak.new(data=data, digest_bits=256).digest()

    return keccak256


def keccak256(data: bytes) -> bytes:
    """Ethereum's Keccak-256 (not SHA3-256) of `data`, 32 bytes."""
    return keccak_function()(data)


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 bytes. Source: FIPS 180-4."""
    return hashlib.sha256(data).digest()


def blake2b256(data: bytes) -> bytes:
    """BLAKE2b with a 32-byte digest, no key, salt or personalisation. Source: RFC 7693."""
    return hashlib.blake2b(data, digest_size=32).digest()


def ripemd160(data: bytes) -> bytes:
    """RIPEMD-160, 20 bytes. pycryptodome's, because OpenSSL 3 may come without it."""
    from Crypto.Hash import RIPEMD160

    return RIPEMD160.new(data).digest()


@cache
def curve() -> Curve:
    """The secp256k1 backend: coincurve where it is installed, else btclib_libsecp256k1, else integers of Python."""
    for backend, library in CURVE_LIBRARIES.items():
        try:
            return cast("Curve", importlib.import_module(backend))
        except ModuleNotFoundError as missing:
            if missing.name is None or missing.name.partition(".")[0] != library:
                raise
    return cast("Curve", importlib.import_module("contractvm.crypto_secp256k1"))


def recover(digest: bytes, r: int, s: int, recid: int) -> bytes | None:
    """The public key that signed the 32-byte `digest`, as 65 bytes (04, x, y); None when there is none.

    `recid` is the parity of R's y plus 2 when R's x was r + n. High s is accepted: callers that must not, refuse it.
    """
    if not (0 < r < ORDER and 0 < s < ORDER and 0 <= recid <= 3) or (recid & 2 and r + ORDER >= FIELD):
        return None
    return curve().recover(digest, r, s, recid)


def verify(digest: bytes, signature: bytes, key: bytes) -> bool:
    """Whether `signature` (r, s: 32 bytes each, big-endian) over the 32-byte `digest` is by `key`.

    `key` is 33 bytes (02 or 03) or 65 (04). Hybrid keys (06, 07) and s above n/2 are refused.
    """
    form = (len(key), key[0] if key else -1)
    if len(signature) != 64 or form not in ((33, 2), (33, 3), (65, 4)):
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return 0 < r < ORDER and 0 < s <= HALF_ORDER and curve().verify(digest, r, s, key)


def sign(digest: bytes, secret: bytes) -> tuple[int, int, int]:
    """Sign the 32-byte `digest`: (r, s, recid), s at most n/2, nonce by RFC 6979.

    Raises: ValueError, when `secret` is not 32 bytes between 1 and n - 1.
    """
    return curve().sign(digest, _checked(secret))


def public_key(secret: bytes) -> bytes:
    """The public key of a secret, 65 bytes. Raises: ValueError, as `sign`."""
    return curve().public_key(_checked(secret))


def _checked(secret: bytes) -> bytes:
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < ORDER:
        raise ValueError("a secp256k1 private key is 32 bytes, from 1 to the group order less 1")
    return secret


def address_of(key: bytes) -> Address:
    """The address of a 65-byte public key: the last 20 bytes of the hash of x and y."""
    return Address(keccak_function()(key[1:])[12:])


def address_of_secret(secret: bytes) -> Address:
    """The address of a private key. Raises: ValueError, as `sign`."""
    return address_of(public_key(secret))


def checksum(address: bytes) -> str:
    """An address in EIP-55's mix of cases."""
    digits = address.hex()
    nibbles = keccak_function()(digits.encode()).hex()
    return "0x" + "".join(c.upper() if n > "7" else c for c, n in zip(digits, nibbles, strict=False))


def ed25519_verify(message: bytes, signature: bytes, key: bytes) -> bool:
    """Whether the 64-byte `signature` over `message` is by the 32-byte `key`; see `contractvm.crypto_ed25519`."""
    from contractvm import crypto_ed25519

    return crypto_ed25519.verify(message, signature, key)
