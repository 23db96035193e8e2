"""Compiles the bench's C programs: to wasm with the C compiler that comes as the package `ziglang`, to machine code
with that and with the system's.

Never: keeps what it made; a bench measures what the tree says now.
"""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


MACHINE_CODE = ("-O2", "-w", "-shared", "-fPIC", "-fomit-frame-pointer", "-fvisibility=protected")
"""A library to be called in this process, whose functions call one another as those of a program do. No -march: what
`-O2` alone gives."""
ZIG_CC = (sys.executable, "-m", "ziglang", "cc")


class BenchError(Exception):
    """The bench cannot run; the message says what is missing or wrong."""


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C compiler for this machine: its name with its version, and how it is called."""

    name: str
    command: tuple[str, ...]


def require_peers(needed: Mapping[str, str] | None = None) -> None:
    """`needed`: packages and their modules. Raises: BenchError naming those missing and the command to install them."""
    wanted = NEEDED if needed is None else needed
    missing = [name for name, module in wanted.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise BenchError(f"the bench needs {', '.join(missing)}: pip install '.[bench]'")


def compile_c(name: str, *flags: str) -> bytes:
    """The wasm of `programs/NAME.c`. Raises: BenchError with the compiler's words."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"{name}.wasm"
        _compile((*ZIG_CC, *FLAGS, *flags), name, target)
        return target.read_bytes()


def compilers() -> list[Compiler]:
    """The compilers to machine code that are here: clang (of `ziglang`) and, if it is installed, gcc."""
    clang = _version((*ZIG_CC, "--version")).split("clang version ")[-1]
    found = [Compiler(f"clang {clang.split('.')[0]}", (*ZIG_CC, "-mcpu=baseline"))]
    if gcc := shutil.which("gcc"):
        found.append(Compiler(f"gcc {_version((gcc, '-dumpversion'))}", (gcc,)))
    return found


def compile_library(name: str, compiler: Compiler, *flags: str) -> ctypes.CDLL:
    """`programs/NAME.c` as machine code in this process. Raises: BenchError with the compiler's words."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"{name}.so"
        _compile((*compiler.command, *MACHINE_CODE, *flags), name, target)
        return ctypes.CDLL(str(target))  # the mapping outlives the file


def _compile(command: Sequence[str], name: str, target: Path) -> None:
    source = PROGRAMS / f"{name}.c"
    done = subprocess.run([*command, "-o", str(target), str(source)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{source} does not compile:\n{done.stderr.strip()}")


def _version(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[0].strip()
