"""Generates whole modules with calls to make on them, each from one seed.

A module has mostly a memory, one to three tables, globals, host imports, active and passive segments and a handful of
functions, all exported, so that everything it computes can be compared. Most are guarded: loops and calls count a
global down, so that they end by themselves; the others end by gas. What may be imported is a `Profile`'s to say.
Never: a float, or a module that validation may refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from contractvm.rules import Rules, bare_rules
from contractvm.wasm.encode import encode
from contractvm.wasm.module import (
    EXTERNREF,
    FUNC,
    FUNCREF,
    GLOBAL,
    I32,
    I64,
    MEMORY,
    TABLE,
    Code,
    Data,
    Element,
    Export,
    Function,
    FuncType,
    Global,
    GlobalType,
    Import,
    Limit,
    Module,
    TableType,
)
from contractvm.wasm.opcodes import BY_NAME
from gas.meter import MILLI
from tests.fuzz import control, patterns, variables
from tests.fuzz.bodies import CONST, MEMORY_ROWS, NUMBERS, Body, Shape, edge_biased

STATEMENTS = {**control.STATEMENTS, **variables.STATEMENTS, **patterns.STATEMENTS}
"""Rows whose effect depends on context, by name, and patterns of several."""

HOST_MODULE = "host"
HOST_FUNCTIONS = {
    "note": FuncType((I32,), ()),
    "mix": FuncType((I64, I32), (I64,)),
    "pair": FuncType((I32,), (I32, I64)),
    "fail": FuncType((I32,), (I32,)),
    "token": FuncType((I32,), (EXTERNREF,)),
}
HOST_GLOBALS = {"base32": (I32, 3), "base64": (I64, 0x1_0000_0007)}
"""Immutable imported globals, for constant expressions."""

FUEL = 400
"""Loop iterations and calls that a guarded module makes before it traps."""
REFUEL = "refuel"
"""Exported by guarded modules: makes that count full again."""

AVOIDABLE = (
    ("return_call", "return_call_indirect"),
    ("memory.grow",),
    ("table.set", "table.grow", "table.fill", "table.copy", "table.init"),
)
"""Rows that a module may do without, together."""

DEEP = (18, 21, 40)
"""Blocks in each other of a few functions: about as many as CPython allows, and more."""

GAS_LIMITS = (40, 900, 40_000, 40_000)
"""Whole gas of each call: mostly enough."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What distinguishes modules for the bare engine from contracts."""

    host: str
    functions: Mapping[str, FuncType]
    """What may be imported from `host`."""
    globals: Mapping[str, tuple[int, int]]
    """Immutable globals that may be imported, by type and value."""
    references: tuple[int, ...]
    entry: str | None = None
    """A function without operands and results that must be there, and be the only one called."""
    head: bytes = b""
    """Data at address 0."""


BARE = Profile(HOST_MODULE, HOST_FUNCTIONS, HOST_GLOBALS, (FUNCREF, EXTERNREF))


@dataclass(frozen=True, slots=True)
class Case:
    """A module and the calls to make on one instance of it, in order, each with `gas` whole gas.

    Of a contract the calls are transactions, whose operands are the calldata's bytes. A module that exports `REFUEL`
    has it called before every other call.
    """

    seed: int
    wasm: bytes
    calls: tuple[tuple[str, tuple[int, ...]], ...]
    gas: int
    contract: bool = False
    limits: tuple[int | None, ...] = ()
    """Milligas of each call where it is not `gas`; () when it always is."""
    stack_weight: int | None = None
    """Where it is not the rules' own."""
    slice: int | None = None
    """Milligas that the native tier takes at a time, where it is not the tier's own."""

    @property
    def rules(self) -> Rules:
        """What the bare engine runs the module under."""
        rules = bare_rules()
        if self.stack_weight is None:
            return rules
        return replace(rules, limits=replace(rules.limits, stack_weight=self.stack_weight))

    @property
    def milligas(self) -> tuple[int, ...]:
        """Of each call."""
        limits = self.limits or (None,) * len(self.calls)
        return tuple(self.gas * MILLI if limit is None else limit for limit in limits)

    def without(self, call: int) -> Case:
        """The case with one call fewer."""
        calls, limits = (tuple(x for i, x in enumerate(xs) if i != call) for xs in (self.calls, self.limits))
        return replace(self, calls=calls, limits=limits)  # type: ignore[arg-type]


