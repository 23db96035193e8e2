"""The native tier at run time: an instance's context, builtins for its compiled functions, traps with their places.

A compiled function is entered as a builtin that takes its operands and the stack weight left, as a function of the
portable tier is; what it imports it calls as Python calls it. A trap unwinds the compiled frames, which note where they
were, and leaves as an exception without a place; `located` adds it, for whoever entered.
Source: design of the engine; `native.context` has the fields. Never: compiles, or looks for an object.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from contractvm.errors import Fatal, OutOfGas, Place, Revert, Trap, TrapCode
from contractvm.host import Finish, Host
from contractvm.host.facts import pack_into, put_contents
from contractvm.native import context, stack
from contractvm.native.context import MOST_GAS, OFFSET, TAIL_CALL, TRACE
from contractvm.nesting import FRAMES_A_THREAD, on_fresh_thread, stack_bytes, untie
from contractvm.wasm import portable
from contractvm.wasm.externs import Func, template
from contractvm.wasm.instance import Instance
from contractvm.wasm.mapped import Builtin, Context, NativeCode, new_builtin
from contractvm.wasm.replay import replay
from contractvm.wasm.unwinding import NoRoom, TailCall, leave_for

TRAPS: Final = MappingProxyType(
    {
        context.UNREACHABLE: TrapCode.UNREACHABLE,
        context.DIVIDE_BY_ZERO: TrapCode.INTEGER_DIVIDE_BY_ZERO,
        context.OVERFLOW: TrapCode.INTEGER_OVERFLOW,
        context.MEMORY: TrapCode.MEMORY_OUT_OF_BOUNDS,
        context.STACK: TrapCode.STACK_EXHAUSTED,
    }
)
PAIR: Final = struct.Struct("<2Q")
"""Two fields that lie side by side."""
LEAVING: Final = struct.Struct("<3Q")
CELL_AT: Final = OFFSET["cell"]
"""Behind it comes the host."""
CROSSINGS_A_THREAD: Final = 256
"""Calls of compiled code from Python that may be open in each other on one thread: CPython counts its own recursion in
C, some thousands a thread, and each takes a few of them."""


class NativeLinkage:
    """An instance's context and builtins."""

    __slots__ = ("__weakref__", "_facts", "builtins", "code", "context", "instance")

    def __init__(
        self,
        instance: Instance,
        code: NativeCode,
        functions: Sequence[object] | None = None,
        slice_: int = context.SLICE,
    ) -> None:
        """`functions` serve the imports of a contract; they take the host first, which `serve` names.

        `slice_` is the milligas handed to compiled code at once.
        """
        self.instance = instance
        self.code = code
        self.builtins: dict[int, Builtin] = {}
        ctx = self.context = Context(code.blank)
        self._facts = (ctx, code.layout.facts) if code.layout.facts else None
        ctx.code = code
        memory = ctx.memory = None if instance.memory is None else instance.memory.data
        cell = ctx.cell = instance.meter.cell
        fail, room, held, indirect = self.fail, self.room, dict[object, object](), self.indirect
        leaving: tuple[Any, ...] = ()
        if code.layout.leaving:
            leaving = self.leave, self.leave_indirect, self.reenter
            LEAVING.pack_into(ctx, OFFSET["leave"], *map(id, leaving))
        called = [imported(instance, n) for n in range(len(instance.imported))] if functions is None else [*functions]
        called += [getattr(instance, method) for method in code.effects]
        code.words.pack_into(ctx, code.layout.imports, *map(id, called))
        PAIR.pack_into(ctx, OFFSET["memory"], 0 if memory is None else id(memory), id(cell))
        PAIR.pack_into(ctx, OFFSET["fail"], id(fail), id(room))
        PAIR.pack_into(ctx, OFFSET["held"], id(held), id(indirect))
        if slice_ != context.SLICE:
            self._number("slice", slice_)
        cells: list[object] = []
        if code.first_globals is None:
            for place, variable in zip(code.layout.globals, instance.globals, strict=True):
                if place.cell:
                    cells.append(variable.cell)
                value = id(variable.cell) if place.cell else variable.cell.cell_contents
                struct.pack_into("<Q", ctx, place.at, value)
        ctx.kept = (fail, room, held, indirect, *leaving, *called, *cells)

    def _number(self, field: str, value: int) -> None:
        struct.pack_into("<Q", self.context, OFFSET[field], value)

    def serve(self, host: Host) -> None:
        """Let gas be counted on the meter, the contract's host functions be called for this host, its facts be read."""
        ctx = self.context
        ctx.host = host
        cell = ctx.cell = self.instance.meter.cell
        PAIR.pack_into(ctx, CELL_AT, id(cell), id(host))
        facts = host.facts = self._facts
        if facts is not None:
            pack_into(host, ctx, facts[1], self.code.layout.around)

    def hand_over(self, host: Host) -> None:
        """Let the input be read that the host has now, and nothing else of what it was told before."""
        if self._facts is not None:
            put_contents(host, *self._facts)

    def renew(self) -> None:
        """Make the globals as they were before a contract's first frame."""
        code, ctx = self.code, self.context
        if code.first_globals is not None:
            ctx[code.first_globals] = code.first_values
            return
        for place, variable in zip(code.layout.globals, self.instance.globals, strict=True):
            if not place.cell:
                struct.pack_into("<Q", ctx, place.at, variable.cell.cell_contents)

    def enter(self, index: int) -> tuple[Builtin, Builtin]:
        """Return how to enter a function: directly, and from a tail call of the portable tier."""
        found = self.builtin(index)
        safe = partial(self.tail_called, found)
        return safe if index in self.code.layout.leaving else found, safe

    def builtin(self, index: int) -> Builtin:
        """Return how to enter a function. Raises: Fatal when nobody should."""
        found = self.builtins.get(index)
        if found is None:
            at = self.code.at.get(index)
            if at is None:
                raise Fatal(f"function {index} was compiled without an entry")
            found = self.builtins[index] = new_builtin()(at, self.context, self.code.loaded.pages)
        return found

    def tail_called(self, entry: Builtin, *operands: Any) -> Any:
        """Enter a function that may leave, or in place of a frame of the portable tier.

        Raises: Trap with the places of its frames.
        """
        try:
            return entry(*operands)
        except TailCall as call:
            return _call(call.function, call.operands, call.weight)
        except Trap as trap:
            self.located(trap)
            raise

    # What compiled code calls.

    def fail(self) -> None:
        """Raise what the context says. Raises: Trap without a place, OutOfGas, NoRoom."""
        code = self._field("trap")
        if code == context.OUT_OF_GAS:
            raise OutOfGas
        if code == context.REVERTED:
            raise Revert(self._output())
        if code == context.NO_ROOM:
            left = self._field("stack_high") - self._field("stack_low")
            raise NoRoom(
                f"native code needs {self._field('stack_need')} bytes of stack, and this thread's {left} bytes are not "
                "enough for it here: call from a thread with a larger stack (threading.stack_size) or nest less deeply"
            )
        raise Trap(replay(self.instance, self.code.layout, self.context) if code == context.REPLAY else TRAPS[code])

    def _output(self) -> bytes:
        """What the frame has ended itself with."""
        at, memory = self._field("output"), self.instance.memory
        return b"" if memory is None else bytes(memory.data[at : at + self._field("output_size")])

    def room(self) -> None:
        """Find out where the calling thread's stack lies."""
        low, high = stack.lend(self)
        self._number("stack_low", low)
        self._number("stack_high", high)

    def forget_stack(self) -> None:
        """The thread that was known has ended: ask at the next call."""
        self._number("stack_high", 0)

    def indirect(self, *arguments: Any) -> Any:
        """Call an entry of a table: operands, index, type and table; the stack weight comes last."""
        *operands, at, type_, table, weight = arguments
        function = self.instance.indirect(at, self.instance.compiled.keys[type_], table)
        return _call(function, operands, weight)

    def leave(self, *arguments: Any) -> Any:
        """Make a tail call to an imported function: operands, its index, the stack weight. Raises: as `leave_for`."""
        *operands, index, weight = arguments
        return leave_for(self.instance.function(index), operands, weight)

    def leave_indirect(self, *arguments: Any) -> Any:
        """Make a tail call through a table: operands, index, type and table; the stack weight comes last.

        Raises: Trap; as `leave_for`.
        """
        *operands, at, type_, table, weight = arguments
        function = self.instance.indirect(at, self.instance.compiled.keys[type_], table)
        return leave_for(function, operands, weight)

    def reenter(self, *arguments: Any) -> Any:
        """Call a function that may leave: operands, its index, the stack weight."""
        *operands, index, weight = arguments
        return _call(self.instance.function(index), operands, weight)

    def bytes_of_a_thread(self) -> int:
        """Of C stack for a fresh thread that goes on where another's is used up."""
        return stack_bytes(FRAMES_A_THREAD, self.instance.compiled.rules.limits.stack_weight)

    def _field(self, name: str) -> int:
        value: int = struct.unpack_from("<Q", self.context, OFFSET[name])[0]
        return value

    def located(self, trap: Trap) -> Trap:
        """Add the places of the compiled frames that a trap has just left; its `place` is for the outermost to set."""
        noted = self._field("noted")
        self._number("noted", 0)
        if trap.place is None and noted:
            words = struct.unpack_from(f"<{noted}Q", self.context, TRACE)
            places = [*trap.backtrace, *(self._place(w) for n, w in enumerate(words) if not w & TAIL_CALL or not n)]
            if words[0] & TAIL_CALL and trap.backtrace:
                del places[len(trap.backtrace)]
            trap.backtrace = tuple(places[: Trap.BACKTRACE])
        return trap

    def _place(self, word: int) -> Place:
        at = word & (TAIL_CALL - 1)
        return self.instance.compiled.place(word >> 32, at - 1 if at else None)


