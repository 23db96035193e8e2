"""Messages signed by the node, against published vectors and against eth-account."""

from __future__ import annotations

import copy
import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contractvm.crypto import address_of, keccak256, recover
from contractvm.devaccounts import dev_accounts
from contractvm.node.fault import Fault
from contractvm.node.typeddata import TypedData
from tests.contractvm.node.local import Local, RpcError

ALICE, BOB = ("0x" + account.address.hex() for account in dev_accounts()[:2])
MAIL: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "primaryType": "Mail",
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
"""The example of EIP-712, with its type encoding and digest below."""


def changed(**values: Any) -> dict[str, Any]:
    """The example with other values: `message__contents=5`."""
    document = copy.deepcopy(MAIL)
    for path, value in values.items():
        *way, last = path.split("__")
        inner = document
        for step in way:
            inner = inner[step]
        inner[last] = value
    return document


def signer_of(digest: bytes, signature: str) -> str:
    raw = bytes.fromhex(signature[2:])
    assert len(raw) == 65 and raw[64] in (27, 28)
    key = recover(digest, int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64] - 27)
    assert key is not None
    return "0x" + address_of(key).hex()


def test_the_example_of_eip_712() -> None:
    typed = TypedData.read(MAIL)
    assert typed.encode_type("Mail") == (
        "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    )
    assert typed.digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"


@pytest.mark.parametrize("method", ["eth_signTypedData_v4", "eth_signTypedData_v3", "eth_signTypedData"])
def test_typed_data_as_an_object_and_as_text(node: Local, method: str) -> None:
    signature = node.rpc(method, ALICE, MAIL)
    assert node.rpc(method, ALICE, json.dumps(MAIL)) == signature
    assert signer_of(TypedData.read(MAIL).digest, signature) == ALICE


def test_a_domain_that_is_not_described() -> None:
    document = changed()
    del document["types"]["EIP712Domain"]
    assert TypedData.read(document).digest == TypedData.read(MAIL).digest


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "no object"),
        (changed(primaryType="Letter"), "none of the types"),
        (changed(primaryType=None), "none of the types"),
        (changed(domain=None), "no object"),
        (changed(types=[]), "no object"),
        (changed(types__Mail=5), "no list of fields"),
        (changed(types__Mail=[5]), "is no field"),
        (changed(types__Mail=[{"name": "a", "type": "Nothing"}]), "there is no type"),
        (changed(types__Mail=[{"name": "a", "type": "uint7"}]), "there is no type"),
        (changed(types__Mail=[{"name": "a", "type": "bytes33"}]), "there is no type"),
        (changed(types__Mail=[{"name": "a", "type": "uint8[0]"}]), "there is no type"),
        (changed(types__uint8=[]), "no name of a struct"),
        (changed(message__contents=5), "message.contents: 5 is no string"),
        (changed(message__contents="\ud800"), "is no string"),
        (changed(message__to="Bob"), "message.to: 'Bob' is no Person"),
        (changed(message__to__wallet="0x12"), "message.to.wallet: '0x12' is no address"),
        (changed(message={"from": MAIL["message"]["from"]}), "message.contents: None is no string"),
        (changed(domain__chainId=-1), "is no uint256"),
        (changed(domain__chainId=1.5), "is no uint256"),
        (changed(domain__chainId=True), "is no uint256"),
        (changed(domain__chainId=str(2**256)), "is no uint256"),
    ],
)
def test_what_is_no_typed_data(document: dict[str, Any], words: str) -> None:
    with pytest.raises(Fault, match=words.replace("(", "\\(")):
        TypedData.read(document).digest  # noqa: B018 - it is worked out when asked for


def test_structs_within_structs_end_somewhere() -> None:
    message: dict[str, Any] = {"next": None}
    for _ in range(200):
        message = {"next": message}
    document = changed(types__Mail=[{"name": "next", "type": "Mail"}], message=message)
    with pytest.raises(Fault, match="within one another"):
        TypedData.read(document).digest  # noqa: B018
    message["next"]["next"] = None
    assert len(TypedData.read(document).digest) == 32


