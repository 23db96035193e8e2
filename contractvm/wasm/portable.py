"""The portable tier at run time: generated functions closed over an instance's cells, made when first called.

A trap is what CPython raises anyway (an index out of range, a division by zero) or a `Trap` from a helper; the
traceback says in which function and on which line, hence which instruction, and that instruction's refund is given
back. Nothing of it costs the hot path. Source: design of the engine; `pygen` has the code's form. Never: catches what
is not a trap.
"""

from __future__ import annotations

import operator
import struct
from collections import deque
from collections.abc import Callable, Iterator
from types import CellType, FunctionType, TracebackType
from typing import TYPE_CHECKING, Any

from contractvm.dataclass import dataclass
from contractvm.errors import OutOfGas, Revert, Trap, TrapCode
from contractvm.nesting import untie
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.externs import Func, template
from contractvm.wasm.instance import Instance
from contractvm.wasm.numeric import MEANINGS
from gas.meter import Meter

if TYPE_CHECKING:
    from contractvm.wasm.pygen import Generated

COMPILED = "__compiled__"
"""Name under which a generated function's globals hold the module it belongs to."""


class Tail:
    """A tail call to make: `enter()` does it and returns what the callee returns, which may be another Tail."""

    __slots__ = ("enter",)

    def __init__(self, enter: Callable[[], Any]) -> None:
        self.enter = enter


HELPERS: dict[str, object] = {
    **{f"ld_{c}": struct.Struct(f"<{c}").unpack_from for c in "HhIiQ"},
    **{f"st_{c}": struct.Struct(f"<{c}").pack_into for c in "HIQ"},
    **{f"{n}{bits}": MEANINGS[f"i{bits}.{n}"] for bits in (32, 64) for n in ("div_s", "rem_s", "rotl", "rotr", "ctz")},
    **{n: MEANINGS[f"i64.{n}"] for n in ("add128", "sub128", "mul_wide_s", "mul_wide_u")},
    "Trap": Trap,
    "OutOfGas": OutOfGas,
    "Tail": Tail,
    "UNREACHABLE": TrapCode.UNREACHABLE,
    "STACK_EXHAUSTED": TrapCode.STACK_EXHAUSTED,
}
"""What generated code calls by name."""


Entry = tuple[Callable[..., Any], Callable[..., Any]]
"""How a function is entered, and the same without the loop that makes tail calls."""


class Linkage:
    """An instance's generated functions, each made at its first call and closed over the instance's cells."""

    __slots__ = ("cells", "defined", "enter_import", "imported", "instance")

    def __init__(self, instance: Instance, enter_import: Callable[[Func], Callable[..., Any]]) -> None:
        compiled = instance.compiled
        if not compiled.namespace:
            compiled.namespace.update(HELPERS)
            compiled.namespace[COMPILED] = compiled
        self.instance = instance
        self.enter_import = enter_import
        self.defined: dict[int, Entry] = {}
        self.imported: list[tuple[CellType, int]] = []
        """Cells of imported functions, with their indices."""
        meter = instance.meter
        self.cells: dict[str, CellType] = {"gas": meter.cell, "n": meter.count, "inst": CellType(instance)}
        if instance.memory is not None:
            self.cells["mem"] = instance.memory.cell
        for index, global_ in enumerate(instance.globals):
            self.cells[f"g{index}"] = global_.cell

    def enter(self, index: int) -> Entry:
        """Return how to enter a defined function: itself, or what makes it at its first call."""
        known = self.defined.get(index)
        if known is None:
            operands = len(self.instance.compiled.module.signature(index).params)
            # Two, as a chain of first tail calls must return to one loop as any other does.
            entry = template(_STUB, operands)(lambda: self.define(index)[0])
            return entry, template(_STUB, operands)(lambda: self.define(index)[1])
        return known

    def define(self, index: int) -> Entry:
        """Make a function callable in this instance, and what it calls as far as there is code for it."""
        waiting = [index]
        while waiting:  # not recursion: a chain of calls can be as long as the module
            self._define(waiting.pop(), waiting)
        return self.defined[index]

    def _define(self, index: int, waiting: list[int]) -> None:
        if index in self.defined:
            return
        compiled = self.instance.compiled
        made = generated(compiled, index)
        code = made.code
        closure = tuple([self.cells.get(name) or self._function_cell(name, waiting) for name in code.co_freevars])
        entry: Callable[..., Any]
        body = entry = FunctionType(code, compiled.namespace, f"f{index}", None, closure)
        if made.tail:
            entry = _bounce(body, code.co_argcount - 1)
        self.defined[index] = entry, body
        known = self.cells.get(f"f{index}")
        if known is not None:
            known.cell_contents = entry
        self.instance.entered(index, entry, body)

    def _function_cell(self, name: str, waiting: list[int]) -> CellType:
        """Make the cell of a function that is met for the first time."""
        compiled, index = self.instance.compiled, int(name[1:])
        if index < compiled.module.imported_functions:
            cell = CellType(self._imported(index))
            self.imported.append((cell, index))
        else:
            if index in compiled.generated:
                waiting.append(index)
            cell = CellType(self.enter(index)[0])
        self.cells[name] = cell
        return cell

    def _imported(self, index: int) -> Callable[..., Any]:
        """An imported function as generated code calls it: a contract's host functions take no stack weight."""
        instance = self.instance
        extern = instance.imported[index]
        if instance.compiled.rules.contract and not isinstance(extern, Func):
            return extern
        return self.enter_import(instance.function(index))

    def release(self) -> None:
        """Untie the functions from one another: freeing a long chain of them would recurse in C (CPython 3.13)."""
        for name, cell in self.cells.items():
            if name[0] == "f":
                cell.cell_contents = None

    def rebind(self) -> None:
        """Let the functions call what the instance imports now."""
        for cell, index in self.imported:
            cell.cell_contents = self._imported(index)


