"""`contractvm run`: any export of any module, on the bare engine; contracts get a fresh world in memory.

Never: touches the data directory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contractvm.cli.execution import CONTRACT, Ended, Report, Way, execute, imports_host
from contractvm.cli.files import read_module
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.literals import revert_reason
from contractvm.cli.output import hexed, number, readable, seconds, show_json, show_pairs
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.cli.tiers import AUTO, NAMES, PORTABLE, REFERENCE
from contractvm.cli.tracing import Tracer
from contractvm.cli.values import hex_bytes, positive
from contractvm.errors import Place
from contractvm.rules import bare_rules, contract_rules
from contractvm.wasm.decode import decode
from contractvm.wasm.engine import PLENTY

if TYPE_CHECKING:
    from contractvm.cli.sandbox import Sandbox

CONTRACT_GAS = 30_000_000
"""A block's gas, for a contract that is given no limit."""


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("args", nargs=-1)
@click.option("--invoke", metavar="NAME", help="The export to run.  [default: call, _start, main or the only one]")
@click.option(
    "--tier",
    type=click.Choice(NAMES),
    envvar="CONTRACTVM_TIER",
    help="How to run it; native compiles first, auto does what is compiled already.  [default: auto; with --trace: "
    "reference; env: CONTRACTVM_TIER]",
)
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

    FILE is a .wasm module, or a source, which is built first. ARGS are whole numbers, signed or unsigned,
    decimal or 0x hex. Results are printed signed. A module that imports `cvm1` gets a fresh world in memory.
    Ends with 1 when it traps, reverts or runs out of gas.

    \b
    Examples:
      contractvm run fib.wasm --invoke fib 20
      contractvm run math.wat --invoke sub 3 -5 --json
      contractvm run fib.wasm --invoke fib 40 --tier native
      contractvm run token.wasm --input 0x18160ddd --trace
    """
    if trace and tier is not None and tier != REFERENCE and from_command_line("tier"):
        raise click.UsageError("--trace needs the reference tier; leave --tier out")
    if gas is not None and gas >= 1 << 63:
        raise Problem(f"--gas {gas} is beyond 64 bits", "leave it out for no limit to speak of")
    code = read_module(file)
    tier = REFERENCE if trace else tier or AUTO
    rules, limit = bare_rules(), PLENTY
    in_world = CONTRACT.encode() in code and imports_host(decode(code, rules))
    if in_world:
        rules, limit = contract_rules(), CONTRACT_GAS
    elif calldata is not None:
        raise Problem(f"{file} imports nothing of cvm1, so it cannot read --input", "give its export arguments instead")
    limit = limit if gas is None else gas
    tracer = Tracer(limit, to_error=settings.json) if trace else None

    def once(way: Way, say_debug: Callable[[str], None]) -> Report:
        sandbox = fresh_world(code, calldata or b"", way.tier, say_debug) if in_world else None
        return execute(code, way, invoke, args, limit, sandbox)

    report = once(Way(rules, tier, trace=tracer), debug_line)
    if report.tier == PORTABLE and not settings.quiet:
        # Counting slows a run by up to a half, so what is timed does not count, and what counts is not timed.
        report.take_count(once(Way(rules, PORTABLE, count=True), lambda _: None))
    if settings.json:
        show_json(as_document(report))
    else:
        show(report, settings)
    if not report.ok:
        click.get_current_context().exit(FAILED)


def from_command_line(name: str) -> bool:
    """Whether an option was given there, and not by the environment."""
    return click.get_current_context().get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE


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
    if report.refused is not None and not settings.quiet:
        say(f"not on the native tier: {report.refused}", label="note")
    if report.trap is not None:
        say_trap(report.trap, settings)
    if report.revert is not None:
        say(f"reverted: {revert_reason(report.revert)}")


def say_trap(ended: Ended, settings: Settings) -> None:
    """Where it happened, then who called that; the way out is the trace."""
    lines = [ended.kind + (f" in {place_text(ended.place)}" if ended.place != Place() else "")]
    if not settings.quiet:
        lines += [f"  called by {place_text(caller)}" for caller in ended.callers]
    say("\n".join(lines), "" if settings.quiet else "see each step with --trace")


def place_text(place: Place) -> str:
    """A place in a sentence."""
    name = f" ({place.name})" if place.name else ""
    at = f" at byte {place.offset:#x}" if place.offset is not None else ""
    return f"function {place.function}{name}{at}"


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
    if report.instructions is not None:
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
        "refused": report.refused,
        "trap": ended
        and {"kind": ended.kind, **place_document(ended.place), "callers": [*map(place_document, ended.callers)]},
        "revert": None
        if report.revert is None
        else {"data": hexed(report.revert), "reason": revert_reason(report.revert)},
        "output": hexed(report.output),
        "logs": [
            {"address": hexed(log.address), "topics": [hexed(t) for t in log.topics], "data": hexed(log.data)}
            for log in report.logs
        ],
    }


def place_document(place: Place) -> dict[str, object]:
    return {"function": place.function, "name": place.name, "offset": place.offset}
