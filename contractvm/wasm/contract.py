"""What makes a module a contract, checked once when it is deployed, and what entering its frames costs.

A contract imports functions of `cvm1` alone, defines exactly one memory and exports it, has no start function and no
externref, exports `call` and perhaps `deploy`, both without operands and results, and its active segments fit.
Source: design of the chain, "Contracts and the host table". Never: runs code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contractvm.dataclass import dataclass
from contractvm.errors import Invalid, Place, Unlinkable
from contractvm.host import BY_NAME, HostRow
from contractvm.rules import Rules
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.constant import evaluate
from contractvm.wasm.decode import decode
from contractvm.wasm.externs import PAGE, Func, Global
from contractvm.wasm.module import EXTERNREF, FUNC, I32, I64, KIND_NAMES, MEMORY, Code, FuncType, Module
from contractvm.wasm.opcodes import BY_NAME as OPCODES
from contractvm.wasm.validate import validate

HOST_MODULE = "cvm1"
OPTIONAL_ENTRY = "deploy"
ENTRIES = ("call", OPTIONAL_ENTRY)
SEES_GAS = frozenset({"gas_left", "call", "static_call", "delegate_call", "transfer", "create", "create2"})
"""Host functions that say how much gas is left, or give a part of it away."""
_TYPES = {"i": I32, "I": I64}
_NO_OPERANDS = FuncType((), ())
_MENTIONS_TYPES = frozenset(OPCODES[name].code for name in ("block", "loop", "if", "select t", "ref.null"))


@dataclass(frozen=True, slots=True)
class Contract:
    """An accepted contract, ready to be entered."""

    compiled: Compiled
    imports: tuple[Callable[..., Any], ...]
    """Functions of the host table, which take the `Host` first."""
    entries: dict[str, int]
    """Function index of `call` and, if there is one, `deploy`."""
    pages: int
    """What its memory starts with."""
    cost: int
    """Milligas for entering a frame: pages, table entries, bytes of active data segments; cold code costs more."""
    outermost_cost: int
    """The same for a transaction's outermost frame, whose first page the transaction has paid for."""
    sees_gas: bool
    """Whether it imports anything whose result depends on how much gas is left."""


def host_type(row: HostRow) -> FuncType:
    """The wasm type of a host function."""
    return FuncType(tuple(_TYPES[c] for c in row.params), tuple(_TYPES[c] for c in row.results))


def accept(code: bytes, rules: Rules) -> Contract:
    """Decode, validate and check a contract for deployment. Raises: Malformed, Invalid, Unlinkable."""
    module = decode(code, rules)
    validate(module, rules)
    _check_shape(module)
    return prepare(module, rules, code)


def reload(code: bytes, rules: Rules) -> Contract:
    """Make ready code that was accepted before, perhaps under older rules: it is not checked again."""
    return prepare(decode(code, rules), rules, code)


def prepare(module: Module, rules: Rules, code: bytes) -> Contract:
    """Work out what entering a contract costs and needs."""
    milli = rules.schedule.milli
    pages = module.memories[0].minimum
    segment_bytes = sum(len(d.content) for d in module.data if d.mode == "active")
    entries = sum(t.limit.minimum for t in module.tables) + sum(len(e.items) for e in module.elements)
    cost = (
        max(pages - 1, 0) * milli("wasm.page")
        + entries * milli("wasm.table_entry")
        + segment_bytes * milli("wasm.frame.segment_byte")
    )
    return Contract(
        Compiled(module, rules, code=code),
        tuple(BY_NAME[wanted.name].fn for wanted in module.imports),
        {e.name: e.index for e in module.exports if e.kind == FUNC and e.name in ENTRIES},
        pages,
        cost + min(pages, 1) * milli("wasm.frame.page"),
        cost,
        any(wanted.name in SEES_GAS for wanted in module.imports),
    )


