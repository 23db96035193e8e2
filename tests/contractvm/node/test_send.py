"""Transactions that the node completes, signs and takes; nonces under load; what is refused and with which words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.transaction import Transaction, TxType
from tests.contractvm.node.local import Local, RpcError
from tests.contractvm.node.wat import reverting, spinning

ALICE, BOB, CAROL = ("0x" + account.address.hex() for account in dev_accounts()[:3])
STRANGER = "0x" + "11" * 20


def payment(**fields: Any) -> dict[str, Any]:
    return {"from": ALICE, "to": BOB, "value": "0x1", **fields}


def nonce(node: Local, account: str, block: str = "latest") -> int:
    return int(node.rpc("eth_getTransactionCount", account, block), 16)


def test_a_payment_is_filled_in_and_signed(node: Local) -> None:
    digest = node.rpc("eth_sendTransaction", payment())
    sent = node.rpc("eth_getTransactionByHash", digest)
    assert (sent["from"], sent["to"], sent["nonce"], sent["gas"], sent["type"]) == (ALICE, BOB, "0x0", "0x5208", "0x2")
    assert sent["blockNumber"] == "0x1" and sent["chainId"] == "0x7a69" and int(sent["s"], 16) > 0
    assert int(sent["maxFeePerGas"], 16) == 2 * 875_000_000 + 10**9
    assert int(sent["maxPriorityFeePerGas"], 16) == 10**9


def test_without_a_sender_it_is_the_first_account(node: Local) -> None:
    digest = node.rpc("eth_sendTransaction", {"to": BOB})
    assert node.rpc("eth_getTransactionByHash", digest)["from"] == ALICE


def asked(node: Local, method: str, *params: Any) -> asyncio.Future[Any]:
    """Ask, on the node's loop, at once; the result is to be waited for."""
    answer = node._dispatcher.handle(
        json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    )

    async def read() -> Any:
        return json.loads((await answer if isinstance(answer, Awaitable) else answer) or b"")["result"]

    return asyncio.ensure_future(read())


def test_a_promise_is_kept_when_somebody_else_has_begun_to_write(node: Local) -> None:
    async def played() -> None:
        for value in range(10):
            other = asked(node, "anvil_setBalance", STRANGER, hex(value))
            digest = await asked(node, "eth_sendTransaction", payment(gas="0x5208"))
            receipt = await asked(node, "eth_getTransactionReceipt", digest)
            assert receipt["status"] == "0x1"
            await other

    node.on_loop(played())


def test_a_promise_is_kept_when_the_node_ends() -> None:
    node = Local()

    async def ended() -> bool:
        other = asked(node, "anvil_setBalance", STRANGER, "0x1")
        closing = asyncio.ensure_future(node.node.miner.close())  # both begin when this has been sent
        digest = await asked(node, "eth_sendTransaction", payment(gas="0x5208"))
        await asyncio.wait([other, closing])
        return node.node.chain.receipt(bytes.fromhex(digest[2:])) is not None

    kept = node.on_loop(ended())
    node.node.chain.close()
    node.stop()
    assert kept


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({}, 2),
        ({"gasPrice": "0x77359400"}, 0),
        ({"gasPrice": "0x77359400", "accessList": [{"address": BOB, "storageKeys": []}]}, 1),
        ({"type": "0x0"}, 0),
        ({"type": "0x1"}, 1),
        ({"type": 2, "maxFeePerGas": "0x77359400"}, 2),
        ({"maxPriorityFeePerGas": "0x0"}, 2),
        ({"type": "0x2", "gasPrice": "0x77359400"}, 2),
        ({"data": "0x12", "input": "0x12", "chainId": "0x7a69"}, 2),
        ({"gas": None, "nonce": None, "gasLimit": "0x6000"}, 2),
    ],
)
def test_types(node: Local, fields: dict[str, Any], kind: int) -> None:
    digest = node.rpc("eth_sendTransaction", payment(**fields))
    assert node.rpc("eth_getTransactionReceipt", digest)["status"] == "0x1"
    assert int(node.rpc("eth_getTransactionByHash", digest)["type"], 16) == kind


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"from": STRANGER}, -32602, "No Signer available"),
        ({"from": "0x12"}, -32602, "is no address"),
        ({"value": "0xffffffffffffffffffffffffffffff"}, -32000, "insufficient funds"),
        ({"value": hex(10_000 * 10**18), "gas": "0x5208"}, -32000, "insufficient funds for gas"),
        ({"gas": "0x10"}, -32000, "intrinsic gas too low"),
        ({"gas": hex(10**9)}, -32000, "exceeds block gas limit"),
        ({"gasPrice": "0x1"}, -32000, "max fee per gas less than block base fee"),
        ({"maxFeePerGas": hex(2 * 10**9), "maxPriorityFeePerGas": hex(3 * 10**9)}, -32000, "max priority fee"),
        ({"gasPrice": "0x77359400", "maxFeePerGas": "0x77359400"}, -32602, "both gasPrice and"),
        ({"type": "0x0", "maxFeePerGas": "0x77359400"}, -32602, "no maxFeePerGas"),
        ({"type": "0x0", "accessList": [{"address": BOB}]}, -32602, "no accessList"),
        ({"type": "0x3"}, -32602, "type 3"),
        ({"type": "0x4"}, -32602, "type 4"),
        ({"authorizationList": [{}]}, -32602, "EIP-7702"),
        ({"chainId": "0x1"}, -32602, "invalid chain id"),
        ({"data": "0x12", "input": "0x13"}, -32602, "differ"),
        ({"nonce": "0x2711"}, -32000, "nonce too high"),
        ({"nonce": hex(2**64 - 1)}, -32602, "EIP-2681"),
        ({"to": "0x1234"}, -32602, "is no address"),
        ({"accessList": 5}, -32602, "is no list"),
    ],
)
def test_what_is_refused(node: Local, fields: dict[str, Any], code: int, words: str) -> None:
    with pytest.raises(RpcError, match=words) as refusal:
        node.rpc("eth_sendTransaction", payment(**fields))
    assert refusal.value.code == code
    assert nonce(node, ALICE, "pending") == 0


