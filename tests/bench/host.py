"""Nanoseconds of each host function, next to its price in gas: the record behind the prices that no EIP fixes.

`python -m tests.bench.host`. The function is called as a machine calls it, with gas to spare, on a world in memory; the
time of an empty Python call is taken off. Never: asserts a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import MethodType

from contractvm.crypto import public_key, sign
from contractvm.host import BY_NAME
from tests.bench import host_native
from tests.bench.report import Row
from tests.contractvm.host.rig import KEY_AT, OTHER, OUT_AT, VALUE_AT, Rig, rig

ROUNDS = 7
DIGEST_AT, SIGNATURE_AT = 0xD000, 0xD100


def _prepared() -> Rig:
    frame = rig(gas=1 << 50, data=bytes(1000), value=5)
    frame.host.returndata = bytes(1000)
    frame.world.add_balance(frame.host.self_address, 1 << 200)
    frame.world.set_nonce(OTHER, 1)
    frame.put(0, OTHER)
    frame.put(KEY_AT, bytes(range(1, 33)))
    frame.put(VALUE_AT, bytes(range(32, 64)))
    frame.put(VALUE_AT + 0x100, b"\xff" * 64)
    digest, secret = b"\x42" * 32, b"\x01" * 32
    r, s, recid = sign(digest, secret)
    frame.put(DIGEST_AT, digest)
    frame.put(SIGNATURE_AT, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    frame.put(SIGNATURE_AT + 0x80, bytes([recid]))
    frame.run("storage_set", KEY_AT, 20, VALUE_AT, 12)
    frame.run("storage_set", KEY_AT, 32, VALUE_AT, 32)
    frame.run("storage_set", KEY_AT, 31, 0, 0x8000)
    frame.run("transient_set", KEY_AT, 20, VALUE_AT, 12)
    for n in range(1000):
        frame.world.set_storage(frame.host.self_address, b"k" + n.to_bytes(8, "big"), bytes(8))
    frame.run("iter_open", 0, 0, 0, 0, 0)
    frame.run("iter_next", 1)
    return frame


NUMBER_A, NUMBER_B = VALUE_AT + 0x100, VALUE_AT + 0x120

CASES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("storage_get", "warm, one unit", (KEY_AT, 20, OUT_AT, 32)),
    ("storage_get", "warm, 32-byte key and value", (KEY_AT, 32, OUT_AT, 32)),
    ("storage_get", "warm, 32 KiB", (KEY_AT, 31, OUT_AT, 0x8000)),
    ("storage_has", "warm", (KEY_AT, 20)),
    ("storage_set", "same value", (KEY_AT, 20, VALUE_AT, 12)),
    ("transient_get", "one unit", (KEY_AT, 20, OUT_AT, 32)),
    ("transient_set", "one unit", (KEY_AT, 20, VALUE_AT, 12)),
    ("iter_key", "9 bytes", (1, OUT_AT, 64)),
    ("iter_open", "32-byte bounds, and iter_close", (KEY_AT, 32, VALUE_AT, 32, 0)),
    ("caller", "", (OUT_AT,)),
    ("value", "", (OUT_AT,)),
    ("block_number", "", ()),
    ("gas_left", "", ()),
    ("input_size", "", ()),
    ("input_copy", "68 bytes", (OUT_AT, 0, 68)),
    ("input_copy", "1000 bytes", (OUT_AT, 0, 1000)),
    ("block_hash", "", (999, OUT_AT)),
    ("keccak256", "32 bytes", (0, 32, OUT_AT)),
    ("keccak256", "16 KiB", (0, 0x4000, OUT_AT)),
    ("sha256", "32 bytes", (0, 32, OUT_AT)),
    ("sha256", "16 KiB", (0, 0x4000, OUT_AT)),
    ("blake2b256", "32 bytes", (0, 32, OUT_AT)),
    ("blake2b256", "16 KiB", (0, 0x4000, OUT_AT)),
    ("ripemd160", "32 bytes", (0, 32, OUT_AT)),
    ("ripemd160", "16 KiB", (0, 0x4000, OUT_AT)),
    ("ecrecover", "", (DIGEST_AT, SIGNATURE_AT, 0, OUT_AT)),
    ("secp256k1_verify", "", (DIGEST_AT, SIGNATURE_AT, 0xE000, 65)),
    ("ed25519_verify", "32 bytes", (0, 32, 0xE100, 0xE200)),
    ("ed25519_verify", "16 KiB", (0, 0x4000, 0xE100, 0xE200)),
    ("u256_mul", "full width", (NUMBER_A, NUMBER_B, OUT_AT)),
    ("u256_div", "full width", (NUMBER_A, VALUE_AT, OUT_AT)),
    ("u256_exp", "32-byte exponent", (NUMBER_A, NUMBER_B, OUT_AT)),
    ("u256_exp", "1-byte exponent", (NUMBER_A, 0xE300, OUT_AT)),
    ("u256_mulmod", "full width", (NUMBER_A, NUMBER_B, VALUE_AT, OUT_AT)),
    ("balance", "warm", (0, OUT_AT)),
    ("code_size", "warm", (0,)),
    ("log", "three topics, 32 bytes", (0, 3, 0x200, 32)),
    ("debug_print", "32 bytes", (0, 32)),
    ("static_call", "warm, callee that only answers", (0, 0, 0, 1000, 0)),
)


def _keys(frame: Rig) -> None:
    """Put keys into memory. The Ed25519 one is RFC 8032's (section 7.1, test 2): whether its signature holds for what
    is verified here does not change the work."""
    frame.put(0xE000, public_key(b"\x01" * 32))
    frame.put(
        0xE100,
        bytes.fromhex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    )
    frame.put(0xE200, bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    frame.put(0xE300, b"\x03")


def _closing(frame: Rig, opening: Callable[..., object]) -> Callable[..., object]:
    close = BY_NAME["iter_close"].fn
    return lambda *arguments: close(frame.host, opening(*arguments))


def _nanoseconds(function: Callable[..., object], arguments: tuple[int, ...]) -> float:
    count, best = 1, float("inf")
    while True:
        started = time.perf_counter_ns()
        for _ in range(count):
            function(*arguments)
        if time.perf_counter_ns() - started > 5_000_000:
            break
        count *= 4
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        for _ in range(count):
            function(*arguments)
        best = min(best, (time.perf_counter_ns() - started) / count)
    return best


def run() -> list[Row]:
    """One row a case: nanoseconds, and as its peer the price in gas."""
    frame = _prepared()
    _keys(frame)
    empty = _nanoseconds(lambda *_: None, (0, 0, 0))
    rows = []
    for name, note, arguments in CASES:
        gas = frame.cost(name, *arguments)
        function: Callable[..., object] = MethodType(BY_NAME[name].fn, frame.host)
        if name == "iter_open":
            function = _closing(frame, function)
        spent = _nanoseconds(function, arguments) - empty
        rows.append(Row(f"{name} {note}".strip(), spent, "ns", "price in gas", gas))
    return [*rows, *host_native.run()]


if __name__ == "__main__":
    for row in run():
        print(f"{row.name:45} {row.value:12.0f} ns {row.peer_value:10.0f} gas")
