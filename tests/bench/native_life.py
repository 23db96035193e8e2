"""What one waits for before native code runs: compilation, loading what was compiled before, a process's first call.

Each is had by a process of its own with an object cache of its own, as caches make every second time another thing.
Never: lets a process that finds its object in the cache import LLVM: that is an error, not a figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from tests.bench.compile import BenchError, compile_c
from tests.bench.native_child import SETTLED
from tests.bench.native_speed import real_module
from tests.bench.report import Row
from tests.bench.timing import REPEATS

PEER = "wasmtime+fuel"
CHILD = "tests.bench.native_child"
ROOT = Path(__file__).parents[2]
KILO = 1_000


def run(own: str = "native", *, repeats: int = REPEATS) -> list[Row]:
    """Measure. Raises: BenchError when a process fails or imports what it must not."""
    wasm, export = module()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / "module.wasm").write_bytes(wasm)
        rows = _compilation(scratch, export, len(wasm)) if own == "native" else []
        return rows + _processes(own, scratch, export, repeats)


def module() -> tuple[bytes, str]:
    """The real library, or the kernels when its source cannot be had, and an export that returns at once."""
    try:
        return real_module(), "blake2b"
    except BenchError as error:
        print(f"the kernels stand in for the library: {error}", file=sys.stderr)
        return compile_c("native"), "fib"


def _compilation(scratch: Path, export: str, size: int) -> list[Row]:
    spent = child("compile", scratch, export, scratch / "compiled")
    own, peer = median(spent["native"]), median(spent["wasmtime"])
    return [Row(f"module of {size / KILO:.0f} KB compiled and loaded, native", own, "s", PEER, peer, "<= 0.6 s")]


def _processes(own: str, scratch: Path, export: str, repeats: int) -> list[Row]:
    """New processes: with nothing in the cache, with the object in it, and wasmtime's."""
    kept = scratch / "kept"
    child(f"{SETTLED}{own}", scratch, export, kept)
    settled, empty, cached, peer = [], [], [], []
    for turn in range(repeats):
        settled.append(timed(f"{SETTLED}{own}", scratch, export, kept))
        empty.append(timed(own, scratch, export, scratch / f"empty {turn}"))
        cached.append(timed(own, scratch, export, kept))
        peer.append(timed("wasmtime", scratch, export, kept))
    if any(laps["llvm"] for laps in settled + cached):
        raise BenchError("a process that found its object in the cache has imported llvmlite")
    loading, once = (median(laps["first"] - laps["second"] for laps in found) for found in (settled, cached))
    wait, again, other = (median(laps["process"] for laps in found) for found in (empty, cached, peer))
    return [
        Row(
            f"object of {_bytes_in(kept) / KILO:.0f} KB found and loaded, {own}",
            loading * 1e3,
            "ms",
            target="<= 0.5 ms",
        ),
        Row(f"the same, the first of its process, {own}", once * 1e3, "ms"),
        Row(f"process to its first result, nothing cached, {own}", wait, "s", PEER, other),
        Row(f"process to its first result, object cached, {own}", again, "s", PEER, other),
    ]


def timed(mode: str, scratch: Path, export: str, cache: Path) -> Mapping[str, Any]:
    """A child's laps, with the whole process's seconds."""
    start = perf_counter()
    laps = child(mode, scratch, export, cache)
    return {**laps, "process": perf_counter() - start}


def child(mode: str, scratch: Path, export: str, cache: Path) -> dict[str, Any]:
    """Run `native_child` with its own object cache. Raises: BenchError with its last words."""
    command = [sys.executable, "-m", CHILD, mode, str(scratch / "module.wasm"), export]
    environment = os.environ | {"CONTRACTVM_CACHE": str(cache)}
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"a process of the bench failed: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _bytes_in(folder: Path) -> int:
    """Of the largest file below a folder."""
    sizes = [0]
    with suppress(OSError):
        sizes += [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return max(sizes)
