"""Operands of the portable tier: Python expressions with the range their value can take and what they depend on.

A value may be *loose*: congruent to its bit pattern modulo 2**bits, but not yet reduced to it. Sums, differences and
sign extensions stay loose until something needs the pattern, so that most masks disappear. The range says when. An
expression that can trap carries a mark with the instruction's number; `pygen` puts each mark on a line of its own,
so that the traceback names the instruction.
Never: statements. Source of the meanings: `numeric.py`, against which every form here is fuzzed.
"""

from __future__ import annotations

from collections.abc import Callable

from contractvm.dataclass import dataclass

MASK = {32: 0xFFFF_FFFF, 64: 0xFFFF_FFFF_FFFF_FFFF}
LOOSE_BITS = 96
"""How far a loose value may stray before it is reduced."""
NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Value:
    """`lo` and `hi` bound the Python value of `text`. `truth`: the text is a condition (True or False)."""

    text: str
    lo: int
    hi: int
    truth: bool = False
    locals: frozenset[int] = NOTHING
    """Locals it reads that are assigned somewhere in the function."""
    slots: bool = False
    """Reads an operand slot other than as the slot's own value."""
    mutable: bool = False
    """Reads memory, a global or a table."""
    traps: bool = False
    depth: int = 0

    @property
    def constant(self) -> int | None:
        return self.lo if self.lo == self.hi and self.text.isdigit() else None

    @property
    def stable(self) -> bool:
        """Whether nothing that is executed later can change it."""
        return not (self.locals or self.slots or self.mutable or self.traps)


def const(value: int) -> Value:
    return Value(str(value), value, value)


def mark(at: int) -> str:
    """What stands before an expression in which instruction `at` can trap."""
    return f"\x01{at}\x02"


def bracketed(text: str) -> str:
    """The text where a line may break in it: what is marked must stand in brackets."""
    return f"({text})" if "\x01" in text else text


def build(
    text: str, lo: int, hi: int, *parts: Value, truth: bool = False, mutable: bool = False, traps: bool = False
) -> Value:
    """Return an expression over `parts`, inheriting what they depend on."""
    reads = NOTHING
    slots = False
    depth = 0
    for part in parts:
        if part.locals:
            reads = reads | part.locals
        slots = slots or part.slots or part.text.startswith("s")
        mutable = mutable or part.mutable
        traps = traps or part.traps
        depth = max(depth, part.depth)
    return Value(text, lo, hi, truth, reads, slots, mutable, traps, depth + 1)


def number(v: Value) -> Value:
    """The same value as an int: a condition becomes 1 or 0."""
    if not v.truth:
        return v
    return build(f"(1 if {v.text} else 0)", 0, 1, v)


def exact(v: Value, bits: int) -> Value:
    """The bit pattern: the value reduced to 0 .. 2**bits - 1."""
    v = number(v)
    mask = MASK[bits]
    if v.lo >= 0 and v.hi <= mask:
        return v
    if v.lo >= 0 and v.hi <= 2 * mask + 1:
        # Overflow is rare; a comparison costs less than a mask.
        return build(f"(t if (t := {v.text}) <= {mask} else t & {mask})", 0, mask, v)
    if v.lo >= -mask - 1 and v.hi <= mask:
        return build(f"(t if (t := {v.text}) >= 0 else t & {mask})", 0, mask, v)
    return build(f"({v.text} & {mask})", 0, mask, v)


def low(v: Value, width: int) -> Value:
    """The low `width` bits of a value of any wider type, as a pattern."""
    v = number(v)
    mask = (1 << width) - 1
    if v.lo >= 0 and v.hi <= mask:
        return v
    if v.constant is not None:
        return const(v.lo & mask)
    return build(f"({v.text} & {mask})", 0, mask, v)


def condition(v: Value, bits: int = 32) -> str:
    """Text that is true when the value is not zero."""
    return v.text if v.truth else exact(v, bits).text


def _loose(v: Value, bits: int) -> Value:
    v = number(v)
    if v.hi.bit_length() > LOOSE_BITS or v.lo.bit_length() > LOOSE_BITS:
        return exact(v, bits)
    return v


def add(a: Value, b: Value, bits: int) -> Value:
    a, b = _loose(a, bits), _loose(b, bits)
    if a.constant is not None and b.constant is not None:
        return const((a.lo + b.lo) & MASK[bits])
    if a.constant is not None:
        a, b = b, a
    c = b.constant
    if c is not None:
        if c == 0:
            return a
        if c >> (bits - 1):  # compilers write a subtraction as the addition of a negative constant
            c = MASK[bits] + 1 - c
            return build(f"({a.text} - {c})", a.lo - c, a.hi - c, a)
    return build(f"({a.text} + {b.text})", a.lo + b.lo, a.hi + b.hi, a, b)


