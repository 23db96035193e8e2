"""Functions that ask the host: what they pass on and what they make of the answer, with hosts that tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contractvm.crypto import keccak256
from contractvm.host.frame import MINUS_ONE
from sdk.compiler.tree import Builtin, Convert, Expression, ForRange, Local
from sdk.compiler.types import ADDRESS, BOOL, BYTES, BYTES4, BYTES32, U8, U64, U256, FixedBytes, Type
from tests.sdk.compiler.back.rig import TIERS, Rig, S, const, function, get, let, op, ret, tup

each_tier = pytest.mark.parametrize("tier", TIERS)
WHO = bytes(range(1, 21))
Host = dict[str, Callable[..., int | None]]


def builtin(name: str, type_: Type, *arguments: Expression) -> Builtin:
    return Builtin(name, arguments, True, type_, S)


def value(node: Expression, host: Host, tier: str) -> Any:
    return Rig(function("f", [], node.type, ret(node)), tier=tier, host=host).call("f")


def writing(content: bytes, result: int | None = None) -> Callable[..., int | None]:
    """A host function that writes to its last argument."""

    def write(memory: bytearray, *arguments: int) -> int | None:
        memory[arguments[-1] : arguments[-1] + len(content)] = content
        return result

    return write


ADDRESSES = {
    "msg.sender": "caller",
    "self.address": "self_address",
    "tx.origin": "origin",
    "block.coinbase": "coinbase",
}
AMOUNTS = {"msg.value": "value", "tx.gas_price": "gas_price", "block.base_fee": "base_fee"}
NUMBERS = {"block.number": "block_number", "block.timestamp": "block_timestamp", "chain.id": "chain_id"}


@pytest.mark.parametrize("name", ADDRESSES)
@each_tier
def test_addresses(tier: str, name: str) -> None:
    assert value(builtin(name, ADDRESS), {ADDRESSES[name]: writing(WHO)}, tier) == WHO


@pytest.mark.parametrize("name", AMOUNTS)
@each_tier
def test_amounts(tier: str, name: str) -> None:
    host = {AMOUNTS[name]: writing((7 << 200).to_bytes(32, "little"))}
    assert value(builtin(name, U256), host, tier) == 7 << 200


@pytest.mark.parametrize("name", [*NUMBERS, "msg.gas"])
@each_tier
def test_numbers(tier: str, name: str) -> None:
    host: Host = {NUMBERS.get(name, "gas_left"): lambda memory: 2**63 + 5}
    assert value(builtin(name, U64), host, tier) == 2**63 + 5


def asking(count: list[int]) -> Callable[..., None]:
    def caller(memory: bytearray, out: int) -> None:
        count.append(out)
        memory[out : out + 20] = WHO

    return caller


@each_tier
def test_a_fact_is_asked_for_once(tier: str) -> None:
    """Twice in a function, or once in a loop; a fact that is needed once waits until it is."""
    asked: list[int] = []
    sender = builtin("msg.sender", ADDRESS)
    assert value(tup(sender, sender), {"caller": asking(asked)}, tier) == (WHO, WHO)
    assert len(asked) == 1
    asked.clear()
    i, a = Local("i", U64), Local("a", ADDRESS)
    loop = ForRange(i, const(0), const(5), 1, (let(a, sender),), S)
    f = function("f", [], ADDRESS, let(a, const(bytes(20), ADDRESS)), loop, ret(get(a)))
    assert Rig(f, tier=tier, host={"caller": asking(asked)}).call("f") == WHO
    assert len(asked) == 1


@each_tier
def test_the_gas_left_is_asked_for_each_time(tier: str) -> None:
    left = iter((100, 90))
    gas = builtin("msg.gas", U64)
    assert value(op("sub", gas, gas), {"gas_left": lambda memory: next(left)}, tier) == 10


@pytest.mark.parametrize("data", [b"", b"ab", bytes(range(40))])
@each_tier
def test_the_input(tier: str, data: bytes) -> None:
    def copy(memory: bytearray, out: int, offset: int, cap: int) -> int:
        part = data[offset : offset + cap]
        memory[out : out + len(part)] = part
        return len(data)

    host: Host = {"input_size": lambda memory: len(data), "input_copy": copy}
    assert value(builtin("msg.data", BYTES), host, tier) == data
    assert value(builtin("msg.sig", BYTES4), {"input_copy": copy}, tier) == data[:4].ljust(4, b"\0")


def hashing(memory: bytearray, at: int, length: int, out: int) -> None:
    memory[out : out + 32] = keccak256(bytes(memory[at : at + length]))


@pytest.mark.parametrize("data", [b"", b"abc", bytes(range(100))])
@each_tier
def test_hashes(tier: str, data: bytes) -> None:
    for name in ("keccak256", "sha256", "blake2b256"):
        assert value(builtin(name, BYTES32, const(data, BYTES)), {name: hashing}, tier) == keccak256(data)


@pytest.mark.parametrize("size", [1, 8, 20, 31, 32])
@each_tier
def test_hashes_of_bytes_of_a_size(tier: str, size: int) -> None:
    """Nested, so that an answer lies where the next question does not."""
    data = bytes(range(1, size + 1))
    fixed = Convert(const(data, FixedBytes(size)), True, BYTES, S)
    once = builtin("keccak256", BYTES32, fixed)
    twice = builtin("keccak256", BYTES32, Convert(once, True, BYTES, S))
    assert value(tup(once, twice), {"keccak256": hashing}, tier) == (keccak256(data), keccak256(keccak256(data)))


@each_tier
def test_ripemd160(tier: str) -> None:
    node = builtin("ripemd160", FixedBytes(20), const(b"abc", BYTES))
    assert value(node, {"ripemd160": writing(WHO)}, tier) == WHO


def account(content: bytes, result: int) -> Callable[..., int]:
    """A host function of an account: answers for `WHO` alone."""

    def answer(memory: bytearray, address: int, *out: int) -> int:
        assert bytes(memory[address : address + 20]) == WHO
        if out:
            memory[out[0] : out[0] + len(content)] = content
        return result

    return answer


@each_tier
def test_accounts(tier: str) -> None:
    who = const(WHO, ADDRESS)
    wei = (5 << 70).to_bytes(32, "little")
    assert value(builtin("balance", U256, who), {"balance": account(wei, 32)}, tier) == 5 << 70
    own: Host = {"balance": account(wei, 32), "self_address": writing(WHO)}
    assert value(builtin("self.balance", U256), own, tier) == 5 << 70
    assert value(builtin("code_size", U64, who), {"code_size": account(b"", 77)}, tier) == 77
    digest = bytes(range(32))
    assert value(builtin("code_hash", BYTES32, who), {"code_hash": account(digest, 32)}, tier) == digest
    assert value(builtin("code_hash", BYTES32, who), {"code_hash": account(b"", MINUS_ONE)}, tier) == bytes(32)


@each_tier
def test_an_accounts_code(tier: str) -> None:
    code = bytes(range(50))

    def copy(memory: bytearray, address: int, out: int, offset: int, cap: int) -> int:
        memory[out : out + cap] = code[offset : offset + cap]
        return len(code)

    host: Host = {"code_size": account(b"", len(code)), "code_copy": copy}
    assert value(builtin("code", BYTES, const(WHO, ADDRESS)), host, tier) == code


@each_tier
def test_hashes_of_blocks(tier: str) -> None:
    digest = bytes(range(32))

    def known(memory: bytearray, number: int, out: int) -> int:
        if number != 7:
            return MINUS_ONE
        memory[out : out + 32] = digest
        return 32

    found = tup(*(builtin("block_hash", BYTES32, const(number)) for number in (7, 8, 7)))
    assert value(found, {"block_hash": known}, tier) == (digest, bytes(32), digest)


@pytest.mark.parametrize("v", [0, 26, 27, 28, 29, 255])
@each_tier
def test_recovery(tier: str, v: int) -> None:
    parts = [bytes([i]) * 32 for i in (1, 2, 3)]
    asked: list[int] = []

    def recover(memory: bytearray, digest: int, signature: int, recovery: int, out: int) -> int:
        assert bytes(memory[digest : digest + 32]) == parts[0]
        assert bytes(memory[signature : signature + 64]) == parts[1] + parts[2]
        asked.append(recovery)
        if recovery > 3:
            return MINUS_ONE
        memory[out : out + 20] = WHO
        return 20

    digest, r, s = (const(part, BYTES32) for part in parts)
    node = builtin("ecrecover", ADDRESS, digest, const(v, U8), r, s)
    assert value(node, {"ecrecover": recover}, tier) == (WHO if v in (27, 28) else bytes(20))
    assert asked == [v - 27 if v in (27, 28) else 4]


@pytest.mark.parametrize("size", [0, 63, 64, 65])
@each_tier
def test_verification_wants_64_bytes(tier: str, size: int) -> None:
    """Whatever the host would say of what lies there."""
    signature = const(bytes([9]) * size, BYTES)
    digest, key = bytes([1]) * 32, bytes([2]) * 33

    def verify(memory: bytearray, hashed: int, rs: int, at: int, length: int) -> int:
        assert bytes(memory[hashed : hashed + 32]) == digest and bytes(memory[at : at + length]) == key
        assert bytes(memory[rs : rs + 64]) == bytes([9]) * 64
        return 1

    node = builtin("secp256k1_verify", BOOL, const(digest, BYTES32), signature, const(key, BYTES))
    assert value(node, {"secp256k1_verify": verify}, tier) is (size == 64)

    def verify_edwards(memory: bytearray, message: int, length: int, rs: int, at: int) -> int:
        assert bytes(memory[message : message + length]) == b"message" and bytes(memory[at : at + 32]) == digest
        assert bytes(memory[rs : rs + 64]) == bytes([9]) * 64
        return 1

    node = builtin("ed25519_verify", BOOL, const(b"message", BYTES), signature, const(digest, BYTES32))
    assert value(node, {"ed25519_verify": verify_edwards}, tier) is (size == 64)
