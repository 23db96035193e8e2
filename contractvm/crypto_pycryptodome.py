"""secp256k1 on pycryptodome's curve arithmetic: where coincurve has no wheel. Some eight times slower, the same
answers.

Needs pycryptodome 4.4, the first with this curve.

Source: SEC 1 v2 sections 2.3.4 (compressed points), 4.1.3 to 4.1.6 (sign, verify, recover); RFC 6979 section 3.2.
Ranges of r, s, recid, key formats and secrets are checked by `contractvm.crypto`.
Never: asked directly; `contractvm.crypto` is the door.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from functools import cache

from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]

NAME = "secp256k1"
P = 2**256 - 2**32 - 977
N = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
GX = 0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798
GY = 0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8


@cache
def _generator() -> EccPoint:
    return EccPoint(GX, GY, NAME)


def _lift(x: int, odd: int) -> EccPoint | None:
    """The point with this x and parity of y; None when x is not the abscissa of a point."""
    if x >= P:
        return None
    square = (x * x * x + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return EccPoint(x, y if y & 1 == odd else P - y, NAME)


def _serialize(point: EccPoint) -> bytes:
    x, y = point.xy
    return b"\x04" + int(x).to_bytes(32, "big") + int(y).to_bytes(32, "big")


def _parse(key: bytes) -> EccPoint | None:
    x = int.from_bytes(key[1:33], "big")
    if len(key) == 33:
        return _lift(x, key[0] & 1)
    y = int.from_bytes(key[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x - 7) % P:
        return None
    return EccPoint(x, y, NAME)


def recover(digest: bytes, r: int, s: int, recid: int) -> bytes | None:
    """The signer's public key, 65 bytes; None when R is not on the curve or the key would be infinity."""
    nonce_point = _lift(r + N if recid & 2 else r, recid & 1)
    if nonce_point is None:
        return None
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest, "big")
    key = nonce_point * (s * inverse % N) + _generator() * (-e * inverse % N)
    return None if key.is_point_at_infinity() else _serialize(key)


def verify(digest: bytes, r: int, s: int, key: bytes) -> bool:
    """Whether (r, s) is a signature of `digest` by `key` (33 or 65 bytes)."""
    signer = _parse(key)
    if signer is None:
        return False
    inverse = pow(s, -1, N)
    e = int.from_bytes(digest, "big")
    point = _generator() * (e * inverse % N) + signer * (r * inverse % N)
    return not point.is_point_at_infinity() and int(point.x) % N == r


def sign(digest: bytes, secret: bytes) -> tuple[int, int, int]:
    """(r, s, recid), s low, nonce by RFC 6979."""
    d = int.from_bytes(secret, "big")
    e = int.from_bytes(digest, "big")
    nonces = _nonces(digest, secret)
    while True:
        k = next(nonces)
        x, y = (int(coordinate) for coordinate in (_generator() * k).xy)
        r = x % N
        s = pow(k, -1, N) * (e + r * d) % N
        if r == 0 or s == 0:
            continue
        recid = y & 1 | (2 if x >= N else 0)
        return (r, s, recid) if s <= N // 2 else (r, N - s, recid ^ 1)


def _nonces(digest: bytes, secret: bytes) -> Iterator[int]:
    """Nonces by RFC 6979 section 3.2 with HMAC-SHA256.

    As libsecp256k1 does, the digest goes in as it is rather than reduced modulo n, so that both backends sign alike.
    """
    key, value = bytes(32), b"\x01" * 32
    for separator in (b"\x00", b"\x01"):
        key = hmac.digest(key, value + separator + secret + digest, "sha256")
        value = hmac.digest(key, value, "sha256")
    while True:
        value = hmac.digest(key, value, "sha256")
        k = int.from_bytes(value, "big")
        if 0 < k < N:
            yield k
        key = hmac.digest(key, value + b"\x00", "sha256")
        value = hmac.digest(key, value, "sha256")


def public_key(secret: bytes) -> bytes:
    """The public key of a checked secret, 65 bytes."""
    return _serialize(_generator() * int.from_bytes(secret, "big"))
