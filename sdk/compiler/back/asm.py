"""An assembler: functions are written instruction by instruction, what they call is added when it is first called.

An `Assembly` is a module in the making: imports of `cvm1`, functions, static data, globals. A `Body` is one function in
the making; its blocks are context managers, its labels objects, so that nobody counts depths. A `Routine` is a piece of
the runtime: it is written into a module that calls it and left out of all others. Everything is numbered in the order
of first use, so the same program gives the same bytes.
Source: WebAssembly core specification, sections 2 and 5. Never: knows the language or its types.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from types import MappingProxyType
from typing import Final

from contractvm.dataclass import dataclass
from contractvm.host.table import HOST
from contractvm.wasm.module import I32, I64, FuncType
from sdk.compiler.back.shorten import BRANCHES, LEAVING, Instruction, shorten
from sdk.compiler.symbols import Span

Types = tuple[int, ...]
"""Wasm value types: I32 and I64."""

STATIC_START: Final = 16
"""Where static data starts, in bytes: no object lies at address 0, so 0 can mean none."""

_TYPES = {"i": I32, "I": I64}
HOST_TYPES: Final = MappingProxyType(
    {row.name: FuncType(tuple(_TYPES[p] for p in row.params), tuple(_TYPES[r] for r in row.results)) for row in HOST}
)
"""The wasm types of the functions of `cvm1`."""


@dataclass(frozen=True, slots=True)
class Routine:
    """A function of the runtime; the name makes it unique and stands in the debug module's name section."""

    name: str
    params: Types
    results: Types
    write: Callable[[Body], None] = field(compare=False)
    """Writes the body; the parameters are locals 0, 1, ..."""


