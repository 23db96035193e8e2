"""Chains of native contract calls, each frame at the end of its stack: `python -m tests.contractvm.native.depths CODE`.

Contracts nest as deep as the rules let them, each going down its whole budget of frame weights before it calls the
next, on the main thread, on threads of many sizes and on several at once; a real overflow would end the process. Prints
one JSON line a chain. Needs no pytest, so that any Python can run it. Never: says what a line should be.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from contractvm.devaccounts import dev_accounts
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.machine import Status
from contractvm.rules import contract_rules
from contractvm.types import Address
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import HostFunction
from contractvm.wasm.machine import WasmMachine
from tests.contractvm.fake import empty_world
from tests.threads import on_thread, started

T = TypeVar("T")
PLENTY = 10**14
"""Gas that the 63/64 rule leaves something of at depth 1,024."""
SHAPES = ("thin", "wide")
AT = {shape: Address(bytes([n + 1]) * 20) for n, shape in enumerate(SHAPES)}
LOCALS = 24
WIDE = " ".join(f"(local $x{n} i64)" for n in range(LOCALS))
SET = " ".join(
    f"(local.set $x{n} (i64.mul (i64.extend_i32_u (local.get $n)) (i64.load (i32.const {256 + 8 * n}))))"
    for n in range(LOCALS)
)
GET = " ".join(f"(local.set $x0 (i64.xor (local.get $x0) (local.get $x{n})))" for n in range(1, LOCALS))
SOURCE = """(module
  (import "cvm1" "input_copy" (func $input (param i32 i32 i32) (result i32)))
  (import "cvm1" "finish" (func $finish (param i32 i32)))
  (import "cvm1" "call" (func $call (param i32 i32 i32 i32 i64 i32) (result i32)))
  (import "cvm1" "returndata_copy" (func $returned (param i32 i32 i32) (result i32)))
  (import "cvm1" "self_address" (func $self (param i32)))
  (memory (export "memory") 1)
  ;; Input: how deep each frame goes, and whether it calls on from there. Answer: frames, status of the last call.
  (func $bottom
    (call $self (i32.const 64))
    (if (i32.load (i32.const 4))
      (then
        (i32.store (i32.const 132)
          (call $call (i32.const 64) (i32.const 96) (i32.const 0) (i32.const 8) (i64.const -1) (i32.const 1)))
        (if (i32.eqz (i32.load (i32.const 132)))
          (then (drop (call $returned (i32.const 128) (i32.const 0) (i32.const 8)))))))
    (i32.store (i32.const 128) (i32.add (i32.load (i32.const 128)) (i32.const 1))))
  (func $thin (param $n i32) (result i64)
    (if (result i64) (local.get $n)
      (then (i64.add (i64.const 1) (call $thin (i32.sub (local.get $n) (i32.const 1)))))
      (else (call $bottom) (i64.const 0))))
  (func $wide (param $n i32) (result i64) WIDE
    SET
    (if (local.get $n)
      (then (local.set $x1 (i64.add (local.get $x1) (call $wide (i32.sub (local.get $n) (i32.const 1))))))
      (else (call $bottom)))
    GET
    (local.get $x0))
  (func (export "call")
    (drop (call $input (i32.const 0) (i32.const 0) (i32.const 8)))
    (drop (call $SHAPE (i32.load (i32.const 0))))
    (call $finish (i32.const 128) (i32.const 8))))"""


BARE = """(module
  (type $t (func (param i32) (result i32)))
  (import "host" "f" (func $host (type $t)))
  (func (export "f") (type $t) (call $host (local.get 0))))"""
"""For the engine alone: calls the host, which calls it."""
BARE_CALLS = 600


def source(shape: str) -> str:
    """The contract as text: its frames are as small as they can be, or full of values."""
    return SOURCE.replace("WIDE", WIDE).replace("SET", SET).replace("GET", GET).replace("SHAPE", shape)


class Chains:
    """A world with one contract of each shape."""

    def __init__(self, codes: dict[str, bytes], tier: str) -> None:
        self.rules = contract_rules()
        self.tier = tier
        self.machine = machine = WasmMachine(tier)
        self.executor = Executor(self.rules, [machine])
        self.world = empty_world()
        for shape, code in codes.items():
            self.world.set_nonce(AT[shape], 1)
            self.world.set_code(AT[shape], code)

    def run(self, shape: str, depth: int, calls_on: bool, gas: int = PLENTY) -> Executed:
        block = BlockContext(chain_id=1, number=1, timestamp=1, gas_limit=gas)
        data = depth.to_bytes(4, "little") + int(calls_on).to_bytes(4, "little")
        mark = self.world.checkpoint()
        try:
            return self.executor.simulate(
                Message(dev_accounts()[0].address, AT[shape], 0, data, gas), self.world, block
            )
        finally:
            self.world.rollback(mark)
            if self.tier == "native" and any(kept.compiled.native is None for kept, _ in self.machine._kept.values()):
                sys.exit(f"not compiled: {shape}; the chain ran on the portable tier")

    def deepest(self, shape: str) -> int:
        """How deep one frame may go, found by trying."""
        low, high = 0, self.rules.limits.stack_weight
        while high - low > 1:
            middle = (low + high) // 2
            if self.run(shape, middle, False).ok:
                low = middle
            else:
                high = middle
        return low


def told(where: str, shape: str, depth: int, done: Executed) -> dict[str, object]:
    frames, last = (int.from_bytes(done.output[at : at + 4], "little") for at in (0, 4))
    return {
        "where": where,
        "shape": shape,
        "depth": depth,
        "status": done.status.name,
        "gas": done.gas_spent,
        "trap": None if done.trap is None else str(done.trap.code),
        "frames": frames,
        "last": Status(last).name,
    }


def bare(code: bytes, tier: str) -> Callable[[], int]:
    """How often host and module have called one another in turn; there is no limit but the stack.

    What is loaded here and not by who asks: Python 3.14 compiles nothing on a thread of 64 KiB that is in use.
    """
    engine = Engine(tier=tier)
    compiled = engine.load(code)

    def host(calls: int) -> int:
        return 1 + engine.invoke(instance, "f", [calls - 1])[0] if calls else 0

    imports = {("host", "f"): HostFunction(compiled.module.types[0], host)}
    instance = engine.instantiate(compiled, imports)
    return lambda: int(engine.invoke(instance, "f", [BARE_CALLS])[0])


def history(codes: dict[str, bytes], code: bytes, tier: str) -> Iterator[dict[str, object]]:
    """Run all chains and tell each. `codes` are contracts by shape, `code` is a module for the engine alone."""
    chains = Chains(codes, tier)
    for shape in SHAPES:
        depth = chains.deepest(shape)
        chain = partial(chains.run, shape, depth, True)
        yield told("main", shape, depth, chain())
        for size in (0, 64 << 10, 1 << 20, 64 << 20):
            yield told(f"thread of {size}", shape, depth, on_thread(size, chain))
        yield told("too deep", shape, depth + 1, chains.run(shape, depth + 1, True))
    for shape in SHAPES:
        many = [Chains(codes, tier) for _ in range(8)]
        waiting = [started(0, partial(one.run, shape, 100 + n, True)) for n, one in enumerate(many)]
        for n, wait in enumerate(waiting):
            yield told(f"eight at once, {n}", shape, 100 + n, wait())
    if tier == "native":
        for size in (0, 64 << 10):
            yield {"where": f"engine on a thread of {size}", "calls": on_thread(size, bare(code, tier))}


def main() -> None:
    """Print the history of the codes in a folder."""
    folder, tier = Path(sys.argv[1]), sys.argv[2]
    codes = {shape: (folder / f"{shape}.wasm").read_bytes() for shape in SHAPES}
    for line in history(codes, (folder / "bare.wasm").read_bytes(), tier):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
