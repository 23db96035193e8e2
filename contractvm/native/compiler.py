"""The compiler as the rest of the house sees it: jobs in, ELF objects out, and never LLVM in this process.

A daemon thread owns the worker process and gives it one job at a time, the urgent ones first. The worker is started at
the first job, ended when it has had nothing to do for a while, and replaced after a job that took too long, crashed it
or ate its memory; such a job has failed and is never tried again by itself. A process made by `fork` gets a thread and
a worker of its own. Never: imports llvmlite, or blocks anybody but the caller of `compile`.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import field
from importlib.util import find_spec
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final

from contractvm.dataclass import dataclass
from contractvm.errors import ContractVMError
from contractvm.native import loader
from contractvm.native.protocol import Cancelled, CompileError, CompileFailed, Job, Overrun, Reply, Unavailable
from contractvm.native.translation import Refused

if TYPE_CHECKING:
    from concurrent.futures import Future

    from contractvm.native.child import Child

__all__ = [
    "Cancelled",
    "CompileError",
    "CompileFailed",
    "Compiler",
    "Job",
    "Overrun",
    "Refused",
    "Result",
    "Unavailable",
    "available",
    "why_not",
]

DEADLINE: Final = 30.0
"""Processor seconds a job may take."""

MEMORY: Final = 2 << 30
"""Bytes of address space a worker may take beyond what its imports do."""

IDLE: Final = 60.0
"""Seconds without a job after which the worker is ended."""

WAITING: Final = 256
"""Jobs that may wait, the urgent ones not counted."""

STARTS: Final = 2
"""Failed starts in a row after which no further one is made."""

_SLICE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: `data` is an ELF object, or `problem` says why there is none.

    `problem` is Refused, Overrun, CompileFailed, Unavailable or Cancelled.
    """

    job: Job
    data: bytes | None = field(default=None, repr=False)
    problem: ContractVMError | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)


def available() -> bool:
    """Whether this process can have code compiled, as far as can be told without trying."""
    return why_not() is None


def why_not() -> str | None:
    """Why no code can be compiled here, with the way out; None when it can."""
    if (reason := loader.why_not()) is not None:
        return reason
    if find_spec("llvmlite") is None:
        return "llvmlite is not installed: pip install 'contractvm[native]'"
    if not sys.executable or getattr(sys, "frozen", False):
        return "this program is not run by a Python executable that could be started again as compile worker"
    return None


class Compiler:
    """Compiles one job at a time in a worker process. Safe to use from many threads at once."""

    def __init__(
        self, deadline: float = DEADLINE, memory: int = MEMORY, idle: float = IDLE, waiting: int = WAITING
    ) -> None:
        """Start nothing yet. Seconds, bytes and jobs as the constants of the same names say."""
        self._settings = _Settings(deadline, memory, idle, waiting)
        # By process id: after a fork the parent's thread is not there, and its worker is not ours.
        self._lines: dict[int, _Line] = {}
        self._finalizer = weakref.finalize(self, _close_all, self._lines)

    def submit(self, job: Job, done: Callable[[Result], None] | None = None, *, urgent: bool = False) -> Future[bytes]:
        """Queue a job; an urgent one goes before all others that wait. Never raises: the future does, as `compile`.

        `done` is called with the result, whatever it is, by the compiler's thread; it must not wait for another job.
        Cancelling the future takes a job that still waits out of the queue.
        """
        task = _Task(job)
        if done is not None:
            task.future.add_done_callback(lambda _: done(task.result))
        self._line().put(task, urgent)
        return task.future

    def compile(self, job: Job) -> bytes:
        """The ELF object of a job, waiting for it; when the wait is interrupted, the job is given up.

        Raises: Refused; Overrun; CompileFailed; Unavailable; RuntimeError when called by a `done` of this compiler.
        """
        line, task = self._line(), _Task(job)
        if line.thread is threading.current_thread():
            raise RuntimeError("a callback of the compiler cannot wait for the compiler: use submit")
        try:
            line.put(task, urgent=True)
            while True:  # in slices: an exception set from another thread is raised between them
                try:
                    return task.future.result(_SLICE)
                except TimeoutError:
                    continue
        finally:
            task.wanted = False

    @property
    def worker(self) -> int | None:
        """Process id of the worker, if one is there at this moment."""
        child = self._line().child
        return None if child is None else child.pid

    def close(self) -> None:
        """End the worker; what waits or runs is Unavailable, and so is all that comes later."""
        line = self._line()
        line.close()
        if line.thread is not None and line.thread is not threading.current_thread():
            line.thread.join()

    def _line(self) -> _Line:
        pid = os.getpid()
        line = self._lines.get(pid)
        return self._lines.setdefault(pid, _Line(self._settings)) if line is None else line


@dataclass(frozen=True, slots=True)
class _Settings:
    deadline: float
    memory: int
    idle: float
    waiting: int


