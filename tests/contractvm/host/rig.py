"""A frame to call host functions in: a world on no state, one page of memory, and a callee that only answers.

Never: a machine; arguments go straight to the table's functions, as a machine would pass them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from contractvm.crypto import keccak_function
from contractvm.host import BY_NAME, Env, Host, Session
from contractvm.machine import Call, Kind, Outcome, Status
from contractvm.rules import Limits, contract_rules
from contractvm.types import Address
from gas.meter import Meter
from state.account import Nothing
from state.world import World

PAGE = 65_536
RULES = contract_rules()
MINUS_ONE = 0xFFFF_FFFF
ME, CALLER, ORIGIN, COINBASE, OTHER, CREATED = (Address(bytes([n]) * 20) for n in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0x99))
GAS = 10_000_000
KEY_AT, VALUE_AT, OUT_AT = 0x100, 0x2000, 0x4000


class Memory:
    """Linear memory, of one page unless it is said otherwise."""

    def __init__(self, size: int = PAGE) -> None:
        self.data = bytearray(size)


def empty_world() -> World:
    return World(Nothing(keccak_function()))


@dataclass
class Rig:
    """One frame; `calls` has what it asked for, `answer` says what comes of it."""

    host: Host
    calls: list[Call] = field(default_factory=list)
    printed: list[tuple[Address, bytes]] = field(default_factory=list)
    answer: Callable[[Call], Outcome] = lambda call: Outcome(Status.OK, call.gas)

    @property
    def world(self) -> World:
        return self.host.world

    def run(self, name: str, *arguments: int) -> int | None:
        """Call a function of the table."""
        assert len(arguments) == len(BY_NAME[name].params), name
        return BY_NAME[name].fn(self.host, *arguments)

    def cost(self, name: str, *arguments: int) -> int:
        """Whole gas that a call of the table takes."""
        before = self.host.meter.left
        self.run(name, *arguments)
        milligas = before - self.host.meter.left
        assert milligas % 1000 == 0
        return milligas // 1000

    def put(self, at: int, content: bytes) -> int:
        """Write to memory and return where."""
        self.host.memory.data[at : at + len(content)] = content
        assert len(self.host.memory.data) == PAGE
        return at

    def get(self, at: int, length: int) -> bytes:
        return bytes(self.host.memory.data[at : at + length])

    def store(self, key: bytes, value: bytes) -> None:
        """`storage_set` through the table."""
        self.run("storage_set", self.put(KEY_AT, key), len(key), self.put(VALUE_AT, value), len(value))

    def load(self, key: bytes, cap: int = 0x1000) -> bytes | None:
        """`storage_get` through the table."""
        length = self.run("storage_get", self.put(KEY_AT, key), len(key), OUT_AT, cap)
        assert length is not None
        return None if length == MINUS_ONE else self.get(OUT_AT, min(length, cap))


def rig(
    *,
    gas: int = GAS,
    static: bool = False,
    depth: int = 0,
    kind: Kind = Kind.CALL,
    data: bytes = b"",
    value: int = 0,
    world: World | None = None,
    session: Session | None = None,
    limits: Limits | None = None,
    me: Address = ME,
) -> Rig:
    """A frame of `me`, called by CALLER."""
    rules = RULES if limits is None else replace(RULES, limits=limits)
    made: list[Rig] = []

    def invoke(call: Call) -> Outcome:
        made[0].calls.append(call)
        return made[0].answer(call)

    def debug(address: Address, text: bytes) -> None:
        made[0].printed.append((address, text))

    env = Env(
        chain_id=31_337,
        number=1_000,
        timestamp=1_700_000_000,
        coinbase=COINBASE,
        base_fee=7,
        gas_limit=30_000_000,
        origin=ORIGIN,
        gas_price=9,
        block_hash=lambda number: number.to_bytes(32, "big") if number != 990 else None,
        debug=debug,
    )
    call = Call(kind, CALLER, me, me, value, data, gas, depth, static)
    host = Host(world or empty_world(), env, rules, call, Meter(gas), invoke, session or Session(rules))
    host.memory = Memory()
    made.append(Rig(host))
    return made[0]
