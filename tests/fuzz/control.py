"""Writes control instructions and calls: blocks, branches, returns, direct, indirect and tail calls.

A jump leaves dead code behind it, which the body then fills or not. Never: jumps out of what it has opened.
"""

from __future__ import annotations

from collections.abc import Mapping

from contractvm.wasm.module import I32, FuncType
from tests.fuzz.bodies import CONST, NUMBERS, Body, Statement

HOST_NUMBERS = (0, 0, 0, 1, 1, 2, 3, 4, 20, 20, 32, 40, 64, 128)
HOST_EDGES = (7, 31, 33, 67, 99, 65_503, 65_504, 65_505, 65_516, 65_517, 65_535, 65_536)
"""Odd lengths and offsets, and places where 20 or 32 bytes just end in the first page or just do not."""
HOST_LONGS = (0, 1, 5, 1_000, 30_000, (1 << 64) - 1)


def _block_type(body: Body) -> FuncType:
    rng = body.rng
    counts = (rng.choice((0, 0, 0, 1, 2)), rng.choice((0, 0, 1, 1, 2)))
    params, results = (tuple(rng.choice(NUMBERS) for _ in range(n)) for n in counts)
    body.shape.intern(FuncType(params, results))
    return FuncType(params, results)


def _enter(body: Body, type_: FuncType, label: tuple[int, ...], statements: int) -> None:
    """The inside of a block whose parameters lie on the stack, without its first and last instruction."""
    outer = body.base
    body.base = len(body.stack) - len(type_.params)
    body.labels.append(label)
    if body.deepening:
        deepen(body)
    body.sequence(type_.results, statements)
    body.labels.pop()
    body.base, body.dead = outer, False


def block(body: Body) -> None:
    type_ = _block_type(body)
    body.need(type_.params)
    body.emit("block", type_)
    _enter(body, type_, type_.results, body.rng.randrange(6))
    body.emit("end")


def deepen(body: Body) -> None:
    """Open one of the blocks that are to lie in each other, between branches to any of those open."""
    body.deepening -= 1
    br_if(body)
    body.rng.choice((block, block, loop, if_))(body)
    br_if(body)


def loop(body: Body) -> None:
    type_ = _block_type(body)
    body.need(type_.params)
    body.emit("loop", type_)
    body.guard()
    _enter(body, type_, type_.params, body.rng.randrange(6))
    body.emit("end")


def if_(body: Body) -> None:
    type_ = _block_type(body)
    if body.rng.random() < 0.3:
        type_ = FuncType(type_.params, type_.params)
        body.shape.intern(type_)
    body.need(type_.params)
    body.produce(I32)
    body.stack.pop()
    body.emit("if", type_)
    before = list(body.stack)
    _enter(body, type_, type_.results, body.rng.randrange(5))
    if type_.params != type_.results or body.rng.random() < 0.5:
        body.emit("else")
        body.stack = before
        _enter(body, type_, type_.results, body.rng.randrange(5))
    body.emit("end")


def _leave(body: Body) -> None:
    """What follows a jump is dead until the block ends."""
    del body.stack[body.base :]
    body.dead = True


def _label(body: Body) -> int:
    """A branch depth; far ones are as likely as near ones."""
    return body.rng.randrange(len(body.labels))


def _carried(body: Body, depth: int) -> tuple[int, ...]:
    return body.labels[-1 - depth]


def br(body: Body) -> None:
    if body.rng.random() < 0.6:
        return
    depth = _label(body)
    body.need(_carried(body, depth))
    body.emit("br", depth)
    _leave(body)


def br_if(body: Body) -> None:
    depth = _label(body)
    body.need(_carried(body, depth))
    body.produce(I32)
    body.stack.pop()
    body.emit("br_if", depth)


def br_table(body: Body) -> None:
    if body.rng.random() < 0.3:
        return
    default = _label(body)
    alike = [d for d in range(len(body.labels)) if _carried(body, d) == _carried(body, default)]
    depths = tuple(body.rng.choice(alike) for _ in range(body.rng.choice((0, 1, 2, 4, 9, 14))))
    body.need(_carried(body, default))
    body.produce(I32)
    if body.rng.random() < 0.7:
        body.emit("i32.const", body.rng.choice((1, 3, 7, 15)))
        body.emit("i32.and")
    body.emit("br_table", (*depths, default))
    _leave(body)


