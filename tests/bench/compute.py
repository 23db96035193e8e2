"""`python -m tests.bench compute`: how fast the tiers execute wasm, beside pywasm and wasmtime with fuel.

Six programs from one C source, compiled to wasm 1.0. The engines differ by a factor of thousands, so each runs a size
of its own and is compared by wasm instructions a second, counted exactly for that size. All must agree on the result.
Loading and compiling are not timed. Never: compares figures of different runs.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import median
from time import perf_counter

from tests.bench.compile import BenchError, compile_c, require_peers
from tests.bench.peers import Peer, Program, instructions, pywasm_interpreter, tier, wasmtime_with_fuel
from tests.bench.report import Row

UNIT = "M instr/s"
REPEATS = 5
REFERENCE, PORTABLE, PYWASM, WASMTIME = "reference", "portable", "pywasm", "wasmtime+fuel"

SIZES: Mapping[str, Mapping[str, int]] = {
    "fib": {PYWASM: 15, REFERENCE: 19, PORTABLE: 25, WASMTIME: 30},
    "keccak": {PYWASM: 2, REFERENCE: 20, PORTABLE: 300, WASMTIME: 6_000},
    "sieve": {PYWASM: 2_000, REFERENCE: 20_000, PORTABLE: 131_072, WASMTIME: 131_072},
    "sha256": {PYWASM: 10, REFERENCE: 100, PORTABLE: 2_000, WASMTIME: 30_000},
    "u256": {PYWASM: 100, REFERENCE: 1_000, PORTABLE: 20_000, WASMTIME: 300_000},
    "sort": {PYWASM: 300, REFERENCE: 2_000, PORTABLE: 32_000, WASMTIME: 32_000},
}
"""What each engine runs: roughly a tenth of a second in Python, some milliseconds in machine code."""

TARGETED = ("fib", "keccak", "sieve")
TARGETS = {REFERENCE: "each >= 6 times pywasm", PORTABLE: "each >= 55 times pywasm"}
GEOMEAN_TARGET = ">= 80 times pywasm"


@dataclass(frozen=True, slots=True)
class Runner:
    """One engine ready for one program: what to call, with which size, for how many wasm instructions."""

    peer: str
    program: Program
    size: int
    instructions: int


def run() -> list[Row]:
    """Measure every program on every engine. Raises: BenchError."""
    require_peers()
    wasm = compile_c("compute")
    peers = (tier(REFERENCE), tier(PORTABLE), pywasm_interpreter(), wasmtime_with_fuel())
    speeds = {name: measure([prepare(wasm, name, peer) for peer in peers]) for name in SIZES}
    rows = [row for name, speed in speeds.items() for row in _rows(name, speed)]
    return rows + [_geomean(speeds, own) for own in (REFERENCE, PORTABLE)]


def prepare(wasm: bytes, name: str, peer: Peer) -> Runner:
    """Load a program into an engine, check its result at the smallest size, and count what its own size executes."""
    program = peer.load(wasm, name)
    smallest = min(SIZES[name].values())
    wanted, got = tier(PORTABLE).load(wasm, name)(smallest), program(smallest)
    if wanted != got:
        raise BenchError(f"{name}({smallest}) is {got} in {peer.name}, {wanted} in portable")
    size = SIZES[name][peer.name]
    return Runner(peer.name, program, size, instructions(wasm, name, size))


def measure(runners: Sequence[Runner]) -> dict[str, float]:
    """Million wasm instructions a second by engine: medians of interleaved repeats."""
    seconds: dict[str, list[float]] = {runner.peer: [] for runner in runners}
    gc.collect()
    for _ in range(REPEATS):
        for runner in runners:
            start = perf_counter()
            runner.program(runner.size)
            seconds[runner.peer].append(perf_counter() - start)
    return {runner.peer: runner.instructions / median(seconds[runner.peer]) / 1e6 for runner in runners}


def _rows(name: str, speed: Mapping[str, float]) -> list[Row]:
    return [
        Row(f"{name} {own}", speed[own], UNIT, peer, speed[peer], _target(name, own, peer))
        for own in (REFERENCE, PORTABLE)
        for peer in (PYWASM, WASMTIME)
    ]


def _target(name: str, own: str, peer: str) -> str | None:
    return TARGETS[own] if peer == PYWASM and name in TARGETED else None


def _geomean(speeds: Mapping[str, Mapping[str, float]], own: str) -> Row:
    """The geometric means of a tier and of pywasm over the programs that have a target."""
    ours, theirs = (prod(speeds[n][peer] for n in TARGETED) ** (1 / len(TARGETED)) for peer in (own, PYWASM))
    target = GEOMEAN_TARGET if own == PORTABLE else None
    return Row(f"geomean of {', '.join(TARGETED)} {own}", ours, UNIT, PYWASM, theirs, target)
