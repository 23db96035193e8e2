"""`python -m tests.bench contracts`: the token in Python, C, Rust and Solidity: size, gas of a transfer, time.

A transfer between holders that both have tokens already, apart from what a transaction costs in itself, is what the
code does; what it pays beyond storage and log prices is what its compiler is to blame for. On our machine that is
counted call by call on the reference tier, on the EVM (`evm`) by opcode. Times are of the native tier, in turns. How
long compiling takes is `authored`'s.
Never: a transfer that creates or empties an entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from contractvm.chain import Chain
from contractvm.devaccounts import dev_accounts
from contractvm.execute import Message
from contractvm.genesis import Genesis
from contractvm.receipt import Receipt
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction
from contractvm.types import Address
from contractvm.wasm.decode import decode
from contractvm.wasm.machine import WasmMachine
from sdk.abi import Function, encode, parse_types
from sdk.build import build
from sdk.errors import ToolMissing
from state.store import MemoryStore
from tests.bench import authored, evm
from tests.bench.compile import BenchError
from tests.bench.report import Row
from tests.tiers import NATIVE, missing

HERE = Path(__file__).parents[2] / "contracts" / "token"
SOURCES = {"Python": HERE / "token.py", "C": HERE / "token.c", "Rust": HERE / "rust" / "Cargo.toml"}
SUPPLY, AMOUNT = 10**27, 10**18
TRANSFER = Function.parse("transfer(address,uint256)")
APART = ("storage_get", "storage_set", "storage_has", "storage_remove", "log")
"""Imports whose prices are storage's and logs' alone."""
TURNS, CALLS = 15, 300


class Scene:
    """A chain with one token, on a tier; transfers go from the first account to the second."""

    def __init__(self, code: bytes, machine: WasmMachine) -> None:
        self.chain = Chain(MemoryStore(), Genesis(base_fee=0), machines=[machine])
        self.owner, self.other = (account.address for account in dev_accounts()[:2])
        created = self.send(None, code + encode(parse_types("(uint256)"), (SUPPLY,))).created
        if created is None:
            raise BenchError("the token was not deployed")
        self.token: Address = created
        self.data = TRANSFER.encode(self.other, AMOUNT)
        self.send(self.token, self.data)

    def send(self, to: Address | None, data: bytes) -> Receipt:
        """A transaction in a block of its own; its receipt. Raises: BenchError when it fails."""
        transaction = Transaction(
            nonce=self.chain.next_nonce(self.owner),
            max_fee=0,
            max_tip=0,
            gas_limit=10_000_000,
            to=to,
            value=0,
            data=data,
            chain_id=self.chain.chain_id,
        )
        digest = self.chain.submit(transaction.impersonate(self.owner))
        self.chain.produce()
        receipt = self.chain.receipt(digest)
        if receipt is None or not receipt.ok:
            raise BenchError(f"a transaction of the bench failed: {receipt and (receipt.trap or receipt.detail)}")
        return receipt

    def call(self) -> None:
        """The transfer, executed and forgotten."""
        message = Message(sender=self.owner, to=self.token, value=0, data=self.data, gas_limit=None)
        if not self.chain.call(message, "latest").ok:
            raise BenchError("a call of the bench failed")


@dataclass(slots=True)
class Account:
    """What a traced run paid, in milligas: whole calls of the imports in `APART`, beside all else."""

    apart: frozenset[int]
    call_price: int
    first: int | None = None
    last: int = 0
    storage: int = 0
    _before: int | None = None

    def __call__(self, function: int, offset: int, name: str, imm: object, left: int, stack: list[object]) -> None:
        if self.first is None:
            self.first = left
        if self._before is not None:
            self.storage += self._before - left - self.call_price
        self._before = left if name in ("call", "return_call") and imm in self.apart else None
        self.last = left


def beyond(code: bytes) -> tuple[int, int]:
    """Gas of a whole transfer, and of its execution beyond storage and logs."""
    module = decode(code, contract_rules())
    names = [imported.name for imported in module.imports]
    account = Account(
        frozenset(i for i, name in enumerate(names) if name in APART), contract_rules().schedule.milli("wasm.call")
    )
    traced = Scene(code, WasmMachine("reference", trace=account))
    account.first, account.storage = None, 0
    receipt = traced.send(traced.token, traced.data)
    data_gas = sum(4 if byte == 0 else 16 for byte in traced.data)
    return receipt.gas_used, receipt.gas_used - 21_000 - data_gas - account.storage // 1_000


def times(codes: dict[str, bytes]) -> dict[str, float]:
    """Microseconds of an executed transfer on the native tier, all in turns."""
    scenes = {name: Scene(code, WasmMachine(NATIVE)) for name, code in codes.items()}
    taken: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(TURNS):
        for name, scene in scenes.items():
            start = perf_counter()
            for _ in range(CALLS):
                scene.call()
            taken[name].append((perf_counter() - start) / CALLS * 1e6)
    return {name: median(each) for name, each in taken.items()}


def run() -> Sequence[Row]:
    """Build, measure. Raises: BenchError."""
    codes = {}
    for name, source in SOURCES.items():
        try:
            codes[name] = build(source).code
        except ToolMissing as problem:
            print(f"the token in {name} is left out: {problem}")
    gas = {name: beyond(code) for name, code in codes.items()}
    rows = [Row(f"token in {name}, deployed", len(code), "bytes") for name, code in codes.items()]
    whole, rest = (gas[name] for name in ("C", "Python"))
    rows.append(Row("Python token, a transfer", rest[0], "gas", "C", whole[0], "<= 1.5 times C"))
    for name, (all_gas, more) in gas.items():
        rows.append(Row(f"{name} token, a transfer", all_gas, "gas"))
        rows.append(Row(f"{name} token, beyond storage and logs", more, "gas"))
    try:
        solidity = evm.measure(SUPPLY, AMOUNT)
    except BenchError as problem:
        print(f"Solidity is left out: {problem}")
    else:
        rows.append(Row("token in Solidity, deployed", solidity.size, "bytes"))
        rows.append(
            Row(
                "Python token, beyond storage and logs",
                gas["Python"][1],
                "gas",
                f"Solidity, runs {evm.RUNS}",
                solidity.beyond,
                "<= Solidity",
            )
        )
    if missing(NATIVE) is None:
        taken = times(codes)
        for name, micros in taken.items():
            target = "<= 1.5 times C" if name == "Python" else None
            rows.append(Row(f"{name} token, a transfer, native", micros, "us", "C", taken["C"], target))
    return [*rows, *authored.rows()]
