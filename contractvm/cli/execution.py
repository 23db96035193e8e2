"""One run of one export, timed with compilation apart, and what came of it as plain data. The heart of
`contractvm run`.

Never: prints, or lets a contract's error leave as an exception.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from contractvm.cli.problem import USAGE, Problem
from contractvm.cli.tiers import AUTO, NATIVE, PORTABLE, unavailable
from contractvm.cli.values import of_width, signed
from contractvm.errors import Fatal, OutOfGas, Place, Revert, Trap
from contractvm.host import Finish, Log
from contractvm.native.context import MOST_GAS
from contractvm.native.loader import NoExecutableMemory
from contractvm.native.protocol import Unavailable
from contractvm.native.translation import Refused
from contractvm.rules import Rules
from contractvm.types import MILLI
from contractvm.wasm.choice import findable
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.engine import Engine
from contractvm.wasm.externs import Func
from contractvm.wasm.foundry import foundry
from contractvm.wasm.interpreter import Trace
from contractvm.wasm.module import FUNC, I32, I64, TYPE_NAMES, Code, FuncType, Module
from contractvm.wasm.opcodes import BY_NAME
from contractvm.wasm.portable import generated
from gas.meter import Meter

if TYPE_CHECKING:
    from contractvm.cli.sandbox import Sandbox

CONTRACT = "cvm1"
BITS = {I32: 32, I64: 64}
OUT_OF_GAS = "out of gas"
NAMING = {BY_NAME[name].code for name in ("call", "return_call", "ref.func")}
INDIRECT = {BY_NAME[name].code for name in ("call_indirect", "return_call_indirect")}


@dataclass(frozen=True, slots=True)
class Ended:
    """How an execution ended, when it did not return: `kind` is a trap's words or "out of gas".

    `callers` are the places of the calls that led to `place`, the innermost first; of deep stacks not all.
    """

    kind: str
    place: Place = field(default_factory=Place)
    callers: tuple[Place, ...] = ()

    @classmethod
    def by(cls, trap: Trap) -> Ended:
        """A trap, told."""
        return cls(str(trap.code), trap.place or Place(), trap.backtrace[1:])


@dataclass(frozen=True, slots=True)
class Way:
    """How to run: on a tier (auto: natively what is compiled already), counting or tracing instructions or not."""

    rules: Rules
    tier: str
    count: bool = False
    trace: Trace | None = None


@dataclass(slots=True)
class Report:
    """What came of a run. Gas is whole gas, rounded up; times in seconds.

    `tier` is the one that ran; `refused` says why that was not the native one, when it was asked for.
    """

    tier: str
    refused: str | None = None
    result: list[object] = field(default_factory=list)
    gas: int = 0
    instructions: int | None = None
    seconds: float = 0.0
    compile_seconds: float = 0.0
    trap: Ended | None = None
    output: bytes | None = None
    revert: bytes | None = None
    logs: tuple[Log, ...] = ()

    @property
    def ok(self) -> bool:
        return self.trap is None and self.revert is None

    def take_count(self, other: Report) -> None:
        """Take the instruction count from another run of the same. Raises: Fatal when that was not the same."""
        for name in ("result", "gas", "trap", "output", "revert", "logs"):
            if getattr(self, name) != getattr(other, name):
                raise Fatal(f"two runs of the same code differ in {name}")
        self.instructions = other.instructions


def imports_host(module: Module) -> bool:
    """Whether the module asks for the world that contracts get."""
    return any(i.module == CONTRACT for i in module.imports)


def exported_functions(module: Module) -> dict[str, FuncType]:
    """Exported functions by name, in the module's order."""
    return {e.name: module.signature(e.index) for e in module.exports if e.kind == FUNC}


def choose_export(module: Module, wanted: str | None) -> tuple[str, FuncType]:
    """The export to run: the one asked for, or the one that a module of its kind starts with. Raises: Problem."""
    exported = exported_functions(module)
    listing = "exports: " + (", ".join(f"{name} {type_}" for name, type_ in exported.items()) or "none")
    if wanted is not None:
        if wanted not in exported:
            raise Problem(f"the module exports no function {wanted!r}", listing)
        return wanted, exported[wanted]
    first = ["call", "_start", "main"] if imports_host(module) else ["_start", "main"]
    for name in first:
        if name in exported:
            return name, exported[name]
    if len(exported) == 1:
        return next(iter(exported.items()))
    if exported.get("call") == FuncType((), ()):
        return "call", exported["call"]
    if not exported:
        raise Problem("the module exports no function", "see what it has: contractvm inspect FILE")
    raise Problem("name the export to run with --invoke NAME", listing)


