"""How fast the native tier computes, beside wasmtime with fuel and the same C as machine code (gcc, clang -O2).

Six kernels and a real library, each called such that one call takes some 20 ms. Every engine must return the same. Of
the compilers the better one counts, program by program. Loading and compiling are not timed.
Never: compares figures of different runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path

from tests.bench.compile import BenchError, Compiler, compile_c, compile_library, compilers
from tests.bench.peers import Peer, Program, machine_code, tier, wasmtime_with_fuel
from tests.bench.report import Row
from tests.bench.source import MONOCYPHER, folder_of
from tests.bench.timing import REPEATS, interleaved

WASMTIME = "wasmtime+fuel"
CHECK_TIER = "portable"
LIBRARY = "monocypher"


@dataclass(frozen=True, slots=True)
class Work:
    """An export and how much of it is timed; the answer is first compared at `small`, with the portable tier's too."""

    export: str
    size: int
    small: int = 1


KERNELS = (
    Work("fib", 34, 12),
    Work("keccak", 12_000),
    Work("sieves", 80),
    Work("sha256", 80_000),
    Work("u256", 1_000_000, 40),
    Work("sorts", 10),
)
REAL = (
    Work("blake2b", 4_000),
    Work("argon2", 400),
    Work("lock", 2_000),
    Work("x25519", 200),
    Work("sign", 400),
    Work("check", 160),
)


@dataclass(frozen=True, slots=True)
class Source:
    """A C source in both forms that it is timed in: a module, and the peers that run it."""

    name: str
    wasm: bytes
    works: Sequence[Work]
    peers: Sequence[Peer]


Times = Mapping[str, float]
"""Seconds of one call by engine."""


def run(own: str = "native", *, repeats: int = REPEATS) -> list[Row]:
    """Measure every program on every engine. Raises: BenchError."""
    found = compilers()
    kernels = _timed(program("native", KERNELS, own, found), repeats)
    rows = _rows(kernels, own)
    try:
        real = _timed(real_program(own, found), repeats)
    except BenchError as error:
        print(f"left out, {LIBRARY}: {error}", file=sys.stderr)
        return rows + _totals("geomean of the kernels", [kernels.values()], own)
    rows += _rows(real, own, f"{LIBRARY} ")
    rows += _totals("geomean of the kernels", [kernels.values()], own)
    rows += _totals(f"geomean of {LIBRARY}", [real.values()], own)
    named = f"geomean of the kernels and {LIBRARY}"
    return rows + _totals(named, [*([times] for times in kernels.values()), real.values()], own, targets=True)


def real_module(*flags: str) -> bytes:
    """The real library as a module, some 60 KB. Raises: BenchError when its source cannot be had."""
    return compile_c(LIBRARY, f"-I{folder_of(MONOCYPHER)}", *flags)


def real_program(own: str, found: Sequence[Compiler]) -> Source:
    """The real library. Raises: BenchError when its source cannot be had."""
    return program(LIBRARY, REAL, own, found, folder_of(MONOCYPHER))


def program(
    source: str, works: Sequence[Work], own: str, found: Sequence[Compiler], include: Path | None = None
) -> Source:
    """Compile `programs/SOURCE.c` for every engine. Raises: BenchError."""
    flags = () if include is None else (f"-I{include}",)
    native = [machine_code(f"{one.name} -O2", compile_library(source, one, *flags)) for one in found]
    return Source(source, compile_c(source, *flags), works, (tier(own), wasmtime_with_fuel(), *native))


def _timed(what: Source, repeats: int) -> dict[str, Times]:
    """Seconds of each work by engine. Raises: BenchError unless all engines agree."""
    return {work.export: _work(what, work, repeats) for work in what.works}


def _work(what: Source, work: Work, repeats: int) -> Times:
    loaded = {peer.name: peer.load(what.wasm, work.export) for peer in what.peers}
    agree(work.export, work.small, loaded | {CHECK_TIER: tier(CHECK_TIER).load(what.wasm, work.export)})
    agree(work.export, work.size, loaded)
    return interleaved({name: partial(call, work.size) for name, call in loaded.items()}, repeats)


def agree(export: str, size: int, loaded: Mapping[str, Program]) -> None:
    """Raises: BenchError naming the engines when they do not return the same."""
    answers = {name: call(size) for name, call in loaded.items()}
    if len(set(answers.values())) != 1:
        told = ", ".join(f"{answer} in {name}" for name, answer in answers.items())
        raise BenchError(f"{export}({size}) is {told}")


def best(times: Times, own: str) -> tuple[str, float]:
    """The better compiler's name and seconds."""
    others = [(seconds, name) for name, seconds in times.items() if name not in (own, WASMTIME)]
    seconds, name = min(others)
    return name, seconds


def _rows(timed: Mapping[str, Times], own: str, prefix: str = "") -> list[Row]:
    rows = []
    for name, times in timed.items():
        compiler, seconds = best(times, own)
        for peer, other in ((WASMTIME, times[WASMTIME]), (compiler, seconds)):
            rows.append(Row(f"{prefix}{name} {own}", times[own] * 1e3, "ms", peer, other * 1e3))
    return rows


def _totals(name: str, groups: Sequence[Iterable[Times]], own: str, *, targets: bool = False) -> list[Row]:
    """Geometric means over groups, each of which counts once, beside wasmtime and the better compilers."""
    kept = [list(group) for group in groups]

    def over(pick: Callable[[Times], float]) -> float:
        return geomean([geomean([pick(times) for times in group]) for group in kept])

    mine = over(lambda times: times[own]) * 1e3
    fuel = over(lambda times: times[WASMTIME]) * 1e3
    code = over(lambda times: best(times, own)[1]) * 1e3
    return [
        Row(f"{name} {own}", mine, "ms", WASMTIME, fuel, "<= 0.85 of its time" if targets else None),
        Row(f"{name} {own}", mine, "ms", "better of gcc, clang -O2", code, "<= 1.2 of its time" if targets else None),
    ]


def geomean(values: Sequence[float]) -> float:
    return float(prod(values) ** (1 / len(values)))
