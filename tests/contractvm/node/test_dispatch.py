"""Requests as JSON-RPC 2.0 has them: single, batched, notifications, and everything that is none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.errors import Rejected
from contractvm.node import dispatch
from contractvm.node.fault import Fault
from contractvm.node.values import address
from contractvm.recovery import decode_many
from contractvm.transaction import Transaction
from tests.contractvm.node.local import Local, RpcError


def signed(nonce: int = 0, value: int = 1, **fields: Any) -> str:
    """A payment by the first development account."""
    payer, payee = dev_accounts()[:2]
    tx = Transaction(
        nonce=nonce,
        max_fee=3 * 10**9,
        gas_limit=21_000,
        to=payee.address,
        value=value,
        chain_id=31_337,
        **fields,
    )
    return "0x" + tx.sign(payer.secret).encode().hex()


def test_a_payment(node: Local) -> None:
    payee = "0x" + dev_accounts()[1].address.hex()
    before = int(node.rpc("eth_getBalance", payee), 16)
    digest = node.rpc("eth_sendRawTransaction", signed())
    receipt = node.rpc("eth_getTransactionReceipt", digest)
    assert (receipt["status"], receipt["gasUsed"], receipt["blockNumber"]) == ("0x1", hex(21_000), "0x1")
    assert int(node.rpc("eth_getBalance", payee, "latest"), 16) == before + 1
    assert int(node.rpc("eth_getBalance", payee, "0x0"), 16) == before
    assert node.rpc("eth_getTransactionByHash", digest)["blockNumber"] == "0x1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[" * 5_000 + b"]" * 5_000, -32700),
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"eth_chainId"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainid"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance"}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":"0x"}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[1]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":{"who":"0x"}}', -32602),
    ],
)
def test_what_is_no_request(node: Local, body: bytes, code: int) -> None:
    assert node.raw(body)["error"]["code"] == code


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("0x" + "aB" * 20, b"\xab" * 20),
        ("0X" + "0A" * 20, b"\x0a" * 20),
        ("0x" + "ab" * 19, None),
        ("0x" + "ab" * 19 + " ab", None),
        ("0x" + "ab" * 20 + " ", None),
        ("0x" + " " * 40, None),
        ("0x" + "\u0661" * 40, None),
        ("ab" * 21, None),
        ("0x" + "g" * 40, None),
        (["0x" + "ab" * 20], None),
        (None, None),
    ],
)
def test_addresses_as_they_are_written(written: object, read: bytes | None) -> None:
    for _ in range(2):  # the second time they are known
        if read is None:
            with pytest.raises(Fault):
                address(written)
        else:
            assert address(written) == read


def test_unknown_methods_suggest_the_near_one(node: Local) -> None:
    with pytest.raises(RpcError, match=r"did you mean eth_chainId\?"):
        node.rpc("eth_chainid")


def test_a_batch_fails_item_by_item(node: Local) -> None:
    requests = [
        {"jsonrpc": "2.0", "id": "a", "method": "eth_blockNumber"},
        {"jsonrpc": "2.0", "method": "eth_blockNumber"},
        7,
        {"jsonrpc": "2.0", "id": 3, "method": "nonsense"},
        {"jsonrpc": "2.0", "id": 4, "method": "eth_chainId", "params": None},
    ]
    answers = node.raw(json.dumps(requests).encode())
    assert [answer["id"] for answer in answers] == ["a", None, 3, 4]
    assert [answer.get("error", {}).get("code") for answer in answers] == [None, -32600, -32601, None]


def test_notifications_have_no_answer(node: Local) -> None:
    assert node.raw(b'{"jsonrpc":"2.0","method":"eth_blockNumber"}') is None
    assert node.raw(b'[{"jsonrpc":"2.0","method":"eth_blockNumber"}]') is None


def test_a_batch_of_transactions_is_all_mined(node: Local) -> None:
    requests = [
        {"jsonrpc": "2.0", "id": n, "method": "eth_sendRawTransaction", "params": [signed(n)]} for n in range(40)
    ]
    hashes = [answer["result"] for answer in node.raw(json.dumps(requests).encode())]
    assert all(node.rpc("eth_getTransactionReceipt", digest)["status"] == "0x1" for digest in hashes)


def test_a_long_batch_of_transactions_is_recovered_in_parts(node: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def counted(raws: Sequence[bytes], chain_id: int) -> list[Transaction | Rejected]:
        sizes.append(len(raws))
        return decode_many(raws, chain_id)

    monkeypatch.setattr(dispatch, "decode_many", counted)
    requests = [
        {"jsonrpc": "2.0", "id": n, "method": "eth_sendRawTransaction", "params": [signed(n)]} for n in range(600)
    ]
    requests.insert(300, {"jsonrpc": "2.0", "id": -1, "method": "eth_chainId"})
    answers = node.raw(json.dumps(requests).encode())
    assert sizes == [256, 255, 89]
    assert [answer["id"] for answer in answers] == [request["id"] for request in requests]
    assert all(len(answer["result"]) == 66 for answer in answers if answer["id"] >= 0)
    assert node.rpc("eth_getTransactionCount", "0x" + dev_accounts()[0].address.hex()) == hex(600)


def test_a_batch_that_is_too_large(node: Local) -> None:
    body = json.dumps([{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}] * 5_001).encode()
    assert "5000" in node.raw(body)["error"]["message"]
