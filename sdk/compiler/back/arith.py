"""Arithmetic of the language: binary and unary operators, comparisons of numbers, abs, min, max, sum, pow.

Integers of up to 64 bits are one i64 (`arith_narrow`), of up to 256 four (`arith_words`). Two limbs add, subtract,
multiply and compare as they are; whatever else they do, and every width between 128 and 256, is done in 256 bits and
brought back, which also says whether it fits.
Source: docs/language.md, "Integers"; tree.Binary, tree.Unary, tree.Builtin. Never: text, Bytes, or storage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from contractvm.wasm.module import I32, I64
from sdk.compiler.back import arith_divide, arith_narrow, arith_power, arith_shift, arith_words
from sdk.compiler.back.arith_convert import integer, saturate
from sdk.compiler.back.arith_words import OVERFLOW, equal, less, less_bytes, less_limbs, panic_if
from sdk.compiler.back.asm import Body, Routine
from sdk.compiler.back.slots import limbs, load, size, slots
from sdk.compiler.back.writer import Write, Writer, panic
from sdk.compiler.tree import Binary, Builtin, Expression, Unary
from sdk.compiler.types import Address, Array, Bool, FixedBytes, Int, List, Remote, Type

EMPTY: Final = 0x32
"""`min` and `max` of no items."""

Operand = Callable[[], None]
"""Writes one side of an operation."""


def _word(type_: Int) -> Int:
    return Int(256, type_.signed)


def _binary(w: Writer, node: Binary) -> None:
    match node.type:
        case Int() if node.op in ("shl", "shr"):
            _shift(w, node, node.type)
        case Int() if node.op == "pow":
            _power(w, node, node.type)
        case Int() if node.op not in ("and", "or", "xor"):
            operate(w.b, node.op, node.type, node.checked, lambda: w.expr(node.left), lambda: w.expr(node.right))
        case _:
            _bits(w, node)


def operate(b: Body, op: str, type_: Int, checked: bool, left: Operand, right: Operand) -> None:
    """Write `add sub mul floordiv mod` of two operands."""
    count = limbs(type_)
    if count == 1:
        left()
        right()
        arith_narrow.OPERATIONS[op](b, type_, checked)
    elif count == 2 and not type_.signed and op in _DOUBLE:
        left()
        right()
        _DOUBLE[op](b, type_, checked)
    else:
        word = _word(type_)
        for side in (left, right):
            side()
            integer(b, type_, word, True)
        b.call(_words(op, type_.signed, checked))
        integer(b, word, type_, checked)


def _words(op: str, signed: bool, checked: bool) -> Routine:
    """The routine of 256 bits."""
    match op:
        case "add":
            return arith_words.add(signed, checked)
        case "sub":
            return arith_words.subtract(signed, checked)
        case "mul":
            return arith_words.multiply(signed, checked)
    if signed:
        return arith_divide.divide_signed(op == "mod", checked)
    return arith_divide.divide(op == "mod")


def _wrap_double(b: Body, type_: Int) -> None:
    """Cut two limbs on the stack down to the type's width."""
    if type_.bits < 128:
        b.i64((1 << type_.bits - 64) - 1)
        b.op("i64.and")


def _double_sum(b: Body, type_: Int, checked: bool) -> None:
    if not checked:
        b.op("i64.add128")
        _wrap_double(b, type_)
        return

    def write(b: Body) -> None:
        with b.temporaries(I64, I64) as total:
            b.get(0, 1, 2, 3)
            b.op("i64.add128")
            b.set(*total)
            if type_.bits < 128:
                b.get(total[1])
                b.i64((1 << type_.bits - 64) - 1)
                b.op("i64.gt_u")
            else:
                less_limbs(b, total, (0, 1))
            panic_if(b, OVERFLOW)
            b.get(*total)

    b.call(Routine(f"add_{type_}", (I64,) * 4, (I64, I64), write))


def _double_difference(b: Body, type_: Int, checked: bool) -> None:
    if not checked:
        b.op("i64.sub128")
        _wrap_double(b, type_)
        return

    def write(b: Body) -> None:
        less_limbs(b, (0, 1), (2, 3))
        panic_if(b, OVERFLOW)
        b.get(0, 1, 2, 3)
        b.op("i64.sub128")

    b.call(Routine("sub_u128", (I64,) * 4, (I64, I64), write))


