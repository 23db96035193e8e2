"""Hashes and signatures through the table: results, prices, bad input that is answered rather than trapped."""

from __future__ import annotations

import pytest

from contractvm import crypto
from tests.contractvm.host.rig import MINUS_ONE, OUT_AT, PAGE, RULES, VALUE_AT, rig

gas = RULES.schedule.gas
WORD = gas("copy.word")

EMPTY = {
    "keccak256": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "blake2b256": "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
    "ripemd160": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
}
PRICE = {"keccak256": "keccak", "sha256": "sha256", "blake2b256": "blake2b", "ripemd160": "ripemd160"}


@pytest.mark.parametrize("name", EMPTY)
def test_the_hash_of_nothing(name: str) -> None:
    frame = rig()
    frame.put(OUT_AT, b"\xee" * 40)
    digest = bytes.fromhex(EMPTY[name])
    assert frame.run(name, PAGE, 0, OUT_AT) is None
    assert frame.get(OUT_AT, 40) == digest + b"\xee" * (40 - len(digest))


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("length", [1, 31, 32, 33, 135, 136, 137, 1_000])
def test_a_hash_and_its_price(name: str, length: int) -> None:
    frame = rig()
    data = bytes(range(256))[:length] + bytes(max(0, length - 256))
    frame.put(0, data)
    words = (length + 31) // 32
    assert frame.cost(name, 0, length, OUT_AT) == gas(f"{PRICE[name]}.base") + words * gas(f"{PRICE[name]}.word")
    expected = getattr(crypto, name)(data)
    assert frame.get(OUT_AT, len(expected)) == expected


@pytest.mark.parametrize("name", EMPTY)
def test_a_hash_may_cover_what_it_hashes(name: str) -> None:
    frame = rig()
    frame.put(0, b"\x07" * 64)
    frame.run(name, 0, 64, 16)
    expected = getattr(crypto, name)(b"\x07" * 64)
    assert frame.get(16, len(expected)) == expected


SECRET, DIGEST = b"\x2a" * 32, crypto.keccak256(b"message")
R, S, RECID = crypto.sign(DIGEST, SECRET)
KEY = crypto.public_key(SECRET)


def pair(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def test_ecrecover() -> None:
    frame = rig()
    frame.put(0, DIGEST + pair(R, S))
    assert frame.cost("ecrecover", 0, 32, RECID, OUT_AT) == 3_000
    assert frame.run("ecrecover", 0, 32, RECID, OUT_AT) == 20
    assert frame.get(OUT_AT, 20) == crypto.address_of(KEY)


def test_ecrecover_takes_high_s_with_the_other_parity() -> None:
    frame = rig()
    frame.put(0, DIGEST + pair(R, crypto.ORDER - S))
    assert frame.run("ecrecover", 0, 32, RECID ^ 1, OUT_AT) == 20
    assert frame.get(OUT_AT, 20) == crypto.address_of(KEY)


@pytest.mark.parametrize(("r", "s", "recid"), [(0, S, 0), (R, 0, 0), (crypto.ORDER, S, 0), (R, S, 4), (R, S, 27),
                                               (R, S, 0xFFFF_FFFF), (R, S, 2)])  # fmt: skip
def test_ecrecover_answers_what_gives_no_key(r: int, s: int, recid: int) -> None:
    frame = rig()
    frame.put(0, DIGEST + pair(r, s))
    frame.put(OUT_AT, b"\xee" * 20)
    assert frame.run("ecrecover", 0, 32, recid, OUT_AT) == MINUS_ONE
    assert frame.get(OUT_AT, 20) == b"\xee" * 20


@pytest.mark.parametrize("key", [KEY, bytes([2 + (KEY[-1] & 1)]) + KEY[1:33]], ids=["65 bytes", "33 bytes"])
def test_secp256k1_verify(key: bytes) -> None:
    frame = rig()
    frame.put(0, DIGEST + pair(R, S))
    frame.put(VALUE_AT, key)
    assert frame.cost("secp256k1_verify", 0, 32, VALUE_AT, len(key)) == 3_000
    assert frame.run("secp256k1_verify", 0, 32, VALUE_AT, len(key)) == 1
    frame.put(0, b"\0")
    assert frame.run("secp256k1_verify", 0, 32, VALUE_AT, len(key)) == 0


def test_secp256k1_verify_refuses_high_s_hybrid_keys_and_odd_lengths() -> None:
    frame = rig()
    frame.put(0, DIGEST + pair(R, crypto.ORDER - S))
    frame.put(VALUE_AT, KEY)
    assert frame.run("secp256k1_verify", 0, 32, VALUE_AT, 65) == 0
    frame.put(0, DIGEST + pair(R, S))
    frame.put(VALUE_AT, bytes([6 + (KEY[-1] & 1)]))
    assert frame.run("secp256k1_verify", 0, 32, VALUE_AT, 65) == 0
    frame.put(VALUE_AT, KEY)
    for length in (0, 32, 34, 64, 66, 1_000):
        assert frame.run("secp256k1_verify", 0, 32, VALUE_AT, length) == 0


def test_ed25519_verify() -> None:
    """RFC 8032, section 7.1, test 2."""
    frame = rig()
    frame.put(0, bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    frame.put(
        32,
        bytes.fromhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    )
    frame.put(100, b"\x72")
    assert frame.run("ed25519_verify", 100, 1, 32, 0) == 1
    assert frame.run("ed25519_verify", 101, 1, 32, 0) == 0
    assert frame.cost("ed25519_verify", 100, 33, 32, 0) == gas("ed25519.base") + 2 * gas("ed25519.word")
