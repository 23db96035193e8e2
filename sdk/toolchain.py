"""Runs a compiler that is a program of its own: with a deadline, without input, and ended with all that it started.

Never: knows any compiler; `clang` and `cargo` do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

SECONDS = 120
"""A compilation that takes longer is stopped."""


def run(command: Sequence[str], environment: dict[str, str], folder: Path | None = None) -> tuple[int, str, str]:
    """Run a compiler in `folder`; return its exit code, its output and what it said.

    Raises: subprocess.TimeoutExpired; OSError when it cannot be started.
    """
    # A session of its own: what is started may be a script that starts the compiler, and ending that leaves it running.
    with subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, said = process.communicate(timeout=SECONDS)
        except BaseException:
            _end(process)
            raise
        return process.returncode, output.decode("utf-8", "replace").strip(), said.decode("utf-8", "replace").strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those it started."""
    if not hasattr(os, "killpg"):  # not a POSIX system
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
