"""One fixed history, told in digests: `python -m tests.determinism.scenario CODE [--store NAME DIR] [--tier NAME]`.

Deploys `everything.wat` (assembled into the file CODE) and the demo's token, lets them succeed, revert, trap and run
out of gas, and prints one JSON line a step: status, gas, trap, digests of output and logs, state root. Needs
contractvm's own dependencies and nothing else, so that any Python can run it. Never: what may differ between two runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from contractvm.chain import Chain
from contractvm.cli.demo import GOLDEN
from contractvm.clock import Clock
from contractvm.devaccounts import dev_accounts
from contractvm.errors import Trap
from contractvm.execute import Executed, Message
from contractvm.genesis import Genesis
from contractvm.receipt import Receipt, TrapReport
from contractvm.transaction import Transaction, TxType
from contractvm.types import Address
from contractvm.wasm.machine import WasmMachine
from state.directory import open_store
from state.store import MemoryStore, Store

START = 1_700_000_000
BLOCK_GAS = 10**14
DEEP = 10**13
"""Enough that 63/64 of it, 1,024 times over, still pays for a frame."""
ALICE, BOB = dev_accounts()[:2]
STEPS: tuple[tuple[str, int, int], ...] = (
    ("store", 1, 300),
    ("walk", 2, 0),
    ("walk back and remove", 3, 0),
    ("walk what is left", 2, 0),
    ("store again", 1, 50),
    ("log", 4, 0),
    ("unreachable", 5, 0),
    ("divide by zero", 6, 0),
    ("out of bounds", 7, 0),
    ("sink", 8, 1_000),
    ("sink too deep", 8, 100_000),
    ("run for ever", 9, 0),
    ("call null", 10, 0),
    ("call another type", 10, 1),
    ("call beyond the table", 10, 9),
    ("grow", 11, 0),
    ("revert", 12, 0),
    ("hash", 14, 1_000),
    ("surroundings", 15, 0),
    ("create", 16, 0),
    ("overflow", 17, 0),
    ("nothing", 99, 0),
)
NEST, FOREVER = 13, 9


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest()[:16]


def trap_of(trap: Trap | TrapReport | None) -> object:
    if trap is None or trap.place is None:
        return trap and str(trap.code)
    return [str(trap.code), trap.place.function, trap.place.offset]


def told(name: str, done: Executed | Receipt, chain: Chain) -> dict[str, object]:
    """What must be the same everywhere."""
    parts = [part for log in done.logs for part in (log.address, *log.topics, log.data)]
    return {
        "step": name,
        "status": done.status.name,
        "gas": done.gas_used,
        "trap": trap_of(done.trap),
        "output": digest(done.output),
        "logs": [len(done.logs), digest(*parts)],
        "root": chain.head.state_root.hex(),
        "block": chain.head.hash.hex(),
    }


def send(chain: Chain, to: Address | None, data: bytes, gas: int, secret: bytes = ALICE.secret) -> Receipt:
    sender = ALICE.address if secret == ALICE.secret else BOB.address
    tx = Transaction(
        type=TxType.DYNAMIC_FEE,
        nonce=chain.next_nonce(sender),
        max_fee=2 * chain.next_base_fee,
        gas_limit=gas,
        to=to,
        data=data,
        chain_id=chain.chain_id,
    )
    hash_ = chain.submit(tx.sign(secret))
    chain.produce(timestamp=chain.head.timestamp + 12)
    receipt = chain.receipt(hash_)
    if receipt is None:
        raise SystemExit(f"transaction 0x{hash_.hex()} was not mined")
    return receipt


def history(chain: Chain, code: bytes) -> Iterator[dict[str, object]]:
    """Run all steps and tell each."""
    token = send(chain, None, GOLDEN.read_bytes() + (10**24).to_bytes(32, "big"), 5_000_000)
    yield told("token", token, chain)
    for amount in (5, 10**30):
        data = bytes.fromhex("a9059cbb") + bytes(12) + BOB.address + amount.to_bytes(32, "big")
        yield told(f"transfer {amount}", send(chain, token.created, data, 100_000), chain)
    made = send(chain, None, code, 5_000_000)
    yield told("everything", made, chain)
    if made.created is None:
        raise SystemExit("the contract was refused")
    for name, what, n in STEPS:
        data = bytes([what]) + n.to_bytes(4, "little")
        gas = 300_000 if what == FOREVER else 10_000_000
        called = chain.call(Message(BOB.address, made.created, data=data, gas_limit=gas), "pending")
        sent = send(chain, made.created, data, gas, BOB.secret)
        yield told(name, sent, chain) | {"answer": digest(called.output), "called": called.gas_spent}
    nested = Message(ALICE.address, made.created, data=bytes([NEST, 0, 0, 0, 0]), gas_limit=DEEP)
    done = chain.call(nested)
    frames, last = (int.from_bytes(done.output[at : at + 4], "little") for at in (0, 4))
    yield told("nest", done, chain) | {"frames": frames, "last status": last}


def open_chain(store: Store, tier: str) -> Chain:
    genesis = Genesis(timestamp=START, gas_limit=BLOCK_GAS)
    return Chain(store, genesis, machines=[WasmMachine(tier)], clock=Clock(lambda: START))


def main() -> None:
    """Print the history of a fresh chain; on a database, close and open it half way through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("code", type=Path)
    parser.add_argument("--store", nargs=2, metavar=("NAME", "DIR"))
    parser.add_argument("--tier", default="portable")
    options = parser.parse_args()
    store: Store = MemoryStore()
    if options.store:
        store = open_store(options.store[1], create=True, backend=options.store[0])
    with open_chain(store, options.tier) as chain:
        for line in history(chain, options.code.read_bytes()):
            print(json.dumps(line))
        last = chain.head.hash
    if options.store:
        with Chain(open_store(options.store[1], create=False)) as chain:
            if chain.head.hash != last:
                sys.exit("the chain came back with another head")


if __name__ == "__main__":
    main()
