"""Hashes, keys, addresses and the choice of backends."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import types

import pytest

from contractvm import crypto
from contractvm.errors import Fatal

SLOW = crypto._pycryptodome_keccak()


def test_keccak_is_not_sha3() -> None:
    assert crypto.keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert crypto.keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"
    assert crypto.keccak256(b"abc") != hashlib.sha3_256(b"abc").digest()


@pytest.mark.parametrize("length", [*range(140), *range(270, 276), 1_000, 100_000])
def test_both_keccaks_agree(length: int) -> None:
    data = bytes(i * 7 % 256 for i in range(length))
    assert crypto.keccak256(data) == crypto.keccak_function()(data) == SLOW(data)


def forget(monkeypatch: pytest.MonkeyPatch, **modules: object) -> None:
    """Have the backends looked for again, with these modules in place (None: not installed)."""
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    for cached in (crypto.keccak_function, crypto.curve):
        cached.cache_clear()
    for backend in ("coincurve", "btclib"):
        monkeypatch.delitem(sys.modules, f"contractvm.crypto_{backend}", raising=False)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> object:
    """Undo what `forget` did."""
    yield
    monkeypatch.undo()
    for cached in (crypto.keccak_function, crypto.curve):
        cached.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_without_tiny_keccak_pycryptodome_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, tiny_keccak=None)
    assert crypto.keccak_function().__qualname__.startswith("_pycryptodome_keccak")
    assert crypto.keccak256(b"abc") == SLOW(b"abc")


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("length", [0, 135, 136, 273])
def test_a_wrong_keccak_stops_everything(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    broken = types.ModuleType("tiny_keccak")
    broken.keccak256 = lambda data: bytes(32) if len(data) == length else SLOW(data)  # type: ignore[attr-defined]
    forget(monkeypatch, tiny_keccak=broken)
    with pytest.raises(Fatal, match="reinstall tiny-keccak"):
        crypto.keccak256(b"")


@pytest.mark.usefixtures("fresh")
def test_without_libsecp256k1_our_own_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch, coincurve=None, btclib_libsecp256k1=None)
    assert crypto.curve().__name__ == "contractvm.crypto_secp256k1"


@pytest.mark.usefixtures("fresh")
def test_without_coincurve_btclib_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("btclib_libsecp256k1", reason="btclib_libsecp256k1 is not installed")
    forget(monkeypatch, coincurve=None)
    assert crypto.curve().__name__ == "contractvm.crypto_btclib"


def test_other_hashes() -> None:
    """RFC 7693 has no 32-byte vector; this one is b2sum's."""
    assert crypto.sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert crypto.ripemd160(b"abc").hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"
    assert crypto.blake2b256(b"abc").hex() == "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"


def test_an_address() -> None:
    """The first account of the well-known development mnemonic."""
    secret = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
    address = crypto.address_of_secret(secret)
    assert address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert crypto.address_of(crypto.public_key(secret)) == address


@pytest.mark.parametrize(
    "secret", [b"", bytes(32), b"\1" * 31, b"\1" * 33, crypto.ORDER.to_bytes(32, "big"), b"\xff" * 32]
)
def test_bad_secrets_are_refused(secret: bytes) -> None:
    for function in (crypto.public_key, crypto.address_of_secret, lambda s: crypto.sign(bytes(32), s)):
        with pytest.raises(ValueError, match="private key is 32 bytes"):
            function(secret)


def test_importing_it_loads_no_backend() -> None:
    program = (
        "import sys, contractvm.crypto; "
        "backends = 'tiny_keccak coincurve btclib_libsecp256k1 Crypto'.split(); "
        "print([m for m in (*backends, 'contractvm.crypto_coincurve', 'contractvm.crypto_btclib') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
