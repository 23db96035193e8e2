"""The host module `spectest` that specification scripts import.

Source: WebAssembly/spec, `interpreter/host/spectest.ml`. Its float parts are there as `FloatPart`s, which match no
import of the profile: what imports one ends in "incompatible import type" as it should, never in "unknown import".
Never: prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from contractvm.wasm.externs import Extern, Global, HostFunction, Memory, Table
from contractvm.wasm.module import FUNCREF, I32, I64, FuncType, GlobalType, Limit, TableType

MEMORY_PAGES = Limit(1, 2)
TABLE_ENTRIES = Limit(10, 20)


@dataclass(frozen=True, slots=True)
class FloatPart:
    """A float function or global of `spectest`: an extern of no kind that an engine without floats knows."""

    name: str


def _print(*values: int) -> None:
    """Take any values and return none: scripts assert nothing about what is printed."""


def externs() -> dict[tuple[str, str], Extern]:
    """A fresh `spectest`: its memory and table are one script's own."""
    module: dict[str, Extern] = {
        "print": HostFunction(FuncType((), ()), _print),
        "print_i32": HostFunction(FuncType((I32,), ()), _print),
        "print_i64": HostFunction(FuncType((I64,), ()), _print),
        "global_i32": Global(GlobalType(I32, False), 666),
        "global_i64": Global(GlobalType(I64, False), 666),
        "memory": Memory(MEMORY_PAGES),
        "table": Table(TableType(FUNCREF, TABLE_ENTRIES)),
    }
    for name in ("print_f32", "print_f64", "print_i32_f32", "print_f64_f64", "global_f32", "global_f64"):
        module[name] = cast(Extern, FloatPart(name))
    return {("spectest", name): extern for name, extern in module.items()}
