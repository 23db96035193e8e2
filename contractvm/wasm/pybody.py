"""Straight-line code of the portable tier: an operand stack of expressions, and the statements they turn into.

An operand stays an expression until something it depends on is about to change, or until it could trap later than the
specification says; then it is assigned to the slot of its height (`s0`, `s1`, ...), so that a Python frame is never
larger than the deterministic frame weight counts. Control flow is `pystructured` or `pystates`.
Never: decides where gas is charged (`sections` does) or what an operator means (`pyvalue`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from contractvm.wasm import pyvalue as v
from contractvm.wasm.compiled import Compiled
from contractvm.wasm.flat import INSTANCE_METHODS
from contractvm.wasm.module import FUNCREF, I32, I64
from contractvm.wasm.opcodes import BY_CODE
from contractvm.wasm.pyvalue import MASK, Value

MAX_DEPTH = 24
MAX_TEXT = 600
MAX_PENDING = 64
"""Operands left as expressions at once: each is looked at whenever something changes."""
BITS = {I32: 32, I64: 64}
ANSWERING = frozenset({"memory.grow", "table.get", "table.size", "table.grow"})

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


@dataclass(frozen=True, slots=True)
class Line:
    indent: int
    text: str
    at: int | None
    """Instruction that the statement itself belongs to, for tracebacks."""


class Body:
    """Statements and operand stack of one function under generation."""

    def __init__(self, compiled: Compiled, index: int) -> None:
        module = compiled.module
        self.compiled = compiled
        self.index = index
        self.plan = compiled.plan(index)
        self.function = module.functions[index - module.imported_functions]
        self.type = module.signature(index)
        self.local_types = self.type.params + self.function.locals
        self.assigned = self._assigned()
        self.prologue: list[str] = []
        """Statements before the first run."""
        self.lines: list[Line] = []
        self.indent = 1
        self.stack: list[Value] = []
        self.pending: list[int] = []
        """Heights of the operands that are not stable, ascending."""
        self.free: set[str] = set()
        """Cells it closes over."""
        self.writes: set[str] = set()
        """Cells it assigns."""
        self.tail = False
        """Whether it makes tail calls."""

    def _assigned(self) -> frozenset[int]:
        code, live = self.function.code, self.plan.live
        names = ("local.set", "local.tee")
        return frozenset(
            imm  # type: ignore[misc]
            for i, (op, imm) in enumerate(zip(code.ops, code.imms, strict=True))
            if live[i] and BY_CODE[op].name in names
        )

    # Statements.

    def emit(self, text: str, at: int | None = None) -> None:
        self.lines.append(Line(self.indent, text, at))

    def open(self, header: str) -> None:
        """Emit a compound statement's header and indent."""
        self.emit(header)
        self.indent += 1

    def close(self, indent: int) -> None:
        """Go back to an indentation, closing an empty suite with `pass`."""
        while self.indent > indent:
            if self.lines[-1].indent < self.indent:
                self.emit("pass")
            self.indent -= 1

    def cell(self, name: str, write: bool = False) -> str:
        self.free.add(name)
        if write:
            self.writes.add(name)
        return name

    def charge(self, at: int) -> None:
        """Charge the run that starts at an instruction, if one does."""
        run = self.plan.run_at.get(at)
        if run is None or not run.count:
            return
        self.settle_traps()
        if run.cost:
            gas = self.cell("gas", write=True)
            self.emit(f"if ({gas} := {gas} - {run.cost}) < 0: raise OutOfGas", at)
        if self.compiled.count:
            self.emit(f"{self.cell('n', write=True)} += {run.count}")

    # The operand stack.

    def push(self, value: Value) -> None:
        if value.text.isidentifier() and value.text[0] == "s" and value.text != f"s{len(self.stack)}":
            value = replace(value, slots=True)  # the slot of another height, which may come to be overwritten
        self.stack.append(value)
        if not value.stable:
            self.pending.append(len(self.stack) - 1)
            if len(self.pending) > MAX_PENDING:
                self.settle_all()
        if value.depth > MAX_DEPTH or len(value.text) > MAX_TEXT:
            self.to_slot(len(self.stack) - 1)

    def pop(self) -> Value:
        value = self.stack.pop()
        if self.pending and self.pending[-1] == len(self.stack):
            self.pending.pop()
        return value

    def pops(self, count: int) -> list[Value]:
        """Pop `count` operands, the deepest first."""
        return [self.pop() for _ in range(count)][::-1]

    def push_slot(self, type_: int) -> None:
        """Push what a statement has left in the slot of the next height."""
        self.stack.append(slot(len(self.stack), type_))

    def to_slot(self, height: int) -> None:
        """Assign the operand at a height to its slot."""
        value = self.stack[height]
        # What lies deeper goes first where it reads a slot this assignment may overwrite, or could trap before it.
        for below in [h for h in self.pending if h < height]:
            other = self.stack[below]
            if other.slots or (value.traps and other.traps):
                self._assign_slot(below)
        self._assign_slot(height)

    def _assign_slot(self, height: int) -> None:
        value = self.stack[height]
        name = f"s{height}"
        if value.text == name or value.constant is not None:
            return
        value = v.number(value)
        if value.lo < -MASK[64] or value.hi > MASK[64] << 32:
            value = v.exact(value, 64)
        self.emit(f"{name} = {v.bracketed(value.text)}")
        self.stack[height] = Value(name, value.lo, value.hi)
        if height in self.pending:
            self.pending.remove(height)

    def settle(self, which: Callable[[Value], bool]) -> None:
        """Assign to slots every pending operand for which `which` holds, the deepest first."""
        for height in list(self.pending):
            if which(self.stack[height]):
                self.to_slot(height)

    def settle_all(self) -> None:
        """Make every operand stable."""
        self.settle(lambda value: True)

    def settle_traps(self) -> None:
        """Evaluate what could trap, before a branch or the end of a run."""
        self.settle(lambda value: value.traps)

    def reset(self, height: int, types: tuple[int, ...]) -> None:
        """Forget the operands above a height and push what the slots from there on hold."""
        del self.stack[height:]
        while self.pending and self.pending[-1] >= height:
            self.pending.pop()
        for type_ in types:
            self.push_slot(type_)

    def before_effect(self) -> None:
        """Call before a statement that traps or changes memory, globals or tables."""
        self.settle(lambda value: value.traps or value.mutable)

    # Instructions.

    def instruction(self, i: int, opcode: int, imm: Any) -> None:
        """Translate one instruction that is not control flow."""
        op = BY_CODE[opcode]
        name = op.name
        if name == "local.get":
            self.push(self.local(imm))
        elif name in ("local.set", "local.tee"):
            self._local_set(imm, tee=name == "local.tee")
        elif name in ("i32.const", "i64.const"):
            self.push(v.const(imm))
        elif op.imm == "memarg":
            if op.results:
                self.push(self._load(i, name, op.width, imm[1]))
            else:
                self._store(i, op.width, imm[1])
        elif name in NUMERIC:
            NUMERIC[name](self, i)
        elif name in INSTANCE_METHODS:
            self._instance_method(i, name, imm)
        else:
            _OTHERS[name](self, i, imm)

    def local(self, index: int) -> Value:
        bits = BITS.get(self.local_types[index], 0)
        reads = frozenset((index,)) if index in self.assigned else v.NOTHING
        return Value(f"l{index}", 0, MASK[bits] if bits else 0, locals=reads)

    def _local_set(self, index: int, tee: bool) -> None:
        value = self.canonical(self.pop(), self.local_types[index])
        if value.traps:
            self.settle(lambda other: other.traps or index in other.locals)
        else:
            self.settle(lambda other: index in other.locals)
        if value.text != f"l{index}":
            self.emit(f"l{index} = {v.bracketed(value.text)}")
        if tee:
            self.push(self.local(index))

    def canonical(self, value: Value, type_: int) -> Value:
        """The operand as it may leave the function or enter a local: a bit pattern, never a condition."""
        bits = BITS.get(type_)
        return value if bits is None else v.exact(value, bits)

    def _address(self, value: Value, offset: int) -> Value:
        base = v.exact(value, 32)
        if base.constant is not None:
            return v.const(base.lo + offset)
        return base if not offset else v.build(f"{base.text} + {offset}", offset, base.hi + offset, base)

    def _load(self, i: int, name: str, width: int, offset: int) -> Value:
        address = self._address(self.pop(), offset)
        memory = self.cell("mem")
        if width == 1:
            byte = v.build(f"{v.mark(i)}{memory}[{address.text}]", 0, 255, address, mutable=True, traps=True)
            return v.extend(byte, 8) if name.endswith("_s") else byte
        half = 1 << (8 * width - 1)
        lo, hi = (-half, half - 1) if name.endswith("_s") else (0, 2 * half - 1)
        text = f"{v.mark(i)}{LOADS[name]}({memory}, {address.text})[0]"
        return v.build(text, lo, hi, address, mutable=True, traps=True)

    def _store(self, i: int, width: int, offset: int) -> None:
        value, base = self.pop(), self.pop()
        address = self._address(base, offset)
        value = v.low(value, 8 * width)
        self.before_effect()
        memory = self.cell("mem")
        if width == 1:
            if address.traps and value.traps:  # Python evaluates the right side first, wasm the address
                self.emit(f"a = {v.bracketed(address.text)}")
                address = Value("a", 0, MASK[32])
            self.emit(f"{memory}[{address.text}] = ({value.text})", i)
        else:
            self.emit(f"{STORES[width]}({memory}, {address.text}, {value.text})", i)

    def _instance_method(self, i: int, name: str, imm: Any) -> None:
        method, count, immediates = INSTANCE_METHODS[name]
        operands = [v.exact(o, 32).text for o in self.pops(count)]
        self.before_effect()
        operands += [str(n) for n in immediates(imm)]
        call = f"{self.cell('inst')}.{method}({', '.join(operands)})"
        if name in ANSWERING:
            self.settle(lambda value: value.slots)
            self.emit(f"s{len(self.stack)} = {call}", i)
            self.push_slot(I32 if name != "table.get" else FUNCREF)
        else:
            self.emit(call, i)

    def call(self, i: int, target: str, params: tuple[int, ...], results: tuple[int, ...], weight: str | None) -> None:
        """Emit a call of `target` with the operands on the stack and push its results."""
        operands = self.pops(len(params))
        arguments = [self.canonical(o, t).text for o, t in zip(operands, params, strict=True)]
        self.before_effect()
        self.settle(lambda value: value.slots)
        call = f"{target}({', '.join([*arguments, weight] if weight else arguments)})"
        base = len(self.stack)
        names = ", ".join(f"s{base + n}" for n in range(len(results)))
        self.emit(f"{names} = {call}" if results else call, i)
        for type_ in results:
            self.push_slot(type_)

    def deeper(self) -> str:
        """The stack weight left for a callee."""
        return f"sp - {self.plan.weight}"


