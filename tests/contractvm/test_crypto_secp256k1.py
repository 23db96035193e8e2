"""secp256k1 on every backend: the same answer for good and bad input, the answer that Ethereum gives."""

from __future__ import annotations

import importlib
from functools import cache
from importlib.util import find_spec
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm import crypto
from contractvm.crypto import FIELD as P
from contractvm.crypto import HALF_ORDER, recover, sign, verify
from contractvm.crypto import ORDER as N

BACKENDS: dict[str, str | None] = {**crypto.CURVE_LIBRARIES, "contractvm.crypto_secp256k1": None}
"""And the libraries that they stand on."""
SECRET = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
DIGEST = crypto.keccak256(b"a message")
GX = 0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798
GY = 0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8


@cache
def backend(name: str) -> ModuleType:
    if library := BACKENDS[name]:
        pytest.importorskip(library, reason=f"{library} is not installed (it has no wheel for every Python)")
    return importlib.import_module(name)


@cache
def backends() -> list[ModuleType]:
    """All that are installed here."""
    return [backend(name) for name, library in BACKENDS.items() if library is None or find_spec(library)]


@pytest.fixture(params=BACKENDS, autouse=True)
def used(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The backend that `contractvm.crypto` stands on in a test."""
    module = backend(request.param)
    monkeypatch.setattr(crypto, "curve", lambda: module)
    return module


def pair(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def compressed(key: bytes) -> bytes:
    return bytes([2 + (key[-1] & 1)]) + key[1:33]


def test_public_keys() -> None:
    generator = b"\4" + GX.to_bytes(32, "big") + GY.to_bytes(32, "big")
    assert crypto.public_key((1).to_bytes(32, "big")) == generator
    minus = b"\4" + GX.to_bytes(32, "big") + (P - GY).to_bytes(32, "big")
    assert crypto.public_key((N - 1).to_bytes(32, "big")) == minus


def test_signatures_are_rfc_6979s() -> None:
    """The vectors that implementations of secp256k1 share: SHA-256 digest, low s."""
    vectors = [
        (1, b"Satoshi Nakamoto", "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8",
         "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"),
        (1, b"All those moments will be lost in time, like tears in rain. Time to die...",
         "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b",
         "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21"),
        (N - 1, b"Satoshi Nakamoto", "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0",
         "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5"),
    ]  # fmt: skip
    for secret, message, r, s in vectors:
        assert sign(crypto.sha256(message), secret.to_bytes(32, "big"))[:2] == (int(r, 16), int(s, 16))


def test_the_recovery_of_a_known_transaction_signature() -> None:
    """The example of EIP-155."""
    digest = bytes.fromhex("daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53")
    r = 0x28EF61340BD939BC2195FE537567866003E1A15D3C71FF63E1590620AA636276
    s = 0x67CBE9D8997F761AECB703304B3800CCF555C9F3DC64214B297FB1966A3B6D83
    key = recover(digest, r, s, 0)
    assert key is not None
    assert crypto.address_of(key).hex() == "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"


@settings(max_examples=25)
@given(digest=st.binary(min_size=32, max_size=32), secret=st.integers(1, N - 1))
def test_backends_sign_recover_and_verify_alike(digest: bytes, secret: int) -> None:
    raw, answers = secret.to_bytes(32, "big"), set()
    for module in backends():
        r, s, recid = module.sign(digest, raw)
        key = module.public_key(raw)
        assert s <= HALF_ORDER
        assert module.recover(digest, r, s, recid) == key
        assert module.verify(digest, r, s, key) and module.verify(digest, r, s, compressed(key))
        answers.add((r, s, recid, key))
    assert len(answers) == 1


NEAR = [0, 1, 2, N - 1, N, N + 1, P - N - 1, P - N, P - 1, P, 2**256 - 1, HALF_ORDER, HALF_ORDER + 1, GX]


@settings(max_examples=150)
@given(
    digest=st.one_of(
        st.sampled_from([bytes(32), b"\xff" * 32, N.to_bytes(32, "big")]), st.binary(min_size=32, max_size=32)
    ),
    r=st.one_of(st.sampled_from(NEAR), st.integers(0, 2**256 - 1)),
    s=st.one_of(st.sampled_from(NEAR), st.integers(0, 2**256 - 1)),
    recid=st.integers(-1, 5),
)
def test_backends_recover_the_same_from_anything(digest: bytes, r: int, s: int, recid: int) -> None:
    answers = set()
    with pytest.MonkeyPatch.context() as patch:
        for module in backends():
            patch.setattr(crypto, "curve", lambda module=module: module)
            answers.add(recover(digest, r, s, recid))
    assert len(answers) == 1
    (key,) = answers
    if key is not None and s <= HALF_ORDER:
        assert verify(digest, pair(r, s), key)


@pytest.mark.parametrize("recid", range(4))
@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (N, 1), (1, N), (N + 1, 1), (2**256 - 1, 1), (1, 2**256 - 1)])
def test_out_of_range(r: int, s: int, recid: int) -> None:
    assert recover(DIGEST, r, s, recid) is None
    assert not verify(DIGEST, pair(r, s), crypto.public_key(SECRET))


def test_an_x_that_was_reduced_modulo_the_order() -> None:
    """recid 2 and 3: R's x is r + n, which leaves p - n values of r, all of them small."""
    found = 0
    for r in range(1, 40):
        for recid in (2, 3):
            key = recover(DIGEST, r, 5, recid)
            x = r + N
            on_curve = pow(x**3 + 7, (P - 1) // 2, P) == 1
            assert (key is not None) == on_curve
            if key is not None:
                found += 1
                assert verify(DIGEST, pair(r, 5), key)
    assert found > 10
    assert recover(DIGEST, P - N, 5, 2) is None
    assert recover(DIGEST, P - N + 1, 5, 3) is None


def test_a_key_at_infinity_is_none() -> None:
    """R = G and s = e make Q = (sG - eG) / r infinity."""
    for e in (1, 5, N - 1):
        assert recover(e.to_bytes(32, "big"), GX, e, GY & 1) is None
        assert recover(e.to_bytes(32, "big"), GX, e, GY & 1 ^ 1) is not None


def test_a_sum_at_infinity_does_not_verify() -> None:
    """u1 G + u2 Q is infinity for Q = G and r = -e."""
    generator = crypto.public_key((1).to_bytes(32, "big"))
    e = 12_345
    assert not verify(e.to_bytes(32, "big"), pair(N - e, 7), generator)


def test_equal_points_are_doubled() -> None:
    """u1 G = u2 Q, where an addition must notice that it doubles: for Q = G and e = r = s the sum is 2G."""
    generator = crypto.public_key((1).to_bytes(32, "big"))
    r = int.from_bytes(crypto.public_key((2).to_bytes(32, "big"))[1:33], "big")
    s = min(r, N - r)  # The other sign gives -2G, which has the same x.
    assert verify(r.to_bytes(32, "big"), pair(r, s), generator)
    assert not verify((r - 1).to_bytes(32, "big"), pair(r, s), generator)


def test_digests_at_and_above_the_order_are_reduced() -> None:
    key = crypto.public_key(SECRET)
    r, s, recid = sign((7).to_bytes(32, "big"), SECRET)
    same = (7 + N).to_bytes(32, "big")
    assert verify(same, pair(r, s), key)
    assert recover(same, r, s, recid) == key


def test_high_s_is_refused_by_verify_and_taken_by_recover() -> None:
    r, s, recid = sign(DIGEST, SECRET)
    key = crypto.public_key(SECRET)
    assert verify(DIGEST, pair(r, s), key)
    assert not verify(DIGEST, pair(r, N - s), key)
    assert recover(DIGEST, r, N - s, recid ^ 1) == key


def test_keys_in_other_forms_are_refused() -> None:
    r, s, _ = sign(DIGEST, SECRET)
    key, signature = crypto.public_key(SECRET), pair(r, s)
    short = compressed(key)
    assert verify(DIGEST, signature, key) and verify(DIGEST, signature, short)
    bad = [b"", key[:64], key + b"\0", key[1:], short[:32], short + b"\0", b"\2" + key[1:], b"\4" + short[1:]]
    bad += [bytes([first]) + key[1:] for first in (0, 1, 2, 3, 5, 6, 7, 255)]
    bad += [bytes([first]) + short[1:] for first in (0, 1, 4, 5, 6, 7, 255)]
    bad += [bytes([short[0] ^ 1]) + short[1:]]
    assert [form for form in bad if verify(DIGEST, signature, form)] == []


def test_keys_off_the_curve_or_not_reduced_are_refused() -> None:
    r, s, _ = sign(DIGEST, SECRET)
    signature = pair(r, s)
    for x, y in ((GX, GY + 1), (0, 0), (P, GY), (GX, P), (5, 5), (2**256 - 1, 2**256 - 1)):
        assert not verify(DIGEST, signature, b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))
    for x in (0, 5, P, 2**256 - 1):
        assert not verify(DIGEST, signature, b"\2" + x.to_bytes(32, "big"))


def test_an_unreduced_x_is_not_the_key_it_would_reduce_to() -> None:
    """x = 1 is on the curve. For e = 0 and s = -1 the recovered key is -R, and (1, 1) is a signature by it."""
    found = recover(bytes(32), 1, N - 1, 0)
    assert found is not None and found[1:33] == (1).to_bytes(32, "big")
    key = compressed(found)
    assert verify(bytes(32), pair(1, 1), key)
    assert not verify(bytes(32), pair(1, 1), key[:1] + (P + 1).to_bytes(32, "big"))
    unreduced = b"\4" + (P + 1).to_bytes(32, "big") + found[33:]
    assert not verify(bytes(32), pair(1, 1), unreduced)


def test_signatures_of_other_lengths_are_refused() -> None:
    r, s, _ = sign(DIGEST, SECRET)
    key = crypto.public_key(SECRET)
    assert not verify(DIGEST, pair(r, s)[:63], key)
    assert not verify(DIGEST, pair(r, s) + b"\0", key)


@pytest.mark.parametrize("position", range(0, 64, 3))
def test_a_changed_signature_does_not_verify(position: int) -> None:
    r, s, _ = sign(DIGEST, SECRET)
    raw = bytearray(pair(r, s))
    raw[position] ^= 1
    assert not verify(DIGEST, bytes(raw), crypto.public_key(SECRET))
