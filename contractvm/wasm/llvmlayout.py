"""What a module's compiled code and the instances that run it must agree on: where things lie in the context.

Computed from the module and the rules alone, in the worker that generates the code and in the process that runs it.
A global that nobody else can reach lies in the context; one that is imported, exported or a reference stays in its
cell. A table that nobody changes is part of the object, and `call_indirect` looks there.
Never: generates code, or holds state of an instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contractvm.errors import Fatal
from contractvm.native.context import HEADER, WORD
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.constant import evaluate, is_fixed
from contractvm.wasm.contract import ENTRIES
from contractvm.wasm.externs import Func
from contractvm.wasm.flat import INSTANCE_METHODS
from contractvm.wasm.module import EXTERNREF, FUNC, FUNCREF, GLOBAL, I32, TABLE, Code, FuncType, GlobalType, Module
from contractvm.wasm.opcodes import BY_NAME
from contractvm.wasm.sections import CALL_INDIRECT, RETURN_CALL, RETURN_CALL_INDIRECT

KINDS: Final = {I32: "i", FUNCREF: "r", EXTERNREF: "r"}
"""How `native.glue` spells value types; I64 is "I"."""
FUNCTION: Final = "function"
"""The instance's method behind `ref.func`."""
REF_FUNC: Final = BY_NAME["ref.func"].code
_METHODS: Final = {BY_NAME[name].code: row[0] for name, row in INSTANCE_METHODS.items()}
_CHANGES_TABLE: Final = frozenset(BY_NAME[f"table.{name}"].code for name in ("set", "grow", "fill", "copy", "init"))


def kinds(types: tuple[int, ...]) -> str:
    """Value types as the glue spells them."""
    return "".join(KINDS.get(t, "I") for t in types)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a global lies: `cell` tells whether the field holds the address of its cell, or its bits."""

    at: int
    kind: str
    cell: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """Offsets in bytes from the start of the context."""

    globals: tuple[Place, ...]
    imports: int
    """Where the imported functions' callables begin, one a word."""
    effects: Mapping[str, int]
    """Methods of the instance that the code calls."""
    results: int
    """Where further results of a call wait; the first has none."""
    size: int
    entries: tuple[int, ...]
    """Functions that can be entered from outside, in the order of the object's methods."""
    tables: Mapping[int, tuple[int | None, ...]]
    """Tables that nobody changes: the defined function at each entry, None for null and imports."""
    tail: bool
    """Whether any function makes tail calls."""


def layout(compiled: Compiled) -> Layout:
    """The layout of a module's contexts. The module must have been validated."""
    module = compiled.module
    used = _opcodes(module)
    at = HEADER
    results = at
    at += WORD * max((len(type_.results) for type_ in module.types), default=0)
    places = []
    for place in _globals(compiled, at):
        places.append(place)
        at += WORD
    imports = at
    at += WORD * module.imported_functions
    effects = {}
    for method in sorted({_METHODS[code] for code in used if code in _METHODS} | {FUNCTION}):
        effects[method] = at
        at += WORD
    tail = not used.isdisjoint((RETURN_CALL, RETURN_CALL_INDIRECT))
    return Layout(tuple(places), imports, effects, results, at, _entries(compiled), _fixed_tables(compiled, used), tail)


def _opcodes(module: Module) -> set[int]:
    used: set[int] = set()
    for function in module.functions:
        used.update(function.code.ops)
    return used


def global_types(module: Module) -> list[GlobalType]:
    """Types of all globals, the imported ones first."""
    imported = [wanted.desc for wanted in module.imports if isinstance(wanted.desc, GlobalType)]
    return imported + [definition.type for definition in module.globals]


def _globals(compiled: Compiled, at: int) -> list[Place]:
    module, contract = compiled.module, compiled.rules.contract
    types = global_types(module)
    imported = len(types) - len(module.globals)
    exported = {e.index for e in module.exports if e.kind == GLOBAL}
    found = []
    for index, type_ in enumerate(types):
        kind = KINDS.get(type_.value, "I")
        cell = kind == "r" or index < imported or (index in exported and not contract)
        found.append(Place(at + WORD * index, kind, cell))
    return found


def _entries(compiled: Compiled) -> tuple[int, ...]:
    """Exports, the start function, and whatever a reference can name; of a contract, its entries."""
    module = compiled.module
    first = module.imported_functions
    if compiled.rules.contract:
        exported = {e.index for e in module.exports if e.kind == FUNC and e.name in ENTRIES}
    else:
        exported = {e.index for e in module.exports if e.kind == FUNC}
        if module.start is not None:
            exported.add(module.start)
    codes = [item for element in module.elements for item in element.items]
    codes += [definition.init for definition in module.globals]
    for code in [*codes, *(function.code for function in module.functions)]:
        exported.update(imm for op, imm in zip(code.ops, code.imms, strict=True) if op == REF_FUNC)  # type: ignore[misc]
    return tuple(sorted(index for index in exported if index >= first))


def _fixed_tables(compiled: Compiled, used: set[int]) -> dict[int, tuple[int | None, ...]]:
    """Contents of the tables that are the same in every instance from its first instruction to its last."""
    module = compiled.module
    if not used.isdisjoint(_CHANGES_TABLE) or used.isdisjoint((CALL_INDIRECT, RETURN_CALL_INDIRECT)):
        return {}
    imported = sum(wanted.kind == TABLE for wanted in module.imports)
    exported = set() if compiled.rules.contract else {e.index for e in module.exports if e.kind == TABLE}
    found: dict[int, list[int | None]] = {
        index: [None] * type_.limit.minimum
        for index, type_ in enumerate(module.tables, imported)
        if index not in exported
    }
    for element in module.elements:
        if element.mode != "active" or element.at is None or element.table not in found:
            continue
        entries, at = found[element.table], _fixed(element.at)
        items = [_referred(item, module.imported_functions) for item in element.items]
        if at is None or at + len(items) > len(entries):
            del found[element.table]
            continue
        entries[at : at + len(items)] = items
    return {index: tuple(entries) for index, entries in found.items()}


def _fixed(code: Code) -> int | None:
    """The value of an offset that is the same in every instance."""
    value = evaluate(code, (), _no_function) if is_fixed(code) else None
    return value if isinstance(value, int) else None


def _no_function(index: int) -> Func:
    raise Fatal(f"an offset refers to function {index}")


def _referred(code: Code, first: int) -> int | None:
    """The defined function that an item of a segment refers to; None for null, an import, or what is not known yet."""
    if code.ops[0] == REF_FUNC:
        index = code.imms[0]
        return index if isinstance(index, int) and index >= first else None
    return None


def canonical(module: Module) -> dict[FuncType, int]:
    """A number for each function type, the same for equal ones."""
    found: dict[FuncType, int] = {}
    for index, type_ in enumerate(module.types):
        found.setdefault(type_, index)
    return found
