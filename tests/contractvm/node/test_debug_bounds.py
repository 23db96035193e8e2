"""Traces of what is large: calls as deep as they go, loops without end, blocks that hold much; on every tier."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from contractvm.node import profiles, replay
from contractvm.node.artifacts import Artifacts
from contractvm.node.config import Config, Limits
from contractvm.node.node import Node
from contractvm.node.steps import Room
from contractvm.node.telling import trace
from contractvm.node.tracers import call_tree
from contractvm.types import Address, Hash
from contractvm.wasm.machine import WasmMachine
from sdk import envelope, wat
from tests.contractvm.node.deployed import ACCOUNTS, Contract, built, send
from tests.contractvm.node.local import Local, local

RECURSE = """(module
  (import "cvm1" "self_address" (func $self (param i32)))
  (import "cvm1" "storage_set" (func $set (param i32 i32 i32 i32)))
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "call")
    (call $self (i32.const 0))
    (drop (call $call (i32.const 0) (i32.const 32) (i32.const 64) (i32.const 0) (i64.const -1) (i32.const 1)))))"""
SPIN = """(module (memory (export "memory") 1)
  (func $inner (param i32) (result i32) (i32.add (local.get 0) (i32.const -1)))
  (func (export "call") (local i32) (local.set 0 (i32.const 30000))
    (loop $again (br_if $again (local.tee 0 (call $inner (local.get 0)))))))"""
STEPS = 20_000


def deployed(node: Local, source: str, tmp_path: Path) -> Address:
    """A contract written in WebAssembly text."""
    path = tmp_path / "contract.wat"
    path.write_text(source, encoding="utf-8")
    receipt = send(node, None, envelope.seal(wat.assemble(path)))
    assert receipt["status"] == "0x1", receipt
    return Address(bytes.fromhex(receipt["contractAddress"][2:]))


@pytest.fixture
def spacious() -> Iterator[Local]:
    """A node whose blocks have room for the deepest calls."""
    with local(Config(gas_limit=10**12, balance=10**9, limits=Limits(trace_steps=STEPS))) as node:
        yield node


def test_calls_as_deep_as_they_go(spacious: Local, tmp_path: Path) -> None:
    recursive = deployed(spacious, RECURSE, tmp_path)
    receipt = send(spacious, recursive, b"", gas=5 * 10**11)
    assert receipt["status"] == "0x1"
    chain, digest = spacious.node.chain, Hash(bytes.fromhex(receipt["transactionHash"][2:]))
    tree = orjson.dumps(call_tree(replay.mined(chain, digest), {}, (), Room(0, 64 << 20)))
    calls = tree.count(b'"CALL"')
    assert calls > 900
    told = orjson.dumps(trace(replay.mined(chain, digest), Artifacts()))
    assert told.count(b'"CALL"') == calls
    profile = profiles.profile(replay.mined(chain, digest), Artifacts())
    assert profile["functions"][0]["calls"] == calls
    assert len(profile["folded"]) < profiles.FOLDED_BYTES


def test_a_loop_is_followed_so_far(spacious: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looping = deployed(spacious, SPIN, tmp_path)
    receipt = send(spacious, looping, b"")
    assert receipt["status"] == "0x1"
    digest = receipt["transactionHash"]
    steps = spacious.rpc("debug_traceTransaction", digest, {"disableStack": True})
    assert (steps["truncated"], len(steps["structLogs"])) == (True, STEPS)
    assert hex(steps["gas"]) == receipt["gasUsed"]
    monkeypatch.setattr(replay, "FOLLOWED", 100_000)
    told = spacious.rpc("cvm_trace", digest)
    assert told["followed"] is False and hex(told["gasUsed"]) == receipt["gasUsed"]
    monkeypatch.setattr(profiles, "MOST_STEPS", 10_000)
    profile = spacious.rpc("cvm_profile", digest)
    assert profile["truncated"] is True and sum(each["calls"] for each in profile["functions"]) > 1_000


def test_a_trace_that_is_too_large_says_so(tmp_path: Path) -> None:
    with local(Config(limits=Limits(result_bytes=200_000))) as node:
        looping = deployed(node, SPIN, tmp_path)
        receipt = send(node, looping, b"")
        steps = node.rpc("debug_traceTransaction", receipt["transactionHash"])
        assert steps["truncated"] is True and 500 < len(steps["structLogs"]) < 3_000


class OnTier(Local):
    """A node whose contracts run on one tier."""

    def __init__(self, tier: str) -> None:
        self._tier = tier
        super().__init__()

    async def _open(self) -> Node:
        node = Node(self.config, [WasmMachine(self._tier, background=False)])
        node.start()
        return node


@pytest.mark.parametrize("tier", ["reference", "portable", "native"])
def test_the_same_on_every_tier(tier: str) -> None:
    """What records frames stands around the chain's own machines."""
    node = OnTier(tier)
    try:
        token = Contract(node, built("token/token.py"), 10**20)
        receipt = token.send("transfer(address,uint256)", ACCOUNTS[1].address, 7)
        options = {"tracer": "callTracer", "tracerConfig": {"withLog": True}}
        top = node.rpc("debug_traceTransaction", receipt["transactionHash"], options)
        assert top["gasUsed"] == receipt["gasUsed"] and len(top["logs"]) == 1
        diff = node.rpc("cvm_stateDiff", receipt["transactionHash"])
        assert len(diff["accounts"][token.hex]["storage"]) == 2
    finally:
        node.close()
