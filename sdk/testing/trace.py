"""What happened inside a call: frames, storage changes and logs, in order, each with its place in the code.

A machine is wrapped: the wrapper stands where the chain calls the machine, hears of frames there, and hands each one a
world that writes down what is changed. On the reference tier it also follows the instructions, so that every event
has a place. Nothing of the chain knows of it, and what is not traced pays nothing.
Never: changes what runs; the same machine runs the same code on the same world with the same gas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from contractvm.errors import ExecutionError, Place, Revert, Trap
from contractvm.host import Host, Log
from contractvm.machine import Call, Kind, Machine, Outcome, Status
from contractvm.rules import Rules
from contractvm.types import MILLI, Address
from contractvm.wasm.machine import WasmMachine
from state.world import World

Follows: TypeAlias = Callable[[bytes, int], bool]
"""Whether an instruction, by code hash and byte offset in the module, is one that people are shown."""


@dataclass(slots=True)
class Write:
    """A slot of storage that was given another value."""

    address: Address
    key: bytes
    before: bytes
    after: bytes
    place: Place | None = None


@dataclass(slots=True)
class Emitted:
    """A log."""

    log: Log
    place: Place | None = None


@dataclass(slots=True)
class Frame:
    """A call, a creation or a transfer. Gas in whole gas; `place` is where the caller was, `stopped` where it ended."""

    kind: Kind
    address: Address
    code_address: Address
    code_hash: bytes
    caller: Address
    value: int
    input: bytes
    place: Place | None = None
    events: list[Frame | Write | Emitted] = field(default_factory=list)
    status: Status = Status.OK
    output: bytes = b""
    gas_used: int = 0
    stopped: Place | None = None
    detail: str = ""
    now: Place | None = None
    """Where it is, while it runs."""


class Watched:
    """A world that tells a frame of what is changed through it."""

    __slots__ = ("_frame", "_world")

    def __init__(self, world: World, frame: Frame) -> None:
        self._world = world
        self._frame = frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def set_storage(self, address: Address, key: bytes, value: bytes) -> None:
        before = self._world.storage(address, key)
        self._world.set_storage(address, key, value)
        self._frame.events.append(Write(address, key, before, value, self._frame.now))

    def add_log(self, entry: Log) -> None:
        self._world.add_log(entry)
        self._frame.events.append(Emitted(entry, self._frame.now))


class Tracer:
    """A machine that runs as another does and keeps the frames of each outermost call in `roots`."""

    name = "wasm"

    def __init__(self, tier: str, follows: Follows) -> None:
        """On `reference` places are known; an instruction that is not followed has that of the one before it."""
        self.roots: list[Frame] = []
        self._open: list[Frame] = []
        self._follows = follows
        self._machine: Machine = WasmMachine(
            tier, background=False, trace=self._instruction if tier == "reference" else None
        )

    def accepts(self, code: bytes) -> bool:
        return self._machine.accepts(code)

    def split(self, init: bytes) -> tuple[bytes, bytes]:
        """Raises: ModuleError."""
        return self._machine.split(init)

    def check(self, code: bytes, rules: Rules) -> None:
        """Raises: ModuleError."""
        self._machine.check(code, rules)

    def run(self, code: bytes, code_hash: bytes, entry: str, host: Host) -> bytes:
        """Run a frame and keep what happens in it. Raises: Revert, Trap, OutOfGas."""
        frame = self._enter(host.call, code_hash)
        host.world = cast(World, Watched(host.world, frame))
        invoke = host.invoke
        host.invoke = lambda call: self._invoke(invoke, call)
        self._open.append(frame)
        before = host.meter.left
        try:
            frame.output = self._machine.run(code, code_hash, entry, host)
        except ExecutionError as error:
            _ended(frame, error)
            raise
        finally:
            self._open.pop()
            frame.gas_used = (before - max(host.meter.left, 0) + MILLI - 1) // MILLI
        return frame.output

    def _enter(self, call: Call, code_hash: bytes) -> Frame:
        frame = Frame(call.kind, call.self_address, call.code_address, code_hash, call.caller, call.value, call.input)
        if self._open:
            parent = self._open[-1]
            frame.place = parent.now
            parent.events.append(frame)
        else:
            self.roots.append(frame)
        return frame

    def _invoke(self, invoke: Callable[[Call], Outcome], call: Call) -> Outcome:
        """Open a frame; one that no code ran in, as a transfer's, is kept here."""
        parent = self._open[-1]
        known = len(parent.events)
        outcome = invoke(call)
        if len(parent.events) == known:
            frame = self._enter(call, b"")
            frame.gas_used = call.gas - outcome.gas_left
            frame.status, frame.output, frame.detail = outcome.status, outcome.output, outcome.detail
        else:
            frame = cast(Frame, parent.events[known])
            frame.status = outcome.status
        return outcome

    def _instruction(
        self, function: int, offset: int, name: str, immediate: object, milligas: int, stack: list[Any]
    ) -> None:
        frame = self._open[-1]
        if self._follows(frame.code_hash, offset) or frame.now is None:
            frame.now = Place(offset, function)


def _ended(frame: Frame, error: ExecutionError) -> None:
    """Write down how a frame failed, and where."""
    frame.stopped = frame.now
    if isinstance(error, Revert):
        frame.status, frame.output = Status.REVERT, error.data
    elif isinstance(error, Trap):
        frame.status, frame.detail = Status.TRAP, f"{error.code}: {error.detail}" if error.detail else str(error.code)
        if frame.stopped is None:
            frame.stopped = error.place
    else:
        frame.status = Status.OUT_OF_GAS
