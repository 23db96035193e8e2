"""The compiler and its child process: whatever a job does, the parent is well and the next job is done."""

from __future__ import annotations

import ast
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from pathlib import Path

import pytest

from contractvm.native import child, compiler
from contractvm.native.compiler import (
    Cancelled,
    CompileFailed,
    Compiler,
    Job,
    Overrun,
    Refused,
    Result,
    Unavailable,
)
from contractvm.native.image import MAGIC
from tests.contractvm.native.generators import ADD, BUFFER
from tests.sources import ROOT

pytestmark = pytest.mark.skipif(compiler.why_not() is not None, reason=str(compiler.why_not()))

MODULE = "tests.contractvm.native.generators"
GOOD = Job(f"{MODULE}:text", ADD.encode())
LONG = 60.0


def job(generator: str, payload: object = "") -> Job:
    return Job(f"{MODULE}:{generator}", str(payload).encode())


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread or process. Raises: TimeoutError."""
    end = time.monotonic() + LONG
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process is not there any more, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def ended(pid: int) -> bool:
    """Whether a process has ended, be it that its parent, or who inherited it, has not asked for its status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def worker_of(compiling: Compiler) -> int:
    """The worker's process id, when there is one."""
    until(lambda: compiling.worker is not None)
    pid = compiling.worker
    assert pid is not None
    return pid


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture
def compiling() -> Iterator[Compiler]:
    made = Compiler()
    yield made
    made.close()


def test_nothing_is_started_before_the_first_job_nor_after_the_last() -> None:
    before = descriptors()
    made = Compiler()
    assert made.worker is None
    assert made.compile(GOOD).startswith(MAGIC)
    pid = worker_of(made)
    assert made.compile(GOOD).startswith(MAGIC)
    assert made.worker == pid
    made.close()
    assert made.worker is None
    assert gone(pid)
    assert descriptors() == before
    with pytest.raises(Unavailable, match="closed"):
        made.compile(GOOD)
    made.close()


def test_llvm_never_comes_into_this_process() -> None:
    program = (
        "import sys\n"
        "from contractvm.native.compiler import Compiler, Job\n"
        f"data = Compiler().compile(Job({MODULE + ':text'!r}, {ADD.encode()!r}))\n"
        "print(data[:4], [name for name in sys.modules if 'llvm' in name])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "b'\\x7fcvm' []\n"


def test_the_worker_is_confined(compiling: Compiler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "mine")
    with open(os.devnull, "rb") as mine, pytest.raises(Refused) as refusal:
        os.set_inheritable(mine.fileno(), True)
        compiling.compile(job("facts", "hello"))
    facts = ast.literal_eval(refusal.value.reason)
    assert facts["payload"] == "hello"
    assert facts["core"] == 0
    assert facts["nice"] >= 10
    assert facts["session"] is True
    assert facts["folder"] == "/"
    assert set(facts["environment"]) <= {"LC_CTYPE", "LD_LIBRARY_PATH"}
    assert facts["links"][0] == os.devnull
    assert all("contractvm-worker" in link for link in facts["links"][1:3])
    assert facts["links"][3].startswith("socket:")
    assert facts["fds"] == 4


def test_a_refusal_is_not_a_failure(compiling: Compiler) -> None:
    with pytest.raises(Refused, match="not today: because"):
        compiling.compile(job("refuse", "because"))
    pid = compiling.worker
    with pytest.raises(Refused, match="wide takes"):
        compiling.compile(job("narrow", BUFFER))
    assert compiling.worker == pid


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (job("bug", "surprise"), r"ended with status 1; it said: KeyError: 'surprise'"),
        (job("leave", 3), "ended with status 3; it said: leaving now"),
        (job("crash"), "killed by SIGSEGV, saying nothing"),
        (job("eat", 1 << 40), "it said: MemoryError"),
        (job("deafen", "\0\0\0\1x"), "talks nonsense"),
        (job("nothing"), "gave bytes, not a Translation"),
        (job("text", "define"), "LLVM refuses"),
        (Job("tests.contractvm.native.absent:generate", b""), "No module named"),
        (Job(f"{MODULE}:text", ADD.encode(), "heavy"), "no level 'heavy'"),
    ],
)
def test_a_failed_job_says_why_and_the_next_one_is_done(compiling: Compiler, bad: Job, reason: str) -> None:
    with pytest.raises(CompileFailed, match=reason):
        compiling.compile(bad)
    assert compiling.compile(GOOD).startswith(MAGIC)


def test_the_memory_limit_is_the_one_given() -> None:
    small, large = Compiler(memory=64 << 20), Compiler(memory=256 << 20)
    meal = job("eat", 128 << 20)
    with pytest.raises(CompileFailed, match="MemoryError"):
        small.compile(meal)
    assert small.compile(GOOD)
    assert large.compile(meal)
    small.close()
    large.close()


