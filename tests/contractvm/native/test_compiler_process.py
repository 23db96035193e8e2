"""The compile worker and the life of the process it serves: interrupts, sudden ends, an author's own modules."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contractvm.native import compiler
from tests.contractvm.native.generators import ADD
from tests.contractvm.native.test_compiler import LONG, MODULE, ended, until
from tests.sources import ROOT

pytestmark = pytest.mark.skipif(compiler.why_not() is not None, reason=str(compiler.why_not()))

START = f"""
import os, signal
from contractvm.native.compiler import Compiler, Job
compiling = Compiler()
compiling.compile(Job({MODULE + ":text"!r}, {ADD.encode()!r}))
first = compiling.worker
print(first, flush=True)
"""
INTERRUPTED = f"""
try:
    compiling.compile(Job({MODULE + ":harass"!r}, b"%d" % signal.SIGINT))
except KeyboardInterrupt:
    data = compiling.compile(Job({MODULE + ":text"!r}, {ADD.encode()!r}))
    print(data[:4], compiling.worker != first)
"""


def run(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=LONG, check=False
    )


def test_an_interrupt_ends_the_wait_and_gives_up_the_job() -> None:
    done = run(START + INTERRUPTED)
    worker, said = done.stdout.splitlines()
    assert (said, done.stderr, done.returncode) == ("b'\\x7fcvm' True", "", 0)
    until(lambda: ended(int(worker)))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_the_worker_dies_with_its_parent(how: signal.Signals) -> None:
    done = run(START + f"compiling.compile(Job({MODULE + ':harass'!r}, b'{how:d}'))\n")
    assert done.returncode == -how
    until(lambda: ended(int(done.stdout)))


@pytest.mark.parametrize("last", ["", f"compiling.submit(Job({MODULE + ':sleep'!r}, b'1000'))\n"])
def test_an_interpreter_that_ends_ends_its_worker_and_says_nothing(last: str) -> None:
    done = run(START + last)
    assert (done.stderr, done.returncode) == ("", 0)
    until(lambda: ended(int(done.stdout)))


def test_the_llvmlite_that_keys_name_is_the_one_that_compiles(tmp_path: Path) -> None:
    """Even where the engine's own folder has another."""
    for name in ("contractvm", "gas", "state", "sdk", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "llvmlite.py").write_text("raise SystemExit('the wrong one')\n")
    text = (
        "import sys, llvmlite\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from contractvm.native.compiler import Compiler, Job\n"
        f"print(Compiler().compile(Job({MODULE + ':text'!r}, {ADD.encode()!r}))[:4])\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "b'\\x7fcvm'\n", done.stderr


def test_an_author_s_folder_shadows_nothing(tmp_path: Path) -> None:
    for name in ("msgpack", "state", "struct", "llvmlite", "signal", "ctypes"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong one')\n")
    text = (
        "import sys\n"
        "import contractvm.native.child\n"
        "from contractvm.native.compiler import Compiler, Job\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        f"print(Compiler().compile(Job({MODULE + ':text'!r}, {ADD.encode()!r}))[:4])\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import llvmlite\n" + text],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "b'\\x7fcvm'\n", done.stderr
