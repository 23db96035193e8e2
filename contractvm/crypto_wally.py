"""secp256k1 on wallycore, a binding of libsecp256k1 too: the backend where coincurve has no wheel.

It knows compressed keys alone, and holds the interpreter lock while it works. Source: SEC 1 v2 sections 2.3 and 4.1;
BIP 137 for the byte before a recoverable signature. Ranges of r, s, recid, key formats and secrets are checked by
`contractvm.crypto`. Never: asked directly; `contractvm.crypto` is the door.
"""

from __future__ import annotations

import warnings
from typing import Final

from contractvm.crypto_secp256k1 import P

with warnings.catch_warnings():
    # What SWIG makes warns of its own types, and where warnings are errors it ends the process (swig issue 3061).
    warnings.simplefilter("ignore")
    from wallycore import (
        EC_FLAG_ECDSA,
        EC_FLAG_RECOVERABLE,
        ec_public_key_decompress,
        ec_public_key_from_private_key,
        ec_sig_from_bytes,
        ec_sig_to_public_key,
        ec_sig_verify,
    )

RECOVERABLE: Final = 27
"""Recovery ids begin here in the byte before a signature."""
OF_COMPRESSED: Final = 4
"""Added there by whoever has a compressed key."""


def recover(digest: bytes, r: int, s: int, recid: int) -> bytes | None:
    """The signer's public key, 65 bytes; None when R is not on the curve or the key would be infinity."""
    signature = bytes((RECOVERABLE + recid,)) + r.to_bytes(32, "big") + s.to_bytes(32, "big")
    try:
        return bytes(ec_public_key_decompress(ec_sig_to_public_key(digest, signature)))
    except ValueError:
        return None


def verify(digest: bytes, r: int, s: int, key: bytes) -> bool:
    """Whether (r, s), s low, is a signature of `digest` by `key` (33 or 65 bytes)."""
    compressed = key if len(key) == 33 else _compressed(key)
    try:
        ec_sig_verify(compressed, digest, EC_FLAG_ECDSA, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    except ValueError:
        return False
    return True


def sign(digest: bytes, secret: bytes) -> tuple[int, int, int]:
    """(r, s, recid), s low, nonce by RFC 6979."""
    signature = bytes(ec_sig_from_bytes(secret, digest, EC_FLAG_ECDSA | EC_FLAG_RECOVERABLE))
    recid = signature[0] - RECOVERABLE - OF_COMPRESSED
    return int.from_bytes(signature[1:33], "big"), int.from_bytes(signature[33:], "big"), recid


def public_key(secret: bytes) -> bytes:
    """The public key of a checked secret, 65 bytes."""
    return bytes(ec_public_key_decompress(ec_public_key_from_private_key(secret)))


def _compressed(key: bytes) -> bytes:
    """A key of 65 bytes in 33, and in none when it is no point: its y would not be looked at any more."""
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    if x >= P or y >= P or (x * x * x + 7 - y * y) % P:
        return b""
    return bytes((2 + (y & 1),)) + key[1:33]
