"""Writes the generated reference: `python -m contractvm.docs [--check]` makes `docs/opcodes.md` and `docs/host.md`.

Both come from the tables that the engine runs on and the schedule's prices, so they cannot say anything else; a test
(and `--check`) fails when the files are older than the tables.
Never: imported by the engine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from types import MappingProxyType

from contractvm.host import HOST, HostRow
from contractvm.table import Op
from contractvm.wasm.opcodes import FLOAT_NAMES, OPS
from gas.schedule import MILLI, Schedule, load

FOLDER = Path(__file__).parents[1] / "docs"
_GENERATED = "<!-- Written by `python -m contractvm.docs`: do not edit. -->"

EFFECTS: Mapping[str, str] = MappingProxyType(
    {
        "unreachable": "traps",
        "block": "opens a block; its label is its end",
        "loop": "opens a block; its label is its start",
        "if": "takes an i32; opens a block that runs when it is not 0",
        "else": "ends the first arm of an `if`, begins the other",
        "end": "closes a block, leaving its results",
        "br": "takes what the label takes, goes there",
        "br_if": "takes an i32, goes to the label when it is not 0",
        "br_table": "takes an i32, goes to that label of the list, beyond it to the last",
        "return": "takes the results, leaves the function",
        "call": "takes the parameters, leaves the results",
        "call_indirect": "takes the parameters and an i32, the entry of the table to call",
        "return_call": "calls in place of this function's frame",
        "return_call_indirect": "calls an entry of the table in place of this function's frame",
        "drop": "takes any value",
        "select": "takes two numbers and an i32, leaves the first when it is not 0, else the second",
        "select t": "as `select`, for values of the type named",
        "local.get": "leaves the local's value",
        "local.set": "takes a value into the local",
        "local.tee": "copies the top value into the local",
        "global.get": "leaves the global's value",
        "global.set": "takes a value into the global",
        "table.get": "takes an i32, leaves that entry",
        "table.set": "takes an i32 and a reference into that entry",
        "table.grow": "takes a reference and a number of entries, leaves the old size or -1",
        "table.fill": "takes a start, a reference and a number of entries",
        "ref.null": "leaves a null reference of the type named",
        "ref.is_null": "takes a reference, leaves 1 for null, else 0",
    }
)
"""What the rows do whose stack effect depends on immediates or context."""

IMMEDIATES: Mapping[str, str] = MappingProxyType(
    {
        "": "",
        "block": "block type",
        "label": "label",
        "labels": "labels, default",
        "func": "function",
        "type_table": "type, table",
        "local": "local",
        "global": "global",
        "table": "table",
        "types": "types",
        "memarg": "alignment, offset",
        "memory": "0",
        "data_memory": "data segment, 0",
        "memory_memory": "0, 0",
        "elem_table": "elem segment, table",
        "table_table": "to, from",
        "data": "data segment",
        "elem": "elem segment",
        "i32": "i32",
        "i64": "i64",
        "reftype": "reference type",
    }
)
_WASM_TYPES = {"i": "i32", "I": "i64"}


def gas(milligas: int) -> str:
    """A price in gas, exactly."""
    whole, rest = divmod(milligas, MILLI)
    return f"{whole:,}" + (f".{rest:03}".rstrip("0") if rest else "")


def table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def opcode_row(op: Op, schedule: Schedule) -> tuple[str, ...]:
    """Cells of an instruction."""
    prefixed = op.code > 0xFF
    code = f"`{op.code >> 8:02x} {op.code & 0xFF:02x}`" if prefixed else f"`{op.code:02x}`"
    effect = f"`{' '.join((*op.params, '→', *op.results))}`"
    if op.name in EFFECTS:
        effect = EFFECTS[op.name]
    elif op.sig == "->":
        effect = ""
    price = gas(schedule.milli(op.cost))
    traps = "can trap" if op.traps else ""
    feature = "" if op.feature == "mvp" else op.feature
    return code, f"`{op.name}`", IMMEDIATES[op.imm], effect, price, f"`{op.cost}`", traps, feature


def paragraph(text: str) -> str:
    """Running text in lines of one width."""
    return fill(" ".join(text.split()), 110, break_long_words=False, break_on_hyphens=False)


def page(title: str, *parts: str) -> str:
    """A generated page: parts with a blank line between."""
    return "\n\n".join((f"{_GENERATED}\n# {title}", *parts)) + "\n"


def opcodes_page(schedule: Schedule) -> str:
    """`docs/opcodes.md`."""
    head = ("code", "instruction", "immediates", "takes → leaves", "gas", "price", "", "feature")
    prices = ((f"`{n}`", gas(p), schedule.why[n]) for n, p in schedule.prices.items() if n.startswith("wasm."))
    floats = ", ".join(f"`{name}`" for name in FLOAT_NAMES.values())
    return page(
        "Instructions",
        paragraph(
            f"""The {len(OPS)} instructions of the profile, from the table in `contractvm/wasm/opcodes.py`, with the
            prices of schedule `{schedule.name}`. Which features are on is a matter of `Rules`."""
        ),
        table(head, (opcode_row(op, schedule) for op in OPS)),
        "## Prices",
        paragraph(
            """In gas; the meter counts thousandths. Nanoseconds are those of optimised native code, and `python -m
            tests.bench.calibrate` measures them. A *run* (a straight line of instructions) is charged when it is
            entered. `wasm.page`, `wasm.bulk_byte` and `wasm.table_entry` are paid by amount, `wasm.frame.*` when a
            contract's frame is entered."""
        ),
        table(("price", "gas", "why"), prices),
        "## Refused by name",
        paragraph(f"Floats are not deterministic, so a module that mentions one is refused: {floats}."),
    )


