"""What happened inside a call: frames, storage changes and logs, in order, each with its place in the code.

Machines are wrapped: the wrapper stands where the chain calls the machine, hears of frames there, and hands each one a
world that writes down what is changed. On the reference tier it also follows the instructions, so that every event
has a place. Nothing of the chain knows of it, and what is not traced pays nothing.
Never: changes what runs; the same machine runs the same code on the same world with the same gas. What is kept has
bounds; beyond them nothing more is written down, and `cut` says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from typing import Any, Final, Protocol, TypeAlias, cast

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError, ExecutionError, Place, Revert, Trap
from contractvm.frames import create2_address, create_address
from contractvm.host import Host, Log
from contractvm.machine import Call, Kind, Machine, Outcome, Status
from contractvm.rules import Rules
from contractvm.types import MILLI, Address
from contractvm.wasm.machine import WasmMachine
from state.world import World

Follows: TypeAlias = Callable[[bytes, int], bool]
"""Whether an instruction, by code hash and byte offset in the module, is one that people are shown."""
MOST_EVENTS: Final = 100_000
"""Frames, writes and logs that one recorder keeps."""
MOST_BYTES: Final = 24 << 20
"""Bytes of inputs, outputs, values and logs that it keeps."""
EVENT_BYTES: Final = 64
"""Counted for each event besides."""


class TooLong(ContractVMError):
    """More instructions than were to be followed; the run is given up."""


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
    """A call, a creation or a transfer. Gas in whole gas; `place` is where the caller was, `stopped` where it ended.

    Of a creation `input` is code and arguments together, as they were sent, of the outermost one the arguments alone;
    `arguments` are the constructor's, `code` what was to be deployed.
    """

    kind: Kind
    address: Address
    code_address: Address
    code_hash: bytes
    caller: Address
    value: int
    input: bytes
    gas: int = 0
    depth: int = 0
    arguments: bytes = b""
    code: bytes = b""
    place: Place | None = None
    events: list[Frame | Write | Emitted] = field(default_factory=list)
    status: Status = Status.OK
    output: bytes = b""
    gas_used: int = 0
    stopped: Place | None = None
    detail: str = ""
    at: tuple[int, int] | None = None
    """Function and byte where it is, while it runs."""
    callee: Frame | None = None
    """The frame that it opened last, while it runs."""

    @property
    def now(self) -> Place | None:
        """Where it is, while it runs."""
        return None if self.at is None else Place(self.at[1], self.at[0])

    @property
    def creates(self) -> bool:
        """Whether it makes a contract."""
        return self.kind is Kind.CREATE or self.kind is Kind.CREATE2


class Steps(Protocol):
    """Is told of each instruction on the reference tier, and of each frame that code runs in."""

    def opened(self, frame: Frame, code: bytes, host: Host) -> None:
        """A frame begins; nothing of it is paid for yet."""

    def step(
        self, frame: Frame, function: int, offset: int, name: str, immediate: object, milligas: int, stack: list[Any]
    ) -> None:
        """An instruction is about to run, with its run paid for."""

    def read(self, frame: Frame, key: bytes, value: bytes) -> None:
        """Storage of the frame's address was looked at, or given a value."""

    def closed(self, frame: Frame, milligas: int) -> None:
        """A frame has ended with that much gas left."""


class Watched:
    """A world that tells a frame of what is changed through it."""

    __slots__ = ("_frame", "_recorder", "_world")

    def __init__(self, world: World, frame: Frame, recorder: Recorder) -> None:
        self._world = world
        self._frame = frame
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def storage(self, address: Address, key: bytes) -> bytes:
        value = self._world.storage(address, key)
        self._recorder.looked(self._frame, key, value)
        return value

    def read_storage(self, address: Address, key: bytes) -> tuple[bytes, bool]:
        value, warm = self._world.read_storage(address, key)
        self._recorder.looked(self._frame, key, value)
        return value, warm

    def write_slot(self, address: Address, key: bytes, value: bytes) -> None:
        before = self._world.storage(address, key)
        self._world.write_slot(address, key, value)
        self._recorder.wrote(self._frame, Write(address, key, before, value, self._frame.now))

    def add_log(self, entry: Log) -> None:
        self._world.add_log(entry)
        self._recorder.keep(self._frame, Emitted(entry, self._frame.now), len(entry.data))