def test_llvm_s_own_hunger_ends_the_worker_only() -> None:
    made = Compiler(memory=8 << 20)
    many = ADD + "".join(ADD.replace("@add", f"@add{index}") for index in range(20_000))
    with pytest.raises(CompileFailed, match="worker"):
        made.compile(Job(f"{MODULE}:text", many.encode()))
    assert made.compile(GOOD)
    made.close()


@pytest.mark.parametrize("endless", [job("spin", 1000), job("sleep", 1000)])
def test_a_job_past_its_deadline_is_ended_and_not_tried_again(endless: Job) -> None:
    made = Compiler(deadline=0.2)
    assert made.compile(GOOD)
    pid = worker_of(made)
    with pytest.raises(Overrun, match=r"more than 0\.2 s") as overrun:
        made.compile(endless)
    assert overrun.value.seconds == 0.2
    assert gone(pid)
    assert made.worker is None
    assert made.compile(GOOD)
    made.close()


def test_waiting_for_a_busy_machine_is_not_the_job_s_fault() -> None:
    made = Compiler(deadline=0.5)
    assert made.compile(job("sleep", 0.7))
    made.close()


def test_what_a_job_prints_does_not_disturb(compiling: Compiler) -> None:
    assert compiling.compile(job("chatter", ADD)) == compiling.compile(GOOD)
    assert compiling.compile(job("shout", 20)) == compiling.compile(GOOD)


def test_a_killed_worker_is_replaced(compiling: Compiler) -> None:
    assert compiling.compile(GOOD)
    first = worker_of(compiling)
    os.kill(first, signal.SIGKILL)
    until(lambda: ended(first))
    assert compiling.compile(GOOD)
    assert compiling.worker != first
    assert gone(first)


def test_a_worker_killed_at_work_fails_its_job_only(compiling: Compiler) -> None:
    assert compiling.compile(GOOD)
    pid = worker_of(compiling)
    working, waiting = compiling.submit(job("sleep", 1000)), compiling.submit(GOOD)
    until(working.running)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(CompileFailed, match="killed by SIGKILL"):
        working.result(LONG)
    assert waiting.result(LONG)


def test_an_idle_worker_is_ended_and_comes_back() -> None:
    made = Compiler(idle=0.05)
    assert made.compile(GOOD)
    until(lambda: made.worker is None)
    assert made.compile(GOOD)
    made.close()


def test_jobs_are_done_in_order_and_the_urgent_first(compiling: Compiler) -> None:
    order: list[bytes] = []
    blocker = compiling.submit(job("sleep", 0.5))
    until(blocker.running)

    def note(result: Result) -> None:
        order.append(result.job.payload)

    futures = [compiling.submit(job("refuse", name), note) for name in "abc"]
    futures += [compiling.submit(job("refuse", name), note, urgent=True) for name in "xy"]
    for future in futures:
        assert isinstance(future.exception(LONG), Refused)
    until(lambda: len(order) == 5)
    assert order == [b"x", b"y", b"a", b"b", b"c"]


def test_a_callback_gets_the_object_the_time_or_the_problem(compiling: Compiler) -> None:
    results: list[Result] = []
    futures = [compiling.submit(good_or_bad, results.append) for good_or_bad in (GOOD, job("refuse", "x"))]
    futures += [compiling.submit(job("sleep", 0.3)), compiling.submit(GOOD, results.append)]
    assert futures[-1].cancel()
    until(lambda: len(results) == 3)
    good, cancelled, refused = sorted(
        results, key=lambda result: type(result.problem).__name__ if result.problem else ""
    )
    assert good.data == compiling.compile(GOOD)
    assert good.seconds["emit"] > 0
    assert isinstance(refused.problem, Refused)
    assert isinstance(cancelled.problem, Cancelled)
    assert refused.data is cancelled.data is None


def test_a_callback_that_fails_or_waits_harms_nobody(compiling: Compiler, caplog: pytest.LogCaptureFixture) -> None:
    def wait(result: Result) -> None:
        compiling.compile(result.job)

    assert compiling.submit(GOOD, wait).result(LONG)
    assert compiling.compile(GOOD)
    assert "cannot wait for the compiler" in caplog.text


def test_a_cancelled_job_leaves_the_queue(compiling: Compiler) -> None:
    blocker = compiling.submit(job("sleep", 0.3))
    until(blocker.running)
    crash = compiling.submit(job("crash"))
    assert crash.cancel()
    pid = worker_of(compiling)
    assert compiling.compile(GOOD)
    assert compiling.worker == pid
    with pytest.raises(CancelledError):
        crash.result()


