"""Generates contracts and runs them in a world, tier against tier: the engine as a chain uses it.

The imports are the host table's own, so every host function is met in generated code. Three accounts stand at addresses
that the contract has in its memory: itself, its twin with the same code, and one without code. Compared are
status, gas, output, logs, trap and the state root after every transaction.
Never: compares with wasmtime, which has no such host.
"""

from __future__ import annotations

from contractvm.crypto import keccak_function
from contractvm.errors import Fatal, Rejected
from contractvm.execute import BlockContext, Executed, Executor
from contractvm.host import HOST
from contractvm.rules import contract_rules
from contractvm.transaction import Transaction
from contractvm.types import Address
from contractvm.wasm.contract import HOST_MODULE, host_type
from contractvm.wasm.encode import encode
from contractvm.wasm.machine import WasmMachine
from contractvm.wasm.module import FUNCREF
from state.database import StateDB
from state.store import MemoryStore
from state.world import World
from tests.fuzz.generate import Case, Profile, build
from tests.fuzz.outcome import Step
from tests.fuzz.tally import Plan, Tally
from tests.fuzz.tiers import way
from tests.spec.script import CRASHES

SELF, TWIN, PLAIN, SENDER = (Address(bytes([n]) * 20) for n in (0x51, 0x52, 0x53, 0x54))
CONTRACT = Profile(
    HOST_MODULE,
    {row.name: host_type(row) for row in HOST},
    {},
    (FUNCREF,),
    entry="call",
    head=SELF + TWIN + PLAIN + bytes(range(68)),
)
GAS_LIMITS = (30_000, 80_000, 400_000, 400_000)
ETHER = 10**18
BLOCK = BlockContext(chain_id=1, number=300, timestamp=1_000_000, base_fee=7, block_hash=lambda n: bytes(31) + b"\1")


def generate_contract(seed: int, transactions: int = 3) -> Case:
    """The contract of a seed and transactions to it."""
    module, rng = build(seed, CONTRACT)
    calls = tuple(("call", tuple(rng.randbytes(rng.choice((0, 4, 36, 68, 100))))) for _ in range(transactions))
    return Case(seed, encode(module), calls, rng.choice(GAS_LIMITS), contract=True)


def differing_contract(seed: int, plan: Plan, tally: Tally) -> list[Case]:
    """Try the contract of a seed on the plan's tiers; the case itself when they part."""
    case = generate_contract(seed, plan.calls)
    runs = [run_contract(case, tier) for tier in plan.tiers]
    tally.modules += 1
    tally.cases += len(case.calls)
    tally.ends.update(step.end for step in runs[0])
    return [] if all(run == runs[0] for run in runs) else [case]


def run_contract(case: Case, name: str) -> list[Step]:
    """The deployment check, then every transaction, on one of `WAYS`. Raises: ModuleError when it is no contract."""
    with way(name) as tier:
        return _run(case, tier)


def _run(case: Case, tier: str) -> list[Step]:
    rules, machine = contract_rules(), WasmMachine(tier)
    machine.check(case.wasm, rules)
    database = StateDB(MemoryStore(), keccak_function())
    world = World(database.view())
    for address in (SELF, TWIN):
        world.set_nonce(address, 1)
        world.set_balance(address, ETHER)
        world.set_code(address, case.wasm)
    world.set_balance(SENDER, 10 * ETHER)
    world.set_balance(PLAIN, 1)
    database.commit(database.prepare(world, 0))
    executor = Executor(rules, [machine])
    return [_transact(database, executor, case, number) for number in range(len(case.calls))]


def _transact(database: StateDB, executor: Executor, case: Case, number: int) -> Step:
    """One transaction in a block of its own."""
    world = World(database.view())
    data = bytes(case.calls[number][1])
    tx = Transaction(
        nonce=number, max_fee=10, max_tip=1, gas_limit=case.gas, to=SELF, data=data, value=number, chain_id=1
    )
    try:
        done = executor.apply(tx.impersonate(SENDER), world, BLOCK, 30_000_000)
    except (Fatal, Rejected, *CRASHES) as error:
        return Step(f"{type(error).__name__}: {error}")
    prepared = database.prepare(world, number + 1)
    database.commit(prepared)
    return _step(done, prepared.root)


def _step(done: Executed, root: bytes) -> Step:
    place = done.trap.place if done.trap is not None else None
    return Step(
        done.status.name if done.trap is None else f"{done.status.name}: {done.trap.code}",
        (done.output.hex(), done.gas_used, done.detail),
        (place.function, place.offset) if place is not None else None,
        tuple((place.function, place.offset) for place in done.trap.backtrace) if done.trap is not None else (),
        done.gas_spent,
        root.hex(),
        log=tuple((log.address.hex(), *(topic.hex() for topic in log.topics), log.data.hex()) for log in done.logs),
    )
