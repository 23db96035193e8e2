"""`python -m tests.bench growth`: a node after a million transactions to as many new holders: memory and speed.

Transactions are sent in batches and mined when asked for; then the automined rate is measured again on what has grown,
beside that of the same node when it was young. Never: a chain on disk.
"""

from __future__ import annotations

from collections.abc import Sequence

from contractvm.devaccounts import dev_accounts
from tests.bench.compile import BenchError
from tests.bench.node import automined
from tests.bench.nodes import TRANSFER, item, ours, raw
from tests.bench.report import Row
from tests.bench.wire import Wire, batch, post

MILLION, TOGETHER, PART = 1_000_000, 500, 50_000


def run() -> Sequence[Row]:
    """The section's rows."""
    accounts = dev_accounts()
    owner = accounts[0]
    # Blocks that are over half full raise the base fee by an eighth each, which nobody could pay for long.
    with ours("--gas-limit", "60000000") as node, Wire(node.port) as wire:
        for other in accounts[1:]:
            wire.ask(raw(node.signed(owner, TRANSFER.encode(other.address, 10**20))))
        young, start = automined(node), node.resident
        wire.call("evm_setAutomine", False)
        mine = post("evm_mine")
        for part in range(0, MILLION, PART):
            receivers = [bytes([8]) * 12 + number.to_bytes(8, "big") for number in range(part, part + PART)]
            txs = node.transfers(PART, accounts, receivers)
            for at in range(0, PART, TOGETHER):
                if b'"error"' in (answer := wire.ask(batch([item(tx) for tx in txs[at : at + TOGETHER]]))):
                    raise BenchError(answer[:500].decode())
                wire.ask(mine)
        grown = node.resident
        wire.call("evm_setAutomine", True)
        old = automined(node)
    return [
        Row("memory of a young node", start / 1e6, "MB"),
        Row("memory after 1,000,000 transactions", grown / 1e6, "MB", target="< 500 MB"),
        Row("automine, send and receipt, with 1,000,000 holders", old, "tx/s", "the young node", young, ">= 2,000"),
    ]