def slot(height: int, type_: int) -> Value:
    bits = BITS.get(type_, 0)
    return Value(f"s{height}", 0, MASK[bits] if bits else 0)


def _binary(fn: Callable[[Value, Value, int], Value], bits: int) -> Callable[[Body, int], None]:
    def translate(body: Body, i: int) -> None:
        right = body.pop()
        left = body.pop()
        body.push(fn(left, right, bits))

    return translate


def _unary(fn: Callable[[Value], Value]) -> Callable[[Body, int], None]:
    def translate(body: Body, i: int) -> None:
        body.push(fn(body.pop()))

    return translate


def _rotation(left: bool, bits: int) -> Callable[[Body, int], None]:
    def translate(body: Body, i: int) -> None:
        count = body.pop()
        if count.constant is not None and not body.stack[-1].text.isidentifier():
            body.push(v.exact(body.pop(), bits))
            body.to_slot(len(body.stack) - 1)
        value = body.pop()
        body.push(v.rotate(value, count, bits, left, lambda a: a.text if a.text.isidentifier() else None))

    return translate


def _division(name: str, bits: int) -> Callable[[Body, int], None]:
    def translate(body: Body, i: int) -> None:
        divisor = body.pop()
        body.push(v.divide(name, body.pop(), divisor, bits, i))

    return translate


