"""The module's doors: `call`, which finds the function that the input asks for, and `deploy`, the constructor.

The input is copied once, its beginning into an area of memory; only an entry with dynamic arguments copies all of it
when it is longer. Where no function takes value, it is refused once, before anything is looked for. Selectors are
compared as they lie in memory; from `FEW` on, by halves. An answer of fixed size has an area of its own.
Source: docs/language.md, "Functions", "The ABI"; design of the chain, section 7, for exports.
Never: writes the functions themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Final

from contractvm.crypto import keccak256
from contractvm.wasm.module import I32
from sdk.compiler import tree
from sdk.compiler.back import functions
from sdk.compiler.back.abi_decode import check_room, get_sequence
from sdk.compiler.back.abi_encode import all_static, encoded, heads, put_parts
from sdk.compiler.back.abi_words import WORD_BYTES
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.events import words_area
from sdk.compiler.back.operand import Held, Spot
from sdk.compiler.back.reverts import reason
from sdk.compiler.back.slots import slots, spelled
from sdk.compiler.back.writer import ALLOCATE, Unit, Writer
from sdk.compiler.symbols import Mutability, outputs
from sdk.compiler.tree import Entry, Function, Program
from sdk.compiler.types import BYTES, NOTHING, Type

SELECTOR: Final = 4
FEW: Final = 8
"""Selectors that are compared one after the other."""
INPUT: Final = 260
"""Bytes of the input that are always copied, if some argument is dynamic: a selector and eight words."""
AHEAD: Final = 4
"""Bytes of the area before the input, so that its words begin at a multiple of eight."""


def write(unit: Unit) -> None:
    """Write the exports."""
    program = unit.program
    call = unit.assembly.declare("call", (), ())
    unit.assembly.exports.append(("call", call))
    _Call(Writer(unit, Body(unit.assembly, call))).write()
    if program.constructor is not None:
        deploy = unit.assembly.declare("deploy", (), ())
        unit.assembly.exports.append(("deploy", deploy))
        _deploy(Writer(unit, Body(unit.assembly, deploy)), program.constructor, program.constructor_payable)


def _refuse_value(b: Body) -> None:
    area = b.assembly.area("input.value", WORD_BYTES)
    b.i32(area)
    b.host("value")
    for i in range(4):
        b.i32(0)
        b.load("i64.load", area + 8 * i)
        if i:
            b.op("i64.or")
    b.do("i64.eqz", "i32.eqz")
    with b.if_():
        reason(b, "not payable")


REFUSE_VALUE: Final = Routine("refuse_value", (), (), _refuse_value)


def _whole_input(b: Body) -> None:
    with b.temporaries(I32) as (start,):
        b.get(0)
        b.call(ALLOCATE)
        b.set(start)
        b.get(start)
        b.i32(0)
        b.get(0)
        b.host("input_copy")
        b.op("drop")
        b.get(start)


WHOLE_INPUT: Final = Routine("whole_input", (I32,), (I32,), _whole_input)
"""The input's length -> the address of a copy."""


def _types(function: Function, given: int | None = None) -> list[Type]:
    return [local.type for local in function.parameters[:given]]


