"""A ring for hostile contracts: a world, one tier's machine and an executor, without blocks around them.

What a contract does to time or memory is judged by counts that its price must bound, never by a clock.
"""

from __future__ import annotations

from functools import cache

import pytest

from contractvm.devaccounts import dev_accounts
from contractvm.execute import BlockContext, Executed, Executor, Message
from contractvm.rules import Rules, contract_rules
from contractvm.types import Address
from contractvm.wasm.machine import WasmMachine
from state.world import World
from tests.contractvm.fake import empty_world

BLOCK_GAS = 30_000_000
ALICE = dev_accounts()[0].address

IMPORTS = {
    "self_address": "(param i32)",
    "input_size": "(result i32)",
    "input_copy": "(param i32 i32 i32) (result i32)",
    "finish": "(param i32 i32)",
    "revert": "(param i32 i32)",
    "gas_left": "(result i64)",
    "log": "(param i32 i32 i32 i32)",
    "storage_get": "(param i32 i32 i32 i32) (result i32)",
    "storage_set": "(param i32 i32 i32 i32)",
    "storage_remove": "(param i32 i32) (result i32)",
    "transient_set": "(param i32 i32 i32 i32)",
    "iter_open": "(param i32 i32 i32 i32 i32) (result i32)",
    "iter_next": "(param i32) (result i32)",
    "iter_close": "(param i32)",
    "call": "(param i32 i32 i32 i32 i64 i32) (result i32)",
    "delegate_call": "(param i32 i32 i32 i64 i32) (result i32)",
    "create": "(param i32 i32 i32 i32 i32 i64 i32) (result i32)",
    "returndata_copy": "(param i32 i32 i32) (result i32)",
    "returndata_size": "(result i32)",
}


@cache
def assemble(body: str, *imports: str, pages: str = "1") -> bytes:
    """A contract from its functions; `$name` is each import's name, memory has `pages` ("1" or "1 4")."""
    wasmtime = pytest.importorskip("wasmtime", reason="assembling WAT needs the package wasmtime")
    heads = "".join(f'(import "cvm1" "{name}" (func ${name} {IMPORTS[name]}))' for name in imports)
    return bytes(wasmtime.wat2wasm(f'(module {heads} (memory (export "memory") {pages}) {body})'))


class Counting(WasmMachine):
    """Counts modules checked and bytes in them, and frames entered."""

    def __init__(self, tier: str) -> None:
        super().__init__(tier)
        self.checked: list[int] = []
        self.entered = 0

    def check(self, code: bytes, rules: Rules) -> None:
        self.checked.append(len(code))
        super().check(code, rules)

    def run(self, code: bytes, code_hash: bytes, entry: str, host: object) -> bytes:
        self.entered += 1
        return super().run(code, code_hash, entry, host)  # type: ignore[arg-type]


class Ring:
    """One tier, one world."""

    def __init__(self, tier: str, world: World | None = None) -> None:
        self.rules = contract_rules()
        self.machine = Counting(tier)
        self.executor = Executor(self.rules, [self.machine])
        self.world = empty_world() if world is None else world
        self._next = 0xA0

    def place(self, code: bytes) -> Address:
        """Put accepted code at a fresh address."""
        self.machine.check(code, self.rules)
        self.machine.checked.clear()
        self._next += 1
        address = Address(bytes([self._next]) * 20)
        self.world.set_nonce(address, 1)
        self.world.set_code(address, code)
        return address

    def run(self, to: Address | None, data: bytes = b"", gas: int = BLOCK_GAS) -> Executed:
        """Run a message on the world and keep what it did."""
        block = BlockContext(chain_id=1, number=1, timestamp=1, gas_limit=gas)
        return self.executor.simulate(Message(ALICE, to, 0, data, gas), self.world, block)


def number(output: bytes) -> int:
    """A little-endian number that a contract finished with."""
    return int.from_bytes(output, "little")
