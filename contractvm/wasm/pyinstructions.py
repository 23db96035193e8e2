"""Every instruction of the portable tier that is not control flow: what it pops, what it pushes, what it says at once.

Most instructions only combine expressions (`pyvalue`); those with an effect become statements, before which everything
that the effect could change, and everything that could trap, is evaluated. Source: WebAssembly core specification,
sections 4.4.1 to 4.4.7.
Never: what an operator means (`pyvalue`), or what an instruction of memory or tables does (`instance`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from contractvm.table import Op
from contractvm.wasm import pyvalue as v
from contractvm.wasm.flat import INSTANCE_METHODS
from contractvm.wasm.module import FUNCREF, I32, I64
from contractvm.wasm.opcodes import BY_NAME, OPS
from contractvm.wasm.pybody import BITS, Body
from contractvm.wasm.pyvalue import MASK, Value

Translator = Callable[[Body, int, Any], None]
"""Takes the body, the instruction's index and its immediate."""

LOADS = {
    "i32.load": "ld_I",
    "i64.load": "ld_Q",
    "i32.load16_u": "ld_H",
    "i64.load16_u": "ld_H",
    "i64.load32_u": "ld_I",
    "i32.load16_s": "ld_h",
    "i64.load16_s": "ld_h",
    "i64.load32_s": "ld_i",
}
"""Reads through `struct`, by instruction; a signed read is a loose value."""
STORES = {2: "st_H", 4: "st_I", 8: "st_Q"}
"""Writes through `struct`, by width in bytes."""
ANSWERS = {"memory.grow": I32, "table.get": FUNCREF, "table.size": I32, "table.grow": I32}
"""Methods of the instance that push a result, and its type (any reference type will do for a reference)."""


# Numeric instructions.


def _binary(fn: Callable[[Value, Value, int], Value], bits: int) -> Translator:
    def translate(body: Body, i: int, imm: None) -> None:
        right = body.pop()
        left = body.pop()
        body.push(fn(left, right, bits))

    return translate


def _unary(fn: Callable[[Value], Value]) -> Translator:
    def translate(body: Body, i: int, imm: None) -> None:
        body.push(fn(body.pop()))

    return translate


def _rotation(left: bool, bits: int) -> Translator:
    def translate(body: Body, i: int, imm: None) -> None:
        count = body.pop()
        if count.constant is not None and not body.stack[-1].text.isidentifier():
            body.push(v.exact(body.pop(), bits))
            body.to_slot(len(body.stack) - 1)
        value = body.pop()
        body.push(v.rotate(value, count, bits, left, lambda a: a.text if a.text.isidentifier() else None))

    return translate


def _division(name: str, bits: int) -> Translator:
    def translate(body: Body, i: int, imm: None) -> None:
        divisor = body.pop()
        body.push(v.divide(name, body.pop(), divisor, bits, i))

    return translate


def _comparison(name: str, bits: int) -> Translator:
    return _binary(lambda a, b, n: v.compare(name, a, b, n), bits)


def _count(name: str, bits: int) -> Translator:
    return _unary(lambda a: v.count_bits(name, a, bits))


def _test(bits: int) -> Translator:
    return _unary(lambda a: v.eqz(a, bits))


def _extension(source: int) -> Translator:
    return _unary(lambda a: v.extend(a, source))


def _wide(op: Op) -> Translator:
    name, operands = op.name.removeprefix("i64."), len(op.params)

    def translate(body: Body, i: int, imm: None) -> None:
        values = body.pops(operands)
        traps = any(value.traps for value in values)
        body.settle(lambda other: other.slots or (traps and other.traps))
        base = len(body.stack)
        body.emit(f"s{base}, s{base + 1} = {name}({', '.join(v.exact(value, 64).text for value in values)})", i)
        body.push_slot(I64)
        body.push_slot(I64)

    return translate


_BINARY = {"add": v.add, "sub": v.sub, "mul": v.mul, "and": v.and_, "or": v.or_}
_BINARY |= {"xor": v.xor, "shl": v.shl, "shr_u": v.shr_u, "shr_s": v.shr_s}


def _integers(bits: int) -> dict[str, Translator]:
    table: dict[str, Translator] = {name: _binary(fn, bits) for name, fn in _BINARY.items()}
    table |= {name: _division(name, bits) for name in ("div_s", "div_u", "rem_s", "rem_u")}
    table |= {f"{order}_{sign}": _comparison(f"{order}_{sign}", bits) for order in v.ORDERS for sign in "su"}
    table |= {name: _comparison(name, bits) for name in ("eq", "ne")}
    table |= {name: _count(name, bits) for name in ("clz", "ctz", "popcnt")}
    table |= {f"extend{source}_s": _extension(source) for source in (8, 16, 32) if source < bits}
    table |= {"rotl": _rotation(True, bits), "rotr": _rotation(False, bits), "eqz": _test(bits)}
    return {f"i{bits}.{name}": translate for name, translate in table.items()}


def _conversions() -> dict[str, Translator]:
    return {
        "i32.wrap_i64": _unary(v.number),
        "i64.extend_i32_u": _unary(lambda a: v.exact(a, 32)),
        "i64.extend_i32_s": _unary(lambda a: v.signed(a, 32)),
    }


# Memory.


def _address(value: Value, offset: int) -> Value:
    """The effective address, exact: up to 33 bits. Its text stands in brackets of its own wherever it is used."""
    base = v.exact(value, 32)
    if base.constant is not None:
        return v.const(base.lo + offset)
    return base if not offset else v.build(f"{base.text} + {offset}", offset, base.hi + offset, base)


