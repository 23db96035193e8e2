"""The disassembler: a module as WebAssembly text, each run with its gas, each function with its frame weight.

The text assembles to the same module again (names and other custom sections apart); prices, byte offsets and
unreachable code are told in comments. Source: WebAssembly core specification, section 6 (text format).
Never: evaluates anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from contractvm.rules import Rules
from contractvm.wasm.module import (
    EXTERNREF,
    KIND_NAMES,
    TYPE_NAMES,
    Code,
    Element,
    Function,
    FuncType,
    GlobalType,
    Limit,
    Module,
    TableType,
)
from contractvm.wasm.opcodes import BY_CODE, BY_NAME
from contractvm.wasm.sections import BLOCK, ELSE, END, IF, LOOP, Plan, plan, prices

_REF_FUNC = BY_NAME["ref.func"].code
GAS_COLUMN = 44


def disassemble(module: Module, rules: Rules, function: int | None = None) -> Iterator[str]:
    """Yield lines of text for a valid module, or for one defined function by its index in the whole index space."""
    types, price = _type_indices(module), prices(rules)
    if function is not None:
        yield from _function(module, function, types, price)
        return
    yield "(module"
    for number, type_ in enumerate(module.types):
        yield f"  (type (;{number};) (func{_params_results(type_)}))"
    yield from _imports(module)
    first = module.imported_functions
    for index in range(first, len(module.func_types)):
        yield from _function(module, index, types, price)
    for table in module.tables:
        yield f"  (table {_table(table)})"
    for memory in module.memories:
        yield f"  (memory {_limit(memory)})"
    for definition in module.globals:
        yield f"  (global {_global(definition.type)} {_constant(definition.init)})"
    for export in module.exports:
        yield f"  (export {_string(export.name.encode())} ({KIND_NAMES[export.kind]} {export.index}))"
    if module.start is not None:
        yield f"  (start {module.start})"
    for element in module.elements:
        yield f"  (elem {_element(element)})"
    for segment in module.data:
        where = "" if segment.at is None else f"(offset {_constant(segment.at)}) "
        yield f"  (data {where}{_string(segment.content)})"
    for custom in module.customs:
        yield f"  ;; custom section {custom.name!r}, {len(custom.content)} bytes at {custom.offset:#x}"
    yield ")"


def _imports(module: Module) -> Iterator[str]:
    functions = 0
    for wanted in module.imports:
        match wanted.desc:
            case int() as index:
                desc = f"func (;{functions};) (type {index})"
                functions += 1
            case TableType() as table:
                desc = f"table {_table(table)}"
            case Limit() as memory:
                desc = f"memory {_limit(memory)}"
            case GlobalType() as type_:
                desc = f"global {_global(type_)}"
        yield f"  (import {_string(wanted.module.encode())} {_string(wanted.name.encode())} ({desc}))"


def _function(module: Module, index: int, types: Mapping[FuncType, int], price: Mapping[int, int]) -> Iterator[str]:
    function: Function = module.functions[index - module.imported_functions]
    type_ = module.signature(index)
    analysis = plan(module, index, price)
    name = module.names.get(index)
    title = f"function {index}" + (f" {name!r}" if name else "")
    yield f"  ;; {title}: {function.size} bytes at {function.offset:#x}, frame weight {analysis.weight}"
    yield f"  (func (;{index};) (type {function.type_index}){_params_results(type_)}"
    if function.locals:
        yield f"    (local {' '.join(TYPE_NAMES[t] for t in function.locals)})"
    yield from _body(function.code, analysis, types)
    yield "  )"


def _type_indices(module: Module) -> Mapping[FuncType, int]:
    """The first index of each type."""
    return {type_: index for index, type_ in reversed(list(enumerate(module.types)))}


def _body(code: Code, analysis: Plan, types: Mapping[FuncType, int]) -> Iterator[str]:
    """Yield the instructions, indented by nesting; the `end` of the function belongs to the closing bracket."""
    depth = 0
    last = len(code.ops) - 1
    for i, (op, imm) in enumerate(zip(code.ops, code.imms, strict=True)):
        if op in (END, ELSE):
            depth -= 1
        run = analysis.run_at.get(i)
        note = ""
        if run is not None and (run.cost or run.count):
            note = f"{_gas(run.cost)} gas for {run.count}"
        elif not analysis.live[i] and op not in (END, ELSE):
            note = "unreachable"
        if i == last:
            if note:
                yield f"    ;; {note}"
            return
        text = "    " + "  " * depth + f"{BY_CODE[op].name.removesuffix(' t')}{_immediate(types, op, imm)}"
        yield f"{text:<{GAS_COLUMN}} ;; {code.offsets[i]:#x}{': ' + note if note else ''}"
        if op in (BLOCK, LOOP, IF, ELSE):
            depth += 1


def _gas(milligas: int) -> str:
    whole, rest = divmod(milligas, 1000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".") if rest else str(whole)


def _immediate(types: Mapping[FuncType, int], op: int, imm: Any) -> str:
    """The immediates of an instruction as text, with a leading space."""
    row = BY_CODE[op]
    match row.imm:
        case "" | "memory" | "memory_memory":
            return ""
        case "block":
            return _block_type(types, imm)
        case "labels":
            return " " + " ".join(str(label) for label in imm)
        case "type_table":
            return f" {imm[1]} (type {imm[0]})"
        case "memarg":
            align, offset = imm
            shown = f" offset={offset}" if offset else ""
            return shown + (f" align={1 << align}" if 1 << align != row.width else "")
        case "types":
            return "".join(f" (result {TYPE_NAMES[t]})" for t in imm)
        case "i32":
            return f" {imm - (imm >> 31 << 32)}"
        case "i64":
            return f" {imm - (imm >> 63 << 64)}"
        case "reftype":
            return " extern" if imm == EXTERNREF else " func"
        case "elem_table":
            return f" {imm[1]} {imm[0]}"
        case "table_table":
            return f" {imm[0]} {imm[1]}"
        case _:
            return f" {imm}"


def _block_type(types: Mapping[FuncType, int], type_: FuncType) -> str:
    if not type_.params and len(type_.results) <= 1:
        return _params_results(type_)
    return f" (type {types[type_]})"


def _params_results(type_: FuncType) -> str:
    text = ""
    for word, types in (("param", type_.params), ("result", type_.results)):
        if types:
            text += f" ({word} {' '.join(TYPE_NAMES[t] for t in types)})"
    return text


def _limit(limit: Limit) -> str:
    return f"{limit.minimum}" if limit.maximum is None else f"{limit.minimum} {limit.maximum}"


def _table(table: TableType) -> str:
    return f"{_limit(table.limit)} {TYPE_NAMES[table.element]}"


def _global(type_: GlobalType) -> str:
    return f"(mut {TYPE_NAMES[type_.value]})" if type_.mutable else TYPE_NAMES[type_.value]


def _constant(code: Code) -> str:
    """A constant expression on one line, without its `end`."""
    parts = []
    for op, imm in list(zip(code.ops, code.imms, strict=True))[:-1]:
        parts.append(f"{BY_CODE[op].name}{_immediate(_NO_BLOCKS, op, imm)}")
    return " ".join(parts)


_NO_BLOCKS: Mapping[FuncType, int] = MappingProxyType({})
"""Constant expressions have no blocks."""


def _element(element: Element) -> str:
    head = ""
    if element.at is not None:
        head = f"(table {element.table}) (offset {_constant(element.at)}) "
    elif element.mode == "declarative":
        head = "declare "
    if all(item.ops[0] == _REF_FUNC for item in element.items) and element.type != EXTERNREF:
        return head + "func" + "".join(f" {item.imms[0]}" for item in element.items)
    return head + TYPE_NAMES[element.type] + "".join(f" (item {_constant(item)})" for item in element.items)


def _string(content: bytes) -> str:
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:02x}" for b in content) + '"'
