"""What a module's compiled code and the instances that run it must agree on: where things lie in the context.

Computed from the module and the rules alone, in the worker that generates the code and in the process that runs it.
A global that nobody else can reach lies in the context; one that is imported, exported or a reference stays in its
cell. A table that nobody changes is part of the object, and `call_indirect` looks there.
Never: generates code, or holds state of an instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.host import BY_NAME as HOST_ROWS
from contractvm.host import HostRow
from contractvm.host.facts import AROUND
from contractvm.host.facts import FORM as FACTS
from contractvm.host.facts import SIZE as FACTS_BYTES
from contractvm.native.context import HEADER, WORD
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.constant import evaluate, is_fixed
from contractvm.wasm.contract import ENTRIES, HOST_MODULE
from contractvm.wasm.externs import Func
from contractvm.wasm.flat import INSTANCE_METHODS
from contractvm.wasm.module import EXTERNREF, FUNC, FUNCREF, GLOBAL, I32, TABLE, Code, FuncType, GlobalType, Module
from contractvm.wasm.opcodes import BY_NAME
from contractvm.wasm.sections import CALL_INDIRECT, RETURN_CALL, RETURN_CALL_INDIRECT

ARGUMENTS_OF_TAIL_CALLS: Final = 3
"""Operands that fit into registers beside context, gas and weight. LLVM 22 drops arguments of tail calls that lie on
the stack (its issue 199224), others move the stack pointer twice (109279): where tail calls are, none lies there."""
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
    facts: int
    """Where a contract's facts begin (`host.facts`); 0 when it asks for none."""
    around: bool
    """Whether it asks for those around its frame."""
    effects: Mapping[str, int]
    """Methods of the instance that the code calls."""
    results: int
    """Where further results of a call wait; the first has none."""
    operands: int
    """Where the operands of a call wait that are not arguments."""
    arguments: int
    """How many operands of a call are arguments of the machine's calling convention."""
    size: int
    entries: tuple[int, ...]
    """Functions that can be entered from outside, in the order of the object's methods."""
    tables: Mapping[int, tuple[int | None, ...]]
    """Tables that nobody changes: the defined function at each entry, None for null and imports."""
    tail: bool
    """Whether any function makes tail calls."""
    refers_to_imports: bool
    """Whether a reference can name an imported function, so that it may be called through a table."""
    leaving: frozenset[int]
    """Functions that may end in a tail call to where compiled code cannot jump. They are entered by Python alone, so
    that their frames are gone when the call is made."""


def layout(compiled: Compiled) -> Layout:
    """The layout of a module's contexts. The module must have been validated."""
    module = compiled.module
    used = module.opcodes or _opcodes(module)
    at = HEADER
    results = at
    at += WORD * max((len(type_.results) for type_ in module.types), default=0)
    tail = not used.isdisjoint((RETURN_CALL, RETURN_CALL_INDIRECT))
    longest = max((len(type_.params) for type_ in module.types), default=0)
    arguments = min(longest, ARGUMENTS_OF_TAIL_CALLS) if tail else longest
    operands = at
    at += WORD * (longest - arguments)
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
    asked = {row.fact for row in host_rows(compiled) if row.native} & FACTS.keys()
    facts = at if asked else 0
    at += FACTS_BYTES if facts else 0
    referred = _referred_functions(module, REF_FUNC in used)
    refers_to_imports = any(index < module.imported_functions for index in referred)
    tables = _fixed_tables(compiled, used)
    leaving = _leaving(compiled, tables, refers_to_imports) if tail else frozenset()
    return Layout(
        globals=tuple(places),
        imports=imports,
        facts=facts,
        around=not asked.isdisjoint(AROUND),
        effects=effects,
        results=results,
        operands=operands,
        arguments=arguments,
        size=at,
        entries=_entries(compiled, referred | leaving),
        tables={table: tuple(None if i in leaving else i for i in entries) for table, entries in tables.items()},
        tail=tail,
        refers_to_imports=refers_to_imports,
        leaving=leaving,
    )


def host_rows(compiled: Compiled) -> list[HostRow]:
    """The rows of the host table that a contract imports; other modules import what they like."""
    imports = compiled.module.imports if compiled.rules.contract else []
    if any(wanted.module != HOST_MODULE or wanted.name not in HOST_ROWS for wanted in imports):
        return []
    return [HOST_ROWS[wanted.name] for wanted in imports]


def _leaving(compiled: Compiled, tables: Mapping[int, object], refers_to_imports: bool) -> frozenset[int]:
    """The functions that may leave by a tail call, directly or by one to another such function.

    A contract's imports are the host's functions, which are called and returned from.
    """
    module, foreign = compiled.module, not compiled.rules.contract
    first = module.imported_functions
    through_tables: set[int] = set()
    callers: dict[int, list[int]] = {}
    found: set[int] = set()
    for n, function in enumerate(module.functions, first):
        for op, imm in zip(function.code.ops, function.code.imms, strict=True):
            if op == RETURN_CALL and isinstance(imm, int):
                callers.setdefault(imm, []).append(n)
                if imm < first and foreign:
                    found.add(n)
            elif op == RETURN_CALL_INDIRECT and isinstance(imm, tuple):
                through_tables.add(n)
                if imm[1] not in tables or (foreign and refers_to_imports):
                    found.add(n)
    if found:
        found |= through_tables
    pending = list(found)
    while pending:
        for caller in callers.get(pending.pop(), ()):
            if caller not in found:
                found.add(caller)
                pending.append(caller)
    return frozenset(found)


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


def _referred_functions(module: Module, in_bodies: bool) -> set[int]:
    """The functions that `ref.func` names in segments and globals, and in bodies if any has one."""
    codes = [item for element in module.elements for item in element.items]
    codes += [definition.init for definition in module.globals]
    if in_bodies:
        codes += [function.code for function in module.functions]
    found: set[int] = set()
    for code in codes:
        if REF_FUNC in code.ops:
            found.update(imm for op, imm in zip(code.ops, code.imms, strict=True) if op == REF_FUNC)  # type: ignore[misc]
    return found


def _entries(compiled: Compiled, referred: set[int]) -> tuple[int, ...]:
    """Exports, the start function, and whatever a reference can name; of a contract's exports, its entries."""
    module = compiled.module
    names = ENTRIES if compiled.rules.contract else [e.name for e in module.exports]
    entered = {e.index for e in module.exports if e.kind == FUNC and e.name in names} | referred
    if module.start is not None:
        entered.add(module.start)
    return tuple(sorted(index for index in entered if index >= module.imported_functions))


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
