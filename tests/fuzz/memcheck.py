"""`python -m tests.fuzz.memcheck [--modules N] [--calls N] [--seed S]`: compiled code under valgrind's memcheck.

Every access of generated modules, most of them about the ends of memory, is watched: Python's allocator gives way to
the system's, and valgrind knows where each block ends, the linear memory's too. The same calls run without valgrind
first, which fills the object cache and says what must come out. A last run is told that the memory is larger than it
is, and must be caught: else the others prove nothing. Uninitialised values are not looked at, as CPython reads some.
Never: suppresses a report.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence

from contractvm.wasm.encode import encode
from contractvm.wasm.native import native_linkage
from tests.fuzz.bodies import PAGE
from tests.fuzz.generate import Case, build, enterable
from tests.fuzz.operands import fresh_call
from tests.fuzz.tiers import Tier, run_tier
from tests.sources import ROOT
from tests.tiers import NATIVE, missing

CAUGHT = 99
"""Exit code of valgrind when it has seen an error."""
VALGRIND = (
    "valgrind",
    "--quiet",
    "--undef-value-errors=no",
    "--leak-check=no",
    "--redzone-size=4096",
    f"--error-exitcode={CAUGHT}",
)
GAS = 5_000
BEYOND = PAGE + 8
"""An address behind a memory of one page."""


def why_not() -> str | None:
    """Why this cannot be tried here; None when it can."""
    if shutil.which(VALGRIND[0]) is None:
        return "valgrind is not installed: apt install valgrind"
    return missing(NATIVE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the modules with and without valgrind; 0 when nothing was found and the proof was."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.memcheck", description=__doc__)
    parser.add_argument("--modules", type=int, default=300)
    parser.add_argument("--calls", type=int, default=40, help="of each module")
    parser.add_argument("--seed", type=int, default=0, help="of the first module")
    options = parser.parse_args(arguments)
    if reason := why_not():
        print(reason, file=sys.stderr)
        return 1
    words = (str(options.seed), str(options.modules), str(options.calls))
    plain, watched, proof = _run((), words), _run(VALGRIND, words), _run(VALGRIND, ("proof",))
    for done in (plain, watched):
        sys.stderr.write(done.stderr)
    same = plain.returncode == watched.returncode == 0 and plain.stdout == watched.stdout
    caught = proof.returncode == CAUGHT and "Invalid read" in proof.stderr
    print(f"{options.modules} modules of {options.calls} calls, seeds from {options.seed}, under valgrind's memcheck")
    print(f"no invalid access: {watched.returncode != CAUGHT}; same as without: {same}; the proof was caught: {caught}")
    return 0 if same and caught else 1


def _run(before: Sequence[str], words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """This module's inner part in a process of its own."""
    program = f"import sys; from tests.fuzz.memcheck import inside; inside({list(words)!r})"
    variables = os.environ | {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
    command = [*before, sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


def inside(words: Sequence[str]) -> None:
    """What runs under valgrind: prints a digest of all steps, or reads where nothing is."""
    if words == ["proof"]:
        _read_beyond()
        return
    first, modules, calls = map(int, words)
    found = hashlib.sha256()
    for seed in range(first, first + modules):
        for step in run_tier(_case(seed, calls), NATIVE):
            found.update(repr(step).encode())
    print(found.hexdigest())


def _case(seed: int, calls: int) -> Case:
    module, rng = build(seed)
    functions = enterable(module)
    made = [fresh_call(rng, functions) for _ in range(calls if functions else 0)]
    return Case(seed, encode(module), tuple((call.name, call.operands) for call in made), GAS)


def _read_beyond() -> None:
    """Read behind a memory that compiled code is told to be larger."""
    # (module (memory 1) (func (export "f") (param i32) (result i32) (i32.load (local.get 0))))
    wasm = bytes.fromhex("0061736d010000000106016001" + "7f017f" + "03020100" + "0503010001" + "0705010166" + "0000")
    wasm += bytes.fromhex("0a09010700" + "2000280200" + "0b")
    tier = Tier(Case(0, wasm, (), GAS), NATIVE)
    tier.start(GAS)
    instance = tier.instance
    if instance is None or instance.memory is None or native_linkage(instance) is None:
        raise SystemExit("the proof's module does not run natively")
    # Compiled code asks the bytearray, whose length follows its reference count and type.
    size = ctypes.c_ssize_t.from_address(id(instance.memory.data) + 2 * ctypes.sizeof(ctypes.c_void_p))
    true, size.value = size.value, 2 * PAGE
    step = tier.call("f", [BEYOND], 10**6)
    size.value = true
    print(step.end)


if __name__ == "__main__":
    sys.exit(main())