def host_row(row: HostRow, schedule: Schedule) -> tuple[str, ...]:
    """Cells of an import."""
    params = ", ".join(f"{name}: {_WASM_TYPES[t]}" for name, t in zip(row.arguments, row.params, strict=True))
    results = " → " + _WASM_TYPES[row.results] if row.results else ""
    further = ", ".join(f"`{name}`" for name in row.also)
    return f"`{row.name}({params}){results}`", gas(schedule.milli(row.price)), f"`{row.price}`", further, row.doc


def host_page(schedule: Schedule) -> str:
    """`docs/host.md`."""
    others = (
        (f"`{n}`", gas(p), schedule.why[n]) for n, p in schedule.prices.items() if not n.startswith(("wasm.", "tx."))
    )
    return page(
        "Host functions",
        paragraph(
            f"""The {len(HOST)} imports of module `cvm1`, from the table in `contractvm/host/table.py`, with the prices
            of schedule `{schedule.name}`. Pointers are offsets in the caller's memory, lengths are unsigned; addresses
            have 20 bytes, hashes 32, amounts 32 in little-endian order. A copy writes min(cap, length) bytes and
            returns the whole length, -1 when there is nothing. Whole ranges, `cap` included, must lie in memory, or
            the call traps. The order is: fixed price, price of the given lengths, checks, effect."""
        ),
        table(("function", "gas", "price", "also", "what it does"), (host_row(row, schedule) for row in HOST)),
        "## Prices",
        paragraph("In gas. The first price above is paid always, those under *also* by lengths and by what is found."),
        table(("price", "gas", "why"), others),
    )


def pages(schedule: Schedule) -> dict[str, str]:
    """Every generated page by file name."""
    return {"opcodes.md": opcodes_page(schedule), "host.md": host_page(schedule)}


def stale(folder: Path, schedule: Schedule) -> list[str]:
    """Names of the pages whose file is missing or says something else."""
    found = []
    for name, text in pages(schedule).items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(name)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or with `--check` only tell which are stale. Returns: the exit code."""
    parser = argparse.ArgumentParser(prog="python -m contractvm.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    options = parser.parse_args(arguments)
    schedule = load("cvm1")
    if not FOLDER.is_dir():
        print(f"{FOLDER} is missing: run this from a clone of the project", file=sys.stderr)
        return 1
    old = stale(FOLDER, schedule)
    if options.check:
        for name in old:
            print(f"{FOLDER / name} is stale: run `python -m contractvm.docs`", file=sys.stderr)
        return 1 if old else 0
    for name in old:
        (FOLDER / name).write_text(pages(schedule)[name], encoding="utf-8")
        print(f"wrote {FOLDER / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
