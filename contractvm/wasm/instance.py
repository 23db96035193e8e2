"""An instance: a module's functions, memory, tables and globals, and the instructions that act on them.

Every tier calls the methods here for memory growth, bulk and table operations, so that their meaning, their traps and
their dynamic prices exist once. A bulk operation is charged from its operands first, then checked, then done; nothing
is written when it traps. Source: WebAssembly core specification, sections 4.4.6, 4.4.7 (table and memory
instructions) and 4.5.4 (instantiation). Never: runs a function body itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from contractvm.errors import OutOfGas, Trap, TrapCode
from contractvm.machine import PageBudget
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.constant import evaluate
from contractvm.wasm.externs import Extern, Func, Global, Memory, Table, unlinked
from contractvm.wasm.module import FUNC, GLOBAL, MEMORY, TABLE, Code
from gas.meter import GasExhausted, Meter

FAILED = 0xFFFF_FFFF
"""What memory.grow and table.grow answer when they cannot: -1 as an i32."""


Imported = Func | Memory | Table | Global | Callable[..., Any]


Enter = Callable[[int], tuple[Callable[..., Any], Callable[..., Any]]]
"""How a tier calls a defined function: its entry, and its body (see `Func`)."""


Begin = Callable[["Instance"], Enter]
"""How a tier that waits for the first function to be entered makes `Enter`."""


def not_entered(index: int) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The reference tier looks at a reference's instance and index instead."""
    return unlinked, unlinked


