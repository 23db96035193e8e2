"""What goes between a process that wants code compiled and its compile worker, how it is framed, and how it may fail.

Both ends are this project's and of one version: four bytes of length, big-endian, then one map in the house's canonical
msgpack; first the worker's greeting, then for each request one reply. Never: sockets, processes or LLVM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError
from state import codec

HEADER: Final = 4
"""Bytes of a message's length."""

MOST: Final = 1 << 28
"""Bytes of the longest message: larger code than any rules allow, so that a torn frame cannot ask for gigabytes."""


class Garbled(ContractVMError):
    """What came is not a message of this protocol."""


class CompileError(ContractVMError):
    """No machine code came of a job."""


class Overrun(CompileError):
    """The job took longer than it may, and its worker was killed. `seconds`: the deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"compilation took more than {seconds:g} s and was ended")
        self.seconds = seconds


class CompileFailed(CompileError):
    """The generator or LLVM failed, the memory limit was reached, or somebody killed the worker.

    `said`: the end of what the worker wrote before it died, a traceback perhaps.
    """

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(reason)
        self.said = said


class Unavailable(CompileError):
    """There is no compiler here: no llvmlite, another platform, no worker to be started, or it was closed."""


class Cancelled(CompileError):
    """Nobody waits for this job any more."""


@dataclass(frozen=True, slots=True)
class Job:
    """Code to compile: `generator` is `"package.module:function"`, called with `payload`; `level` is the pipeline's."""

    generator: str
    payload: bytes = field(repr=False)
    level: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The worker's answer: `data` is an ELF object, unless the code was refused or the attempt failed.

    `seconds` is processor time by stage: `import`, `generate`, `parse`, `optimise`, `emit`, `check`.
    """

    data: bytes | None = field(default=None, repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict)
    refused: str | None = None
    error: str | None = None


def frame(message: Mapping[str, Any]) -> bytes:
    """A message with its length. Raises: Garbled when it is longer than `MOST`."""
    body = codec.pack(dict(message))
    if len(body) > MOST:
        raise Garbled(f"a message of {len(body)} bytes; at most {MOST} go through")
    return len(body).to_bytes(HEADER, "big") + body


def read(receive: Callable[[int], bytes]) -> dict[str, Any]:
    """The next message, by `receive`, which gives exactly as many bytes as it is asked for.

    Raises: Garbled, and what `receive` raises.
    """
    length = int.from_bytes(receive(HEADER), "big")
    if length > MOST:
        raise Garbled(f"a message of {length} bytes is announced; at most {MOST} go through")
    try:
        message = codec.unpack(receive(length))
    except codec.PackError as problem:
        raise Garbled(f"not a message: {problem}") from None
    if not isinstance(message, dict):
        raise Garbled(f"a message is a map, not {type(message).__name__}")
    return message


def request_of(job: Job) -> dict[str, Any]:
    """The message of a request."""
    return {"generator": job.generator, "payload": job.payload, "level": job.level}


def job_of(message: Mapping[str, Any]) -> Job:
    """The request in a message. Raises: Garbled."""
    try:
        return Job(**message)
    except TypeError as problem:
        raise Garbled(f"not a request: {problem}") from None


def message_of(reply: Reply) -> dict[str, Any]:
    """The message of a reply."""
    micro = {stage: round(spent * 1e6) for stage, spent in reply.seconds.items()}
    return {"object": reply.data, "microseconds": micro, "refused": reply.refused, "error": reply.error}


def reply_of(message: Mapping[str, Any]) -> Reply:
    """The reply in a message. Raises: Garbled."""
    data, refused, error = (message.get(name) for name in ("object", "refused", "error"))
    spent = message.get("microseconds")
    if isinstance(data, bytes) and isinstance(spent, dict):
        return Reply(data, {stage: micro / 1e6 for stage, micro in spent.items()})
    if isinstance(refused, str):
        return Reply(refused=refused)
    if isinstance(error, str):
        return Reply(error=error)
    raise Garbled(f"a reply with {sorted(map(str, message))} and no object")
