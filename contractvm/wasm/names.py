"""Function names for people: the `name` custom section, and what stands in where it is missing.

Source: WebAssembly core specification, appendix "Custom Sections" (7.4.1, name section).
Never: decides anything. A broken name section is no error, it is ignored.
"""

from __future__ import annotations

from contractvm.errors import ModuleError
from contractvm.wasm.binary import U32, Reader
from contractvm.wasm.module import FUNC, Module

SECTION = "name"
_FUNCTION_NAMES = 1


def function_names(content: bytes) -> dict[int, str]:
    """Read function names by index from a name section's content; none from one that is broken."""
    names: dict[int, str] = {}
    r = Reader(content)
    try:
        while r.left:
            kind = r.byte()
            part = r.slice(r.length())
            if kind == _FUNCTION_NAMES:
                for _ in range(part.count("names", U32)):
                    index = part.u32()
                    names[index] = part.name(U32)
    except ModuleError:
        return {}
    return names


def find(module: bytes) -> dict[int, str]:
    """Look for a name section in a module that could not be decoded: section by section, as far as it goes."""
    r = Reader(module)
    try:
        r.take(8)
        while r.left:
            kind = r.byte()
            section = r.slice(r.length())
            if kind == 0 and section.name(U32) == SECTION:
                return function_names(section.take(section.left))
    except ModuleError:
        pass
    return {}


def debug_names(module: Module) -> dict[int, str]:
    """Collect names by function index: imports' and exports' names, overruled by the name section's."""
    names: dict[int, str] = {}
    index = 0
    for entry in module.imports:
        if entry.kind == FUNC:
            names[index] = f"{entry.module}.{entry.name}"
            index += 1
    for export in module.exports:
        if export.kind == FUNC:
            names.setdefault(export.index, export.name)
    for custom in module.customs:
        if custom.name == SECTION:
            names.update(function_names(custom.content))
    return names
