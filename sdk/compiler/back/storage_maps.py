"""Loops over maps: a cursor to the next greater key under the map's own.

A map whose values are single entries has one cursor for the loop, which `break` and `return` close. Where a value is
many entries, each step looks for the first key behind all those of the step before, with a cursor of its own.
Source: docs/language.md, "Map"; design of the chain, section 7, for iterators.
Never: guards against writes in the loop (the checker does).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from contractvm.wasm.module import I32
from sdk.compiler import layout
from sdk.compiler.back import slots, storage_entry
from sdk.compiler.back.asm import Body, Label, Routine
from sdk.compiler.back.storage_items import whole
from sdk.compiler.back.storage_keys import LIMIT, SLACK, Key, map_key
from sdk.compiler.back.storage_places import Root, resolve_map
from sdk.compiler.back.storage_unkeys import get_key
from sdk.compiler.back.writer import Writer
from sdk.compiler.tree import ForMap

KEYS_ONLY: Final = 2
MAX_SHORT: Final = 1024
"""Room for keys without Bytes and String."""


def _successor(b: Body, name: str) -> None:
    """Count the last byte up; behind FF the byte before it. A prefix is never all FF, so something is left."""
    area = b.assembly.area(name, LIMIT)
    with b.temporaries(I32) as (last,):
        b.i32(area)
        b.get(0, 1)
        b.op("memory.copy")
        with b.block() as done, b.loop() as again:
            b.i32(area - 1)
            b.get(1)
            b.op("i32.add")
            b.tee(last)
            b.get(last)
            b.load("i32.load8_u")
            b.i32(1)
            b.op("i32.add")
            b.store("i32.store8")
            b.get(last)
            b.load("i32.load8_u")
            b.br_if(done)
            b.get(1)
            b.i32(1)
            b.op("i32.sub")
            b.set(1)
            b.br(again)
        b.i32(area)
        b.get(1)


SUCCESSOR: Final = Routine("key_successor", (I32, I32), (I32, I32), lambda b: _successor(b, "storage.end"))
"""A key -> the least key that is greater than all that begin with it."""
BEHIND: Final = Routine("key_behind", (I32, I32), (I32, I32), lambda b: _successor(b, "storage.start"))
"""The same, elsewhere in memory: where a step begins, while `SUCCESSOR` says where the loop ends."""


def _push_end(b: Body, key: Key) -> None:
    """Push the bound of the keys that begin with a key."""
    if key.parts:
        key.push()
        b.call(SUCCESSOR)
        return
    after = int.from_bytes(layout.prefix(key.field.qualified), "big") + 1
    b.i32(b.assembly.constant(after.to_bytes(layout.PREFIX_BYTES, "big")))
    b.i32(layout.PREFIX_BYTES)


def _open(w: Writer, key: Key, flags: int, handle: int) -> None:
    key.push()
    _push_end(w.b, key)
    w.b.i32(flags)
    w.b.host("iter_open")
    w.b.set(handle)


def any_below(w: Writer, key: Key) -> None:
    """Push an i32: whether any entry's key begins with this one."""
    with w.b.temporaries(I32) as (handle,):
        _open(w, key, KEYS_ONLY, handle)
        w.b.get(handle)
        w.b.host("iter_next")
        w.b.get(handle)
        w.b.host("iter_close")


def _found(b: Body, root: Root) -> tuple[int, int]:
    """Where found keys are copied to, and the bytes there; a few behind them may be read."""
    size = LIMIT if layout.is_long(root.type.key) or root.key.long else MAX_SHORT
    return b.assembly.area(f"storage.found {size}", size + SLACK), size


def _push_key(w: Writer, root: Root, handle: int) -> None:
    """Push the slots of the key that the cursor stands on."""
    b = w.b
    found, size = _found(b, root)
    with b.temporaries(I32, I32) as (cursor, end):
        b.get(handle)
        b.i32(found)
        b.i32(size)
        b.host("iter_key")
        b.i32(found)
        b.op("i32.add")
        b.set(end)
        if root.key.size is not None:
            b.i32(found + root.key.size)
        else:
            root.key.push()
            b.set(cursor)
            b.op("drop")
            b.i32(found)
            b.get(cursor)
            b.op("i32.add")
        b.set(cursor)
        get_key(b, root.type.key, cursor, end, layout.is_entry(root.type.value))


def for_map(w: Writer, node: ForMap) -> None:
    """Write the loop."""
    with resolve_map(w, node.of, lasting=True) as root:
        if node.index is not None:
            w.b.i64(0)
            w.b.set(*w.variable(node.index))
        if layout.is_entry(root.type.value):
            _entries(w, node, root)
        else:
            _groups(w, node, root)


@contextmanager
def _closing(w: Writer, handle: int) -> Iterator[None]:
    """What is written inside closes a cursor before it returns from the function."""
    before = w.returning

    def returning() -> None:
        w.b.get(handle)
        w.b.host("iter_close")
        before()

    w.returning = returning
    yield
    w.returning = before


def _body(w: Writer, node: ForMap, done: Label) -> None:
    b = w.b
    with b.block() as onward:
        w.loops.append((done, onward))
        w.statements(node.body)
        w.loops.pop()
    if node.index is not None:
        (index,) = w.variable(node.index)
        b.get(index)
        b.i64(1)
        b.op("i64.add")
        b.set(index)


def _entries(w: Writer, node: ForMap, root: Root) -> None:
    """One cursor for all."""
    b = w.b
    with b.temporaries(I32) as (handle,), _closing(w, handle):
        _open(w, root.key, KEYS_ONLY if node.value is None else 0, handle)
        with b.block() as done, b.loop() as again:
            b.get(handle)
            b.host("iter_next")
            b.op("i32.eqz")
            b.br_if(done)
            if node.key is not None:
                _push_key(w, root, handle)
                b.set(*w.variable(node.key))
            if node.value is not None:
                storage_entry.load_found(b, handle, node.value.type)
                b.set(*w.variable(node.value))
            _body(w, node, done)
            b.br(again)
        b.get(handle)
        b.host("iter_close")


def _groups(w: Writer, node: ForMap, root: Root) -> None:
    """A cursor for each step, which begins behind everything under the key before."""
    b = w.b
    with w.b.temporaries(I32, I32) as (handle, later), _locals(b, slots.slots(root.type.key)) as locals_:
        group = root.key.plus(*map_key(root.type, locals_))
        b.i32(0)
        b.set(later)
        with b.block() as done, b.loop() as again:
            b.get(later)
            with b.if_((I32, I32)):
                group.push()
                b.call(BEHIND)
                b.otherwise()
                root.key.push()
            with b.temporaries(I32, I32) as (start, size):
                b.set(start, size)
                b.get(start, size)
                _push_end(b, root.key)
                b.i32(KEYS_ONLY)
                b.host("iter_open")
                b.set(handle)
            b.get(handle)
            b.host("iter_next")
            b.tee(later)
            with b.if_():
                _push_key(w, root, handle)
                b.set(*locals_)
            b.get(handle)
            b.host("iter_close")
            b.get(later)
            b.op("i32.eqz")
            b.br_if(done)
            if node.key is not None:
                b.get(*locals_)
                b.set(*w.variable(node.key))
            if node.value is not None:
                whole(w, group, node.value.type).load()
                b.set(*w.variable(node.value))
            _body(w, node, done)
            b.br(again)
        group.free()


@contextmanager
def _locals(b: Body, types: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    locals_ = b.fresh(types)
    yield locals_
    b.free(locals_)
