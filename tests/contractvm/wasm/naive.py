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
from contractvm.wasm.opcodes import BY_NAME

BYTES = frozenset({"memory.init", "memory.copy", "memory.fill"})
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

    def trace(self, function: int, offset: int, name: str, immediate: object, left: int, stack: list[Any]) -> None:
        """The trace callback: called before an instruction with the operands it will take."""
        milli = self.rules.schedule.milli
        self.milligas += milli(BY_NAME[name].cost)
        self.instructions += BY_NAME[name].cost != "wasm.structure"
        self.dynamic = 0
        if name in BYTES:
            self.dynamic = stack[-1] * milli("wasm.bulk_byte")
        elif name in ENTRIES:
            self.dynamic = stack[-1] * milli("wasm.table_entry")
        elif name == "memory.grow":
            self.dynamic = self._pages(stack[-1]) * milli("wasm.page")
        elif name == "table.grow":
            self.dynamic = self._entries(stack[-1], immediate) * milli("wasm.table_entry")
        self.milligas += self.dynamic

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
