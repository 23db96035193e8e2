"""Statements: assignments, `if`, loops, jumps.

The value comes before the place it is assigned to, as in Python; `place op= value` reads the place first.
Source: docs/language.md, "Statements". Never: touches storage; `for` over what is there is `storage.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final, cast

from contractvm.dataclass import dataclass
from contractvm.wasm.module import I32, I64
from sdk.compiler.back import slots
from sdk.compiler.back.asm import Label
from sdk.compiler.back.logic import jump
from sdk.compiler.back.making import value_or_place
from sdk.compiler.back.places import address, in_storage, store_place
from sdk.compiler.back.writer import Addressed, Write, Writer
from sdk.compiler.symbols import Span
from sdk.compiler.tree import (
    Assign,
    Augment,
    Binary,
    Break,
    Builtin,
    Chain,
    Continue,
    Discard,
    Expression,
    ForEach,
    ForRange,
    If,
    Load,
    LocalPlace,
    Logical,
    Return,
    Statement,
    Unpack,
    While,
)
from sdk.compiler.types import Array, Bytes, Int, List, String, Type

# Assignments


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What a place holds whose parts were evaluated before: the left side of `place op= value`."""

    addressed: Addressed
    type: Type
    span: Span


def _loaded(w: Writer, node: Loaded) -> None:
    node.addressed.load()


def _assign(w: Writer, node: Assign) -> None:
    w.expr(node.value)
    store_place(w, node.place)


def _unpack(w: Writer, node: Unpack) -> None:
    """Variables are popped in reverse; other places, and a name that comes twice, get their items from the left."""
    places = node.places
    variables = [place.local for place in places if isinstance(place, LocalPlace)]
    w.expr(node.value)
    items = getattr(node.value.type, "items", ())
    if len(variables) == len([place for place in places if place]) == len(set(map(id, variables))):
        for place, item in zip(reversed(places), reversed(items), strict=True):
            if place is None:
                for _ in slots.slots(item):
                    w.b.op("drop")
            else:
                store_place(w, place)
        return
    with w.spilled(node.value.type) as held:
        at = 0
        for place, item in zip(places, items, strict=True):
            count = len(slots.slots(item))
            if place is not None:
                w.b.get(*held[at : at + count])
                store_place(w, place)
            at += count


def _augment(w: Writer, node: Augment) -> None:
    if isinstance(node.place, LocalPlace):
        w.expr(_operation(node, Load(node.place, node.place.type, node.place.span)))
        store_place(w, node.place)
        return
    with address(w, node.place) as addressed:
        left = cast(Expression, Loaded(addressed, node.place.type, node.place.span))
        w.expr(_operation(node, left))
        addressed.store()


def _operation(node: Augment, left: Expression) -> Expression:
    type_ = node.place.type
    if isinstance(type_, (Bytes, String)):
        return Builtin("concat", (left, node.value), node.checked, type_, node.span)
    return Binary(node.op, left, node.value, node.checked, type_, node.span)


def _discard(w: Writer, node: Discard) -> None:
    w.expr(node.value)
    for _ in slots.slots(node.value.type):
        w.b.op("drop")


# Branches


def _if(w: Writer, node: If) -> None:
    b = w.b
    if isinstance(node.test, (Logical, Chain)):
        with b.block() as end:
            if node.otherwise:
                with b.block() as other:
                    jump(w, node.test, other, False)
                    w.statements(node.body)
                    b.br(end)
                w.statements(node.otherwise)
            else:
                jump(w, node.test, end, False)
                w.statements(node.body)
        return
    w.expr(node.test)
    with b.if_():
        b.mark(node.test.span, True)
        w.statements(node.body)
        if node.otherwise:
            b.otherwise()
            w.statements(node.otherwise)


# Loops


@contextmanager
def looping(w: Writer, out: Label, again: Label) -> Iterator[None]:
    """The body of a loop: where `break` and `continue` go."""
    w.loops.append((out, again))
    yield
    w.loops.pop()


def body(w: Writer, out: Label, statements: Sequence[Statement], span: Span) -> None:
    """A loop's body from which `continue` goes to what is behind it."""
    if _continues(statements):
        with w.b.block() as end, looping(w, out, end):
            w.statements(statements)
    else:
        with looping(w, out, out):
            w.statements(statements)
    w.b.span = span


def _continues(statements: Sequence[Statement]) -> bool:
    """Whether a body has a `continue` of its own, not of a loop in it."""
    return any(
        isinstance(one, Continue) or (isinstance(one, If) and (_continues(one.body) or _continues(one.otherwise)))
        for one in statements
    )


