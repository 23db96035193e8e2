"""What a node is told when it starts, and the bounds it works in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from contractvm.devaccounts import COUNT, TEST_PHRASE
from contractvm.genesis import GAS_LIMIT

PORT: Final = 8545
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one client may ask for. Sizes in bytes, times in seconds, gas in whole gas."""

    body_bytes: int = 8 << 20
    head_bytes: int = 256 << 10
    """Of a request's line, headers, and what frames its body."""
    batch: int = 5_000
    result_bytes: int = 64 << 20
    connections: int = 2_048
    request_seconds: float = 30.0
    """Time for a request to arrive whole."""
    idle_seconds: int = 75
    """Time that a connection may be kept without a request."""
    socket_queue: int = 1_024
    """Messages that a slow WebSocket client may be behind before it is dropped."""
    subscriptions: int = 256
    """Subscriptions and filters of one client, or of all clients of HTTP."""
    filter_seconds: float = 300.0
    """Time after which a filter that nobody asks for is forgotten."""
    filter_items: int = 100_000
    """Changes that a filter keeps for whoever asks next."""
    logs: int = 100_000
    """Logs in one answer."""
    call_gas: int = 50_000_000
    """Gas of `eth_call` where the caller names none or more: it bounds time, and memory in deep recursion."""
    trace_steps: int = 200_000
    """Instructions in one trace."""


@dataclass(frozen=True, slots=True)
class Config:
    """The options of `contractvm node`. `data` None: the chain is in memory; `keep` None: all history is kept."""

    host: str = HOST
    port: int = PORT
    data: Path | None = None
    chain_id: int | None = None
    accounts: int = COUNT
    balance: int = 10_000
    """Ether of each development account of a new chain."""
    mnemonic: str = TEST_PHRASE
    block_time: float | None = None
    mining: bool = True
    gas_limit: int = GAS_LIMIT
    base_fee: int | None = None
    tier: str = "auto"
    keep: int | None = None
    fork_url: str | None = None
    """Another contractvm node, whose chain is gone on from, in memory; from its head unless `fork_block` is named."""
    fork_block: int | None = None
    state: Path | None = None
    """A file whose state a new chain begins with, if it is there, and in which the state is left at the end."""
    metrics: bool = False
    limits: Limits = field(default_factory=Limits)
