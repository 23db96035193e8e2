"""What holds for every test: no deadlines of hypothesis, as a busy machine must not fail a test, and a cache of objects
of the run's own, gone with it as the compile worker is.

A CONTRACTVM_CACHE that the caller set is used and kept. Interrupts work: what a shell starts in the background ignores
them, and so would the programs that tests interrupt.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("contractvm", deadline=None, print_blob=True)
settings.load_profile("contractvm")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

CACHE = "CONTRACTVM_CACHE"
OURS: pytest.StashKey[Path] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder before pytest-xdist starts its workers, which share it."""
    if not os.environ.get(CACHE):
        config.stash[OURS] = Path(tempfile.mkdtemp(prefix="contractvm-tests-"))
        os.environ[CACHE] = str(config.stash[OURS])


def pytest_unconfigure(config: pytest.Config) -> None:
    """End this process's compile worker first: it could write to the folder again."""
    made = getattr(sys.modules.get("contractvm.wasm.foundry"), "foundry", None)
    if made is not None and made.cache_info().currsize:
        made().compiler.close()
    ours = config.stash.get(OURS, None)
    if ours is not None:
        del os.environ[CACHE]
        shutil.rmtree(ours, ignore_errors=True)
