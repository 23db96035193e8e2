"""What the translation of a function must know of its module: calling convention, tables, which calls make memory grow.

Never: text of a function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from contractvm.dataclass import dataclass
from contractvm.native.context import WORD
from contractvm.native.crossing import Callout, Entry
from contractvm.native.reading import Costs, Reading
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.externs import PAGE
from contractvm.wasm.flat import INSTANCE_METHODS
from contractvm.wasm.llvmlayout import Layout, canonical, global_types, host_rows, kinds, layout
from contractvm.wasm.module import MEMORY, FuncType, Limit
from contractvm.wasm.opcodes import BY_NAME, OPS
from contractvm.wasm.sections import CALL, CALL_INDIRECT, LOOP, RETURN_CALL, RETURN_CALL_INDIRECT

MEMORY_GROW: Final = BY_NAME["memory.grow"].code
_INDIRECT: Final = frozenset((CALL_INDIRECT, RETURN_CALL_INDIRECT))
_DIRECT: Final = frozenset((CALL, RETURN_CALL))
_MEMORY: Final = frozenset(op.code for op in OPS if op.name.startswith("memory.") or op.imm == "memarg")
_MAKES: Final = frozenset(BY_NAME[name].code for name in ("table.get", "ref.null", "ref.func"))
CHECKPOINTS: Final = frozenset((LOOP, CALL, CALL_INDIRECT)) | {BY_NAME[name].code for name in INSTANCE_METHODS}
"""Instructions behind which a run begins with a checkpoint of gas."""


@dataclass(slots=True)
class ModuleFacts:
    """Shared by the bodies of one module; collects the glue they call."""

    compiled: Compiled
    lower: Mapping[str, Callable[[Any, Any], None]]
    """How the instructions that are not pure are translated."""
    layout: Layout = field(init=False)
    cc: str = field(init=False)
    grows: dict[int, bool] = field(init=False)
    """By function: whether memory can grow while it runs."""
    uses_memory: dict[int, bool] = field(init=False)
    least_bytes: int = field(init=False)
    """Bytes of memory that are there from the start."""
    types: dict[FuncType, int] = field(init=False)
    has_memory: bool = field(init=False)
    numbers_only: bool = field(init=False)
    """Whether no value is a reference."""
    checkpoints: frozenset[int] = CHECKPOINTS
    callouts: dict[str, Callout] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    readings: dict[int, Reading] = field(default_factory=dict)
    """The imports that compiled code serves itself, by index."""

    def __post_init__(self) -> None:
        module = self.compiled.module
        self.layout = layout(self.compiled)
        self.cc = "tailcc" if self.layout.tail else "fastcc"
        limits = [wanted.desc for wanted in module.imports if wanted.kind == MEMORY] + list(module.memories)
        limit = limits[0] if limits else None
        self.least_bytes = limit.minimum * PAGE if isinstance(limit, Limit) else 0
        self.has_memory = bool(limits)
        self.types = canonical(module)
        self.numbers_only = not self._has_references()
        self.grows = self._growing()
        self.readings = dict(self._readings())
        first = module.imported_functions
        self.uses_memory = {
            first + n: not _MEMORY.isdisjoint(function.code.ops) for n, function in enumerate(module.functions)
        }

    def _has_references(self) -> bool:
        """Whether a value can be a reference: all come from these."""
        module = self.compiled.module
        values = [t for type_ in module.types for t in type_.params + type_.results]
        values += [t for function in module.functions for t in function.locals]
        values += [type_.value for type_ in global_types(module)]
        return "r" in kinds(tuple(set(values))) or any(not _MAKES.isdisjoint(f.code.ops) for f in module.functions)

    def _growing(self) -> dict[int, bool]:
        """Which functions execute `memory.grow` or call what may."""
        module, first = self.compiled.module, self.compiled.module.imported_functions
        foreign = not self.compiled.rules.contract
        """Whether an imported function may make memory grow: the chain's host never does."""
        growing: dict[int, bool] = dict.fromkeys(range(first), foreign)
        callers: dict[int, list[int]] = {}
        pending = []
        indirect: list[int] = []
        for n, function in enumerate(module.functions, first):
            code = function.code
            used = set(code.ops)
            growing[n] = MEMORY_GROW in used
            if not _INDIRECT.isdisjoint(used):
                indirect.append(n)
            if not _DIRECT.isdisjoint(used):
                for op, imm in zip(code.ops, code.imms, strict=True):
                    if op in _DIRECT:
                        callers.setdefault(imm, []).append(n)  # type: ignore[arg-type]
        if any(growing.values()):
            # Whatever is called through a table may be any function.
            for n in indirect:
                growing[n] = True
        pending = [n for n, grows in growing.items() if grows]
        while pending:
            for caller in callers.get(pending.pop(), ()):
                if not growing[caller]:
                    growing[caller] = True
                    pending.append(caller)
        return growing

    def callout(self, params: str, results: str, mode: str, constants: int = 0) -> Callout:
        """How to call a Python function of a signature."""
        made = Callout(params, results, mode, constants, self.has_memory, self.layout.results)
        return self.callouts.setdefault(made.name, made)

    def _readings(self) -> Iterator[tuple[int, Reading]]:
        rules, where = self.compiled.rules, self.layout
        for index, row in enumerate(host_rows(self.compiled)):
            if row.native is not None:
                milli = rules.schedule.milli
                costs = Costs(milli(row.price), sum(map(milli, row.also)), rules.limits.input_bytes)
                slow = self.callout(row.params, row.results, "host")
                yield index, Reading(row, row.native, costs, where.facts, slow, where.imports + WORD * index)

    def entry(self, type_: FuncType) -> Entry:
        """How Python enters functions of a type."""
        where = self.layout
        made = Entry(
            kinds(type_.params),
            kinds(type_.results),
            self.cc,
            self.has_memory,
            where.results,
            where.operands,
            where.arguments,
        )
        return self.entries.setdefault(made.name, made)
