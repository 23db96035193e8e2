"""Feature switches: what a module may use under `Rules` that leave some proposals out.

Rules that leave none out (the ordinary case) pay nothing for this.
Source: the proposals' overviews, for what each adds to WebAssembly 1.0.
Never: types anything.
"""

from __future__ import annotations

from collections.abc import Iterator

from contractvm.errors import Invalid, Place
from contractvm.rules import FEATURES, Rules
from contractvm.wasm.module import EXTERNREF, GLOBAL, Code, FuncType, GlobalType, Module
from contractvm.wasm.opcodes import BY_CODE, OPS

_EXTENDED_CONST = frozenset({"i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul"})


def check_features(module: Module, rules: Rules) -> None:
    """Raises: Invalid at the first use of a feature that the rules switch off."""
    off = FEATURES - rules.features
    if not off:
        return
    for feature, what, place in _declarations(module):
        if feature in off:
            raise Invalid(f"feature {feature} is off under rules {rules.name!r}: {what}", place)
    banned = {op.code: op.feature for op in OPS if op.feature in off}
    for index, function in enumerate(module.functions, module.imported_functions):
        for op, imm, offset in zip(function.code.ops, function.code.imms, function.code.offsets, strict=True):
            needed = banned.get(op) or _by_immediate(op, imm)
            if needed in off:
                place = Place(offset, index, module.names.get(index))
                raise Invalid(f"feature {needed} is off under rules {rules.name!r}: {BY_CODE[op].name}", place)


def _by_immediate(op: int, imm: object) -> str | None:
    """The feature that an instruction of 1.0 needs for its immediate."""
    if isinstance(imm, FuncType) and (imm.params or len(imm.results) > 1):
        return "multi-value"
    if BY_CODE[op].imm == "type_table" and isinstance(imm, tuple) and imm[1] != 0:
        return "reference-types"
    return None


def _constants(module: Module) -> Iterator[Code]:
    yield from (g.init for g in module.globals)
    yield from (d.at for d in module.data if d.at is not None)
    for segment in module.elements:
        if segment.at is not None:
            yield segment.at
        yield from segment.items


def _has_passive(module: Module) -> bool:
    return any(d.mode != "active" for d in module.data) or any(e.mode != "active" for e in module.elements)


def _declarations(module: Module) -> Iterator[tuple[str, str, Place]]:
    """Yield (feature, what uses it, where) for everything outside of function bodies."""
    nowhere = Place()
    for type_ in module.types:
        if len(type_.results) > 1:
            yield "multi-value", f"type {type_}", nowhere
        if any(t <= 0x70 for t in type_.params + type_.results):
            yield "reference-types", f"type {type_}", nowhere
    for entry in module.imports:
        if entry.kind == GLOBAL and isinstance(entry.desc, GlobalType) and entry.desc.mutable:
            yield "mutable-globals", f"import {entry.module}.{entry.name}", Place(entry.offset)
    for export in module.exports:
        if export.kind == GLOBAL and module.global_types[export.index].mutable:
            yield "mutable-globals", f"export {export.name}", Place(export.offset)
    for global_ in module.global_types:
        if global_.value <= 0x70:
            yield "reference-types", "a global that holds a reference", nowhere
    if len(module.table_types) > 1 or any(t.element == EXTERNREF for t in module.table_types):
        yield "reference-types", "several tables, or a table of externref", nowhere
    if module.data_count is not None or _has_passive(module):
        yield "bulk-memory", "passive segments or a data count", nowhere
    for code in _constants(module):
        if any(BY_CODE[op].name in _EXTENDED_CONST for op in code.ops):
            yield "extended-const", "arithmetic in a constant expression", Place(code.offsets[0])
