"""Reading what a command is pointed at: a module's bytes, or a source that `sdk.build` makes into them.

Never: trusts a suffix over the bytes. What starts with `\\0asm` is a module whatever it is called.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contractvm.cli.problem import Problem, say

if TYPE_CHECKING:
    from sdk.artifact import Artifact

MAGIC = b"\0asm"
LARGEST = 64 << 20
"""Bytes read from a file; the bare engine takes no more."""
SOURCES = (".py", ".c", ".wat")
MANIFEST = "Cargo.toml"


def read_bytes(path: Path) -> bytes:
    """Read a whole file, `-` for standard input. Raises: Problem, naming the file and the way out."""
    if str(path) == "-":
        if sys.stdin is None:
            raise Problem("standard input is closed", "name a file")
        return bounded(sys.stdin.buffer.read(LARGEST + 1), "standard input")
    if path.is_dir():
        raise Problem(f"{path} is a directory", "name a .wasm, .wat, .c or .py file or a Cargo.toml in it")
    try:
        with path.open("rb") as file:
            return bounded(file.read(LARGEST + 1), str(path))
    except FileNotFoundError:
        raise Problem(f"{path}: no such file", near(path)) from None
    except PermissionError:
        raise Problem(f"{path}: permission denied", f"make it readable: chmod +r {path}") from None


def bounded(data: bytes, name: str) -> bytes:
    if not data:
        raise Problem(f"{name} is empty", "a module has at least 8 bytes: its magic and its version")
    if len(data) > LARGEST:
        raise Problem(f"{name} is larger than {LARGEST >> 20} MiB", "no engine limit allows such a module")
    return data


def check_source(path: Path) -> None:
    """Say the errors that every file can have in one way; a folder with a Cargo.toml is a crate. Raises: Problem."""
    if not (path / MANIFEST).is_file():
        read_bytes(path)


def built(path: Path) -> Artifact:
    """A contract from a source or a module, with the builder's warnings on standard error.

    Raises: Problem, BuildError.
    """
    check_source(path)
    from sdk.build import build

    artifact = build(path)
    for warning in artifact.warnings:
        say(warning, label="warning")
    return artifact


def near(path: Path) -> str:
    """A guess at what was meant, from the names in the same directory."""
    import difflib

    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"there is no directory {path.parent}"
    found = difflib.get_close_matches(path.name, names, 1)
    return f"did you mean {path.parent / found[0]}?" if found else "check the path"


def read_module(path: Path) -> bytes:
    """Any module, contract or not, assembled or compiled first if `path` is a source. Raises: Problem, BuildError."""
    if (path / MANIFEST).is_file():
        path /= MANIFEST
    data = read_bytes(path)
    if (path.suffix in SOURCES or path.name == MANIFEST) and not data.startswith(MAGIC):
        from sdk.build import compile_module  # a plain module needs no builder

        return compile_module(path)
    if not data.startswith(MAGIC) and not MAGIC.startswith(data[:4]):
        start = data[:8].hex(" ")
        raise Problem(
            f"{path} is no wasm module: it starts with {start}",
            f"give a .wasm file or a source ({', '.join(SOURCES)}, {MANIFEST})",
        )
    return data
