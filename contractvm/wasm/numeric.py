"""What the integer instructions mean: pure functions of non-negative ints, one definition for i32 and i64.

A value is its bit pattern, an int from 0 to 2**bits - 1; a signed reading exists only inside a function. Each factory
below defines one family of operators for a width, `MEANINGS` names them all as the specification does ("i32.div_s").
Loads and stores are here too, as what they do to the bits read or about to be written.
Source: WebAssembly core specification, section 4.3.2 (integer operations); wide arithmetic: that proposal's overview.
Never: floats, state, or a value outside its width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from contractvm.errors import Trap, TrapCode

Unary = Callable[[int], int]
Binary = Callable[[int, int], int]
Wide = Callable[..., tuple[int, ...]]
Meaning = Unary | Binary | Wide


def signed(bits: int) -> Unary:
    """Return the two's complement reading: an int from -2**(bits-1) to 2**(bits-1) - 1."""
    sign = 1 << (bits - 1)

    def read(a: int) -> int:
        return (a ^ sign) - sign

    return read


def sign_extend(source: int, bits: int) -> Unary:
    """Return the function that widens the low `source` bits to `bits` by repeating their sign."""
    low, sign, mask = (1 << source) - 1, 1 << (source - 1), (1 << bits) - 1

    def extend(a: int) -> int:
        return (((a & low) ^ sign) - sign) & mask

    return extend


def wrap(bits: int) -> Unary:
    """Return the function that keeps the low `bits`."""
    mask = (1 << bits) - 1

    def low(a: int) -> int:
        return a & mask

    return low


def same(a: int) -> int:
    """Return the bits as they are: unsigned extension, and loads and stores of a whole value."""
    return a


def arithmetic(bits: int) -> dict[str, Binary]:
    """Addition, subtraction, multiplication: modulo 2**bits."""
    mask = (1 << bits) - 1

    def add(a: int, b: int) -> int:
        return (a + b) & mask

    def sub(a: int, b: int) -> int:
        return (a - b) & mask

    def mul(a: int, b: int) -> int:
        return (a * b) & mask

    return {"add": add, "sub": sub, "mul": mul}


def division(bits: int) -> dict[str, Binary]:
    """Quotients and remainders, truncated toward zero. Raise Trap on zero, and `div_s` on -2**(bits-1) / -1."""
    sign, mask = 1 << (bits - 1), (1 << bits) - 1

    def div_u(a: int, b: int) -> int:
        if b == 0:
            raise Trap(TrapCode.INTEGER_DIVIDE_BY_ZERO)
        return a // b

    def div_s(a: int, b: int) -> int:
        if b == 0:
            raise Trap(TrapCode.INTEGER_DIVIDE_BY_ZERO)
        if a == sign and b == mask:
            raise Trap(TrapCode.INTEGER_OVERFLOW)
        a, b = (a ^ sign) - sign, (b ^ sign) - sign
        quotient = abs(a) // abs(b)
        return (quotient if (a < 0) == (b < 0) else -quotient) & mask

    def rem_u(a: int, b: int) -> int:
        if b == 0:
            raise Trap(TrapCode.INTEGER_DIVIDE_BY_ZERO)
        return a % b

    def rem_s(a: int, b: int) -> int:
        if b == 0:
            raise Trap(TrapCode.INTEGER_DIVIDE_BY_ZERO)
        a, b = (a ^ sign) - sign, (b ^ sign) - sign
        remainder = abs(a) % abs(b)
        return (remainder if a >= 0 else -remainder) & mask

    return {"div_u": div_u, "div_s": div_s, "rem_u": rem_u, "rem_s": rem_s}


def bitwise(bits: int) -> dict[str, Binary]:
    """And, or, exclusive or, shifts and rotations; shift counts are taken modulo `bits`."""
    sign, mask, count = 1 << (bits - 1), (1 << bits) - 1, bits - 1

    def and_(a: int, b: int) -> int:
        return a & b

    def or_(a: int, b: int) -> int:
        return a | b

    def xor(a: int, b: int) -> int:
        return a ^ b

    def shl(a: int, b: int) -> int:
        return (a << (b & count)) & mask

    def shr_u(a: int, b: int) -> int:
        return a >> (b & count)

    def shr_s(a: int, b: int) -> int:
        return (((a ^ sign) - sign) >> (b & count)) & mask

    def rotl(a: int, b: int) -> int:
        b &= count
        return (a << b | a >> (bits - b)) & mask

    def rotr(a: int, b: int) -> int:
        b &= count
        return (a >> b | a << (bits - b)) & mask

    shifts: dict[str, Binary] = {"shl": shl, "shr_u": shr_u, "shr_s": shr_s, "rotl": rotl, "rotr": rotr}
    return {"and": and_, "or": or_, "xor": xor} | shifts


