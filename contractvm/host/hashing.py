"""Hashes and signatures: pure functions of memory.

Source: yellow paper appendices E and F for what Ethereum's precompiles do with bad input (answer, never trap),
appendix H for arithmetic by zero. Never: touches the world.
"""

from __future__ import annotations

from contractvm import crypto
from contractvm.host.frame import MINUS_ONE, Host, words


def _message(host: Host, pointer: int, length: int, out: int, size: int) -> bytes:
    """What is to be hashed, when there is room for a digest of `size` bytes."""
    data = host.take(pointer, length)
    host.room(out, size)
    return data


def keccak256(host: Host, pointer: int, length: int, out: int) -> None:
    """Ethereum's hash, 32 bytes."""
    host.charge(host.prices.keccak_base + host.prices.keccak_word * words(length))
    host.put(out, crypto.keccak_function()(_message(host, pointer, length, out, 32)))


def sha256(host: Host, pointer: int, length: int, out: int) -> None:
    """SHA-256, 32 bytes."""
    host.charge(host.prices.sha256_base + host.prices.sha256_word * words(length))
    host.put(out, crypto.sha256(_message(host, pointer, length, out, 32)))


def blake2b256(host: Host, pointer: int, length: int, out: int) -> None:
    """BLAKE2b, 32 bytes."""
    host.charge(host.prices.blake2b_base + host.prices.blake2b_word * words(length))
    host.put(out, crypto.blake2b256(_message(host, pointer, length, out, 32)))


def ripemd160(host: Host, pointer: int, length: int, out: int) -> None:
    """RIPEMD-160, 20 bytes."""
    host.charge(host.prices.ripemd160_base + host.prices.ripemd160_word * words(length))
    host.put(out, crypto.ripemd160(_message(host, pointer, length, out, 20)))


def ecrecover(host: Host, digest: int, signature: int, recid: int, out: int) -> int:
    """Copy the 20-byte address that signed; -1 when the signature gives none. High s is accepted."""
    host.charge(host.prices.ecrecover_base)
    hashed, rs = host.take(digest, 32), host.take(signature, 64)
    host.room(out, 20)
    key = crypto.recover(hashed, int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big"), recid)
    if key is None:
        return MINUS_ONE
    host.put(out, crypto.address_of(key))
    return 20


def secp256k1_verify(host: Host, digest: int, signature: int, key: int, key_len: int) -> int:
    """1 if the signature is by the key. High s and keys that are not 33 or 65 bytes give 0."""
    host.charge(host.prices.secp256k1_base)
    hashed, rs = host.take(digest, 32), host.take(signature, 64)
    host.room(key, key_len)
    if key_len not in (33, 65):
        return 0
    return 1 if crypto.verify(hashed, rs, host.take(key, key_len)) else 0


def ed25519_verify(host: Host, message: int, length: int, signature: int, key: int) -> int:
    """1 if the 64-byte signature over the message is by the 32-byte key (RFC 8032, cofactorless)."""
    host.charge(host.prices.ed25519_base + host.prices.ed25519_word * words(length))
    text, rs, signer = host.take(message, length), host.take(signature, 64), host.take(key, 32)
    return 1 if crypto.ed25519_verify(text, rs, signer) else 0
