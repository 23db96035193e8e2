"""Ed25519: RFC 8032's vectors, and the cases on which libraries differ, against a second implementation on ints."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.crypto import ed25519_verify

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
I = pow(2, (P - 1) // 4, P)  # noqa: E741
Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    """The complete addition law of the twisted Edwards curve, RFC 8032 section 5.1.4 in affine form."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    inverse = pow(1 - t * t, -1, P)
    return (x1 * y2 + x2 * y1) * (1 - t) * inverse % P, (y1 * y2 + x1 * x2) * (1 + t) * inverse % P


def times(k: int, point: Point) -> Point:
    result = IDENTITY
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(raw: bytes) -> Point | None:
    """Canonical encodings only."""
    number = int.from_bytes(raw, "little")
    y, sign = number % 2**255, number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * I % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else P - x), y


def by_the_book(message: bytes, signature: bytes, key: bytes) -> bool:
    """RFC 8032 section 5.1.7 without cofactor: both points decoded, and the equation as it stands."""
    a, r, s = decode(key), decode(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    return times(s, BASE) == add(r, times(challenge(signature[:32], key, message), a))


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


BASE = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little")) or IDENTITY


def keys(seed: bytes) -> tuple[int, bytes, bytes]:
    """Scalar, prefix and public key of a seed."""
    h = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(h[:32], "little") & (1 << 254) - 8 | 1 << 254
    return scalar, h[32:], encode(times(scalar, BASE))


def signed(seed: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Signature and key."""
    scalar, prefix, key = keys(seed)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    start = encode(times(r, BASE))
    s = (r + challenge(start, key, message) * scalar) % L
    return start + s.to_bytes(32, "little"), key


def small_order() -> list[Point]:
    """The eight points whose order divides the cofactor."""
    y = 2
    while True:
        point = decode(y.to_bytes(32, "little"))
        y += 1
        if point is not None:
            torsion = times(L, point)
            if times(4, torsion) != IDENTITY:
                return [times(n, torsion) for n in range(8)]


TORSION = small_order()

RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
        "55141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb"
        "00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc"
        "027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_rfc_8032(key: str, message: str, signature: str) -> None:
    raw = bytes.fromhex(signature)
    assert ed25519_verify(bytes.fromhex(message), raw, bytes.fromhex(key))
    assert not ed25519_verify(bytes.fromhex(message) + b"\0", raw, bytes.fromhex(key))
    for position in range(0, 64, 7):
        changed = bytearray(raw)
        changed[position] ^= 1
        assert not ed25519_verify(bytes.fromhex(message), bytes(changed), bytes.fromhex(key))


@settings(max_examples=5)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200))
def test_what_was_signed_verifies(seed: bytes, message: bytes) -> None:
    signature, key = signed(seed, message)
    assert ed25519_verify(message, signature, key) and by_the_book(message, signature, key)


def test_s_plus_the_order_is_refused() -> None:
    """The malleable twin, RFC 8032 section 8.4."""
    signature, key = signed(b"\1" * 32, b"m")
    s = int.from_bytes(signature[32:], "little")
    for twin in (s + L, s + 2 * L, s + 8 * L):
        assert not ed25519_verify(b"m", signature[:32] + twin.to_bytes(32, "little"), key)
    assert not ed25519_verify(b"m", signature[:32] + b"\xff" * 32, key)


def test_s_at_the_order_is_refused_where_zero_is_accepted() -> None:
    """A = identity: [S]B = R, so S = 0 with R = identity holds, and S = L is the same point."""
    identity = encode(IDENTITY)
    assert ed25519_verify(b"m", identity + bytes(32), identity)
    assert not ed25519_verify(b"m", identity + L.to_bytes(32, "little"), identity)
    assert ed25519_verify(b"m", encode(times(L - 1, BASE)) + (L - 1).to_bytes(32, "little"), identity)


@pytest.mark.parametrize("a", range(8))
@pytest.mark.parametrize("r", range(8))
def test_points_of_small_order_obey_the_equation_and_nothing_weaker(a: int, r: int) -> None:
    """With S = 0 the cofactored equation accepts all 64 pairs; ours accepts where R + [k]A really is 0."""
    key, start = encode(TORSION[a]), encode(TORSION[r])
    answers = set()
    for n in range(6):
        message = bytes([n])
        expected = (r + challenge(start, key, message) * a) % 8 == 0
        assert ed25519_verify(message, start + bytes(32), key) == expected
        assert by_the_book(message, start + bytes(32), key) == expected
        answers.add(expected)
    if a == 0:
        assert answers == {r == 0}


def test_a_key_with_a_small_order_part() -> None:
    """A + T for T of order 8: valid only for messages whose k is a multiple of 8; a cofactored verifier takes all."""
    scalar, _, _ = keys(b"\2" * 32)
    key = encode(add(times(scalar, BASE), TORSION[1]))
    answers = set()
    for n in range(16):
        message, r = bytes([n]), 1_000 + n
        start = encode(times(r, BASE))
        k = challenge(start, key, message)
        signature = start + ((r + k * scalar) % L).to_bytes(32, "little")
        assert ed25519_verify(message, signature, key) == (k % 8 == 0) == by_the_book(message, signature, key)
        answers.add(k % 8 == 0)
    assert answers == {False, True}


@pytest.mark.parametrize("r", range(8))
def test_an_r_of_small_order_under_an_ordinary_key(r: int) -> None:
    """[S]B - [k]A is then the identity or a point of order 2, 4 or 8; only r = 0 is reached with such a key."""
    scalar, _, key = keys(b"\3" * 32)
    start = encode(TORSION[r])
    signature = start + (challenge(start, key, b"m") * scalar % L).to_bytes(32, "little")
    assert ed25519_verify(b"m", signature, key) == (r == 0) == by_the_book(b"m", signature, key)


@settings(max_examples=20)
@given(s=st.integers(0, L - 1), a=st.integers(0, L - 1), torsion=st.integers(0, 7), far=st.booleans())
def test_any_point_of_the_whole_curve_as_key(s: int, a: int, torsion: int, far: bool) -> None:
    """R worked out by the affine law so that the equation holds is accepted exactly; another is not."""
    point = add(times(a, BASE), TORSION[torsion])
    key, message = encode(point), b"m"
    start = encode(TORSION[torsion]) if far else encode(times(s, BASE))
    signature = start + s.to_bytes(32, "little")
    assert ed25519_verify(message, signature, key) == by_the_book(message, signature, key)


NON_CANONICAL = [
    *[(y + P) | sign << 255 for y in range(19) for sign in (0, 1)],  # y of p and more
    1 | 1 << 255,  # x = 0 with its sign bit set
    P - 1 | 1 << 255,
]


@pytest.mark.parametrize("number", NON_CANONICAL)
def test_encodings_that_are_not_canonical_are_refused(number: int) -> None:
    """As key and as R, in equations that hold for the point they would decode to."""
    raw, identity = number.to_bytes(32, "little"), encode(IDENTITY)
    point = (0, number % 2**255 % P)
    as_r = encode(point) if point[1] == 1 else identity
    assert ed25519_verify(b"m", identity + bytes(32), identity)
    assert not ed25519_verify(b"m", as_r + bytes(32), raw)
    assert not ed25519_verify(b"m", raw + bytes(32), identity)


def test_keys_that_are_no_points_are_refused() -> None:
    signature, _ = signed(b"\1" * 32, b"m")
    refused = [n for n in range(2, 40) if decode(n.to_bytes(32, "little")) is None]
    assert len(refused) > 10
    for number in refused:
        assert not ed25519_verify(b"m", signature, number.to_bytes(32, "little"))


def test_other_lengths_are_refused() -> None:
    signature, key = signed(b"\1" * 32, b"m")
    assert ed25519_verify(b"m", signature, key)
    assert not ed25519_verify(b"m", signature[:63], key)
    assert not ed25519_verify(b"m", signature + b"\0", key)
    assert not ed25519_verify(b"m", signature, key[:31])
    assert not ed25519_verify(b"m", signature, key + b"\0")
