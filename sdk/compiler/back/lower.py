"""From the typed tree to a module: the parts of the back end put together.

Source: docs/language.md. Never: writes code itself; each part knows its own nodes.
"""

from __future__ import annotations

from contractvm.dataclass import dataclass
from sdk.compiler.back import dispatch, functions
from sdk.compiler.back.asm import Assembly
from sdk.compiler.back.link import Linked, link
from sdk.compiler.back.tables import TABLES
from sdk.compiler.back.writer import Unit
from sdk.compiler.tree import Program


@dataclass(frozen=True, slots=True)
class Generated:
    """A module in bytes without custom sections, and what debuggers want to know."""

    linked: Linked
    functions: tuple[str, ...]
    """Names of the module's own functions, in order; imports come before them."""

    @property
    def module(self) -> bytes:
        return self.linked.module


def generate(program: Program) -> Generated:
    """Make a module of a contract."""
    unit = Unit(program, Assembly(), TABLES)
    for function in program.functions:
        functions.declare(unit, function)
    dispatch.write(unit)
    for function in program.functions:
        functions.write(unit, function)
    linked = link(unit.assembly)
    return Generated(linked, tuple(defined.name for defined in unit.assembly.functions))