class _Task:
    """A job on its way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        from concurrent.futures import Future  # who finds every object in the cache compiles nothing

        self.future: Future[bytes] = Future()
        self.wanted = True
        self.result = Result(job, problem=Cancelled("cancelled while it waited"))

    def answer(self, reply: Reply) -> None:
        """End with what the worker said."""
        if reply.data is not None:
            self.result = Result(self.job, reply.data, seconds=reply.seconds)
            self.future.set_result(reply.data)
        elif reply.refused is not None:
            self.fail(Refused(reply.refused))
        else:
            self.fail(CompileFailed(str(reply.error)))

    def fail(self, problem: ContractVMError) -> None:
        """End without an object; the traceback goes, since it would keep the thread's frames and this task alive."""
        problem.with_traceback(None)
        self.result = Result(self.job, problem=problem)
        self.future.set_exception(problem)


class _Line:
    """The queue of one process, its thread and its worker.

    Only the thread touches the worker. `close` takes no lock: the garbage collector may call it anywhere.
    """

    def __init__(self, settings: _Settings) -> None:
        self.settings = settings
        self.thread: threading.Thread | None = None
        self.child: Child | None = None
        self.closed = False
        self._lock = threading.Lock()
        self._urgent: deque[_Task] = deque()
        self._ordinary: deque[_Task] = deque()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._failed_starts: list[Unavailable] = []

    def put(self, task: _Task, urgent: bool) -> None:
        """Queue a task, or fail it at once."""
        queue = self._urgent if urgent else self._ordinary
        if not urgent and len(queue) >= self.settings.waiting:
            self._fail(task, Unavailable(f"{len(queue)} compilations wait already"))
            return
        queue.append(task)
        try:
            self._run()
        except RuntimeError as problem:  # the interpreter is being shut down, or has no more threads
            self.closed = True
            self._refuse_all(f"the compiler's thread cannot be started: {problem}")
            return
        self._wake.put(None)
        if self.closed:  # the thread may have looked for the last time before the task was there
            self._refuse_all("the compiler is closed")

    def close(self) -> None:
        """Have the thread end the worker and itself."""
        self.closed = True
        self._wake.put(None)

    def _run(self) -> None:
        with self._lock:
            if self.thread is None and not self.closed:
                self.thread = threading.Thread(target=self._serve, name="contractvm-compiler", daemon=True)
                self.thread.start()

    def _serve(self) -> None:
        try:
            while not self.closed:
                try:
                    self._wake.get(timeout=None if self.child is None else self.settings.idle)
                except Empty:
                    self._end_child()
                    continue
                task = self._next()
                if task is not None and task.future.set_running_or_notify_cancel():
                    self._do(task)
        finally:
            self.closed = True
            self._end_child()
            self._refuse_all("the compiler is closed")

    def _do(self, task: _Task) -> None:
        """One job, with a worker that is there or a new one."""

        def wanted() -> bool:
            return task.wanted and not self.closed

        try:
            reply = self._worker(wanted).ask(task.job, self.settings.deadline, wanted)
        except CompileError as problem:
            if self.child is not None and not self.child.alive:
                self._end_child()
            task.fail(Unavailable("the compiler is closed") if self.closed else problem)
        else:
            task.answer(reply)
        finally:
            if not task.future.done():  # an error nobody foresaw ends this thread: whoever waits must not hang
                task.fail(CompileFailed("the compiler's thread was ended by an error"))

    def _worker(self, wanted: Callable[[], bool]) -> Child:
        """Raises: Unavailable; Cancelled."""
        if self.child is not None and self.child.alive:
            return self.child
        self._end_child()
        if (reason := why_not()) is not None:
            raise Unavailable(reason)
        if len(self._failed_starts) >= STARTS:
            raise Unavailable(str(self._failed_starts[-1]))
        # Here, since a process that finds all its objects needs neither sockets nor processes.
        from contractvm.native.child import Child

        try:
            self.child = Child(self.settings.memory, wanted)
        except Unavailable as problem:
            self._failed_starts.append(problem)
            raise
        self._failed_starts.clear()
        return self.child

    def _end_child(self) -> None:
        if self.child is not None:
            self.child.end()
            self.child = None

    def _next(self) -> _Task | None:
        for queue in (self._urgent, self._ordinary):
            try:
                return queue.popleft()
            except IndexError:
                continue
        return None

    def _refuse_all(self, reason: str) -> None:
        while (task := self._next()) is not None:
            self._fail(task, Unavailable(reason))

    @staticmethod
    def _fail(task: _Task, problem: ContractVMError) -> None:
        if task.future.set_running_or_notify_cancel():
            task.fail(problem)


def _close_all(lines: Mapping[int, _Line]) -> None:
    """End what this process owns; another process's line, seen after a fork, is not touched by its thread here."""
    line = lines.get(os.getpid())
    if line is not None:
        line.close()
