"""Messages signed with the development accounts' keys, and who signed a message.

A signature is r, s and v (27 or 28), 65 bytes. Source: EIP-191 (version 0x45, `personal_sign`), EIP-712;
go-ethereum's `personal` methods.
"""

from __future__ import annotations

from typing import Any

import orjson

from contractvm.crypto import address_of, keccak256, recover
from contractvm.crypto import sign as sign_digest
from contractvm.node.fault import SERVER, Fault, bad_params
from contractvm.node.methods.send import no_signer
from contractvm.node.node import Node
from contractvm.node.rows import Param, Rows
from contractvm.node.typeddata import TypedData
from contractvm.node.values import ADDRESS, ANY, DATA, TEXT, address, mapping, shown
from contractvm.types import Address

rows = Rows()

WHO = Param("address", ADDRESS)
PASSWORD = Param("password", TEXT, "")


def personal_hash(message: bytes) -> bytes:
    """What is signed of a message, so that no signature of one is one of a transaction."""
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(message)).encode() + message)


def signature(node: Node, signer: Address, digest: bytes) -> str:
    """An account's signature over 32 bytes. Raises: Fault when this node has no key of it."""
    secret = node.keys.get(signer)
    if secret is None:
        raise no_signer(signer)
    r, s, parity = sign_digest(digest, secret)
    return "0x" + (r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity])).hex()


@rows.method("eth_sign", WHO, Param("message", DATA), result="signature")
def sign(node: Node, signer: Address, message: bytes) -> str:
    """Sign a message, prefixed as personal_sign does."""
    return signature(node, signer, personal_hash(message))


@rows.method("personal_sign", Param("message", DATA), Param("address", ANY), PASSWORD, result="signature")
def personal_sign(node: Node, message: bytes, signer: Any, password: str) -> str:
    """Sign a message with EIP-191's prefix; the address may also come first, as some clients send it."""
    if len(message) == 20 and message in node.keys and not (isinstance(signer, str) and len(signer) == 42):
        return signature(node, Address(message), personal_hash(DATA.read(signer)))
    return signature(node, address(signer), personal_hash(message))


@rows.method("personal_ecRecover", Param("message", DATA), Param("signature", DATA), result="address")
def ec_recover(node: Node, message: bytes, signed: bytes) -> str:
    """Who signed a message with personal_sign."""
    if len(signed) != 65 or signed[64] not in (0, 1, 27, 28):
        raise bad_params(f"a signature has 65 bytes and ends in 27 or 28; this one has {len(signed)}")
    r, s = int.from_bytes(signed[:32], "big"), int.from_bytes(signed[32:64], "big")
    key = recover(personal_hash(message), r, s, signed[64] % 27)
    if key is None:
        raise Fault(SERVER, "invalid signature: no key fits it")
    return "0x" + address_of(key).hex()


@rows.method(
    "eth_signTypedData_v4",
    WHO,
    Param("data", ANY),
    result="signature",
    aliases=["eth_signTypedData", "eth_signTypedData_v3"],
)
def sign_typed_data(node: Node, signer: Address, document: Any) -> str:
    """Sign EIP-712's structured data, given as an object or as its JSON text."""
    if isinstance(document, str):
        try:
            document = orjson.loads(document)
        except orjson.JSONDecodeError as error:
            raise bad_params(f"data: {shown(document)} is no JSON: {error}") from None
    return signature(node, signer, TypedData.read(mapping(document)).digest)


@rows.method("personal_listAccounts", result="list of addresses")
def list_accounts(node: Node) -> list[str]:
    """Accounts that this node signs for."""
    return ["0x" + account.hex() for account in node.keys]


@rows.method("personal_unlockAccount", WHO, PASSWORD, Param("seconds", ANY, None), result="true")
def unlock(node: Node, signer: Address, password: str, seconds: object) -> bool:
    """Development accounts are never locked; those of others cannot be unlocked."""
    if signer not in node.keys:
        raise no_signer(signer)
    return True
