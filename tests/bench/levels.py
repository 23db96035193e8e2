"""`python -m tests.bench.levels [LEVEL ...]`: what each level of the pipeline costs to compile with, and what it gives.

For the choice of `pipeline.DEFAULT` and of the rows in `pipeline.LEVELS`: the real library and the kernels, compiled at
each level in this process, then run in turn beside wasmtime with fuel. A level under which a frame is larger than its
weight allows says so: modules like that would stay on the portable tier. Never: sets a level.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from contractvm.native import pipeline
from contractvm.native.stacksize import frame_sizes
from contractvm.wasm.engine import Engine
from contractvm.wasm.foundry import payload
from contractvm.wasm.llvmgen import generate
from contractvm.wasm.mapped import NativeCode
from tests.bench.compile import compile_c
from tests.bench.native_speed import KERNELS, REAL, WASMTIME, Times, Work, geomean, real_module
from tests.bench.peers import Program, wasmtime_with_fuel
from tests.bench.timing import interleaved

REPEATS = 5


@dataclass(frozen=True, slots=True)
class Made:
    """A module at one level: its exports ready to run, seconds by stage, bytes, functions with too large a frame."""

    programs: Mapping[str, Program]
    seconds: Mapping[str, float]
    size: int
    too_large: int


def make(wasm: bytes, works: Sequence[Work], level: str) -> Made:
    """Compile a module at a level and load it."""
    engine = Engine(tier="native")
    compiled = engine.load(wasm)
    translation = generate(payload(wasm, engine.rules))
    seconds: dict[str, float] = {}
    data = pipeline.emit(translation.ir, level, seconds)
    frames = frame_sizes(data)
    compiled.native = NativeCode(compiled, data)
    instance = engine.instantiate(compiled)

    def program(export: str) -> Program:
        return lambda size: engine.invoke(instance, export, [size])[0]

    return Made(
        {work.export: program(work.export) for work in works},
        seconds,
        len(data),
        sum(frames.get(name, 0) > most for name, most in translation.stack.items()),
    )


def measure(wasm: bytes, works: Sequence[Work], made: Mapping[str, Made], repeats: int = REPEATS) -> dict[str, Times]:
    """Each export's time at each level, over wasmtime's."""
    peer = wasmtime_with_fuel()
    found: dict[str, Times] = {}
    for work in works:
        calls = {level: partial(one.programs[work.export], work.size) for level, one in made.items()}
        calls[WASMTIME] = partial(peer.load(wasm, work.export), work.size)
        took = interleaved(calls, repeats)
        found[work.export] = {level: took[level] / took[WASMTIME] for level in made}
    return found


def table(names: Sequence[str], over: Mapping[str, Times], made: Mapping[str, Made]) -> str:
    """A line an export, their geometric mean, and what compilation cost."""
    lines = [f"{'':>16}" + "".join(f"{name:>12}" for name in names)]
    lines += [f"{export:>16}" + "".join(f"{times[name]:>12.2f}" for name in names) for export, times in over.items()]
    means = {name: geomean([times[name] for times in over.values()]) for name in names}
    stages = list(next(iter(made.values())).seconds)
    lines.append(f"{'geomean':>16}" + "".join(f"{means[name]:>12.3f}" for name in names))
    for stage in stages:
        lines.append(f"{stage + ', s':>16}" + "".join(f"{made[name].seconds[stage]:>12.3f}" for name in names))
    lines.append(f"{'bytes':>16}" + "".join(f"{made[name].size:>12,}" for name in names))
    lines.append(f"{'too large frames':>16}" + "".join(f"{made[name].too_large:>12}" for name in names))
    return "\n".join(lines)


def main(names: Sequence[str]) -> int:
    """Print a table for the kernels and one for the real library: times over wasmtime's, less is better."""
    if unknown := [name for name in names if name not in pipeline.LEVELS]:
        print(f"no level {', '.join(unknown)}; there are: {', '.join(pipeline.LEVELS)}", file=sys.stderr)
        return 2
    for wasm, works in ((compile_c("native"), KERNELS), (real_module(), REAL)):
        made = {name: make(wasm, works, name) for name in names}
        print(table(names, measure(wasm, works, made), made), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(pipeline.LEVELS)))
