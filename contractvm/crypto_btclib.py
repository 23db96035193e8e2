"""secp256k1 on btclib_libsecp256k1, a binding of libsecp256k1 too: the backend where coincurve has no wheel.

Source: SEC 1 v2 section 4.1. Ranges of r, s, recid, key formats and secrets are checked by `contractvm.crypto`.
Never: asked directly; `contractvm.crypto` is the door.
"""

from __future__ import annotations

from btclib_libsecp256k1 import dsa, keys, recovery


def recover(digest: bytes, r: int, s: int, recid: int) -> bytes | None:
    """The signer's public key, 65 bytes; None when R is not on the curve or the key would be infinity."""
    try:
        key: bytes = recovery.recover(digest, _pair(r, s), recid, compressed=False)
    except ValueError:
        return None
    return key


def verify(digest: bytes, r: int, s: int, key: bytes) -> bool:
    """Whether (r, s), s low, is a signature of `digest` by `key` (33 or 65 bytes)."""
    try:
        return bool(dsa.verify(digest, key, dsa.to_der(_pair(r, s))))
    except ValueError:
        return False


def sign(digest: bytes, secret: bytes) -> tuple[int, int, int]:
    """(r, s, recid), s low, nonce by RFC 6979."""
    signature, recid = recovery.sign(digest, secret)
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"), recid


def public_key(secret: bytes) -> bytes:
    """The public key of a checked secret, 65 bytes."""
    key: bytes = keys.pubkey_from_prvkey(secret, compressed=False)
    return key


def _pair(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