class Recorder:
    """Keeps the frame of each outermost call in `roots`, and every frame in `frames`, in the order of opening."""

    def __init__(
        self,
        follows: Follows | None = None,
        steps: Steps | None = None,
        *,
        writes: bool = True,
        most_steps: int | None = None,
        most_events: int = MOST_EVENTS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """An instruction that is not followed has the place of the one before it; None: all are followed.

        Without `writes` changes of storage are not kept. With `most_steps` a run on the reference tier that has more
        instructions is given up by TooLong.
        """
        self.roots: list[Frame] = []
        self.frames: list[Frame] = []
        self.cut = False
        self._open: list[Frame] = []
        self._follows = follows
        self._writes = writes
        self._steps = steps
        self._steps_left = most_steps
        self._events_left = most_events
        self.bytes_left = most_bytes

    def around(self, machine: Machine) -> Traced:
        """A machine that runs as this one does, and is recorded; its places are not known."""
        return Traced(self, machine)

    def reference(self) -> Traced:
        """The wasm machine on the tier that tells of each instruction."""
        return Traced(self, WasmMachine("reference", background=False, trace=self._instruction))

    def keep(self, frame: Frame, event: Frame | Write | Emitted, size: int) -> bool:
        """Write down what happened in a frame, while there is room; whether there was."""
        self._events_left -= 1
        self.bytes_left -= size + EVENT_BYTES
        if self._events_left < 0 or self.bytes_left < 0:
            self.cut = True
            return False
        frame.events.append(event)
        return True

    def wrote(self, frame: Frame, write: Write) -> None:
        """Storage was given another value."""
        if self._writes:
            self.keep(frame, write, len(write.key) + len(write.before) + len(write.after))
        self.looked(frame, write.key, write.after)

    def looked(self, frame: Frame, key: bytes, value: bytes) -> None:
        """Storage was looked at."""
        if self._steps is not None:
            self._steps.read(frame, key, value)

    def run(self, machine: Machine, code: bytes, code_hash: bytes, entry: str, host: Host) -> bytes:
        """Run a frame and keep what happens in it. Raises: Revert, Trap, OutOfGas, TooLong."""
        frame = self._enter(host.call, code_hash)
        if frame.creates:
            frame.arguments, frame.code = host.call.input, code
        world, invoke = host.world, host.invoke
        host.world = cast(World, Watched(world, frame, self))
        host.invoke = lambda call: self._invoke(world, invoke, call)
        self._open.append(frame)
        before = host.meter.left
        if self._steps is not None:
            self._steps.opened(frame, code, host)
        try:
            frame.output = machine.run(code, code_hash, entry, host)
        except ExecutionError as error:
            _ended(frame, error)
            raise
        finally:
            self._open.pop()
            left = max(host.meter.left, 0)
            frame.gas_used = (before - left + MILLI - 1) // MILLI
            if self._steps is not None:
                self._steps.closed(frame, left)
        return frame.output

    def _enter(self, call: Call, code_hash: bytes) -> Frame:
        frame = Frame(
            call.kind,
            call.self_address,
            call.code_address,
            code_hash,
            call.caller,
            call.value,
            call.input,
            call.gas,
            call.depth,
        )
        if self._open:
            parent = self._open[-1]
            parent.callee = frame
            frame.place = parent.now
            if self.keep(parent, frame, len(call.input)):
                self.frames.append(frame)
        else:
            self.roots.append(frame)
            self.frames.append(frame)
        return frame

    def _invoke(self, world: World, invoke: Callable[[Call], Outcome], call: Call) -> Outcome:
        """Open a frame; one that no code ran in, as a transfer's, is kept here."""
        parent = self._open[-1]
        parent.callee = None
        nonce = world.nonce(call.caller)
        outcome = invoke(call)
        frame = cast("Frame | None", parent.callee)
        if frame is None:
            frame = self._enter(call, b"")
            frame.detail = outcome.detail
        if frame.creates:
            frame.input = call.input
            frame.address = (
                create2_address(call.caller, call.salt, call.input)
                if call.kind is Kind.CREATE2
                else create_address(call.caller, nonce)
            )
        frame.status, frame.gas, frame.gas_used = outcome.status, call.gas, call.gas - outcome.gas_left
        frame.output = self._room(outcome.output)
        parent.callee = None
        return outcome

    def _room(self, output: bytes) -> bytes:
        """What a frame gave back, while there is room for it."""
        self.bytes_left -= len(output)
        if self.bytes_left >= 0:
            return output
        self.cut = True
        return b""

    def _instruction(
        self, function: int, offset: int, name: str, immediate: object, milligas: int, stack: list[Any]
    ) -> None:
        if self._steps_left is not None:
            self._steps_left -= 1
            if self._steps_left < 0:
                raise TooLong("more instructions than are followed")
        frame = self._open[-1]
        if self._follows is None or frame.at is None or self._follows(frame.code_hash, offset):
            frame.at = function, offset
        if self._steps is not None:
            self._steps.step(frame, function, offset, name, immediate, milligas, stack)


class Traced:
    """A machine that runs as another does, while a recorder listens."""

    def __init__(self, recorder: Recorder, machine: Machine) -> None:
        self.name = machine.name
        self._recorder = recorder
        self._machine = machine

    def accepts(self, code: bytes) -> bool:
        return self._machine.accepts(code)

    def split(self, init: bytes) -> tuple[bytes, bytes]:
        """Raises: ModuleError."""
        return self._machine.split(init)

    def check(self, code: bytes, rules: Rules) -> None:
        """Raises: ModuleError."""
        self._machine.check(code, rules)

    def sees_gas(self, code: bytes, code_hash: bytes, rules: Rules) -> bool:
        return self._machine.sees_gas(code, code_hash, rules)

    def run(self, code: bytes, code_hash: bytes, entry: str, host: Host) -> bytes:
        """Raises: Revert, Trap, OutOfGas, TooLong."""
        return self._recorder.run(self._machine, code, code_hash, entry, host)


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
