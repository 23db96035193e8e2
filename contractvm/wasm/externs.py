"""What modules import and export: functions, memories, tables, globals. The store of the specification's section 4.2.3.

Values that generated code touches on every access (memory bytes, globals) live in cells, so that a function of the
portable tier closes over the very thing and instances share it when they link. Never: gas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import CellType
from typing import TYPE_CHECKING, Any, TypeAlias

from contractvm.dataclass import dataclass
from contractvm.errors import Fatal
from contractvm.machine import PageBudget
from contractvm.wasm import zeros
from contractvm.wasm.module import FuncType, GlobalType, Limit, TableType

if TYPE_CHECKING:
    from contractvm.wasm.instance import Instance

PAGE = 65_536
MAX_PAGES = 65_536
MAX_ENTRIES = 0xFFFF_FFFF


class Memory:
    """A linear memory. `data` keeps its identity for life; only its length grows. Sizes are in pages."""

    __slots__ = ("_least", "budget", "ceiling", "cell", "data", "limit")

    def __init__(self, limit: Limit, ceiling: int = MAX_PAGES, budget: PageBudget | None = None) -> None:
        """`ceiling` cuts the declared maximum; `budget`, when given, is asked for every page grown."""
        self.limit = limit
        self.ceiling = ceiling if limit.maximum is None else min(ceiling, limit.maximum)
        self.budget = budget
        self._least = limit.minimum * PAGE
        self.data = bytearray(self._least)
        self.cell = CellType(self.data)

    @property
    def pages(self) -> int:
        return len(self.data) // PAGE

    def shrink(self) -> None:
        """Let go of what was grown; what is left is not cleared yet."""
        if len(self.data) > self._least:
            del self.data[self._least :]

    def reset(self, budget: PageBudget | None) -> None:
        """Make the memory as it was when new, for another owner."""
        self.budget = budget
        zeros.renew(self.data, self._least)

    def can_grow(self, pages: int) -> bool:
        """Whether `pages` more fit the maximum and the transaction's budget."""
        return self.pages + pages <= self.ceiling and (self.budget is None or pages <= self.budget.left)

    def grow(self, pages: int) -> int:
        """Add zeroed pages and return the old size, or -1 and change nothing."""
        if not self.can_grow(pages) or (self.budget is not None and not self.budget.take(pages)):
            return -1
        old = self.pages
        zeros.extend(self.data, pages * PAGE)
        return old


class Table:
    """References by index; None is null."""

    __slots__ = ("ceiling", "entries", "type")

    def __init__(self, type_: TableType, ceiling: int = MAX_ENTRIES) -> None:
        self.type = type_
        self.ceiling = ceiling if type_.limit.maximum is None else min(ceiling, type_.limit.maximum)
        self.entries: list[object] = [None] * type_.limit.minimum

    def reset(self) -> None:
        """Make the table as it was when new."""
        self.entries[:] = [None] * self.type.limit.minimum

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

    `body` is the same without the loop that makes tail calls: it may return a `Tail`. `key` is `signature_key` of
    the type. A function of the host has no instance, and `host` takes its operands alone.
    """

    __slots__ = ("body", "call", "host", "index", "instance", "key", "type")

    def __init__(
        self,
        type_: FuncType,
        key: str,
        instance: Instance | None,
        index: int,
        call: Callable[..., Any],
        body: Callable[..., Any] | None = None,
    ) -> None:
        self.type = type_
        self.key = key
        self.instance = instance
        self.index = index
        self.host: Callable[..., Any] | None = None
        self.call = call
        self.body = body or call

    @classmethod
    def of_import(cls, type_: FuncType, key: str, index: int, imported: Sequence[Any]) -> Func:
        """The host's function that an instance imports at an index, whichever it is when called, as a reference."""
        names = len(type_.params)
        function = cls(type_, key, None, index, template(_FROM_LIST, names)(imported, index))
        function.host = template(_FROM_LIST_BARE, names)(imported, index)
        return function


@cache
def template(text: str, operands: int) -> Callable[..., Any]:
    """Make `make` of a source text for a fixed number of operands, `{names}`; `{weight}` adds the stack weight.

    Fixed, because a call with unpacked arguments runs on the C stack before Python 3.12, and calls nest deep.
    """
    names = [f"a{n}" for n in range(operands)]
    namespace: dict[str, Any] = {}
    exec(text.format(names=", ".join(names), weight=", ".join([*names, "sp"])), namespace)
    return namespace["make"]  # type: ignore[no-any-return]


_FROM_LIST = """
def make(imported, index):
    def adapted({weight}):
        return imported[index]({names})
    return adapted
"""
_FROM_LIST_BARE = """
def make(imported, index):
    def adapted({names}):
        return imported[index]({names})
    return adapted
"""


def unlinked(*operands: object) -> object:
    raise Fatal("a function was entered on a tier that does not enter it this way")


Extern: TypeAlias = HostFunction | Func | Memory | Table | Global