def _double_product(b: Body, type_: Int, checked: bool) -> None:
    b.call(arith_words.MUL_128)
    integer(b, Int(256), type_, checked)


_DOUBLE: Final[Mapping[str, arith_narrow.Write]] = MappingProxyType(
    {"add": _double_sum, "sub": _double_difference, "mul": _double_product}
)
"""Of unsigned integers with two limbs."""


def _bits(w: Writer, node: Binary) -> None:
    """`and or xor`, slot by slot: of integers, bytesN and bool they never leave the type."""
    b = w.b
    types = slots(node.type)
    prefix = "i32" if types[0] == I32 else "i64"
    w.expr(node.left)
    w.expr(node.right)
    if len(types) == 1:
        b.op(f"{prefix}.{node.op}")
        return
    with b.temporaries(*types, *types) as both:
        left, right = both[: len(types)], both[len(types) :]
        b.set(*both)
        for one, other in zip(left, right, strict=True):
            b.get(one, other)
            b.op(f"{prefix}.{node.op}")


def _shift(w: Writer, node: Binary, type_: Int) -> None:
    """The amount is of any unsigned type, and evaluated after the value."""
    b, left = w.b, node.op == "shl"
    narrow = limbs(type_) == 1
    w.expr(node.left)
    if not narrow:
        integer(b, type_, _word(type_), True)
    w.expr(node.right)
    saturate(b, _integer(node.right.type))
    if narrow and left:
        b.call(arith_narrow.shift_left(type_, node.checked))
    elif narrow:
        arith_narrow.shift_right(b, type_)
    else:
        b.call(arith_shift.shift_left(type_.signed, node.checked) if left else arith_shift.shift_right(type_.signed))
        integer(b, _word(type_), type_, node.checked)


def _integer(type_: Type) -> Int:
    if not isinstance(type_, Int):
        raise TypeError(f"an integer is expected here, not {type_}")
    return type_


def _power(w: Writer, node: Binary, type_: Int) -> None:
    w.expr(node.left)
    integer(w.b, type_, _word(type_), True)
    w.expr(node.right)
    integer(w.b, _integer(node.right.type), Int(256), True)
    w.b.call(arith_power.power(type_.signed, node.checked))
    integer(w.b, _word(type_), type_, node.checked)


def _unary(w: Writer, node: Unary) -> None:
    b = w.b
    match node.op, node.type:
        case "not", _:
            w.expr(node.value)
            b.op("i32.eqz")
        case "neg", Int() as type_:
            _negate(b, type_, node.checked, lambda: w.expr(node.value))
        case _, Bool():
            w.expr(node.value)
            b.op("i32.eqz")
        case _:
            _invert(w, node)


def _negate(b: Body, type_: Int, checked: bool, value: Operand) -> None:
    def zero() -> None:
        for _ in slots(type_):
            b.i64(0)

    operate(b, "sub", type_, checked, zero, value)


def _invert(w: Writer, node: Unary) -> None:
    b = w.b
    with w.value(node.value) as locals_:
        for i, local in enumerate(locals_):
            whole = not isinstance(node.type, FixedBytes) or node.type.size - 8 * i >= 8
            b.get(local)
            b.i64(-1 if whole else (1 << 8 * (node.type.size % 8)) - 1)  # type: ignore[union-attr]
            b.op("i64.xor")


EXPRESSIONS: Final[Mapping[type, Write]] = MappingProxyType({Binary: _binary, Unary: _unary})


# Comparisons.


def compare(w: Writer, op: str, type_: Type) -> None:
    """Two values of an integer type, bytesN or addresses on the stack become an i32: `eq ne lt le gt ge`.

    Bytes and addresses are compared as big-endian numbers. Raises: TypeError for other types.
    """
    b, count = w.b, len(slots(type_))
    match type_:
        case Int(signed=signed):
            pass
        case FixedBytes() | Address() | Remote():
            signed = False
        case _:
            raise TypeError(f"{type_} is no number")
    if op in ("eq", "ne"):
        if count == 1:
            b.op(f"i64.{op}")
            return
        b.call(equal(count))
        if op == "ne":
            b.op("i32.eqz")
    elif isinstance(type_, Int) and count == 1:
        b.op(f"i64.{op}_{'s' if signed else 'u'}")
    else:
        # a <= b is not a > b, a >= b is not a < b
        turned = op in ("gt", "le")
        b.call(less(count, signed, turned) if isinstance(type_, Int) else less_bytes(count, turned))
        if op in ("le", "ge"):
            b.op("i32.eqz")


