"""Linking: find what a module imports and hold its type against what is offered.

Source: WebAssembly core specification, section 4.5.3 (external typing) and 3.4.8 (import matching).
Never: instantiates.
"""

from __future__ import annotations

from collections.abc import Mapping

from contractvm.errors import Place, Unlinkable
from contractvm.wasm.externs import Extern, Func, Global, HostFunction, Memory, Table
from contractvm.wasm.module import KIND_NAMES, TYPE_NAMES, GlobalType, Import, Limit, Module, TableType


def resolve(module: Module, wanted: Import, imports: Mapping[tuple[str, str], Extern]) -> Extern:
    """Return the extern that serves an import. Raises: Unlinkable, naming the import and both types."""
    found = imports.get((wanted.module, wanted.name))
    if found is None:
        raise Unlinkable(f"unknown import {_title(wanted)}", Place(wanted.offset))
    complaint = _mismatch(module, wanted, found)
    if complaint:
        raise Unlinkable(f"incompatible import type for {_title(wanted)}: {complaint}", Place(wanted.offset))
    return found


def _title(wanted: Import) -> str:
    return f'{KIND_NAMES[wanted.kind]} "{wanted.module}" "{wanted.name}"'


def _mismatch(module: Module, wanted: Import, found: Extern) -> str:
    """Say what does not fit, or nothing."""
    match wanted.desc, found:
        case int() as index, HostFunction() | Func():
            type_ = module.types[index]
            return "" if type_ == found.type else f"it is {found.type}, wanted is {type_}"
        case TableType(element, limit), Table():
            if element != found.type.element:
                return f"it holds {TYPE_NAMES[found.type.element]}, wanted is {TYPE_NAMES[element]}"
            return _outside(limit, len(found.entries), found.type.limit.maximum, "entries")
        case Limit() as limit, Memory():
            return _outside(limit, found.pages, found.limit.maximum, "pages")
        case GlobalType() as type_, Global():
            if type_ == found.type:
                return ""
            return f"it is {_describe(found.type)}, wanted is {_describe(type_)}"
    return "it is of another kind"


def _describe(type_: GlobalType) -> str:
    return ("mut " if type_.mutable else "") + TYPE_NAMES[type_.value]


def _outside(wanted: Limit, size: int, maximum: int | None, unit: str) -> str:
    if size < wanted.minimum:
        return f"it has {size} {unit}, at least {wanted.minimum} are wanted"
    if wanted.maximum is not None and (maximum is None or maximum > wanted.maximum):
        return f"its maximum is {'open' if maximum is None else maximum} {unit}, at most {wanted.maximum} is wanted"
    return ""
