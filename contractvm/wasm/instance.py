"""An instance: a module's functions, memory, tables and globals, and the instructions that act on them.

Every tier calls the methods here for memory growth, bulk and table operations, so that their meaning, their traps and
their dynamic prices exist once. A bulk operation is charged from its operands first, then checked, then done; nothing is
written when it traps. Source: WebAssembly core specification, sections 4.4.6, 4.4.7 (table and memory instructions) and
4.5.4 (instantiation). Never: runs a function body itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contractvm.errors import OutOfGas, Trap, TrapCode
from contractvm.machine import PageBudget
from contractvm.rules import Rules
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.constant import evaluate
from contractvm.wasm.externs import Extern, Func, Global, HostFunction, Memory, Table
from contractvm.wasm.link import resolve
from contractvm.wasm.module import FUNC, GLOBAL, MEMORY, TABLE
from gas.meter import GasExhausted, Meter

FAILED = 0xFFFF_FFFF
"""What memory.grow and table.grow answer when they cannot: -1 as an i32."""


@dataclass(frozen=True, slots=True)
class DynamicPrices:
    """Milligas for what depends on operands."""

    page: int
    byte: int
    entry: int

    @classmethod
    def of(cls, rules: Rules) -> DynamicPrices:
        milli = rules.schedule.milli
        return cls(milli("wasm.page"), milli("wasm.bulk_byte"), milli("wasm.table_entry"))


class Instance:
    """A module instance. Functions are `Func`s whose `call` the tier fills in."""

    __slots__ = (
        "compiled",
        "data",
        "elements",
        "exports",
        "functions",
        "globals",
        "memory",
        "meter",
        "prices",
        "tables",
    )

    def __init__(
        self,
        compiled: Compiled,
        imports: Mapping[tuple[str, str], Extern],
        meter: Meter,
        budget: PageBudget | None = None,
    ) -> None:
        """Link and allocate; `initialize` then writes the segments. Raises: Unlinkable."""
        module, rules = compiled.module, compiled.rules
        self.compiled = compiled
        self.meter = meter
        self.prices = DynamicPrices.of(rules)
        self.functions: list[Func] = []
        self.tables: list[Table] = []
        self.globals: list[Global] = []
        memories: list[Memory] = []
        for wanted in module.imports:
            match resolve(module, wanted, imports):
                case HostFunction(type_, fn):
                    self.functions.append(Func(type_, None, len(self.functions), fn))
                case Func() as function:
                    self.functions.append(function)
                case Table() as table:
                    self.tables.append(table)
                case Memory() as memory:
                    memories.append(memory)
                case Global() as global_:
                    self.globals.append(global_)
        for index in range(len(self.functions), len(module.func_types)):
            self.functions.append(Func(module.signature(index), self, index))
        self.tables += [Table(t, rules.limits.table_entries) for t in module.tables]
        memories += [Memory(limit, rules.limits.memory_pages, budget) for limit in module.memories]
        self.memory = memories[0] if memories else None
        for definition in module.globals:
            value = evaluate(definition.init, self.globals, self.functions)
            self.globals.append(Global(definition.type, value))
        self.elements: list[list[object]] = []
        self.data: list[bytes] = []
        spaces: dict[int, list[Extern]] = {
            FUNC: list(self.functions),
            TABLE: list(self.tables),
            MEMORY: list(memories),
            GLOBAL: list(self.globals),
        }
        self.exports: dict[str, Extern] = {e.name: spaces[e.kind][e.index] for e in module.exports}

    @property
    def instructions(self) -> int:
        """Instructions executed on this meter, where the tier counts them."""
        return self.meter.count.cell_contents  # type: ignore[no-any-return]

    def initialize(self) -> None:
        """Write the active segments in order; earlier ones stay written when a later one traps. Raises: Trap."""
        module = self.compiled.module
        for element in module.elements:
            items = [evaluate(item, self.globals, self.functions) for item in element.items]
            self.elements.append(items)
        self.data.extend(segment.content for segment in module.data)
        for number, element in enumerate(module.elements):
            if element.mode == "active" and element.at is not None:
                at = evaluate(element.at, self.globals, self.functions)
                self._table_init(at, 0, len(element.items), number, element.table)
            if element.mode != "passive":
                self.elements[number] = []
        for number, segment in enumerate(module.data):
            if segment.mode == "active" and segment.at is not None:
                at = evaluate(segment.at, self.globals, self.functions)
                self._memory_init(at, 0, len(segment.content), number)
                self.data[number] = b""

    def charge(self, milligas: int) -> None:
        """Charge the meter. Raises: OutOfGas."""
        try:
            self.meter.charge(milligas)
        except GasExhausted:
            raise OutOfGas from None

    # Memory instructions.

    def memory_grow(self, pages: int) -> int:
        """Grow by `pages` for their price, or answer -1 for nothing when the limits do not allow it."""
        memory = self._memory()
        if not memory.can_grow(pages):
            return FAILED
        self.charge(pages * self.prices.page)
        return memory.grow(pages) & FAILED

    def memory_fill(self, at: int, value: int, count: int) -> None:
        self.charge(count * self.prices.byte)
        data = self._memory().data
        if at + count > len(data):
            raise Trap(TrapCode.MEMORY_OUT_OF_BOUNDS)
        data[at : at + count] = bytes((value & 0xFF,)) * count

    def memory_copy(self, to: int, source: int, count: int) -> None:
        self.charge(count * self.prices.byte)
        data = self._memory().data
        if to + count > len(data) or source + count > len(data):
            raise Trap(TrapCode.MEMORY_OUT_OF_BOUNDS)
        data[to : to + count] = data[source : source + count]

    def memory_init(self, to: int, source: int, count: int, segment: int) -> None:
        self.charge(count * self.prices.byte)
        self._memory_init(to, source, count, segment)

    def _memory_init(self, to: int, source: int, count: int, segment: int) -> None:
        data, content = self._memory().data, self.data[segment]
        if source + count > len(content) or to + count > len(data):
            raise Trap(TrapCode.MEMORY_OUT_OF_BOUNDS)
        data[to : to + count] = content[source : source + count]

    def data_drop(self, segment: int) -> None:
        self.data[segment] = b""

    def _memory(self) -> Memory:
        if self.memory is None:
            raise Trap(TrapCode.MEMORY_OUT_OF_BOUNDS, "the module has no memory")
        return self.memory

    # Table instructions.

    def table_get(self, at: int, table: int) -> object:
        entries = self.tables[table].entries
        if at >= len(entries):
            raise Trap(TrapCode.TABLE_OUT_OF_BOUNDS)
        return entries[at]

    def table_set(self, at: int, value: object, table: int) -> None:
        entries = self.tables[table].entries
        if at >= len(entries):
            raise Trap(TrapCode.TABLE_OUT_OF_BOUNDS)
        entries[at] = value

    def table_size(self, table: int) -> int:
        return len(self.tables[table].entries)

    def table_grow(self, value: object, count: int, table: int) -> int:
        """Grow by `count` for their price, or answer -1 for nothing when the limits do not allow it."""
        target = self.tables[table]
        if len(target.entries) + count > target.ceiling:
            return FAILED
        self.charge(count * self.prices.entry)
        return target.grow(count, value) & FAILED

    def table_fill(self, at: int, value: object, count: int, table: int) -> None:
        self.charge(count * self.prices.entry)
        entries = self.tables[table].entries
        if at + count > len(entries):
            raise Trap(TrapCode.TABLE_OUT_OF_BOUNDS)
        entries[at : at + count] = [value] * count

    def table_copy(self, to: int, source: int, count: int, target: int, origin: int) -> None:
        self.charge(count * self.prices.entry)
        into, out_of = self.tables[target].entries, self.tables[origin].entries
        if to + count > len(into) or source + count > len(out_of):
            raise Trap(TrapCode.TABLE_OUT_OF_BOUNDS)
        into[to : to + count] = out_of[source : source + count]

    def table_init(self, to: int, source: int, count: int, segment: int, table: int) -> None:
        self.charge(count * self.prices.entry)
        self._table_init(to, source, count, segment, table)

    def _table_init(self, to: int, source: int, count: int, segment: int, table: int) -> None:
        entries, items = self.tables[table].entries, self.elements[segment]
        if source + count > len(items) or to + count > len(entries):
            raise Trap(TrapCode.TABLE_OUT_OF_BOUNDS)
        entries[to : to + count] = items[source : source + count]

    def elem_drop(self, segment: int) -> None:
        self.elements[segment] = []

    def indirect(self, at: int, key: str, table: int) -> Func:
        """Return the function at a table's index if it has the type that `key` names. Raises: Trap."""
        entries = self.tables[table].entries
        if at >= len(entries):
            raise Trap(TrapCode.UNDEFINED_ELEMENT)
        function = entries[at]
        if not isinstance(function, Func):
            raise Trap(TrapCode.UNINITIALIZED_ELEMENT)
        if function.key != key:
            raise Trap(TrapCode.INDIRECT_CALL_TYPE_MISMATCH)
        return function
