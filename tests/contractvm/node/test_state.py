"""What accounts hold at each height, keys of storage in their many spellings, and proofs that a client can check."""

from __future__ import annotations

from typing import Any

import pytest

from contractvm.crypto import keccak256
from contractvm.node.values import storage_key, storage_keys
from state.codec import decode, decode_uint
from state.merkle import verify_proof
from tests.contractvm.node.local import Local, RpcError
from tests.contractvm.node.probes import slots
from tests.contractvm.node.token import ALICE, BOB, SUPPLY, Token, hexed, send

WHO = hexed(ALICE.address)
OTHER = hexed(BOB.address)
NOWHERE = "0x" + "11" * 32


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


class Words:
    """A contract with slots of 32 bytes."""

    def __init__(self, node: Local) -> None:
        self.node = node
        digest = send(node, None, slots())
        self.hex: str = node.rpc("eth_getTransactionReceipt", digest)["contractAddress"]

    def set(self, key: int, value: int) -> None:
        send(self.node, bytes.fromhex(self.hex[2:]), word(key) + word(value))


def test_balances_nonces_and_code_at_each_height(node: Local) -> None:
    for _ in range(3):
        send(node, BOB.address, value=10, gas_limit=21_000)
    ether = 10_000 * 10**18
    assert [int(node.rpc("eth_getBalance", OTHER, hex(n)), 16) - ether for n in range(4)] == [0, 10, 20, 30]
    assert [node.rpc("eth_getTransactionCount", WHO, n) for n in range(4)] == ["0x0", "0x1", "0x2", "0x3"]
    third = node.rpc("eth_getBlockByNumber", "0x2", False)["hash"]
    assert int(node.rpc("eth_getBalance", OTHER, {"blockHash": third}), 16) - ether == 20
    assert int(node.rpc("eth_getBalance", OTHER, third), 16) - ether == 20
    token = Token(node)
    assert node.rpc("eth_getCode", token.hex, "0x3") == "0x" != node.rpc("eth_getCode", token.hex)
    assert node.rpc("eth_getCode", token.hex, None) == node.rpc("eth_getCode", token.hex, "latest")


def test_an_account_whole(node: Local) -> None:
    token = Token(node)
    account = node.rpc("eth_getAccount", token.hex, "latest")
    proof = node.rpc("eth_getProof", token.hex, [], "latest")
    assert account == {
        "balance": "0x0",
        "nonce": "0x1",
        "codeHash": proof["codeHash"],
        "storageRoot": proof["storageHash"],
    }
    assert node.rpc("eth_getAccount", "0x" + "77" * 20, "latest") is None


@pytest.mark.parametrize("method", ["eth_getBalance", "eth_getCode", "eth_getTransactionCount", "eth_getAccount"])
@pytest.mark.parametrize("block", ["0x9", NOWHERE, {"blockHash": NOWHERE}])
def test_a_future_or_unknown_block_is_an_error(node: Local, method: str, block: Any) -> None:
    with pytest.raises(RpcError, match="header not found"):
        node.rpc(method, WHO, block)


def test_slots_by_number(node: Local) -> None:
    words = Words(node)
    words.set(0x1234, 0xABCDEF)
    for key in ("0x1234", hexed(word(0x1234)), 0x1234):
        assert node.rpc("eth_getStorageAt", words.hex, key, "latest") == hexed(word(0xABCDEF))
    assert node.rpc("eth_getStorageAt", words.hex, "0x0") == hexed(bytes(32))
    assert node.rpc("eth_getStorageAt", words.hex, "0x1234", "0x1") == hexed(bytes(32))


def test_keys_that_are_bytes(node: Local) -> None:
    token = Token(node)
    held = [
        (key, value) for key, value in stored(node, token.address) if len(key) == 22 and key.endswith(ALICE.address)
    ]
    [(key, value)] = held
    assert int.from_bytes(value, "little") == SUPPLY
    assert node.rpc("eth_getStorageAt", token.hex, hexed(key)) == hexed(value.rjust(32, b"\0"))


def test_a_value_that_is_no_word_is_an_error(node: Local) -> None:
    node.on_loop(node.node.miner.edit(lambda: node.node.chain.edit(long_value)))
    with pytest.raises(RpcError, match=r"40 bytes.*cvm_storage"):
        node.rpc("eth_getStorageAt", WHO, "0x6b6b6b")


def long_value(world: Any) -> None:
    world.set_storage(ALICE.address, b"kkk", b"v" * 40)