def execute(
    code: bytes, way: Way, export: str | None, words: Sequence[str], gas: int, sandbox: Sandbox | None
) -> Report:
    """Load, link and run with `gas` whole gas.

    Raises: Problem for what the command line got wrong, and for a tier that cannot be had; ModuleError for a module
    that is refused; CompileError when compiling it failed.
    """
    started = time.perf_counter()
    engine = Engine(way.rules, PORTABLE if way.tier == AUTO else way.tier, count=way.count, trace=way.trace)
    compiled = engine.load(code)
    report = Report(engine.tier)
    name, type_ = choose_export(compiled.module, export)
    operands = operands_of(name, type_, words)
    meter = Meter(gas)
    if way.tier in (AUTO, NATIVE):
        report.tier, report.refused = native_or_not(compiled, way.tier, gas)
        engine = Engine(way.rules, report.tier)
    if report.tier == PORTABLE:
        compile_ahead(compiled, name)
    imports = sandbox.bind(meter) if sandbox is not None else None
    ready = time.perf_counter()
    try:
        instance = engine.instantiate(compiled, imports, meter)
        if sandbox is not None:
            sandbox.attach(instance.memory)
        report.compile_seconds = time.perf_counter() - started
        ready = time.perf_counter()
        results = engine.invoke(instance, name, operands)
        report.result = [show(value, t) for value, t in zip(results, type_.results, strict=True)]
        report.output = b"" if sandbox is not None else None
    except Finish as finish:
        report.output = finish.data
    except Revert as revert:
        report.revert = revert.data
    except Trap as trap:
        report.trap = Ended.by(trap)
    except OutOfGas:
        report.trap = Ended(OUT_OF_GAS)
    report.seconds = time.perf_counter() - ready
    report.gas = meter.limit - meter.gas_left
    report.instructions = None if report.tier == NATIVE else meter.count.cell_contents
    if sandbox is not None and report.ok:
        report.logs = sandbox.logs
    return report


def native_or_not(compiled: Compiled, tier: str, gas: int) -> tuple[str, str | None]:
    """(the tier to run on, why it is not the native one that was asked for).

    Raises: Problem, CompileFailed; only when the native tier was asked for.
    """
    countable = gas * MILLI <= MOST_GAS
    if tier == AUTO:
        try:
            found = countable and findable() and foundry().find(compiled) is not None
        except (Refused, NoExecutableMemory):
            found = False
        return NATIVE if found else PORTABLE, None
    if not countable:
        raise Problem(f"--gas {gas} is more than the native tier counts", "leave it out for no limit to speak of")
    try:
        foundry().make(compiled)
    except Refused as refusal:
        return PORTABLE, refusal.reason
    except (Unavailable, NoExecutableMemory) as problem:
        raise unavailable(problem) from None
    return NATIVE, None


def compile_ahead(compiled: Compiled, export: str) -> None:
    """Generate the code of every function the export can reach, which the portable tier would do at first calls."""
    module = compiled.module
    table = [item for element in module.elements for code in element.items for item in named_functions(code)]
    waiting = [e.index for e in module.exports if e.kind == FUNC and e.name == export]
    waiting += [] if module.start is None else [module.start]
    seen: set[int] = set()
    while waiting:
        index = waiting.pop()
        if index in seen or index < module.imported_functions:
            continue
        seen.add(index)
        generated(compiled, index)
        code = module.functions[index - module.imported_functions].code
        waiting += named_functions(code)
        if not INDIRECT.isdisjoint(code.ops):
            waiting += table


def named_functions(code: Code) -> list[int]:
    """Functions that a body or a constant expression names."""
    return [imm for op, imm in zip(code.ops, code.imms, strict=True) if op in NAMING and isinstance(imm, int)]


def operands_of(name: str, type_: FuncType, words: Sequence[str]) -> list[int]:
    """Bit patterns from the words of a command line. Raises: Problem, naming the argument."""
    its_type = f"its type is {type_}"
    if len(words) != len(type_.params):
        raise Problem(f"{name!r} takes {len(type_.params)} arguments, {len(words)} given", its_type, code=USAGE)
    operands = []
    for position, (word, param) in enumerate(zip(words, type_.params, strict=True), 1):
        where = f"argument {position} of {name!r}"
        if param not in BITS:
            raise Problem(f"{where} is a {TYPE_NAMES[param]}, which cannot be written down", its_type, code=USAGE)
        try:
            operands.append(of_width(word, BITS[param]))
        except click.BadParameter as error:
            raise Problem(f"{where}: {error.message}", its_type, code=USAGE) from None
    return operands


def show(value: object, type_: int) -> object:
    """A result as it is printed: a signed number, or what is known of a reference."""
    if type_ in BITS and isinstance(value, int):
        return signed(value, BITS[type_])
    if value is None:
        return "null"
    return f"function {value.index}" if isinstance(value, Func) else "reference"
