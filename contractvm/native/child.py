"""One compile worker as its parent holds it: started, asked, and killed when it takes too long.

A `Child` belongs to the one thread that started it: only that thread talks to it and ends it, so no process id is used
after it may have been given to somebody else. What the worker complains about goes to a file in memory, read when it
has died. Never: imports LLVM, retries, or passes on a descriptor, an environment variable or a search path that the
worker does not need.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Final, NoReturn

from contractvm.native import protocol
from contractvm.native.protocol import Cancelled, CompileFailed, Overrun, Unavailable

START_SECONDS: Final = 60.0
"""Wall time a worker has to say that it is there: some 0.2 s of work, on a disk that may be busy."""

PATIENCE: Final = 4
"""Wall time over processor time that a job may take at most: a machine with other work is not the code's fault."""

SLICE: Final = 0.05
"""Seconds between two looks at whether the job is still wanted."""

SAID: Final = 2000
"""Bytes of the worker's last complaint that an error keeps."""

_BOOT: Final = (
    "import sys; sys.path.append(sys.argv[3]); import llvmlite; sys.path[-1:] = sys.argv[4:]; "
    "from contractvm.native.worker import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)
"""The package that the objects' keys name is imported before a folder of other things could have one of that name."""
_NEEDED: Final = ("contractvm", "gas", "state", "msgpack")
_LLVMLITE: Final = "llvmlite"


class Child:
    """A running worker that has greeted; `greeting` has LLVM's version and the processor it generates for."""

    def __init__(self, memory: int, wanted: Callable[[], bool]) -> None:
        """Start one, with `memory` bytes of address space beyond what its imports take.

        Raises: Unavailable when it does not start; Cancelled when it is not `wanted` any more.
        """
        self._channel, theirs = socket.socketpair()
        self._said = os.memfd_create("contractvm-worker")
        try:
            with theirs:
                self._process = subprocess.Popen(
                    command(memory),
                    stdin=theirs.fileno(),
                    stdout=self._said,
                    stderr=self._said,
                    env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
                    start_new_session=True,
                    cwd="/",
                )
        except OSError as problem:
            self._channel.close()
            os.close(self._said)
            raise Unavailable(f"the compile worker cannot be started: {problem}") from None
        self.pid = self._process.pid
        self._worked_before = 0.0
        self._channel.settimeout(SLICE)
        try:
            self.greeting = self._receive(START_SECONDS, wanted)
        except Overrun:
            raise Unavailable(f"the compile worker did not greet within {START_SECONDS:g} s") from None
        except CompileFailed as problem:
            raise Unavailable(f"the compile worker did not start: {problem}") from None

    @property
    def alive(self) -> bool:
        """Whether it can take a job; False once it has ended by itself, by `end`, or by an error of `ask`."""
        return self._process.poll() is None and self._channel.fileno() >= 0

    def ask(self, job: protocol.Job, deadline: float, wanted: Callable[[], bool]) -> protocol.Reply:
        """Have `job` done within `deadline` seconds of processor time. After an error the worker is gone.

        Raises: Overrun; CompileFailed; Cancelled when the job is not `wanted` any more.
        """
        os.ftruncate(self._said, 0)
        os.lseek(self._said, 0, os.SEEK_SET)  # shared with the worker, which goes on writing there
        start, self._worked_before = monotonic(), _processor_seconds(self.pid)
        try:
            message = protocol.frame(protocol.request_of(job))
        except protocol.Garbled as problem:
            raise CompileFailed(f"the job cannot be sent: {problem}") from None
        try:
            self._send(message, deadline, wanted, start)
            return protocol.reply_of(self._receive(deadline, wanted, start))
        except protocol.Garbled as problem:
            self.end()
            raise CompileFailed(f"the compile worker talks nonsense: {problem}") from None

    def end(self) -> None:
        """Kill it, collect what is left of it, and close what led to it."""
        if self._channel.fileno() < 0:
            return
        self._process.kill()
        self._process.wait()
        self._channel.close()
        os.close(self._said)

    def _send(self, message: bytes, deadline: float, wanted: Callable[[], bool], start: float) -> None:
        rest = memoryview(message)
        while rest:
            try:
                # Without the flag a program that has SIGPIPE at its default would be ended by a worker's death.
                rest = rest[self._channel.send(rest, socket.MSG_NOSIGNAL) :]
            except TimeoutError:
                self._look(deadline, wanted, start)
            except OSError:
                self._died()

    def _receive(self, deadline: float, wanted: Callable[[], bool], start: float | None = None) -> dict[str, object]:
        start = monotonic() if start is None else start

        def exactly(count: int) -> bytes:
            content = bytearray(count)
            rest = memoryview(content)
            while rest:
                try:
                    got = self._channel.recv_into(rest)
                except TimeoutError:
                    self._look(deadline, wanted, start)
                    continue
                except OSError:
                    got = 0
                if not got:
                    self._died()
                rest = rest[got:]
            return bytes(content)

        return protocol.read(exactly)

    def _look(self, deadline: float, wanted: Callable[[], bool], start: float) -> None:
        """Nothing came for a while: go on waiting, or end it. Raises: Overrun, Cancelled."""
        if not wanted():
            self.end()
            raise Cancelled("nobody waits for this compilation any more")
        waited = monotonic() - start
        if waited > deadline and (waited > PATIENCE * deadline or self._worked() > deadline):
            self.end()
            raise Overrun(deadline)

    def _worked(self) -> float:
        """Processor seconds the worker has used since the job was sent."""
        return _processor_seconds(self.pid) - self._worked_before

    def _died(self) -> NoReturn:
        """Say how the worker ended. Raises: CompileFailed."""
        self._process.kill()  # it may have closed its end only
        code = self._process.wait()
        said = os.pread(self._said, SAID, max(0, os.fstat(self._said).st_size - SAID)).decode("utf-8", "replace")
        self.end()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
        last = said.strip().rpartition("\n")[2]
        raise CompileFailed(f"the compile worker {how}" + (f"; it said: {last}" if last else ", saying nothing"), said)


def _processor_seconds(pid: int) -> float:
    """User and system time of a process; 0 when it is gone. Source: proc(5), /proc/pid/stat."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def command(memory: int) -> list[str]:
    """The worker's command line: this Python, isolated from the environment and from the folder it runs in."""
    flags = ["-I", "-S"] + (["-B"] if sys.dont_write_bytecode else [])
    llvmlite = next(iter(_folders(_LLVMLITE)), "")
    return [sys.executable, *flags, "-c", _BOOT, str(os.getpid()), str(memory), llvmlite, *search_path()]


def search_path() -> list[str]:
    """Where the worker finds modules after the standard library: first where this process found the ones it needs.

    They may have come from an editable installation's hook, which the worker has not; and a folder of the author's may
    come early in this process's own path and have a module of the same name.
    """
    found = _folders(*_NEEDED, _LLVMLITE)
    return list(dict.fromkeys(found + [str(Path(entry).absolute()) for entry in sys.path if entry]))


def _folders(*names: str) -> list[str]:
    """Where this process finds packages, those that it does find."""
    specs = (find_spec(name) for name in names)
    return [str(Path(spec.origin).parent.parent.absolute()) for spec in specs if spec is not None and spec.origin]
