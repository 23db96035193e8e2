"""Makes the modules that `contractvm demo` carries: `python -m tests.contractvm.cli.golden` writes them again."""

from __future__ import annotations

from pathlib import Path

from contractvm.cli.demo import FLOATS, GOLDEN, SOURCE
from tests.sources import ROOT

FLOATS_WAT = """
(module
  (func $interest (export "interest") (param i64) (result i64)
    (i64.trunc_f64_s (f64.mul (f64.convert_i64_s (local.get 0)) (f64.const 1.05)))))
"""


def contents() -> dict[Path, bytes]:
    """What each file must hold. Raises: BuildError without a compiler, ImportError without an assembler."""
    import wasmtime

    from sdk.build import build

    return {GOLDEN: build(ROOT / SOURCE).code, FLOATS: bytes(wasmtime.wat2wasm(FLOATS_WAT))}


if __name__ == "__main__":
    for path, content in contents().items():
        path.write_bytes(content)
