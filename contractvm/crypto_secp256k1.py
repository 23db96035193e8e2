"""secp256k1 on integers of Python: where libsecp256k1 is not. Some thirty times slower, the same answers.

Points are in Jacobian coordinates while they are worked on (x = X/Z^2, y = Y/Z^3; Z is 0 at infinity), and numbers are
reduced by folding, 2**256 being 2**32 + 977 modulo p: two folds leave at most 257 bits, of either sign.
Source: SEC 1 v2 sections 2.3.4 (compressed points), 4.1.3 to 4.1.6 (sign, verify, recover); RFC 6979 section 3.2;
the Explicit-Formulas Database, short Weierstrass curves with a = 0, for doubling and mixed addition.
Ranges of r, s, recid, key formats and secrets are checked by `contractvm.crypto`.
Never: asked directly, `contractvm.crypto` is the door; or constant time, so that who can measure the time of many
signatures may learn the key (accounts worth something sign where libsecp256k1 is, or on a device).
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from functools import cache
from typing import Final

from contractvm.crypto_windows import signed_digits

P: Final = 2**256 - 2**32 - 977
N: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
GX: Final = 0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798
GY: Final = 0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8
_LOW: Final = (1 << 256) - 1
_FOLD: Final = 2**32 + 977
_GENERATOR_WIDTH: Final = 8
_POINT_WIDTH: Final = 5

Affine = tuple[int, int]
Jacobian = tuple[int, int, int]
INFINITY: Final[Jacobian] = (1, 1, 0)


def _reduced(number: int) -> int:
    number = (number & _LOW) + _FOLD * (number >> 256)
    return (number & _LOW) + _FOLD * (number >> 256)


def _double(point: Jacobian) -> Jacobian:
    x, y, z = point
    # Most of the work of a signature is here, and a call would cost as much as a product: folded in place.
    square, e, z = y * y, 3 * x * x, 2 * y * z
    square = (square & _LOW) + _FOLD * (square >> 256)
    square = (square & _LOW) + _FOLD * (square >> 256)
    e = (e & _LOW) + _FOLD * (e >> 256)
    e = (e & _LOW) + _FOLD * (e >> 256)
    z = (z & _LOW) + _FOLD * (z >> 256)
    z = (z & _LOW) + _FOLD * (z >> 256)
    d = _reduced(4 * x * square)
    x = _reduced(e * e - 2 * d)
    return x, _reduced(e * (d - x) - 8 * square * square), z


def _add(point: Jacobian, other: Affine) -> Jacobian:
    """Mixed addition; the pairs for which its formula fails are told apart first."""
    x, y, z = point
    if z % P == 0:
        return (*other, 1)
    z2 = _reduced(z * z)
    h = _reduced(other[0] * z2 - x)
    r = _reduced(_reduced(z * z2) * other[1] - y)
    if h % P == 0:
        return _double(point) if r % P == 0 else INFINITY
    h2 = _reduced(h * h)
    h3, v = _reduced(h * h2), _reduced(x * h2)
    x = _reduced(r * r - h3 - 2 * v)
    return x, _reduced(r * (v - x) - y * h3), _reduced(z * h)


def _affine(point: Jacobian) -> Affine | None:
    """None at infinity."""
    x, y, z = point
    if z % P == 0:
        return None
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return x * square % P, y * square * inverse % P


def _odd_multiples(point: Affine, width: int) -> list[Affine]:
    """1, 3, 5, ... times a point: all that digits of this width ask for. None is infinity, the order being prime."""
    multiples = [point]
    twice = _affine(_double((*point, 1)))
    while twice is not None and len(multiples) < 1 << width - 2:
        following = _affine(_add((*multiples[-1], 1), twice))
        if following is not None:
            multiples.append(following)
    return multiples


@cache
def _generator_multiples() -> list[Affine]:
    return _odd_multiples((GX, GY), _GENERATOR_WIDTH)


def _combined(a: int, b: int, point: Affine) -> Affine | None:
    """a * G + b * point, both read in one go from the highest digit; None at infinity."""
    of_generator, of_point = signed_digits(a, _GENERATOR_WIDTH), signed_digits(b, _POINT_WIDTH)
    length = max(len(of_generator), len(of_point))
    of_generator += [0] * (length - len(of_generator))
    of_point += [0] * (length - len(of_point))
    sources = (_generator_multiples(), _odd_multiples(point, _POINT_WIDTH) if b else [])
    total = INFINITY
    for digits in zip(reversed(of_generator), reversed(of_point), strict=True):
        total = _double(total)
        for digit, multiples in zip(digits, sources, strict=True):
            if digit > 0:
                total = _add(total, multiples[digit >> 1])
            elif digit:
                x, y = multiples[-digit >> 1]
                total = _add(total, (x, -y))
    return _affine(total)


def _times_generator(scalar: int) -> Affine:
    """scalar * G, for a scalar from 1 to n - 1, which gives no infinity."""
    point = _combined(scalar, 0, (GX, GY))
    if point is None:
        raise ValueError("a multiple of the group's order has no affine point")
    return point


def _lift(x: int, odd: int) -> Affine | None:
    """The point with this x and parity of y; None when x is not the abscissa of a point."""
    if x >= P:
        return None
    square = (x * x * x + 7) % P
    y = pow(square, (P + 1) // 4, P)
    if y * y % P != square:
        return None
    return x, (y if y & 1 == odd else P - y)


def _serialize(point: Affine) -> bytes:
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _parse(key: bytes) -> Affine | None:
    x = int.from_bytes(key[1:33], "big")
    if len(key) == 33:
        return _lift(x, key[0] & 1)
    y = int.from_bytes(key[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x - 7) % P:
        return None
    return x, y


def recover(digest: bytes, r: int, s: int, recid: int) -> bytes | None:
    """The signer's public key, 65 bytes; None when R is not on the curve or the key would be infinity."""
    nonce_point = _lift(r + N if recid & 2 else r, recid & 1)
    if nonce_point is None:
        return None
    inverse = pow(r, -1, N)
    e = int.from_bytes(digest, "big")
    key = _combined(-e * inverse % N, s * inverse % N, nonce_point)
    return None if key is None else _serialize(key)


def verify(digest: bytes, r: int, s: int, key: bytes) -> bool:
    """Whether (r, s) is a signature of `digest` by `key` (33 or 65 bytes)."""
    signer = _parse(key)
    if signer is None:
        return False
    inverse = pow(s, -1, N)
    e = int.from_bytes(digest, "big")
    point = _combined(e * inverse % N, r * inverse % N, signer)
    return point is not None and point[0] % N == r


def sign(digest: bytes, secret: bytes) -> tuple[int, int, int]:
    """(r, s, recid), s low, nonce by RFC 6979."""
    d = int.from_bytes(secret, "big")
    e = int.from_bytes(digest, "big")
    nonces = _nonces(digest, secret)
    while True:
        k = next(nonces)
        x, y = _times_generator(k)
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
    return _serialize(_times_generator(int.from_bytes(secret, "big")))
