"""Writes parametric, variable, reference and table instructions whose operand types depend on what they name.

Never: writes the fuel counter.
"""

from __future__ import annotations

from collections.abc import Mapping

from contractvm.wasm.module import I32
from tests.fuzz.bodies import NUMBERS, Body, Statement


def drop(body: Body) -> None:
    if len(body.stack) > body.base:
        body.forget(1)
        body.emit("drop")


def select(body: Body) -> None:
    type_ = body.rng.choice(NUMBERS)
    body.take((type_, type_, I32))
    body.emit("select")
    body.stack.append(type_)


def select_t(body: Body) -> None:
    type_ = body.rng.choice((*NUMBERS, *body.shape.references))
    body.take((type_, type_, I32))
    body.emit("select t", (type_,))
    body.stack.append(type_)


def local_get(body: Body) -> None:
    if body.all_locals:
        slot = body.rng.randrange(len(body.all_locals))
        body.emit("local.get", slot)
        body.stack.append(body.all_locals[slot])


def local_set(body: Body) -> None:
    if body.all_locals:
        slot = body.rng.randrange(len(body.all_locals))
        body.take((body.all_locals[slot],))
        body.emit("local.set", slot)


def local_tee(body: Body) -> None:
    if body.all_locals:
        slot = body.rng.randrange(len(body.all_locals))
        body.need((body.all_locals[slot],))
        body.emit("local.tee", slot)


def global_get(body: Body) -> None:
    cell = body.rng.randrange(len(body.shape.globals))
    body.emit("global.get", cell)
    body.stack.append(body.shape.globals[cell].value)


def global_set(body: Body) -> None:
    type_ = body.rng.choice(NUMBERS)
    if cells := body.writable(type_):
        body.take((type_,))
        body.emit("global.set", body.rng.choice(cells))


def ref_null(body: Body) -> None:
    type_ = body.rng.choice(body.shape.references)
    body.emit("ref.null", type_)
    body.stack.append(type_)


def ref_is_null(body: Body) -> None:
    body.take((body.rng.choice(body.shape.references),))
    body.emit("ref.is_null")
    body.stack.append(I32)


def _table_index(body: Body) -> None:
    """Push an index into a table, mostly inside."""
    if body.rng.random() < 0.95:
        body.emit("i32.const", body.rng.randrange(4 if body.rng.random() < 0.85 else 10))
    else:
        body.produce(I32)
        body.stack.pop()


def table_get(body: Body) -> None:
    table = body.rng.randrange(len(body.shape.tables))
    _table_index(body)
    body.emit("table.get", table)
    body.stack.append(body.shape.tables[table])


def table_set(body: Body) -> None:
    if "table.set" in body.shape.avoided:
        return
    table = body.rng.randrange(len(body.shape.tables))
    _table_index(body)
    body.produce(body.shape.tables[table])
    body.stack.pop()
    body.emit("table.set", table)


def table_grow(body: Body) -> None:
    if "table.grow" in body.shape.avoided:
        return
    table = body.rng.randrange(len(body.shape.tables))
    body.produce(body.shape.tables[table])
    body.stack.pop()
    _table_index(body)
    body.emit("table.grow", table)
    body.stack.append(I32)


def table_fill(body: Body) -> None:
    if "table.fill" in body.shape.avoided:
        return
    table = body.rng.randrange(len(body.shape.tables))
    _table_index(body)
    body.produce(body.shape.tables[table])
    body.stack.pop()
    body.emit("i32.const", body.rng.randrange(3))
    body.emit("table.fill", table)


STATEMENTS: Mapping[str, Statement] = {
    "drop": drop,
    "select": select,
    "select t": select_t,
    "local.get": local_get,
    "local.set": local_set,
    "local.tee": local_tee,
    "global.get": global_get,
    "global.set": global_set,
    "ref.null": ref_null,
    "ref.is_null": ref_is_null,
    "table.get": table_get,
    "table.set": table_set,
    "table.grow": table_grow,
    "table.fill": table_fill,
}
"""By row."""