class Instance:
    """A module instance. `enter(index)` is how the tier that runs it calls a defined function."""

    __slots__ = (
        "_beginning",
        "_elements",
        "_exports",
        "_functions",
        "_late",
        "_tables",
        "compiled",
        "data",
        "enter",
        "globals",
        "imported",
        "memory",
        "meter",
        "prices",
        "waiting",
    )

    def __init__(
        self, compiled: Compiled, imports: Sequence[Imported], meter: Meter, budget: PageBudget | None = None
    ) -> None:
        """Allocate; `initialize` then writes the segments. `imports` serve the module's, in their order.

        A function among them is a `Func`, or the host's function itself.
        """
        module, limits = compiled.module, compiled.rules.limits
        first = self._beginning = compiled.beginning
        self.compiled = compiled
        self.meter = meter
        self.prices = compiled.dynamic
        self.enter: Enter = not_entered
        self.waiting: Begin | None = None
        """How `enter` is made when the first function is asked for."""
        self._exports: dict[str, Extern] | None = None
        self._functions: dict[int, Func] = {}
        self.imported: list[Func | Callable[..., Any]] = []
        self.globals: list[Global] = []
        self.memory: Memory | None = None
        self._tables: list[Table] = []
        self._elements: list[list[Any]] = []
        self._late = first.late
        self.data: list[bytes] = []
        if first.functions:
            self.imported.extend(imports)  # type: ignore[arg-type]
        else:
            self._take(imports)
        if not first.late:
            self._make_tables()
        for limit in module.memories:
            self.memory = Memory(limit, limits.memory_pages, budget)
        for n, definition in enumerate(module.globals):
            value = self._value(definition.init) if first.globals is None else first.globals[n]
            self.globals.append(Global(definition.type, value))

    def _take(self, imports: Sequence[Imported]) -> None:
        """Divide what serves the imports by kind."""
        for extern in imports:
            if isinstance(extern, Table):
                self._tables.append(extern)
            elif isinstance(extern, Memory):
                self.memory = extern
            elif isinstance(extern, Global):
                self.globals.append(extern)
            else:
                self.imported.append(extern)

    def _make_tables(self) -> None:
        ceiling = self.compiled.rules.limits.table_entries
        self._tables.extend([Table(table, ceiling) for table in self.compiled.module.tables])

    @property
    def tables(self) -> list[Table]:
        """All tables, the imported ones first."""
        if self._late:
            self._fill_late()
        return self._tables

    @property
    def elements(self) -> list[list[Any]]:
        """What the element segments still hold."""
        if self._late:
            self._fill_late()
        return self._elements

    def _fill_late(self) -> None:
        """Make and fill the tables that nobody has looked at so far."""
        self._late = False
        self._make_tables()
        self._fill_tables()

    def _value(self, code: Code) -> Any:
        """The value of a constant expression."""
        return evaluate(code, self.globals, self.function)

    def function(self, index: int) -> Func:
        """Return the function at an index of the whole index space, as a reference."""
        found = self._functions.get(index)
        if found is None:
            found = self._functions[index] = self._make(index)
        return found

    def _make(self, index: int) -> Func:
        module = self.compiled.module
        type_, key = module.signature(index), self.compiled.keys[module.func_types[index]]
        if index >= module.imported_functions:
            self.begin()
            return Func(type_, key, self, index, *self.enter(index))
        extern = self.imported[index]
        return extern if isinstance(extern, Func) else Func.of_import(type_, key, index, self.imported)

    def run_later_with(self, begin: Begin) -> None:
        """Let a tier enter the functions, and make what it needs for that when the first is asked for."""
        if self._functions:
            self.run_with(begin(self))
        else:
            self.waiting = begin

    def begin(self) -> None:
        """Let the tier make what it waits with until the first function is entered."""
        if self.waiting is not None:
            begin, self.waiting = self.waiting, None
            self.enter = begin(self)

    def run_with(self, enter: Enter) -> None:
        """Let a tier enter the functions, those too that a global already refers to."""
        self.enter = enter
        for index, function in self._functions.items():
            if function.instance is self:
                function.call, function.body = enter(index)

    def entered(self, index: int, entry: Callable[..., Any], body: Callable[..., Any]) -> None:
        """Tell references made earlier how a function is entered from now on."""
        function = self._functions.get(index)
        if function is not None:
            function.call, function.body = entry, body

    @property
    def exports(self) -> dict[str, Extern]:
        """What the instance exports, by name."""
        if self._exports is None:
            spaces: dict[int, Callable[[int], Extern]] = {
                FUNC: self.function,
                TABLE: lambda index: self.tables[index],
                MEMORY: lambda _: self._memory(),
                GLOBAL: self.globals.__getitem__,
            }
            self._exports = {e.name: spaces[e.kind](e.index) for e in self.compiled.module.exports}
        return self._exports

    @property
    def instructions(self) -> int:
        """Instructions executed on this meter, where the tier counts them."""
        return self.meter.count.cell_contents  # type: ignore[no-any-return]

    def exported_function(self, name: str) -> Func:
        """Return an exported function. Raises: KeyError when there is no such."""
        kind, index = self._beginning.exports[name]
        if kind != FUNC:
            raise KeyError(name)
        return self.function(index)

    def initialize(self) -> None:
        """Write the active segments in order; earlier ones stay written when a later one traps. Raises: Trap."""
        first, memory = self._beginning, self.memory
        if not first.late:
            self._fill_tables()
        if first.image is not None:
            if memory is not None:
                for at, end, content in first.image:
                    memory.data[at:end] = content
            self.data[:] = first.data
            return
        segments = self.compiled.module.data
        self.data[:] = [segment.content for segment in segments]
        for number, segment in enumerate(segments):
            if segment.mode == "active" and segment.at is not None:
                self._memory_init(self._value(segment.at), 0, len(segment.content), number)
                self.data[number] = b""

    def _fill_tables(self) -> None:
        """Write the active element segments. Raises: Trap."""
        elements = self.compiled.module.elements
        self._elements.extend([self._value(item) for item in element.items] for element in elements)
        for number, element in enumerate(elements):
            if element.mode == "active" and element.at is not None:
                self._table_init(self._value(element.at), 0, len(element.items), number, element.table)
            if element.mode != "passive":
                self._elements[number] = []

    def renew(
        self,
        imports: Sequence[Callable[..., Any]] | None,
        meter: Meter,
        budget: PageBudget | None,
        *,
        variables: bool = True,
    ) -> None:
        """Make the instance as if new for another frame: other host functions, meter and budget, nothing remembered.

        For modules that import functions alone and define all else. `imports` are None where the same serve every
        frame; `variables` is False where the tier keeps the globals, and resets them. Raises: as `initialize`.
        """
        first = self._beginning
        self.meter = meter
        if imports is not None:
            self.imported[:] = imports
        if self.memory is not None:
            self.memory.reset(budget)
        if not self._late:
            self._elements.clear()
            self._late = first.late
            if first.late:
                self._tables.clear()
            for table in self._tables:
                table.reset()
        if variables:
            definitions = self.compiled.module.globals
            for n in first.changing:
                value = self._value(definitions[n].init) if first.globals is None else first.globals[n]
                self.globals[n].cell.cell_contents = value
        self.initialize()

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
        entries = (self.tables if self._late else self._tables)[table].entries
        if at >= len(entries):
            raise Trap(TrapCode.UNDEFINED_ELEMENT)
        function = entries[at]
        if not isinstance(function, Func):
            raise Trap(TrapCode.UNINITIALIZED_ELEMENT)
        if function.key != key:
            raise Trap(TrapCode.INDIRECT_CALL_TYPE_MISMATCH)
        return function
