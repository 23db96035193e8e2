"""Counts gas the slow way: one instruction at a time, price by price, told by the reference tier's trace.

Independent of runs and refunds on purpose: it knows the table, the schedule and the operands on the stack, nothing of
`sections`. Source: design of the engine, "Gas". Never: reads the meter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contractvm.rules import Rules
from contractvm.wasm.externs import PAGE
from contractvm.wasm.instance import Instance
from contractvm.wasm.opcodes import BY_NAME, OPS

BYTES = frozenset({"memory.init", "memory.copy", "memory.fill"})
CALLS = frozenset({"call", "call_indirect", "return_call", "return_call_indirect"})
FREE_LOCALS = 32
STRUCTURE = frozenset(op.code for op in OPS if op.cost == "wasm.structure")
ENTRIES = frozenset({"table.init", "table.copy", "table.fill"})


@dataclass(slots=True)
class NaiveMeter:
    """Sums milligas and instructions of everything traced. Set `instance` before what it sums is looked at.

    While a start function runs there is no instance to set yet; growing is not counted then.
    """

    rules: Rules
    instance: Instance | None = None
    milligas: int = 0
    instructions: int = 0
    dynamic: int = 0
    """What the last instruction's operands cost."""
    entering: bool = True
    """Whether the next instruction may be a function's first."""

    def reset(self) -> None:
        """Count another call from outside."""
        self.milligas = self.instructions = 0
        self.entering = True

    def trace(self, function: int, offset: int, name: str, immediate: object, left: int, stack: list[Any]) -> None:
        """The trace callback: called before an instruction with the operands it will take."""
        milli = self.rules.schedule.milli
        self.milligas += milli(BY_NAME[name].cost)
        self.instructions += BY_NAME[name].cost != "wasm.structure"
        self.dynamic = 0
        if self.entering and self.instance is not None:
            self.milligas += self._locals(function, offset) * milli("wasm.frame.local")
        self.entering = name in CALLS
        if name in BYTES:
            self.dynamic = stack[-1] * milli("wasm.bulk_byte")
        elif name in ENTRIES:
            self.dynamic = stack[-1] * milli("wasm.table_entry")
        elif name == "memory.grow":
            self.dynamic = self._pages(stack[-1]) * milli("wasm.page")
        elif name == "table.grow":
            self.dynamic = self._entries(stack[-1], immediate) * milli("wasm.table_entry")
        self.milligas += self.dynamic

    def _locals(self, index: int, offset: int) -> int:
        """Declared locals to be paid for, if this is the first instruction of a function that has any."""
        compiled = self.instance.compiled if self.instance is not None else None
        if compiled is None or index < compiled.module.imported_functions:
            return 0
        function = compiled.function(index)
        code = function.code
        first = next(at for op, at in zip(code.ops, code.offsets, strict=True) if op not in STRUCTURE)
        return max(0, len(function.locals) - FREE_LOCALS) if offset == first else 0

    def _pages(self, asked: int) -> int:
        """Pages that a growth will be granted: all or none."""
        memory = self.instance.memory if self.instance is not None else None
        if memory is None:
            return 0
        return asked if len(memory.data) // PAGE + asked <= memory.ceiling else 0

    def _entries(self, asked: int, table: object) -> int:
        if self.instance is None or not isinstance(table, int):
            return 0
        found = self.instance.tables[table]
        return asked if len(found.entries) + asked <= found.ceiling else 0