def _check_shape(module: Module) -> None:
    """Raises: Invalid, Unlinkable."""
    for wanted in module.imports:
        title, place = f'"{wanted.module}" "{wanted.name}"', Place(wanted.offset)
        if wanted.module != HOST_MODULE:
            raise Unlinkable(f'a contract imports from "{HOST_MODULE}" alone, not {title}', place)
        row = BY_NAME.get(wanted.name)
        if wanted.kind != FUNC or row is None:
            raise Unlinkable(f"there is no host function {title}: a {KIND_NAMES[wanted.kind]} is imported", place)
        type_ = module.types[wanted.desc]  # type: ignore[index]
        if type_ != host_type(row):
            raise Unlinkable(f"host function {title} is {host_type(row)}, imported is {type_}", place)
    if len(module.memories) != 1:
        raise Invalid("a contract defines exactly one memory; this one has none")
    if module.start is not None:
        raise Invalid(
            "a contract has no start function; use `deploy` for what is to run once", Place(None, module.start)
        )
    exports = {e.name: e for e in module.exports}
    memory = exports.get("memory")
    if memory is None or memory.kind != MEMORY:
        raise Invalid('a contract exports its memory as "memory"')
    for name in ENTRIES:
        entry = exports.get(name)
        if entry is None and name == OPTIONAL_ENTRY:
            continue
        if entry is None or entry.kind != FUNC:
            raise Invalid(f'a contract exports a function "{name}" without operands and results')
        if module.signature(entry.index) != _NO_OPERANDS:
            where = Place(None, entry.index, module.names.get(entry.index))
            raise Invalid(f'"{name}" must be {_NO_OPERANDS}, it is {module.signature(entry.index)}', where)
        if entry.index < module.imported_functions:
            raise Invalid(f'"{name}" must be a function of the module, not an import')
    _check_references(module)
    _check_segments(module)


def _check_references(module: Module) -> None:
    """Refuse externref wherever a module can mention it. Raises: Invalid."""
    types = [t for type_ in module.types for t in type_.params + type_.results]
    types += [t.element for t in module.tables] + [g.type.value for g in module.globals]
    types += [e.type for e in module.elements] + [t for f in module.functions for t in f.locals]
    if EXTERNREF in types:
        raise Invalid("a contract has no externref: there is nothing outside that it could refer to")
    for number, function in enumerate(module.functions):
        code = function.code
        for op, imm, offset in zip(code.ops, code.imms, code.offsets, strict=True):
            if op in _MENTIONS_TYPES and EXTERNREF in _types_of(imm):
                index = module.imported_functions + number
                raise Invalid("a contract has no externref", Place(offset, index, module.names.get(index)))


def _types_of(imm: object) -> tuple[object, ...]:
    """The types in an immediate: of a block, of `select t`, of `ref.null`."""
    if isinstance(imm, FuncType):
        return imm.params + imm.results
    return imm if isinstance(imm, tuple) else (imm,)


def _check_segments(module: Module) -> None:
    """Active segments must fit the initial memory and tables, so that entering a frame cannot trap. Raises: Invalid."""
    globals_: list[Global] = []

    def reference(index: int) -> Func:
        return Func(module.signature(index), "", None, index, _no_call)

    def value(code: Code) -> Any:
        return evaluate(code, globals_, reference)

    for definition in module.globals:
        globals_.append(Global(definition.type, value(definition.init)))
    size = module.memories[0].minimum * PAGE
    for number, segment in enumerate(module.data):
        end = 0 if segment.at is None else value(segment.at) + len(segment.content)
        if segment.at is not None and end > size:
            raise Invalid(
                f"data segment {number} ends at byte {end} of a memory that starts with {size} bytes",
                Place(segment.at.offsets[0]),
            )
    for number, element in enumerate(module.elements):
        if element.at is not None:
            entries = module.tables[element.table].limit.minimum
            if value(element.at) + len(element.items) > entries:
                raise Invalid(
                    f"element segment {number} does not fit a table that starts with {entries} entries",
                    Place(element.at.offsets[0]),
                )


def _no_call(*operands: object) -> object:
    raise Unlinkable("a function was called while its module was being checked")