def fields_and_values() -> st.SearchStrategy[tuple[str, Any]]:
    """(type, value) as clients write them."""
    atoms = st.one_of(
        st.tuples(st.just("bool"), st.booleans()),
        st.tuples(st.just("string"), st.text(st.characters(exclude_categories=["Cs"]), max_size=40)),
        st.tuples(st.just("bytes"), st.binary(max_size=40).map(lambda raw: "0x" + raw.hex())),
        st.tuples(st.just("address"), st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())),
        st.integers(1, 32).flatmap(
            lambda size: st.tuples(
                st.just(f"bytes{size}"),
                st.binary(min_size=size, max_size=size).map(lambda raw: "0x" + raw.hex()),
            )
        ),
        st.integers(1, 32).flatmap(lambda size: st.tuples(st.just(f"uint{8 * size}"), st.integers(0, 256**size - 1))),
        st.integers(1, 32).flatmap(
            lambda size: st.tuples(st.just(f"int{8 * size}"), st.integers(-(256**size) // 2, 256**size // 2 - 1))
        ),
    )
    arrays = atoms.flatmap(
        lambda pair: st.integers(1, 3).flatmap(
            lambda count: st.sampled_from(
                [
                    (f"{pair[0]}[]", [pair[1]] * count),
                    (f"{pair[0]}[{count}]", [pair[1]] * count),
                    (f"{pair[0]}[][{count}]", [[pair[1], pair[1]]] * count),
                ]
            )
        )
    )
    return st.one_of(atoms, arrays)


@pytest.fixture(scope="module")
def messages() -> Any:
    """eth-account's; importing it raises the process's recursion limit, which other tests look at."""
    limit = sys.getrecursionlimit()
    try:
        return pytest.importorskip("eth_account.messages", reason="the extra 'wallet' is not installed")
    finally:
        sys.setrecursionlimit(limit)


@settings(max_examples=150, deadline=None)
@given(st.lists(fields_and_values(), max_size=5), st.lists(fields_and_values(), max_size=3), st.booleans())
def test_digests_are_those_of_eth_account(
    messages: Any, outer: list[tuple[str, Any]], inner: list[tuple[str, Any]], many: bool
) -> None:
    def fields(pairs: list[tuple[str, Any]]) -> list[dict[str, str]]:
        return [{"name": f"f{number}", "type": kind} for number, (kind, _) in enumerate(pairs)]

    def values(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {f"f{number}": value for number, (_, value) in enumerate(pairs)}

    inside = values(inner)
    document = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
            "Outer": [*fields(outer), {"name": "inner", "type": "Inner[]" if many else "Inner"}],
            "Inner": fields(inner),
        },
        "primaryType": "Outer",
        "domain": {"name": "x", "chainId": 31337},
        "message": {**values(outer), "inner": [inside, inside] if many else inside},
    }
    signable = messages.encode_typed_data(full_message=document)
    expected = keccak256(b"\x19" + signable.version + signable.header + signable.body)
    assert TypedData.read(document).digest == expected


def test_messages(node: Local) -> None:
    message = "0x" + b"hello".hex()
    digest = bytes.fromhex("50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750")
    signature = node.rpc("personal_sign", message, BOB)
    assert signer_of(digest, signature) == BOB
    assert node.rpc("eth_sign", BOB, message) == signature
    assert node.rpc("personal_sign", BOB, message) == signature
    assert node.rpc("personal_sign", message, BOB, "password") == signature
    assert node.rpc("personal_ecRecover", message, signature) == BOB
    # As a node of another make signs the same.
    assert signature == (
        "0x76930d64d2e5eb4b3f4572ce806eda50e1e2329d51d9ca5a713a9befcb9d2088"
        "3e3d4885c3c5eaf775fc8c9fcf4882a28b582b427bc0270565f3294d935549221b"
    )


def test_an_address_is_a_message_too(node: Local) -> None:
    assert node.rpc("personal_ecRecover", ALICE, node.rpc("personal_sign", ALICE, BOB)) == BOB


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("personal_sign", ["hello", ALICE], "is no data"),
        ("eth_sign", ["0x" + "11" * 20, "0x00"], "No Signer available"),
        ("personal_unlockAccount", ["0x" + "11" * 20, "", 0], "No Signer available"),
        ("personal_ecRecover", ["0x00", "0x00"], "65 bytes"),
        ("personal_ecRecover", ["0x00", "0x" + "00" * 64 + "1b"], "no key fits"),
        ("eth_signTypedData_v4", [ALICE, "{"], "is no JSON"),
        ("eth_signTypedData_v4", [ALICE, 5], "is no object"),
        ("eth_signTypedData_v4", [ALICE, "[" * 2_000], "is no JSON"),
    ],
)
def test_what_cannot_be_signed(node: Local, method: str, params: list[Any], words: str) -> None:
    with pytest.raises(RpcError, match=words):
        node.rpc(method, *params)


def test_accounts(node: Local) -> None:
    assert node.rpc("personal_listAccounts") == node.rpc("eth_accounts")
    assert node.rpc("personal_unlockAccount", ALICE, "", 300) is True
