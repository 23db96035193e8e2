"""`python -m tests.contractvm.attack.compile_times`: what the compile worker makes of hostile modules, and in how long.

One line a module: its bytes, processor seconds of the worker's stages, the object's bytes, or why there is none. The
worker is a fresh one with the engine's own deadline and memory. Never: asserts; `test_compiling` does.
"""

from __future__ import annotations

import sys
from time import monotonic

from contractvm.native.compiler import Compiler
from contractvm.native.protocol import CompileError, Job
from contractvm.native.translation import Refused
from contractvm.wasm.foundry import GENERATOR, payload
from tests.contractvm.wasm.shapes import MODULES, RULES


def main(names: list[str]) -> int:
    """Compile the modules whose names contain one of the words; all when there is none."""
    compiler = Compiler()
    print(f"{'module':50} {'bytes':>8} {'seconds':>8} {'object':>9}")
    for name, code in MODULES.items():
        if names and not any(word in name for word in names):
            continue
        started = monotonic()
        try:
            made = f"{len(compiler.compile(Job(GENERATOR, payload(code, RULES)))):9}"
        except (Refused, CompileError) as problem:
            made = f"none: {problem}"
        print(f"{name:50} {len(code):8} {monotonic() - started:8.2f} {made}", flush=True)
    compiler.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
