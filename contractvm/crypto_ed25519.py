"""Ed25519 verification, cofactorless, on group arithmetic of its own.

RFC 8032 lets a verifier multiply by the cofactor or not, and libraries differ; consensus cannot. Here [S]B = R + [k]A
is checked as it stands, by encoding [S]B - [k]A and comparing bytes, so a non-canonical R never matches. S must be
below the group's order, A's y below p, and A's sign bit is refused where x is 0. Points of small order obey the
equation like others, which libraries that refuse them cannot check; the addition law used here has no exceptions.

Numbers are reduced by folding, 2**255 being 19 modulo p: a fifth of the time of `%`. One fold of a product leaves at
most 274 bits and two at most 256, of either sign; sums of a few products of such numbers stay within that.
Source: RFC 8032 sections 5.1.3 (decoding), 5.1.4 (extended coordinates), 5.1.7 (verification).
Never: signs, batches, pre-hashes or takes a context; there is no secret here that time could tell.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from contractvm.crypto_windows import signed_digits

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P
SQRT_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)
BX: Final = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BY: Final = 4 * pow(5, -1, P) % P
_LOW: Final = (1 << 255) - 1
_BASE_WIDTH: Final = 8
_KEY_WIDTH: Final = 5

Extended = tuple[int, int, int, int]
"""X, Y, Z, T: the point x = X/Z, y = Y/Z, and T = XY/Z."""
Addend = tuple[int, int, int, int]
"""Y - X, Y + X, 2Z, 2dT: what an addition wants of its second point."""
IDENTITY: Final[Extended] = (0, 1, 1, 0)


def _reduced(number: int) -> int:
    number = (number & _LOW) + 19 * (number >> 255)
    return (number & _LOW) + 19 * (number >> 255)


def _addend(point: Extended) -> Addend:
    x, y, z, t = point
    return (y - x) % P, (y + x) % P, 2 * z % P, 2 * D * t % P


def _add(point: Extended, other: Addend) -> Extended:
    """The complete addition law: no pair of points is special."""
    x, y, z, t = point
    minus, plus, twice_z, scaled_t = other
    a, b = (y - x) * minus, (y + x) * plus
    c, d = t * scaled_t, z * twice_z
    e, f, g, h = b - a, d - c, d + c, b + a
    e = (e & _LOW) + 19 * (e >> 255)
    f = (f & _LOW) + 19 * (f >> 255)
    g = (g & _LOW) + 19 * (g >> 255)
    h = (h & _LOW) + 19 * (h >> 255)
    return _reduced(e * f), _reduced(g * h), _reduced(f * g), _reduced(e * h)


def _subtract(point: Extended, other: Addend) -> Extended:
    minus, plus, twice_z, scaled_t = other
    return _add(point, (plus, minus, twice_z, -scaled_t))


def _odd_multiples(point: Extended, width: int) -> list[Addend]:
    """1, 3, 5, ... times a point: all that digits of this width ask for."""
    twice = _addend(_add(point, _addend(point)))
    multiples = [point]
    while len(multiples) < 1 << width - 2:
        multiples.append(_add(multiples[-1], twice))
    return [_addend(multiple) for multiple in multiples]


@cache
def _base_multiples() -> list[Addend]:
    return _odd_multiples((BX, BY, 1, BX * BY % P), _BASE_WIDTH)


def _combined(s: int, k: int, point: Extended) -> Extended:
    """[s]B + [k]point, both read in one go from the highest digit."""
    of_base, of_point = signed_digits(s, _BASE_WIDTH), signed_digits(k, _KEY_WIDTH)
    length = max(len(of_base), len(of_point))
    of_base += [0] * (length - len(of_base))
    of_point += [0] * (length - len(of_point))
    sources = (_base_multiples(), _odd_multiples(point, _KEY_WIDTH))
    low = _LOW
    x, y, z, t = IDENTITY
    for digits in zip(reversed(of_base), reversed(of_point), strict=True):
        # Doubled, and folded, in place: a call would cost as much as a product.
        a, b = x * x, y * y
        e, g, h = 2 * x * y, b - a, -a - b
        e = (e & low) + 19 * (e >> 255)
        g = (g & low) + 19 * (g >> 255)
        h = (h & low) + 19 * (h >> 255)
        f = g - 2 * z * z
        f = (f & low) + 19 * (f >> 255)
        x, y, z = e * f, g * h, f * g
        x = (x & low) + 19 * (x >> 255)
        y = (y & low) + 19 * (y >> 255)
        z = (z & low) + 19 * (z >> 255)
        x = (x & low) + 19 * (x >> 255)
        y = (y & low) + 19 * (y >> 255)
        z = (z & low) + 19 * (z >> 255)
        if digits == (0, 0):
            continue
        t = _reduced(e * h)  # Only an addition reads it.
        for digit, multiples in zip(digits, sources, strict=True):
            if digit > 0:
                x, y, z, t = _add((x, y, z, t), multiples[digit >> 1])
            elif digit:
                x, y, z, t = _subtract((x, y, z, t), multiples[-digit >> 1])
    return x, y, z, t


def _squared(number: int, times: int) -> int:
    low = _LOW
    for _ in range(times):
        number *= number
        number = (number & low) + 19 * (number >> 255)
        number = (number & low) + 19 * (number >> 255)
    return number


def _to_the_p58(number: int) -> int:
    """number ** ((p - 5) / 8), where the exponent is 2**252 - 3: runs of ones, each twice as long as the one before."""
    ones, length = number, 1  # number ** (2**length - 1)
    for bit in "1111010":  # 250 below its leading one
        ones = ones * _squared(ones, length) % P
        length *= 2
        if bit == "1":
            ones = number * _squared(ones, 1) % P
            length += 1
    return number * _squared(ones, 2) % P


def _decode(encoded: bytes) -> tuple[int, int] | None:
    """(x, y) of 32 bytes; None when they are not the canonical encoding of a point."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    v3 = v * v * v % P
    x = u * v3 * _to_the_p58(u * v3 * v3 * v % P) % P
    if v * x * x % P != u:
        x = x * SQRT_MINUS_ONE % P
        if v * x * x % P != u:
            return None
    if x == 0 and sign:
        return None
    return (x if x & 1 == sign else P - x), y


def _encode(point: Extended) -> bytes:
    inverse = pow(point[2], -1, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def verify(message: bytes, signature: bytes, key: bytes) -> bool:
    """Whether the 64-byte `signature` over `message` is by the 32-byte `key`."""
    if len(signature) != 64 or len(key) != 32:
        return False
    s = int.from_bytes(signature[32:], "little")
    point = _decode(key)
    if s >= L or point is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    x, y = -point[0] % P, point[1]
    return _encode(_combined(s, k, (x, y, 1, x * y % P))) == signature[:32]