def test_used_nonces_and_replacement(node: Local) -> None:
    node.rpc("eth_sendTransaction", payment())
    with pytest.raises(RpcError, match="nonce too low: next nonce 1, tx nonce 0"):
        node.rpc("eth_sendTransaction", payment(nonce="0x0", value="0x2"))
    node.rpc("evm_setAutomine", False)
    first = node.rpc("eth_sendTransaction", payment(gasPrice=hex(2 * 10**9)))
    with pytest.raises(RpcError, match="replacement transaction underpriced"):
        node.rpc("eth_sendTransaction", payment(gasPrice=hex(2 * 10**9 + 1), nonce="0x1"))
    with pytest.raises(RpcError, match="already known"):
        node.rpc("eth_sendTransaction", payment(gasPrice=hex(2 * 10**9), nonce="0x1"))
    second = node.rpc("eth_sendTransaction", payment(gasPrice=hex(3 * 10**9), nonce="0x1"))
    assert node.rpc("eth_getTransactionByHash", first) is None
    node.rpc("evm_mine")
    assert node.rpc("eth_getTransactionReceipt", second)["status"] == "0x1"


def test_a_failed_estimate_is_answered_as_one(node: Local) -> None:
    with pytest.raises(RpcError, match="execution reverted: no luck") as refusal:
        node.rpc("eth_sendTransaction", {"from": ALICE, "data": reverting("no luck")})
    assert refusal.value.code == 3
    assert refusal.value.data.startswith("0x08c379a0")
    with pytest.raises(RpcError, match=r"gas required exceeds allowance \(30000000\)") as refusal:
        node.rpc("eth_sendTransaction", {"from": ALICE, "data": spinning()})
    assert refusal.value.code == -32000
    digest = node.rpc("eth_sendTransaction", {"from": ALICE, "data": reverting("no luck"), "gas": "0x100000"})
    assert node.rpc("eth_getTransactionReceipt", digest)["status"] == "0x0"


def test_impersonation(node: Local) -> None:
    node.rpc("anvil_setBalance", STRANGER, hex(10**18))
    assert node.rpc("hardhat_impersonateAccount", STRANGER) is None
    assert node.rpc("eth_accounts")[-1] == STRANGER and len(node.rpc("eth_accounts")) == 11
    digest = node.rpc("eth_sendTransaction", payment(**{"from": STRANGER}))
    receipt = node.rpc("eth_getTransactionReceipt", digest)
    assert (receipt["from"], receipt["status"]) == (STRANGER, "0x1")
    assert node.rpc("anvil_stopImpersonatingAccount", STRANGER) is None
    with pytest.raises(RpcError, match="No Signer available"):
        node.rpc("eth_sendTransaction", payment(**{"from": STRANGER}))
    assert node.rpc("anvil_autoImpersonateAccount", True) is None
    assert node.rpc("eth_sendTransaction", payment(**{"from": STRANGER}))
    with pytest.raises(RpcError, match="zero address"):
        node.rpc("eth_sendTransaction", {"from": "0x" + "00" * 20, "to": BOB})
    assert node.rpc("hardhat_autoImpersonateAccount", False) is None
    assert node.rpc("eth_sendUnsignedTransaction", payment(**{"from": STRANGER}))
    assert nonce(node, STRANGER) == 3