def counting(bits: int) -> dict[str, Unary]:
    """Leading zeros, trailing zeros, ones; `bits` zeros in 0."""

    def clz(a: int) -> int:
        return bits - a.bit_length()

    def ctz(a: int) -> int:
        return (a & -a).bit_length() - 1 if a else bits

    def popcnt(a: int) -> int:
        return a.bit_count()

    return {"clz": clz, "ctz": ctz, "popcnt": popcnt}


def equality() -> dict[str, Unary | Binary]:
    """Tests and comparisons that need no width; they answer 1 or 0."""

    def eqz(a: int) -> int:
        return 0 if a else 1

    def eq(a: int, b: int) -> int:
        return 1 if a == b else 0

    def ne(a: int, b: int) -> int:
        return 1 if a != b else 0

    def lt_u(a: int, b: int) -> int:
        return 1 if a < b else 0

    def gt_u(a: int, b: int) -> int:
        return 1 if a > b else 0

    def le_u(a: int, b: int) -> int:
        return 1 if a <= b else 0

    def ge_u(a: int, b: int) -> int:
        return 1 if a >= b else 0

    return {"eqz": eqz, "eq": eq, "ne": ne, "lt_u": lt_u, "gt_u": gt_u, "le_u": le_u, "ge_u": ge_u}


def signed_order(bits: int) -> dict[str, Binary]:
    """Signed comparisons; they answer 1 or 0. Flipping the sign bit turns signed order into unsigned order."""
    sign = 1 << (bits - 1)

    def lt_s(a: int, b: int) -> int:
        return 1 if a ^ sign < b ^ sign else 0

    def gt_s(a: int, b: int) -> int:
        return 1 if a ^ sign > b ^ sign else 0

    def le_s(a: int, b: int) -> int:
        return 1 if a ^ sign <= b ^ sign else 0

    def ge_s(a: int, b: int) -> int:
        return 1 if a ^ sign >= b ^ sign else 0

    return {"lt_s": lt_s, "gt_s": gt_s, "le_s": le_s, "ge_s": ge_s}


def memory_access(bits: int) -> dict[str, Unary]:
    """Loads take the little-endian bytes read, as an unsigned int, to the value; stores the value to the bytes."""
    access: dict[str, Unary] = {"load": same, "store": same}
    for width in (8, 16, 32):
        if width < bits:
            access[f"load{width}_s"] = sign_extend(width, bits)
            access[f"load{width}_u"] = same
            access[f"store{width}"] = wrap(width)
    return access


def wide() -> dict[str, Wide]:
    """128-bit arithmetic on pairs of i64, the low half first."""
    mask, whole, read = (1 << 64) - 1, (1 << 128) - 1, signed(64)

    def add128(a: int, a_high: int, b: int, b_high: int) -> tuple[int, int]:
        total = (a | a_high << 64) + (b | b_high << 64) & whole
        return total & mask, total >> 64

    def sub128(a: int, a_high: int, b: int, b_high: int) -> tuple[int, int]:
        rest = (a | a_high << 64) - (b | b_high << 64) & whole
        return rest & mask, rest >> 64

    def mul_wide_s(a: int, b: int) -> tuple[int, int]:
        product = read(a) * read(b) & whole
        return product & mask, product >> 64

    def mul_wide_u(a: int, b: int) -> tuple[int, int]:
        product = a * b
        return product & mask, product >> 64

    return {"add128": add128, "sub128": sub128, "mul_wide_s": mul_wide_s, "mul_wide_u": mul_wide_u}


def meanings() -> Mapping[str, Meaning]:
    """Collect every operator under its specification name."""
    table: dict[str, Meaning] = {}
    for bits in (32, 64):
        families: tuple[Mapping[str, Meaning], ...] = (
            arithmetic(bits),
            division(bits),
            bitwise(bits),
            counting(bits),
            equality(),
            signed_order(bits),
            memory_access(bits),
            {f"extend{source}_s": sign_extend(source, bits) for source in (8, 16, 32) if source < bits},
        )
        for family in families:
            table.update({f"i{bits}.{name}": fn for name, fn in family.items()})
    table.update({f"i64.{name}": fn for name, fn in wide().items()})
    table["i32.wrap_i64"] = wrap(32)
    table["i64.extend_i32_s"] = sign_extend(32, 64)
    table["i64.extend_i32_u"] = same
    return table


MEANINGS: Mapping[str, Meaning] = MappingProxyType(meanings())
"""Operators by name. Those that can trap are the divisions and remainders."""