def stored(node: Local, address: bytes) -> list[tuple[bytes, bytes]]:
    """All storage of an account."""
    world, found = node.node.chain.world(), []
    key = world.next_key(address, None, inclusive=True, stop=None)
    while key is not None:
        found.append((key, world.storage(address, key)))
        key = world.next_key(address, key, inclusive=False, stop=None)
    return found


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (0, [word(0)]),
        ("0x0", [word(0)]),
        ("0x00", [word(0)]),
        ("0xff", [word(255)]),
        ("0x100", [word(256)]),
        ("0x1234", [word(0x1234), b"\x12\x34"]),
        ("0x0012", [b"\0\x12"]),
        ("0x" + "ab" * 31, [word(int("ab" * 31, 16)), b"\xab" * 31]),
        ("0x" + "ab" * 32, [b"\xab" * 32]),
        ("0x" + "ab" * 33, [b"\xab" * 33]),
        ("0x", [b""]),
    ],
)
def test_spellings_of_keys(given: object, meant: list[bytes]) -> None:
    assert list(storage_keys(given)) == meant
    assert storage_key(given) == meant[-1]


@pytest.mark.parametrize("key", ["1234", "0xzz", "0x1" + "0" * 64, -1, True, None, {}])
def test_what_is_no_key(node: Local, key: object) -> None:
    with pytest.raises(RpcError) as refused:
        node.rpc("eth_getStorageAt", WHO, key, "latest")
    assert refused.value.code == -32602


# Proofs


def proven(node: Local, document: dict[str, Any], block: str = "latest") -> list[bytes | None]:
    """The values that a proof shows, checked against the header alone."""

    def nodes(texts: list[str]) -> list[bytes]:
        return [bytes.fromhex(text[2:]) for text in texts]

    root = bytes.fromhex(node.rpc("eth_getBlockByNumber", block, False)["stateRoot"][2:])
    address = bytes.fromhex(document["address"][2:])
    leaf = verify_proof(root, keccak256(address), nodes(document["accountProof"]), keccak256)
    if leaf is None:
        assert (document["balance"], document["nonce"]) == ("0x0", "0x0")
    else:
        nonce, balance, storage, code = decode(leaf)
        assert isinstance(nonce, bytes) and isinstance(balance, bytes)
        assert document["nonce"] == hex(decode_uint(nonce)) and document["balance"] == hex(decode_uint(balance))
        assert [document["storageHash"], document["codeHash"]] == [hexed(storage), hexed(code)]  # type: ignore[arg-type]
    values = []
    for slot in document["storageProof"]:
        key = bytes.fromhex(slot["key"][2:])
        kept = verify_proof(bytes.fromhex(document["storageHash"][2:]), keccak256(key), nodes(slot["proof"]), keccak256)
        values.append(None if kept is None else decode(kept))
    return values  # type: ignore[return-value]


def test_proofs_of_accounts(node: Local) -> None:
    send(node, BOB.address, value=10, gas_limit=21_000)
    for who in (WHO, OTHER, "0x" + "77" * 20):
        document = node.rpc("eth_getProof", who, [], "latest")
        assert document["address"] == who
        assert proven(node, document) == []


def test_proofs_of_slots(node: Local) -> None:
    words = Words(node)
    for number in range(1, 20):
        words.set(number, number << 8 | 1)
    document = node.rpc("eth_getProof", words.hex, ["0x1", hexed(word(19)), "0x99", 7], "latest")
    values = [slot["value"] for slot in document["storageProof"]]
    assert values == [hexed(word(0x101)), hexed(word(0x1301)), "0x0", hexed(word(0x701))]
    assert [slot["key"] for slot in document["storageProof"]] == [hexed(word(n)) for n in (1, 19, 0x99, 7)]
    # A contract keeps all 32 bytes of what it writes; a quantity cannot tell zeros in front, so they are shown.
    assert proven(node, document) == [word(0x101), word(0x1301), None, word(0x701)]


def test_proofs_of_keys_that_are_bytes(node: Local) -> None:
    token = Token(node)
    keys = [key for key, _ in stored(node, token.address)]
    for method in ("eth_getProof", "cvm_getProof"):
        document = node.rpc(method, token.hex, [hexed(key) for key in keys], "latest")
        assert proven(node, document) == [value for _, value in stored(node, token.address)]
    absent = node.rpc("cvm_getProof", token.hex, ["0x1234"])
    assert absent["storageProof"][0]["key"] == "0x1234"
    assert proven(node, absent) == [None]


def test_a_proof_of_an_old_state(node: Local) -> None:
    for _ in range(3):
        send(node, BOB.address, value=10, gas_limit=21_000)
    balances = []
    for block in ("0x0", "0x1", "0x2", "0x3"):
        document = node.rpc("eth_getProof", OTHER, [], block)
        assert proven(node, document, block) == []
        balances.append(int(document["balance"], 16))
    assert [balance - balances[0] for balance in balances] == [0, 10, 20, 30]


@pytest.mark.parametrize("keys", ["0x0", [True], ["0xzz"], [0] * 1_025])
def test_bad_keys_of_proofs(node: Local, keys: object) -> None:
    with pytest.raises(RpcError) as refused:
        node.rpc("eth_getProof", WHO, keys, "latest")
    assert refused.value.code == -32602
