"""Events, and the ways to undo a call with a reason: errors of the contract, `assert`, `raise Revert`.

An event's topics have an area of memory of their own, which begins with the hash of its signature; an error is a
routine, because it is often raised in several places.
Source: Solidity, "Contract ABI Specification", sections on events and errors; docs/language.md, "Events", "Statements".
Never: checks how many fields are indexed (the checker does).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import Final

from contractvm.crypto import keccak256
from contractvm.wasm.module import I32
from sdk.compiler.back import abi_packed
from sdk.compiler.back.abi_encode import PADDING, Parts, all_static, call_data, encoded, heads, put_parts
from sdk.compiler.back.abi_words import WORD_BYTES
from sdk.compiler.back.arguments import evaluated
from sdk.compiler.back.asm import Body, Routine, Types
from sdk.compiler.back.functions import PARAMETERS
from sdk.compiler.back.logic import jump
from sdk.compiler.back.operand import Held, Spot
from sdk.compiler.back.reverts import REASON
from sdk.compiler.back.slots import slots, spelled
from sdk.compiler.back.writer import Write, Writer
from sdk.compiler.symbols import Error
from sdk.compiler.tree import Assert, Emit, Fail, Revert
from sdk.compiler.types import Type

ASSERTION: Final = 0x01


def _emit(w: Writer, node: Emit) -> None:
    b, event = w.b, node.event
    with ExitStack() as held:
        inside = evaluated(w, node.arguments, held, node.order)
        indexed = [part for part, parameter in zip(inside, event.parameters, strict=True) if parameter.indexed]
        plain = [part for part, parameter in zip(inside, event.parameters, strict=True) if not parameter.indexed]
        first = b"" if event.anonymous else keccak256(event.signature.encode())
        topics, count = 0, len(indexed) + (not event.anonymous)
        if count:
            names = ", ".join(spelled(type_) for type_, _ in indexed)
            name = f"event {event.signature} {names}{' anonymous' if event.anonymous else ''}"
            topics = b.assembly.area(name, WORD_BYTES * count, first)
        at = topics + len(first)
        for type_, where in indexed:
            abi_packed.topic(b, type_, where, Spot(None, at))
            at += WORD_BYTES
        with b.temporaries(I32, I32) as (start, length):
            fixed = _data(b, plain, start, length)
            b.i32(topics)
            b.i32(count)
            if fixed is None:
                b.get(start, length)
            else:
                b.i32(fixed)
                b.i32(heads([type_ for type_, _ in plain]))
            b.host("log")


def _data(b: Body, plain: Parts, start: int, length: int) -> int | None:
    """Write what is not indexed: to an area, whose address is returned, or to the heap, which two locals tell."""
    types = [type_ for type_, _ in plain]
    if not all_static(types):
        encoded(b, plain, start, length)
        return None
    if not types:
        return 0
    area = words_area(b, types)
    put_parts(b, plain, Spot(None, area))
    return area


def words_area(b: Body, types: Sequence[Type]) -> int:
    """An area that nothing but values of these types is written to."""
    return b.assembly.area(f"words {', '.join(map(spelled, types))}", heads(types))


def _revert(w: Writer, node: Revert) -> None:
    with ExitStack() as held:
        inside = evaluated(w, node.arguments, held, node.order)
        types = [type_ for type_, _ in inside]
        params: Types = tuple(slot for type_ in types for slot in slots(type_))
        if len(params) > PARAMETERS:
            _raise(w.b, node.error, inside)
        else:
            for _, where in inside:
                for index in range(len(where.locals_) if isinstance(where, Held) else 0):
                    where.push(w.b, index)
            w.b.call(_error(node.error, types, params))
        w.b.unreachable()


def _error(error: Error, types: Sequence[Type], params: Types) -> Routine:
    """The slots of all arguments: revert."""

    def write(b: Body) -> None:
        inside, at = [], 0
        for type_ in types:
            count = len(slots(type_))
            inside.append((type_, Held(tuple(range(at, at + count)))))
            at += count
        _raise(b, error, inside)

    return Routine(f"error {error.name}({', '.join(map(spelled, types))})", params, (), write)


def _raise(b: Body, error: Error, inside: Parts) -> None:
    selector = keccak256(error.signature.encode())[:4]
    types = [type_ for type_, _ in inside]
    if all_static(types):
        area = b.assembly.area(f"error {error.signature}", PADDING + 4 + heads(types), bytes(PADDING) + selector)
        put_parts(b, inside, Spot(None, area + PADDING + 4))
        b.i32(area + PADDING)
        b.i32(4 + heads(types))
        b.host("revert")
    else:
        with b.temporaries(I32, I32) as (start, length):
            call_data(b, selector, inside, start, length)
            b.get(start, length)
            b.host("revert")
    b.unreachable()


def _assert(w: Writer, node: Assert) -> None:
    b = w.b
    with b.block() as fine:
        jump(w, node.test, fine, True)
        if node.reason is None:
            w.panic(ASSERTION)
        else:
            w.expr(node.reason)
            b.call(REASON)
            b.unreachable()


def _fail(w: Writer, node: Fail) -> None:
    b = w.b
    if node.reason is None:
        b.i32(0)
        b.i32(0)
        b.host("revert")
    else:
        w.expr(node.reason)
        b.call(REASON)
    b.unreachable()


STATEMENTS: Final[Mapping[type, Write]] = MappingProxyType({Emit: _emit, Revert: _revert, Assert: _assert, Fail: _fail})
