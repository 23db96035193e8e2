"""Measures what instructions cost natively, beside their prices: `python -m tests.bench.calibrate [--json]`.

One gas is about one nanosecond of optimised native code; wasmtime stands in for it. A probe (`probes.toml`) is a piece
of WAT repeated in a loop so that each copy depends on the one before: a figure is a latency, what straight code cannot
overlap. The loop without the piece is subtracted, and the least of many short runs counts, as noise only ever adds.
Never: sets a price. People read this table and write `gas/schedules/*.toml`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

import wasmtime

from gas.schedule import load

PROBES = Path(__file__).parent / "probes.toml"
REPEATS = 25
PAGE = 65_536

MODULE = """
(module
  (type $unary (func (param i32) (result i32)))
  (memory 4 4)
  (table $t 1024 funcref)
  (table $u 1024 funcref)
  (global $g (mut i64) (i64.const 1))
  (func $f (type $unary) (i32.add (local.get 0) (i32.const 1)))
  (func $h (type $unary) (i32.xor (local.get 0) (i32.const 1)))
  (elem (table $t) (i32.const 0) func $f $h $f $h)
  (data $d "DATA")
  (func (export "run") (param $n i32) (param $x i32) (param $y i32) (param $z i32) (param $a i64) (param $b i64)
    (result i64) (local $r funcref) (local $c i64) (local $e i64)
    (loop $top
      BODY
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $top (local.get $n)))
    (i64.add (i64.add (local.get $a) (local.get $c))
      (i64.add (global.get $g) (i64.extend_i32_u (i32.add (local.get $x) (local.get $y)))))))
"""
ARGUMENTS = (0, 3, 0, 5, 7)
RANDOM = "(set x (i32.add (i32.mul x (i32.const 1103515245)) (i32.const 12345)))"
BIT = "(i32.and (i32.shr_u x (i32.const 16)) (i32.const 1))"


@dataclass(frozen=True, slots=True)
class Probe:
    """A piece of WAT; `per` units (instructions, bytes, entries) in each of `copies` in each of `turns`."""

    price: str
    name: str
    wat: str
    per: int = 1
    copies: int = 40
    turns: int = 2_000

    def body(self) -> str:
        """The copies as WAT, the file's shorthand spelled out."""
        text = self.wat.replace("{random}", RANDOM).replace("{bit}", BIT)
        text = re.sub(r"\(set (\w)\b", r"(local.set $\1", text)
        text = re.sub(r"(?<![\w.$])[abcenrxyz](?![\w.])", r"(local.get $\g<0>)", text)
        return "\n".join(text.replace("#", f"{copy:03}") for copy in range(self.copies))


@dataclass(frozen=True, slots=True)
class Figure:
    """A probe's outcome: nanoseconds for one unit, and the price in milligas."""

    price: str
    name: str
    nanoseconds: float
    milligas: int


def probes() -> Iterator[Probe]:
    """The probes of the file, one for each operator that an entry lists."""
    for entry in tomllib.loads(PROBES.read_text(encoding="utf-8"))["probe"]:
        ops, name, wat = entry.pop("ops", [""]), entry.pop("name", "{op}"), entry.pop("wat")
        for op in ops:
            yield Probe(name=name.replace("{op}", op), wat=wat.replace("{op}", op), **entry)


def engine() -> wasmtime.Engine:
    """wasmtime at its best: optimising, no fuel, guard pages."""
    config = wasmtime.Config()
    config.cranelift_opt_level = "speed"
    config.wasm_wide_arithmetic = True
    return wasmtime.Engine(config)


def least(run: Callable[[], object]) -> int:
    """Nanoseconds of the fastest of several runs."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter_ns()
        run()
        times.append(perf_counter_ns() - start)
    return min(times)


def loop(native: wasmtime.Engine, body: str, turns: int) -> int:
    """Nanoseconds of the loop around `body`."""
    module = wasmtime.Module(native, MODULE.replace("BODY", body).replace("DATA", "\\00" * 4096))
    store = wasmtime.Store(native)
    run = wasmtime.Instance(store, module, []).exports(store)["run"]
    if not isinstance(run, wasmtime.Func):
        raise TypeError("the probe's module exports no function 'run'")
    return least(lambda: run(store, turns, *ARGUMENTS))


def measure(native: wasmtime.Engine, probe: Probe) -> float:
    """Nanoseconds for one unit of a probe: its loop less the empty loop."""
    spent = loop(native, probe.body(), probe.turns) - loop(native, "", probe.turns)
    return max(spent, 0) / probe.turns / probe.copies / probe.per


def page() -> float:
    """Nanoseconds to grow a memory by a zeroed page, where a memory is a bytearray."""
    pages, zeros = 64, bytes(PAGE)

    def grow() -> None:
        content = bytearray()
        for _ in range(pages):
            content.extend(zeros)

    return least(grow) / pages


def figures() -> list[Figure]:
    """Measure every probe."""
    native, milli = engine(), load("cvm1").milli
    measured = [Figure(p.price, p.name, measure(native, p), milli(p.price)) for p in probes()]
    return [*measured, Figure("wasm.page", "a zeroed page behind others", page(), milli("wasm.page"))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a probe: the price's name, nanoseconds, the price in gas, and how many times it covers them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.calibrate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one list on stdout")
    options = parser.parse_args(arguments)
    rows = figures()
    if options.json:
        found = [{"price": r.price, "probe": r.name, "ns": r.nanoseconds, "milligas": r.milligas} for r in rows]
        print(json.dumps(found))
        return 0
    print(f"{'price':24} {'probe':42} {'ns':>9} {'gas':>9} {'covers':>7}")
    for r in rows:
        covers = f"{r.milligas / 1000 / r.nanoseconds:7.1f}" if r.nanoseconds > 0.01 else "      -"
        print(f"{r.price:24} {r.name:42} {r.nanoseconds:9.3f} {r.milligas / 1000:9.3f} {covers}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
