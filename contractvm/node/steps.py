"""structLogs: a transaction instruction by instruction, in geth's form, for wasm.

`pc` is the byte offset in the deployed module and `op` the instruction's name in WebAssembly text; `function` is its
function's index. `gas` is whole gas left, `gasCost` what was gone when the frame went on: sums are right though
instructions cost fractions. Entries are encoded as they come; when they pass a bound, the rest is left out, and
`truncated` says so. Source: geth, "debug namespace", struct logger. Never: keeps memory, which has 64 KiB at least.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from contractvm.execute import Executed
from contractvm.host import Host
from contractvm.node.fault import bad_params
from contractvm.node.remaining import Remaining
from contractvm.node.replay import Subject
from contractvm.node.values import boolean, quantity
from contractvm.tracing import Frame, Recorder, TooLong
from contractvm.types import MILLI
from state.world import World


@dataclass(frozen=True, slots=True)
class Wanted:
    """What entries are to hold, and how many there are to be of one transaction; 0: as many as there is room for."""

    stack: bool = True
    storage: bool = True
    output: bool = False
    limit: int = 0

    @staticmethod
    def of(options: Mapping[str, Any]) -> Wanted:
        """Read geth's options; those that mean nothing here are passed over. Raises: Fault."""

        def flag(name: str, default: bool = False) -> bool:
            value = options.get(name)
            return default if value is None else boolean(value)

        if flag("enableMemory") or not flag("disableMemory", True):
            raise bad_params(
                "memory of wasm contracts is not in traces: it has 64 KiB at least; leave enableMemory out"
            )
        limit = options.get("limit")
        return Wanted(
            stack=not flag("disableStack"),
            storage=not flag("disableStorage"),
            output=flag("enableReturnData"),
            limit=0 if limit is None else quantity(limit),
        )


@dataclass(slots=True)
class Room:
    """What one answer may still hold: entries, and bytes."""

    steps: int
    size: int


@dataclass(slots=True)
class _Pending:
    """A frame's last entry, whose cost is not known yet: its place in the list, how it begins and ends."""

    place: int
    left: int
    start: str
    end: str
    storage: dict[str, str] | None = None


class Logger:
    """Writes the entries."""

    def __init__(self, wanted: Wanted, room: Room) -> None:
        self._wanted = wanted
        self._room = room
        self._most = min(wanted.limit, room.steps) if wanted.limit else room.steps
        self._remaining = Remaining()
        self._pending: list[_Pending | None] = []
        self._entries: list[str] = []
        self._returned = b""

    def opened(self, frame: Frame, code: bytes, host: Host) -> None:
        self._remaining.expect(frame.code_hash, code, host.rules)
        self._pending.append(None)
        self._returned = b""

    def step(
        self, frame: Frame, function: int, offset: int, name: str, immediate: object, milligas: int, stack: list[Any]
    ) -> None:
        """Raises: TooLong when there is no room for more."""
        left = self._remaining.before(frame.code_hash, function, offset, milligas)
        self._finish(left)
        if len(self._entries) >= self._most or self._room.size < 0:
            raise TooLong("more instructions than fit")
        end = f',"depth":{frame.depth + 1},"function":{function}'
        if self._wanted.stack:
            values = '","'.join([hex(value) if isinstance(value, int) else "ref" for value in stack])
            end += f',"stack":["{values}"]' if values else ',"stack":[]'
        if self._wanted.output and self._returned:
            end += f',"returnData":"0x{self._returned.hex()}"'
        start = f'{{"pc":{offset},"op":"{name}","gas":{left // MILLI}'
        self._pending[-1] = _Pending(len(self._entries), left, start, end)
        self._entries.append("")
        self._room.steps -= 1

    def read(self, frame: Frame, key: bytes, value: bytes) -> None:
        pending = self._pending[-1]
        if self._wanted.storage and pending is not None:
            pending.storage = pending.storage or {}
            pending.storage["0x" + key.hex()] = "0x" + value.hex()

    def closed(self, frame: Frame, milligas: int) -> None:
        self._finish(milligas)
        self._pending.pop()
        self._returned = frame.output

    def _finish(self, left: int) -> None:
        """Write the frame's last entry, now that its cost is known."""
        pending = self._pending[-1]
        if pending is not None:
            self._write(pending, pending.left // MILLI - left // MILLI)
            self._pending[-1] = None

    def _write(self, pending: _Pending, cost: int) -> None:
        slots = ""
        if pending.storage is not None:
            slots = ',"storage":{' + ",".join(f'"{key}":"{value}"' for key, value in pending.storage.items()) + "}"
        self._entries[pending.place] = entry = f'{pending.start},"gasCost":{cost}{pending.end}{slots}}}'
        self._room.size -= len(entry) + 1

    def document(self, executed: Executed, world: World, truncated: bool) -> dict[str, Any]:
        """The whole trace; what a creation gives back is the code that was stored."""
        output = world.code(executed.created) if executed.created is not None else executed.output
        document: dict[str, Any] = {
            "gas": executed.gas_used,
            "failed": not executed.ok,
            "returnValue": "0x" + output.hex(),
            "structLogs": orjson.Fragment(f"[{','.join(self._entries)}]"),
        }
        if truncated:
            document["truncated"] = True
        return document


def struct_logs(subject: Subject, wanted: Wanted, room: Room) -> dict[str, Any]:
    """Trace a subject; when the trace is cut, what came of it is found by a run without one."""
    logger = Logger(wanted, room)
    try:
        executed, world = subject.run(Recorder(steps=logger, most_events=0), reference=True)
    except TooLong:
        executed, world = subject.run()
        return logger.document(executed, world, truncated=True)
    return logger.document(executed, world, truncated=False)
