"""Validates a module: types and indices of everything, with the limits of `Rules` on memories and tables.

Source: WebAssembly core specification, section 3.5 (modules); reasons are worded as its test suite words them.
Never: asks what a contract may import or export (the machine's business), or what decoding has checked.
"""

from __future__ import annotations

from contractvm.errors import Invalid, Place
from contractvm.rules import Limits, Rules
from contractvm.wasm.module import (
    FUNC,
    FUNCREF,
    GLOBAL,
    I32,
    KIND_NAMES,
    MEMORY,
    TABLE,
    Code,
    Element,
    FuncType,
    Limit,
    Module,
    TableType,
)
from contractvm.wasm.opcodes import BY_CODE, BY_NAME
from contractvm.wasm.operands import type_name
from contractvm.wasm.validate_body import Checker
from contractvm.wasm.validate_features import check_features

MAX_PAGES = 65_536
"""Of 64 KiB: what 32-bit addresses reach."""

_GLOBAL_GET, _REF_FUNC, _END = (BY_NAME[n].code for n in ("global.get", "ref.func", "end"))
_CONSTANT = frozenset(
    BY_NAME[name].code
    for name in (
        *("i32.const", "i64.const", "ref.null", "ref.func", "global.get", "end"),
        *("i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul"),
    )
)


def validate(module: Module, rules: Rules) -> None:
    """Check a decoded module. Raises: Invalid with the function, byte and reason of the first error."""
    _types(module)
    _tables(module.table_types, rules.limits)
    _memories(module.memory_types, rules.limits)
    _exports(module)
    constants = _Constants(module, rules.limits)
    declared = constants.check()
    _start(module)
    check_features(module, rules)
    checker = Checker(module, declared, rules.limits.carried_operands)
    for index, function in enumerate(module.functions, module.imported_functions):
        signature = module.signature(index)
        checker.check(function.code, signature.params + function.locals, signature.results, index)


def _types(module: Module) -> None:
    for entry in module.imports:
        if entry.kind == FUNC and isinstance(entry.desc, int) and entry.desc >= len(module.types):
            raise Invalid(f"unknown type {entry.desc}: import {entry.module}.{entry.name}", Place(entry.offset))
    for index, type_index in enumerate(module.func_types):
        if type_index >= len(module.types):
            raise Invalid(f"unknown type {type_index}", Place(None, index, module.names.get(index)))


def _ordered(limit: Limit) -> None:
    if limit.maximum is not None and limit.minimum > limit.maximum:
        raise Invalid(f"size minimum must not be greater than maximum: {limit.minimum} > {limit.maximum}")


def _tables(tables: list[TableType], limits: Limits) -> None:
    for index, table in enumerate(tables):
        _ordered(table.limit)
        if table.limit.minimum > limits.table_entries:
            size = f"{table.limit.minimum} entries, the limit is {limits.table_entries}"
            raise Invalid(f"table {index} too large: {size}")


def _memories(memories: list[Limit], limits: Limits) -> None:
    if len(memories) > 1:
        raise Invalid("multiple memories: multi-memory is not in the profile")
    for memory in memories:
        if max(memory.minimum, memory.maximum or 0) > MAX_PAGES:
            raise Invalid("memory size must be at most 65536 pages (4 GiB)")
        _ordered(memory)
        if memory.minimum > limits.memory_pages:
            raise Invalid(f"memory too large: {memory.minimum} pages, the limit is {limits.memory_pages}")


def _exports(module: Module) -> None:
    sizes = {
        FUNC: len(module.func_types),
        TABLE: len(module.table_types),
        MEMORY: len(module.memory_types),
        GLOBAL: len(module.global_types),
    }
    names: set[str] = set()
    for export in module.exports:
        if export.name in names:
            raise Invalid(f"duplicate export name {export.name!r}", Place(export.offset))
        names.add(export.name)
        if export.index >= sizes[export.kind]:
            kind = "function" if export.kind == FUNC else KIND_NAMES[export.kind]
            raise Invalid(f"unknown {kind} {export.index}: export {export.name!r}", Place(export.offset))


def _start(module: Module) -> None:
    index = module.start
    if index is None:
        return
    if index >= len(module.func_types):
        raise Invalid(f"unknown function {index}: start function")
    if module.signature(index) != FuncType((), ()):
        place = Place(None, index, module.names.get(index))
        raise Invalid(f"start function must take and leave nothing, not {module.signature(index)}", place)


class _Constants:
    """Checks everything that stands in constant expressions, and gathers the functions referred to."""

    def __init__(self, module: Module, limits: Limits) -> None:
        self.module = module
        self.referenced = {e.index for e in module.exports if e.kind == FUNC}
        everything = frozenset(range(len(module.func_types)))
        self.checker = Checker(module, everything, limits.carried_operands)

    def check(self) -> frozenset[int]:
        """Check globals, elements, data. Returns: the functions that bodies may take references to."""
        module = self.module
        for index, global_ in enumerate(module.globals, module.imported_globals):
            self.constant(global_.init, global_.type.value, index)
        for number, element in enumerate(module.elements):
            self.element(element, number)
        for data in module.data:
            if data.at is not None:
                if not module.memory_types:
                    raise Invalid("unknown memory 0", Place(data.at.offsets[0]))
                self.constant(data.at, I32, len(module.global_types))
        return frozenset(self.referenced)

    def element(self, element: Element, number: int) -> None:
        tables, visible = self.module.table_types, len(self.module.global_types)
        if element.at is not None:
            place = Place(element.at.offsets[0])
            if element.table >= len(tables):
                raise Invalid(f"unknown table {element.table}: elem segment {number}", place)
            if tables[element.table].element != element.type:
                have, want = type_name(element.type), type_name(tables[element.table].element)
                raise Invalid(f"type mismatch: elem segment {number} of {have} for a table of {want}", place)
            self.constant(element.at, I32, visible)
        for item in element.items:
            if element.type == FUNCREF and item.ops == [_REF_FUNC, _END]:
                self.function(item.imms[0], item.offsets[0])
            else:
                self.constant(item, element.type, visible)

    def function(self, index: object, offset: int) -> None:
        if not isinstance(index, int) or index >= len(self.module.func_types):
            raise Invalid(f"unknown function {index}", Place(offset))
        self.referenced.add(index)

    def constant(self, code: Code, type_: int, visible: int) -> None:
        """Check an expression that leaves one value of `type_` and sees the first `visible` globals."""
        for op, imm, offset in zip(code.ops, code.imms, code.offsets, strict=True):
            if op not in _CONSTANT:
                raise Invalid(f"constant expression required, not {BY_CODE[op].name}", Place(offset))
            if op == _REF_FUNC:
                self.function(imm, offset)
            elif op == _GLOBAL_GET and isinstance(imm, int):
                self.visible(imm, offset, visible)
        self.checker.check(code, (), (type_,), None)

    def visible(self, index: int, offset: int, visible: int) -> None:
        if index >= visible:
            raise Invalid(f"unknown global {index}", Place(offset))
        if self.module.global_types[index].mutable:
            raise Invalid(f"constant expression required, global {index} is mutable", Place(offset))
