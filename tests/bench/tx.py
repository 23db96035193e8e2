"""`python -m tests.bench tx`: ERC-20 transfers a second, from raw signed transactions to a synced LevelDB block.

A thousand senders with one transfer a block each, to a thousand other holders: a thousand account leaves and two
thousand slots change in every block. What is timed is everything a node does with a transaction's bytes; signing is the
client's. As in a node under load, each block's bytes come in while the block before is made (`Chain.receive`): a turn
takes one block to the disk and has the next one's senders recovered, no more and no less. The floor beside it is
recovering the same senders and nothing else. A further pass, sampled, splits the time.
Each tier has a chain of its own and all are given the same blocks in turn; they must agree on every state root.
Never: takes the rate from the sampled pass.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from contractvm.chain import Chain
from contractvm.crypto import address_of_secret
from contractvm.genesis import Allocation, Genesis
from contractvm.transaction import Transaction
from contractvm.types import Address
from contractvm.wasm.engine import TIERS
from contractvm.wasm.machine import WasmMachine
from sdk.abi import Function
from sdk.build import build
from state.directory import open_store
from tests.bench.compile import BenchError, require_peers
from tests.bench.report import Row
from tests.bench.sampler import REST, Rule, sampled
from tests.tiers import NATIVE, missing

TOKEN = Path(__file__).parents[2] / "contracts" / "token" / "token.c"
SENDERS = HOLDERS = 1_000
WARM_UP, MEASURED, SAMPLED = 2, 11, 5
"""Blocks of each pass."""
ETHER = 10**18
MAX_FEE = 100 * 10**9
GAS_LIMIT = 300_000_000
TRANSFER_GAS = 120_000
TRANSFER = Function.parse("transfer(address,uint256)")
TARGETS = {"portable": ">= 5,000 a second", NATIVE: ">= 9,000 a second"}

RULES = (
    Rule("decode and recover", "contractvm/transaction.py"),
    Rule("decode and recover", "contractvm/crypto_coincurve.py"),
    Rule("decode and recover", "contractvm/crypto_btclib.py"),
    Rule("decode and recover", "contractvm/recovery.py"),
    Rule("decode and recover", "contractvm/ahead.py"),
    Rule("mempool", "contractvm/mempool.py"),
    Rule("machine", "<wasm"),
    Rule("machine", "contractvm/wasm/"),
    Rule("machine", "contractvm/native/"),
    Rule("host", "contractvm/host/"),
    Rule("world", "state/world.py"),
    Rule("world", "state/account.py"),
    Rule("world", "state/slots.py"),
    Rule("world", "state/view.py"),
    Rule("root", "state/trie"),
    Rule("root", "state/merkle.py"),
    Rule("commit", "state/database.py"),
    Rule("commit", "contractvm/archive.py"),
    Rule("execute", "contractvm/execute.py"),
    Rule("execute", "contractvm/frames.py"),
    Rule("block and receipts", "contractvm/builder.py"),
    Rule("block and receipts", "contractvm/receipt.py"),
    Rule("block and receipts", "contractvm/block.py"),
)
STAGES = (*dict.fromkeys(rule.stage for rule in RULES), REST)


@dataclass(frozen=True, slots=True)
class Sender:
    """A key and its address."""

    secret: bytes
    address: Address


def run() -> list[Row]:
    """Measure on LevelDB in a temporary directory. Raises: BenchError."""
    require_peers()
    senders = [_sender(f"sender {i}") for i in range(SENDERS)]
    holders = [_sender(f"holder {i}").address for i in range(HOLDERS)]
    genesis = Genesis(alloc={s.address: Allocation(1_000 * ETHER) for s in senders}, gas_limit=GAS_LIMIT)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        chains = {tier: stack.enter_context(_chain(Path(folder) / tier, genesis, tier)) for tier in tiers()}
        token = {_deploy(chain, senders) for chain in chains.values()}.pop()
        any_chain = next(iter(chains.values()))
        blocks = [_signed(any_chain, token, senders, holders, n) for n in range(1 + WARM_UP + MEASURED + SAMPLED)]
        nodes = {tier: Node(chain, blocks[0]) for tier, chain in chains.items()}
        turns = [_turn(nodes, raws) for raws in blocks[1 : WARM_UP + MEASURED + 1]][WARM_UP:]
        floor = median(_recover(raws) for raws in blocks[WARM_UP:-SAMPLED])
        rows = [
            Row(
                f"ERC-20 transfers, {tier}",
                SENDERS / median(turn[tier] for turn in turns),
                "tx/s",
                "recovery alone",
                SENDERS / floor,
                TARGETS[tier],
            )
            for tier in chains
        ]
        rows.append(Row("gas of a transfer", any_chain.receipts()[-1].gas_used, "gas"))
        for tier, node in nodes.items():
            with sampled(RULES) as counts:
                taken = sum(node.block(raws) for raws in blocks[WARM_UP + MEASURED + 1 :])
            rows += _stages(counts, taken, tier)
        _same_root(chains)
    return rows


def tiers() -> list[str]:
    """Those with a target that are here; the reason is said of each that is not."""
    found = []
    for tier in TARGETS:
        reason = missing(tier) if tier in TIERS else "the engine does not have it"
        if reason is None:
            found.append(tier)
        else:
            print(f"left out, tier {tier}: {reason}", file=sys.stderr)
    return found


def _chain(folder: Path, genesis: Genesis, tier: str) -> Chain:
    return Chain(open_store(folder, create=True), genesis, machines=[WasmMachine(tier)])


def _stages(counts: Counter[str], seconds: float, tier: str) -> list[Row]:
    """Microseconds a transaction by stage, and their sum."""
    each = seconds / (SAMPLED * SENDERS) * 1e6
    total = counts.total() or 1
    rows = [Row(f"{tier}, stage: {stage}", each * counts[stage] / total, "us a tx") for stage in STAGES]
    return [*rows, Row(f"{tier}, all stages, {total} samples", each, "us a tx")]


def _sender(name: str) -> Sender:
    secret = hashlib.sha256(name.encode()).digest()
    return Sender(secret, address_of_secret(secret))


def _deploy(chain: Chain, senders: Sequence[Sender]) -> Address:
    """Deploy the C token and give every sender some; its address."""
    supply = 10**27
    init = build(TOKEN).code + supply.to_bytes(32, "big")
    owner = senders[0]
    chain.submit(_transaction(chain, 0, None, init, 20_000_000).sign(owner.secret))
    token = chain.receipts(chain.produce().header.number)[0].created
    if token is None:
        raise BenchError("the token was not deployed")
    for nonce, sender in enumerate(senders, 1):
        data = TRANSFER.encode(sender.address, 10**20)
        chain.submit(_transaction(chain, nonce, token, data).sign(owner.secret))
    _check(chain, len(senders))
    return token


def _transaction(
    chain: Chain, nonce: int, to: Address | None, data: bytes, gas_limit: int = TRANSFER_GAS
) -> Transaction:
    return Transaction(
        nonce=nonce, max_fee=MAX_FEE, max_tip=1, gas_limit=gas_limit, to=to, data=data, chain_id=chain.chain_id
    )


def _signed(
    chain: Chain, token: Address, senders: Sequence[Sender], holders: Sequence[Address], block: int
) -> list[bytes]:
    """One transfer by each sender, as bytes. The first sender has sent the deployment and all tokens."""
    raws = []
    for i, sender in enumerate(senders):
        nonce = block + (SENDERS + 1 if i == 0 else 0)
        data = TRANSFER.encode(holders[(i + 7 * block) % HOLDERS], 1_000 + i)
        raws.append(_transaction(chain, nonce, token, data).sign(sender.secret).encode())
    return raws


class Node:
    """A chain, and the block that is coming in."""

    def __init__(self, chain: Chain, first: Sequence[bytes]) -> None:
        self.chain = chain
        self._coming = chain.receive(first)
        self._coming.wait()

    def block(self, following: Sequence[bytes]) -> float:
        """Seconds to take what has come in to the synced block, with the following block's bytes coming in meanwhile
        and every sender of it known at the end. Raises: BenchError unless every transfer succeeded."""
        start = perf_counter()
        complete, self._coming = self._coming, self.chain.receive(following)
        taken = self.chain.submit_many(complete)
        self.chain.produce()
        self._coming.wait()
        seconds = perf_counter() - start
        _check(self.chain, len(taken), produce=False)
        return seconds


def _turn(nodes: Mapping[str, Node], following: Sequence[bytes]) -> dict[str, float]:
    """Seconds that each tier's node takes for the same block. Raises: BenchError."""
    seconds = {tier: node.block(following) for tier, node in nodes.items()}
    _same_root({tier: node.chain for tier, node in nodes.items()})
    return seconds


def _same_root(chains: Mapping[str, Chain]) -> None:
    """Raises: BenchError unless all chains have the same state."""
    roots = {tier: chain.head.state_root.hex() for tier, chain in chains.items()}
    if len(set(roots.values())) != 1:
        raise BenchError(f"the tiers' state roots differ: {roots}")


def _check(chain: Chain, transactions: int, *, produce: bool = True) -> None:
    if produce:
        chain.produce()
    receipts = chain.receipts()
    succeeded = sum(receipt.status == 0 for receipt in receipts)
    if succeeded != transactions:
        raise BenchError(f"{succeeded} of {transactions} transfers succeeded, {len(receipts)} are in the block")


def _recover(raws: Sequence[bytes]) -> float:
    """Seconds to decode the transactions and recover their senders."""
    start = perf_counter()
    for raw in raws:
        _ = Transaction.decode(raw).sender
    return perf_counter() - start
