"""Writes stretches of code as compilers take them apart: accesses that share a base, loops that count, long switches.

A tier that checks bounds once for several accesses, or moves a check out of a loop, must still trap at the access that
is outside, with everything before it done and nothing after it. Never: leaves an operand behind.
"""

from __future__ import annotations

from collections.abc import Mapping

from contractvm.wasm.module import I32, I64, FuncType
from contractvm.wasm.opcodes import OPS
from tests.fuzz.bodies import CONST, NUMBERS, PAGE, TYPE_CODES, Body, Statement, edge_biased

ACCESSES = tuple(op for op in OPS if op.imm == "memarg")
MASKS = (0xFF, 0x7FF8, 0xFFFF, 0x1FFFF)
FAR = (0xFFFF_FFFF, 0xFFFF_FFF0, 0x8000_0000, PAGE, 2 * PAGE - 4)


def _slots(body: Body, type_: int) -> list[int]:
    return [i for i, t in enumerate(body.all_locals) if t == type_]


def _no_memory(body: Body) -> bool:
    return "memory.size" in body.shape.avoided


def _const(body: Body, value: int) -> None:
    body.emit("i32.const", value & 0xFFFF_FFFF)


def _set_base(body: Body, slot: int) -> None:
    """Give the local that the accesses share a value: anywhere in the first page, or about a page's end, or as is."""
    rng = body.rng
    pick = rng.random()
    if pick < 0.35:
        body.emit("local.get", slot)
        _const(body, rng.choice(MASKS))
        body.emit("i32.and")
    elif pick < 0.7:
        _const(body, PAGE * rng.choice((1, 1, 1, 2, 3)) - rng.randrange(64))
    elif pick < 0.8:
        body.emit("memory.size")
        _const(body, 16)
        body.emit("i32.shl")
        _const(body, rng.randrange(48))
        body.emit("i32.sub")
    elif pick < 0.85:
        _const(body, rng.choice(FAR) - rng.randrange(16))
    else:
        return
    body.emit("local.set", slot)


def _offsets(body: Body, count: int) -> list[int]:
    """Static offsets: close together, rising or falling or mixed; seldom far."""
    rng = body.rng
    step = rng.choice((1, 2, 4, 8, 16))
    offsets = [rng.choice((0, 0, 3, 100)) + step * n for n in range(count)]
    pick = rng.random()
    if pick < 0.3:
        offsets.reverse()
    elif pick < 0.5:
        rng.shuffle(offsets)
    if rng.random() < 0.1:
        offsets[rng.randrange(count)] = rng.choice(FAR)
    return offsets


def _access(body: Body, slot: int, offset: int) -> None:
    """One load, kept where it is seen, or one store of whatever is at hand."""
    rng = body.rng
    row = rng.choice(ACCESSES)
    body.emit("local.get", slot)
    if rng.random() < 0.1:
        _const(body, rng.choice((1, 4, 0xFFFF_FFFC, 0xFFFF_FFFF)))
        body.emit("i32.add")
    memarg = (rng.randint(0, row.width.bit_length() - 1), offset)
    if row.results:
        body.emit(row.name, memarg)
        body.stack.append(TYPE_CODES[row.results[0]])
        body.consume()
        return
    type_ = TYPE_CODES[row.params[1]]
    slots = _slots(body, type_)
    if slots and rng.random() < 0.5:
        body.emit("local.get", rng.choice(slots))
    else:
        body.emit(CONST[type_], edge_biased(rng, type_))
    body.emit(row.name, memarg)


def _between(body: Body) -> None:
    """Something that a shared check must not outlive, or may: growth, a bulk write, a condition that ends the run."""
    pick = body.rng.random()
    if pick < 0.3 and "memory.grow" not in body.shape.avoided:
        _const(body, body.rng.choice((0, 1, 1, 5)))
        body.emit("memory.grow")
        body.emit("drop")
    elif pick < 0.5:
        _const(body, body.rng.randrange(64))
        _const(body, body.rng.randrange(256))
        _const(body, body.rng.randrange(9))
        body.emit("memory.fill")
    elif slots := _slots(body, I32):
        body.emit("local.get", body.rng.choice(slots))
        body.emit("if", FuncType((), ()))
        body.shape.intern(FuncType((), ()))
        body.emit("nop")
        body.emit("end")


def cluster(body: Body) -> None:
    """Accesses off one base."""
    if _no_memory(body):
        return
    slots = _slots(body, I32)
    if not slots:
        return
    rng, slot = body.rng, body.rng.choice(slots)
    _set_base(body, slot)
    for offset in _offsets(body, rng.randint(2, 8)):
        _access(body, slot, offset)
        if rng.random() < 0.12:
            _between(body)