def _while(w: Writer, node: While) -> None:
    b = w.b
    with b.block() as out, b.loop() as again:
        jump(w, node.test, out, False)
        with looping(w, out, again):
            w.statements(node.body)
        b.span = node.span
        b.br(again)


def _for_range(w: Writer, node: ForRange) -> None:
    """The test stands at the end; before the first step it is left out where the bounds are constants that need none.

    Steps other than 1 are compared with what is left, because the sum might not fit.
    """
    b, type_ = w.b, node.local.type
    if not isinstance(type_, Int) or slots.slots(type_) != (I64,):
        raise TypeError(f"a range counts in 64 bits, not in {type_}")
    (at,) = w.variable(node.local)
    sign = "s" if type_.signed else "u"
    up = node.step > 0
    with b.temporaries(I64) as (stop,):
        w.expr(node.start)
        w.expr(node.stop)
        b.set(at, stop)
        b.get(at, stop)
        b.op(f"i64.{'lt' if up else 'gt'}_{sign}")
        with b.if_() as out, b.loop() as again:
            b.mark(node.span, True)
            body(w, out, node.body, node.span)
            if abs(node.step) == 1:
                b.get(at)
                b.i64(node.step)
                b.op("i64.add")
                b.tee(at)
                b.get(stop)
                b.op(f"i64.{'lt' if up else 'gt'}_{sign}")
                b.br_if(again)
            else:
                b.get(*((stop, at) if up else (at, stop)))
                b.op("i64.sub")
                b.i64(min(abs(node.step), (1 << 64) - 1))
                b.op("i64.le_u")
                b.br_if(out)
                b.get(at)
                b.i64(node.step)
                b.op("i64.add")
                b.set(at)
                b.br(again)


def _for_each(w: Writer, node: ForEach) -> None:
    if in_storage(node.of):
        w.unit.tables.storage.for_each(w, node)
        return
    match node.of.type:
        case List(item):
            _for_list(w, node, item)
        case Array(item, length):
            _for_array(w, node, item, length)
        case other:
            raise TypeError(f"no loop over {other}")


def _for_list(w: Writer, node: ForEach, item: Type) -> None:
    """The length is looked at before each step."""
    b = w.b
    with b.temporaries(I32, I32, I32) as (header, at, place):
        value_or_place(w, node.of)
        b.set(header)
        b.i32(0)
        b.set(at)
        with b.block() as out, b.loop() as again:
            b.get(at, header)
            b.load("i32.load", slots.LIST_LENGTH)
            b.op("i32.ge_u")
            b.br_if(out)
            b.mark(node.span, False)
            if node.index is not None:
                b.get(at)
                b.op("i64.extend_i32_u")
                b.set(*w.variable(node.index))
            if node.item is not None:
                b.get(header)
                b.load("i32.load", slots.LIST_ITEMS)
                b.get(at)
                slots.scale(b, slots.size(item))
                b.op("i32.add")
                b.set(place)
                slots.load(b, slots.slots(item), place)
                b.set(*w.variable(node.item))
            body(w, out, node.body, node.span)
            b.get(at)
            b.i32(1)
            b.op("i32.add")
            b.set(at)
            b.br(again)


def _for_array(w: Writer, node: ForEach, item: Type, length: int) -> None:
    b = w.b
    with b.temporaries(I32, I32) as (at, end):
        value_or_place(w, node.of)
        b.set(at)
        b.get(at)
        b.i32(length * slots.size(item))
        b.op("i32.add")
        b.set(end)
        if node.index is not None:
            b.i64(0)
            b.set(*w.variable(node.index))
        with b.block() as out, b.loop() as again:
            if node.item is not None:
                slots.load(b, slots.slots(item), at)
                b.set(*w.variable(node.item))
            body(w, out, node.body, node.span)
            if node.index is not None:
                b.get(*w.variable(node.index))
                b.i64(1)
                b.op("i64.add")
                b.set(*w.variable(node.index))
            b.get(at)
            b.i32(slots.size(item))
            b.op("i32.add")
            b.tee(at)
            b.get(end)
            b.op("i32.ne")
            b.br_if(again)


def _break(w: Writer, node: Break) -> None:
    w.b.br(w.loops[-1][0])


def _continue(w: Writer, node: Continue) -> None:
    w.b.br(w.loops[-1][1])


def _return(w: Writer, node: Return) -> None:
    if node.value is not None:
        w.expr(node.value)
    w.returning()


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType({Loaded: _loaded})
STATEMENTS: Final[Mapping[type, Write]] = MappingProxyType(
    {
        Assign: _assign,
        Unpack: _unpack,
        Augment: _augment,
        Discard: _discard,
        If: _if,
        While: _while,
        ForRange: _for_range,
        ForEach: _for_each,
        Break: _break,
        Continue: _continue,
        Return: _return,
    }
)
