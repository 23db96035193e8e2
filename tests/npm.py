"""Packages from npm that tests and benches need, installed once into a folder of the user's cache.

Versions are pinned by whoever asks. Never: installs into the checkout, or twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

INSTALL_SECONDS = 300


class Missing(Exception):
    """The packages cannot be had; the text says why."""


def packages(*wanted: str) -> Path:
    """The `node_modules` folder that holds these, `name@version` each. Raises: Missing."""
    npm = shutil.which("npm")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "contractvm" / "npm"
    folder = cache / hashlib.sha256(" ".join(sorted(wanted)).encode()).hexdigest()[:16]
    done = folder / "installed"
    if not done.exists():
        if npm is None:
            raise Missing(f"npm is not installed, so there is no {' '.join(wanted)}")
        _install(npm, folder, wanted)
        done.touch()
    return folder / "node_modules"


def _install(npm: str, folder: Path, wanted: Sequence[str]) -> None:
    """Raises: Missing."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), *wanted]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing(f"npm did not install {' '.join(wanted)} within {INSTALL_SECONDS} seconds") from None
    if run.returncode:
        raise Missing(f"npm cannot install {' '.join(wanted)}: {run.stderr.strip()[:500]}")
