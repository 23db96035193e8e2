"""`python -m tests.bench.native_child MODE WASM EXPORT`: what only a new process can show, as JSON on stdout.

MODE is a tier; `settled-TIER`, which runs a small module first, and with it all that a process does once;
`wasmtime`; or `compile`, which makes the native tier ready for a module several times, each under another hash and
beside wasmtime. Run by `native_life`, which says in `CONTRACTVM_CACHE` where objects are kept.
Never: imports an engine before the clock runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from tests.bench.timing import REPEATS

if TYPE_CHECKING:
    from contractvm.wasm.engine import Engine

SIZE = 1
SMALL = bytes.fromhex("0061736d01000000 01040160 0000 0302 0100 0705 0101 6600 00 0a04 0102 000b")
"""A module of one empty function, exported as `f`."""
SETTLED = "settled-"
LLVM = "llvmlite"


def first_calls(tier: str, wasm: bytes, export: str, *, settled: bool) -> dict[str, float]:
    """Seconds of the import, of decoding and validation, and of an instance with a call: the first, then the second."""
    clock = Clock()
    from contractvm.wasm.engine import Engine

    clock.lap("import")
    engine = Engine(tier=tier)
    if settled:
        engine.invoke(engine.instantiate(engine.load(SMALL)), "f")
        clock.lap("settle")
    compiled = engine.load(wasm)
    clock.lap("decode")
    for name in ("first", "second"):
        engine.invoke(engine.instantiate(compiled), export, [SIZE])
        clock.lap(name)
    require_tier(engine)
    return clock.laps


def first_calls_of_wasmtime(wasm: bytes, export: str) -> dict[str, float]:
    """The same; `decode` is its compilation."""
    clock = Clock()
    import wasmtime

    clock.lap("import")
    config = wasmtime.Config()
    config.consume_fuel = True
    engine = wasmtime.Engine(config)
    module = wasmtime.Module(engine, wasm)
    clock.lap("decode")
    for name in ("first", "second"):
        store = wasmtime.Store(engine)
        store.set_fuel(1 << 50)
        function = wasmtime.Instance(store, module, []).exports(store)[export]
        if not isinstance(function, wasmtime.Func):
            raise TypeError(f"the module exports no function {export}")
        function(store, SIZE)
        clock.lap(name)
    return clock.laps


def compilations(wasm: bytes, export: str) -> dict[str, list[float]]:
    """Seconds of decoding, compiling and loading a module, ours and wasmtime's in turn; the worker runs already."""
    import wasmtime

    from contractvm.wasm.engine import Engine

    config = wasmtime.Config()
    config.consume_fuel = True
    peer = wasmtime.Engine(config)
    native = Engine(tier="native")
    native.instantiate(native.load(SMALL))

    def ours(code: bytes) -> None:
        native.invoke(native.instantiate(native.load(code)), export, [SIZE])

    spent: dict[str, list[float]] = {"native": [], "wasmtime": []}
    for turn in range(REPEATS):
        variant = renamed(wasm, turn)
        spent["native"].append(_seconds(ours, variant))
        spent["wasmtime"].append(_seconds(lambda code: wasmtime.Module(peer, code), variant))
    require_tier(native)
    return spent


def stages(wasm: bytes) -> dict[str, float]:
    """Seconds of each stage of one compilation in the worker."""
    from contractvm.native.compiler import Compiler, Job, Result
    from contractvm.wasm.engine import Engine
    from contractvm.wasm.foundry import GENERATOR, payload

    compiled = Engine(tier="native").load(wasm)
    results: list[Result] = []
    compiler = Compiler()
    for code in (SMALL, wasm):  # the first one's are the worker's start
        compiler.submit(Job(GENERATOR, payload(code, compiled.rules)), results.append).result()
    compiler.close()
    return dict(results[-1].seconds)


def renamed(wasm: bytes, number: int) -> bytes:
    """The same module under another hash: a custom section of no meaning at its end. `number` below 128."""
    return wasm + bytes((0, 7, 5, *b"bench", number))


def require_tier(engine: Engine) -> None:
    """Raises: Refused when what ran was another tier than the one asked for."""
    for refusal in engine.refusals:
        raise refusal


class Clock:
    """Seconds between laps, by name."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.laps[name] = now - self._last
        self._last = perf_counter()


def _seconds(action: Callable[[bytes], object], argument: bytes) -> float:
    start = perf_counter()
    action(argument)
    return perf_counter() - start


def main(mode: str, path: str, export: str) -> None:
    """Print the laps; `llvm` says whether this process has imported LLVM's bindings."""
    wasm = Path(path).read_bytes()
    found: dict[str, object]
    if mode == "compile":
        found = {**compilations(wasm, export), "stages": stages(wasm)}
    elif mode == "wasmtime":
        found = dict(first_calls_of_wasmtime(wasm, export))
    else:
        found = dict(first_calls(mode.removeprefix(SETTLED), wasm, export, settled=mode.startswith(SETTLED)))
    print(json.dumps(found | {"llvm": LLVM in sys.modules}))


if __name__ == "__main__":
    main(*sys.argv[1:])
