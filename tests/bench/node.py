"""`python -m tests.bench node`: the node against anvil: the same requests, on one connection or ten, in turns.

Rates are of a client that waits for each answer, or for each batch's. Every receipt is read. Chains are in memory, as
anvil's is; what a chain on disk does stands beside. Neither prints its blocks. Our node remembers what was asked twice
on the same state, so calls are also measured that come once each. Never: requests that only one of the two is asked.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from statistics import median
from typing import Final

from contractvm.crypto import keccak256
from contractvm.devaccounts import DevAccount, dev_accounts
from tests.anvil import Peer
from tests.bench.compile import BenchError
from tests.bench.nodes import BALANCE, TRANSFER, Bench, anvils, item, ours, raw
from tests.bench.report import Row
from tests.bench.wire import Wire, batch, framed, post, request
from tests.contractvm.node.process import NodeProcess

AUTOMINED, PART, TOGETHER = 5_000, 1_000, 500
READS, BATCHES, TURNS = 3_000, 40, 15
"""Requests and batches a turn, and turns of which the median counts."""
FRESH: Final = 3
"""Pairs of nodes on which automining is measured from the start, likewise."""
CONNECTIONS, BATCH = 10, 100


def transfers(node: Bench, sender: DevAccount, count: int = PART) -> list[bytes]:
    """Signed transfers to accounts that had nothing before: their numbers go on with the sender's nonces."""
    first = node.nonces.get(sender.address, 0)
    receivers = [bytes([7]) * 12 + number.to_bytes(8, "big") for number in range(first, first + count)]
    return node.transfers(count, [sender], receivers)


def automined(node: Bench) -> float:
    """Transactions a second of `PART`: send, and ask for the receipt until it is there.

    Who has signed a transaction knows its hash, so both requests are there before the clock runs.
    """
    signed = transfers(node, dev_accounts()[0])
    requests = [(raw(tx), post("eth_getTransactionReceipt", "0x" + keccak256(tx).hex())) for tx in signed]
    with Wire(node.port) as wire:
        begin = time.perf_counter()
        for sending, asking in requests:
            if b'"error"' in (answer := wire.ask(sending)):
                raise BenchError(f"{node.name}: a transfer was refused: {answer.decode()}")
            while (answer := wire.ask(asking)).endswith(b'"result":null}'):
                pass
            if b'"status":"0x1"' not in answer:
                raise BenchError(f"{node.name}: a transfer failed: {answer.decode()}")
        return PART / (time.perf_counter() - begin)


def on_demand(node: Bench, together: int) -> float:
    """Transactions a second until all are in blocks that were asked for: sent one by one, or in batches."""
    txs = transfers(node, dev_accounts()[0])
    if together == 1:
        requests = [raw(tx) for tx in txs]
    else:
        requests = [batch([item(tx) for tx in txs[i : i + together]]) for i in range(0, PART, together)]
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
    return PART / took


def asked(node: Bench, requests: Sequence[bytes]) -> float:
    """Requests a second on one connection, the first of them aside."""
    with Wire(node.port) as wire:
        wire.ask(requests[0])
        begin = time.perf_counter()
        for asking in requests[1:]:
            answer = wire.ask(asking)
        took = time.perf_counter() - begin
    if answer.count(b'"result"') != requests[-1].count(b'"method"') or b'"error"' in answer:
        raise BenchError(f"{node.name}: {answer[:500].decode()}")
    return (len(requests) - 1) / took


