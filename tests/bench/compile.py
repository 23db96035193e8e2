"""Compiles the bench's C programs to wasm with the C compiler that comes as the package `ziglang`.

Never: keeps what it made; a bench measures what the tree says now.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
NEEDED = {"pywasm": "pywasm", "wasmtime": "wasmtime", "ziglang": "ziglang"}

FLAGS = (
    "-target",
    "wasm32-freestanding",
    "-mcpu=mvp",
    "-O2",
    "-nostdlib",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-Wl,-z,stack-size=16384",
)
"""Wasm 1.0 only: every engine compared here reads it."""


class BenchError(Exception):
    """The bench cannot run; the message says what is missing or wrong."""


def require_peers() -> None:
    """Raises: BenchError naming the packages that are missing and the command that installs them."""
    missing = [name for name, module in NEEDED.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise BenchError(f"the bench needs {', '.join(missing)}: pip install '.[bench]'")


def compile_c(name: str) -> bytes:
    """The wasm of `programs/NAME.c`. Raises: BenchError with the compiler's words."""
    source = PROGRAMS / f"{name}.c"
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"{name}.wasm"
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, "-o", str(target), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"{source} does not compile:\n{done.stderr.strip()}")
        return target.read_bytes()
