"""A module's object in this process: mapped, with what the contexts of its instances have in common.

Source: design of the engine; `native.context` has the fields. Never: compiles, or looks for an object.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from functools import cache
from mmap import mmap
from typing import Any

from contractvm.native import context, stack
from contractvm.native.context import API_SYMBOL, METHOD_BYTES, METHODS_SYMBOL, OFFSET, WORD
from contractvm.native.loader import load
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.llvmlayout import layout

Builtin = Callable[..., Any]


class Context(bytearray):
    """An instance's context. Builtins hold it, and it holds the code they run and all that its fields point to."""

    __slots__ = ("cell", "code", "host", "kept", "memory")

    cell: object
    code: NativeCode
    host: object
    kept: tuple[object, ...]
    memory: object


class NativeCode:
    """A module's object, mapped and ready for its instances, with what their contexts have in common."""

    __slots__ = ("at", "blank", "effects", "first_globals", "first_values", "layout", "loaded", "size", "words")

    def __init__(self, compiled: Compiled, data: bytes) -> None:
        """Map an object that was compiled from this module under these rules. Raises: BadObject, NoExecutableMemory."""
        where = self.layout = layout(compiled)
        self.loaded = load(data, {API_SYMBOL: context.api()})
        self.size = len(data)
        methods = self.loaded.symbols[METHODS_SYMBOL]
        self.at = {index: methods + METHOD_BYTES * n for n, index in enumerate(where.entries)}
        """Address of the PyMethodDef of each function that can be entered."""
        self.effects = tuple(sorted(where.effects, key=where.effects.__getitem__))
        self.words = struct.Struct(f"<{len(where.effects) + compiled.module.imported_functions}Q")
        """The addresses of what compiled code calls: the imports, then the effects."""
        blank = bytearray(where.size)
        for field, value in (
            ("slice", context.SLICE),
            ("stack_need", stack.need(compiled.rules.limits.stack_weight)),
            ("tick", id(tick)),
        ):
            struct.pack_into("<Q", blank, OFFSET[field], value)
        self.first_globals: slice | None = None
        """Where the globals lie, when their first values are in `blank`."""
        values = compiled.beginning.globals
        if values is not None and not any(place.cell for place in where.globals):
            for place, value in zip(where.globals, values, strict=True):
                struct.pack_into("<Q", blank, place.at, value)
            if values:
                self.first_globals = slice(where.globals[0].at, where.globals[-1].at + WORD)
        self.first_values = blank[self.first_globals] if self.first_globals is not None else bytearray()
        """What is there then; a bytearray, because an assignment to another copies anything else twice."""
        self.blank = bytes(blank)


def tick() -> None:
    """Called between slices of gas: on the way into a Python function CPython sees to signals and other threads."""


@cache
def new_builtin() -> Callable[[int, Context, mmap], Builtin]:
    """CPython's PyCFunction_NewEx: address of the PyMethodDef, self, module.

    As the module it gets the pages that the PyMethodDef is in (see `Loaded.pages`).
    """
    kind = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object)
    return kind(("PyCFunction_NewEx", ctypes.pythonapi))
