"""What modules import and export: functions, memories, tables, globals. The store of the specification's section 4.2.3.

Values that generated code touches on every access (memory bytes, globals) live in cells, so that a function of the portable tier
closes over the very thing and instances share it when they link. Never: gas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import CellType
from typing import TYPE_CHECKING, TypeAlias

from contractvm.machine import PageBudget
from contractvm.wasm.compiled import signature_key
from contractvm.wasm.module import FuncType, GlobalType, Limit, TableType

if TYPE_CHECKING:
    from contractvm.wasm.instance import Instance

PAGE = 65_536
MAX_PAGES = 65_536
MAX_ENTRIES = 0xFFFF_FFFF


class Memory:
    """A linear memory. `data` keeps its identity for life; only its length grows. Sizes are in pages."""

    __slots__ = ("budget", "ceiling", "cell", "limit")

    def __init__(self, limit: Limit, ceiling: int = MAX_PAGES, budget: PageBudget | None = None) -> None:
        """`ceiling` cuts the declared maximum; `budget`, when given, is asked for every page grown."""
        self.limit = limit
        self.ceiling = ceiling if limit.maximum is None else min(ceiling, limit.maximum)
        self.budget = budget
        self.cell = CellType(bytearray(limit.minimum * PAGE))

    @property
    def data(self) -> bytearray:
        return self.cell.cell_contents  # type: ignore[no-any-return]

    @property
    def pages(self) -> int:
        return len(self.cell.cell_contents) // PAGE

    def can_grow(self, pages: int) -> bool:
        """Whether `pages` more fit the maximum and the transaction's budget."""
        return self.pages + pages <= self.ceiling and (self.budget is None or pages <= self.budget.left)

    def grow(self, pages: int) -> int:
        """Add zeroed pages and return the old size, or -1 and change nothing."""
        if not self.can_grow(pages) or (self.budget is not None and not self.budget.take(pages)):
            return -1
        old = self.pages
        self.data.extend(bytes(pages * PAGE))
        return old


class Table:
    """References by index; None is null."""

    __slots__ = ("ceiling", "entries", "type")

    def __init__(self, type_: TableType, ceiling: int = MAX_ENTRIES) -> None:
        self.type = type_
        self.ceiling = ceiling if type_.limit.maximum is None else min(ceiling, type_.limit.maximum)
        self.entries: list[object] = [None] * type_.limit.minimum

    def grow(self, entries: int, value: object) -> int:
        """Add entries and return the old size, or -1 and change nothing."""
        old = len(self.entries)
        if old + entries > self.ceiling:
            return -1
        self.entries.extend([value] * entries)
        return old


class Global:
    """A global variable; importers share its cell."""

    __slots__ = ("cell", "type")

    def __init__(self, type_: GlobalType, value: object) -> None:
        self.type = type_
        self.cell = CellType(value)

    @property
    def value(self) -> object:
        return self.cell.cell_contents


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function of the host: `fn` takes non-negative bit patterns and returns None, one, or a tuple of them."""

    type: FuncType
    fn: Callable[..., object]


class Func:
    """A function instance. `call(*operands, stack weight left)` is how the portable tier enters it.

    `body` is the same without the loop that makes tail calls: it may return a `Tail`.
    """

    __slots__ = ("body", "call", "host", "index", "instance", "key", "type")

    def __init__(
        self, type_: FuncType, instance: Instance | None, index: int, host: Callable[..., object] | None = None
    ) -> None:
        self.type = type_
        self.key = signature_key(type_)
        self.instance = instance
        self.index = index
        self.host = host
        self.call: Callable[..., object] = _without_weight(host) if host is not None else _unlinked
        self.body = self.call


def _without_weight(fn: Callable[..., object]) -> Callable[..., object]:
    """Adapt a host function to callers that pass the stack weight left as the last operand."""

    def adapted(*operands: object) -> object:
        return fn(*operands[:-1])

    return adapted


def _unlinked(*operands: object) -> object:
    raise RuntimeError("function entered before its instance was linked")


Extern: TypeAlias = HostFunction | Func | Memory | Table | Global