def _comparison(name: str, bits: int) -> Callable[[Body, int], None]:
    return _binary(lambda a, b, n: v.compare(name, a, b, n), bits)


def _wide(name: str, operands: int) -> Callable[[Body, int], None]:
    def translate(body: Body, i: int) -> None:
        texts = [v.exact(o, 64).text for o in body.pops(operands)]
        body.settle(lambda value: value.slots)
        base = len(body.stack)
        body.emit(f"s{base}, s{base + 1} = {name}({', '.join(texts)})", i)
        body.push_slot(I64)
        body.push_slot(I64)

    return translate


def _numeric() -> dict[str, Callable[[Body, int], None]]:
    table: dict[str, Callable[[Body, int], None]] = {}
    for bits in (32, 64):
        prefix = f"i{bits}."
        for name, fn in (("add", v.add), ("sub", v.sub), ("mul", v.mul), ("and", v.and_), ("or", v.or_)):
            table[prefix + name] = _binary(fn, bits)
        for name, fn in (("xor", v.xor), ("shl", v.shl), ("shr_u", v.shr_u), ("shr_s", v.shr_s)):
            table[prefix + name] = _binary(fn, bits)
        table[prefix + "rotl"], table[prefix + "rotr"] = _rotation(True, bits), _rotation(False, bits)
        for name in ("div_s", "div_u", "rem_s", "rem_u"):
            table[prefix + name] = _division(name, bits)
        for name in ("eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"):
            table[prefix + name] = _comparison(name, bits)
        for name in ("clz", "ctz", "popcnt"):
            table[prefix + name] = _unary(lambda a, name=name, bits=bits: v.count_bits(name, a, bits))  # type: ignore[misc]
        table[prefix + "eqz"] = _unary(lambda a, bits=bits: v.eqz(a, bits))  # type: ignore[misc]
        for source in (8, 16, 32):
            if source < bits:
                table[f"{prefix}extend{source}_s"] = _unary(lambda a, source=source: v.extend(a, source))  # type: ignore[misc]
    table["i32.wrap_i64"] = _unary(v.number)
    table["i64.extend_i32_u"] = _unary(lambda a: v.exact(a, 32))
    table["i64.extend_i32_s"] = _unary(lambda a: v.signed(a, 32))
    for name, operands in (("add128", 4), ("sub128", 4), ("mul_wide_s", 2), ("mul_wide_u", 2)):
        table[f"i64.{name}"] = _wide(name, operands)
    return table


