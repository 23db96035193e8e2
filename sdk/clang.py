"""Compiles one C file to a wasm module with the clang that comes by pip (ziglang).

The flags are the profile: no floats are chosen by a compiler that is given none, no library is linked, the stack lies
below the data (so that running over it traps), and a contract fits one page of memory. Undefined behaviour that clang
can define is defined. The output depends on the source, the headers and the compiler's version, not on where they are.
Never: writes beside the source. zig keeps its cache under the user's cache directory (`XDG_CACHE_HOME`).
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from contractvm.dataclass import dataclass
from sdk import toolchain
from sdk.errors import BuildError, ToolMissing

HEADERS = Path(__file__).parent / "c"
STACK_BYTES = 8192

FEATURES = ("bulk_memory", "sign_ext", "multivalue", "mutable_globals", "extended_const", "tail_call")
FLAGS = (
    "-target",
    "wasm32-freestanding",
    "-mcpu=" + "+".join(("generic", *FEATURES)),
    "-std=c23",
    "-O2",
    "-ffreestanding",
    "-fwrapv",
    "-fno-strict-aliasing",
    "-fno-sanitize=all",
    "-fno-ident",
    "-Wall",
    "-Wextra",
    "-nostdlib",
    "-g0",
    f"-I{HEADERS}",
    "-Wl,--no-entry",
    f"-Wl,-z,stack-size={STACK_BYTES}",
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A linked module with function names, and what the compiler warned of."""

    module: bytes
    warnings: str


def cache_directory() -> Path:
    """Where zig keeps what it built: a few kilobytes for freestanding C."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "contractvm" / "zig"


def compile_c(path: Path) -> Compiled:
    """Compile and link `path`. Raises: ToolMissing, BuildError with the compiler's own message."""
    if importlib.util.find_spec("ziglang") is None:
        raise ToolMissing(f"{path}: compiling C", "c")
    cache = cache_directory()
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(f"the compiler's cache {cache} cannot be made ({error}); set XDG_CACHE_HOME") from None
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    with tempfile.TemporaryDirectory(prefix="contractvm-") as directory:
        output = Path(directory) / "module.wasm"
        mapping = f"-fmacro-prefix-map={path.parent}{os.sep}="
        command = [sys.executable, "-m", "ziglang", "cc", *FLAGS, mapping, "-o", str(output), str(path)]
        try:
            code, _, said = toolchain.run(command, environment)
        except subprocess.TimeoutExpired:
            raise BuildError(f"{path}: the compiler did not finish within {toolchain.SECONDS} seconds") from None
        if code or not output.is_file():
            raise BuildError(f"{path}: it does not compile\n{said or f'the compiler ended with {code}'}")
        return Compiled(output.read_bytes(), said)
