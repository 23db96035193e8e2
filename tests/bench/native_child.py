"""`python -m tests.bench.native_child MODE WASM EXPORT`: what only a new process can show, as JSON on stdout.

MODE is a tier, `wasmtime`, or `compile`, which makes the native tier ready for a module several times, each under
another hash and beside wasmtime. Run by `native_life`, which says in `CONTRACTVM_CACHE` where objects are kept.
Never: imports an engine before the clock runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from tests.bench.timing import REPEATS

SIZE = 1
LLVM = "llvmlite"


def first_calls(tier: str, wasm: bytes, export: str) -> dict[str, float]:
    """Seconds of the import, of decoding and validation, and of an instance with a call: the first, then the second."""
    clock = Clock()
    from contractvm.wasm.engine import Engine

    clock.lap("import")
    engine = Engine(tier=tier)
    compiled = engine.load(wasm)
    clock.lap("decode")
    for name in ("first", "second"):
        engine.invoke(engine.instantiate(compiled), export, [SIZE])
        clock.lap(name)
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
    small = wasmtime.wat2wasm(f'(module (func (export "{export}") (param i32) (result i32) (local.get 0)))')

    def ours(code: bytes) -> None:
        native.invoke(native.instantiate(native.load(code)), export, [SIZE])

    ours(bytes(small))
    spent: dict[str, list[float]] = {"native": [], "wasmtime": []}
    for turn in range(REPEATS):
        variant = renamed(wasm, turn)
        spent["native"].append(_seconds(ours, variant))
        spent["wasmtime"].append(_seconds(lambda code: wasmtime.Module(peer, code), variant))
    return spent


def renamed(wasm: bytes, number: int) -> bytes:
    """The same module under another hash: a custom section of no meaning at its end. `number` below 128."""
    return wasm + bytes((0, 7, 5, *b"bench", number))


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
        found = dict(compilations(wasm, export))
    elif mode == "wasmtime":
        found = dict(first_calls_of_wasmtime(wasm, export))
    else:
        found = dict(first_calls(mode, wasm, export))
    print(json.dumps(found | {"llvm": LLVM in sys.modules}))


if __name__ == "__main__":
    main(*sys.argv[1:])
