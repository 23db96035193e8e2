"""The fresh world of `contractvm run`: one contract on an empty in-memory chain, with its host functions bound.

The contract stands at a fixed address, is called by the first development account, and can call itself and others as on
a chain. What it does is dropped. Never: checks that the module is deployable; `inspect` and `build` say that.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType

from contractvm.crypto import keccak_function
from contractvm.devaccounts import BALANCE, dev_accounts
from contractvm.execute import BlockContext
from contractvm.frames import CreatePrices, Frames
from contractvm.genesis import CHAIN_ID, GAS_LIMIT
from contractvm.host import HOST, Env, Host, Log, Session
from contractvm.machine import Call, Kind
from contractvm.rules import contract_rules
from contractvm.types import ZERO_ADDRESS, Address
from contractvm.wasm.externs import Extern, HostFunction
from contractvm.wasm.machine import WasmMachine
from contractvm.wasm.module import I32, I64, FuncType
from gas.meter import Meter
from state.database import StateDB
from state.store import MemoryStore
from state.world import World

SELF = Address(bytes.fromhex("c0de" + "00" * 17 + "01"))
"""Where the contract stands."""
TYPES = {"i": I32, "I": I64}


class Sandbox:
    """An in-memory world and the one frame in it that runs. Lives for one run."""

    def __init__(self, code: bytes, data: bytes, tier: str, say: Callable[[str], None]) -> None:
        """`data` is the frame's input; `say` gets what contracts print."""
        self._code = code
        self._data = data
        self._tier = tier
        self._say = say
        self._host: Host | None = None

    def bind(self, meter: Meter) -> dict[tuple[str, str], Extern]:
        """Make the world and return the imports of module `cvm1`, which charge `meter`."""
        self._host = host = self._make(meter)
        return {
            ("cvm1", row.name): HostFunction(
                FuncType(tuple(TYPES[c] for c in row.params), tuple(TYPES[c] for c in row.results)),
                MethodType(row.fn, host),
            )
            for row in HOST
        }

    def attach(self, memory: object) -> None:
        """Give the host the memory it reads and writes."""
        if self._host is not None and memory is not None:
            self._host.memory = memory  # type: ignore[assignment]

    @property
    def logs(self) -> tuple[Log, ...]:
        """What the frame logged."""
        world = None if self._host is None else self._host.world
        return tuple(log for log in world.logs if isinstance(log, Log)) if world is not None else ()

    def _make(self, meter: Meter) -> Host:
        rules = contract_rules()
        caller = dev_accounts()[0].address
        world = World(StateDB(MemoryStore(), keccak_function()).view())
        world.set_balance(caller, BALANCE)
        world.create(SELF)
        world.set_nonce(SELF, 1)
        world.set_code(SELF, self._code)
        world.begin_transaction()
        for address in (caller, SELF, ZERO_ADDRESS):
            world.warm_address(address)
        block = BlockContext(CHAIN_ID, 1, 1)
        env = Env(
            CHAIN_ID,
            block.number,
            block.timestamp,
            ZERO_ADDRESS,
            0,
            GAS_LIMIT,
            caller,
            0,
            block.block_hash,
            self._debug,
        )
        frames = Frames(world, env, rules, (WasmMachine(self._tier, background=False),), CreatePrices.of(rules))
        call = Call(Kind.CALL, caller, SELF, SELF, 0, self._data, meter.limit, 0)
        return Host(world, env, rules, call, meter, frames.invoke, Session(rules))

    def _debug(self, _: Address, text: bytes) -> None:
        self._say(text.decode("utf-8", errors="backslashreplace"))