def test_the_queue_has_an_end_but_not_for_those_who_wait() -> None:
    made = Compiler(waiting=2)
    blocker = made.submit(job("sleep", 0.5))
    until(blocker.running)
    queued = [made.submit(GOOD) for _ in range(4)]
    assert made.compile(GOOD)
    assert [future.exception(LONG) is None for future in queued] == [True, True, False, False]
    assert "2 compilations wait already" in str(queued[-1].exception())
    made.close()


def test_many_threads_submit_at_once(compiling: Compiler) -> None:
    wanted = compiling.compile(GOOD)
    wrong: list[object] = []

    def ask(number: int) -> None:
        for turn in range(5):
            if compiling.compile(GOOD) != wanted:
                wrong.append(number)
            refusal = compiling.submit(job("refuse", f"{number}.{turn}")).exception(LONG)
            if str(refusal) != f"not today: {number}.{turn}":
                wrong.append(refusal)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_close_ends_what_runs_and_what_waits() -> None:
    made = Compiler()
    running = made.submit(job("sleep", 1000))
    until(running.running)
    waiting = made.submit(GOOD)
    pid = worker_of(made)
    made.close()
    assert gone(pid)
    for future in (running, waiting):
        with pytest.raises(Unavailable, match="closed"):
            future.result(LONG)


def test_a_forgotten_compiler_ends_its_worker() -> None:
    made = Compiler()
    assert made.compile(GOOD)
    pid = worker_of(made)
    thread = made._line().thread
    assert thread is not None
    del made
    gc.collect()
    until(lambda: gone(pid))
    thread.join(LONG)
    assert not thread.is_alive()


def test_nothing_is_left_after_many_workers() -> None:
    before, workers = descriptors(), set()
    made = Compiler()
    for _ in range(5):
        assert made.compile(GOOD)
        workers.add(worker_of(made))
        with pytest.raises(CompileFailed):
            made.compile(job("leave", 1))
    made.close()
    assert descriptors() == before
    assert len(workers) == 5
    for pid in workers:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # that it forks beside a thread is the point
def test_a_fork_has_a_worker_of_its_own(compiling: Compiler) -> None:
    wanted = compiling.compile(GOOD)
    ours = worker_of(compiling)
    reading, writing = os.pipe()
    forked = os.fork()
    if not forked:
        outcome = b"nothing"
        try:
            same = compiling.compile(GOOD) == wanted
            theirs = worker_of(compiling)
            compiling.close()
            outcome = b"well" if same and theirs != ours else b"ill"
        finally:
            os.write(writing, outcome)
            os._exit(0)
    assert os.waitpid(forked, 0) == (forked, 0)
    assert os.read(reading, 10) == b"well"
    os.close(reading)
    os.close(writing)
    assert compiling.compile(GOOD) == wanted
    assert compiling.worker == ours


def test_without_llvmlite_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "find_spec", lambda name: None)
    assert not compiler.available()
    made = Compiler()
    with pytest.raises(Unavailable, match=r"pip install 'contractvm\[native\]'"):
        made.compile(GOOD)
    made.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it is how the thread ends
def test_an_error_nobody_foresaw_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    class Surprise(Exception):
        pass

    def fail(memory: int) -> list[str]:
        raise Surprise

    monkeypatch.setattr(child, "command", fail)
    made = Compiler()
    first, second = made.submit(GOOD), made.submit(GOOD)
    with pytest.raises(CompileFailed, match="ended by an error"):
        first.result(LONG)
    with pytest.raises(Unavailable, match="closed"):
        second.result(LONG)
    made.close()


def test_a_worker_that_cannot_start_is_not_started_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    starts: list[int] = []

    def broken(memory: int) -> list[str]:
        starts.append(memory)
        return [sys.executable, "-c", "raise ImportError('llvm is ill')"]

    monkeypatch.setattr(child, "command", broken)
    made = Compiler()
    for _ in range(4):
        with pytest.raises(Unavailable, match=r"did not start: .*llvm is ill"):
            made.compile(GOOD)
    made.close()
    assert len(starts) == compiler.STARTS


def test_an_interpreter_that_is_not_there_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    before = descriptors()
    monkeypatch.setattr(child, "command", lambda memory: ["/nowhere/python"])
    made = Compiler()
    with pytest.raises(Unavailable, match="cannot be started"):
        made.compile(GOOD)
    made.close()
    assert descriptors() == before


def test_futures_are_ordinary_ones(compiling: Compiler) -> None:
    future = compiling.submit(GOOD)
    assert isinstance(future, Future)
    assert future.result(LONG) == compiling.compile(GOOD)
