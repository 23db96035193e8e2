"""Tests: comparisons, `and`, `or`, chains, conditional expressions, and jumps that depend on them.

A test that decides where to go is not made a number first: `jump` goes from each part of it to where it leads.
Source: docs/language.md, "bool". Never: compares numbers itself; `arith.py` does, and `objects.py` the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler.back import arith
from sdk.compiler.back.asm import Label
from sdk.compiler.back.objects import equal
from sdk.compiler.back.slots import slots
from sdk.compiler.back.writer import Write, Writer
from sdk.compiler.tree import Chain, Compare, Conditional, Constant, Expression, Load, LocalPlace, Logical, Unary
from sdk.compiler.types import Address, FixedBytes, Int, Remote, Type

RESULTS: Final = 16
"""Values that a block or a function can leave on the stack: `contractvm.rules.Limits.results`."""


def compare(w: Writer, op: str, type_: Type) -> None:
    """Two values' slots on the stack -> an i32."""
    if op in ("eq", "ne") and not isinstance(type_, (Int, FixedBytes, Address)):
        equal(w, type_)
        if op == "ne":
            w.b.op("i32.eqz")
    else:
        arith.compare(w, op, Address() if isinstance(type_, Remote) else type_)


def is_zero(node: Expression) -> bool:
    """Whether a node is the constant whose slots, all i64, are zeros."""
    if not isinstance(node, Constant) or not isinstance(node.type, (Int, FixedBytes, Address, Remote)):
        return False
    return not any(node.value) if isinstance(node.value, bytes) else node.value == 0


def _compare(w: Writer, node: Compare) -> None:
    type_ = node.left.type
    if node.op in ("eq", "ne") and len(slots(type_)) > 1:
        for one, other in ((node.left, node.right), (node.right, node.left)):
            if is_zero(other):
                w.expr(one)
                arith.zero(w.b, type_)
                if node.op == "ne":
                    w.b.op("i32.eqz")
                return
    w.expr(node.left)
    w.expr(node.right)
    compare(w, node.op, type_)


def simple(node: Expression) -> bool:
    """Whether evaluating a node does nothing that could be noticed and costs no more than a branch."""
    match node:
        case Constant():
            return True
        case Load(place=LocalPlace()):
            return len(slots(node.type)) < 3
        case Unary(op="not", value=value):
            return simple(value)
        case Compare(left=left, right=right):
            return simple(left) and simple(right) and len(slots(left.type)) == 1
    return False


def _logical(w: Writer, node: Logical) -> None:
    b = w.b
    w.expr(node.left)
    if simple(node.right):
        w.expr(node.right)
        b.op(f"i32.{node.op}")
        return
    with b.if_((I32,)):
        b.mark(node.left.span, True)
        if node.op == "and":
            w.expr(node.right)
            b.otherwise()
            b.i32(0)
        else:
            b.i32(1)
            b.otherwise()
            w.expr(node.right)


def _chain(w: Writer, node: Chain) -> None:
    b = w.b
    with b.block((I32,)) as done:
        with b.block() as failed:
            _links(w, node, failed)
            b.i32(1)
            b.br(done)
        b.i32(0)


def _links(w: Writer, node: Chain, failed: Label) -> None:
    """Compare one pair after the other; the first that does not hold jumps."""
    b = w.b
    w.expr(node.first)
    for number, (op, other) in enumerate(node.rest, 1):
        w.expr(other)
        if number == len(node.rest):
            compare(w, op, other.type)
            b.op("i32.eqz")
            b.br_if(failed)
            b.mark(other.span, False)
            return
        with w.spilled(other.type) as held:
            b.get(*held)
            compare(w, op, other.type)
            b.op("i32.eqz")
            b.br_if(failed)
            b.mark(other.span, False)
            b.get(*held)


def _conditional(w: Writer, node: Conditional) -> None:
    b, types = w.b, slots(node.type)
    if len(types) > RESULTS:
        with b.temporaries(*types) as held:
            with b.block() as end:
                with b.block() as other:
                    jump(w, node.test, other, False)
                    w.expr(node.then)
                    b.set(*held)
                    b.br(end)
                w.expr(node.otherwise)
                b.set(*held)
            b.get(*held)
    elif isinstance(node.test, (Logical, Chain)):
        with b.block(types) as end:
            with b.block() as other:
                jump(w, node.test, other, False)
                w.expr(node.then)
                b.br(end)
            w.expr(node.otherwise)
    else:
        w.expr(node.test)
        with b.if_(types):
            b.mark(node.test.span, True)
            w.expr(node.then)
            b.otherwise()
            w.expr(node.otherwise)


def jump(w: Writer, test: Expression, label: Label, when: bool) -> None:
    """Go to a label if a test is `when`, and on if not."""
    b = w.b
    match test:
        case Constant(value=value):
            if bool(value) == when:
                b.br(label)
        case Unary(op="not", value=value):
            jump(w, value, label, not when)
        case Logical(op=op, left=left, right=right):
            if (op == "or") == when:
                jump(w, left, label, when)
                jump(w, right, label, when)
            else:
                with b.block() as past:
                    jump(w, left, past, not when)
                    jump(w, right, label, when)
        case Chain() if not when:
            _spanned(w, test, label)
        case Chain():
            with b.block() as past:
                _spanned(w, test, past)
                b.br(label)
        case _:
            w.expr(test)
            if not when:
                b.op("i32.eqz")
            b.br_if(label)
            b.mark(test.span, when)


def _spanned(w: Writer, node: Chain, failed: Label) -> None:
    before, w.b.span = w.b.span, node.span
    _links(w, node, failed)
    w.b.span = before


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType(
    {Compare: _compare, Logical: _logical, Chain: _chain, Conditional: _conditional}
)