def counted(body: Body) -> None:
    """A loop of a few rounds, each with accesses at a place that moves; it may well run out of memory half way."""
    if _no_memory(body):
        return
    slots = _slots(body, I32)
    if len(slots) < 2:
        return
    rng = body.rng
    base, counter = rng.sample(slots, 2)
    _set_base(body, base)
    _const(body, rng.randint(1, 12))
    body.emit("local.set", counter)
    body.emit("loop", FuncType((), ()))
    body.shape.intern(FuncType((), ()))
    # What is loaded may fall into either local: then the loop is endless, and its fuel or gas ends it.
    body.guard()
    for offset in _offsets(body, rng.randint(1, 4)):
        _access(body, base, offset)
    body.emit("local.get", base)
    _const(body, rng.choice((1, 4, 8, -4, PAGE)))
    body.emit("i32.add")
    body.emit("local.set", base)
    body.emit("local.get", counter)
    _const(body, 1)
    body.emit("i32.sub")
    body.emit("local.tee", counter)
    body.emit("br_if", 0)
    body.emit("end")


def constants(body: Body) -> None:
    """Accesses at constant addresses, inside and outside."""
    if _no_memory(body):
        return
    rng = body.rng
    for _ in range(rng.randint(1, 4)):
        row = rng.choice(ACCESSES)
        at = rng.choice((0, 8, PAGE - row.width, PAGE - row.width, PAGE - 8, PAGE - 1 if rng.random() < 0.2 else 16))
        _const(body, at)
        memarg = (0, 0 if rng.random() < 0.9 else rng.choice((1, 8, 0xFFFF_FFFF)))
        if row.results:
            body.emit(row.name, memarg)
            body.stack.append(TYPE_CODES[row.results[0]])
            body.consume()
        else:
            type_ = TYPE_CODES[row.params[1]]
            body.emit(CONST[type_], edge_biased(rng, type_))
            body.emit(row.name, memarg)


def divisions(body: Body) -> None:
    """Divisions and shifts by operands at the edge: zero, minus one, the width, the least number."""
    rng = body.rng
    type_ = rng.choice(NUMBERS)
    bits = 32 if type_ == I32 else 64
    name = "i32" if type_ == I32 else "i64"
    body.produce(type_)
    for _ in range(rng.randint(1, 3)):
        operator = rng.choice(("div_s", "rem_s", "div_u", "rem_u", "shl", "shr_s", "shr_u", "rotl", "rotr"))
        value = rng.choice((1, 2, 7, 10, bits - 1, bits, bits + 1, (1 << bits) - 1, 1 << (bits - 1)))
        if rng.random() < 0.03:
            value = 0
        body.emit(CONST[type_], value)
        body.emit(f"{name}.{operator}")
    body.consume()


def negations(body: Body) -> None:
    """The least number divided by minus one, from locals, so that no compiler knows."""
    rng = body.rng
    type_ = rng.choice((I32, I64))
    slots = _slots(body, type_)
    if len(slots) < 2 or rng.random() < 0.6:
        return
    name, bits = ("i32", 32) if type_ == I32 else ("i64", 64)
    for slot, value in zip(rng.sample(slots, 2), (1 << (bits - 1), (1 << bits) - 1), strict=True):
        body.emit(CONST[type_], value)
        body.emit("local.set", slot)
    left, right = rng.choice(slots), rng.choice(slots)
    body.emit("local.get", left)
    body.emit("local.get", right)
    body.emit(f"{name}.{rng.choice(('rem_s', 'rem_s', 'div_s'))}")
    body.stack.append(type_)
    body.consume()


def recursion(body: Body) -> None:
    """The function calls itself, mostly under a condition: as deep as fuel, gas or the stack's weight allow."""
    rng, shape = body.rng, body.shape
    slots = _slots(body, I32)
    if not slots or shape.host_operands or rng.random() < 0.3:
        return
    empty = FuncType((), ())
    shape.intern(empty)
    if shape.fuel is not None and rng.random() < 0.5:
        _const(body, 1)
    else:
        body.emit("local.get", rng.choice(slots))
        _const(body, rng.choice((1, 3, 0x8000_0000, 0xFFFF_FFFF)))
        body.emit("i32.and")
    body.emit("if", empty)
    outer, body.base = body.base, len(body.stack)
    for type_ in body.type.params:
        body.produce(type_, depth=1)
    body.forget(len(body.type.params))
    where = [slot for slot, function in enumerate(shape.table_slots) if function == body.index]
    if where and rng.random() < 0.4:
        _const(body, rng.choice(where))
        body.emit("call_indirect", (shape.intern(body.type), 0))
    else:
        body.emit("call", body.index)
    body.stack += body.type.results
    while len(body.stack) > body.base:
        body.consume()
    body.base = outer
    body.emit("end")


STATEMENTS: Mapping[str, Statement] = {
    "cluster": cluster,
    "counted": counted,
    "constants": constants,
    "divisions": divisions,
    "negations": negations,
    "recursion": recursion,
}
"""By what they are; none is a row of the table."""