NUMERIC = _numeric()
"""Every numeric instruction of the table."""


def _global_get(body: Body, i: int, imm: int) -> None:
    type_ = body.compiled.module.global_types[imm]
    bits = BITS.get(type_.value, 0)
    body.push(Value(body.cell(f"g{imm}"), 0, MASK[bits] if bits else 0, mutable=type_.mutable))


def _global_set(body: Body, i: int, imm: int) -> None:
    value = body.canonical(body.pop(), body.compiled.module.global_types[imm].value)
    body.before_effect()
    body.emit(f"{body.cell(f'g{imm}', write=True)} = {v.bracketed(value.text)}")


def _drop(body: Body, i: int, imm: object) -> None:
    value = body.pop()
    if value.traps:
        body.settle(lambda other: other.traps)
        body.emit(f"({value.text})")


def _select(body: Body, i: int, imm: object) -> None:
    # Python evaluates one arm only, and the condition first: what can trap must be evaluated before, in order.
    condition, other = body.stack[-1], body.stack[-2]
    value = body.stack[-3]
    if value.traps or other.traps:
        for height in range(len(body.stack) - 3, len(body.stack)):
            body.to_slot(height)
    condition, other, value = body.pop(), body.pop(), body.pop()
    body.push(v.select(value, other, condition))


def _memory_size(body: Body, i: int, imm: object) -> None:
    body.push(v.build(f"(len({body.cell('mem')}) >> 16)", 0, 65_536, mutable=True))


def _ref_null(body: Body, i: int, imm: object) -> None:
    body.push(Value("None", 0, 0))


def _ref_is_null(body: Body, i: int, imm: object) -> None:
    operand = body.pop()
    body.push(v.build(f"({operand.text} is None)", 0, 1, operand, truth=True))


def _ref_func(body: Body, i: int, imm: int) -> None:
    body.push(Value(f"{body.cell('inst')}.function({imm})", 0, 0))


def _nop(body: Body, i: int, imm: object) -> None:
    """Nothing to say in Python."""


_OTHERS: dict[str, Callable[[Body, int, Any], None]] = {
    "global.get": _global_get,
    "global.set": _global_set,
    "drop": _drop,
    "select": _select,
    "select t": _select,
    "memory.size": _memory_size,
    "ref.null": _ref_null,
    "ref.is_null": _ref_is_null,
    "ref.func": _ref_func,
    "nop": _nop,
}
"""Parametric, variable and reference instructions of the table."""
