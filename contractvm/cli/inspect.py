"""`contractvm inspect`: what a module asks for, offers and costs, before anybody runs it.

Never: runs or links it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from contractvm.cli.files import read_module
from contractvm.cli.frame import Command, Settings, pass_settings
from contractvm.cli.output import hexed, number, show_json, show_pairs, show_table
from contractvm.cli.problem import FAILED, Problem, say
from contractvm.crypto import keccak256
from contractvm.errors import ModuleError
from contractvm.rules import Limits, bare_rules, contract_rules
from contractvm.wasm.decode import FloatRefused, decode
from contractvm.wasm.disasm import disassemble
from contractvm.wasm.machine import WasmMachine
from contractvm.wasm.module import (
    FUNC,
    GLOBAL,
    KIND_NAMES,
    MEMORY,
    TABLE,
    TYPE_NAMES,
    GlobalType,
    Limit,
    Module,
    TableType,
)
from contractvm.wasm.opcodes import BY_NAME
from contractvm.wasm.sections import Plan, plan, prices
from contractvm.wasm.validate import validate

NESTING = {BY_NAME[name].code for name in ("block", "loop", "if")}
BR_TABLE, END = BY_NAME["br_table"].code, BY_NAME["end"].code


@click.command(cls=Command)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--code", is_flag=True, help="Print the code as text, with the gas of each run.")
@click.option("--function", metavar="NAME|INDEX", help="Print the code of one function only.")
@pass_settings
def inspect(settings: Settings, file: Path, code: bool, function: str | None) -> None:
    """Show imports, exports, limits, floats, code with gas.

    FILE is a .wasm module, or a source, which is built first. Ends with 1 when the module is refused.
    """
    data = read_module(file)
    rules = bare_rules()
    try:
        module = decode(data, rules)
        validate(module, rules)
    except FloatRefused as refusal:
        show_floats(settings, file, data, refusal)
        click.get_current_context().exit(FAILED)
    plans = {
        index: plan(module, index, prices(rules)) for index in range(module.imported_functions, len(module.func_types))
    }
    if code or function is not None:
        if settings.json:
            raise Problem("--code and --function print text", "leave --json out")
        for line in disassemble(module, rules, None if function is None else find(module, function)):
            click.echo(line)
        return
    refused = deploy_refusal(data)
    if settings.json:
        show_json(as_document(data, module, plans, refused))
        return
    show(file, data, module, plans, refused)


def find(module: Module, wanted: str) -> int:
    """Index of the function that `wanted` names, by number, export or debug name. Raises: Problem."""
    total = len(module.func_types)
    if wanted.isdecimal() and len(wanted) < 10:
        index = int(wanted)
    else:
        exported = {e.name: e.index for e in module.exports if e.kind == FUNC}
        named = {name: index for index, name in module.names.items()}
        index = exported.get(wanted, named.get(wanted, -1))
        if index < 0:
            raise Problem(f"no function is called {wanted!r}", f"exports: {', '.join(sorted(exported)) or 'none'}")
    if not module.imported_functions <= index < total:
        raise Problem(
            f"function {index} has no code here", f"defined functions are {module.imported_functions} to {total - 1}"
        )
    return index


def deploy_refusal(data: bytes) -> str | None:
    """Why no chain would take this module, or None if it would."""
    machine, rules = WasmMachine(background=False), contract_rules()
    try:
        code, _ = machine.split(data)
        machine.check(code, rules)
    except ModuleError as refusal:
        return str(refusal)
    return None


def show_floats(settings: Settings, file: Path, data: bytes, refusal: FloatRefused) -> None:
    """A module with floats: refused, with the first mention in each function."""
    if settings.json:
        floats = [
            {"what": m.what, "function": m.place.function, "name": m.place.name, "offset": m.place.offset}
            for m in refusal.mentions
        ]
        show_json({"bytes": len(data), "keccak256": hexed(keccak256(data)), "refused": str(refusal), "floats": floats})
        return
    show_pairs([("module", file), ("bytes", number(len(data))), ("refused", refusal.reason)])
    click.echo()
    rows = [
        (
            "-" if m.place.function is None else m.place.function,
            m.place.name or "-",
            f"{m.place.offset or 0:#x}",
            m.what,
        )
        for m in refusal.mentions
    ]
    show_table(("function", "name", "byte", "float"), rows, right=(0, 2))
    say(
        f"{file} uses floats", "compile without them: integers or fixed point; nothing that rounds can be deterministic"
    )


def show(file: Path, data: bytes, module: Module, plans: dict[int, Plan], refused: str | None) -> None:
    """The whole report for people."""
    show_pairs(
        [
            ("module", file),
            ("bytes", number(len(data))),
            ("keccak256", hexed(keccak256(data))),
            ("deployable", "yes" if refused is None else f"no: {refused}"),
            ("floats", "none"),
        ]
    )
    if module.imports:
        section("imports")
        show_table(("module", "name", "kind", "type"), list(import_rows(module)))
    if module.exports:
        section("exports")
        show_table(("name", "kind", "type"), list(export_rows(module)))
    section("limits of a chain")
    rows = [
        (name.replace("_", " "), number(used), number(limit), "OVER" if used > limit else "")
        for name, used, limit in limits_used(module, plans)
        if used
    ]
    show_table(("what", "used", "limit", ""), rows, right=(1, 2))
    if plans:
        section("functions")
        show_table(
            ("index", "name", "type", "bytes", "weight", "runs", "gas if each ran once"),
            [function_row(module, index, p) for index, p in plans.items()],
            right=(0, 3, 4, 5, 6),
        )
        click.echo("\nThe code, with the gas of each run: add --code, or --function NAME.")


def section(title: str) -> None:
    click.echo()
    click.secho(title.upper(), fg="green", bold=True)


def function_row(module: Module, index: int, p: Plan) -> tuple[object, ...]:
    function = module.functions[index - module.imported_functions]
    milligas = sum(run.cost for run in p.runs)
    return (
        index,
        module.function_name(index),
        module.signature(index),
        function.size,
        p.weight,
        len(p.runs),
        f"{milligas // 1000:,}.{milligas % 1000:03d}",
    )


def extern_type(module: Module, kind: int, desc: object) -> str:
    """The type of an import or export as text."""
    match desc:
        case int():
            return str(module.types[desc])
        case TableType():
            return f"{TYPE_NAMES[desc.element]} {limit_text(desc.limit)}"
        case Limit():
            return f"{limit_text(desc)} pages"
        case GlobalType():
            return f"{'mut ' if desc.mutable else ''}{TYPE_NAMES[desc.value]}"
    raise Problem(f"unknown kind of import or export: {KIND_NAMES[kind]}")


def limit_text(limit: Limit) -> str:
    return f"{limit.minimum}.." + ("" if limit.maximum is None else str(limit.maximum))


def import_rows(module: Module) -> Iterator[tuple[str, str, str, str]]:
    for i in module.imports:
        yield i.module, i.name, KIND_NAMES[i.kind], extern_type(module, i.kind, i.desc)


def export_rows(module: Module) -> Iterator[tuple[str, str, str]]:
    spaces: dict[int, list[int] | list[TableType] | list[Limit] | list[GlobalType]] = {
        FUNC: module.func_types,
        TABLE: module.table_types,
        MEMORY: module.memory_types,
        GLOBAL: module.global_types,
    }
    for e in module.exports:
        yield e.name, KIND_NAMES[e.kind], extern_type(module, e.kind, spaces[e.kind][e.index])


def limits_used(module: Module, plans: dict[int, Plan]) -> Iterator[tuple[str, int, int]]:
    """(limit's name, how much of it the module uses, the limit on a chain)."""
    limits: Limits = contract_rules().limits
    functions = module.functions
    names = [e.name for e in module.exports] + [n for i in module.imports for n in (i.module, i.name)]
    used = {
        "code_bytes": module.size,
        "types": len(module.types),
        "imports": len(module.imports),
        "functions": len(functions),
        "body_bytes": max((f.size for f in functions), default=0),
        "params": max((len(t.params) for t in module.types), default=0),
        "results": max((len(t.results) for t in module.types), default=0),
        "locals": max((len(f.locals) + len(module.types[f.type_index].params) for f in functions), default=0),
        "module_locals": sum(len(f.locals) for f in functions),
        "nesting": max((deepest(f.code.ops) for f in functions), default=0),
        "br_table_entries": max((widest(f.code.ops, f.code.imms) for f in functions), default=0),
        "globals": len(module.global_types),
        "exports": len(module.exports),
        "tables": len(module.table_types),
        "table_entries": max((t.limit.minimum for t in module.table_types), default=0),
        "element_entries": sum(len(e.items) for e in module.elements),
        "data_segments": len(module.data),
        "name_bytes": max((len(n.encode()) for n in names), default=0),
        "memory_pages": max((m.minimum for m in module.memory_types), default=0),
        "stack_weight": max((p.weight for p in plans.values()), default=0),
    }
    for name, amount in used.items():
        yield name, amount, getattr(limits, name)


def deepest(ops: list[int]) -> int:
    """Blocks open at once in a body."""
    depth = most = 0
    for op in ops:
        if op in NESTING:
            depth += 1
            most = max(most, depth)
        elif op == END:
            depth -= 1
    return most


def widest(ops: list[int], imms: list[object]) -> int:
    """Entries of the largest br_table, its default included."""
    return max(
        (len(imm) for op, imm in zip(ops, imms, strict=True) if op == BR_TABLE and isinstance(imm, tuple)), default=0
    )


def as_document(data: bytes, module: Module, plans: dict[int, Plan], refused: str | None) -> dict[str, object]:
    """The whole report for programs."""
    return {
        "bytes": len(data),
        "keccak256": hexed(keccak256(data)),
        "deployable": refused is None,
        "refused": refused,
        "floats": [],
        "imports": [dict(zip(("module", "name", "kind", "type"), row, strict=True)) for row in import_rows(module)],
        "exports": [dict(zip(("name", "kind", "type"), row, strict=True)) for row in export_rows(module)],
        "limits": {name: {"used": used, "limit": limit} for name, used, limit in limits_used(module, plans)},
        "functions": [
            {
                "index": index,
                "name": module.function_name(index),
                "type": str(module.signature(index)),
                "bytes": module.functions[index - module.imported_functions].size,
                "weight": p.weight,
                "runs": [{"start": r.start, "end": r.end, "milligas": r.cost} for r in p.runs],
            }
            for index, p in plans.items()
        ],
    }
