"""The reference tier: reads the table's pure functions one instruction at a time. It is the law the other tiers follow.

Calls between wasm functions never recurse in Python; only a host call does. A trap leaves its place and gives back
the cost of what its run did not execute. Source: WebAssembly core specification, section 4.4 (execution of
instructions).
Never: a shortcut for speed that a reader could not check against the specification.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from contractvm.errors import Fatal, OutOfGas, Place, Trap, TrapCode
from contractvm.wasm import flat as f
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.externs import PAGE, Func, unlinked
from contractvm.wasm.flat import Flat, flatten
from contractvm.wasm.instance import Instance
from contractvm.wasm.opcodes import BY_CODE

Trace = Callable[[int, int, str, object, int, list[Any]], None]
"""Called before each instruction: function index, byte offset, name, immediate, milligas left, operand stack."""


def run(function: Func, operands: list[Any], weight: int, trace: Trace | None = None) -> list[Any]:
    """Call a function with a stack weight budget and return its results.

    Raises: Trap (with its place), OutOfGas, and whatever a host function raises.
    """
    return _Execution(trace).call(function, operands, weight)


def resume(
    instance: Instance, index: int, at: int, stack: Sequence[Any], locals_: list[Any]
) -> tuple[Trap | None, int]:
    """Execute a function from instruction `at` on, whose run is paid for, up to a trap that is known to come.

    Returns the trap, without a place, and the instruction it happened in; None for the trap when the frame ended.
    """
    compiled = instance.compiled
    flat = flat_form(compiled, index)
    signature = compiled.module.signature(index)
    function = Func(signature, compiled.keys[compiled.module.func_types[index]], instance, index, unlinked)
    frame = _Frame(function, instance, flat, locals_, 0)
    frame.locals = locals_
    frame.stack.extend(stack)
    # A run's first instruction has two steps, the first of which charges for the run.
    frame.pc = max(pc for pc, source in enumerate(flat.source) if source == at)
    try:
        _Execution(None).step(frame)
    except Trap as trap:
        return trap, frame.at
    return None, frame.at


class _Frame:
    """One activation of a wasm function."""

    __slots__ = ("flat", "function", "instance", "locals", "pc", "stack", "weight")

    def __init__(self, function: Func, instance: Instance, flat: Flat, operands: list[Any], weight: int) -> None:
        self.function = function
        self.instance = instance
        self.flat = flat
        self.pc = 0
        self.stack: list[Any] = []
        self.locals = operands + flat.zeros
        self.weight = weight

    @property
    def at(self) -> int:
        """Index of the instruction that was begun last."""
        return self.flat.source[self.pc - 1]


class _Execution:
    __slots__ = ("frames", "trace")

    def __init__(self, trace: Trace | None) -> None:
        self.frames: list[_Frame] = []
        self.trace = trace

    def call(self, function: Func, operands: list[Any], weight: int) -> list[Any]:
        if function.instance is None:
            return _host(function, operands)
        self.enter(function, function.instance, operands, weight)
        while True:
            frame = self.frames[-1]
            try:
                results = self.step(frame)
            except Trap as trap:
                self._locate(frame, trap)
                raise
            if results is not None:
                self.frames.pop()
                if not self.frames:
                    return results
                self.frames[-1].stack.extend(results)

    def enter(self, function: Func, instance: Instance, operands: list[Any], weight: int) -> None:
        """Open a frame if its weight fits what is left of the budget. Raises: Trap at the function's first byte."""
        flat = flat_form(instance.compiled, function.index)
        if weight < flat.plan.weight:
            place = instance.compiled.place(function.index, None)
            raise Trap(TrapCode.STACK_EXHAUSTED, "", place, (place, *self._callers(Trap.BACKTRACE - 1)))
        self.frames.append(_Frame(function, instance, flat, operands, weight - flat.plan.weight))

    def _locate(self, frame: _Frame, trap: Trap) -> None:
        """Say where, and give back what the run had paid for and did not execute."""
        if trap.place is not None:
            return
        at = frame.at
        frame.instance.meter.left += frame.flat.plan.refund[at]
        frame.instance.meter.count.cell_contents -= frame.flat.plan.uncounted[at]
        trap.backtrace = self._callers(Trap.BACKTRACE)
        trap.place = trap.backtrace[0]

    def _callers(self, most: int) -> tuple[Place, ...]:
        """Where each open frame is, the innermost first."""
        inner = self.frames[: -most - 1 : -1]
        return tuple(frame.instance.compiled.place(frame.function.index, frame.at) for frame in inner)

    def _report(self, frame: _Frame) -> None:
        """Tell the tracer of the instruction about to run."""
        if frame.flat.steps[frame.pc][0] == f.CHARGE or self.trace is None:
            return
        index = frame.function.index
        code = frame.instance.compiled.function(index).code
        at = frame.flat.source[frame.pc]
        name = BY_CODE[code.ops[at]].name
        self.trace(index, code.offsets[at], name, code.imms[at], frame.instance.meter.left, frame.stack)

    def step(self, frame: _Frame) -> list[Any] | None:
        """Run a frame until it returns (its results) or has opened another frame (None)."""
        instance, steps, locals_, stack = frame.instance, frame.flat.steps, frame.locals, frame.stack
        pop, push = stack.pop, stack.append
        memory = instance.memory.data if instance.memory is not None else bytearray()
        gas, count = instance.meter.cell, instance.meter.count
        tracing = self.trace is not None
        while True:
            if tracing:
                self._report(frame)
            kind, x, y = steps[frame.pc]
            frame.pc += 1
            if kind == f.LOCAL_GET:
                push(locals_[x])
            elif kind == f.CONST:
                push(x)
            elif kind == f.BINARY:
                right = pop()
                stack[-1] = x(stack[-1], right)
            elif kind == f.LOCAL_SET:
                locals_[x] = pop()
            elif kind == f.LOCAL_TEE:
                locals_[x] = stack[-1]
            elif kind == f.CHARGE:
                left = gas.cell_contents - x
                gas.cell_contents = left
                if left < 0:
                    raise OutOfGas
                count.cell_contents += y
            elif kind == f.UNARY:
                stack[-1] = x(stack[-1])
            elif kind == f.LOAD:
                offset, width = x
                at = stack[-1] + offset
                if at + width > len(memory):
                    raise Trap(TrapCode.MEMORY_OUT_OF_BOUNDS)
                stack[-1] = y(int.from_bytes(memory[at : at + width], "little"))
            elif kind == f.STORE:
                offset, width = x
                value = pop()
                at = pop() + offset
                if at + width > len(memory):
                    raise Trap(TrapCode.MEMORY_OUT_OF_BOUNDS)
                memory[at : at + width] = y(value).to_bytes(width, "little")
            elif kind == f.BR_IF:
                if pop():
                    frame.pc = x
                    if y is not None:
                        _drop_between(stack, *y)
            elif kind == f.BR:
                frame.pc = x
                if y is not None:
                    _drop_between(stack, *y)
            elif kind == f.UNLESS:
                if not pop():
                    frame.pc = x
            elif kind == f.RETURN:
                arity = frame.flat.arity
                return stack[-arity:] if arity else []
            elif kind == f.CALL:
                if self._call(frame, instance.function(x)):
                    return None
            elif kind == f.DROP:
                pop()
            elif kind == f.SELECT:
                condition, other = pop(), pop()
                if not condition:
                    stack[-1] = other
            elif kind == f.GLOBAL_GET:
                push(instance.globals[x].cell.cell_contents)
            elif kind == f.GLOBAL_SET:
                instance.globals[x].cell.cell_contents = pop()
            elif kind == f.BR_TABLE:
                at = pop()
                frame.pc, move = x[at] if at < len(x) else x[-1]
                if move is not None:
                    _drop_between(stack, *move)
            elif kind == f.CALL_INDIRECT:
                if self._call(frame, instance.indirect(pop(), x, y)):
                    return None
            elif kind == f.RETURN_CALL:
                return self._tail_call(frame, instance.function(x))
            elif kind == f.RETURN_CALL_INDIRECT:
                return self._tail_call(frame, instance.indirect(pop(), x, y))
            elif kind == f.WIDE:
                operands = stack[-y:]
                del stack[-y:]
                stack.extend(x(*operands))
            elif kind == f.INSTANCE:
                self._instance(instance, stack, x, y)
            elif kind == f.MEMORY_SIZE:
                push(len(memory) // PAGE)
            elif kind == f.REF_FUNC:
                push(instance.function(x))
            elif kind == f.REF_IS_NULL:
                stack[-1] = 1 if stack[-1] is None else 0
            elif kind == f.UNREACHABLE:
                raise Trap(TrapCode.UNREACHABLE)

    def _call(self, frame: _Frame, function: Func) -> bool:
        """Call with the operands on the frame's stack; True when that opened a frame."""
        operands = _take(frame.stack, len(function.type.params))
        if function.instance is None:
            frame.stack.extend(_host(function, operands))
            return False
        self.enter(function, function.instance, operands, frame.weight)
        return True

    def _tail_call(self, frame: _Frame, function: Func) -> list[Any] | None:
        """Replace the frame by the callee's, which gets the weight back."""
        operands = _take(frame.stack, len(function.type.params))
        if function.instance is None:
            return _host(function, operands)
        below = self.frames.pop()
        self.enter(function, function.instance, operands, below.weight + below.flat.plan.weight)
        return None

    @staticmethod
    def _instance(instance: Instance, stack: list[Any], what: tuple[str, int], further: tuple[Any, ...]) -> None:
        method, count = what
        result = getattr(instance, method)(*_take(stack, count), *further)
        if method in _ANSWERS:
            stack.append(result)


_ANSWERS = frozenset({"memory_grow", "table_get", "table_size", "table_grow"})


def flat_form(compiled: Compiled, index: int) -> Flat:
    """Return a defined function's steps, made at its first call."""
    found = compiled.flat.get(index)
    if found is None:
        found = compiled.flat[index] = flatten(compiled, index)
    return found


def _take(stack: list[Any], count: int) -> list[Any]:
    """Pop `count` operands, the deepest first."""
    if not count:
        return []
    operands = stack[-count:]
    del stack[-count:]
    return operands


def _drop_between(stack: list[Any], height: int, arity: int) -> None:
    """Keep the top `arity` operands and drop what lies between them and `height`."""
    del stack[height : len(stack) - arity]


def _host(function: Func, operands: list[Any]) -> list[Any]:
    """Call a host function and return its results as a list."""
    if function.host is None:
        raise Fatal("a function without an instance must be the host's")
    result = function.host(*operands)
    if not function.type.results:
        return []
    return list(result) if isinstance(result, tuple) else [result]
