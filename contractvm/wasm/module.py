"""A module as decoded: facts only, in the order of the specification's section 2 (structure).

Value types are the one-byte codes of the binary format. Bodies keep their instructions as three parallel lists, so
that the passes over them (validation, runs, code generation) index instead of chasing objects. Never: behaviour.
"""

from __future__ import annotations

from dataclasses import field

from contractvm.dataclass import dataclass

I32, I64, FUNCREF, EXTERNREF = 0x7F, 0x7E, 0x70, 0x6F
TYPE_NAMES = {I32: "i32", I64: "i64", FUNCREF: "funcref", EXTERNREF: "externref"}

FUNC, TABLE, MEMORY, GLOBAL = 0, 1, 2, 3
"""Kinds of imports and exports, as the binary format numbers them."""
KIND_NAMES = ("func", "table", "memory", "global")


@dataclass(frozen=True, slots=True)
class FuncType:
    params: tuple[int, ...]
    results: tuple[int, ...]

    def __str__(self) -> str:
        def names(types: tuple[int, ...]) -> str:
            return " ".join(TYPE_NAMES[t] for t in types)

        return f"[{names(self.params)}] -> [{names(self.results)}]"


@dataclass(frozen=True, slots=True)
class Limit:
    """Minimum and optional maximum: pages of a memory, entries of a table."""

    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class TableType:
    element: int
    limit: Limit


@dataclass(frozen=True, slots=True)
class GlobalType:
    value: int
    mutable: bool


@dataclass(frozen=True, slots=True)
class Import:
    """`desc` is the type index of a function, otherwise the type itself; for a memory its Limit."""

    module: str
    name: str
    kind: int
    desc: int | TableType | Limit | GlobalType
    offset: int


@dataclass(frozen=True, slots=True)
class Export:
    name: str
    kind: int
    index: int
    offset: int = field(default=0, compare=False)
    """Of its first byte, in the module."""


@dataclass(frozen=True, slots=True)
class Code:
    """A straight list of instructions: opcode, immediate and byte offset in the module, index by index.

    Immediates: None when there is none; an int for one index or a constant (as a non-negative bit pattern);
    `block`/`loop`/`if`: a FuncType; memory access: (alignment exponent, offset); `br_table`: a tuple of labels, the
    default last; `call_indirect`/`return_call_indirect`: (type index, table index); `memory.init`: the data index;
    `memory.size`/`memory.grow`/`memory.copy`/`memory.fill`: None; `table.init`: (element index, table index);
    `table.copy`: (destination, source); `select t`: a tuple of types; `ref.null`: the type. The last instruction is
    the `end` that closes it.
    """

    ops: list[int]
    imms: list[object]
    offsets: list[int]


@dataclass(frozen=True, slots=True)
class Function:
    """A defined function. `locals` lists declared locals' types without the parameters, expanded."""

    type_index: int
    locals: tuple[int, ...]
    code: Code
    offset: int
    """Of the body's first byte (its locals), in the module."""
    size: int
    """Bytes of the body."""


@dataclass(frozen=True, slots=True)
class Global:
    type: GlobalType
    init: Code


@dataclass(frozen=True, slots=True)
class Element:
    """`mode` is "active", "passive" or "declarative"; items are constant expressions (indices become `ref.func`)."""

    mode: str
    type: int
    items: tuple[Code, ...]
    table: int = 0
    at: Code | None = None


@dataclass(frozen=True, slots=True)
class Data:
    mode: str
    """ "active" or "passive"."""
    content: bytes
    at: Code | None = None


@dataclass(frozen=True, slots=True)
class Custom:
    name: str
    content: bytes
    offset: int = 0
    after: int = 11
    """Id of the section it follows; 0 for none."""


@dataclass(slots=True)
class Module:
    """A decoded module. Function, table, memory and global index spaces start with the imports."""

    types: list[FuncType] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    tables: list[TableType] = field(default_factory=list)
    memories: list[Limit] = field(default_factory=list)
    globals: list[Global] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    start: int | None = None
    elements: list[Element] = field(default_factory=list)
    data: list[Data] = field(default_factory=list)
    data_count: int | None = None
    customs: list[Custom] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    """Function names by index, from the `name` section where it is well-formed, else from exports and imports."""
    size: int = 0
    """Bytes of the whole module."""
    opcodes: set[int] = field(default_factory=set, compare=False)
    """Those of all instructions in bodies, where the decoder has seen them."""

    # The index spaces, imports first; filled by the decoder.
    func_types: list[int] = field(default_factory=list)
    """Type index of every function."""
    table_types: list[TableType] = field(default_factory=list)
    memory_types: list[Limit] = field(default_factory=list)
    global_types: list[GlobalType] = field(default_factory=list)
    imported_functions: int = 0
    imported_globals: int = 0

    def signature(self, function: int) -> FuncType:
        """The type of the function at an index of the whole index space."""
        return self.types[self.func_types[function]]

    def function_name(self, function: int) -> str:
        """A name for people: the debug or export name, otherwise `f` and the index."""
        return self.names.get(function, f"f{function}")
