"""ethereum/tests GeneralStateTests that need no EVM: Cancun's transactions that are rejected, or that run no code.

What is compared is the state root and the logs' hash, so upfront checks, fees, refunds of unused gas, empty accounts
and the encodings of the whole state are held to Ethereum's. Of the 10,138 Cancun cases these are 1,058 rejections and 9
transfers; 144 more are transfers with blobs, which this chain refuses, and the others execute EVM code.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from contractvm.crypto import keccak256, keccak_function
from contractvm.errors import Rejected
from contractvm.execute import BlockContext, Executor
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction
from contractvm.types import Address
from state.codec import Encodable, encode
from state.database import StateDB
from state.store import MemoryStore
from state.world import World

PACK = Path(os.environ.get("CONTRACTVM_VECTORS", Path(__file__).parents[3] / "shared" / "vectors")) / "evm-tests.zip"
PRECOMPILES = range(1, 11)
EXECUTOR = Executor(contract_rules(), [])


def number(text: str) -> int:
    return int(text, 16)


def data(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def kind(test: dict[str, Any], verdict: dict[str, Any]) -> str | None:
    """ "rejected", "transfer", or None when code would run."""
    if "expectException" in verdict:
        return "rejected"
    to = test["transaction"]["to"]
    if not to or number(to) in PRECOMPILES or data(test["pre"].get(to, {}).get("code", "")):
        return None
    return "blobs" if data(verdict["txbytes"])[0] == 3 else "transfer"


@cache
def files() -> list[str]:
    """Names in the pack."""
    with zipfile.ZipFile(PACK) as pack:
        return sorted(n for n in pack.namelist() if n.startswith("GeneralStateTests/") and n.endswith(".json"))


def cases() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(name, test, verdict) of each Cancun case that needs no EVM."""
    with zipfile.ZipFile(PACK) as pack:
        for path in files():
            for name, test in json.loads(pack.read(path)).items():
                for verdict in test["post"].get("Cancun", []):
                    if kind(test, verdict) is not None:
                        yield f"{path}:{name}:{verdict['indexes']}", test, verdict


def build(state: StateDB, pre: dict[str, Any]) -> World:
    """A world of the accounts a case starts from."""
    world = World(state.view())
    for key, account in pre.items():
        address = data(key)
        world.set_balance(address, number(account["balance"]))
        world.set_nonce(address, number(account["nonce"]))
        if data(account["code"]):
            world.set_code(address, data(account["code"]))
        for slot, value in account["storage"].items():
            minimal = number(value)
            world.set_storage(
                address, number(slot).to_bytes(32, "big"), minimal.to_bytes((minimal.bit_length() + 7) // 8, "big")
            )
    return world


def run(test: dict[str, Any], verdict: dict[str, Any]) -> tuple[str, str, bool]:
    """(state root, hash of the logs, rejected)."""
    env = test["env"]
    block = BlockContext(
        chain_id=1,
        number=number(env["currentNumber"]),
        timestamp=number(env["currentTimestamp"]),
        coinbase=Address(data(env["currentCoinbase"])),
        base_fee=number(env["currentBaseFee"]),
        gas_limit=number(env["currentGasLimit"]),
    )
    state = StateDB(MemoryStore(), keccak_function())
    world = build(state, test["pre"])
    logs: list[Encodable] = []
    rejected = False
    try:
        done = EXECUTOR.apply(Transaction.decode(data(verdict["txbytes"]), 1), world, block, block.gas_limit)
        logs = [[log.address, log.topics, log.data] for log in done.logs]
    except Rejected:
        rejected = True
    return "0x" + state.prepare(world, 0).root.hex(), "0x" + keccak256(encode(logs)).hex(), rejected


@pytest.mark.skipif(not PACK.exists(), reason=f"no vectors at {PACK}")
def test_cases_without_code() -> None:
    counts = {"rejected": 0, "transfer": 0, "blobs": 0}
    wrong = []
    for name, test, verdict in cases():
        sort = str(kind(test, verdict))
        counts[sort] += 1
        if sort == "blobs":
            continue
        root, logs, rejected = run(test, verdict)
        if (root, logs, rejected) != (verdict["hash"], verdict["logs"], sort == "rejected"):
            wrong.append(name)
    assert wrong == []
    assert counts == {"rejected": 1_058, "transfer": 9, "blobs": 144}