class _Call:
    """The function `call` in the making: `length` is the local with the input's length."""

    def __init__(self, w: Writer) -> None:
        self.w = w
        self.b = w.b
        self.program = w.unit.program
        entries = self.program.entries
        sizes = [heads(_types(entry.function, entry.given)) for entry in entries]
        self.dynamic = any(not all_static(_types(entry.function, entry.given)) for entry in entries)
        self.room = max([SELECTOR + size for size in sizes] + ([INPUT] if self.dynamic else []), default=SELECTOR)
        self.length = self.b.local(I32)

    @property
    def area(self) -> int:
        """Where the input lies."""
        return self.w.assembly.area("input", AHEAD + self.room) + AHEAD

    def write(self) -> None:
        b, program = self.b, self.program
        paid = any(entry.mutability is Mutability.PAYABLE for entry in program.entries)
        paid = paid or program.receive is not None or program.fallback_payable
        if not paid:
            b.call(REFUSE_VALUE)
        b.i32(self.area)
        b.i32(0)
        b.i32(self.room)
        b.host("input_copy")
        b.set(self.length)
        with b.block() as unknown:
            b.get(self.length)
            b.i32(SELECTOR)
            b.op("i32.lt_u")
            b.br_if(unknown)
            selector = b.local(I32)
            b.i32(0)
            b.load("i32.load", self.area)
            b.set(selector)
            known = [(int.from_bytes(_selector(entry), "little"), entry) for entry in program.entries]
            if len(known) > FEW:
                known.sort(key=lambda pair: pair[0])
            self._choose(selector, known, paid)
            b.free([selector])
        self._otherwise(paid)

    def _choose(self, selector: int, known: Sequence[tuple[int, Entry]], paid: bool) -> None:
        b = self.b
        if len(known) > FEW:
            half = len(known) // 2
            b.get(selector)
            b.i32(known[half][0])
            b.op("i32.lt_u")
            with b.if_():
                self._choose(selector, known[:half], paid)
                b.otherwise()
                self._choose(selector, known[half:], paid)
            return
        for number, entry in known:
            b.get(selector)
            b.i32(number)
            b.op("i32.eq")
            with b.if_():
                if paid and entry.mutability is not Mutability.PAYABLE:
                    b.call(REFUSE_VALUE)
                self._enter(entry)

    def _enter(self, entry: Entry) -> None:
        w, b = self.w, self.b
        types = _types(entry.function, entry.given)
        b.span = entry.function.span
        if all_static(types):
            self._push_static(types)
        else:
            self._push_dynamic(types)
        for node in entry.defaults:
            w.expr(node)
        _run(w, entry.function)
        b.span = None

    def _push_static(self, types: Sequence[Type]) -> None:
        b = self.b
        if not types:
            return
        with b.temporaries(I32, I32) as (unused, end):
            b.get(self.length)
            b.i32(SELECTOR + heads(types))
            b.op("i32.lt_u")
            with b.if_():
                b.i32(0)
                b.i32(0)
                b.host("revert")
                b.unreachable()
            get_sequence(b, types, unused, end, Spot(None, self.area + SELECTOR))

    def _push_dynamic(self, types: Sequence[Type]) -> None:
        """Dynamic arguments may be anywhere, so all of the input must be there."""
        b = self.b
        with b.temporaries(I32, I32) as (start, end):
            self._push_input()
            b.set(start)
            b.get(start, self.length)
            b.op("i32.add")
            b.set(end)
            b.get(start)
            b.i32(SELECTOR)
            b.op("i32.add")
            b.set(start)
            check_room(b, start, end, heads(types))
            get_sequence(b, types, start, end)

    def _push_input(self) -> None:
        """Push the address of all of the input."""
        b = self.b
        b.get(self.length)
        b.i32(self.room)
        b.op("i32.gt_u")
        with b.if_((I32,)):
            b.get(self.length)
            b.call(WHOLE_INPUT)
            b.otherwise()
            b.i32(self.area)

    def _otherwise(self, paid: bool) -> None:
        """No selector fits."""
        b, program = self.b, self.program
        if program.receive is not None:
            b.get(self.length)
            b.op("i32.eqz")
            with b.if_():
                _run(self.w, program.receive)
        if program.fallback is None:
            reason(b, "unknown function")
            return
        if paid and not program.fallback_payable:
            b.call(REFUSE_VALUE)
        if program.fallback.parameters:
            with b.temporaries(I32) as (start,):
                self._push_input()
                b.set(start)
                b.get(start, self.length)
        _run(self.w, program.fallback, raw=True)


def _selector(entry: Entry) -> bytes:
    return keccak256(entry.signature.encode())[:SELECTOR]