def test_fill_and_sign(node: Local) -> None:
    filled = node.rpc("eth_fillTransaction", payment())
    assert filled["raw"].startswith("0x02") and filled["tx"]["gas"] == "0x5208" and filled["tx"]["from"] == ALICE
    raw = node.rpc("eth_signTransaction", payment(gasPrice=hex(2 * 10**9)))
    tx = Transaction.decode(bytes.fromhex(raw[2:]), 31_337)
    assert (tx.type, "0x" + tx.sender.hex(), tx.gas_limit) == (TxType.LEGACY, ALICE, 21_000)
    assert nonce(node, ALICE, "pending") == 0
    assert node.rpc("eth_getTransactionByHash", node.rpc("eth_sendRawTransaction", raw))["from"] == ALICE
    with pytest.raises(RpcError, match="No Signer available"):
        node.rpc("eth_signTransaction", payment(**{"from": STRANGER}))


def test_answers_with_the_receipt(node: Local) -> None:
    assert node.rpc("eth_sendTransactionSync", payment())["status"] == "0x1"
    raw = node.rpc("eth_signTransaction", payment())
    assert node.rpc("eth_sendRawTransactionSync", raw, 1_000)["blockNumber"] == "0x2"
    node.rpc("evm_setAutomine", False)
    with pytest.raises(RpcError, match="in no block") as late:
        node.rpc("eth_sendTransactionSync", payment(), 20)
    assert late.value.code == 4
    assert node.rpc("eth_getTransactionByHash", late.value.data)["blockNumber"] is None


def test_a_receipt_waits_for_the_block_that_somebody_makes(node: Local) -> None:
    node.rpc("evm_setAutomine", False)
    batch = [
        {"jsonrpc": "2.0", "id": 1, "method": "eth_sendTransactionSync", "params": [payment(gas="0x5208")]},
        {"jsonrpc": "2.0", "id": 2, "method": "evm_mine"},
    ]
    answers = node.raw(json.dumps(batch).encode())
    assert answers[0]["result"]["status"] == "0x1"


@pytest.mark.parametrize("gas", [{}, {"gas": "0x5208"}], ids=["estimated", "given"])
def test_many_at_once_share_no_nonce(node: Local, gas: dict[str, str]) -> None:
    count = 60
    batch = [
        {"jsonrpc": "2.0", "id": n, "method": "eth_sendTransaction", "params": [payment(value=hex(n), **gas)]}
        for n in range(count)
    ]
    answers = node.raw(json.dumps(batch).encode())
    assert [answer["id"] for answer in answers] == list(range(count))
    sent = [node.rpc("eth_getTransactionByHash", answer["result"]) for answer in answers]
    assert [(int(tx["nonce"], 16), int(tx["value"], 16)) for tx in sent] == [(n, n) for n in range(count)]
    assert all(tx["blockNumber"] is not None for tx in sent)


def test_estimated_and_given_gas_keep_their_order(node: Local) -> None:
    """The first has to be run before it is sent; the second would be ready at once."""
    batch = [
        {"jsonrpc": "2.0", "id": n, "method": "eth_sendTransaction", "params": [payment(value=hex(n), **gas)]}
        for n, gas in enumerate([{}, {"gas": "0x5208"}, {}, {"gas": "0x5208"}])
    ]
    answers = node.raw(json.dumps(batch).encode())
    sent = [node.rpc("eth_getTransactionByHash", answer["result"]) for answer in answers]
    assert [int(tx["nonce"], 16) for tx in sent] == [0, 1, 2, 3]


def test_a_failure_holds_up_nobody(node: Local) -> None:
    wishes = [payment(data="0x", value=hex(10**30)), payment(), payment(gas="0x1"), payment(gas="0x5208")]
    batch = [
        {"jsonrpc": "2.0", "id": n, "method": "eth_sendTransaction", "params": [wish]} for n, wish in enumerate(wishes)
    ]
    answers = node.raw(json.dumps(batch).encode())
    assert ["error" in answer for answer in answers] == [True, False, True, False]
    assert nonce(node, ALICE) == 2


def test_a_flood_is_all_mined(node: Local) -> None:
    """Two thousand sends of several accounts at once, in mixed order of nonces, with one account's gap closed last."""
    accounts = dev_accounts()[:5]
    raws = [
        Transaction(nonce=number, max_fee=10**11, max_tip=1, gas_limit=21_000, to=accounts[0].address, chain_id=31_337)
        .sign(account.secret)
        .encode()
        for account in accounts
        for number in sorted(range(400), key=lambda number: number * 7 % 400)
    ]

    async def flood() -> list[bytes]:
        async def one(raw: bytes) -> bytes:
            taken = node.node.send(raw)
            return taken if isinstance(taken, bytes) else await taken

        return list(await asyncio.gather(*(one(raw) for raw in raws)))

    hashes = node.on_loop(flood())
    assert len(set(hashes)) == 2_000
    missing = [digest for digest in hashes if node.node.chain.receipt(digest) is None]
    while missing and (left := len(node.node.chain.pool)):
        # Answers of gapped nonces come before their turn; nothing may be left once all have arrived.
        missing = [digest for digest in missing if node.node.chain.receipt(digest) is None]
        assert len(node.node.chain.pool) <= left
    assert len(node.node.chain.pool) == 0
    assert all(nonce(node, "0x" + account.address.hex()) == 400 for account in accounts)