def switch(body: Body) -> None:
    """A `switch` as compilers write it: an arm a block, chosen by a table, left by a branch or by falling through."""
    arms = body.rng.choice((2, 3, 5, 9, 12))
    empty = FuncType((), ())
    body.shape.intern(empty)
    for _ in range(arms):
        body.emit("block", empty)
        body.labels.append(())
    body.produce(I32)
    body.stack.pop()
    body.emit("i32.const", 15)
    body.emit("i32.and")
    depths = [*range(arms), *(body.rng.randrange(arms) for _ in range(body.rng.randrange(4)))]
    body.rng.shuffle(depths)
    body.emit("br_table", (*depths, body.rng.randrange(arms)))
    for inside in reversed(range(arms)):
        body.emit("end")
        body.labels.pop()
        body.emit("i32.const", inside + 1_000)
        body.stack.append(I32)
        body.consume()
        if inside and body.rng.random() < 0.6:
            body.emit("br", body.rng.randrange(inside))


def return_(body: Body) -> None:
    if body.rng.random() < 0.3:
        body.need(body.type.results)
        body.emit("return")
        _leave(body)


def unreachable(body: Body) -> None:
    if body.rng.random() < 0.08:
        body.emit("unreachable")
        _leave(body)


def _callees(body: Body) -> list[int]:
    """Mostly functions further on, so that most recursion ends."""
    later = [f for f in range(len(body.shape.functions)) if f > body.index or f < body.shape.imported_functions]
    return later if later and body.rng.random() < 0.9 else list(range(len(body.shape.functions)))


def call(body: Body) -> None:
    callee, imported = body.rng.choice(_callees(body)), body.shape.imported_functions
    if body.shape.host_operands and imported and body.rng.random() < 0.7:
        callee = body.rng.randrange(imported)
    type_ = body.shape.functions[callee]
    if body.shape.host_operands and callee < imported:
        _host_operands(body, type_)
    else:
        body.take(type_.params)
    body.emit("call", callee)
    body.stack += type_.results


def _host_operands(body: Body, type_: FuncType) -> None:
    """Push small numbers: addresses and lengths that a host function can use, statuses and flags."""
    for kind in type_.params:
        if body.rng.random() < 0.93:
            small = HOST_EDGES if body.rng.random() < 0.06 else HOST_NUMBERS
            numbers = small if kind == I32 else HOST_LONGS
            body.emit(CONST[kind], body.rng.choice(numbers))
        else:
            body.produce(kind)
            body.forget(1)


def _slot(body: Body) -> FuncType:
    """Push the index of a table slot; the type of the function there, sometimes of another."""
    rng, shape = body.rng, body.shape
    filled = [(i, f) for i, f in enumerate(shape.table_slots) if f is not None and f in _callees(body)]
    if filled and rng.random() < 0.95:
        slot, function = rng.choice(filled)
        body.emit("i32.const", slot)
        return shape.functions[function]
    body.emit("i32.const", rng.randrange(len(shape.table_slots) + 2))
    return rng.choice(shape.functions)


def call_indirect(body: Body) -> None:
    mark = len(body.ops)
    type_ = _slot(body)
    index_ops, index_imms = body.ops[mark:], body.imms[mark:]
    del body.ops[mark:], body.imms[mark:]
    body.take(type_.params)
    body.ops += index_ops
    body.imms += index_imms
    body.emit("call_indirect", (body.shape.intern(type_), 0))
    body.stack += type_.results


def return_call(body: Body) -> None:
    if "return_call" in body.shape.avoided:
        return
    alike = [f for f in _callees(body) if body.shape.functions[f].results == body.type.results]
    if alike and body.rng.random() < 0.6:
        callee = body.rng.choice(alike)
        body.need(body.shape.functions[callee].params)
        body.emit("return_call", callee)
        _leave(body)


def return_call_indirect(body: Body) -> None:
    if "return_call_indirect" in body.shape.avoided:
        return
    filled = enumerate(body.shape.table_slots)
    alike = [(s, f) for s, f in filled if f is not None and body.shape.functions[f].results == body.type.results]
    if alike and body.rng.random() < 0.6:
        slot, function = body.rng.choice(alike)
        type_ = body.shape.functions[function]
        body.need(type_.params)
        body.emit("i32.const", slot)
        body.emit("return_call_indirect", (body.shape.intern(type_), 0))
        _leave(body)


STATEMENTS: Mapping[str, Statement] = {
    "block": block,
    "loop": loop,
    "if": if_,
    "br": br,
    "br_if": br_if,
    "br_table": br_table,
    "switch": switch,
    "return": return_,
    "unreachable": unreachable,
    "call": call,
    "call_indirect": call_indirect,
    "return_call": return_call,
    "return_call_indirect": return_call_indirect,
}
"""By row, and `switch`; `else` and `end` come with their blocks."""
