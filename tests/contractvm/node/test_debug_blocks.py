"""Blocks of many transactions, some of which fail, as chance has it: each is traced as it was mined."""

from __future__ import annotations

import random
from typing import Any

import pytest

from contractvm.node.config import Config
from contractvm.transaction import Transaction
from contractvm.types import Address
from sdk.abi import Function
from tests.contractvm.node.deployed import ACCOUNTS, Contract, built
from tests.contractvm.node.local import Local, local

TRANSFER, APPROVE, FROM = (
    Function.parse(text)
    for text in ("transfer(address,uint256)", "approve(address,uint256)", "transferFrom(address,address,uint256)")
)


class Players:
    """Accounts that move tokens about."""

    def __init__(self, node: Local, seed: int) -> None:
        self.node = node
        self.chance = random.Random(seed)
        self.tokens = [Contract(node, built(path), 10**9) for path in ("token/token.py", "token/token.c")]
        self.nonces = {
            account.address: int(node.rpc("eth_getTransactionCount", "0x" + account.address.hex()), 16)
            for account in ACCOUNTS
        }

    def data(self) -> bytes:
        chance = self.chance
        someone, other = (account.address for account in chance.choices(ACCOUNTS, k=2))
        amount = chance.choice([0, 1, 500, 10**6, 10**12])
        match chance.randrange(4):
            case 0:
                return APPROVE.encode(someone, amount)
            case 1:
                return FROM.encode(someone, other, amount)
            case 2:
                return TRANSFER.encode(someone, amount)
        return chance.randbytes(chance.randrange(8))

    def send(self) -> str:
        chance = self.chance
        sender = chance.choice(ACCOUNTS)
        to: Address = chance.choice([self.tokens[0].address, self.tokens[1].address, ACCOUNTS[0].address])
        tx = Transaction(
            nonce=self.nonces[sender.address],
            max_fee=10**10,
            max_tip=chance.choice([0, 10**9]),
            gas_limit=chance.choice([30_000, 45_000, 200_000]),
            to=to,
            value=chance.choice([0, 0, 7]),
            data=self.data(),
            chain_id=31_337,
        )
        self.nonces[sender.address] += 1
        return str(self.node.rpc("eth_sendRawTransaction", "0x" + tx.sign(sender.secret).encode().hex()))


@pytest.mark.parametrize("seed", [1, 2])
def test_each_transaction_is_traced_as_it_was_mined(seed: int) -> None:
    with local(Config()) as node:
        players = Players(node, seed)
        node.rpc("evm_setAutomine", False)
        digests: list[str] = []
        for _ in range(4):
            digests += [players.send() for _ in range(players.chance.randrange(1, 14))]
            node.rpc("evm_mine")
            if players.chance.random() < 0.5:
                node.rpc("anvil_setBalance", "0x" + ACCOUNTS[3].address.hex(), hex(10**22))
            if players.chance.random() < 0.5:
                node.rpc("anvil_setCoinbase", "0x" + ACCOUNTS[4].address.hex())
        receipts = [node.rpc("eth_getTransactionReceipt", digest) for digest in digests]
        assert {receipt["status"] for receipt in receipts} == {"0x0", "0x1"}
        for receipt in receipts:
            check(node, receipt)
        for number in {receipt["blockNumber"] for receipt in receipts}:
            check_block(node, number, [receipt for receipt in receipts if receipt["blockNumber"] == number])


def check(node: Local, receipt: dict[str, Any]) -> None:
    """Every kind of trace of a transaction tells what its receipt tells."""
    digest, used = receipt["transactionHash"], receipt["gasUsed"]
    assert hex(node.rpc("cvm_trace", digest)["gasUsed"]) == used
    assert hex(node.rpc("debug_traceTransaction", digest, {"disableStack": True})["gas"]) == used
    options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
    top = node.rpc("debug_traceTransaction", digest, options)
    assert (top["gasUsed"], "error" in top) == (used, receipt["status"] == "0x0")
    assert [log["data"] for log in top.get("logs", ())] == [log["data"] for log in receipt["logs"]]


def check_block(node: Local, number: str, receipts: list[dict[str, Any]]) -> None:
    """The traces of a block are those of its transactions, and their differences make up the block's."""
    receipts = sorted(receipts, key=lambda receipt: int(receipt["transactionIndex"], 16))
    block = node.rpc("debug_traceBlockByNumber", number, {"tracer": "callTracer"})
    assert [(each["txHash"], each["result"]["gasUsed"]) for each in block] == [
        (receipt["transactionHash"], receipt["gasUsed"]) for receipt in receipts
    ]
    state: dict[tuple[str, str], list[str]] = {}
    for receipt in receipts:
        diff = node.rpc("cvm_stateDiff", receipt["transactionHash"])
        for place, (before, after) in places(diff).items():
            known = state.setdefault(place, [before, after])
            assert known[1] == before or known == [before, after]
            known[1] = after
    whole = places(node.rpc("cvm_stateDiff", hex(int(number, 16) - 1), number))
    assert {place: tuple(pair) for place, pair in state.items() if pair[0] != pair[1]} == whole


def places(diff: dict[str, Any]) -> dict[tuple[str, str], tuple[str, str]]:
    found = {}
    for address, account in diff["accounts"].items():
        for what in ("balance", "nonce"):
            if what in account:
                found[address, what] = account[what]["before"], account[what]["after"]
        for entry in account.get("storage", ()):
            found[address, entry["key"]] = entry["before"], entry["after"]
    return found