def generated(compiled: Compiled, index: int) -> Generated:
    """Return a function's code, generated at its first call in any instance."""
    found = compiled.generated.get(index)
    if found is None:
        from contractvm.wasm.pygen import generate  # a process whose contracts are all compiled does without

        found = compiled.generated[index] = generate(compiled, index)
    return found


def prepare(
    instance: Instance, enter_import: Callable[[Func], Callable[..., Any]] = operator.attrgetter("call")
) -> Linkage:
    """Make this tier the one that runs the instance; `enter_import` says how it calls what it imports."""
    linkage = Linkage(instance, enter_import)
    instance.run_with(linkage.enter)
    return linkage


_STUB = """
def make(define):
    def stub({weight}):
        return define()({weight})
    return stub
"""
_BOUNCE = """
def make(body, Tail):
    def entry({weight}):
        result = body({weight})
        while result.__class__ is Tail:
            result = result.enter()
        return result
    return entry
"""


def _bounce(body: Callable[..., Any], operands: int) -> Callable[..., Any]:
    return template(_BOUNCE, operands)(body, Tail)  # type: ignore[no-any-return]


TRAPS = (Trap, IndexError, struct.error, ZeroDivisionError)
"""What generated code raises for a trap."""


def run(function: Func, operands: list[Any], weight: int) -> list[Any]:
    """Call a function with a stack weight budget and return its results. Raises: Trap (with its place), OutOfGas."""
    try:
        result = function.call(*operands, weight)
    except TRAPS as error:
        if function.instance is None:
            raise
        raise located(error, function.instance.meter) from None
    except (OutOfGas, Revert) as error:
        untie(error)
        raise
    if isinstance(result, tuple):
        return list(result)
    return [] if result is None and not function.type.results else [result]


def run_entry(linkage: Linkage, index: int, weight: int) -> None:
    """Call a function without operands and results. Raises: Trap, OutOfGas, whatever a host function raises."""
    try:
        linkage.enter(index)[0](weight)
    except TRAPS as error:
        raise located(error, linkage.instance.meter) from None
    except (OutOfGas, Revert) as error:
        untie(error)
        raise


def located(error: Exception, meter: Meter) -> Exception:
    """Turn what a generated function raised into a trap with its place, and give the refund back.

    Returns the error itself when it did not come from generated code: then it is a bug of ours.
    """
    frames = deque(_frames(error.__traceback__), Trap.BACKTRACE)
    if isinstance(error, Trap) and error.place is None and error.backtrace and not frames:
        error.place = error.backtrace[0]
    if not frames or not (isinstance(error, Trap) or frames[-1].raises):
        return error
    untie(error)
    trap = error if isinstance(error, Trap) else Trap(_code(error))
    if trap.place is not None:
        return trap
    frame = frames[-1]
    # Compiled functions that it left first have noted their places.
    own = (f.compiled.place(f.index, f.at) for f in reversed(frames))
    trap.backtrace = (*trap.backtrace, *own)[: Trap.BACKTRACE]
    trap.place = trap.backtrace[0]
    if frame.at is not None:
        plan = frame.compiled.plan(frame.index)
        meter.left += plan.refund[frame.at]
        if frame.compiled.count:
            meter.count.cell_contents -= plan.uncounted[frame.at]
    return trap


def _code(error: Exception) -> TrapCode:
    return TrapCode.INTEGER_DIVIDE_BY_ZERO if isinstance(error, ZeroDivisionError) else TrapCode.MEMORY_OUT_OF_BOUNDS


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame of a traceback that runs a generated function."""

    compiled: Compiled
    index: int
    line: int
    raises: bool
    """Whether it raised the error itself, not something that it called."""

    @property
    def at(self) -> int | None:
        """The instruction it is in; None before its first."""
        return self.compiled.generated[self.index].instructions.get(self.line)


def _frames(traceback: TracebackType | None) -> Iterator[_Frame]:
    """The frames of a traceback that run generated functions, the outermost first.

    Not those of `Tail`'s functions, which share the globals.
    """
    while traceback is not None:
        code = traceback.tb_frame.f_code
        compiled = traceback.tb_frame.f_globals.get(COMPILED)
        if isinstance(compiled, Compiled) and code.co_name != "<lambda>":
            yield _Frame(compiled, int(code.co_name[1:]), traceback.tb_lineno, traceback.tb_next is None)
        traceback = traceback.tb_next
