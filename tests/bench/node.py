"""`python -m tests.bench node`: the node against anvil: the same requests, on one connection or ten, in turns.

Rates are of a client that waits for each answer, or for each batch's. Every receipt is read. Chains are in memory, as
anvil's is; what a chain on disk does stands beside. Never: requests that only one of the two is asked.
"""

from __future__ import annotations

import json
import time
from statistics import median

from contractvm.devaccounts import dev_accounts
from tests.bench.compile import BenchError
from tests.bench.nodes import BALANCE, TRANSFER, Bench, item, raw
from tests.bench.wire import Wire, batch, post, request

AUTOMINED, PART = 5_000, 1_000
ON_DEMAND, TOGETHER = 4_000, 500
READS, TURNS = 3_000, 5
"""Requests a turn, and turns of which the median counts."""
CONNECTIONS = 10
RECEIVERS = [bytes([7]) * 12 + number.to_bytes(8, "big") for number in range(5_000)]


def automined(node: Bench, count: int = AUTOMINED) -> list[float]:
    """Transactions a second of each thousand: send, and ask for the receipt until it is there."""
    owner = dev_accounts()[0]
    signed = [raw(tx) for tx in node.transfers(count, [owner], RECEIVERS)]
    rates = []
    with Wire(node.port) as wire:
        for start in range(0, count, PART):
            begin = time.perf_counter()
            for sending in signed[start : start + PART]:
                digest = json.loads(wire.ask(sending)).get("result")
                asking = post("eth_getTransactionReceipt", digest)
                while (answer := wire.ask(asking)).endswith(b'"result":null}'):
                    pass
                if b'"status":"0x1"' not in answer:
                    raise BenchError(f"{node.name}: a transfer failed: {answer.decode()}")
            rates.append(PART / (time.perf_counter() - begin))
    return rates


def on_demand(node: Bench, together: int) -> float:
    """Transactions a second until all are in blocks that were asked for: sent one by one, or in batches."""
    accounts = dev_accounts()
    owner = accounts[0]
    txs = node.transfers(ON_DEMAND, [owner], RECEIVERS)
    if together == 1:
        requests = [raw(tx) for tx in txs]
    else:
        requests = [batch([item(tx) for tx in txs[i : i + together]]) for i in range(0, ON_DEMAND, together)]
    mine = post("evm_mine")
    with Wire(node.port) as wire:
        begin = time.perf_counter()
        for number, sending in enumerate(requests, 1):
            if b'"error"' in (answer := wire.ask(sending)):
                raise BenchError(f"{node.name}: {answer[:500].decode()}")
            if number * together % TOGETHER == 0:
                wire.ask(mine)
        took = time.perf_counter() - begin
        last = json.loads(answer)
        digest = last["result"] if together == 1 else last[-1]["result"]
        if wire.call("eth_getTransactionReceipt", digest) is None:
            raise BenchError(f"{node.name}: not all was mined")
    return ON_DEMAND / took


def asked(node: Bench, asking: bytes, count: int = READS) -> float:
    """Requests a second on one connection, the median of some turns."""

    def turn() -> float:
        with Wire(node.port) as wire:
            wire.ask(asking)
            begin = time.perf_counter()
            for _ in range(count):
                answer = wire.ask(asking)
            took = time.perf_counter() - begin
        if b'"result"' not in answer or b'"error"' in answer:
            raise BenchError(f"{node.name}: {answer[:500].decode()}")
        return count / took

    return median(turn() for _ in range(TURNS))


def asked_at_once(node: Bench, asking: bytes, count: int = READS) -> float:
    """Requests a second on ten connections, each with one request under way."""

    def turn() -> float:
        wires = [Wire(node.port) for _ in range(CONNECTIONS)]
        begin = time.perf_counter()
        for _ in range(count // CONNECTIONS):
            for wire in wires:
                wire.put(asking)
            for wire in wires:
                wire.take()
        took = time.perf_counter() - begin
        for wire in wires:
            wire.__exit__()
        return count / took

    return median(turn() for _ in range(TURNS))


def balance_of(node: Bench) -> dict[str, object]:
    """`eth_call` of the owner's balance."""
    data = BALANCE.encode(dev_accounts()[0].address)
    return request("eth_call", {"to": "0x" + node.token.hex(), "data": "0x" + data.hex()}, "latest")


def estimate(node: Bench) -> bytes:
    """`eth_estimateGas` of a transfer."""
    owner, other = dev_accounts()[:2]
    fields = {"from": "0x" + owner.address.hex(), "to": "0x" + node.token.hex()}
    return post("eth_estimateGas", {**fields, "data": "0x" + TRANSFER.encode(other.address, 1).hex()})