def zero(b: Body, type_: Type) -> None:
    """A value of i64 slots on the stack becomes an i32: whether it is the default."""
    for _ in slots(type_)[1:]:
        b.op("i64.or")
    b.op("i64.eqz")


# Functions of the language.


def _absolute(w: Writer, node: Builtin) -> None:
    b, type_ = w.b, _integer(node.type)
    with w.value(node.arguments[0]) as locals_:
        b.get(locals_[-1])
        b.i64(0)
        b.op("i64.lt_s")
        with b.if_():
            _negate(b, type_, node.checked, lambda: b.get(*locals_))
            b.set(*locals_)
        b.get(*locals_)


def _pow_mod(w: Writer, node: Builtin) -> None:
    type_ = _integer(node.type)
    for argument in node.arguments:
        w.expr(argument)
        integer(w.b, _integer(argument.type), Int(256), True)
    w.b.call(arith_power.POW_MOD)
    integer(w.b, Int(256), type_, True)


def _extreme(op: str) -> Write:
    """`min` or `max`: `op` says when a later value replaces the best so far."""

    def write(w: Writer, node: Builtin) -> None:
        first, *others = node.arguments
        if not others:
            _fold_items(w, first, lambda best, item: _replace(w, op, node.type, best, item), None)
            return
        with w.value(first) as best:
            for other in others:
                with w.value(other) as value:
                    _replace(w, op, node.type, best, value)
            w.b.get(*best)

    return write


def _replace(w: Writer, op: str, type_: Type, best: tuple[int, ...], value: tuple[int, ...]) -> None:
    w.b.get(*value, *best)
    compare(w, op, type_)
    with w.b.if_():
        w.b.get(*value)
        w.b.set(*best)


def _sum(w: Writer, node: Builtin) -> None:
    type_ = _integer(node.type)

    def add(total: tuple[int, ...], item: tuple[int, ...]) -> None:
        operate(w.b, "add", type_, node.checked, lambda: w.b.get(*total), lambda: w.b.get(*item))
        w.b.set(*total)

    _fold_items(w, node.arguments[0], add, 0)


def _fold_items(
    w: Writer, sequence: Expression, step: Callable[[tuple[int, ...], tuple[int, ...]], None], start: int | None
) -> None:
    """Go through a list or an array in memory; without a start the first item is it, and there must be one."""
    b, type_ = w.b, sequence.type
    if not isinstance(type_, (List, Array)):
        raise TypeError(f"a list or an array is expected here, not {type_}")
    types = slots(type_.item)
    with w.value(sequence) as (items,), b.temporaries(I32, I32, *types, *types) as (left, at, *both):
        best, item = tuple(both[: len(types)]), tuple(both[len(types) :])
        if isinstance(type_, List):
            b.get(items)
            b.load("i32.load", 0)
            b.set(left)
            b.get(items)
            b.load("i32.load", 8)
        else:
            b.i32(type_.length)
            b.set(left)
            b.get(items)
        b.set(at)
        if start is None:
            b.get(left)
            b.op("i32.eqz")
            with b.if_():
                panic(b, EMPTY)
            load(b, types, at)
            b.set(*best)
            _advance(b, left, at, size(type_.item))
        else:
            for local in best:
                b.i64(start)
                b.set(local)
        with b.block() as done, b.loop() as again:
            b.get(left)
            b.op("i32.eqz")
            b.br_if(done)
            load(b, types, at)
            b.set(*item)
            step(best, item)
            _advance(b, left, at, size(type_.item))
            b.br(again)
        b.get(*best)


def _advance(b: Body, left: int, at: int, by: int) -> None:
    for local, step in ((left, -1), (at, by)):
        b.get(local)
        b.i32(step)
        b.op("i32.add")
        b.set(local)


BUILTINS: Final[Mapping[str, Callable[[Writer, Any], None]]] = MappingProxyType(
    {"abs": _absolute, "min": _extreme("lt"), "max": _extreme("gt"), "sum": _sum, "pow_mod": _pow_mod}
)
"""Functions of tree.Builtin by name."""
