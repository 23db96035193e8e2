"""`python -m tests.bench native`: the native tier beside wasmtime and C compilers, beside Python at its boundary.

What is computed (`native_speed`), what crosses into it and out of it (`native_boundary`), what one waits for before it
runs (`native_life`). Never: measures itself.
"""

from __future__ import annotations

from contractvm.wasm.engine import TIERS
from tests.bench import native_boundary, native_life, native_speed
from tests.bench.compile import BenchError, require_peers
from tests.bench.report import Row
from tests.tiers import NATIVE, missing

NEEDED = {"wasmtime": "wasmtime", "ziglang": "ziglang", "llvmlite": "llvmlite"}


def run() -> list[Row]:
    """Measure. Raises: BenchError without the peers or the tier."""
    require_peers(NEEDED)
    require_tier(NATIVE)
    return [*native_speed.run(NATIVE), *native_boundary.run(NATIVE), *native_life.run(NATIVE)]


def require_tier(name: str) -> None:
    """Raises: BenchError saying why the tier cannot be had."""
    reason = missing(name) if name in TIERS else f"the engine has no tier {name}; it has {', '.join(TIERS)}"
    if reason is not None:
        raise BenchError(reason)
