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
from collections.abc import Mapping, Sequence
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
WHOLE, PART = "whole.wasm", "part.wasm"


def run(own: str = "native", *, repeats: int = REPEATS) -> list[Row]:
    """Measure. Raises: BenchError when a process fails or imports what it must not."""
    whole, part, export = modules()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        (scratch / WHOLE).write_bytes(whole)
        (scratch / PART).write_bytes(part)
        rows = _compilation(scratch, export, len(whole)) if own == "native" else []
        rows += _loading(own, scratch, PART, export, repeats, "<= 0.5 ms for 75 KB")
        rows += _loading(own, scratch, WHOLE, export, repeats)
        return rows + _processes(own, scratch, export, repeats)


def modules() -> tuple[bytes, bytes, str]:
    """The real library and a part of it, or the kernels when its source cannot be had; an export that returns soon."""
    try:
        return real_module(), real_module("-DWITHOUT_CURVES"), "blake2b"
    except BenchError as error:
        print(f"the kernels stand in for the library: {error}", file=sys.stderr)
        return compile_c("native"), compile_c("compute"), "fib"


def _compilation(scratch: Path, export: str, size: int) -> list[Row]:
    spent = child("compile", scratch / WHOLE, export, scratch / "compiled")
    own, peer = median(spent["native"]), median(spent["wasmtime"])
    whole = Row(f"module of {size / KILO:.0f} KB compiled and loaded, native", own, "s", PEER, peer, "<= 0.6 s")
    return [whole, *(Row(f"one compilation, stage: {name}", took, "s") for name, took in spent["stages"].items())]


def _loading(own: str, scratch: Path, name: str, export: str, repeats: int, target: str | None = None) -> list[Row]:
    """An object in the cache: by how much a module's first instance takes longer than its second."""
    kept, mode = scratch / f"kept {name}", f"{SETTLED}{own}"
    child(mode, scratch / name, export, kept)
    found = [timed(mode, scratch / name, export, kept) for _ in range(repeats)]
    _require_no_llvm(found)
    seconds = median(laps["first"] - laps["second"] for laps in found)
    return [
        Row(f"object of {_bytes_in(kept) / KILO:.0f} KB found and loaded, {own}", seconds * 1e3, "ms", target=target)
    ]


def _processes(own: str, scratch: Path, export: str, repeats: int) -> list[Row]:
    """New processes: with nothing in the cache, with the object in it, and wasmtime's."""
    kept, path = scratch / "kept", scratch / WHOLE
    child(own, path, export, kept)
    empty, cached, peer = [], [], []
    for turn in range(repeats):
        empty.append(timed(own, path, export, scratch / f"empty {turn}"))
        cached.append(timed(own, path, export, kept))
        peer.append(timed("wasmtime", path, export, kept))
    _require_no_llvm(cached)
    once = median(laps["first"] - laps["second"] for laps in cached)
    wait, again, other = (median(laps["process"] for laps in found) for found in (empty, cached, peer))
    return [
        Row(f"the same, the first of its process, {own}", once * 1e3, "ms"),
        Row(f"process to its first result, nothing cached, {own}", wait, "s", PEER, other),
        Row(f"process to its first result, object cached, {own}", again, "s", PEER, other),
    ]


def _require_no_llvm(found: Sequence[Mapping[str, Any]]) -> None:
    if any(laps["llvm"] for laps in found):
        raise BenchError("a process that found its object in the cache has imported llvmlite")


def timed(mode: str, module: Path, export: str, cache: Path) -> Mapping[str, Any]:
    """A child's laps, with the whole process's seconds."""
    start = perf_counter()
    laps = child(mode, module, export, cache)
    return {**laps, "process": perf_counter() - start}


def child(mode: str, module: Path, export: str, cache: Path) -> dict[str, Any]:
    """Run `native_child` with its own object cache. Raises: BenchError with its last words."""
    command = [sys.executable, "-m", CHILD, mode, str(module), export]
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