def sub(a: Value, b: Value, bits: int) -> Value:
    a, b = _loose(a, bits), _loose(b, bits)
    if a.constant is not None and b.constant is not None:
        return const((a.lo - b.lo) & MASK[bits])
    if b.constant == 0:
        return a
    return build(f"({a.text} - {b.text})", a.lo - b.hi, a.hi - b.lo, a, b)


def mul(a: Value, b: Value, bits: int) -> Value:
    a, b = exact(a, bits), exact(b, bits)
    if a.constant is not None and b.constant is not None:
        return const((a.lo * b.lo) & MASK[bits])
    return build(f"({a.text} * {b.text})", a.lo * b.lo, a.hi * b.hi, a, b)


def and_(a: Value, b: Value, bits: int) -> Value:
    if a.truth and b.truth and not b.traps:
        return build(f"({a.text} and {b.text})", 0, 1, a, b, truth=True)
    a, b = _loose(a, bits), _loose(b, bits)
    if a.constant is not None:
        a, b = b, a
    if a.lo < 0 and not 0 <= b.lo <= b.hi <= MASK[bits]:
        a = exact(a, bits)
    if b.lo < 0 and not 0 <= a.lo <= a.hi <= MASK[bits]:
        b = exact(b, bits)
    hi = min(v.hi for v in (a, b) if v.lo >= 0)
    if hi > MASK[bits]:
        return exact(build(f"({a.text} & {b.text})", 0, hi, a, b), bits)
    return build(f"({a.text} & {b.text})", 0, hi, a, b)


def or_(a: Value, b: Value, bits: int) -> Value:
    if a.truth and b.truth and not b.traps:
        return build(f"({a.text} or {b.text})", 0, 1, a, b, truth=True)
    a, b = exact(a, bits), exact(b, bits)
    hi = (1 << max(a.hi.bit_length(), b.hi.bit_length())) - 1
    return build(f"({a.text} | {b.text})", max(a.lo, b.lo), hi, a, b)


def xor(a: Value, b: Value, bits: int) -> Value:
    a, b = exact(a, bits), exact(b, bits)
    hi = (1 << max(a.hi.bit_length(), b.hi.bit_length())) - 1
    return build(f"({a.text} ^ {b.text})", 0, hi, a, b)


def _count(b: Value, bits: int) -> tuple[str, int | None]:
    """Text of a shift count, and its value when it is constant."""
    if b.constant is not None:
        return str(b.lo & (bits - 1)), b.lo & (bits - 1)
    b = _loose(b, bits)
    if b.lo >= 0 and b.hi < bits:
        return b.text, None
    return f"({b.text} & {bits - 1})", None


def shl(a: Value, b: Value, bits: int) -> Value:
    text, count = _count(b, bits)
    if count == 0:
        return a
    if count is not None:
        a = _loose(a, bits)
        if a.constant is not None:
            return const((a.lo << count) & MASK[bits])
        if (max(abs(a.lo), a.hi) << count).bit_length() > LOOSE_BITS:
            a = exact(a, bits)
        return build(f"({a.text} << {text})", a.lo << count, a.hi << count, a, b)
    a = exact(a, bits)
    return build(f"(({a.text} << {text}) & {MASK[bits]})", 0, MASK[bits], a, b)


def shr_u(a: Value, b: Value, bits: int) -> Value:
    text, count = _count(b, bits)
    a = exact(a, bits)
    if count == 0:
        return a
    return build(f"({a.text} >> {text})", a.lo >> (count or bits - 1), a.hi >> (count or 0), a, b)


def signed(a: Value, bits: int) -> Value:
    """The two's complement reading, as a loose value."""
    a = number(a)
    sign = 1 << (bits - 1)
    if -sign <= a.lo and a.hi < sign:
        return a
    a = exact(a, bits)
    if a.constant is not None:
        return Value(str((a.lo ^ sign) - sign), (a.lo ^ sign) - sign, (a.lo ^ sign) - sign)
    return build(f"(({a.text} ^ {sign}) - {sign})", -sign, sign - 1, a)


def shr_s(a: Value, b: Value, bits: int) -> Value:
    text, count = _count(b, bits)
    a = signed(a, bits)
    if count == 0:
        return a
    low = 0 if count is None else count
    lo = a.lo >> low if a.lo < 0 else 0
    return build(f"({a.text} >> {text})", lo, max(a.hi >> low, 0), a, b)