def asked_at_once(node: Bench, asking: bytes) -> float:
    """Requests a second on ten connections, each with one request under way."""
    wires = [Wire(node.port) for _ in range(CONNECTIONS)]
    begin = time.perf_counter()
    for _ in range(READS // CONNECTIONS):
        for wire in wires:
            wire.put(asking)
        for wire in wires:
            wire.take()
    took = time.perf_counter() - begin
    for wire in wires:
        wire.__exit__()
    return READS / took


def holders(node: Bench, count: int, start: int = 0) -> bytes:
    """`eth_call` of the balances of some accounts, in a batch when they are several."""
    calls = []
    for number in range(start, start + count):
        data = BALANCE.encode(bytes([9]) * 12 + number.to_bytes(8, "big"))
        calls.append(request("eth_call", {"to": "0x" + node.token.hex(), "data": "0x" + data.hex()}, "latest"))
    return batch(calls) if count > 1 else framed(calls[0])


def estimate(node: Bench) -> bytes:
    """`eth_estimateGas` of a transfer."""
    owner, other = dev_accounts()[:2]
    fields = {"from": "0x" + owner.address.hex(), "to": "0x" + node.token.hex()}
    return post("eth_estimateGas", {**fields, "data": "0x" + TRANSFER.encode(other.address, 1).hex()})


def durable() -> float:
    """Transactions a second on a disk, each acknowledged when it is synced: ten senders at once."""
    with tempfile.TemporaryDirectory() as folder, ours("--data", folder) as node:
        accounts = dev_accounts()
        owner = accounts[0]
        with Wire(node.port) as wire:
            for other in accounts[1:]:
                wire.ask(raw(node.signed(owner, TRANSFER.encode(other.address, 10**20))))
        rounds = 100
        requests = [[raw(tx) for tx in transfers(node, sender, rounds)] for sender in accounts]
        wires = [Wire(node.port) for _ in accounts]
        begin = time.perf_counter()
        for number in range(rounds):
            for wire, mine in zip(wires, requests, strict=True):
                wire.put(mine[number])
            for wire in wires:
                if b'"error"' in (answer := wire.take()):
                    raise BenchError(answer.decode())
        took = time.perf_counter() - begin
        for wire in wires:
            wire.__exit__()
    return rounds * len(accounts) / took


def first_answer() -> float:
    """Seconds from starting the command to its first answer."""

    def once() -> float:
        begin = time.perf_counter()
        with NodeProcess(tier="auto") as process:
            with Wire(Peer(process.ready().url).port) as wire:
                wire.call("eth_blockNumber")
            return time.perf_counter() - begin

    return median(once() for _ in range(TURNS))


def compared(
    name: str, unit: str, pair: tuple[Bench, Bench], turn: Callable[[Bench], float], target: str | None = None
) -> Row:
    """One figure of both, ours first: medians of turns that each has after the other, so that a machine that is now
    slower, now faster is so for both.
    """
    turns = [(turn(pair[0]), turn(pair[1])) for _ in range(TURNS)]
    mine, theirs = (median(rates) for rates in zip(*turns, strict=True))
    return Row(name, mine, unit, "anvil", theirs, target)


def mined() -> Iterator[Row]:
    """Transactions, on nodes that are fresh each time."""
    curves: list[list[tuple[float, float]]] = []
    for _ in range(FRESH):
        with ours() as mine, anvils("--order", "fifo") as theirs:
            curves.append([(automined(mine), automined(theirs)) for _ in range(AUTOMINED // PART)])
    for number, rates in enumerate(zip(*curves, strict=True), 1):
        our_rate, their_rate = (median(of_one) for of_one in zip(*rates, strict=True))
        name = f"automine, send and receipt, thousand {number}"
        yield Row(name, our_rate, "tx/s", "anvil", their_rate, ">= 2,000 a second")
    for together, target in ((1, ">= 1.3 times"), (TOGETHER, ">= 1.5 times")):
        name = "one at a time" if together == 1 else f"in batches of {together}"

        def turn(node: Bench, together: int = together) -> float:
            return on_demand(node, together)

        with ours("--no-mining") as mine, anvils("--no-mining", "--order", "fifo") as theirs:
            yield compared(f"mined on demand, {name}", "tx/s", (mine, theirs), turn, target)


def read() -> Iterator[Row]:
    """Calls that change nothing."""
    starts = count(1, BATCH)
    with ours() as mine, anvils() as theirs:
        pair = (mine, theirs)

        def height(node: Bench) -> float:
            return asked_at_once(node, post("eth_blockNumber"))

        def call(node: Bench) -> float:
            return asked(node, [holders(node, 1)] * READS)

        def once(node: Bench) -> float:
            return BATCH * asked(node, [holders(node, BATCH, next(starts)) for _ in range(BATCHES)])

        def again(node: Bench) -> float:
            return BATCH * asked(node, [holders(node, BATCH)] * BATCHES)

        def estimated(node: Bench) -> float:
            return asked(node, [estimate(node)] * READS)

        yield compared("eth_blockNumber, ten connections", "requests/s", pair, height, ">= 0.6 times")
        yield compared("eth_call balanceOf, one connection", "requests/s", pair, call, ">= 0.8 times")
        name = f"eth_call balanceOf in batches of {BATCH}"
        yield compared(f"{name}, each holder asked for once", "calls/s", pair, once, ">= 2 times")
        yield compared(f"{name}, the same holders again", "calls/s", pair, again, ">= 2 times")
        yield compared("eth_estimateGas of a transfer", "requests/s", pair, estimated, ">= 1 times")


def run() -> Sequence[Row]:
    """The section's rows."""
    return [
        *mined(),
        *read(),
        Row("durable automine, ten senders at once", durable(), "tx/s", target=">= 1,000 a second"),
        Row("start to the first answer", first_answer(), "s", target="< 0.7 s"),
    ]