@dataclass(slots=True)
class _Builder:
    rng: Random
    profile: Profile
    module: Module = field(default_factory=Module)
    signatures: list[FuncType] = field(default_factory=list)
    slots: list[int | None] = field(default_factory=list)
    referable: set[int] = field(default_factory=set)

    def intern(self, type_: FuncType) -> int:
        """Index of a type in the module, added when it is new."""
        types = self.module.types
        if type_ not in types:
            types.append(type_)
        return types.index(type_)

    def imports(self) -> None:
        module, rng, profile = self.module, self.rng, self.profile
        for name, (type_, _) in profile.globals.items():
            if rng.random() < 0.7:
                module.imports.append(Import(profile.host, name, GLOBAL, GlobalType(type_, False), 0))
                module.global_types.append(GlobalType(type_, False))
        for name, function in profile.functions.items():
            if rng.random() < 0.6:
                module.imports.append(Import(profile.host, name, FUNC, self.intern(function), 0))
                self.signatures.append(function)
        module.imported_functions = len(self.signatures)
        module.imported_globals = len(module.global_types)

    def function_types(self) -> None:
        rng = self.rng
        alike = self._signature()
        for _ in range(rng.randint(1, 6)):
            self.signatures.append(alike if rng.random() < 0.3 else self._signature())
        if self.profile.entry is not None:
            self.signatures.insert(self.module.imported_functions, FuncType((), ()))
        for type_ in self.signatures:
            self.module.func_types.append(self.intern(type_))

    def _signature(self) -> FuncType:
        rng = self.rng
        kinds = (*NUMBERS, *NUMBERS, *NUMBERS, *self.profile.references)
        wide = rng.random() < 0.12  # more than a calling convention has registers for
        params = tuple(rng.choice(kinds) for _ in range(rng.randint(5, 12) if wide else rng.randrange(4)))
        results = tuple(rng.choice(kinds) for _ in range(rng.randrange(8) if wide else rng.choice((0, 1, 1, 1, 2, 3))))
        return FuncType(params, results)

    def constant(self, type_: int, within: range | None = None) -> Code:
        """A constant expression; an address of the range when there is one."""
        rng = self.rng
        names: list[tuple[str, object]]
        cells = [i for i in range(self.module.imported_globals) if self.module.global_types[i].value == type_]
        if type_ in (FUNCREF, EXTERNREF):
            referable = sorted(self.referable)
            use = type_ == FUNCREF and referable and rng.random() < 0.8
            names = [("ref.func", rng.choice(referable))] if use else [("ref.null", type_)]
        elif within is not None:
            names = [(CONST[type_], rng.choice(within))]
        elif cells and rng.random() < 0.5:
            operator = "i32.add" if type_ == I32 else rng.choice(("i64.sub", "i64.mul"))
            names = [("global.get", rng.choice(cells)), (CONST[type_], edge_biased(rng, type_)), (operator, None)]
        else:
            names = [(CONST[type_], edge_biased(rng, type_))]
        names.append(("end", None))
        return Code([BY_NAME[n].code for n, _ in names], [imm for _, imm in names], [0] * len(names))

    def memory_and_data(self) -> None:
        """A memory and what is written into it; a few modules have none."""
        module, rng = self.module, self.rng
        if self.profile.entry is None and rng.random() < 0.05:
            return
        module.memories.append(Limit(1, rng.randint(1, 4)))
        module.memory_types = list(module.memories)
        if self.profile.head:
            module.data.append(Data("active", self.profile.head, self.constant(I32, within=range(1))))
        for _ in range(rng.randrange(4)):
            content = rng.randbytes(rng.randrange(40))
            if rng.random() < 0.5:
                module.data.append(Data("passive", content))
            else:
                outside = self.profile.entry is None and rng.random() < 0.02
                end = 65_537 - len(content)
                fits = range(end, 65_600) if outside else range(len(self.profile.head), end)
                module.data.append(Data("active", content, self.constant(I32, within=fits)))
        if module.data:
            module.data_count = len(module.data)

    def tables_and_elements(self) -> None:
        module, rng = self.module, self.rng
        size = rng.randint(4, 8)
        # Always with a maximum: without one engines differ in how far they can grow.
        module.tables.append(TableType(FUNCREF, Limit(size, size + rng.choice((0, 4, 9)))))
        for kind in self.profile.references:
            if rng.random() < 0.7:
                module.tables.append(TableType(kind, Limit(rng.choice((0, 4, 5, 6, 6)), 10)))
        module.table_types = list(module.tables)
        self.slots = [None] * size
        self._active_elements(size)
        for _ in range(rng.randrange(3)):
            kind = rng.choice((FUNCREF, *self.profile.references))
            items = tuple(self.constant(kind) for _ in range(rng.randrange(5)))
            module.elements.append(Element(rng.choice(("passive", "passive", "declarative")), kind, items))

    def _active_elements(self, size: int) -> None:
        """Functions in table 0, which `call_indirect` then finds."""
        rng, total = self.rng, len(self.signatures)
        for _ in range(rng.randint(1, 2)):
            start = rng.randrange(size)
            functions = [rng.randrange(total) for _ in range(rng.randint(1, size - start))]
            self.referable |= set(functions)
            self.slots[start : start + len(functions)] = functions
            code = BY_NAME["ref.func"].code, BY_NAME["end"].code
            items = tuple(Code(list(code), [f, None], [0, 0]) for f in functions)
            at = Code([BY_NAME["i32.const"].code, code[1]], [start, None], [0, 0])
            self.module.elements.append(Element("active", FUNCREF, items, 0, at))

    def globals_(self, guarded: bool) -> None:
        module, rng = self.module, self.rng
        if guarded:
            counter = Code([BY_NAME["i32.const"].code, BY_NAME["end"].code], [FUEL, None], [0, 0])
            module.globals.append(Global(GlobalType(I32, True), counter))
        kinds = [
            *NUMBERS,
            *(rng.choice((*NUMBERS, *NUMBERS, *self.profile.references)) for _ in range(rng.randrange(4))),
        ]
        for kind in kinds:
            module.globals.append(Global(GlobalType(kind, rng.random() < 0.8), self.constant(kind)))
        module.global_types += [g.type for g in module.globals]

    def bodies(self, guarded: bool) -> None:
        module, rng = self.module, self.rng
        shape = Shape(
            self.intern,
            self.signatures,
            module.imported_functions,
            module.global_types,
            [t.element for t in module.tables],
            self.slots,
            [e.type for e in module.elements],
            len(module.data),
            sorted(self.referable),
            self.profile.references,
            self.profile.entry is not None,
            self._avoided(),
            module.imported_globals if guarded else None,
        )
        kinds = (*NUMBERS, *NUMBERS, *self.profile.references)
        statements = tuple(STATEMENTS.values())
        for index in range(module.imported_functions, len(self.signatures)):
            type_ = self.signatures[index]
            locals_ = tuple(rng.choice(kinds) for _ in range(rng.choice((*range(5), *range(5), 9, 40))))
            budget, length = rng.choice((30, 80, 200)), rng.randrange(2, 16)
            if self.profile.entry is not None and index == module.imported_functions:
                budget, length = 300, rng.randrange(10, 30)
            calls = (control.call,) * (8 if self.profile.entry is not None else 0)
            body = Body(rng, shape, index, type_, locals_, budget, length, (*statements, *calls), control.deepen)
            body.deepening = rng.choice((0,) * 14 + DEEP)
            module.functions.append(Function(module.func_types[index], locals_, body.write(), 0, 0))

    def _avoided(self) -> frozenset[str]:
        """Kinds of instructions without which compiled code is another: each is left out of many modules."""
        avoided = frozenset(name for names in AVOIDABLE if self.rng.random() < 0.45 for name in names)
        return avoided if self.module.memories else avoided | MEMORY_ROWS

    def refuel(self) -> None:
        """A last function, which no other calls."""
        names = ("i32.const", FUEL), ("global.set", self.module.imported_globals), ("end", None)
        code = Code([BY_NAME[n].code for n, _ in names], [imm for _, imm in names], [0] * len(names))
        type_ = self.intern(FuncType((), ()))
        self.module.exports.append(Export(REFUEL, FUNC, len(self.module.func_types)))
        self.module.func_types.append(type_)
        self.module.functions.append(Function(type_, (), code, 0, 0))

    def exports(self) -> None:
        """Mostly everything; what is kept private shows in what exported functions do with it."""
        module, rng = self.module, self.rng
        functions, letters = len(self.signatures), {FUNC: "f", GLOBAL: "g", TABLE: "t"}
        shown = {
            FUNC: range(functions) if rng.random() < 0.7 else sorted(rng.sample(range(functions), 1 + functions // 3)),
            GLOBAL: range(len(module.global_types) if rng.random() < 0.6 else 0),
            TABLE: range(len(module.tables) if rng.random() < 0.6 else 0),
        }
        for kind, indices in shown.items():
            module.exports += [Export(f"{letters[kind]}{i}", kind, i) for i in indices]
        if module.memories:
            module.exports.append(Export("memory", MEMORY, 0))
        if self.profile.entry is not None:
            module.exports.append(Export(self.profile.entry, FUNC, module.imported_functions))
        empty = [i for i, type_ in enumerate(self.signatures) if type_ == FuncType((), ())]
        if self.profile.entry is None and empty and self.rng.random() < 0.3:
            module.start = self.rng.choice(empty)


def build(seed: int, profile: Profile = BARE) -> tuple[Module, Random]:
    """The module of a seed, and the random numbers as the module left them."""
    rng = Random(seed)
    builder = _Builder(rng, profile)
    guarded = rng.random() < 0.85
    builder.imports()
    builder.function_types()
    builder.memory_and_data()
    builder.tables_and_elements()
    builder.globals_(guarded)
    builder.bodies(guarded)
    builder.exports()
    if guarded and profile.entry is None:
        builder.refuel()
    return builder.module, rng


def generate(seed: int) -> Case:
    """The case of a seed: the same on every machine and Python."""
    module, rng = build(seed)
    callable_ = enterable(module)
    calls = []
    for _ in range(rng.randint(2, 6) if callable_ else 0):
        name, type_ = rng.choice(callable_)
        calls.append((name, tuple(edge_biased(rng, t) for t in type_.params)))
    return Case(seed, encode(module), tuple(calls), rng.choice(GAS_LIMITS))


def enterable(module: Module) -> list[tuple[str, FuncType]]:
    """The exported functions of a generated module that take numbers alone."""
    functions = [(e.name, e.index) for e in module.exports if e.kind == FUNC and e.name != REFUEL]
    defined = [(name, module.signature(index)) for name, index in functions if index >= module.imported_functions]
    return [(name, type_) for name, type_ in defined if {*type_.params} <= {*NUMBERS}]
