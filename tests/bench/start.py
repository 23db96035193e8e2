"""What someone waits for before anything runs: the command line's start, and accepting a large module.

The peer of validation is wasmtime's, of the same bytes. Never: asserts; the targets stand beside the figures.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter

from contractvm.rules import contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.validate import validate
from tests.bench.compile import require_peers
from tests.bench.report import Row

SIZE = 200 * 1024
REPEATS = 7
FUNCTION = """(func (param i32 i64) (result i32) (local i32 i64)
  (block (loop (br_if 1 (i32.eqz (local.get 0)))
    (local.set 2 (i32.add (local.get 2) (i32.load offset=16 (i32.and (local.get 0) (i32.const 1023)))))
    (local.set 3 (i64.xor (i64.rotl (local.get 3) (i64.const 7)) (i64.extend_i32_u (local.get 2))))
    (if (i32.lt_u (local.get 2) (i32.const 100)) (then (i64.store (i32.const 64) (local.get 3)))
      (else (drop (call 0 (i32.const 0) (local.get 3)))))
    (local.set 0 (i32.sub (local.get 0) (i32.const 1))) (br 0)))
  (i32.wrap_i64 (i64.mul (local.get 3) (local.get 1))))"""


def run() -> Sequence[Row]:
    """Measure. Raises: BenchError without the peers."""
    require_peers()
    import wasmtime

    one = len(wasmtime.wat2wasm(f"(module (memory 1) {FUNCTION})"))
    module = bytes(wasmtime.wat2wasm(f"(module (memory 1) {FUNCTION * (SIZE // (one - 30) + 40)})"))
    engine, rules = wasmtime.Engine(), contract_rules()
    own = _median(lambda: validate(decode(module, rules), rules))
    peer = _median(lambda: wasmtime.Module.validate(engine, module))
    return [
        Row(f"decode and validate {len(module):,} bytes", own, "s", "wasmtime", peer, "< 1 s"),
        Row("contractvm --help", _process("contractvm.cli", "--help"), "s", target="< 0.2 s"),
        Row("import contractvm", _imported(), "s", target="< 0.1 s"),
    ]


def _median(action: Callable[[], object]) -> float:
    def once() -> float:
        start = perf_counter()
        action()
        return perf_counter() - start

    return median(once() for _ in range(REPEATS))


def _process(module: str, *arguments: str) -> float:
    """Seconds of a whole Python process."""
    command = [sys.executable, "-m", module, *arguments]
    return _median(lambda: subprocess.run(command, check=True, capture_output=True))


def _imported() -> float:
    """Seconds that the import takes inside a new process."""
    code = "from time import perf_counter as t; s = t(); import contractvm; print(t() - s)"
    runs = [subprocess.run([sys.executable, "-c", code], check=True, capture_output=True) for _ in range(REPEATS)]
    return median(float(done.stdout) for done in runs)