def imported(instance: Instance, n: int) -> Builtin:
    """An import of the bare engine as compiled code calls it: with the stack weight last."""
    extern = instance.imported[n]
    if not isinstance(extern, Func):
        operands = len(instance.compiled.module.signature(n).params)
        return template(_WITHOUT_WEIGHT, operands)(extern)  # type: ignore[no-any-return]
    return extern.call if extern.instance is None else _entered(extern)


_WITHOUT_WEIGHT = """
def make(function):
    def adapted({weight}):
        return function({names})
    return adapted
"""


def _entered(function: Func) -> Builtin:
    """A function of another instance, called with the stack weight last and its trap's places kept."""

    def call(*arguments: Any) -> Any:
        *operands, weight = arguments
        return _call(function, operands, weight)

    return call


def entered(function: Func) -> Builtin:
    """How an instance of the portable tier calls a function that it imports and that may be compiled."""
    compiled = function.instance is not None and native_linkage(function.instance) is not None
    return _entered(function) if compiled else function.call


class _Crossings(threading.local):
    """How many calls from Python into compiled code are open in each other on a thread."""

    open = 0


_here = _Crossings()


def _call(function: Func, operands: Sequence[Any], weight: int) -> Any:
    """Call a function of any instance, and those that it leaves to.

    Raises: Trap with a backtrace that has the frames entered here, but without a place.
    """
    while True:
        try:
            return _enter(function, operands, weight)
        except TailCall as call:
            function, operands, weight = call.function, call.operands, call.weight


