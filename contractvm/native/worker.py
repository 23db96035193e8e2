"""The compile worker: a child process that turns code into machine code, so that LLVM is never in its parent.

Source: the native tier's safety rules: LLVM may crash, never end or eat the memory, and nothing of it may reach the
process that asked. Standard input is a stream socket of `protocol` messages; standard output and error are the place
for complaints, which the parent reads when the worker has died. An error nobody foresaw ends the worker with its
traceback: the next job gets a fresh one. Never: opens a network connection or writes a file, trusts a generator's
word about stack, or outlives its parent.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import resource
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from time import process_time
from typing import Any, Final

from contractvm.errors import ContractVMError
from contractvm.native import image, pipeline, protocol
from contractvm.native.elf import BadObject
from contractvm.native.stacksize import UNBOUNDED, frame_sizes
from contractvm.native.translation import Refused, Translation

NICENESS: Final = 10
STACK: Final = 64 << 20
"""Bytes of the main thread's stack: LLVM's passes recurse over what they compile."""

COMPLAINTS: Final = 1 << 20
"""Bytes a file may grow to: standard error is one, and a worker that complains without end must not fill memory."""

_PR_SET_PDEATHSIG: Final = 1


class Mismatch(ContractVMError):
    """The generator named by a request is not there, or gave something else than a Translation."""


def main(parent: int, memory: int) -> None:
    """Serve requests until the parent closes its end. `memory`: bytes of address space beyond what imports took."""
    channel = os.dup(0)  # not inheritable; nothing else in this process may read or write requests
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    _confine(parent, memory)
    version, triple, processor = pipeline.target()
    _send(channel, {"pid": os.getpid(), "llvm": version, "triple": triple, "cpu": processor})
    while True:
        try:
            job = protocol.job_of(protocol.read(lambda count: _receive(channel, count)))
        except EOFError:
            return
        gc.disable()  # most of what a job makes lives until its end
        _send(channel, protocol.message_of(_answer(job)))
        gc.enable()
        gc.collect()


def work(job: protocol.Job) -> protocol.Reply:
    """Generate, compile, check, link.

    Raises: Refused; Mismatch; PipelineError and BadObject, which are faults of the generator or of LLVM.
    """
    seconds: dict[str, float] = {}
    start = process_time()
    generate = _generator(job.generator)
    seconds["import"] = (imported := process_time()) - start
    translation = generate(job.payload)
    if not isinstance(translation, Translation):
        raise Mismatch(f"{job.generator} gave {type(translation).__name__}, not a Translation")
    seconds["generate"] = process_time() - imported
    data = pipeline.emit(translation.ir, job.level or pipeline.DEFAULT, seconds)
    emitted = process_time()
    check_stack(frame_sizes(data), translation.stack)
    linked = image.made(data, mmap.PAGESIZE)
    seconds["check"] = process_time() - emitted
    return protocol.Reply(linked, seconds)


def check_stack(sizes: Mapping[str, int], allowed: Mapping[str, int]) -> None:
    """Compare the real frames with what the code's frame weights allow.

    LLVM names what it splits off or specialises `<function>.<more>`: that has the function's allowance. A function it
    has inlined everywhere is not there, and counts in its callers.

    Raises: Refused, naming the worst function.
    """
    worst, excess = "", 0
    for symbol, size in sizes.items():
        name = symbol
        while name not in allowed and "." in name:
            name = name.rpartition(".")[0]
        if name in allowed and size - allowed[name] > excess:
            worst, excess = symbol, size - allowed[name]
    if excess:
        size, most = sizes[worst], sizes[worst] - excess
        takes = "an amount of stack that is not fixed" if size == UNBOUNDED else f"{size} bytes of stack"
        raise Refused(f"{worst} takes {takes}; its frame weight allows {most}")


def _answer(job: protocol.Job) -> protocol.Reply:
    try:
        return work(job)
    except Refused as refusal:
        return protocol.Reply(refused=refusal.reason)
    except (Mismatch, pipeline.PipelineError, BadObject) as problem:
        return protocol.Reply(error=str(problem))


def _generator(name: str) -> Any:
    """The function `package.module:function`; the parent is trusted to name a generator. Raises: Mismatch."""
    module, _, function = name.partition(":")
    found = getattr(import_module(module), function, None) if module and function else None
    if not callable(found):
        raise Mismatch(f"there is no generator {name!r}")
    return found


def _confine(parent: int, memory: int) -> None:
    """Give up what a compiler does not need, and make sure to die with the parent."""
    os.nice(NICENESS)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:  # it died before the line above
        sys.exit(1)
    with open("/proc/self/statm", "rb") as status:
        taken = int(status.read().split()[0]) * resource.getpagesize()
    _lower(resource.RLIMIT_AS, taken + memory)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, COMPLAINTS)
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (STACK if hard == resource.RLIM_INFINITY else min(STACK, hard), hard))


def _lower(limit: int, value: int) -> None:
    """Set both bounds of a limit, unless it is lower already."""
    hard = resource.getrlimit(limit)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def _receive(channel: int, count: int) -> bytes:
    """Exactly `count` bytes. Raises: EOFError when the parent has closed its end."""
    parts = []
    while count:
        part = os.read(channel, min(count, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _send(channel: int, message: Mapping[str, Any]) -> None:
    rest = memoryview(protocol.frame(message))
    while rest:
        rest = rest[os.write(channel, rest) :]
