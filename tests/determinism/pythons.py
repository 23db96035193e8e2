"""The Pythons of this machine, each in a virtual environment with contractvm's dependencies.

An interpreter counts when it runs: a version manager's stand-in that only says that it is not active does not. The
environments stay in the user's cache, one for each interpreter and list of dependencies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.sources import ROOT

MINORS = (11, 12, 13, 14)
INSTALL_SECONDS = 600


class Unavailable(Exception):
    """There is no such Python here, or its environment cannot be made; the text says why."""


def candidates(minor: int) -> Iterator[str]:
    """Where Python 3.`minor` may be: on the path, or where pyenv keeps its versions."""
    found = shutil.which(f"python3.{minor}")
    if found:
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for folder in sorted(pyenv.glob(f"versions/3.{minor}.*"), reverse=True):
        yield str(folder / "bin" / "python")


def interpreter(minor: int) -> str:
    """A Python 3.`minor` that runs. Raises: Unavailable."""
    for path in candidates(minor):
        program = f"import sys; sys.exit(sys.version_info[:2] != (3, {minor}))"
        try:
            done = subprocess.run([path, "-c", program], capture_output=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return path
    raise Unavailable(f"no Python 3.{minor} on this machine")


def environment(minor: int, *extras: str) -> Path:
    """The interpreter of an environment with contractvm's dependencies and those of extras, made if there is none.

    Raises: Unavailable.
    """
    base = interpreter(minor)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    key = hashlib.sha256("\n".join([base, *wanted]).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "contractvm" / "pythons"
    folder = cache / f"3.{minor}-{key}"
    python, ready = folder / "bin" / "python", folder / "ready"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / f"3.{minor}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # test processes of one run share the environment
            if not ready.exists():
                command([base, "-m", "venv", "--clear", str(folder)])
                pip = [
                    str(python),
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--only-binary",
                    ":all:",
                ]
                command([*pip, *wanted])
                ready.touch()
    except OSError as error:
        raise Unavailable(f"no environment for Python 3.{minor}: {error}") from None
    return python


def command(words: list[str]) -> None:
    """Run a step of making an environment. Raises: Unavailable, with the last line it said."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{words[0]} took longer than {INSTALL_SECONDS} s to install") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Unavailable(f"{' '.join(words[:4])} failed: {said[-1] if said else done.returncode}")
