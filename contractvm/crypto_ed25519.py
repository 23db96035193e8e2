"""Ed25519 verification, cofactorless, on pycryptodome's group arithmetic.

RFC 8032 lets a verifier multiply by the cofactor or not, and libraries differ; consensus cannot. Here [S]B = R + [k]A
is checked as it stands, by encoding [S]B - [k]A and comparing bytes, so a non-canonical R never matches. S must be
below the group's order, A's y below p, and A's sign bit is refused where x is 0. Points of small order obey the
equation like others.
Source: RFC 8032 sections 5.1.3 (decoding), 5.1.7 (verification).
Never: signs, batches, pre-hashes or takes a context.
"""

from __future__ import annotations

import hashlib
from functools import cache

from Crypto.PublicKey.ECC import EccPoint  # type: ignore[attr-defined]

NAME = "Ed25519"
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE = pow(2, (P - 1) // 4, P)
BX = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BY = 4 * pow(5, -1, P) % P


@cache
def _base() -> EccPoint:
    return EccPoint(BX, BY, NAME)


def _decode(encoded: bytes) -> tuple[int, int] | None:
    """(x, y) of 32 bytes; None when they are not the canonical encoding of a point."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * SQRT_MINUS_ONE % P
        if v * x * x % P != u:
            return None
    if x == 0 and sign:
        return None
    return (x if x & 1 == sign else P - x), y


def _encode(point: EccPoint) -> bytes:
    x, y = point.xy
    return (int(y) | (int(x) & 1) << 255).to_bytes(32, "little")


def verify(message: bytes, signature: bytes, key: bytes) -> bool:
    """Whether the 64-byte `signature` over `message` is by the 32-byte `key`."""
    if len(signature) != 64 or len(key) != 32:
        return False
    s = int.from_bytes(signature[32:], "little")
    point = _decode(key)
    if s >= L or point is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus_a = EccPoint(-point[0] % P, point[1], NAME)
    return _encode(_base() * s + minus_a * k) == signature[:32]
