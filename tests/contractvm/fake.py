"""A machine whose contracts are Python functions, to test what surrounds a machine without one.

Code is `FAKE` and a name; bytes after a zero are constructor input. A contract gets its `Host` and the entry's name,
and returns output or raises what contracts raise. Never: used outside tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from contractvm.crypto import keccak_function
from contractvm.errors import Invalid, OutOfGas
from contractvm.host import BY_NAME, Host
from contractvm.machine import Call, Kind, Outcome
from contractvm.rules import Rules
from contractvm.types import Address
from state.account import Nothing
from state.world import World

MAGIC = b"FAKE"
Contract = Callable[[Host, str], bytes]


class Memory:
    """One page."""

    def __init__(self) -> None:
        self.data = bytearray(65_536)


class FakeMachine:
    """Runs the contracts it was given, by name; those called `blind...` promise not to look at their gas."""

    name = "fake"

    def __init__(self, contracts: Mapping[str, Contract]) -> None:
        self.contracts = dict(contracts)

    def accepts(self, code: bytes) -> bool:
        return code.startswith(MAGIC)

    def split(self, init: bytes) -> tuple[bytes, bytes]:
        code, _, arguments = init.partition(b"\0")
        return code, arguments

    def check(self, code: bytes, rules: Rules) -> None:
        if code[4:].decode() not in self.contracts:
            raise Invalid(f"no contract {code[4:]!r}")

    def sees_gas(self, code: bytes, code_hash: bytes, rules: Rules) -> bool:
        return not code[4:].startswith(b"blind")

    def run(self, code: bytes, code_hash: bytes, entry: str, host: Host) -> bytes:
        host.memory = Memory()
        return self.contracts[code[4:].decode()](host, entry)


def init(name: str, arguments: bytes = b"") -> bytes:
    """Deployment data of a contract."""
    return MAGIC + name.encode() + b"\0" + arguments


def burn(host: Host, gas: int) -> None:
    """Use whole gas. Raises: OutOfGas."""
    if host.meter.left < gas * 1000:
        raise OutOfGas
    host.meter.left -= gas * 1000


def poke(host: Host, at: int, content: bytes) -> int:
    """Write to memory; return where."""
    host.memory.data[at : at + len(content)] = content
    return at


def host_call(host: Host, name: str, *numbers: int) -> int:
    """Call a host function by name, as a machine would."""
    return BY_NAME[name].fn(host, *numbers) or 0


def call(host: Host, target: Address, data: bytes = b"", value: int = 0, gas: int = 2**64 - 1, flags: int = 0) -> int:
    """Call a contract through the host; its status."""
    poke(host, 0, target)
    poke(host, 32, value.to_bytes(32, "little"))
    poke(host, 64, data)
    return host_call(host, "call", 0, 32, 64, len(data), gas, flags)


def store(host: Host, key: bytes, value: bytes) -> None:
    """Set a storage slot through the host."""
    poke(host, 0, key)
    poke(host, 1024, value)
    host_call(host, "storage_set", 0, len(key), 1024, len(value))


def empty_world() -> World:
    """A world on no state."""
    return World(Nothing(keccak_function()))


def message_call(caller: Address, to: Address, data: bytes = b"", value: int = 0, gas: int = 1_000_000) -> Call:
    """The call that a transaction makes."""
    return Call(Kind.CALL, caller, to, to, value, data, gas, 0)


def no_invoke(_: Call) -> Outcome:
    """For hosts that must not call."""
    raise AssertionError("called out")