def _load(op: Op) -> Translator:
    name, width, is_signed = op.name, op.width, op.name.endswith("_s")
    half = 1 << (8 * width - 1)
    lo, hi = (-half, half - 1) if is_signed else (0, 2 * half - 1)

    def byte(body: Body, i: int, imm: tuple[int, int]) -> None:
        address = _address(body.pop(), imm[1])
        read = v.build(f"{v.mark(i)}{body.cell('mem')}[{address.text}]", 0, 255, address, mutable=True, traps=True)
        body.push(v.extend(read, 8) if is_signed else read)

    def wider(body: Body, i: int, imm: tuple[int, int]) -> None:
        address = _address(body.pop(), imm[1])
        text = f"{v.mark(i)}{LOADS[name]}({body.cell('mem')}, {address.text})[0]"
        body.push(v.build(text, lo, hi, address, mutable=True, traps=True))

    return byte if width == 1 else wider


def _store(op: Op) -> Translator:
    width = op.width

    def translate(body: Body, i: int, imm: tuple[int, int]) -> None:
        value, base = body.pop(), body.pop()
        address = _address(base, imm[1])
        value = v.low(value, 8 * width)
        body.before_effect()
        memory = body.cell("mem")
        if width > 1:
            body.emit(f"{STORES[width]}({memory}, {address.text}, {value.text})", i)
            return
        where = address.text
        if address.traps and value.traps:  # Python evaluates the right side first, wasm the address
            body.emit(f"a = {v.bracketed(where)}")
            where = "a"
        body.emit(f"{memory}[{where}] = ({value.text})", i)

    return translate


def _instance_method(name: str) -> Translator:
    method, count, immediates = INSTANCE_METHODS[name]
    answer = ANSWERS.get(name)

    def translate(body: Body, i: int, imm: Any) -> None:
        operands = [v.exact(o, 32).text for o in body.pops(count)]
        body.before_effect()
        operands += [str(n) for n in immediates(imm)]
        call = f"{body.cell('inst')}.{method}({', '.join(operands)})"
        if answer is None:
            body.emit(call, i)
            return
        body.settle(lambda value: value.slots)
        body.emit(f"s{len(body.stack)} = {call}", i)
        body.push_slot(answer)

    return translate


def _memory_size(body: Body, i: int, imm: None) -> None:
    body.push(v.build(f"(len({body.cell('mem')}) >> 16)", 0, 65_536, mutable=True))


# Variables.


def _const(body: Body, i: int, imm: int) -> None:
    body.push(v.const(imm))


def _local_get(body: Body, i: int, imm: int) -> None:
    body.push(body.local(imm))


def _local_set(body: Body, i: int, imm: int) -> None:
    value = body.canonical(body.pop(), body.local_types[imm])
    body.settle(lambda other: imm in other.locals or (value.traps and other.traps))
    if value.text != f"l{imm}":
        body.emit(f"l{imm} = {v.bracketed(value.text)}")


def _local_tee(body: Body, i: int, imm: int) -> None:
    _local_set(body, i, imm)
    body.push(body.local(imm))


def _global_get(body: Body, i: int, imm: int) -> None:
    type_ = body.compiled.module.global_types[imm]
    bits = BITS.get(type_.value, 0)
    body.push(Value(body.cell(f"g{imm}"), 0, MASK[bits] if bits else 0, mutable=type_.mutable))


def _global_set(body: Body, i: int, imm: int) -> None:
    value = body.canonical(body.pop(), body.compiled.module.global_types[imm].value)
    body.before_effect()
    body.emit(f"{body.cell(f'g{imm}', write=True)} = {v.bracketed(value.text)}")


# Operands and references.


def _drop(body: Body, i: int, imm: None) -> None:
    value = body.pop()
    if value.traps:
        body.settle_traps()
        body.emit(f"({value.text})")


def _select(body: Body, i: int, imm: object) -> None:
    # Python evaluates one arm only, and the condition first: what can trap must be evaluated before, in order.
    value, other = body.stack[-3], body.stack[-2]
    if value.traps or other.traps:
        for height in range(len(body.stack) - 3, len(body.stack)):
            body.to_slot(height)
    value, other, condition = body.pops(3)
    body.push(v.select(value, other, condition))


def _ref_null(body: Body, i: int, imm: int) -> None:
    body.push(Value("None", 0, 0))


def _ref_is_null(body: Body, i: int, imm: None) -> None:
    operand = body.pop()
    body.push(v.build(f"({operand.text} is None)", 0, 1, operand, truth=True))


def _ref_func(body: Body, i: int, imm: int) -> None:
    body.push(Value(f"{body.cell('inst')}.function({imm})", 0, 0))


def _nop(body: Body, i: int, imm: None) -> None:
    """Nothing to say in Python."""


_OTHERS: dict[str, Translator] = {
    "i32.const": _const,
    "i64.const": _const,
    "local.get": _local_get,
    "local.set": _local_set,
    "local.tee": _local_tee,
    "global.get": _global_get,
    "global.set": _global_set,
    "memory.size": _memory_size,
    "drop": _drop,
    "select": _select,
    "select t": _select,
    "ref.null": _ref_null,
    "ref.is_null": _ref_is_null,
    "ref.func": _ref_func,
    "nop": _nop,
}


def _by_name() -> dict[str, Translator]:
    table = _integers(32) | _integers(64) | _conversions() | _OTHERS
    table |= {name: _instance_method(name) for name in INSTANCE_METHODS}
    table |= {op.name: _load(op) if op.results else _store(op) for op in OPS if op.imm == "memarg"}
    return table | {op.name: _wide(op) for op in OPS if len(op.results) == 2}


INSTRUCTIONS: Mapping[int, Translator] = MappingProxyType({BY_NAME[n].code: t for n, t in _by_name().items()})
"""How each instruction that is not control flow is translated, by opcode."""