def _deploy(w: Writer, constructor: Function, payable: bool) -> None:
    """Arguments follow no selector."""
    b = w.b
    if not payable:
        b.call(REFUSE_VALUE)
    types = _types(constructor)
    if types:
        with b.temporaries(I32, I32) as (start, end):
            if all_static(types):
                size = heads(types)
                area = b.assembly.area("arguments", size)
                b.i32(area)
                b.set(start)
                b.i32(area)
                b.i32(area)
                b.i32(0)
                b.i32(size)
                b.host("input_copy")
            else:
                b.host("input_size")
                b.set(end)
                b.get(end)
                b.call(WHOLE_INPUT)
                b.set(start)
                b.get(start, end)
            b.op("i32.add")
            b.set(end)
            check_room(b, start, end, heads(types))
            get_sequence(b, types, start, end)
    functions.invoke(w, constructor)


def _run(w: Writer, function: Function, raw: bool = False) -> None:
    """Call a function whose arguments are on the stack, and end the frame with its results; `raw`: as they are."""
    b = w.b
    if function.nonreentrant and lets_in(w.unit.program):
        guarded(w, function.writes, lambda: functions.invoke(w, function))
    else:
        functions.invoke(w, function)
    if function.returns == NOTHING:
        b.return_()
    elif raw and function.returns == BYTES:
        b.host("finish")
        b.unreachable()
    else:
        finish(b, function.returns)


def finish(b: Body, returns: Type) -> None:
    """End the frame with a result whose slots are on the stack."""
    types = slots(returns)
    if len(types) > functions.PARAMETERS:
        with b.temporaries(*types) as held:
            b.set(*held)
            _finish(b, returns, held)
    else:
        b.call(
            Routine(f"finish {spelled(returns)}", types, (), lambda inner: _finish(inner, returns, range(len(types))))
        )
        b.unreachable()


def _finish(b: Body, returns: Type, locals_: Sequence[int]) -> None:
    """A tuple is several outputs."""
    inside, at = [], 0
    for type_ in outputs(returns):
        count = len(slots(type_))
        inside.append((type_, Held(tuple(locals_[at : at + count]))))
        at += count
    types = [type_ for type_, _ in inside]
    if all_static(types):
        area = words_area(b, types)
        put_parts(b, inside, Spot(None, area))
        b.i32(area)
        b.i32(heads(types))
    else:
        with b.temporaries(I32, I32) as (start, length):
            encoded(b, inside, start, length)
            b.get(start, length)
    b.host("finish")
    b.unreachable()


def lets_in(program: Program) -> bool:
    """Whether some call of a contract lets others call back: if none does, the engine keeps them out.

    Code that is run by a delegate call is the contract's, and may call as it likes.
    """
    return any(_lets_in(statement) for function in program.functions for statement in function.body)


def _lets_in(node: object) -> bool:
    if isinstance(node, tuple):
        return any(map(_lets_in, node))
    if type(node).__module__ != tree.__name__ or isinstance(node, (tree.Local, Function)):
        return False
    if isinstance(node, (tree.CallRemote, tree.RawCall)) and node.reentry:
        return True
    if isinstance(node, tree.RawCall) and node.kind == "delegate":
        return True
    return any(_lets_in(getattr(node, field.name)) for field in fields(node))  # type: ignore[arg-type]


GUARD: Final = b"\0"
"""Where transient storage says that a function runs that may not be entered again: shorter than any field's key."""


def guarded(w: Writer, writes: bool, inner: Callable[[], None]) -> None:
    """Refuse to run while a nonreentrant function of this contract runs; mark that one does, meanwhile."""
    b = w.b
    key = b.assembly.constant(GUARD)
    mark = b.assembly.constant(b"\x01")
    b.i32(key)
    b.i32(len(GUARD))
    b.i32(0)
    b.i32(0)
    b.host("transient_get")
    b.i32(0)
    b.op("i32.ge_s")
    with b.if_():
        reason(b, "reentrant call")
    if not writes:  # it cannot be entered again by calls that change anything, and must not change anything itself
        inner()
        return
    for value in (key, len(GUARD), mark, 1):
        b.i32(value)
    b.host("transient_set")
    inner()
    for value in (key, len(GUARD), 0, 0):
        b.i32(value)
    b.host("transient_set")