def _enter(function: Func, operands: Sequence[Any], weight: int) -> Any:
    """Enter a function, on a fresh thread if this one's stack is used up. Raises: TailCall; as `_call`."""
    instance = function.instance
    if instance is None:
        return function.call(*operands, weight)
    linkage = native_linkage(instance)
    if linkage is None:
        try:
            return function.call(*operands, weight)
        except portable.TRAPS as error:
            raise portable.located(error, instance.meter) from None
    entry = linkage.builtin(function.index)
    before = _here.open
    _here.open = before + 1
    try:
        if before % CROSSINGS_A_THREAD != CROSSINGS_A_THREAD - 1:
            try:
                return _unless_finished(instance, entry(*operands, weight))
            except NoRoom:
                pass
        answer = on_fresh_thread(lambda _: entry(*operands, weight), None, linkage.bytes_of_a_thread())
        return _unless_finished(instance, answer)
    except Trap as trap:
        linkage.located(trap)
        raise
    finally:
        _here.open = before


def _unless_finished(instance: Instance, answer: Any) -> Any:
    """What a function returned. Raises: Finish when its frame ended itself meanwhile, which ends all of it."""
    if answer.__class__ is bytes and instance.compiled.rules.contract:
        raise Finish(answer)
    return answer


def native_linkage(instance: Instance) -> NativeLinkage | None:
    """The linkage of an instance that runs compiled code."""
    if instance.waiting is not None:
        instance.begin()
    owner = getattr(instance.enter, "__self__", None)
    return owner if isinstance(owner, NativeLinkage) else None


def offer(instance: Instance, code: NativeCode) -> None:
    """Make this tier the one that runs the instance, once a function of it is asked for."""
    instance.run_later_with(lambda made: NativeLinkage(made, code).enter)


def prepare(
    instance: Instance, code: NativeCode, functions: Sequence[object] | None = None, slice_: int = context.SLICE
) -> NativeLinkage:
    """Make this tier the one that runs the instance; see `NativeLinkage`."""
    linkage = NativeLinkage(instance, code, functions, slice_)
    instance.run_with(linkage.enter)
    return linkage


def run(function: Func, operands: Sequence[Any], weight: int) -> list[Any]:
    """Call a function with a stack weight budget and return its results.

    Raises: Trap (with its place), OutOfGas, and whatever a host function raises; ValueError for more gas than a
    64-bit count of milligas holds.
    """
    instance = function.instance
    if instance is not None and instance.meter.left > MOST_GAS:
        raise ValueError(f"the native tier counts gas up to {MOST_GAS} milligas")
    try:
        result = _call(function, operands, weight)
    except (Trap, OutOfGas, Revert) as error:
        untie(error)
        if isinstance(error, Trap):
            _placed(error)
        raise
    if isinstance(result, tuple):
        return list(result)
    return [] if result is None and not function.type.results else [result]


def _placed(trap: Trap) -> None:
    """Say where a trap happened that left the outermost compiled frame."""
    if trap.place is None and trap.backtrace:
        trap.place = trap.backtrace[0]


def run_entry(linkage: NativeLinkage, index: int, weight: int) -> bytes:
    """Call a function without operands and results; return what the frame ended itself with, or nothing.

    Raises: Trap, OutOfGas, whatever a host function raises.
    """
    entry = linkage.builtins.get(index) or linkage.builtin(index)
    try:
        try:
            return entry(weight) or b""
        except NoRoom:
            return on_fresh_thread(entry, weight, linkage.bytes_of_a_thread()) or b""
        except TailCall as call:
            _call(call.function, call.operands, call.weight)
            return b""
    except Trap as trap:
        linkage.located(trap)
        untie(trap)
        _placed(trap)
        raise
    except (OutOfGas, Revert) as error:
        untie(error)
        raise