def rotate(a: Value, b: Value, bits: int, left: bool, at_name: Callable[[Value], str | None]) -> Value:
    """`at_name` gives a name that the value can be read from twice, or None."""
    a = exact(a, bits)
    text, count = _count(b, bits)
    mask = MASK[bits]
    if count == 0:
        return a
    name = at_name(a)
    if count is not None and name is not None:
        up = count if left else bits - count
        return build(f"((({name} << {up}) & {mask}) | ({name} >> {bits - up}))", 0, mask, a, b)
    side = "l" if left else "r"
    return build(f"rot{side}{bits}({a.text}, {text})", 0, mask, a, b)


ORDERS = {"lt": "<", "gt": ">", "le": "<=", "ge": ">="}
"""Order relations by name, as Python writes them."""


def compare(name: str, a: Value, b: Value, bits: int) -> Value:
    """`name` is the part after the dot: eq, ne, lt_s, ..."""
    if name in ("eq", "ne"):
        a, b = exact(a, bits), exact(b, bits)
        return build(f"({a.text} {'==' if name == 'eq' else '!='} {b.text})", 0, 1, a, b, truth=True)
    operator, sign = ORDERS[name[:2]], name[3]
    if sign == "s":
        half = 1 << (bits - 1)
        a, b = number(a), number(b)
        in_range = [-half <= v.lo and v.hi < half for v in (a, b)]
        if not all(in_range):
            if any(in_range):
                a, b = signed(a, bits), signed(b, bits)
            else:  # flipping the sign bits on both sides keeps the order
                a, b = exact(a, bits), exact(b, bits)
                return build(f"(({a.text} ^ {half}) {operator} ({b.text} ^ {half}))", 0, 1, a, b, truth=True)
    else:
        a, b = exact(a, bits), exact(b, bits)
    return build(f"({a.text} {operator} {b.text})", 0, 1, a, b, truth=True)


def eqz(a: Value, bits: int) -> Value:
    if a.truth:
        return build(f"(not {a.text})", 0, 1, a, truth=True)
    a = exact(a, bits)
    return build(f"(not {a.text})", 0, 1, a, truth=True)


def extend(a: Value, source: int) -> Value:
    """Sign extension of the low `source` bits, as a loose value."""
    sign, low = 1 << (source - 1), (1 << source) - 1
    a = number(a)
    if -sign <= a.lo and a.hi < sign:
        return a
    inner = a.text if a.lo >= 0 and a.hi <= low else f"({a.text} & {low})"
    return build(f"(({inner} ^ {sign}) - {sign})", -sign, sign - 1, a)


def count_bits(name: str, a: Value, bits: int) -> Value:
    a = exact(a, bits)
    if name == "clz":
        return build(f"({bits} - {_receiver(a)}.bit_length())", 0, bits, a)
    if name == "popcnt":
        return build(f"{_receiver(a)}.bit_count()", 0, bits, a)
    return build(f"ctz{bits}({a.text})", 0, bits, a)


def _receiver(a: Value) -> str:
    return f"({a.text})" if a.text.isdigit() else a.text


def divide(name: str, a: Value, b: Value, bits: int, at: int) -> Value:
    """div_s, div_u, rem_s, rem_u; traps unless the divisor is a constant that cannot."""
    mask = MASK[bits]
    if name in ("div_u", "rem_u"):
        a, b = exact(a, bits), exact(b, bits)
        operator = "//" if name == "div_u" else "%"
        hi = a.hi if name == "div_u" else max(b.hi - 1, 0)
        if b.lo > 0:
            return build(f"({a.text} {operator} {b.text})", 0, a.hi // b.lo if name == "div_u" else hi, a, b)
        return build(f"({mark(at)}({a.text}) {operator} ({b.text}))", 0, hi, a, b, traps=True)
    a, b = exact(a, bits), exact(b, bits)
    return build(f"{mark(at)}{name}{bits}({a.text}, {b.text})", 0, mask, a, b, traps=True)


def select(a: Value, b: Value, c: Value) -> Value:
    """`a` when `c` is not zero, otherwise `b`. The caller makes sure that neither `a` nor `b` traps."""
    if not (a.truth and b.truth):
        a, b = number(a), number(b)
    text = f"({a.text} if {condition(c)} else {b.text})"
    return build(text, min(a.lo, b.lo), max(a.hi, b.hi), a, b, c, truth=a.truth)