@dataclass(slots=True, eq=False)
class Defined:
    """A function of the module: what a call names until indices are known."""

    name: str
    type: FuncType
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """A block that can be left (or a loop that can be begun again) from inside."""

    depth: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A `br_if` or an `if` that decides a test of the source: whether i32s other than 0 mean that it holds."""

    instruction: Instruction
    span: Span
    when: bool


class Assembly:
    """A module in the making."""

    def __init__(self) -> None:
        self.imports: list[str] = []
        """Names of host functions in order of first use."""
        self.functions: list[Defined] = []
        self.globals: list[tuple[int, int | None]] = []
        """Type and initial value; None: where the heap starts."""
        self.exports: list[tuple[str, Defined]] = []
        self.static: list[tuple[int, bytes]] = []
        """Address and content."""
        self._end = STATIC_START
        self._constants: dict[bytes, int] = {}
        self._areas: dict[str, int] = {}
        self._routines: dict[str, Defined] = {}
        self._waiting: list[tuple[Routine, Defined]] = []
        self._named_globals: dict[str, int] = {}

    @property
    def heap(self) -> int:
        """Where static data ends, a multiple of 8. Grows until the module is finished."""
        return -(-self._end // 8) * 8

    def constant(self, content: bytes) -> int:
        """The address of bytes that never change; equal ones lie once."""
        if content not in self._constants:
            self._constants[content] = self._end
            if content.strip(b"\0"):
                self.static.append((self._end, content))
            self._end += len(content)
        return self._constants[content]

    def area(self, name: str, size: int, content: bytes = b"") -> int:
        """The address of `size` bytes for everyone who says this name; a multiple of 8. They begin with `content`, the
        rest are zeros."""
        if name not in self._areas:
            self._areas[name] = self.heap
            self._end = self._areas[name] + size
            if content.strip(b"\0"):
                self.static.append((self._areas[name], content))
        return self._areas[name]

    def global_(self, name: str, type_: int, initial: int | None = 0) -> int:
        """The index of a mutable global; `initial` None is where the heap starts."""
        if name not in self._named_globals:
            self._named_globals[name] = len(self.globals)
            self.globals.append((type_, initial))
        return self._named_globals[name]

    def import_(self, name: str) -> str:
        """Import a host function. Raises: KeyError for one that is not there."""
        if name not in HOST_TYPES:
            raise KeyError(name)
        if name not in self.imports:
            self.imports.append(name)
        return name

    def declare(self, name: str, params: Types, results: Types) -> Defined:
        """A function that others may call before it is written."""
        defined = Defined(name, FuncType(params, results))
        self.functions.append(defined)
        return defined

    def routine(self, routine: Routine) -> Defined:
        """The function of a routine, written later if it is asked for the first time."""
        if routine.name not in self._routines:
            defined = self.declare(routine.name, routine.params, routine.results)
            self._routines[routine.name] = defined
            self._waiting.append((routine, defined))
        return self._routines[routine.name]

    def write_routines(self) -> None:
        """Write every routine that was asked for, and those that they ask for."""
        while self._waiting:
            routine, defined = self._waiting.pop(0)
            body = Body(self, defined)
            routine.write(body)


class Body:
    """One function in the making. Methods write instructions; operands lie on wasm's stack."""

    def __init__(self, assembly: Assembly, defined: Defined) -> None:
        self.assembly = assembly
        self.defined = defined
        self.params = defined.type.params
        self.locals: list[int] = []
        self.code: list[Instruction] = []
        self.branches: list[Branch] = []
        self.span: Span | None = None
        """The place in the source that instructions written from now on belong to."""
        self._depth = 0
        self._dead: int | None = None
        """The depth at which a jump left: nothing is written until the block there ends."""
        self._targets: set[int] = set()
        """Depths of open blocks that some jump goes to."""
        self._left: set[int] = set()
        """Depths of open `if`s whose first side was left by a jump and that have another side."""
        self._free: dict[int, list[int]] = {I32: [], I64: []}
        defined.body = self

    # Locals

    def local(self, type_: int) -> int:
        """A local for the caller alone, until it is given back by `free`. Its content at first is anything."""
        if self._free[type_]:
            return self._free[type_].pop()
        self.locals.append(type_)
        return len(self.params) + len(self.locals) - 1

    def fresh(self, types: Types) -> tuple[int, ...]:
        """Locals of these types."""
        return tuple(map(self.local, types))

    def free(self, locals_: Sequence[int]) -> None:
        """Give locals back."""
        for local in reversed(locals_):
            self._free[self.type_of(local)].append(local)

    @contextmanager
    def temporaries(self, *types: int) -> Iterator[tuple[int, ...]]:
        """Locals for the length of a `with`."""
        locals_ = self.fresh(types)
        yield locals_
        self.free(locals_)

    def type_of(self, local: int) -> int:
        return self.params[local] if local < len(self.params) else self.locals[local - len(self.params)]

    # Instructions

    @property
    def reached(self) -> bool:
        """Whether what is written next can be reached; what cannot is left out."""
        return self._dead is None

    def op(self, name: str, imm: object = None) -> None:
        """Any instruction; see `contractvm.wasm.module.Code` for immediates."""
        if self._dead is not None:
            return
        if name in BRANCHES:
            jumps = imm if isinstance(imm, tuple) else (imm,)
            self._targets.update(self._depth - jump for jump in jumps)
        if not shorten(self.code, name, imm):
            self.code.append(Instruction(name, imm, self.span))
        if name in LEAVING:
            self._dead = self._depth

    def do(self, *names: str) -> None:
        """Instructions without immediates, one behind the other."""
        for name in names:
            self.op(name)

    def i32(self, value: int) -> None:
        self.op("i32.const", value % (1 << 32))

    def i64(self, value: int) -> None:
        self.op("i64.const", value % (1 << 64))

    def get(self, *locals_: int) -> None:
        """Push locals, the first first. Behind a `set` of the same local it becomes a `tee`."""
        for local in locals_:
            self.op("local.get", local)

    def set(self, *locals_: int) -> None:
        """Pop into locals: the last one takes the top, so that `get` of the same pushes them back."""
        for local in reversed(locals_):
            self.op("local.set", local)

    def tee(self, local: int) -> None:
        self.op("local.tee", local)

    def global_get(self, index: int) -> None:
        self.op("global.get", index)

    def global_set(self, index: int) -> None:
        self.op("global.set", index)

    def load(self, name: str, offset: int = 0) -> None:
        """`i64.load`, `i32.load8_u`, ...: from the address on the stack plus `offset` bytes."""
        self.op(name, (0, offset))

    def store(self, name: str, offset: int = 0) -> None:
        """`i64.store`, ...: the value on the stack to the address under it plus `offset` bytes."""
        self.op(name, (0, offset))

    def call(self, target: Defined | Routine) -> None:
        if self.reached:
            self.op("call", self.assembly.routine(target) if isinstance(target, Routine) else target)

    def host(self, name: str) -> None:
        """Call a function of `cvm1`."""
        if self.reached:
            self.op("call", self.assembly.import_(name))

    # Blocks

    @contextmanager
    def block(self, results: Types = ()) -> Iterator[Label]:
        """`br` to the label leaves the block, with its results on the stack."""
        with self._nested("block", FuncType((), results)) as label:
            yield label

    @contextmanager
    def loop(self, results: Types = ()) -> Iterator[Label]:
        """`br` to the label begins again; running to the end leaves."""
        with self._nested("loop", FuncType((), results)) as label:
            yield label

    @contextmanager
    def if_(self, results: Types = ()) -> Iterator[Label]:
        """Takes an i32; `otherwise` divides the inside."""
        with self._nested("if", FuncType((), results)) as label:
            yield label

    def otherwise(self) -> None:
        """The other side of the innermost `if_`."""
        if self._dead == self._depth:
            self._dead = None
            self.op("else")
            # Only if the other side is left by a jump, too, is what follows the whole out of reach.
            self._left.add(self._depth)
        else:
            self.op("else")

    @contextmanager
    def _nested(self, name: str, type_: FuncType) -> Iterator[Label]:
        self.op(name, type_)
        self._depth += 1
        outside = self._dead is not None
        yield Label(self._depth)
        inside, self._dead = self._dead, self._dead if outside else None
        self.op("end")
        onward = name == "block" and self._depth in self._targets
        onward = onward or (name == "if" and (self._depth in self._targets or self._depth not in self._left))
        self._targets.discard(self._depth)
        self._left.discard(self._depth)
        self._depth -= 1
        if inside is not None and not outside and not onward:
            self.op("unreachable")

    def br(self, label: Label) -> None:
        self.op("br", self._depth - label.depth)

    def br_if(self, label: Label) -> None:
        self.op("br_if", self._depth - label.depth)

    def br_table(self, labels: Sequence[Label], default: Label) -> None:
        self.op("br_table", tuple(self._depth - label.depth for label in (*labels, default)))

    def unreachable(self) -> None:
        self.op("unreachable")

    def return_(self) -> None:
        self.op("return")

    def mark(self, span: Span, when: bool) -> None:
        """The jump or the `if` that was written last decides a test of the source; not 0 means that it is `when`."""
        if self.reached and self.code[-1].name in ("br_if", "if"):
            self.branches.append(Branch(self.code[-1], span, when))
