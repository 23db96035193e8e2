"""secp256k1 on coincurve, a binding of libsecp256k1: the backend wherever it has a wheel.

Source: SEC 1 v2 section 4.1. Ranges of r, s, recid, key formats and secrets are checked by `contractvm.crypto`.
Never: asked directly; `contractvm.crypto` is the door.
"""

from __future__ import annotations

from coincurve import PrivateKey, PublicKey


def recover(digest: bytes, r: int, s: int, recid: int) -> bytes | None:
    """The signer's public key, 65 bytes; None when R is not on the curve or the key would be infinity."""
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((recid,))
    try:
        key: bytes = PublicKey.from_signature_and_message(signature, digest, hasher=None).format(compressed=False)
    except ValueError:
        return None
    return key


def verify(digest: bytes, r: int, s: int, key: bytes) -> bool:
    """Whether (r, s), s low, is a signature of `digest` by `key` (33 or 65 bytes)."""
    try:
        signer = PublicKey(key)
    except ValueError:
        return False
    return bool(signer.verify(_der(r, s), digest, hasher=None))


def sign(digest: bytes, secret: bytes) -> tuple[int, int, int]:
    """(r, s, recid), s low, nonce by RFC 6979."""
    signature = PrivateKey(secret).sign_recoverable(digest, hasher=None)
    return int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"), signature[64]


def public_key(secret: bytes) -> bytes:
    """The public key of a checked secret, 65 bytes."""
    key: bytes = PublicKey.from_valid_secret(secret).format(compressed=False)
    return key


def _der(r: int, s: int) -> bytes:
    """SEQUENCE of two INTEGERs, the only form coincurve verifies. Both are positive and below 2^256."""
    body = b""
    for number in (r, s):
        magnitude = number.to_bytes(number.bit_length() // 8 + 1, "big")
        body += bytes((2, len(magnitude))) + magnitude
    return bytes((0x30, len(body))) + body
