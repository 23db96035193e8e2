"""`contractvm run`: any export of any module, on the bare engine; contracts get a fresh world in memory.

Never: touches the data directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contractvm.cli.execution import CONTRACT, Report, execute, imports_host
from contractvm.cli.files import read_module
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.literals import revert_reason
from contractvm.cli.output import hexed, number, readable, seconds, show_json, show_pairs
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.tracing import Tracer
from contractvm.cli.values import hex_bytes, positive
from contractvm.rules import bare_rules, contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.engine import PLENTY, TIERS, Engine

if TYPE_CHECKING:
    from contractvm.cli.sandbox import Sandbox

CONTRACT_GAS = 30_000_000
"""A block's gas, for a contract that is given no limit."""


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("args", nargs=-1)
@click.option("--invoke", metavar="NAME", help="The export to run.  [default: call, _start, main or the only one]")
@click.option("--tier", type=click.Choice(TIERS), help="How to run it.  [default: portable; with --trace: reference]")
@click.option(
    "--gas", type=positive, metavar="N", help="Gas limit.  [default: 30,000,000 for contracts, else none to speak of]"
)
@click.option("--input", "calldata", type=hex_bytes, metavar="HEX", help="Calldata of a contract.")
@click.option("--trace", is_flag=True, help="Print each instruction with its offset, the gas used and the stack.")
@pass_settings
def run(
    settings: Settings,
    file: Path,
    args: tuple[str, ...],
    invoke: str | None,
    tier: str | None,
    gas: int | None,
    calldata: bytes | None,
    trace: bool,
) -> None:
    """Run an export of any module; print result, gas and time.

    FILE is a .wasm module, or a .wat or .c source, which is built first. ARGS are whole numbers, signed or unsigned,
    decimal or 0x hex. Results are printed signed. A module that imports `cvm1` gets a fresh world in memory.
    Ends with 1 when it traps, reverts or runs out of gas.

    \b
    Examples:
      contractvm run fib.wasm --invoke fib 20
      contractvm run math.wat --invoke sub 3 -5 --json
      contractvm run token.wasm --input 0x18160ddd --trace
    """
    if trace and tier == "portable":
        raise click.UsageError("--trace needs the reference tier; leave --tier out")
    if gas is not None and gas >= 1 << 63:
        raise Problem(f"--gas {gas} is beyond 64 bits", "leave it out for no limit to speak of")
    code = read_module(file)
    tier = tier or ("reference" if trace else "portable")
    rules, limit = bare_rules(), PLENTY
    in_world = CONTRACT.encode() in code and imports_host(decode(code, rules))
    if in_world:
        rules, limit = contract_rules(), CONTRACT_GAS
    elif calldata is not None:
        raise Problem(f"{file} imports nothing of cvm1, so it cannot read --input", "give its export arguments instead")
    limit = limit if gas is None else gas
    tracer = Tracer(limit, to_error=settings.json) if trace else None

    def once(engine: Engine, say_debug: Callable[[str], None]) -> Report:
        sandbox = fresh_world(code, calldata or b"", tier, say_debug) if in_world else None
        return execute(code, engine, invoke, args, limit, sandbox)

    report = once(Engine(rules, tier, trace=tracer), debug_line)
    if tier == "portable" and not settings.quiet:
        # Counting slows a run by up to a half, so what is timed does not count, and what counts is not timed.
        counted = once(Engine(rules, tier, count=True), lambda _: None)
        report.take_count(counted)
    if settings.json:
        show_json(as_document(report))
    else:
        show(report, settings)
    if not report.ok:
        click.get_current_context().exit(FAILED)


def fresh_world(code: bytes, calldata: bytes, tier: str, say_debug: Callable[[str], None]) -> Sandbox:
    """A sandbox; imported only now, because a world takes more imports than a bare run."""
    from contractvm.cli.sandbox import Sandbox

    return Sandbox(code, calldata, tier, say_debug)


def debug_line(text: str) -> None:
    """What a contract says by `debug_print`."""
    say(text, label="debug")


def show(report: Report, settings: Settings) -> None:
    """The result first; with -q nothing else."""
    if settings.quiet:
        for line in [*report.result, *([hexed(report.output)] if report.output else [])]:
            click.echo(line)
    else:
        show_pairs(pairs(report))
    if report.trap is not None:
        ended = report.trap
        where = f" in function {ended.function}" if ended.function is not None else ""
        where += f" ({ended.name})" if ended.name else ""
        where += f" at byte {ended.offset:#x}" if ended.offset is not None else ""
        say(f"{ended.kind}{where}", "" if settings.quiet else "see each step with --trace")
    if report.revert is not None:
        say(f"reverted: {revert_reason(report.revert)}")


def pairs(report: Report) -> Iterable[tuple[str, object]]:
    if report.ok and (report.result or report.output is None):
        yield "result", " ".join(map(str, report.result)) or "(none)"
    if report.output is not None:
        yield "output", readable(report.output)
    if report.revert is not None:
        yield "revert", hexed(report.revert)
    for log in report.logs:
        yield "log", " ".join(str(hexed(part)) for part in (*log.topics, log.data))
    yield "gas", number(report.gas)
    yield "instructions", number(report.instructions)
    yield "time", f"{seconds(report.seconds)} (and {seconds(report.compile_seconds)} to load and compile)"
    yield "tier", report.tier


def as_document(report: Report) -> dict[str, object]:
    """The object that `--json` prints; docs/cli.md describes it."""
    ended = report.trap
    return {
        "result": report.result,
        "gas": report.gas,
        "instructions": report.instructions,
        "seconds": report.seconds,
        "compile_seconds": report.compile_seconds,
        "tier": report.tier,
        "trap": ended and {"kind": ended.kind, "function": ended.function, "name": ended.name, "offset": ended.offset},
        "revert": None
        if report.revert is None
        else {"data": hexed(report.revert), "reason": revert_reason(report.revert)},
        "output": hexed(report.output),
        "logs": [
            {"address": hexed(log.address), "topics": [hexed(t) for t in log.topics], "data": hexed(log.data)}
            for log in report.logs
        ],
    }
